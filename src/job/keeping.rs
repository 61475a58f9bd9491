//! How long is kept what of whom: the retention report over records, snapshots and the tool's own files.

use super::apart::kept_apart;
use super::asking::waiting_orders;
use super::config::Loaded;
use super::erased::erasures;
use super::night::Night;
use super::opening::open_store;
use super::{Context, Ended, queried, retention};
use crate::base::{Exit, Problems, RegistryId, Result, SystemEntropy, Timestamp};
use crate::compliance::processing::RecordPack;
use crate::compliance::register::Holds;
use crate::compliance::retention::{Kept, Life, Resolution, RulePack, elements, items, resolve};
use crate::compliance::{Element, Fingerprint, Ledger};
use crate::dataset::{ContactField, DomainField, Records, Row, ServiceEnd, ServiceEnds, Snapshot};
use crate::model::ObjectKind;
use crate::report::{self, ErasedRow, ErasedState, Making, Reread, RetentionReport, RetentionRow, RetentionSummary};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// What `report retention` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct RetentionShown {
    /// The folder with the page and the tables.
    reports: String,
    /// What it came to.
    #[serde(flatten)]
    summary: RetentionSummary,
}

/// `report retention`: every item of data by the rules in force or, with `what_if`, by those of another pack.
///
/// # Errors
/// Everything that keeps the records from being taken in; `E-pack-…` (exit 2) where the other pack is none; `E-file-…` (exit 33).
pub fn report_retention(loaded: &Loaded, ctx: &Context, what_if: Option<&Path>) -> Result<Ended, Problems> {
    let other = what_if.map(RulePack::load).transpose()?;
    let night = Night::begin(loaded, ctx)?;
    let records = night.known_records()?;
    night.stage("retention");
    let today = night.started.to_zoned(TimeZone::UTC).date();
    let ends = match &queried::records(&loaded.config, ctx)?.services {
        Some(source) => ServiceEnds::read(source, today)?,
        None => ServiceEnds::default(),
    };
    let in_force = &*loaded.config.retention.pack;
    let (pack, before) = other.as_ref().map_or((in_force, None), |other| (other, Some(in_force)));
    let making = night.making();
    let mut store = open_store(&night.loaded.config)?;
    let holds = Holds::read(&mut store, night.started)?;
    let (erasures, _) = erasures(&night, &records, &mut store)?;
    let (erasures, roles) = (Erasures::of(erasures), &*loaded.config.record);
    let mut stored = retention::stored(&mut store, night.state.root(), in_force)?;
    stored.extend(retention::verified(&mut store, night.started)?);
    stored.extend(kept_apart(&mut store, night.started)?.into_iter().map(|apart| apart.own));
    let mut ledger = Ledger::open(&mut store)?;
    stored.extend(retention::ordered(waiting_orders(loaded, ctx, &records, &mut ledger, night.started)?));
    let report = RetentionReport::begin(&night.dir, &making, pack, today)?;
    let mut keeping = Keeping {
        loaded,
        ctx,
        today,
        at: night.started,
        pack,
        in_force: before,
        ledger: &mut ledger,
        holds,
        erasures: &erasures,
        roles,
        report,
    };
    let mut snapshots = Vec::new();
    for (id, registry) in loaded.config.registries.iter().filter(|(id, _)| ctx.includes(id)) {
        let snapshot = Snapshot::newest(night.state.root(), id)?;
        let lives = lives(&records, id, snapshot.as_ref(), &ends)?;
        keeping.registry(id, &registry.profile.id, &records, snapshot.as_ref(), &lives)?;
        snapshots.extend(snapshot);
    }
    keeping.gone()?;
    // By now the ledger has its map at hand.
    stored.extend(retention::proofs(keeping.ledger, night.started)?);
    keeping.own(retention::own(night.state.root(), &loaded.config.reports).into_iter().chain(stored))?;
    let (summary, files) = keeping.report.finish()?;
    let of = |state: &str| summary.states.get(state).copied().unwrap_or_default();
    let open = of("overdue") + of("conflict") + of("unknown_start") + of("unruled");
    let mut text = String::new();
    for (state, n) in &summary.states {
        text.push_str(&format!("{state}: {n}\n"));
    }
    if let Some(moved) = summary.moved {
        text.push_str(&format!("{moved} items would be in another state than by the rules in force\n"));
    }
    text.push_str(&files.last().map(|page| page.display().to_string()).unwrap_or_default());
    let mut exits = vec![Exit::Done];
    exits.extend((open > 0).then_some(Exit::Findings));
    let counts: Vec<(&str, u64)> = summary.states.iter().map(|(state, n)| (&**state, *n)).collect();
    // By other rules than those in force, which the proof tells of every run.
    let verb = other.as_ref().map_or_else(|| "report retention".to_owned(), |pack| format!("report retention --what-if {}", pack.digest));
    let shown = RetentionShown { reports: night.dir.display().to_string(), summary: summary.clone() };
    let mut ended = Ended { exits, json: serde_json::to_value(shown).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, &verb, &snapshots, &counts);
    Ok(ended)
}

