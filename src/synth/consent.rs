//! What registrants of protected domains said, and what has to be blocked by it.
//!
//! Each of them has one of the cases below, by what it is called and reached at: one and the same person at two registries has one
//! case. What a case leads to is written down beside its events, and no fold is asked.

use super::SynthOptions;
use super::record::Record;
use super::tables::CsvFile;
use crate::base::{Result, Timestamp};
use crate::compliance::{Fingerprint, Happening, Purpose, Rule};
use crate::dataset::Row;
use crate::mock::fleet::Draw;
use crate::policy::{Capability, Privacy, Profile};
use jiff::{Span, tz::TimeZone};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// Something that was said: what, for which purposes (all at once where none is named), on which day from today, and until which.
struct Said(Happening, &'static [Purpose], i64, Option<i64>);

/// A case.
struct Case {
    /// What was said, in the order of the file.
    said: &'static [Said],
    /// The rule that blocks each purpose, in the order of [`Purpose::OF_CHANGES`].
    blocked: [Option<Rule>; 3],
}

use Happening as H;
use Purpose::{PrivacyProxy as Proxy, Publication as Public, TransferLock as Lock};

/// Every purpose that changes of objects ask for.
const ALL: &[Purpose] = Purpose::OF_CHANGES;
/// What terms of service cover.
const SERVICE: &[Purpose] = &[Proxy, Lock];

/// A case whose purposes are all blocked by `rule`.
const fn all(said: &'static [Said], rule: Rule) -> Case {
    Case { said, blocked: [Some(rule), Some(rule), Some(rule)] }
}

/// Consents of a registrar are not spread evenly, yet each case is to be met.
const CASES: [Case; 15] = [
    Case { said: &[Said(H::Requested, ALL, -405, None), Said(H::Given, ALL, -400, None)], blocked: [None, None, None] },
    Case { said: &[Said(H::Given, SERVICE, -90, Some(900))], blocked: [None, None, Some(Rule::OtherPurpose)] },
    Case { said: &[Said(H::TermsAccepted, SERVICE, -700, None)], blocked: [None, None, Some(Rule::OtherPurpose)] },
    Case { said: &[Said(H::TermsAccepted, ALL, -300, None)], blocked: [None, None, Some(Rule::TermsOnly)] },
    Case { said: &[Said(H::Given, &[Public], -60, None)], blocked: [Some(Rule::OtherPurpose), Some(Rule::OtherPurpose), None] },
    Case {
        said: &[
            Said(H::Given, ALL, -500, Some(-100)),
            Said(H::Renewed, ALL, -120, None),
            Said(H::Restricted, &[], -50, None),
            Said(H::RestrictionLifted, &[], -40, None),
        ],
        blocked: [None, None, None],
    },
    Case {
        said: &[Said(H::TermsAccepted, SERVICE, -300, None), Said(H::Objected, &[Proxy], -20, None)],
        blocked: [Some(Rule::Objected), None, Some(Rule::OtherPurpose)],
    },
    all(&[Said(H::Given, ALL, -400, None), Said(H::Withdrawn, ALL, -10, None)], Rule::Withdrawn),
    // Taken in late: what counts is when it was said.
    all(&[Said(H::Withdrawn, ALL, -10, None), Said(H::TermsAccepted, ALL, -200, None)], Rule::Withdrawn),
    all(&[Said(H::Requested, ALL, -100, None), Said(H::Refused, ALL, -90, None)], Rule::Refused),
    all(&[], Rule::Nothing),
    all(&[Said(H::Given, ALL, -800, Some(-70))], Rule::Expired),
    all(&[Said(H::Given, ALL, 30, None)], Rule::DatedLater),
    all(&[Said(H::Given, ALL, -300, None), Said(H::Restricted, &[], -5, None)], Rule::Restricted),
    all(&[Said(H::Requested, ALL, -40, None)], Rule::Unanswered),
];

/// The columns of `records/consent.csv`.
const COLUMNS: [&str; 12] =
    ["registry", "handle", "purpose", "event", "at", "expires", "terms", "notice", "notice_version", "notice_language", "method", "by"];

/// Events and what they lead to, registry by registry.
pub(super) struct Consents {
    events: CsvFile,
    blocked: CsvFile,
    seed: u64,
    today: Timestamp,
    /// The contacts of this registry that can be told apart: hash of the handle → hash of the person.
    people: HashMap<u64, u64>,
    /// Whose events are written.
    said: HashSet<u64>,
    /// Purposes of a domain for which this registry takes something on consent.
    purposes: Vec<usize>,
    /// What is to be blocked at this registry: object, id, purpose and rule.
    rows: BTreeSet<(&'static str, String, &'static str, &'static str)>,
    written: (u64, u64),
}

impl Consents {
    /// Opens the files below `out`.
    pub(super) fn create(out: &Path, options: &SynthOptions) -> Result<Self> {
        let mut events = CsvFile::create(&out.join("records/consent.csv"))?;
        events.push(COLUMNS)?;
        let mut blocked = CsvFile::create(&out.join("truth/blocked.csv"))?;
        blocked.push(["registry", "object", "id", "purpose", "rule"])?;
        let (people, said, purposes, rows) = (HashMap::new(), HashSet::new(), Vec::new(), BTreeSet::new());
        Ok(Self { events, blocked, seed: options.seed, today: options.today, people, said, purposes, rows, written: (0, 0) })
    }

    /// Begins with a registry of that profile.
    pub(super) fn begin(&mut self, profile: &Profile) {
        self.people.clear();
        let proxy = (profile.privacy.value == Privacy::ProxyContact).then_some(0);
        let lock = (profile.transfer_lock.value.capability() == Capability::Yes).then_some(1);
        self.purposes = proxy.into_iter().chain(lock).collect();
    }

    /// A contact of the local records, as it is written there.
    pub(super) fn contact(&mut self, record: &Record) {
        let row = Row::new(record.id(), record.fields().map(|field| (!field.is_empty()).then_some(field)));
        if let Some(person) = Fingerprint::of_row(&row) {
            self.people.insert(xxh3_64(record.id().as_bytes()), xxh3_64(&person.bytes(None)));
        }
    }

    /// The person of a contact of this registry, where it can be told apart.
    pub(super) fn person(&self, handle: &str) -> Option<u64> {
        self.people.get(&xxh3_64(handle.as_bytes())).copied()
    }

    /// What blocks the publication of a person, nothing where nothing does; nothing at all where the person said nothing.
    #[expect(clippy::option_option, reason = "what nobody said is another thing than what nothing blocks")]
    pub(super) fn publication(&self, person: u64) -> Option<Option<Rule>> {
        let case = Draw::new(self.seed, "consent", person).below(CASES.len() as u64);
        let case = CASES.get(usize::try_from(case).ok()?).filter(|_| self.said.contains(&person))?;
        let [.., public] = case.blocked;
        Some(public)
    }

    /// A domain whose registrant is hidden by a service.
    pub(super) fn protected(&mut self, registry: &str, domain: &str, registrant: &str) -> Result<()> {
        let blocked = self.said_by(registry, registrant)?;
        for (at, (purpose, rule)) in Purpose::OF_CHANGES.iter().zip(blocked).enumerate() {
            let Some(rule) = rule else { continue };
            if self.purposes.contains(&at) {
                self.rows.insert(("domain", domain.to_owned(), purpose.as_str(), rule.id()));
            }
            if *purpose == Public && !registrant.is_empty() {
                self.rows.insert(("contact", registrant.to_owned(), purpose.as_str(), rule.id()));
            }
        }
        Ok(())
    }

    /// A contact that is withheld though no service asks for it, and whose record says that it is to be shown.
    pub(super) fn withheld(&mut self, registry: &str, handle: &str) -> Result<()> {
        let [.., public] = self.said_by(registry, handle)?;
        self.rows.extend(public.map(|rule| ("contact", handle.to_owned(), Public.as_str(), rule.id())));
        Ok(())
    }

    /// What a contact's person said, written once for each person; the rule that blocks each purpose by it.
    fn said_by(&mut self, registry: &str, handle: &str) -> Result<[Option<Rule>; 3]> {
        let person = self.people.get(&xxh3_64(handle.as_bytes())).copied();
        let case =
            person.and_then(|person| CASES.get(usize::try_from(Draw::new(self.seed, "consent", person).below(CASES.len() as u64)).ok()?));
        if let (Some(case), Some(person)) = (case, person)
            && self.said.insert(person)
        {
            let language = if person % 3 == 0 { "de" } else { "en" };
            case.said.iter().try_for_each(|said| self.write(registry, handle, said, language))?;
        }
        Ok(case.map_or([Some(Rule::Nothing); 3], |case| case.blocked))
    }

    fn write(&mut self, registry: &str, handle: &str, said: &Said, language: &str) -> Result<()> {
        let Said(event, purposes, at, expires) = said;
        let day = |days: i64| {
            let day = self.today.to_zoned(TimeZone::UTC).date().saturating_add(Span::new().days(days));
            format!("{day}T09:30:00Z")
        };
        let (at, expires) = (day(*at), expires.map(day).unwrap_or_default());
        let (terms, method) = if *event == H::TermsAccepted { ("tos-2024-05", "terms") } else { ("", "page") };
        let notice = if matches!(event, H::Given | H::Renewed) { ["consent-request", "3", language] } else { [""; 3] };
        let by = if *event == H::Requested { "registrar" } else { "registrant" };
        let names = purposes.iter().map(|purpose| purpose.as_str());
        for purpose in names.chain(purposes.is_empty().then_some("")) {
            let [id, version, language] = notice;
            self.events.push([registry, handle, purpose, event.as_str(), &at, &expires, terms, id, version, language, method, by])?;
            self.written.0 += 1;
        }
        Ok(())
    }

    /// Writes what is to be blocked at `registry`, sorted.
    pub(super) fn end_of(&mut self, registry: &str) -> Result<()> {
        for (object, id, purpose, rule) in std::mem::take(&mut self.rows) {
            self.blocked.push([registry, object, &id, purpose, rule])?;
            self.written.1 += 1;
        }
        Ok(())
    }

    /// Puts the files in place; how many events there are, and how much is to be blocked.
    pub(super) fn finish(self) -> Result<(u64, u64)> {
        self.events.finish()?;
        self.blocked.finish()?;
        Ok(self.written)
    }
}
