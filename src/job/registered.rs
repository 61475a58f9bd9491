//! What the registers tell for the record: recipients, contracts, breaches, requests, and the decision on an officer.

use super::register::limits;
use crate::base::{RegistryId, Result, Timestamp};
use crate::compliance::processing::{Contract, Evidence, Recipient};
use crate::compliance::register::{Book, Case, Met, register};
use crate::store::Store;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// A recipient of the register.
struct Known {
    /// The party's name, where it has one.
    party: Option<String>,
    /// At which registry it gets data; at all of them, where none is named.
    registry: Option<String>,
    recipient: Recipient,
}

/// What they tell at some time.
pub(super) struct Registered {
    recipients: Vec<Known>,
    /// Those that ended, and when.
    former: Vec<(String, Date)>,
    contracts: Vec<Contract>,
    breaches: Option<(String, String)>,
    /// Breaches of which a controller was told.
    told: u64,
    requests: Option<(BTreeMap<String, u64>, u64, String)>,
    officer: Option<String>,
}

impl Registered {
    /// What they tell at `at`, by the public holidays that are known.
    ///
    /// # Errors
    /// As [`Book::open`].
    pub(super) fn read(store: &mut dyn Store, at: Timestamp) -> Result<Self> {
        let limits = limits(None)?;
        let mut cases = |name: &str| -> Result<(Vec<Case>, u64)> {
            let Some(register) = register(name) else { return Ok((Vec::new(), 0)) };
            let book = Book::open(store, register)?;
            Ok((book.cases(at, &limits).collect(), book.head().rows))
        };
        let (recipients, _) = cases("recipient")?;
        let (contracts, _) = cases("contract")?;
        let (breaches, breach_events) = cases("breach")?;
        let (requests, request_events) = cases("request")?;
        let (officers, _) = cases("officer")?;
        let ended = |case: &Case| {
            let day = case.last.as_ref()?.at.to_zoned(TimeZone::UTC).date();
            (!case.open && case.state.is_some()).then(|| (party(case), day))
        };
        let overdue = |case: &&Case| case.deadlines.iter().any(|deadline| deadline.standing == Met::Overdue);
        let told = |case: &&Case| case.values.contains_key("controller");
        let breached: Vec<String> = states(&breaches).into_iter().map(|(state, n)| format!("{state} {n}")).collect();
        Ok(Self {
            former: recipients.iter().filter_map(ended).collect(),
            contracts: contracts.iter().filter(|case| case.open && !is_expired(case)).map(contract).collect(),
            told: breaches.iter().filter(told).count() as u64,
            breaches: (!breached.is_empty()).then(|| (breached.join(", "), format!("register of breaches, {breach_events} events"))),
            requests: (!requests.is_empty()).then(|| {
                let overdue = requests.iter().filter(overdue).count() as u64;
                (states(&requests), overdue, format!("register of requests, {request_events} events"))
            }),
            officer: officers.iter().filter(|case| case.open).find_map(|case| case.values.get("decision").cloned()),
            recipients: recipients
                .iter()
                .filter(|case| case.open)
                .map(|case| Known {
                    party: case.values.get("party").cloned(),
                    registry: case.values.get("at_registry").cloned(),
                    recipient: recipient(case),
                })
                .collect(),
        })
    }

    /// All of it that is evidence about `registry`, which is called `title`.
    pub(super) fn evidence(&self, registry: &RegistryId, title: &str) -> Evidence {
        Evidence {
            recipients: self.recipients(registry, title),
            former: self.former.clone(),
            contracts: self.contracts.clone(),
            breaches: self.breaches.clone(),
            told: self.told,
            requests: self.requests.clone(),
            officer: self.officer.clone(),
            ..Evidence::default()
        }
    }

    /// The recipients of the data at `registry`: itself, by what the register says of a party of that name, and whoever else gets data
    /// there, the registry's own processors among them.
    pub(super) fn recipients(&self, registry: &RegistryId, title: &str) -> Vec<Recipient> {
        let itself = self.recipients.iter().find(|known| known.party.as_deref() == Some(registry.as_str()));
        let declared = itself.map(|known| known.recipient.clone());
        let unknown = || Recipient {
            name: title.to_owned(),
            category: "registry".to_owned(),
            source: format!("registries.{registry}"),
            ..Recipient::default()
        };
        // Another registry gets other data.
        let is_here =
            |known: &&Known| known.recipient.category != "registry" && known.registry.as_ref().is_none_or(|at| at == registry.as_str());
        let others = self.recipients.iter().filter(is_here).map(|known| known.recipient.clone());
        std::iter::once(declared.unwrap_or_else(unknown)).chain(others).collect()
    }
}

/// How many cases are in which state.
fn states(cases: &[Case]) -> BTreeMap<String, u64> {
    let mut states = BTreeMap::new();
    for case in cases {
        *states.entry(case.state.unwrap_or("unopened").to_owned()).or_default() += 1;
    }
    states
}

fn party(case: &Case) -> String {
    case.values.get("party").cloned().unwrap_or_else(|| case.case.to_string())
}

fn recipient(case: &Case) -> Recipient {
    let value = |column: &str| case.values.get(column).cloned();
    let opened = case.opened.map(|at| at.to_zoned(TimeZone::UTC).date());
    Recipient {
        name: party(case),
        category: value("category").unwrap_or_else(|| "other".to_owned()),
        country: value("country"),
        mechanism: value("mechanism"),
        evidence: value("evidence"),
        overridden: case.texts.contains(&"override_reason"),
        elements: value("elements"),
        contract: value("contract"),
        assessment: value("assessment"),
        on_behalf_of: value("on_behalf_of"),
        planned: opened.filter(|_| case.state == Some("planned")),
        registered: true,
        source: format!("register of recipients, case {}", case.case),
    }
}

/// Whether a contract's last day is over: it covers nothing then, though nobody ended it.
fn is_expired(case: &Case) -> bool {
    case.deadlines.iter().any(|deadline| deadline.name == "expiry" && deadline.standing == Met::Overdue)
}

fn contract(case: &Case) -> Contract {
    let value = |column: &str| case.values.get(column).cloned();
    let version = value("version").map(|version| format!("version {version}"));
    let expires = value("expires").map(|day| format!("until {day}"));
    let number = value("agreement").unwrap_or_else(|| format!("case {}", case.case));
    Contract {
        case: case.case.to_string(),
        party: party(case),
        kind: value("kind").unwrap_or_default(),
        role: value("role").unwrap_or_default(),
        agreement: std::iter::once(number).chain(version).chain(expires).collect::<Vec<_>>().join(", "),
        sub_processors: value("sub_processors"),
    }
}
