//! What plans of erasure came to: the keys of what was deleted are destroyed, and `report erasure` tells of each deletion what proves it.

use super::applied::short;
use super::apply::{approvers, plans};
use super::commitments::Owners;
use super::config::Loaded;
use super::night::Night;
use super::opening::open_store;
use super::redacting::{Gone, Redacted, redact_rows};
use super::subject::own_residuals;
use super::table::Table;
use super::{Context, Ended, commitments};
use crate::base::{Exit, Problem, Problems, RegistryId, Result, Timestamp};
use crate::compliance::Subject;
use crate::compliance::register::{Book, Limits, register};
use crate::dataset::{Records, Snapshot, State, bucket_of, handles};
use crate::journal::{self, Fold, StepRow, StepState, Why};
use crate::model::{ObjectKind, ResultCode};
use crate::plan::{Operation, PlanFile, Recipe, vault_name};
use crate::report::{ErasedRow, ErasedState, ErasureSummary, KeptRow, Reread, write_erasures};
use crate::store::{Batch, Store, Vault};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

/// "Object association prohibits operation" (RFC 5730 §3).
const ASSOCIATED: ResultCode = ResultCode(2305);
const CONTACT: ObjectKind = ObjectKind::Contact;
/// The table with the commitments to rows that were erased, in the folder of the run that erased.
const ERASED: &str = "erased.csv";

/// What `report erasure` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ErasureShown {
    /// The folder with the page and the tables.
    reports: String,
    /// What it came to.
    #[serde(flatten)]
    summary: ErasureSummary,
}

/// Erases here what a plan of erasure deleted by now: its rows in the tables of earlier runs, with a signed redaction, the salts of
/// commitments to them, and the keys of before-images with what is sealed under them. What was deleted at a registry is erased only when no
/// before-image of it can be read here any more. Gives how many keys were destroyed, and what of the tables could not be signed; the
/// commitments to what went stand in `erased.csv` in the folder `reports` of the run.
///
/// # Errors
/// As [`PlanFile::operations`] and [`redact_rows`]; `E-store-006` and `E-file-…` (exit 33).
pub(super) fn forget(
    loaded: &Loaded,
    ctx: &Context,
    plan: &PlanFile,
    (fold, store): (&Fold, &mut dyn Store),
    reports: &Path,
) -> Result<(u64, Vec<Problem>)> {
    if plan.header().recipe != Recipe::Erasure {
        return Ok((0, Vec::new()));
    }
    let mut gone = Gone::default();
    let mut deleted = Vec::new();
    for operation in plan.operations()? {
        let operation = operation?;
        if fold.operation(operation.op, operation.count()) == StepState::Verified && has_key(store, &operation)? {
            gone.add(&operation.registry, operation.object.kind, &operation.object.id);
            deleted.push(operation);
        }
    }
    if deleted.is_empty() {
        return Ok((0, Vec::new()));
    }
    let ground = format!("GDPR Art. 17(1) and 5(1)(e), plan {}", short(&plan.header().id));
    let redacted = redact_rows(loaded, ctx, store, &gone, &ground)?;
    tell(reports, &deleted, &redacted)?;
    // The keys go last: what is stopped in between is gone on with.
    let owners = Owners::known(store)?;
    let mut count = 0;
    for operation in &deleted {
        let mut batch = Batch::default();
        commitments::forget(store, operation.object.reference.bytes(), &mut batch)?;
        if let Some(owner) = owners.as_ref().map(|owners| owner_of(owners, operation)) {
            commitments::forget(store, &owner, &mut batch)?;
        }
        store.commit(&batch)?;
        count += u64::from(Vault::new(store).erase(&name(operation))?);
    }
    Ok((count, redacted.problems))
}

fn owner_of(owners: &Owners, operation: &Operation) -> [u8; 16] {
    owners.of(&operation.registry, operation.object.kind, &operation.object.id)
}

