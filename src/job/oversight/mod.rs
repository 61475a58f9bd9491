//! `report oversight`: whether registrants' data are right, what is withheld, how lines are secured, which data which product uses, and what
//! asks for an impact assessment.

mod cases;
mod lines;

use self::lines::secured;
use super::config::{Loaded, RegistryConfig};
use super::keeping::hash;
use super::night::Night;
use super::opening::open_store;
use super::processing::tls_of_runs;
use super::validate::own_data;
use super::{Context, Ended};
use crate::base::{Event, Exit, Problems, RegistryId, Result, Timestamp};
use crate::compliance::exposure::{Person, is_needless, special_of, special_properties};
use crate::compliance::oversight::{Accuracy, Looked, Met, OversightPack, Who, assess};
use crate::compliance::retention::elements;
use crate::compliance::{Element, Fingerprint, Ledger, Subject};
use crate::dataset::{ContactField, DomainField, Protection, Row, Services, Snapshot, State, ahead};
use crate::model::{Finding, FindingSeverity, ObjectKind};
use crate::policy::DomainRole;
use crate::report::{AmissRow, AtRiskRow, NoticeRow, OversightBook, OversightSummary, UseRow, WithheldRow, masked};
use crate::rules::Judge;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashSet};

pub(super) use self::cases::Cases;

/// What `report oversight` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct OversightShown {
    /// The folder with the page and the tables.
    reports: String,
    /// What it came to.
    #[serde(flatten)]
    summary: OversightSummary,
}

/// `report oversight`, from the newest snapshots, the ledgers and the newest run.
///
/// # Errors
/// Everything that keeps the records from being taken in; `E-store-…` and `E-file-…` (exit 33).
pub fn report_oversight(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let pack = &*loaded.config.overseeing;
    let night = Night::begin(loaded, ctx)?;
    let services = night.services()?;
    night.stage("oversight");
    let today = night.started.to_zoned(TimeZone::UTC).date();
    let mut store = open_store(&night.loaded.config)?;
    let cases = Cases::read(&mut store, night.started)?;
    let mut ledger = Ledger::open(&mut store)?;
    let making = night.making();
    let mut book = OversightBook::begin(&night.dir, &making, pack, loaded.config.record.small)?;
    let mut whole = Whole::default();
    let mut snapshots = Vec::new();
    for (id, registry) in loaded.config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
        let Some(snapshot) = Snapshot::newest(night.state.root(), id)? else { continue };
        let mut desk = Desk { loaded, id, registry, pack, cases: &cases, today, ledger: &mut ledger, book: &mut book, whole: &mut whole };
        desk.look(&snapshot, &services)?;
        night.ctx.events.tell(Event::Note(format!("{id}: looked at")));
        snapshots.push(snapshot);
    }
    drop(ledger);
    let lines = tls_of_runs(&loaded.config.reports);
    for (id, registry) in loaded.config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
        secured(&mut book, pack, (id, registry), lines.get(id.as_str()), today)?;
    }
    for ((process, state), n) in &cases.withholding {
        book.withheld(WithheldRow { registry: None, means: process, whom: state, count: *n, amiss: None })?;
    }
    let observed = observed(&whole, &cases, pack, loaded.config.record.small);
    let (criteria, is_needed) = assess(&pack.dpia, &observed, &loaded.config.oversight);
    let decision = loaded.config.oversight.get("assessment").map(String::as_str);
    let reviewer = loaded.config.oversight.get("reviewer").map(String::as_str);
    let (summary, files) = book.finish(&criteria, (is_needed, decision, reviewer), &cases.amiss)?;
    let met = criteria.iter().filter(|one| one.met == Met::Yes).count();
    let amiss: u64 = summary.findings.values().sum();
    let mut text = String::new();
    for one in &summary.accuracy {
        let score = one.score.map_or_else(|| "none".to_owned(), |score| format!("{score} %"));
        text.push_str(&format!("{}: {} registrants, {score} accurate\n", one.registry, one.registrants));
    }
    text.push_str(&format!("impact assessment: {met} of {} criteria met; {amiss} things amiss\n", criteria.len()));
    text.push_str(&files.last().map(|page| page.display().to_string()).unwrap_or_default());
    let mut exits = vec![Exit::Done];
    exits.extend((amiss > 0).then_some(Exit::Findings));
    let counts: Vec<(&str, u64)> = summary.findings.iter().map(|(rule, n)| (&**rule, *n)).collect();
    let shown = OversightShown { reports: night.dir.display().to_string(), summary: summary.clone() };
    let mut ended = Ended { exits, json: serde_json::to_value(shown).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, "report oversight", &snapshots, &counts);
    Ok(ended)
}

/// What was met over all registries.
#[derive(Default)]
pub(super) struct Whole {
    /// Hashes of the fingerprints.
    pub(super) persons: HashSet<u64>,
    pub(super) countries: BTreeSet<String>,
    /// Contacts that hold data which are specially protected.
    pub(super) special: u64,
    pub(super) contacts: u64,
}

