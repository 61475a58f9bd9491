//! `mock` and `mock synth`: one bundled registry on a port, and data with known truths.

use super::{Context, Ended};
use crate::base::{Exit, Result};
use crate::mock;
use crate::synth::{self, SynthOptions};
use std::path::Path;
use std::time::Duration;

/// How often a served registry looks whether the operator wants it to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Serves one bundled registry until the operator stops it. `ready` is handed the line of JSON that tells a client where it is.
///
/// # Errors
/// Whatever keeps it from listening.
pub fn serve_mock(options: mock::Options, ctx: &Context, ready: impl FnOnce(&serde_json::Value)) -> Result<Ended> {
    let served = mock::start(options, std::sync::Arc::clone(&ctx.clock))?;
    let line = serde_json::to_value(&served).unwrap_or_default();
    ready(&line);
    while !ctx.stop.is_stopped() {
        std::thread::sleep(LOOK);
    }
    drop(served);
    Ok(Ended { exits: vec![Exit::Done], json: line, text: String::new(), problems: Vec::new() })
}

/// Writes registry states, local records, a configuration and the truth about their differences.
///
/// # Errors
/// Where `out` holds something already, or cannot be written.
pub fn synth(out: &Path, options: &SynthOptions) -> Result<Ended> {
    let report = synth::write(out, options)?;
    let text = format!(
        "{} contacts, {} domains and {} services in {}/records; {} planted differences in {}/truth/differences.csv",
        report.contacts,
        report.domains,
        report.services,
        out.display(),
        report.differences,
        out.display()
    );
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(&report).unwrap_or_default(), text, problems: Vec::new() })
}
