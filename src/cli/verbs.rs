//! From what was typed to the job's functions, and from how they end to what is printed.

use super::args::{
    Args, Breach, Command, Config, Consent, ConsentAdd, ConsentWho, Dialect, FailOn, Format, Frame, Global, Places, Planning, Pull,
    Register, RegisterAdd, Registers, Report, Store, SubjectVerb, SubjectWho, Which,
};
use super::printer::Printer;
use super::progress::Listener;
use super::{argument, bundled, logging, manual, registries, schemas, settings};
use crate::base::{Clock, Exit, Problems, RegistryId, StopToken, read_capped};
use crate::job::config::{self, Loaded};
use crate::job::{
    self, ApplyOptions, ConsentOf, Context, DemoOptions, DnsOptions, Ended, Form, PlanOptions, RegisterEvent, RegisterOf, SubjectOf,
    Unmasking, ValidateOptions, Validated, Within,
};
use crate::plan::Recipe;
use crate::protocol::frame::DEFAULT_CAP;
use clap::CommandFactory as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
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
    let has_events = match &command {
        Command::Consent { what: Consent::Show { .. } } => true,
        Command::Registers(registers) => registers.is_shown(),
        _ => false,
    };
    if global.format == Format::Ndjson && !has_events {
        return Err(argument("E-cli-012", "this verb prints no events of a ledger", "use --format text or json").into());
    }
    let has_findings = matches!(&command, Command::Validate { .. } | Command::Report { what: Report::Escrow { .. } });
    if global.format == Format::Csv && !has_events && !has_findings {
        return Err(argument("E-cli-012", "this verb prints no single table", "use --format text or json").into());
    }
    if global.format == Format::Junit && !has_findings {
        return Err(argument("E-cli-012", "this verb prints no findings", "use --format text or json").into());
    }
    match command {
        Command::Init { dir } => Ok(init(&dir)?),
        Command::Check(which) => night(global, &which, printer, clock, job::check),
        Command::Pull { what: Some(Pull::Dns { which, resolver, snapshot }), .. } => {
            let options = DnsOptions { resolver, snapshot };
            night(global, &which, printer, clock, |loaded, ctx| job::pull_dns(loaded, ctx, options))
        }
        Command::Pull { what: None, which, budget, until } => {
            let within = Within { budget, until };
            night(global, &which, printer, clock, |loaded, ctx| job::pull_within(loaded, &within, ctx))
        }
        Command::Diff { which, part: None } => night(global, &which, printer, clock, job::diff),
        Command::Diff { which, part: Some(part) } => night(global, &which, printer, clock, |loaded, ctx| job::diff_part(loaded, ctx, part)),
        Command::Password { registry, places } => {
            let which = Which { registry: Vec::new(), places };
            night(global, &which, printer, clock, |loaded, ctx| job::password(loaded, &registry, ctx))
        }
        Command::Archive(places) => night(global, &Which { registry: Vec::new(), places }, printer, clock, job::archive),
        Command::Merge { dirs, which } => night(global, &which, printer, clock, |loaded, ctx| job::merge(loaded, ctx, &dirs)),
        Command::Validate { which, records: _, snapshot, dns, show_suggestions } => {
            let warnings_count = global.fail_on.contains(&FailOn::Findings);
            let options = ValidateOptions { snapshot, dns, show_suggestions, warnings_count };
            night(global, &which, printer, clock, |loaded, ctx| validated(global, printer, job::validate(loaded, ctx, options)?))
        }
        Command::Consent { what } => consent(global, what, printer, clock),
        Command::Registers(registers) => register(global, registers, printer, clock),
        Command::Subject { what } => subject(global, what, printer, clock),
        Command::Plan { recipe, select, planning, relock, places } => {
            let which = Which { registry: Vec::new(), places };
            let options = PlanOptions { select, relock, ..planning_options(recipe, planning) };
            night(global, &which, printer, clock, |loaded, ctx| job::plan(loaded, ctx, &options))
        }
        Command::Show { plan, unmasked, by, places } => {
            let loaded = if unmasked { Some(settings::load(global, &places)?) } else { None };
            let unmasking = loaded.as_ref().map(|loaded| Unmasking { loaded, by: by.as_deref().unwrap_or_default(), clock: &**clock });
            job::show(&plan, unmasking, global.format == Format::Json, &mut |piece| printer.data(piece))?;
            Ok(done(String::new(), Value::Null))
        }
        Command::Approve { plan, digest, by, places } => {
            let loaded = settings::load(global, &places)?;
            warn(printer, &loaded);
            Ok(job::approve(&loaded, &plan, &digest, &by, &**clock)?)
        }
        Command::Apply { plan, digest, pause_file, stop_file, which } => {
            let options = ApplyOptions { digest, pause_file, stop_file };
            night(global, &which, printer, clock, |loaded, ctx| job::apply(loaded, &plan, &options, ctx))
        }
        Command::Reconcile { run, give_up, which } => {
            night(global, &which, printer, clock, |loaded, ctx| job::reconcile(loaded, &run, give_up, ctx))
        }
        Command::Rollback { run, planning, places } => {
            let which = Which { registry: Vec::new(), places };
            let options = planning_options(Recipe::Rollback, planning);
            night(global, &which, printer, clock, |loaded, ctx| job::rollback(loaded, ctx, &run, &options))
        }
        Command::Run(which) => night(global, &which, printer, clock, job::run),
        Command::Remind { brand, places } => {
            let which = Which { registry: Vec::new(), places };
            night(global, &which, printer, clock, |loaded, ctx| job::remind(loaded, ctx, brand.as_deref()))
        }
        Command::Report { what: Report::Protection(which) } => night(global, &which, printer, clock, job::report_protection),
        Command::Report { what: Report::Registers { country, places } } => {
            let which = Which { registry: Vec::new(), places };
            night(global, &which, printer, clock, |loaded, ctx| job::report_registers(loaded, ctx, country.as_deref()))
        }
        Command::Report { what: Report::Escrow { dir, which } } => {
            let warnings_count = global.fail_on.contains(&FailOn::Findings);
            night(global, &which, printer, clock, |loaded, ctx| {
                validated(global, printer, job::report_escrow(loaded, ctx, &dir, warnings_count)?)
            })
        }
        Command::Report { what: Report::Oversight(which) } => night(global, &which, printer, clock, job::report_oversight),
        Command::Report { what: Report::Erasure(which) } => night(global, &which, printer, clock, job::report_erasure),
        Command::Report { what: Report::Consent(which) } => night(global, &which, printer, clock, job::report_consent),
        Command::Report { what: Report::Record(which) } => night(global, &which, printer, clock, job::report_record),
        Command::Report { what: Report::Declared { file } } => Ok(job::report_declared(&file)?),
        Command::Report { what: Report::Retention { what_if, which } } => {
            night(global, &which, printer, clock, |loaded, ctx| job::report_retention(loaded, ctx, what_if.as_deref()))
        }
        Command::Report { what: Report::Exposure { plan, which } } => {
            night(global, &which, printer, clock, |loaded, ctx| job::report_exposure(loaded, ctx, plan))
        }
        Command::Report { what: Report::Run(which) } => {
            night(global, &which, printer, clock, |loaded, ctx| Ok(job::report_run(loaded, ctx)?))
        }
        Command::Verify { dir, key, since, leaves } => Ok(job::verify(&dir, &key, since.as_deref(), leaves.as_deref())?),
        Command::Mock { what: Some(what), .. } => Ok(bundled::synth(&what, clock)?),
        Command::Mock { what: None, serve } => Ok(bundled::serve(serve, printer, clock)?),
        Command::Demo { out, contacts, seed } => {
            let ctx = context(global, printer, clock, Vec::new())?;
            let program = std::env::current_exe()
                .map_err(|e| argument("E-cli-013", format!("this program cannot be found: {e}"), "run it from a place that is there"))?;
            job::demo(&DemoOptions { out, contacts, seed, program }, &ctx)
        }
        Command::Store { what: Store::Move(places) } => {
            let loaded = settings::load(global, &places)?;
            warn(printer, &loaded);
            Ok(job::store_move(&loaded)?)
        }
        Command::Frame { what: Frame::Decode { file, dialect, length_prefixed, unmasked } } => {
            let dialect = match dialect {
                Dialect::Epp => job::Dialect::Epp,
            };
            Ok(job::frame_decode(&read_file(&file)?, dialect, length_prefixed, unmasked)?)
        }
        Command::Registries => Ok(registries::registries()),
        Command::Simulate(simulate) => {
            let loaded = if simulate.is_sized() {
                settings::load_if_there(global, &simulate.places)?
            } else {
                Some(settings::load(global, &simulate.places)?)
            };
            if let Some(loaded) = &loaded {
                warn(printer, loaded);
            }
            job::simulate(loaded.as_ref(), &simulate.options())
        }
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
        Command::Man { dir } => {
            let files = manual::write(Args::command(), &dir)?;
            Ok(done(files.join("\n"), serde_json::to_value(Begun { files }).unwrap_or_default()))
        }
    }
}

