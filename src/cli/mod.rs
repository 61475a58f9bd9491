//! The command line: what was typed (`args`), what it means (`verbs`), and the one place that prints (`printer`).

mod args;
mod bundled;
mod hardening;
mod logging;
mod manual;
mod printer;
mod progress;
mod registries;
mod schemas;
mod settings;
mod verbs;

use crate::base::{Blame, Clock, Exit, Problem, SystemClock};
use clap::Parser as _;
use printer::Printer;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the process: parse, harden, do, tell.
#[must_use]
pub fn main() -> ExitCode {
    let args = match args::Args::try_parse_from(std::env::args_os()) {
        Ok(args) => args,
        Err(said) => return usage(&said),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let printer = Arc::new(Printer::new(args.global.format, args.global.log != args::Log::Off));
    let exit = match hardening::harden() {
        Ok(()) => verbs::run(args, &printer, &clock),
        Err(problem) => printer.failed(std::slice::from_ref(&problem), 0),
    };
    ExitCode::from(printer.close(exit).code())
}

/// Help and the version are data; what is wrong with the arguments is talk, and leads to exit 2.
fn usage(said: &clap::Error) -> ExitCode {
    let printer = Printer::new(args::Format::Text, false);
    let text = said.render().to_string();
    let exit = if said.use_stderr() {
        printer.talk(text.trim_end());
        Exit::Usage
    } else {
        printer.data(&text);
        Exit::Done
    };
    ExitCode::from(printer.close(exit).code())
}

/// A problem with an argument.
fn argument(id: &str, what: impl Into<String>, remedy: impl Into<String>) -> Box<Problem> {
    Problem::new(id, Blame::Operator, what, remedy)
}