/// What the domains of a registry tell of the contacts that they name, by the hash of the handle: some 60 bytes for each contact.
///
/// # Errors
/// `E-parquet-…` (exit 33) where records or snapshot cannot be read.
pub(super) fn lives(records: &Records, id: &RegistryId, snapshot: Option<&Snapshot>, ends: &ServiceEnds) -> Result<HashMap<u64, Life>> {
    let mut lives: HashMap<u64, Life> = HashMap::new();
    let mut held: HashSet<u64> = HashSet::new();
    if let Some(snapshot) = snapshot {
        snapshot.each(ObjectKind::Domain, |row| {
            held.insert(hash(row.id()));
            meet(&mut lives, &row, true, None);
            Ok(())
        })?;
    }
    records.each(id, ObjectKind::Domain, |row| {
        let end = ends.of(row.id());
        // What the registry was asked for and has not is not in use; where nobody asked, an ended service tells.
        let in_use = if snapshot.is_some() { held.contains(&hash(row.id())) } else { end.is_none() };
        meet(&mut lives, &row, in_use, end);
        Ok(())
    })?;
    Ok(lives)
}

/// Tells the contacts that a domain's row names of it.
fn meet(lives: &mut HashMap<u64, Life>, domain: &Row, in_use: bool, end: Option<&ServiceEnd>) {
    use DomainField as F;
    for (field, is_needed) in [(F::Registrant, true), (F::Tech, true), (F::Admin, false), (F::Billing, false)] {
        for handle in domain.get(field.at()).into_iter().flat_map(|all| all.split(';')) {
            lives.entry(hash(handle)).or_default().meet(in_use, is_needed, end);
        }
    }
}