/// A verb that works on the configured registries.
fn night(
    global: &Global,
    which: &Which,
    printer: &Arc<Printer>,
    clock: &Arc<dyn Clock>,
    verb: impl FnOnce(&Loaded, &Context) -> Result<Ended, Problems>,
) -> Result<Ended, Problems> {
    let loaded = settings::load(global, &which.places)?;
    let only = which.registry.iter().map(|id| loaded.config.registry(id).map(|(id, _)| id.clone()));
    let only = only.collect::<crate::base::Result<Vec<_>>>()?;
    warn(printer, &loaded);
    verb(&loaded, &context(global, printer, clock, only)?)
}

fn planning_options(recipe: Recipe, planning: Planning) -> PlanOptions {
    let Planning { out, allow, reason, by } = planning;
    PlanOptions { recipe, select: Vec::new(), out, allow, reason, by, relock: None }
}

/// `consent …`.
fn consent(global: &Global, what: Consent, printer: &Arc<Printer>, clock: &Arc<dyn Clock>) -> Result<Ended, Problems> {
    let at = |registry: Option<String>, places: Places| Which { registry: registry.into_iter().collect(), places };
    let of = |ConsentWho { registry, handle, domain, subject }| (registry, ConsentOf { handle, domain, subject });
    match what {
        Consent::Import { files, skip_bad, places } => {
            night(global, &at(None, places), printer, clock, |loaded, ctx| job::consent_import(loaded, ctx, &files, skip_bad))
        }
        Consent::Show { who, places } => {
            let (registry, of) = of(who);
            let events = events_as(global);
            night(global, &at(registry, places), printer, clock, |loaded, ctx| job::consent_show(loaded, ctx, &of, events))
        }
        Consent::Ask(which) => night(global, &which, printer, clock, job::consent_ask),
        Consent::Sent { files, places } => {
            night(global, &at(None, places), printer, clock, |loaded, ctx| job::consent_sent(loaded, ctx, &files))
        }
        Consent::Add(add) => {
            let ConsentAdd { who, event, purpose, at: when, expires, elements, terms, notice, method, by, record_id, places, .. } = *add;
            let (registry, of) = of(who);
            let given = [
                ("event", Some(event)),
                ("purpose", purpose),
                ("at", when),
                ("expires", expires),
                ("elements", elements),
                ("provider", add.provider),
                ("group", add.group),
                ("terms", terms),
                ("notice", notice),
                ("notice_version", add.notice_version),
                ("notice_language", add.notice_language),
                ("notice_digest", add.notice_digest),
                ("method", method),
                ("by", by),
                ("record_id", record_id),
            ];
            let values = given.into_iter().filter_map(|(column, value)| Some((column, value?))).collect();
            night(global, &at(registry, places), printer, clock, |loaded, ctx| job::consent_add(loaded, ctx, &of, values))
        }
    }
}

