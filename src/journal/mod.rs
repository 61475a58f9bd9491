//! The journal: what happened to each step of a plan, as rows of the store's streams, and the pure fold over them.
//!
//! A run is one plan applied. Each of its workers has a chain of its own (`run/ID/WORKER`); closing the run binds all heads. What several
//! workers did to one operation is put in order by its turns: each is one worker's, and begins when the one before can write no more. Rows name
//! objects by random references and hold no personal data, so that an erasure changes none of them.

mod canonical;
mod entry;
mod fold;
mod state;
#[cfg(test)]
mod tests;

pub use entry::{Entry, MessageRow, StepRow};
pub use fold::{Fold, Standing, Tally};
pub use state::{StepState, Why, is_legal};

use crate::base::{Blame, Exit, Problem, Result, Timestamp};
use crate::store::{Append, Batch, Head, Store, StreamName, bind, read, read_between};

/// Rows that are handed on together to be folded.
const BATCH: usize = 1024;
/// Such batches that may wait.
const AHEAD: usize = 8;
/// The most commands that are ever sent for one step. A second one is sent only where reading showed that the first had no effect.
pub const SENDS: u8 = 2;

/// The stream of a worker of the run that applies the plan of that id.
///
/// # Errors
/// `E-store-001` where the id is none.
pub fn run_stream(plan: &str, worker: u32) -> Result<StreamName> {
    StreamName::new(&format!("run/{plan}/{worker}"))
}

/// The stream of what people did with a plan before it was applied: who approved it, and who saw its values.
///
/// # Errors
/// `E-store-001` where the id is none.
pub fn review_stream(plan: &str) -> Result<StreamName> {
    StreamName::new(&format!("review/{plan}"))
}

/// Rows for the end of a stream of which `head` was read.
#[must_use]
pub fn append(stream: StreamName, head: &Head, entries: &[Entry]) -> Append {
    Append { stream, expected: head.rows, rows: entries.iter().map(Entry::to_row).collect() }
}

/// Writes the row that binds the heads of a run's chains, behind which nothing follows.
///
/// # Errors
/// `E-store-001` where the id is none; `E-store-004` where rows came behind those of `fold`; `E-store-006`.
pub fn close(store: &mut dyn Store, plan: &str, fold: &Fold, at: Timestamp) -> Result<()> {
    let heads = String::from_utf8_lossy(&bind(store, &format!("run/{plan}/"))?).into_owned();
    let stream = run_stream(plan, 1)?;
    let append = append(stream.clone(), &fold.head(&stream), &[Entry::Closed { heads: heads.into(), at }]);
    store.commit(&Batch { appends: vec![append], cells: Vec::new() })
}

/// Reads the journal of the run of a plan: every worker's chain, held against its hashes, folded.
///
/// # Errors
/// `E-store-003` where a chain is broken; `E-journal-001` where a row follows that cannot follow, `E-journal-002` where one cannot be
/// read (all exit 33); `E-store-006`.
pub fn open(store: &mut dyn Store, plan: &str) -> Result<Fold> {
    let mut fold = Fold::default();
    catch_up(store, plan, &mut fold)?;
    Ok(fold)
}

/// Folds what came into the journal since `fold` was made of it.
///
/// # Errors
/// As [`open`]; the fold is of no use then.
pub fn catch_up(store: &mut dyn Store, plan: &str, fold: &mut Fold) -> Result<()> {
    let mut later = Vec::new();
    for (stream, end) in store.heads(&format!("run/{plan}/"))? {
        folded(store, &stream, end, fold, &mut later)?;
        fold.heads.insert(stream, end);
    }
    // What is of a later turn stands in another chain than what it follows; the row that closes the run stands behind all.
    later.sort_by_key(|(_, _, entry)| if let Entry::Step(row) = entry { row.turn } else { u32::MAX });
    later.into_iter().try_for_each(|(stream, number, entry)| fold.take(&stream, number, entry))
}

/// A row that is to be folded when all chains were read.
type Later = (StreamName, u64, Entry);

/// Folds the rows of a stream up to `end` on a thread of its own, while the next ones are read and held against their hashes. Those that
/// may follow rows of other chains go to `later`.
fn folded(store: &mut dyn Store, stream: &StreamName, end: Head, fold: &mut Fold, later: &mut Vec<Later>) -> Result<()> {
    let from = fold.head(stream);
    std::thread::scope(|scope| {
        let (hand_on, batches) = std::sync::mpsc::sync_channel::<Vec<(u64, Box<[u8]>)>>(AHEAD);
        let folding = scope.spawn(move || {
            batches.into_iter().flatten().try_for_each(|(number, row)| {
                let entry = Entry::from_row(&row).map_err(|why| unreadable(stream, number, &why))?;
                match &entry {
                    Entry::Closed { .. } => later.push((stream.clone(), number, entry)),
                    Entry::Step(row) if row.turn > 1 => later.push((stream.clone(), number, entry)),
                    _ => return fold.take(stream, number, entry),
                }
                Ok(())
            })
        });
        let mut batch = Vec::with_capacity(BATCH);
        let head = read_between(store, stream, from, end, |number, row| {
            batch.push((number, row.into()));
            if batch.len() < BATCH {
                return Ok(());
            }
            // Nobody takes them where an earlier row could not be folded; what is wrong there is told below.
            hand_on.send(std::mem::take(&mut batch)).map_err(|_| unreadable(stream, number, "an earlier row could not be folded"))
        });
        // The rows in front of one that was altered are folded all the same: what is wrong first is told.
        let _nobody = hand_on.send(batch);
        drop(hand_on);
        folding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        head.map(drop)
    })
}

/// Hands over every row about a step of the run of a plan, worker by worker, in the order in which they were written.
///
/// # Errors
/// As [`open`].
pub fn steps(store: &mut dyn Store, plan: &str, visit: &mut dyn FnMut(StepRow)) -> Result<()> {
    for (stream, _) in store.heads(&format!("run/{plan}/"))? {
        read(store, &stream, |number, row| {
            if let Entry::Step(row) = Entry::from_row(row).map_err(|why| unreadable(&stream, number, &why))? {
                visit(row);
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The entries of a plan's review.
///
/// # Errors
/// As [`open`].
pub fn review(store: &mut dyn Store, plan: &str) -> Result<(Head, Vec<Entry>)> {
    let stream = review_stream(plan)?;
    let mut out = Vec::new();
    let head = read(store, &stream, |number, row| {
        out.push(Entry::from_row(row).map_err(|why| unreadable(&stream, number, &why))?);
        Ok(())
    })?;
    Ok((head, out))
}

fn unreadable(stream: &StreamName, row: u64, why: &str) -> Box<Problem> {
    let what = format!("row {row} of {stream} cannot be read: {why}");
    Problem::new("E-journal-002", Blame::Operator, what, "use the version of this program that wrote it").exit(Exit::Storage)
}
