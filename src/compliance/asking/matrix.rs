//! The matrix of bases: dated data, in which what is not known is blocked.

use crate::base::{Digest, Result, read_capped};
use crate::compliance::fold::State;
use crate::compliance::pack::{read, refused};
use crate::compliance::record::Element;
use crate::model::Confidence;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// The embedded matrix.
const EMBEDDED: &str = include_str!("../packs/basis.toml");
/// The most bytes of a pack.
const MAX_PACK: u64 = 1 << 20;
/// Domains under which nobody has an address (RFC 2606 §2 and §3, RFC 6761 §6.4).
const RESERVED: [&str; 6] = ["example", "invalid", "test", "example.com", "example.net", "example.org"];

/// By what a provider takes a kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ground {
    /// The contract (GDPR Art. 6(1)(b)).
    Contract,
    /// Consent (Art. 6(1)(a)).
    Consent,
    /// Nothing: it is not sent.
    None,
}

/// What kind of person a registrant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Person {
    /// A natural person.
    Individual,
    /// An organisation.
    Organisation,
}

/// How names are registered that wait for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// At once, whatever the answer.
    Sync,
    /// Not before consent.
    Async,
    /// Without a message: the provider informs.
    Standard,
}

impl Process {
    /// The word in packs and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
            Self::Standard => "standard",
        }
    }
}

/// How often a provider asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Once for every person.
    OncePerFingerprint,
    /// Once for every person and group.
    OncePerGroup,
}

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(rename = "dated")]
    _dated: Date,
    #[serde(default)]
    provider: Vec<Provider>,
    #[serde(default)]
    basis: Vec<BasisRow>,
    #[serde(default)]
    process: Vec<ProcessRow>,
    #[serde(default)]
    placeholder: Vec<PlaceholderRow>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: Box<str>,
    policy: Policy,
    /// For how many days the link in a message leads anywhere.
    #[serde(default)]
    link_days: Option<u16>,
    /// Within how many days what rested on a consent is erased once that is withdrawn.
    #[serde(default)]
    erase_days: Option<u16>,
    /// Whether it informs registrants itself of names that it registers in its own way.
    #[serde(default)]
    informs: Option<bool>,
    #[serde(rename = "source")]
    _source: Box<str>,
    #[serde(rename = "confidence")]
    _confidence: Confidence,
    from: Date,
    to: Option<Date>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BasisRow {
    provider: Box<str>,
    tld: Box<str>,
    person: Whoever,
    elements: Vec<Element>,
    basis: Ground,
    source: Box<str>,
    confidence: Confidence,
    from: Date,
    to: Option<Date>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessRow {
    provider: Box<str>,
    tld: Box<str>,
    process: Process,
    #[serde(rename = "source")]
    _source: Box<str>,
    #[serde(rename = "confidence")]
    _confidence: Confidence,
    from: Date,
    to: Option<Date>,
}

/// What stands at a registry in the place of data that nobody consented to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceholderRow {
    tld: Box<str>,
    element: Element,
    value: Box<str>,
    #[serde(rename = "source")]
    _source: Box<str>,
    #[serde(rename = "confidence")]
    _confidence: Confidence,
    from: Date,
    to: Option<Date>,
}

/// A kind of person, or any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Whoever {
    #[serde(rename = "*")]
    Any,
    Individual,
    Organisation,
}

impl Whoever {
    const fn is(self, person: Person) -> bool {
        matches!((self, person), (Self::Any, _) | (Self::Individual, Person::Individual) | (Self::Organisation, Person::Organisation))
    }
}

/// What the matrix says of a kind of data, and where that comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<'m> {
    /// The basis.
    pub ground: Ground,
    /// Where it comes from.
    pub source: &'m str,
    /// How sure that is.
    pub confidence: Confidence,
}

/// Data that consent is asked for together: a digest of the provider, the kind of person, and the sorted sets of what is taken by
/// contract and by consent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(Box<str>);

impl Group {
    /// The group of those sets.
    #[must_use]
    pub fn of(provider: &str, person: Person, contract: &BTreeSet<Element>, consent: &BTreeSet<Element>) -> Self {
        let names = |set: &BTreeSet<Element>| set.iter().map(|element| element.as_str()).collect::<Vec<_>>();
        // As JSON no part can run into the next.
        let bytes = serde_json::to_vec(&("group/1", provider, person, names(contract), names(consent))).unwrap_or_default();
        Self(format!("g-{}", Digest::of(&bytes).short()).into())
    }

