//! The one place that prints: data to standard output, talk to standard error.

use super::args::Format;
use crate::base::{Exit, Problem, Problems, Result};
use crate::job::Ended;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What `--format json` prints where a verb did not end at all.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Failure<'a> {
    /// The exit code.
    exit: u8,
    /// Why.
    problems: Vec<&'a Problem>,
    /// How many more such problems there were, which are not kept.
    more: usize,
}

/// Where everything goes. A reader that closes our output early is no error.
#[derive(Debug)]
pub(super) struct Printer {
    format: Format,
    /// Whether problems go through the log instead of plain lines.
    log: bool,
    /// Whether standard output took no more, for a reason other than a closed pipe.
    failed: AtomicBool,
    /// Whether whoever read standard output is gone.
    closed: AtomicBool,
}

impl Printer {
    pub(super) fn new(format: Format, log: bool) -> Self {
        Self { format, log, failed: AtomicBool::new(false), closed: AtomicBool::new(false) }
    }

    /// Puts `text` on standard output, as it is.
    pub(super) fn data(&self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&self, bytes: &[u8]) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::BrokenPipe => self.closed.store(true, Ordering::Relaxed),
            Err(_) => self.failed.store(true, Ordering::Relaxed),
        }
    }

    /// Puts a file on standard output, as it is.
    ///
    /// # Errors
    /// `E-file-005` where it cannot be read.
    pub(super) fn file(&self, path: &Path) -> Result<()> {
        let failed = |e: std::io::Error| Problem::storage("E-file-005", path, "read", &e);
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut piece).map_err(failed)?;
            if read == 0 {
                return Ok(());
            }
            self.bytes(piece.get(..read).unwrap_or_default());
        }
    }

    /// Puts one line on standard error. Nobody can be told where that fails.
    #[expect(clippy::unused_self, reason = "whoever talks needs the printer")]
    pub(super) fn talk(&self, line: &str) {
        let _nobody_listens = writeln!(std::io::stderr().lock(), "{line}");
    }

    /// Tells of a problem which the run goes on with.
    pub(super) fn warn(&self, problem: &Problem) {
        if self.log {
            tracing::warn!(id = problem.id, "{problem}");
        } else {
            self.talk(&format!("warning: {problem}"));
        }
    }

    /// Prints how a verb ended; gives the exit code.
    pub(super) fn ended(&self, ended: &Ended) -> Exit {
        match self.format {
            Format::Json if ended.json.is_null() => {}
            Format::Json => self.json(&ended.json),
            Format::Text | Format::Csv | Format::Ndjson | Format::Junit if ended.text.is_empty() => {}
            Format::Text | Format::Csv | Format::Ndjson | Format::Junit => self.data(&format!("{}\n", ended.text.trim_end_matches('\n'))),
        }
        ended.problems.iter().for_each(|p| self.error(p));
        ended.exit()
    }

    /// Prints why a verb did not end at all, with `more` such problems that were not kept; gives the exit code.
    pub(super) fn failed<P: std::borrow::Borrow<Problem>>(&self, problems: &[P], more: usize) -> Exit {
        let problems: Vec<&Problem> = problems.iter().map(std::borrow::Borrow::borrow).collect();
        let exit = Exit::worst(problems.iter().map(|p| p.exit));
        for problem in &problems {
            self.error(problem);
        }
        if more > 0 {
            self.talk(&format!("… and {more} more"));
        }
        if self.format == Format::Json {
            let failure = Failure { exit: exit.code(), problems, more };
            self.json(&serde_json::to_value(failure).unwrap_or_default());
        }
        exit
    }

    /// As [`Printer::failed`].
    pub(super) fn all_failed(&self, problems: &Problems) -> Exit {
        self.failed(problems.kept(), problems.dropped())
    }

    /// What the process ends with: `exit`, unless its output was lost.
    pub(super) fn close(&self, exit: Exit) -> Exit {
        if self.failed.load(Ordering::Relaxed) {
            self.talk("error: E-cli-002: standard output cannot be written; check the disk it goes to");
            return Exit::worst([exit, Exit::Storage]);
        }
        exit
    }

    fn json(&self, value: &serde_json::Value) {
        self.data(&format!("{value:#}\n"));
    }

    fn error(&self, problem: &Problem) {
        if self.log {
            tracing::error!(id = problem.id, "{problem}");
        } else {
            self.talk(&format!("error: {problem}"));
        }
    }
}
