//! What a fleet is made of: the file `fleet.toml` of a registry's state.

use super::code;
use super::privacy::Provider;
use crate::base::{Blame, Problem, Result, read_capped, write_atomic};
use jiff::civil;
use std::path::Path;

/// In which forms a registry has its contacts' addresses (RFC 5733 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forms {
    /// `int` alone, ASCII.
    Int,
    /// `loc` alone, any letters.
    Loc,
    /// Both.
    Both,
}

/// How many domains hide their registrant, and how.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyShares {
    /// Domains of a thousand under privacy v1 (all roles are the provider's one mask contact).
    pub v1_per_mille: u16,
    /// Domains of a thousand under privacy v2 (the registrant alone is hidden).
    pub v2_per_mille: u16,
    /// Of a thousand under v2, those that the registry shows nevertheless: what a comparison has to find.
    pub bare_per_mille: u16,
    /// Of a thousand under neither, those whose proxy contact is at the registry nevertheless, where there are such: nothing names it.
    #[serde(default)]
    pub orphans_per_mille: u16,
    /// The provider's own data.
    pub provider: Provider,
}

/// What handles look like: `before`, a code, `after`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandleForm {
    /// What stands before the code.
    pub before: String,
    /// What stands behind it.
    pub after: String,
    /// Whether the code is eight decimal digits, one after the other; otherwise it is base 32, and neighbours do not look alike.
    #[serde(default)]
    pub decimal: bool,
}

impl Default for HandleForm {
    fn default() -> Self {
        Self { before: "C".to_owned(), after: "-PV".to_owned(), decimal: false }
    }
}

/// The settings of one registry's fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetSettings {
    /// The registry's profile, by its id.
    pub profile: String,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// Contacts, 0 where the profile has none.
    pub contacts: u64,
    /// Domains; no more than contacts, where there are contacts.
    pub domains: u64,
    /// Zones the domains stand in, A-labels without a leading dot.
    pub tlds: Vec<String>,
    /// The sponsoring registrar, 3 to 16 characters (RFC 5730 `clIDType`).
    pub sponsor: String,
    /// The day on which the registry is as described: expiry lies after it, creation before.
    pub today: civil::Date,
    /// Forms of an address, each as often as it stands here; all three where empty.
    #[serde(default)]
    pub forms: Vec<Forms>,
    /// Scripts of the contacts, all where empty.
    #[serde(default)]
    pub scripts: Vec<String>,
    /// Countries of the contacts (ISO 3166-1 alpha-2), each as often as it stands here; where empty, all that write one of `scripts`.
    #[serde(default)]
    pub lands: Vec<String>,
    /// What handles look like.
    #[serde(default)]
    pub handles: HandleForm,
    /// Objects of a thousand that break a rule of the registry's profile.
    #[serde(default)]
    pub flaws_per_mille: u16,
    /// Contacts of customers of the past that the registry holds still. No domain of ours names them; one of another registrar's names
    /// the last of several, which no status tells.
    #[serde(default)]
    pub former: u64,
    /// Privacy services, none where missing.
    #[serde(default)]
    pub privacy: Option<PrivacyShares>,
}

impl FleetSettings {
    /// How far behind its own the objects of the past begin: no other index comes near.
    pub const PAST: u64 = 1_000_000;

    /// The file's name within a registry's state directory.
    pub const FILE: &'static str = "fleet.toml";

    /// The largest file that is read, in bytes.
    const CAP: u64 = 64 * 1024;

    /// Reads `path`; nothing where there is no such file.
    ///
    /// # Errors
    /// `E-file-005` or `E-file-006` where it cannot be read; `E-fleet-001` where it is not TOML of this form.
    pub fn load(path: &Path) -> Result<Option<Self>> {
        if !path.try_exists().unwrap_or(true) {
            return Ok(None);
        }
        let bytes = read_capped(path, Self::CAP)?;
        let wrong = |what: String| Problem::new("E-fleet-001", Blame::Input, what, "correct the file, or make the state anew").file(path);
        let text = std::str::from_utf8(&bytes).map_err(|e| wrong(format!("not UTF-8 from byte {}", e.valid_up_to())))?;
        toml::from_str(text).map(Some).map_err(|e| {
            let line = e.span().map_or(0, |s| text.get(..s.start).unwrap_or_default().matches('\n').count() as u64);
            wrong(e.message().to_owned()).line(line + 1)
        })
    }

    /// Writes the settings to `path`.
    ///
    /// # Errors
    /// `E-file-001` or `E-file-002` where it cannot be written; `E-fleet-002` where the settings have no form in TOML.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = toml::to_string(self).map_err(|e| Problem::new("E-fleet-002", Blame::Us, e.to_string(), "report this").file(path))?;
        write_atomic(path, text.as_bytes())
    }

    /// Whether a fleet can be made of these.
    ///
    /// # Errors
    /// `E-fleet-003` with the setting at fault.
    pub(super) fn validate(&self) -> Result<()> {
        let wrong = |field: &str, what: String, remedy: &str| {
            Err(Problem::new("E-fleet-003", Blame::Input, what, remedy).field(field).file(Path::new(Self::FILE)))
        };
        // Synthetic local records go some indices beyond the end, for objects that the registry does not know.
        let most = code::END / 2;
        if self.contacts > most || self.domains > most {
            return wrong("contacts", format!("more than {most} objects"), "ask for fewer");
        }
        if self.contacts > 0 && self.domains > self.contacts {
            let what = format!("{} domains for {} contacts", self.domains, self.contacts);
            return wrong("domains", what, "give at least one contact for each domain, or none at all");
        }
        let label = |l: &str| (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        match self.tlds.iter().find(|t| t.len() > 63 || !t.split('.').all(label)) {
            Some(tld) => return wrong("tlds", format!("`{tld}` is no zone in A-label form"), "use a-z, 0-9, `-` and dots between labels"),
            None if self.tlds.is_empty() && self.domains > 0 => {
                return wrong("tlds", "no zone for the domains".to_owned(), "name at least one");
            }
            None => {}
        }
        if !(3..=16).contains(&self.sponsor.chars().count()) {
            return wrong("sponsor", "not 3 to 16 characters".to_owned(), "RFC 5730 clIDType wants 3 to 16");
        }
        Ok(())
    }
}