/// `request …`, `breach …` and the other registers.
fn register(global: &Global, registers: Registers, printer: &Arc<Printer>, clock: &Arc<dyn Clock>) -> Result<Ended, Problems> {
    let at = |registry: Option<String>, places: Places| Which { registry: registry.into_iter().collect(), places };
    let (name, what) = registers.parts();
    let what = match what {
        Breach::Register(what) => what,
        Breach::Candidates { from, places } => {
            return night(global, &at(None, places), printer, clock, |loaded, ctx| job::breach_candidates(loaded, ctx, &from));
        }
    };
    match what {
        Register::Import { files, skip_bad, places } => {
            night(global, &at(None, places), printer, clock, |loaded, ctx| job::register_import(loaded, ctx, name, &files, skip_bad))
        }
        Register::Show { case, open, overdue, unmasked, country, places } => {
            let of = RegisterOf { case, open, overdue, unmasked, country, events: events_as(global) };
            night(global, &at(None, places), printer, clock, |loaded, ctx| job::register_show(loaded, ctx, name, &of))
        }
        Register::Add(add) => {
            let RegisterAdd { event, case, at: when, values, texts, registry, handle, domain, subject, record_id, places } = *add;
            let texts = texts.into_iter().map(|(column, file)| (column, file.into())).collect();
            let of = ConsentOf { handle, domain, subject };
            let event = RegisterEvent { event, case, at: when, record_id, values, texts, of };
            night(global, &at(registry, places), printer, clock, |loaded, ctx| job::register_add(loaded, ctx, name, event))
        }
    }
}

/// The form in which events are asked for; nothing where it is what they come to.
const fn events_as(global: &Global) -> Option<Form> {
    match global.format {
        Format::Csv => Some(Form::Csv),
        Format::Ndjson => Some(Form::Ndjson),
        Format::Text | Format::Json | Format::Junit => None,
    }
}