/// Adds to `erased.csv` which commitments the rows had that went.
fn tell(reports: &Path, deleted: &[Operation], redacted: &Redacted) -> Result<()> {
    let path = reports.join(ERASED);
    let mut known = told(&path)?;
    for operation in deleted {
        let place = (operation.registry.clone(), operation.object.kind.as_str(), operation.object.id.clone());
        let rows = redacted.about.get(&place).into_iter().flatten();
        // What was told before a stop in between stays told.
        let before = known.remove(&operation.op).unwrap_or_default();
        let mut all: BTreeSet<String> = before.split_whitespace().map(ToOwned::to_owned).collect();
        all.extend(rows.map(|row| row.before.to_string()));
        known.insert(operation.op, all.into_iter().collect::<Vec<_>>().join(" "));
    }
    let mut table = Table::create(&path, &["op", "commitments"])?;
    known.iter().try_for_each(|(op, commitments)| table.row(&[&op.to_string(), commitments]))?;
    table.end()
}

/// The commitments to rows that went, by the operation's number, as [`tell`] told them.
fn told(path: &Path) -> Result<BTreeMap<u64, String>> {
    let mut all = BTreeMap::new();
    if !path.exists() {
        return Ok(all);
    }
    let broken = |e: csv::Error| Problem::storage("E-file-005", path, "read", &e.into());
    for row in csv::Reader::from_path(path).map_err(broken)?.records() {
        let row = row.map_err(broken)?;
        let op = row.get(0).and_then(|op| op.parse().ok());
        all.extend(op.zip(row.get(1).map(ToOwned::to_owned)));
    }
    Ok(all)
}

fn name(operation: &Operation) -> String {
    vault_name(&operation.registry, operation.object.kind, &operation.object.id)
}

/// Whether the key is there under which an operation's values were sealed; an object of that name that came later has another.
fn has_key(store: &mut dyn Store, operation: &Operation) -> Result<bool> {
    let key = Vault::new(store).key_of(&name(operation))?;
    Ok(key.is_some_and(|key| key.reference() == operation.object.reference))
}

/// `report erasure`: every deletion that a plan of erasure asked for, with what proves it and what is left.
///
/// # Errors
/// Everything that keeps the records from being taken in; `E-store-…`, `E-journal-…` and `E-file-…` (exit 33).
pub fn report_erasure(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let night = Night::begin(loaded, ctx)?;
    let records = night.known_records()?;
    night.stage("erasure");
    let mut store = open_store(&night.loaded.config)?;
    let (rows, snapshots) = erasures(&night, &records, &mut store)?;
    let today = night.started.to_zoned(TimeZone::UTC).date();
    let kept: Vec<KeptRow> = own_residuals(loaded, night.state.root(), today)?;
    let (summary, files) = write_erasures(&night.dir, &night.making(), &rows, &kept)?;
    let of = |state: ErasedState| summary.states.get(state.as_str()).copied().unwrap_or_default();
    let open = of(ErasedState::Back) + of(ErasedState::Keyed) + of(ErasedState::Failed);
    let mut text = String::new();
    for (state, n) in &summary.states {
        text.push_str(&format!("{state}: {n}\n"));
    }
    text.push_str(&files.last().map(|page| page.display().to_string()).unwrap_or_default());
    let mut exits = vec![Exit::Done];
    exits.extend((open > 0).then_some(Exit::Findings));
    let counts: Vec<(&str, u64)> = summary.states.iter().map(|(state, n)| (&**state, *n)).collect();
    let shown = ErasureShown { reports: night.dir.display().to_string(), summary: summary.clone() };
    let mut ended = Ended { exits, json: serde_json::to_value(shown).unwrap_or_default(), text, problems: Vec::new() };
    night.proved(&mut ended, "report erasure", &snapshots, &counts);
    Ok(ended)
}