    /// The group that `text` names: `g-` and 32 hexadecimal digits in lower case.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("g-")?;
        let is_one = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        is_one.then(|| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The matrix.
#[derive(Clone, Debug)]
pub struct BasisMatrix {
    /// The digest of the pack.
    pub digest: Digest,
    file: File,
}

impl BasisMatrix {
    /// The embedded one.
    ///
    /// # Errors
    /// As [`Self::parse`]: a test holds it to having none.
    pub fn embedded() -> Result<Self> {
        Self::parse(EMBEDDED, Path::new("basis.toml (built in)"))
    }

    /// The matrix that `text` of `file` gives.
    ///
    /// # Errors
    /// `E-pack-001` where the file is no such pack; `E-pack-002` where its version is another one, or a row names a provider that it does
    /// not have, or two rows say different things of the same, or a placeholder could be somebody's.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let pack: File = read(text, file)?;
        let wrong = |what: String, remedy: &str| Err(refused("E-pack-002", what, remedy, file));
        if pack.version != 1 {
            return wrong(format!("the pack has version {}, known is 1", pack.version), "see the built-in pack");
        }
        let shown = |name: &str| name.chars().take(24).collect::<String>();
        let named = pack.basis.iter().map(|row| &row.provider).chain(pack.process.iter().map(|row| &row.provider));
        if let Some(odd) = named.into_iter().find(|name| !pack.provider.iter().any(|provider| provider.name == **name)) {
            return wrong(format!("there is no provider `{}`", shown(odd)), "add it, or correct its name");
        }
        let mut seen = BTreeSet::new();
        for row in &pack.basis {
            if let Some(twice) =
                row.elements.iter().find(|element| !seen.insert((&row.provider, &row.tld, row.person, row.from, **element)))
            {
                let what =
                    format!("`{twice}` of `{}` for `{}` stands there twice from {}", shown(&row.provider), shown(&row.tld), row.from);
                return wrong(what, "leave one of them");
            }
        }
        for row in &pack.placeholder {
            if let Err(why) = lint(row) {
                let what = format!("the placeholder of `{}` for `{}` {why}", row.element, shown(&row.tld));
                return wrong(what, "take one that can be nobody's: see RFC 2606 for addresses");
            }
        }
        Ok(Self { digest: Digest::of(text.as_bytes()), file: pack })
    }

    /// The matrix in `file`.
    ///
    /// # Errors
    /// As [`Self::parse`]; `E-file-005` and `E-file-006` where it cannot be read.
    pub fn load(file: &Path) -> Result<Self> {
        let text = String::from_utf8(read_capped(file, MAX_PACK)?);
        let text = text.map_err(|_| refused("E-pack-001", "the pack is not UTF-8", "save it as UTF-8", file))?;
        Self::parse(&text, file)
    }

    /// What stands in the place of `element` for a name of `tld` on a day, where that is said.
    #[must_use]
    pub fn placeholder(&self, tld: &str, element: Element, on: Date) -> Option<&str> {
        let rows = self.file.placeholder.iter().filter(|row| {
            let is_of = row.element == element && (*row.tld == *tld || &*row.tld == "*");
            is_of && holds(row.from, row.to, on)
        });
        rows.max_by_key(|row| (&*row.tld != "*", row.from)).map(|row| &*row.value)
    }

    /// Whether the pack has that provider, on whatever day.
    #[must_use]
    pub fn knows(&self, provider: &str) -> bool {
        self.file.provider.iter().any(|row| *row.name == *provider)
    }

    /// By what `provider` takes `element` of a `person` for a name of `tld` on a day; nothing where that is not known.
    #[must_use]
    pub fn cell(&self, provider: &str, tld: &str, person: Person, element: Element, on: Date) -> Option<Cell<'_>> {
        let rows = self.file.basis.iter().filter(|row| {
            let is_of = *row.provider == *provider && (*row.tld == *tld || &*row.tld == "*") && row.person.is(person);
            is_of && row.elements.contains(&element) && holds(row.from, row.to, on)
        });
        let row = rows.max_by_key(|row| (&*row.tld != "*", row.person != Whoever::Any, row.from))?;
        Some(Cell { ground: row.basis, source: &row.source, confidence: row.confidence })
    }

    /// How names of `tld` are registered; nothing where that is not known.
    #[must_use]
    pub fn process(&self, provider: &str, tld: &str, on: Date) -> Option<Process> {
        let rows = self
            .file
            .process
            .iter()
            .filter(|row| *row.provider == *provider && (*row.tld == *tld || &*row.tld == "*") && holds(row.from, row.to, on));
        rows.max_by_key(|row| (&*row.tld != "*", row.from)).map(|row| row.process)
    }

    /// How often a provider asks; nothing where that is not known.
    #[must_use]
    pub fn policy(&self, provider: &str, on: Date) -> Option<Policy> {
        self.provider(provider, on).map(|row| row.policy)
    }

    /// For how many days the link in a message of a provider leads anywhere; nothing where that is not known.
    #[must_use]
    pub fn link_days(&self, provider: &str, on: Date) -> Option<u16> {
        self.provider(provider, on).and_then(|row| row.link_days)
    }

    /// Within how many days a provider erases what rested on a consent that was withdrawn; nothing where that is not known.
    #[must_use]
    pub fn erase_days(&self, provider: &str, on: Date) -> Option<u16> {
        self.provider(provider, on).and_then(|row| row.erase_days)
    }