/// One registry under oversight.
struct Desk<'a, 's, 'b> {
    loaded: &'a Loaded,
    id: &'a RegistryId,
    registry: &'a RegistryConfig,
    pack: &'a OversightPack,
    cases: &'a Cases,
    today: Date,
    ledger: &'a mut Ledger<'s>,
    book: &'a mut OversightBook<'b>,
    whole: &'a mut Whole,
}

/// A zone and the product that was sold with the name.
type Product = (Box<str>, &'static str);

impl Desk<'_, '_, '_> {
    fn look(&mut self, snapshot: &Snapshot, services: &Services) -> Result<()> {
        let (products, owners) = owners(snapshot, services)?;
        let profile = &*self.registry.profile;
        let judge = Judge::at(self.id.as_str(), profile);
        let own = own_data(&self.loaded.config);
        let (mut accuracy, mut notices) = (Accuracy::default(), [0_u64; 2]);
        let mut withheld = [0_u64; 2];
        let stand_in = profile.stand_in.as_ref().map(|rule| &rule.value);
        let mut replaced = 0_u64;
        let mut used: BTreeMap<(usize, Element), (u64, Option<bool>)> = BTreeMap::new();
        let read = |bucket| Ok((snapshot.stamps(ObjectKind::Contact, bucket)?, snapshot.rows(ObjectKind::Contact, bucket)?));
        ahead(snapshot.buckets(), read, |_, (stamps, rows)| {
            for seen in rows.into_iter().filter(|seen| seen.state == State::Ok) {
                let row = &seen.row;
                // The provider's own contacts are nobody's data.
                if own.as_ref().is_some_and(|own| judge.proxy(row, own).is_some()) {
                    continue;
                }
                // Nor is what the registry put in a registrant's place: whose they are, these data do not say.
                if stand_in.is_some_and(|own| Person::of(row).is_stand_in(own)) {
                    replaced += 1;
                    continue;
                }
                let is_legal = self.meet(row);
                let is_hidden = row.get(ContactField::Disclose.at()).is_some_and(|text| text.starts_with("0:") && text.len() > 2);
                if let Some(n) = withheld.get_mut(usize::from(is_legal)).filter(|_| is_hidden) {
                    *n += 1;
                }
                let at = owners.partition_point(|(owner, _)| *owner < hash(row.id()));
                let own_names = owners.iter().skip(at).take_while(|(owner, _)| *owner == hash(row.id()));
                let groups: Vec<usize> = own_names.map(|(_, product)| usize::from(*product)).collect();
                if groups.is_empty() {
                    continue;
                }
                let person = Person::of(row);
                for element in elements(row) {
                    let needless = is_needless(&person, profile, DomainRole::Registrant, element);
                    for group in &groups {
                        let (n, known) = used.entry((*group, element)).or_insert((0, needless));
                        *n += 1;
                        // Where it is needed of some, it is needed.
                        *known = known.zip(needless).map(|(one, other)| one && other);
                    }
                }
                let names = groups.len() as u64;
                let subject = Fingerprint::of_row(row).map(|person| self.ledger.subject_of(&person)).transpose()?.flatten();
                let notice = subject.and_then(|subject| self.cases.notices.get(&subject));
                if let Some(n) = notice.and_then(|in_force| notices.get_mut(usize::from(*in_force))) {
                    *n += 1;
                }
                let changed = stamps.get(row.id()).and_then(|stamp| stamp.updated.as_deref());
                self.judge(&mut accuracy, (row, names, subject), &judge, changed)?;
            }
            Ok(())
        })?;
        self.book.accuracy(self.id.as_str(), &accuracy);
        let [outdated, shown] = notices;
        self.book.notices(&NoticeRow { registry: self.id.as_str(), registrants: accuracy.registrants, shown, outdated })?;
        for (n, whom) in withheld.into_iter().zip(["natural", "legal"]) {
            let rule = self.pack.withholding(&profile.id).filter(|rule| whom == "legal" && n > 0 && rule.only == Who::Individual);
            let amiss = rule.map(|rule| ("R-oversight-001", format!("only individuals may have them withheld here: {}", rule.citation)));
            self.book.withheld(WithheldRow { registry: Some(self.id.as_str()), means: "registry's option", whom, count: n, amiss })?;
        }
        if stand_in.is_some() {
            let (registry, means) = (Some(self.id.as_str()), "the registry's data");
            self.book.withheld(WithheldRow { registry, means, whom: "whoever it is", count: replaced, amiss: None })?;
        }
        for ((group, element), (held, needless)) in used {
            let Some((zone, product)) = products.get(group) else { continue };
            let basis = match needless {
                Some(false) => "contract",
                Some(true) => "none",
                None => "unknown",
            };
            self.book.used(&UseRow { registry: self.id.as_str(), zone, product, element: element.as_str(), basis, held })?;
        }
        Ok(())
    }

    /// Counts a contact towards the whole; whether it is an organisation's.
    fn meet(&mut self, row: &Row) -> bool {
        use ContactField as F;
        let profile = &*self.registry.profile;
        let person = Person::of(row);
        let is_special = special_of(&person).next().is_some() || special_properties(&person, profile).next().is_some();
        self.whole.special += u64::from(is_special);
        self.whole.contacts += 1;
        if let Some(print) = Fingerprint::of_row(row) {
            self.whole.persons.insert(print.hash64());
        }
        let country = [F::LocCc, F::IntCc].iter().find_map(|field| row.get(field.at()));
        if let Some(country) = country.filter(|country| !self.whole.countries.contains(*country)) {
            self.whole.countries.insert(country.to_owned());
        }
        [F::LocOrg, F::IntOrg].iter().any(|field| row.get(field.at()).is_some_and(|org| !org.trim().is_empty()))
    }

    /// Judges how right the data are of a registrant of so many names.
    fn judge(
        &mut self,
        accuracy: &mut Accuracy,
        (row, names, subject): (&Row, u64, Option<Subject>),
        judge: &Judge<'_>,
        changed: Option<&str>,
    ) -> Result<()> {
        let verification = subject.and_then(|subject| self.cases.verified.get(&subject)).copied().unwrap_or_default();
        // What a line does not carry is not lacking.
        let is_told = row.get(ContactField::Properties.at()).is_some();
        let counts = |finding: &Finding| is_told || !finding.field.starts_with("properties");
        let is_wrong = judge.contact(row).iter().any(|finding| finding.severity == FindingSeverity::Error && counts(finding));
        let changed = changed.and_then(|text| text.parse::<Timestamp>().ok()).map(|at| at.to_zoned(TimeZone::UTC).date());
        let looked = Looked { row, is_wrong, verification, changed };
        for lack in accuracy.take(&self.pack.accuracy, &looked, self.today) {
            let what = lack.told();
            let verification = verification.as_str();
            let (registry, handle, rule) = (self.id.as_str(), row.id(), lack.rule());
            self.book.amiss(&AmissRow { registry, handle, rule, what: &what, verification })?;
            let ends = self.registry.profile.ends_for_wrong_data.as_ref().filter(|ends| ends.value && lack.is_found());
            if let Some(ends) = ends {
                let changed_days = changed.and_then(|day| day.until(self.today).ok()).map(|span| i64::from(span.get_days()));
                let (source, confidence) = (&*ends.source, ends.confidence);
                self.book.at_risk(&AtRiskRow { registry, handle, rule, what: &what, names, changed_days, source, confidence })?;
            }
        }
        Ok(())
    }
}