/// `subject …`. The registry that is named is that of the handle: a person is looked for at every one.
fn subject(global: &Global, what: SubjectVerb, printer: &Arc<Printer>, clock: &Arc<dyn Clock>) -> Result<Ended, Problems> {
    let everywhere = |places: Places| Which { registry: Vec::new(), places };
    let of = |SubjectWho { registry, handle, subject, texts, case }| {
        let texts = texts.into_iter().map(|(part, file)| (part, file.into())).collect();
        SubjectOf { registry, handle, subject, texts, case }
    };
    match what {
        SubjectVerb::Find { who, places } => {
            let of = of(who);
            night(global, &everywhere(places), printer, clock, |loaded, ctx| job::subject_find(loaded, ctx, &of))
        }
        SubjectVerb::Export { dir, who, country, places } => {
            let of = of(who);
            night(global, &everywhere(places), printer, clock, |loaded, ctx| {
                job::subject_export(loaded, ctx, &of, &dir, country.as_deref())
            })
        }
        SubjectVerb::Erase { who, despite, by, places } => {
            let of = of(who);
            night(global, &everywhere(places), printer, clock, |loaded, ctx| {
                job::subject_erase(loaded, ctx, &of, despite.as_deref(), by.as_deref())
            })
        }
    }
}

/// Prints the table of findings where a program wants it; people get the first of them.
fn validated(global: &Global, printer: &Printer, validated: Validated) -> Result<Ended, Problems> {
    let Validated { mut ended, dir } = validated;
    let file = match global.format {
        Format::Text | Format::Ndjson => return Ok(ended),
        Format::Json => "findings.json",
        Format::Csv => "findings.csv",
        Format::Junit => "findings.junit.xml",
    };
    printer.file(&dir.join(file))?;
    ended.text.clear();
    Ok(ended)
}

/// What a verb is given: the clock, Ctrl-C, progress.
fn context(global: &Global, printer: &Arc<Printer>, clock: &Arc<dyn Clock>, only: Vec<RegistryId>) -> crate::base::Result<Context> {
    let stop = StopToken::default();
    job::stop_on_interrupt(stop.clone())?;
    Ok(Context {
        clock: Arc::clone(clock),
        events: Arc::new(Listener::new(global, clock, printer)),
        stop,
        only,
        queries: job::Queries::default(),
    })
}

/// Whether `exit` is one that `--fail-on` leaves standing.
fn counts(global: &Global, exit: Exit) -> bool {
    match exit {
        Exit::ChangesPending => global.fail_on.contains(&FailOn::Changes),
        Exit::Findings => global.fail_on.is_empty() || global.fail_on.iter().any(|on| matches!(on, FailOn::Findings | FailOn::Errors)),
        _ => true,
    }
}

fn warn(printer: &Printer, loaded: &Loaded) {
    loaded.warnings.iter().for_each(|w| printer.warn(w));
}

/// What `init` and `man` print with `--format json`.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Begun {
    /// The files it left, in the order they were written.
    files: Vec<String>,
}

fn init(dir: &Path) -> crate::base::Result<Ended> {
    let files: Vec<String> = config::init(dir)?.iter().map(|p| p.display().to_string()).collect();
    let text = format!("{}\n\nEdit {}, then: privet check", files.join("\n"), dir.join("privet.toml").display());
    Ok(done(text, serde_json::to_value(Begun { files }).unwrap_or_default()))
}

/// What `config show` prints with `--format json`.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub(super) struct Shown(BTreeMap<String, ShownSetting>);

/// One setting.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct ShownSetting {
    /// Its value as TOML.
    value: String,
    /// Where it comes from, with `--origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
}

/// The settings, one a line, in the order of their keys.
fn show(loaded: &Loaded, origin: bool) -> Ended {
    let mut text = String::new();
    let mut all = BTreeMap::new();
    for (key, setting) in &loaded.origins {
        let line = format!("{key} = {}", setting.value);
        let _infallible = if origin { writeln!(text, "{line:<72} # {}", setting.origin) } else { writeln!(text, "{line}") };
        let from = origin.then(|| setting.origin.to_string());
        all.insert(key.clone(), ShownSetting { value: setting.value.clone(), origin: from });
    }
    done(text, serde_json::to_value(Shown(all)).unwrap_or_default())
}

/// A file of at most a frame's size, or standard input for `-`.
fn read_file(file: &Path) -> crate::base::Result<Vec<u8>> {
    let cap = DEFAULT_CAP as u64 + 4;
    if file != Path::new("-") {
        return read_capped(file, cap);
    }
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(argument("E-cli-005", "standard input is a terminal", "name a file, or pipe a frame in"));
    }
    read_capped(Path::new("/dev/stdin"), cap)
}

pub(super) fn done(text: String, json: Value) -> Ended {
    Ended { exits: vec![Exit::Done], json, text, problems: Vec::new() }
}
