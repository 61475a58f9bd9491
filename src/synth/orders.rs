//! Planted orders, what registrants answered when they were asked, and what a report on consent has to say of both.
//!
//! A wholesale provider takes most data by contract and the numbers of telephones by consent; of names below `be` only the fax number.
//! What an order comes to is written down beside its case, and no matrix is asked.

use super::consent::Consents;
use super::record::Record;
use super::tables::CsvFile;
use crate::base::{Result, write_atomic};
use crate::dataset::{ContactField, DomainField};
use crate::model::Contact;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// The provider.
pub(super) const PROVIDER: &str = "wholesale";
/// The registry whose names are registered through it.
pub(super) const THROUGH: &str = "dnsbe";
/// Contacts of a registry that are looked at for orders.
const MOST: usize = 60;

/// By what the provider takes which data, relative to the configuration.
pub(super) const BASES: &str = "records/basis.toml";

/// That pack.
const PACK: &str = r#"# By what the provider of the synthetic records takes which data.
version = 1
dated = "2026-11-01"

[[provider]]
name = "wholesale"
policy = "once_per_group"
link_days = 90
erase_days = 60
source = "planted"
confidence = "guess"
from = "2018-05-25"

[[basis]]
provider = "wholesale"
tld = "*"
person = "*"
elements = ["name", "organisation", "street", "city", "state", "postal-code", "country", "email"]
basis = "contract"
source = "planted"
confidence = "guess"
from = "2018-05-25"

[[basis]]
provider = "wholesale"
tld = "*"
person = "*"
elements = ["voice", "fax"]
basis = "consent"
source = "planted"
confidence = "guess"
from = "2018-05-25"

[[basis]]
provider = "wholesale"
tld = "be"
person = "*"
elements = ["voice"]
basis = "contract"
source = "planted"
confidence = "guess"
from = "2018-05-25"

[[process]]
provider = "wholesale"
tld = "example"
process = "sync"
source = "planted"
confidence = "guess"
from = "2018-05-25"

[[process]]
provider = "wholesale"
tld = "shop.example"
process = "async"
source = "planted"
confidence = "guess"
from = "2018-05-25"

[[process]]
provider = "wholesale"
tld = "eu"
process = "standard"
source = "planted"
confidence = "guess"
from = "2018-05-25"
"#;

