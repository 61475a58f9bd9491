//! The profile of a registry, and the embedded ones.

use crate::base::{Blame, Problem, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// How sure we are of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Read in the named source.
    Seen,
    /// Follows from what was seen.
    Inferred,
    /// Without a source, chosen so that there is something to work with.
    Guess,
}

/// A value with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule<T> {
    /// The value.
    pub value: T,
    /// The document it was read in, or why it was chosen.
    pub source: String,
    /// How sure we are.
    pub confidence: Confidence,
}

/// The kind of line a registry is reached over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Line {
    /// EPP over TLS on a TCP connection (RFC 5734).
    EppTls,
}

/// Where a registry's contacts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactModel {
    /// Contact objects at the registry.
    Objects,
    /// None at the registry: the registrar alone holds them ("minimum data set").
    None,
}

/// How a domain names its name servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostModel {
    /// By host objects.
    Objects,
    /// By attributes of the domain.
    Attributes,
}

/// How a registry keeps a registrant out of public view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Privacy {
    /// A proxy contact takes the registrant's place.
    ProxyContact,
    /// A disclose statement on the contact (RFC 5733 §2.9).
    Disclose,
    /// The registrar's own directory publishes; the registry holds nothing.
    Publication,
    /// None: the registry decides what is public.
    None,
}

/// A rate: so many commands in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Commands.
    pub commands: u32,
    /// Seconds.
    pub seconds: u32,
}

/// What one registrar account may do at a registry.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Sessions at a time.
    pub sessions: Rule<u16>,
    /// Seconds without a command after which a session is cut.
    pub idle_seconds: Rule<u32>,
    /// Seconds after which a session is cut however busy, if it is.
    pub age_seconds: Option<Rule<u32>>,
    /// Commands after which a session is cut, if it is.
    pub commands_per_session: Option<Rule<u32>>,
    /// Commands in a time, over all sessions, if limited.
    pub rate: Option<Rule<Rate>>,
    /// Names in one check.
    pub names_per_check: Rule<u16>,
    /// Reads that may be in flight on one session.
    pub read_window: Rule<u16>,
    /// Seconds within which an answer must be complete.
    pub reply_seconds: Rule<u32>,
    /// Seconds to wait after the registry said that a limit is reached.
    pub back_off_seconds: Rule<u32>,
}

/// Services a login names, where the greeting offers them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Services {
    /// Objects without which nothing can be done here.
    pub objects: Vec<String>,
    /// Extensions that are used where they are offered.
    pub extensions: Vec<String>,
}

/// Deviations from the RFCs that must be told in advance.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// The length of a frame does not count itself.
    pub length_without_header: bool,
    /// Words, in lower case, by which the text of a refusal by policy (2308) tells that a limit was reached.
    pub limit_words: Vec<String>,
}

/// A registry's profile.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its id, as the configuration names it.
    pub id: String,
    /// What it covers, in a few words.
    pub title: String,
    /// When it was last compared with its sources.
    pub date: String,
    /// The line.
    pub line: Rule<Line>,
    /// The default port.
    pub port: Rule<u16>,
    /// Whether a client certificate is wanted (RFC 5734 §9).
    pub client_certificate: Rule<bool>,
    /// Where the contacts are.
    pub contacts: Rule<ContactModel>,
    /// How name servers are named.
    pub hosts: Rule<HostModel>,
    /// How a registrant is kept out of public view.
    pub privacy: Rule<Privacy>,
    /// Whether contacts carry a disclose statement.
    pub disclose: Rule<bool>,
    /// Status values a client may set on a domain.
    pub client_statuses: Rule<Vec<String>>,
    /// Services.
    pub services: Services,
    /// Limits.
    pub limits: Limits,
    /// Deviations.
    #[serde(default)]
    pub quirks: Quirks,
}

impl Profile {
    /// Reads a profile from TOML.
    ///
    /// # Errors
    /// `E-profile-001` with line and key.
    pub fn read(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(0, |s| text.get(..s.start).unwrap_or_default().matches('\n').count() as u64 + 1);
            let remedy = "correct the profile; every rule has value, source and confidence";
            Problem::new("E-profile-001", Blame::Operator, e.message(), remedy).line(line)
        })
    }

    /// Whether the registry holds contact objects.
    #[must_use]
    pub fn has_contacts(&self) -> bool {
        self.contacts.value == ContactModel::Objects
    }
}

/// The embedded profiles, in TOML.
const EMBEDDED: [&str; 4] = [
    include_str!("profiles/eurid.toml"),
    include_str!("profiles/gtld-minimum.toml"),
    include_str!("profiles/gtld-thick.toml"),
    include_str!("profiles/nz.toml"),
];

/// The embedded profiles by id. A test reads each; one that cannot be read is not there.
static PROFILES: LazyLock<BTreeMap<String, Arc<Profile>>> =
    LazyLock::new(|| EMBEDDED.iter().filter_map(|t| Profile::read(t).ok()).map(|p| (p.id.clone(), Arc::new(p))).collect());

/// The embedded profile of that id.
///
/// # Errors
/// `E-profile-002`, with the nearest id there is.
pub fn profile(id: &str) -> Result<Arc<Profile>> {
    PROFILES.get(id).cloned().ok_or_else(|| {
        let nearest = PROFILES.keys().min_by_key(|known| strsim::levenshtein(known, id)).map_or("", String::as_str);
        let remedy = format!("did you mean `{nearest}`? Known: {}", profile_names().join(", "));
        Problem::new("E-profile-002", Blame::Operator, format!("there is no profile `{id}`"), remedy)
    })
}

/// The ids of the embedded profiles.
#[must_use]
pub fn profile_names() -> Vec<&'static str> {
    PROFILES.keys().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_profile_reads_and_has_an_id_of_its_own() {
        for text in EMBEDDED {
            if let Err(e) = Profile::read(text) {
                panic!("{e}");
            }
        }
        assert_eq!(profile_names(), ["eurid", "gtld-minimum", "gtld-thick", "nz"]);
    }

    #[test]
    fn a_misspelt_key_is_told_with_its_line() {
        let text = EMBEDDED[0].replace("title =", "titel =");
        let e = Profile::read(&text).expect_err("unknown key");
        assert!(e.to_string().contains("titel") && e.place.line.is_some(), "{e}");
    }

    #[test]
    fn an_unknown_profile_names_the_nearest() {
        let e = profile("gtld-tick").expect_err("unknown");
        assert!(e.to_string().contains("`gtld-thick`"), "{e}");
    }
}