/// The hash of a handle or name.
pub(super) fn hash(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

/// A retention report under way.
struct Keeping<'a, 's> {
    loaded: &'a Loaded,
    ctx: &'a Context,
    today: Date,
    at: Timestamp,
    pack: &'a RulePack,
    in_force: Option<&'a RulePack>,
    ledger: &'a mut Ledger<'s>,
    holds: Holds,
    erasures: &'s Erasures,
    /// Who answers for which data.
    roles: &'a RecordPack,
    report: RetentionReport<'a>,
}

impl Keeping<'_, '_> {
    /// Every contact of one registry: those of the records, and those that the registry alone holds.
    fn registry(
        &mut self,
        id: &RegistryId,
        profile: &str,
        records: &Records,
        snapshot: Option<&Snapshot>,
        lives: &HashMap<u64, Life>,
    ) -> Result<()> {
        let scopes = self.pack.scopes_of(profile);
        // 8 bytes for each contact, so that no row is kept.
        let (mut there, mut local) = (HashSet::new(), HashSet::new());
        if let Some(snapshot) = snapshot {
            snapshot.each_id(ObjectKind::Contact, |id| {
                there.insert(hash(id));
            })?;
        }
        records.each(id, ObjectKind::Contact, |row| {
            local.insert(hash(row.id()));
            let stores = if there.contains(&hash(row.id())) { &["local", "registry"][..] } else { &["local"] };
            self.contact(id, &row, &scopes, lives, stores)
        })?;
        let Some(snapshot) = snapshot.filter(|_| !there.is_subset(&local)) else { return Ok(()) };
        snapshot.each(ObjectKind::Contact, |row| {
            if local.contains(&hash(row.id())) {
                return Ok(());
            }
            self.contact(id, &row, &scopes, lives, &["registry"])
        })
    }

    fn contact(
        &mut self,
        id: &RegistryId,
        row: &Row,
        scopes: &[Box<str>],
        lives: &HashMap<u64, Life>,
        stores: &[&'static str],
    ) -> Result<()> {
        use ContactField as F;
        if self.ctx.stop.is_stopped() {
            return Ok(());
        }
        let none = Life::default();
        let life = lives.get(&hash(row.id())).unwrap_or(&none);
        let country = [F::LocCc, F::IntCc].iter().find_map(|field| row.get(field.at()));
        let person = Fingerprint::of_row(row);
        let subject = person.as_ref().map(|person| self.ledger.subject_of(person)).transpose()?.flatten();
        let pseudonym = person.as_ref().map(|person| self.ledger.pseudonym(person, &mut SystemEntropy::new())).transpose()?;
        let withdrawn = subject.and_then(|subject| self.ledger.withdrawn(subject, self.at));
        let withdrawn = withdrawn.map(|at| at.to_zoned(TimeZone::UTC).date());
        let contracts = &self.loaded.config.retention.contracts;
        let hold = self.holds.over(subject, id.as_str()).map(str::to_owned);
        let kept = Kept { scopes, life, country, contracts, withdrawn, held: hold.is_some() };
        let is_legal = [F::LocOrg, F::IntOrg].iter().any(|field| row.get(field.at()).is_some_and(|org| !org.trim().is_empty()));
        let held: Vec<&'static str> = elements(row).into_iter().map(Element::as_str).collect();
        let role = self.role(id);
        let erasure = self.erasures.0.get(id.as_str()).and_then(|of| of.get(row.id()));
        for item in items(self.pack, &kept) {
            let resolution = resolve(self.pack, &item, self.today);
            let in_force = self.in_force.map(|pack| resolve(pack, &item, self.today));
            self.report.add(&RetentionRow {
                subject: pseudonym.clone(),
                person: Some(if is_legal { "legal" } else { "natural" }),
                country,
                registry: Some(id.as_str()),
                object: row.id(),
                cluster: item.cluster,
                elements: held.clone(),
                stores: stores.to_vec(),
                hold: hold.clone(),
                resolution: &resolution,
                in_force: in_force.as_ref(),
                role,
                erasure,
                anonymised: false,
            })?;
        }
        Ok(())
    }

    /// What the tool itself left.
    fn own(&mut self, all: impl Iterator<Item = retention::Own>) -> Result<()> {
        let contracts = BTreeSet::new();
        for own in all {
            let item = own.item(&contracts);
            let resolution = resolve(self.pack, &item, self.today);
            let in_force = self.in_force.map(|pack| resolve(pack, &item, self.today));
            self.report.add(&RetentionRow {
                subject: None,
                person: None,
                country: None,
                registry: None,
                object: &own.name,
                cluster: item.cluster,
                elements: Vec::new(),
                stores: vec![own.store],
                hold: own.hold.clone(),
                resolution: &resolution,
                in_force: in_force.as_ref(),
                role: None,
                erasure: None,
                anonymised: own.anonymised,
            })?;
        }
        Ok(())
    }

    /// What plans of erasure deleted, and neither records nor registries have any more.
    fn gone(&mut self) -> Result<()> {
        let resolution = Resolution::default();
        let all = self.erasures.0.values().flat_map(BTreeMap::values);
        for erased in all.filter(|one| one.state == ErasedState::Erased && !one.is_local && !matches!(one.reread, Reread::There(_))) {
            let role = self.role(&RegistryId::from(erased.registry.as_str()));
            self.report.add(&RetentionRow {
                subject: None,
                person: None,
                country: None,
                registry: Some(&erased.registry),
                object: &erased.handle,
                cluster: "registration",
                elements: Vec::new(),
                stores: Vec::new(),
                hold: None,
                resolution: &resolution,
                in_force: None,
                role,
                erasure: Some(erased),
                anonymised: false,
            })?;
        }
        Ok(())
    }

    /// What the registrar is for the data at a registry.
    fn role(&self, id: &RegistryId) -> Option<&'static str> {
        let registry = self.loaded.config.registries.get(id)?;
        Some(self.roles.role(&registry.profile.id, self.today).0.as_str())
    }
}

/// What plans of erasure came to last, by registry and handle.
struct Erasures(BTreeMap<String, BTreeMap<String, ErasedRow>>);

impl Erasures {
    fn of(rows: Vec<ErasedRow>) -> Self {
        let mut all: BTreeMap<String, BTreeMap<String, ErasedRow>> = BTreeMap::new();
        for row in rows {
            let of = all.entry(row.registry.clone()).or_default();
            // A plan that came later, and was begun, says more than one before it.
            if of.get(&row.handle).is_none_or(|known| known.at <= row.at) {
                of.insert(row.handle.clone(), row);
            }
        }
        Self(all)
    }
}

impl Night<'_> {
    /// What a report of this run states of itself.
    pub(super) fn making(&self) -> Making {
        report::making(self.run_id().clone(), env!("CARGO_PKG_VERSION"), self.started, self.loaded.config.tables)
    }
}
