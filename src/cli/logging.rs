//! `--log`: the events of a run as lines for machines, stamped by the run's own clock.

use super::args::{Global, Log};
use crate::base::Clock;
use std::fmt;
use std::sync::Arc;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// Starts logging to standard error, where it is wanted.
pub(super) fn start(global: &Global, clock: &Arc<dyn Clock>) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::WARN,
        (false, 0) => LevelFilter::INFO,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_timer(Stamp(Arc::clone(clock)))
        .with_ansi(false)
        .with_target(false)
        .with_writer(std::io::stderr);
    // A second start in one process would be refused; the first one goes on.
    let _already = match global.log {
        Log::Off => Ok(()),
        Log::Text => log.try_init(),
        Log::Json => log.json().flatten_event(true).try_init(),
    };
}

/// The run's clock as the log's.
struct Stamp(Arc<dyn Clock>);

impl FormatTime for Stamp {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        write!(w, "{}", self.0.wall())
    }
}