/// Which registrant, by the hash of the handle, has which of the products; sorted. 16 bytes a domain.
type Owners = Vec<(u64, u16)>;

/// The products of a registry's zones, and which registrant has which.
fn owners(snapshot: &Snapshot, services: &Services) -> Result<(Vec<Product>, Owners)> {
    let mut known: BTreeMap<Product, u16> = BTreeMap::new();
    let mut owners = Vec::new();
    snapshot.each(ObjectKind::Domain, |row| {
        let name = row.id();
        let Some(owner) = row.get(DomainField::Registrant.at()) else { return Ok(()) };
        let zone = name.split_once('.').map_or("", |(_, zone)| zone);
        let product = match services.of(name) {
            None => "name",
            Some(Protection::V1) => "name, privacy v1",
            Some(Protection::V2) => "name, privacy v2",
        };
        let next = u16::try_from(known.len()).unwrap_or(u16::MAX);
        owners.push((hash(owner), *known.entry((zone.into(), product)).or_insert(next)));
        Ok(())
    })?;
    owners.sort_unstable();
    let mut products: Vec<(Product, u16)> = known.into_iter().collect();
    products.sort_by_key(|(_, at)| *at);
    Ok((products.into_iter().map(|(product, _)| product).collect(), owners))
}

/// What was observed of the criteria of an impact assessment. Counts of people below `small` are not told.
pub(super) fn observed<'c>(whole: &Whole, cases: &Cases, pack: &OversightPack, small: u64) -> BTreeMap<&'c str, (bool, String)> {
    let few = |n: u64| masked(n, small);
    let (persons, countries) = (whole.persons.len() as u64, whole.countries.len() as u64);
    let is_large = persons >= pack.dpia.subjects || countries >= pack.dpia.countries;
    BTreeMap::from([
        ("large-scale", (is_large, format!("{} persons of {countries} countries in the newest snapshots", few(persons)))),
        ("matching", (whole.contacts > 0, format!("{} contacts of registries are held against the records", whole.contacts))),
        ("sensitive", (whole.special > 0, format!("{} contacts hold specially protected data", few(whole.special)))),
        ("vulnerable", (cases.protected > 0, format!("{} open withholdings rest on sensitive evidence", few(cases.protected)))),
        ("prevents-service", (cases.refusals > 0, format!("{} holds stand or withholdings were refused", few(cases.refusals)))),
    ])
}
