//! Opening the journal of a long run beside one SELECT that computes the same chain of hashes and does nothing else.

use crate::measure::{Outcome, cpu, fresh, json_of, median, myself, peak_mib};
use crate::report::{Goal, Section, figure};
use privet::base::{Clock as _, ObjectKey, ObjectRef, SystemClock};
use privet::journal::{self, Entry, StepRow, StepState};
use privet::store::{Batch, Head, SqliteStore, Store as _};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::time::Instant;

/// How many times the time of the SELECT opening may take.
const MOST_TIMES: f64 = 2.0;
/// Steps of an operation.
const STEPS: u8 = 2;
/// States that a step goes through, a row each.
const STATES: [StepState; 3] = [StepState::Sending, StepState::Applied, StepState::Verified];
/// Rows of one commit.
const COMMIT: usize = 10_000;
/// The plan's id.
const PLAN: &str = "3f1c9f0a7d5e4b62a8c4d1e07b96f2358f6f0a4e1d3c5b7988a1b2c3d4e5f607";

/// How long the journal is.
#[derive(Clone, Debug, clap::Args)]
pub struct JournalArgs {
    /// Rows of the journal
    #[arg(long, default_value_t = 1_000_000)]
    pub journal_rows: u64,
}

/// One pass over the journal in `dir`, as a child: `open` it, or only `hash` it.
pub fn child(what: &str, dir: &Path) -> Outcome<()> {
    let path = dir.join("store.sqlite");
    let start = Instant::now();
    let (head, seconds) = if what == "open" {
        let mut store = SqliteStore::open(&path)?;
        // What SQLite checks of the whole file whenever a store is opened.
        let checked = start.elapsed();
        let fold = journal::open(&mut store, PLAN)?;
        let seconds = (start.elapsed() - checked).as_secs_f64();
        let tally = fold.tally((1..=operations(fold.head(&journal::run_stream(PLAN, 1)?).rows)).map(|op| (op, STEPS)));
        if tally.verified == 0 || tally.planned + tally.unknown + tally.failed > 0 {
            return Err("the journal does not say what was written".into());
        }
        (fold.head(&journal::run_stream(PLAN, 1)?), seconds)
    } else {
        let head = hashed(&path)?;
        (head, start.elapsed().as_secs_f64())
    };
    let told = json!({ "seconds": seconds, "cpu": cpu()?.as_secs_f64(), "peak_mib": peak_mib()?, "head": head.to_string() });
    println!("{told}");
    Ok(())
}

/// The bare floor: every row in its order, hashed as the chain is.
fn hashed(path: &Path) -> Outcome<Head> {
    let stream = journal::run_stream(PLAN, 1)?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut select =
        connection.prepare("SELECT hash, bytes FROM row WHERE stream = (SELECT id FROM stream WHERE name = ?1) ORDER BY number")?;
    let mut rows = select.query([stream.as_str()])?;
    let mut head = Head::empty(&stream);
    while let Some(row) = rows.next()? {
        let (kept, bytes) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
        let length = (bytes.len() as u64).to_be_bytes();
        let hash = Sha256::new().chain_update([0]).chain_update(head.hash).chain_update(length).chain_update(bytes).finalize();
        head = Head { rows: head.rows + 1, hash: hash.into() };
        if kept != head.hash {
            return Err("the chain is broken".into());
        }
    }
    Ok(head)
}

