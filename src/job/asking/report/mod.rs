//! `report consent`: what is given to providers against what was consented to, what orders do meanwhile, and what came of asking.

mod contacts;
mod ledger;
mod rules;

use super::super::config::Loaded;
use super::super::night::Night;
use super::super::opening::open_store;
use super::super::{Context, Ended};
use super::{Orders, asked, blocked};
use crate::base::{Exit, Problems, Result, Timestamp};
use crate::compliance::asking::{Course, Judging, Messages, OrderCourse, Process, Trigger, Unasked};
use crate::compliance::register::cases_of;
use crate::compliance::{Ledger, State, Subject, Token};
use crate::dataset::{Order, Snapshot};
use crate::report::{ConsentBook, ConsentFinding, ConsentOrder, ConsentSummary};
use crate::store::Store;
use contacts::Contacts;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::HashSet;

/// What `report consent` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ConsentReported {
    /// The folder with the page and the tables.
    reports: String,
    /// What it came to.
    #[serde(flatten)]
    summary: ConsentSummary,
}

/// `report consent`: the ledger, the book of messages, the orders and the newest snapshots of registries that have a provider, against
/// the pack of bases.
///
/// # Errors
/// Everything that keeps the records from being taken in; `E-store-…`, `E-asking-001` and `E-file-…` (exit 33).
pub fn report_consent(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let records = night.known_records()?;
    night.stage("consent");
    let making = night.making();
    let mut store = open_store(&night.loaded.config)?;
    let informed = informed(&mut store, night.started)?;
    let messages = Messages::open(&mut store)?;
    let mut ledger = Ledger::open(&mut store)?;
    let mut book = ConsentBook::begin(&night.dir, &making)?;
    let mut notes = Vec::new();
    let config = &loaded.config;
    let mut contacts = Contacts::default();
    let mut snapshots = Vec::new();
    for id in config.registries.keys().filter(|id| ctx.includes(id)) {
        contacts.countries(&records, id, &mut ledger)?;
        let Some(provider) = config.asking.providers.get(id.as_str()) else { continue };
        match Snapshot::newest(night.state.root(), id)? {
            None => notes.push(format!("Of {id} there is no snapshot: what it holds was not looked at.")),
            Some(snapshot) => {
                let looking = contacts::Looking { night: &night, id, provider, records: &records, snapshot: &snapshot };
                looking.look(&mut contacts, &mut ledger, &mut book)?;
                snapshots.push(snapshot);
            }
        }
    }
    if config.records.orders.is_some() {
        let orders = Orders::read(loaded, ctx, &records)?;
        let triggers = orders.triggers(config, &mut ledger)?;
        let sent = asked(&ledger, &messages);
        let events = |subject: Subject| ledger.events(subject);
        let asking = &config.asking;
        let judging = Judging { matrix: &asking.matrix, zone: &asking.zone, now: night.started, events: &events, sent: &sent };
        let drawn = judging.draw(&triggers);
        let named = Named { loaded, contacts: &contacts, informed: &informed, today: night.started.to_zoned(TimeZone::UTC).date() };
        let mut all: Vec<_> = triggers.iter().zip(&drawn.orders).zip(&orders.orders).collect();
        // The order in which they are looked at; those of one place stay by their times.
        all.sort_by_key(|((_, order), _)| rank(order));
        for ((trigger, order), row) in all {
            named.order(&mut book, trigger, order, row)?;
        }
    } else {
        notes.push("No orders are named below [records.orders].".to_owned());
    }
    let told = ledger::Told { loaded, ledger: &ledger, messages: &messages, at: night.started };
    told.amiss(&mut book)?;
    let (all, groups, countries) = told.funnels(contacts.country_of());
    let oldest = contacts.oldest.map(|at| days(at, night.started));
    let (summary, files) = book.finish(&all, &groups, &countries, oldest, notes)?;
    let page = files.last().map(|page| page.display().to_string()).unwrap_or_default();
    let mut text = String::new();
    for (rule, n) in &summary.rules {
        text.push_str(&format!("{rule}: {n}\n"));
    }
    text.push_str(&format!("{} errors, {} warnings, {} orders to erase\n{page}", summary.errors, summary.warnings, summary.erasures));
    let mut exits = vec![Exit::Done];
    exits.extend((summary.errors + summary.warnings > 0).then_some(Exit::Findings));
    exits.extend(ctx.stop.is_stopped().then_some(Exit::Stopped));
    let counts = [("errors", summary.errors), ("warnings", summary.warnings), ("erasures", summary.erasures)];
    let shown = ConsentReported { reports: night.dir.display().to_string(), summary: summary.clone() };
    let mut ended = Ended { exits, json: serde_json::to_value(shown).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, "report consent", &snapshots, &counts);
    Ok(ended)
}

/// Whole days between two times.
fn days(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours() / 24
}

/// The place of an order: new ones that wait, new ones that do not, then those that were decided, likewise; then all others (ENM-12).
fn rank(order: &OrderCourse) -> u32 {
    let is_decided = !matches!(order.state, State::Unknown | State::Requested);
    match (order.process, is_decided) {
        (Some(Process::Async), false) => 0,
        (Some(Process::Sync), false) => 1,
        (Some(Process::Async), true) => 2,
        (Some(Process::Sync), true) => 3,
        (Some(Process::Standard) | None, _) => 4,
    }
}