/// An answer: how many days ago, and what.
type Said = (i64, &'static str);

/// A planted order.
struct Case {
    order: &'static str,
    registry: &'static str,
    tld: &'static str,
    /// How many days ago, and at which time of that day.
    at: (i64, &'static str),
    /// Whether it is to be carried out still, was, or is not.
    is: &'static str,
    /// Whose it is, among those of its registry that have a telephone number, or among those that have none.
    whose: (usize, bool),
    /// What the provider's group came to before.
    said: &'static [Said],
    /// The message that asks because of it, by a number of its own.
    message: Option<u8>,
    /// What the report says once the messages were sent: the state of the consent, what the order does, whether somebody is asked.
    told: Option<[&'static str; 3]>,
    /// The last day on which it waits is told.
    waits: bool,
    /// What is amiss.
    rule: Option<&'static str>,
}

const THICK: &str = "example-thick";

/// What most of them share.
const USUAL: Case = Case {
    order: "",
    registry: THICK,
    tld: "example",
    at: (3, "09:30:00"),
    is: "open",
    whose: (0, true),
    said: &[],
    message: None,
    told: None,
    waits: false,
    rule: None,
};

/// The orders: each course of the matrix, one that is gathered with another, one of each kind of which nobody is asked.
const CASES: [Case; 14] = [
    Case { order: "o-1", message: Some(1), told: Some(["requested", "placeholders", "asked before"]), ..USUAL },
    Case { order: "o-2", at: (3, "09:30:40"), message: Some(1), told: Some(["requested", "placeholders", "asked before"]), ..USUAL },
    Case {
        order: "o-3",
        tld: "shop.example",
        whose: (1, true),
        message: Some(2),
        told: Some(["requested", "waits", "asked before"]),
        waits: true,
        ..USUAL
    },
    Case {
        order: "o-4",
        tld: "shop.example",
        at: (20, "09:30:00"),
        whose: (2, true),
        told: Some(["unknown", "lapses", "lapsed"]),
        waits: true,
        rule: Some("R-asking-006"),
        ..USUAL
    },
    Case { order: "o-5", whose: (3, true), said: &[(2, "given")], told: Some(["given", "whole", "answered"]), ..USUAL },
    Case {
        order: "o-6",
        tld: "shop.example",
        whose: (4, true),
        said: &[(2, "refused")],
        told: Some(["refused", "lapses", "answered"]),
        waits: true,
        ..USUAL
    },
    Case {
        order: "o-7",
        tld: "shop.example",
        is: "done",
        whose: (5, true),
        said: &[(100, "given"), (2, "withdrawn")],
        told: Some(["withdrawn", "cancel first", "answered"]),
        ..USUAL
    },
    Case {
        order: "o-8",
        is: "done",
        whose: (6, true),
        said: &[(100, "given"), (2, "withdrawn")],
        told: Some(["withdrawn", "back to placeholders", "answered"]),
        ..USUAL
    },
    Case { order: "o-9", registry: "eurid", tld: "eu", told: Some(["unknown", "provider informs", "the provider informs"]), ..USUAL },
    Case {
        order: "o-10",
        registry: "afnic",
        tld: "re",
        told: Some(["unknown", "blocked", "not known"]),
        rule: Some("R-asking-012"),
        ..USUAL
    },
    Case { order: "o-11", is: "cancelled", whose: (7, true), ..USUAL },
    Case { order: "o-12", whose: (0, false), told: Some(["unknown", "whole", "nothing to ask"]), rule: Some("R-asking-015"), ..USUAL },
    // Asked before, and said nothing since: another message is not made.
    Case {
        order: "o-13",
        whose: (8, true),
        said: &[(45, "requested")],
        told: Some(["requested", "placeholders", "asked before"]),
        ..USUAL
    },
    // Carried out although it was refused.
    Case {
        order: "o-14",
        tld: "shop.example",
        is: "done",
        whose: (9, true),
        said: &[(2, "refused")],
        told: Some(["refused", "lapses", "answered"]),
        rule: Some("R-asking-014"),
        ..USUAL
    },
];

/// What those said whose fax number the registry of [`THROUGH`] holds, the first of them first; all others said nothing.
const FAXES: [(&[Said], &[&str]); 4] = [
    (&[(30, "given")], &[]),
    (&[(100, "given"), (10, "withdrawn")], &["R-asking-003"]),
    (&[(200, "given"), (100, "withdrawn")], &["R-asking-003", "R-asking-005"]),
    (&[(30, "refused")], &["R-asking-002"]),
];

/// A contact that both sides hold, as it is written in the records.
struct Both {
    handle: String,
    person: Option<u64>,
    has_number: bool,
    /// The registry holds a fax number.
    has_fax: bool,
}

/// Orders and answers, gathered registry by registry.
pub(super) struct Orders {
    today: Date,
    /// The contacts of the registry that is being written.
    here: Vec<Both>,
    /// Registrants of the domains of the records there.
    registrants: HashSet<u64>,
    /// Those whose orders may be planted, by registry.
    candidates: HashMap<&'static str, Vec<Both>>,
    /// Registrants whose fax number is given to the provider, and everybody at its registry.
    faxes: Vec<Both>,
    through: HashMap<u64, u32>,
}

impl Orders {
    /// Begins as of `today`.
    pub(super) fn new(today: Date) -> Self {
        Self {
            today,
            here: Vec::new(),
            registrants: HashSet::new(),
            candidates: HashMap::new(),
            faxes: Vec::new(),
            through: HashMap::new(),
        }
    }

    /// A contact that the records and the registry have, as the records write it and as the registry holds it.
    pub(super) fn contact(&mut self, record: &Record, held: &Contact, person: Option<u64>) {
        let has = |field: ContactField| !record.get(field.at()).is_empty();
        self.here.push(Both {
            handle: record.id().to_owned(),
            person,
            has_number: has(ContactField::Voice) || has(ContactField::Fax),
            has_fax: held.fax.is_some(),
        });
    }

    /// The record of a domain.
    pub(super) fn domain(&mut self, record: &Record) {
        self.registrants.insert(xxh3_64(record.get(DomainField::Registrant.at()).as_bytes()));
    }

    /// Ends a registry.
    pub(super) fn end_of(&mut self, registry: &str) {
        let (here, registrants) = (std::mem::take(&mut self.here), std::mem::take(&mut self.registrants));
        if registry == THROUGH {
            for one in here {
                if let Some(person) = one.person {
                    *self.through.entry(person).or_default() += 1;
                }
                if one.has_fax && registrants.contains(&xxh3_64(one.handle.as_bytes())) {
                    self.faxes.push(one);
                }
            }
        } else if let Some(case) = CASES.iter().find(|case| case.registry == registry) {
            self.candidates.insert(case.registry, here.into_iter().take(MOST).collect());
        }
    }

    /// Writes `records/{orders,answers}.csv`, the pack, and `truth/{orders,asked,consent}.csv` below `out`; how many orders there are.
    pub(super) fn finish(self, out: &Path, consents: &Consents) -> Result<u64> {
        write_atomic(&out.join(BASES), PACK.as_bytes())?;
        let mut orders = CsvFile::create(&out.join("records/orders.csv"))?;
        orders.push(["order", "registry", "tld", "handle", "kind", "ordered_at", "provider", "state", "brand", "language"])?;
        let mut told = CsvFile::create(&out.join("truth/orders.csv"))?;
        told.push(["order", "registry", "tld", "state", "course", "asked", "waits_until"])?;
        let mut amiss = CsvFile::create(&out.join("truth/consent.csv"))?;
        amiss.push(["rule", "registry", "object", "id"])?;
        let mut answers = CsvFile::create(&out.join("records/answers.csv"))?;
        answers.push(["registry", "handle", "purpose", "provider", "event", "at", "method", "by", "notice", "notice_version"])?;
        let mut said = |registry: &str, handle: &str, said: &[Said]| -> Result<()> {
            for (days, event) in said {
                let at = format!("{}T09:30:00Z", self.ago(*days));
                let (method, by) = if *event == "requested" { ("", "registrar") } else { ("page", "registrant") };
                let notice = if *event == "given" { ["provider-request", "1"] } else { [""; 2] };
                let [id, version] = notice;
                answers.push([registry, handle, "provider-data", PROVIDER, event, &at, method, by, id, version])?;
            }
            Ok(())
        };
        let (mut count, mut messages) = (0, Vec::<(u8, String)>::new());
        for case in &CASES {
            let Some(whose) = self.whose(case, consents) else { continue };
            let (days, time) = case.at;
            let at = format!("{}T{time}Z", self.ago(days));
            let handle = whose.handle.as_str();
            orders.push([case.order, case.registry, case.tld, handle, "registration", &at, PROVIDER, case.is, "", ""])?;
            count += 1;
            said(case.registry, handle, case.said)?;
            let waits = if case.waits { self.ago(days - 10).to_string() } else { String::new() };
            if let Some([state, course, asked]) = case.told {
                told.push([case.order, case.registry, case.tld, state, course, asked, &waits])?;
            }
            if let Some(rule) = case.rule {
                amiss.push([rule, case.registry, "order", case.order])?;
            }
            match (case.message, messages.last_mut()) {
                (Some(number), Some((last, all))) if number == *last => all.push_str(&format!(";{}", case.order)),
                (Some(number), _) => messages.push((number, case.order.to_owned())),
                (None, _) => {}
            }
        }
        self.faxes(consents, &mut amiss, &mut said)?;
        let mut asked = CsvFile::create(&out.join("truth/asked.csv"))?;
        asked.push(["orders"])?;
        messages.iter().try_for_each(|(_, all)| asked.push([all.as_str()]))?;
        for file in [orders, told, amiss, answers, asked] {
            file.finish()?;
        }
        Ok(count)
    }

    /// Whose order a case is: somebody who said nothing of anything else, and is unknown where fax numbers are given away.
    fn whose(&self, case: &Case, consents: &Consents) -> Option<&Both> {
        let (nth, has_number) = case.whose;
        let mut seen = HashSet::new();
        let is_meant = |one: &&Both| {
            let is_free =
                |person: u64| !self.through.contains_key(&person) && consents.publication(person).is_none() && seen.insert(person);
            one.person.is_some_and(is_free) && one.has_number == has_number
        };
        self.candidates.get(case.registry)?.iter().filter(is_meant).nth(nth)
    }

    /// Whose fax number is given to the provider, and what they said.
    fn faxes(&self, consents: &Consents, amiss: &mut CsvFile, said: &mut impl FnMut(&str, &str, &[Said]) -> Result<()>) -> Result<()> {
        let mut cases = FAXES.iter();
        for one in &self.faxes {
            let is_alone = |person: u64| self.through.get(&person) == Some(&1) && consents.publication(person).is_none();
            let case = one.person.filter(|person| is_alone(*person)).and_then(|_| cases.next());
            let rules = match case {
                Some((answers, rules)) => {
                    said(THROUGH, &one.handle, answers)?;
                    *rules
                }
                None => &["R-asking-002"],
            };
            rules.iter().try_for_each(|rule| amiss.push([rule, THROUGH, "contact", &one.handle]))?;
        }
        Ok(())
    }

    fn ago(&self, days: i64) -> Date {
        self.today.saturating_sub(days.days())
    }
}