/// Makes the journal unless it is there, and runs both passes `rounds` times in turn.
pub fn bench(dir: &Path, args: &JournalArgs, rounds: usize) -> Outcome<Section> {
    let dir = dir.join(format!("journal-{}", args.journal_rows));
    let done = dir.join("made");
    if !done.exists() {
        make(&dir, args.journal_rows)?;
        std::fs::write(&done, "")?;
    }
    let mut ratios = Vec::new();
    let mut runs = Vec::new();
    for _ in 0..rounds {
        let [hash, open] = ["hash", "open"].map(|what| json_of(myself()?.arg("journal-pass").arg(what).arg(&dir)));
        let (hash, open) = (hash?, open?);
        if hash["head"] != open["head"] {
            return Err("the two passes saw different journals".into());
        }
        ratios.push(number(&open, "seconds")? / number(&hash, "seconds")?);
        runs.push((hash, open));
    }
    let mut rows = Vec::new();
    for (name, pick) in [("SELECT, SHA-256", (|run| &run.0) as fn(&(Value, Value)) -> &Value), ("journal::open", |run| &run.1)] {
        let of = |key: &str| runs.iter().map(|run| number(pick(run), key)).collect::<Outcome<Vec<_>>>().map(median);
        let (seconds, peak) = (of("seconds")?, of("peak_mib")?);
        rows.push(vec![name.to_owned(), figure(seconds), figure(seconds / args.journal_rows as f64 * 1e6), figure(peak)]);
    }
    Ok(Section {
        title: "Opening a journal",
        how: format!(
            "{} rows of operations of {STEPS} steps, each sent, applied and verified: the chain is held against its hashes, each row is \
             read and folded. Beside it, one SELECT of the same rows that computes the same hashes. Medians of {rounds} interleaved rounds.",
            figure(args.journal_rows as f64)
        ),
        head: vec!["pass", "wall s", "µs/row", "peak MiB"],
        rows,
        goals: vec![Goal::at_most("opening, times one SELECT that hashes", median(ratios), MOST_TIMES)],
        raw: runs.iter().map(|(hash, open)| json!({ "hash": hash, "open": open })).collect(),
    })
}

fn number(told: &Value, key: &str) -> Outcome<f64> {
    Ok(told[key].as_f64().ok_or_else(|| format!("a child told no {key}"))?)
}

/// How many operations `rows` rows tell of, the first of which opens the run.
fn operations(rows: u64) -> u64 {
    rows.saturating_sub(1) / (u64::from(STEPS) * STATES.len() as u64)
}

/// Writes a journal of about `rows` rows, as an executor does.
fn make(dir: &Path, rows: u64) -> Outcome<()> {
    fresh(dir)?;
    let mut store = SqliteStore::open(&dir.join("store.sqlite"))?;
    let stream = journal::run_stream(PLAN, 1)?;
    let at = SystemClock::new().wall();
    let mut entries = vec![Entry::Opened { digest: PLAN.into(), operations: operations(rows), tool: "privet-bench".into(), at }];
    for op in 1..=operations(rows) {
        for step in 0..STEPS {
            entries.extend(STATES.map(|to| Entry::Step(row(op, step, to, at))));
        }
        if entries.len() >= COMMIT {
            commit(&mut store, &stream, &mut entries)?;
        }
    }
    commit(&mut store, &stream, &mut entries)?;
    Ok(store.scrub()?)
}

fn commit(store: &mut SqliteStore, stream: &privet::store::StreamName, entries: &mut Vec<Entry>) -> Outcome<()> {
    let append = journal::append(stream.clone(), &store.head(stream)?, entries);
    entries.clear();
    Ok(store.commit(&Batch { appends: vec![append], cells: Vec::new() })?)
}

fn row(op: u64, step: u8, to: StepState, at: privet::base::Timestamp) -> StepRow {
    let reference: [u8; 16] = Sha256::digest(op.to_be_bytes())[..16].try_into().unwrap_or_default();
    let reference = ObjectRef::new(reference);
    let is_sending = to == StepState::Sending;
    let key = ObjectKey::new(reference, [7; 32].into());
    StepRow {
        op,
        step,
        reference,
        to,
        sends: 1,
        at,
        cltrid: is_sending.then(|| format!("3f1c9f0a7d5e-{op}-{step}-1").into()),
        svtrid: (to == StepState::Applied).then(|| format!("PV-7-19aa0b1c2d3-{op:x}").into()),
        before: is_sending.then(|| key.digest("before", &op.to_be_bytes())),
        why: None,
    }
}