    /// Whether a provider itself informs registrants of names that it registers in its own way; nothing where that is not known.
    #[must_use]
    pub fn informs(&self, provider: &str, on: Date) -> Option<bool> {
        self.provider(provider, on).and_then(|row| row.informs)
    }

    fn provider(&self, provider: &str, on: Date) -> Option<&Provider> {
        let rows = self.file.provider.iter().filter(|row| *row.name == *provider && holds(row.from, row.to, on));
        rows.max_by_key(|row| row.from)
    }

    /// The group of the `elements` that are sent to a provider, with those that consent is asked for.
    ///
    /// # Errors
    /// The elements whose basis is not known, and those that have none: nothing is sent with one of these.
    pub fn group(
        &self,
        (provider, tld): (&str, &str),
        person: Person,
        elements: &BTreeSet<Element>,
        on: Date,
    ) -> Result<(Group, BTreeSet<Element>), BTreeSet<Element>> {
        let ground = |element: &Element| self.cell(provider, tld, person, *element, on).map(|cell| cell.ground);
        let with = |wanted: Ground| elements.iter().copied().filter(|element| ground(element) == Some(wanted)).collect::<BTreeSet<_>>();
        let (contract, consent) = (with(Ground::Contract), with(Ground::Consent));
        let blocked: BTreeSet<Element> = elements.iter().copied().filter(|e| !contract.contains(e) && !consent.contains(e)).collect();
        if blocked.is_empty() { Ok((Group::of(provider, person, &contract, &consent), consent)) } else { Err(blocked) }
    }
}

/// What is wrong with a placeholder that must never be anybody's data.
fn lint(row: &PlaceholderRow) -> Result<(), &'static str> {
    let value = row.value.trim();
    if value.is_empty() || value.len() > 255 || value.chars().any(char::is_control) {
        return Err("is empty, over 255 bytes, or holds a control character");
    }
    match row.element {
        Element::Email => {
            let domain = value.rsplit_once('@').filter(|(mailbox, _)| !mailbox.is_empty()).map(|(_, domain)| domain);
            let domain = domain.ok_or("is no e-mail address")?.to_ascii_lowercase();
            let is_reserved = |known: &&str| domain == **known || domain.ends_with(&format!(".{known}"));
            RESERVED.iter().any(is_reserved).then_some(()).ok_or("is an address of a domain that may be somebody's")
        }
        Element::Voice | Element::Fax => {
            let digits = |text: &str, most: usize| !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
            let parts = value.strip_prefix('+').and_then(|rest| rest.split_once('.'));
            parts.filter(|(cc, n)| digits(cc, 3) && digits(n, 14)).map(drop).ok_or("is no telephone number as `+CC.NUMBER` (RFC 5733)")
        }
        Element::Country => {
            let fits = value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase());
            fits.then_some(()).ok_or("is no country in two capital letters (ISO 3166-1)")
        }
        _ => Ok(()),
    }
}

fn holds(from: Date, to: Option<Date>, on: Date) -> bool {
    from <= on && to.is_none_or(|to| on < to)
}

/// What becomes of an order, or of a service that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// It goes on, with what consent was given for.
    Whole,
    /// It goes on, with placeholders.
    Placeholders,
    /// The service stays; placeholders are planned, and what was sent is to be erased in time.
    BackToPlaceholders,
    /// It waits for an answer.
    Waits,
    /// It lapses, and its data are to be erased.
    Lapses,
    /// The service is cancelled first.
    CancelFirst,
    /// No message is sent: the provider informs.
    ProviderInforms,
    /// How such names are registered is not known, and nothing is guessed.
    Blocked,
}

impl Course {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Placeholders => "placeholders",
            Self::BackToPlaceholders => "back to placeholders",
            Self::Waits => "waits",
            Self::Lapses => "lapses",
            Self::CancelFirst => "cancel first",
            Self::ProviderInforms => "provider informs",
            Self::Blocked => "blocked",
        }
    }
}

/// What becomes of an order whose consent stands so; `is_over` where its time to wait has ended. Silence is never consent.
#[must_use]
pub const fn course(process: Option<Process>, consent: State, is_over: bool) -> Course {
    match (process, consent) {
        (None, _) => Course::Blocked,
        (Some(Process::Standard), _) => Course::ProviderInforms,
        (Some(_), State::Given | State::Renewed) => Course::Whole,
        (Some(Process::Sync), State::Withdrawn | State::Expired) => Course::BackToPlaceholders,
        (Some(Process::Sync), State::Unknown | State::Requested | State::Refused) => Course::Placeholders,
        (Some(Process::Async), State::Withdrawn | State::Expired) => Course::CancelFirst,
        (Some(Process::Async), State::Refused) => Course::Lapses,
        (Some(Process::Async), State::Unknown | State::Requested) => {
            if is_over {
                Course::Lapses
            } else {
                Course::Waits
            }
        }
    }
}
