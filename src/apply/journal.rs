//! The one thread that writes the journal. What all registries' parts want written while a commit is on its way goes to disk with the
//! next one.

use crate::base::{Blame, Problem, Result};
use crate::journal::Entry;
use crate::store::{Append, Batch, Cell, Store, StreamName};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// The most requests in one commit.
const TOGETHER: usize = 1_024;
/// How long the first request of a commit waits for others: about as long as a sync takes. A commit is a sync, whatever is in it.
const GATHER: Duration = Duration::from_millis(1);

/// Rows and cells to be kept together, and where to say that they are.
struct Request {
    entries: Vec<Entry>,
    cells: Vec<Cell>,
    kept: oneshot::Sender<Result<()>>,
}

/// Writes rows to the chain of this worker. Clones write to the same chain; when the last one is dropped, the thread ends.
#[derive(Clone)]
pub struct JournalWriter(Sender<Request>);

impl JournalWriter {
    /// Starts the thread that writes to `stream`, and that gives `store` back when it ends.
    ///
    /// # Errors
    /// `E-store-006` where the stream cannot be read; `E-apply-005` where there can be no thread.
    pub fn start(mut store: Box<dyn Store>, stream: StreamName) -> Result<(Self, JoinHandle<Box<dyn Store>>)> {
        let rows = store.head(&stream)?.rows;
        let (sender, requests) = channel();
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            write(&mut *store, &stream, rows, &requests);
            store
        });
        let thread = thread.map_err(|e| {
            Problem::new(
                "E-apply-005",
                Blame::Operator,
                format!("there can be no thread for the journal: {e}"),
                "raise the limit on threads",
            )
        })?;
        Ok((Self(sender), thread))
    }

    /// Hands over rows and cells; what is returned tells when they are on disk.
    pub fn commit(&self, entries: Vec<Entry>, cells: Vec<Cell>) -> oneshot::Receiver<Result<()>> {
        let (kept, told) = oneshot::channel();
        // Where the thread is gone, the receiver tells.
        let _gone = self.0.send(Request { entries, cells, kept });
        told
    }

    /// Rows are kept in the order in which they are handed over: what was before this is on disk when it is passed.
    pub(super) fn barrier(&self) -> Barrier {
        Barrier(self.commit(Vec::new(), Vec::new()))
    }
}

/// Tells when everything that was handed over before it is on disk.
pub(super) struct Barrier(oneshot::Receiver<Result<()>>);

impl Barrier {
    /// Whether it is; nobody waits for it.
    ///
    /// # Errors
    /// What the journal failed with; `E-apply-006` where nobody writes it any more.
    pub(super) fn is_passed(&mut self) -> Result<bool> {
        match self.0.try_recv() {
            Ok(done) => done.map(|()| true),
            Err(TryRecvError::Empty) => Ok(false),
            Err(TryRecvError::Closed) => Err(gone()),
        }
    }
}

/// That nobody writes the journal any more.
pub(super) fn gone() -> Box<Problem> {
    let what = "the thread that writes the journal has ended";
    Problem::new("E-apply-006", Blame::Us, what, "run the same command again, and please report this")
}

/// Commits requests until nobody can send any more. After a failure every request fails: nothing is known of the disk then.
fn write(store: &mut dyn Store, stream: &StreamName, mut rows: u64, requests: &Receiver<Request>) {
    let mut failed = None;
    while let Ok(first) = requests.recv() {
        std::thread::sleep(GATHER);
        let mut batch = Batch::default();
        let mut append = Append { stream: stream.clone(), expected: rows, rows: Vec::new() };
        let mut told = Vec::new();
        for request in std::iter::once(first).chain(requests.try_iter().take(TOGETHER)) {
            append.rows.extend(request.entries.iter().map(Entry::to_row));
            batch.cells.extend(request.cells);
            told.push(request.kept);
        }
        let count = append.rows.len() as u64;
        batch.appends.push(append);
        let done = match &failed {
            Some(problem) => Err(Box::clone(problem)),
            None => store.commit(&batch),
        };
        match &done {
            Ok(()) => rows += count,
            Err(problem) => failed = Some(problem.clone()),
        }
        for kept in told {
            // Whoever does not wait does not need to know.
            let _nobody_waits = kept.send(done.clone());
        }
    }
}