/// Every deletion that a plan of erasure asked for, as it stands by journals, records and newest snapshots; and those snapshots.
///
/// # Errors
/// As [`report_erasure`].
pub(super) fn erasures(night: &Night<'_>, records: &Records, store: &mut dyn Store) -> Result<(Vec<ErasedRow>, Vec<Snapshot>)> {
    let (loaded, ctx) = (night.loaded, night.ctx);
    let released = released(store, night.started)?;
    let mut rows = Vec::new();
    for path in plans(&night.state) {
        let plan = PlanFile::open(&path)?;
        if plan.header().recipe == Recipe::Erasure {
            deletions(&plan, store, (&released, &loaded.config.reports), &mut rows)?;
        }
    }
    let mut snapshots = Vec::new();
    for id in loaded.config.registries.keys().filter(|id| ctx.includes(id)) {
        let snapshot = Snapshot::newest(night.state.root(), id)?;
        let mut own: Vec<&mut ErasedRow> = rows.iter_mut().filter(|row| row.registry == id.as_str()).collect();
        look(id, records, snapshot.as_ref(), &mut own)?;
        snapshots.extend(snapshot);
    }
    Ok((rows, snapshots))
}

/// To how many parties the data of each subject were released: all of them are to be told of an erasure (GDPR Art. 19).
fn released(store: &mut dyn Store, at: Timestamp) -> Result<HashMap<Subject, u64>> {
    let mut out = HashMap::new();
    if let Some(disclosures) = register("disclosure") {
        let book = Book::open(store, disclosures)?;
        let limits = Limits::default();
        for case in book.cases(at, &limits).filter(|case| case.state == Some("released")) {
            if let Some(subject) = case.subject {
                *out.entry(subject).or_default() += 1;
            }
        }
    }
    Ok(out)
}

/// The deletions of one plan, as its journal has them.
fn deletions(
    plan: &PlanFile,
    store: &mut dyn Store,
    (released, reports): (&HashMap<Subject, u64>, &Path),
    out: &mut Vec<ErasedRow>,
) -> Result<()> {
    let id = &plan.header().id;
    let mut before = told(&reports.join(format!("apply-{}", short(id))).join(ERASED))?;
    let operator = operator(plan, &approvers(store, plan)?);
    let owners = Owners::known(store)?;
    let fold = journal::open(store, id)?;
    let mut told: HashMap<u64, StepRow> = HashMap::new();
    journal::steps(store, id, &mut |row| {
        let known = told.entry(row.op).or_insert_with(|| row.clone());
        // Chains come one after the other: what came last is what is of the last turn.
        let (earlier, later) = if row.turn < known.turn { (row, known.clone()) } else { (known.clone(), row) };
        let (cltrid, svtrid) = (later.cltrid.clone().or(earlier.cltrid), later.svtrid.clone().or(earlier.svtrid));
        *known = StepRow { cltrid, svtrid, ..later };
    })?;
    for operation in plan.operations()? {
        let operation = operation?;
        let standing = fold.first_open(operation.op, operation.count()).map(|(_, standing)| standing);
        let state = match standing.as_ref().map(|standing| (standing.state, &standing.why)) {
            None if has_key(store, &operation)? => ErasedState::Keyed,
            None => ErasedState::Erased,
            Some((StepState::Failed, Some(Why::Refused(code)))) if *code == ASSOCIATED => ErasedState::Residual,
            Some((StepState::Failed | StepState::Conflict, _)) => ErasedState::Failed,
            Some(_) => ErasedState::Open,
        };
        let row = told.remove(&operation.op);
        let subject = operation.basis.subject.as_deref().and_then(Subject::read);
        let (trigger, rule) = operation.basis.evidence.first().and_then(|text| text.split_once(' ')).unwrap_or_default();
        let left = match &owners {
            Some(owners) => commitments::about(store, &owner_of(owners, &operation))?,
            None => Vec::new(),
        };
        out.push(ErasedRow {
            commitments_before: before.remove(&operation.op).filter(|all| !all.is_empty()),
            commitments_after: left.iter().map(ToString::to_string).collect(),
            operator: operator.clone(),
            plan: id.clone(),
            op: operation.op,
            trigger: trigger.to_owned(),
            rule: rule.to_owned(),
            state,
            at: row.as_ref().map(|row| row.at),
            client_id: row.as_ref().and_then(|row| row.cltrid.as_deref()).map(ToOwned::to_owned),
            server_id: row.as_ref().and_then(|row| row.svtrid.as_deref()).map(ToOwned::to_owned),
            why: standing.and_then(|standing| standing.why).map(|why| why.to_string()),
            recipients: subject.and_then(|subject| released.get(&subject)).copied().unwrap_or_default(),
            registry: operation.registry,
            handle: operation.object.id,
            blocked_by: Vec::new(),
            is_local: false,
            reread: Reread::Not,
        });
    }
    Ok(())
}

