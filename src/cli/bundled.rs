//! `privet mock` and `privet mock synth`: the bundled registries and the data for them.

use super::args::{Mock, Serve};
use super::argument;
use super::printer::Printer;
use super::verbs::done;
use crate::base::{Blame, Clock, Exit, Problem, Result};
use crate::job::{Ended, Interrupt};
use crate::mock::{Knobs, Options, start};
use crate::synth::{SynthOptions, write};
use serde_json::Value;
use std::sync::Arc;

/// Serves one registry until a signal comes; one line of JSON tells how to reach it.
pub(super) fn serve(serve: Serve, printer: &Printer, clock: &Arc<dyn Clock>) -> Result<Ended> {
    let Serve { profile, listen, state, commit_log, transcript, knobs, strict_unknown, seed } = serve;
    let state = state.ok_or_else(|| argument("E-cli-006", "`--state` is missing", "name the registry's directory"))?;
    // The flag has the last word, so that no knob takes it back.
    let knobs = Knobs::read(knobs.iter().map(String::as_str).chain(strict_unknown.then_some("strict_unknown=on")))?;
    // Whoever reads the line may send the signal at once.
    let mut signals = Interrupt::listen()?;
    let served = start(Options { profile, listen, state, commit_log, transcript, knobs, seed }, Arc::clone(clock))?;
    printer.data(&format!("{}\n", json(&served)?));
    signals.wait();
    served.shutdown();
    Ok(done(String::new(), Value::Null))
}

/// Makes registries, records, a configuration and the truth.
pub(super) fn synth(what: &Mock, clock: &Arc<dyn Clock>) -> Result<Ended> {
    let Mock::Synth { out, contacts, seed, change_rate } = what;
    let options = SynthOptions { contacts: *contacts, seed: *seed, change_rate: *change_rate, today: clock.wall() };
    let made = write(out, &options)?;
    let text = format!(
        "{}: {} contacts, {} domains, {} services at {} registries; {} differences planted (truth/differences.csv)",
        out.display(),
        made.contacts,
        made.domains,
        made.services,
        made.registries.len(),
        made.differences
    );
    Ok(done(text, json(&made)?))
}

fn json(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|e| {
        let what = format!("a result cannot be put into JSON: {e}");
        Problem::new("E-cli-010", Blame::Us, what, "report it").exit(Exit::Internal)
    })
}