/// What orders are told by.
struct Named<'a> {
    loaded: &'a Loaded,
    contacts: &'a Contacts,
    /// Who was shown a notice that is in force.
    informed: &'a HashSet<Subject>,
    today: Date,
}

/// The subjects of whom it is recorded that they were shown a notice, and none since that replaced it.
fn informed(store: &mut dyn Store, at: Timestamp) -> Result<HashSet<Subject>> {
    Ok(cases_of(store, "notice", at)?.into_iter().filter(|case| case.open).filter_map(|case| case.subject).collect())
}

impl Named<'_> {
    fn order(&self, book: &mut ConsentBook<'_>, trigger: &Trigger<'_>, order: &OrderCourse, row: &Order) -> Result<()> {
        let zone = &self.loaded.config.asking.zone;
        let last = order.until.and_then(|end| end.to_zoned(zone.clone()).date().yesterday().ok()).map(|day| day.to_string());
        let is_lapsed = order.course == Course::Lapses && trigger.open;
        let registry = row.registry.as_str();
        let used = self.contacts.is_used(registry, row.handle.as_str());
        let matrix = &self.loaded.config.asking.matrix;
        let informs = trigger.provider.and_then(|provider| matrix.informs(provider, self.today));
        // Only what it registers in its own way does a provider tell of.
        let duty = match (order.asked, informs) {
            (Unasked::Standard, Some(true)) => "the provider's",
            (Unasked::Standard | Unasked::Unknown, None) => "not known",
            _ => "yours",
        };
        book.order(&ConsentOrder {
            rank: rank(order),
            order: trigger.order,
            registry,
            tld: trigger.tld,
            kind: row.kind.as_str(),
            at: trigger.at.to_string(),
            provider: trigger.provider,
            process: order.process.map(Process::as_str),
            group: order.group.as_ref().map(ToString::to_string),
            state: order.state.as_str(),
            evidence: order.evidence.iter().map(Token::as_str).collect::<Vec<_>>().join(" "),
            course: order.course.as_str(),
            asked: order.asked.as_str(),
            waits_until: last.clone(),
            duty,
            erase: is_lapsed.then_some((row.handle.as_str(), used)),
        })?;
        let found = |rule, what| ConsentFinding {
            rule,
            object: "order",
            id: trigger.order,
            registry: Some(registry),
            provider: trigger.provider,
            group: None,
            what,
        };
        if is_lapsed && order.asked == Unasked::Lapsed {
            let until = last.unwrap_or_default();
            book.finding(&found(rules::LAPSED, format!("it waited until the end of {until}: take it back, and erase its data")))?;
        }
        let is_unconsented = matches!(order.state, State::Unknown | State::Requested | State::Refused | State::Expired);
        if order.process == Some(Process::Async) && !trigger.open && !order.consent.is_empty() && is_unconsented {
            book.finding(&found(rules::UNCONSENTED, format!("it is done, and the consent is {}", order.state.as_str())))?;
        }
        let why = match (order.asked, informs) {
            (Unasked::Nothing, _) => Some("the contract covers all of it, so that no message asks"),
            (Unasked::Standard, Some(false)) => {
                Some("the provider sends no message of its own, so that informing is the registrar's to do")
            }
            _ => None,
        };
        if let Some(why) = why.filter(|_| !trigger.subject.is_some_and(|subject| self.informed.contains(&subject))) {
            book.finding(&found(rules::NOT_INFORMED, why.to_owned()))?;
        }
        if order.course == Course::Blocked {
            let knows = trigger.provider.is_some_and(|provider| self.loaded.config.asking.matrix.knows(provider));
            book.finding(&found(rules::NOT_KNOWN, blocked(trigger, order, knows)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::asking::OrderCourse;
    use std::collections::BTreeSet;

    #[test]
    fn new_orders_stand_before_decided_ones_those_that_wait_before_those_that_do_not_and_others_by_their_time() {
        let course = |process, state| OrderCourse {
            process,
            group: None,
            consent: BTreeSet::new(),
            blocked: BTreeSet::new(),
            state,
            evidence: Vec::new(),
            course: Course::Whole,
            until: None,
            asked: Unasked::Nothing,
        };
        let (wait, go, standard) = (Some(Process::Async), Some(Process::Sync), Some(Process::Standard));
        let orders = [
            ("a", go, State::Given),
            ("b", standard, State::Unknown),
            ("c", wait, State::Refused),
            ("d", go, State::Requested),
            ("e", wait, State::Unknown),
            ("f", None, State::Given),
            ("g", wait, State::Requested),
            ("h", go, State::Unknown),
            ("i", wait, State::Withdrawn),
            ("j", go, State::Renewed),
        ];
        let mut all: Vec<_> = orders.iter().map(|(name, process, state)| (*name, course(*process, *state))).collect();
        all.sort_by_key(|(_, order)| rank(order));
        let names: String = all.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, "egdhciajbf");
    }
}