/// Who stands for a plan: its author, and whoever approved it.
fn operator(plan: &PlanFile, approved: &BTreeSet<Box<str>>) -> Option<String> {
    let author = plan.header().author.as_ref().map(|by| format!("planned by {by}"));
    let approved = approved.iter().map(|by| format!("approved by {by}"));
    let all: Vec<String> = author.into_iter().chain(approved).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Looks for what was deleted at one registry in the records and in its newest snapshot, and for what keeps what was not.
fn look(id: &RegistryId, records: &Records, snapshot: Option<&Snapshot>, rows: &mut [&mut ErasedRow]) -> Result<()> {
    for (bucket, rows) in bucketed(id, rows, records.buckets_log2()) {
        let there: HashSet<Box<str>> = records.rows(id, CONTACT, bucket)?.iter().map(|row| row.id().into()).collect();
        for row in rows {
            row.is_local = there.contains(&*row.handle);
        }
    }
    let Some(snapshot) = snapshot else { return Ok(()) };
    for (bucket, rows) in bucketed(id, rows, snapshot.manifest().buckets_log2) {
        let seen: HashMap<Box<str>, State> =
            snapshot.rows(CONTACT, bucket)?.into_iter().map(|seen| (seen.row.id().into(), seen.state)).collect();
        let times = snapshot.observed(CONTACT, bucket)?;
        for row in rows {
            // What was read before the deletion says nothing of it.
            let read = times.get(&*row.handle).copied().flatten().filter(|read| row.at.is_some_and(|at| at < *read));
            row.reread = match (read, seen.get(&*row.handle)) {
                (Some(at), Some(State::Missing)) => Reread::Absent(at),
                (Some(at), Some(State::Ok)) => Reread::There(at),
                _ => Reread::Not,
            };
            if matches!((row.state, row.reread), (ErasedState::Erased | ErasedState::Keyed, Reread::There(_))) {
                row.state = ErasedState::Back;
            }
        }
    }
    let mut kept: HashMap<String, &mut ErasedRow> =
        rows.iter_mut().filter(|row| row.state == ErasedState::Residual).map(|row| (row.handle.clone(), &mut **row)).collect();
    if !kept.is_empty() {
        snapshot.each(ObjectKind::Domain, |domain| {
            for handle in handles(&domain) {
                if let Some(row) = kept.get_mut(&handle) {
                    row.blocked_by.push(domain.id().to_owned());
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The rows by the bucket in which each contact stands.
fn bucketed<'r>(id: &RegistryId, rows: &'r mut [&mut ErasedRow], log2: u8) -> BTreeMap<u32, Vec<&'r mut ErasedRow>> {
    let mut out: BTreeMap<u32, Vec<&mut ErasedRow>> = BTreeMap::new();
    for row in rows {
        out.entry(bucket_of(id, CONTACT, &row.handle, log2)).or_default().push(row);
    }
    out
}
