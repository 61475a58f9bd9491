//! `--log`: the events of a run as lines for machines, stamped by the run's own clock and named by the run they belong to.

use super::args::{Global, Log};
use crate::base::{Clock, RunId, escape_controls};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// The run whose lines these are, once it has a name. The subscriber is the process's, and so is this.
static RUN: Mutex<Option<RunId>> = Mutex::new(None);

/// Starts logging to standard error, where it is wanted.
pub(super) fn start(global: &Global, clock: &Arc<dyn Clock>) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::WARN,
        (false, 0) => LevelFilter::INFO,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let is_json = match global.log {
        Log::Off => return,
        Log::Text => false,
        Log::Json => true,
    };
    let lines = Lines { clock: Arc::clone(clock), is_json };
    let log = tracing_subscriber::fmt().with_max_level(level).event_format(lines).with_writer(std::io::stderr);
    // A second start in one process would be refused; the first one goes on.
    let _already = log.try_init();
}

/// From here on, lines are those of `run`.
pub(super) fn of_run(run: &RunId) {
    *RUN.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.clone());
}

/// One line an event: when, how grave, of which run, what, and the event's own fields.
struct Lines {
    clock: Arc<dyn Clock>,
    is_json: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let run = RUN.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = line(self.clock.wall().to_string(), event.metadata().level().as_str(), run.as_ref(), fields.0);
        if self.is_json { writeln!(writer, "{}", Value::Object(line)) } else { writeln!(writer, "{}", text(&line)) }
    }
}

/// A line's fields in their order.
fn line(at: String, level: &str, run: Option<&RunId>, mut fields: Map<String, Value>) -> Map<String, Value> {
    let message = fields.shift_remove("message");
    let head = [
        ("timestamp", Some(Value::String(at))),
        ("level", Some(level.into())),
        ("run", run.map(|run| run.as_str().into())),
        ("message", message),
    ];
    let mut line: Map<String, Value> = head.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    // No event may put another time, level or run in the place of the line's own.
    for (key, value) in fields {
        line.entry(key).or_insert(value);
    }
    line
}

/// A line for people: the head bare, every other field with its name.
fn text(line: &Map<String, Value>) -> String {
    let bare = |value: &Value| value.as_str().map_or_else(|| value.to_string(), escape_controls);
    let word = |(key, value): (&String, &Value)| match key.as_str() {
        "timestamp" | "message" => bare(value),
        "level" => format!("{:>5}", bare(value)),
        key => format!("{key}={}", bare(value)),
    };
    line.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The fields of an event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, Value)]) -> Map<String, Value> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_line_begins_with_when_how_grave_and_which_run_whatever_an_event_calls_its_fields() {
        let run = RunId::new("20261123T023000Z-0a1b2c3d".to_owned());
        let event = fields(&[("registry", "one".into()), ("run", "another".into()), ("message", "exchange".into()), ("code", 1000.into())]);
        let line = line("2026-11-23T02:30:00Z".to_owned(), "TRACE", Some(&run), event);
        let keys: Vec<&str> = line.keys().map(String::as_str).collect();
        assert_eq!(keys, ["timestamp", "level", "run", "message", "registry", "code"]);
        assert_eq!(text(&line), "2026-11-23T02:30:00Z TRACE run=20261123T023000Z-0a1b2c3d exchange registry=one code=1000");
    }

    #[test]
    fn before_a_run_has_a_name_a_line_has_none() {
        let line = line("now".to_owned(), "INFO", None, fields(&[("message", "stage".into())]));
        assert_eq!(Value::Object(line).to_string(), r#"{"timestamp":"now","level":"INFO","message":"stage"}"#);
    }
}
