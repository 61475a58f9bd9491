//! From what was typed to the job's functions, and from how they end to what is printed.

use super::args::{Args, Command, Config, FailOn, Global, Which};
use super::printer::Printer;
use super::progress::Listener;
use super::{argument, logging, schemas, settings};
use crate::base::{Clock, Exit, Problems, StopToken};
use crate::job::config::{self, Loaded};
use crate::job::{self, Context, Ended};
use clap::CommandFactory as _;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Runs the verb; gives the exit code.
pub(super) fn run(args: Args, printer: &Arc<Printer>, clock: &Arc<dyn Clock>) -> Exit {
    let Args { global, command } = args;
    logging::start(&global, clock);
    match dispatch(&global, command, printer, clock) {
        Ok(mut ended) => {
            ended.exits.retain(|exit| counts(&global, *exit));
            printer.ended(&ended)
        }
        Err(problems) => printer.all_failed(&problems),
    }
}

fn dispatch(global: &Global, command: Command, printer: &Arc<Printer>, clock: &Arc<dyn Clock>) -> Result<Ended, Problems> {
    match command {
        Command::Init { dir } => Ok(init(&dir)?),
        Command::Check(which) => night(global, &which, printer, clock, "check"),
        Command::Pull(which) => night(global, &which, printer, clock, "pull"),
        Command::Diff(which) => night(global, &which, printer, clock, "diff"),
        Command::Run(which) => night(global, &which, printer, clock, "run"),
        Command::Report { .. } => Err(missing("report run")),
        Command::Mock { .. } => Err(missing("mock")),
        Command::Demo { .. } => Err(missing("demo")),
        Command::Frame { .. } => Err(missing("frame decode")),
        Command::Schema { name } => {
            let schema = schemas::schema(name.as_deref())?;
            Ok(done(format!("{schema:#}"), schema))
        }
        Command::Config { what: Config::Show { origin, places } } => {
            let loaded = settings::load(global, &places)?;
            warn(printer, &loaded);
            Ok(show(&loaded, origin))
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "privet", &mut script);
            let text = String::from_utf8_lossy(&script).into_owned();
            Ok(done(text.clone(), Value::String(text)))
        }
    }
}

/// A verb that works on the configured registries, with Ctrl-C and progress.
fn night(global: &Global, which: &Which, printer: &Arc<Printer>, clock: &Arc<dyn Clock>, verb: &'static str) -> Result<Ended, Problems> {
    let mut loaded = settings::load(global, &which.places)?;
    select(&mut loaded, which)?;
    warn(printer, &loaded);
    let stop = StopToken::default();
    job::stop_on_interrupt(stop.clone())?;
    let _context = Context { clock: Arc::clone(clock), events: Arc::new(Listener::new(global, clock, printer)), stop };
    Err(missing(verb))
}

/// Leaves the registries that were asked for.
fn select(loaded: &mut Loaded, which: &Which) -> crate::base::Result<()> {
    for id in &which.registry {
        loaded.config.registry(id)?;
    }
    if !which.registry.is_empty() {
        loaded.config.registries.retain(|id, _| which.registry.iter().any(|w| w == id.as_str()));
    }
    Ok(())
}

/// Whether `exit` is one that `--fail-on` leaves standing.
fn counts(global: &Global, exit: Exit) -> bool {
    match exit {
        Exit::ChangesPending => global.fail_on.contains(&FailOn::Changes),
        Exit::Findings => global.fail_on.contains(&FailOn::Findings),
        _ => true,
    }
}

fn warn(printer: &Printer, loaded: &Loaded) {
    loaded.warnings.iter().for_each(|w| printer.warn(w));
}

fn init(dir: &Path) -> crate::base::Result<Ended> {
    let files: Vec<String> = config::init(dir)?.iter().map(|p| p.display().to_string()).collect();
    let text = format!("{}\n\nEdit {}, then: privet check", files.join("\n"), dir.join("privet.toml").display());
    Ok(done(text, json!({ "files": files })))
}

/// The settings, one a line, in the order of their keys.
fn show(loaded: &Loaded, origin: bool) -> Ended {
    let mut text = String::new();
    let mut all = serde_json::Map::new();
    for (key, setting) in &loaded.origins {
        let line = format!("{key} = {}", setting.value);
        let _infallible = match origin {
            true => writeln!(text, "{line:<72} # {}", setting.origin),
            false => writeln!(text, "{line}"),
        };
        let mut entry = json!({ "value": setting.value });
        if let (true, Some(entry)) = (origin, entry.as_object_mut()) {
            entry.insert("origin".to_owned(), Value::String(setting.origin.to_string()));
        }
        all.insert(key.clone(), entry);
    }
    done(text, Value::Object(all))
}

fn done(text: String, json: Value) -> Ended {
    Ended { exits: vec![Exit::Done], json, text, problems: Vec::new() }
}

/// A verb whose part of the job is not in this build.
fn missing(verb: &str) -> Problems {
    argument("E-cli-009", format!("this build has no `{verb}`"), "build one that has").into()
}
