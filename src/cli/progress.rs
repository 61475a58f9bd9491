//! A run's events as bars on a terminal, as a line every 30 seconds elsewhere, or as log lines.

use super::args::{Global, Log};
use super::logging;
use super::printer::Printer;
use crate::base::{Clock, Event, Events, Moment, RegistryId};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often a line of progress is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(30);

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Bars on a terminal.
    Bars,
    /// A line now and then.
    Lines,
    /// Through the log.
    Log,
    /// Warnings alone.
    Still,
}

/// Shows a run's events.
pub(super) struct Listener {
    mode: Mode,
    quiet: bool,
    clock: Arc<dyn Clock>,
    printer: Arc<Printer>,
    bars: MultiProgress,
    state: Mutex<State>,
}

/// How far the stage is.
#[derive(Default)]
struct State {
    stage: &'static str,
    registries: BTreeMap<RegistryId, Count>,
    /// When the last line was written.
    told: Moment,
}

/// One registry's figures in the stage.
#[derive(Default)]
struct Count {
    done: u64,
    total: u64,
    bar: Option<ProgressBar>,
}

impl Listener {
    /// Shows events as `global` and the terminal want it.
    pub(super) fn new(global: &Global, clock: &Arc<dyn Clock>, printer: &Arc<Printer>) -> Self {
        let mode = match global {
            g if g.log != Log::Off => Mode::Log,
            g if g.no_progress || g.quiet => Mode::Still,
            _ if std::io::stderr().is_terminal() => Mode::Bars,
            _ => Mode::Lines,
        };
        let state = Mutex::new(State { told: clock.moment(), ..State::default() });
        let (clock, printer) = (Arc::clone(clock), Arc::clone(printer));
        Self { mode, quiet: global.quiet, clock, printer, bars: MultiProgress::new(), state }
    }

    /// One line of talk, which must not tear a bar.
    fn say(&self, line: &str) {
        self.bars.suspend(|| self.printer.talk(line));
    }

    fn count(&self, registry: &RegistryId, change: impl FnOnce(&mut Count)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.moment();
        let stage = state.stage;
        let figures = state.registries.entry(registry.clone()).or_default();
        change(figures);
        match self.mode {
            Mode::Bars => {
                let bar = figures.bar.get_or_insert_with(|| self.bars.add(bar(stage, registry)));
                bar.set_length(figures.total);
                bar.set_position(figures.done);
            }
            Mode::Lines => {
                if let Some(line) = due(&mut state, now) {
                    self.printer.talk(&line);
                }
            }
            Mode::Log | Mode::Still => {}
        }
    }

    fn stage(&self, name: &'static str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut state.registries);
        before.values().filter_map(|c| c.bar.as_ref()).for_each(ProgressBar::finish_and_clear);
        if self.mode == Mode::Lines && !before.is_empty() {
            self.printer.talk(&line(&State { stage: state.stage, registries: before, told: state.told }));
        }
        state.stage = name;
        state.told = self.clock.moment();
    }
}

impl Events for Listener {
    fn tell(&self, event: Event) {
        if self.mode == Mode::Log {
            return log(&event);
        }
        match event {
            Event::Stage { name } => self.stage(name),
            Event::Expected { registry, total } => self.count(&registry, |c| c.total = total),
            Event::Progress { registry, done } => self.count(&registry, |c| c.done = c.done.saturating_add(done)),
            Event::Warning(problem) => self.say(&format!("warning: {problem}")),
            Event::Note(text) if !self.quiet => self.say(&crate::base::escape_controls(&text)),
            // What a run is called stands in its report; log lines are told apart by it.
            Event::Note(_) | Event::Run { .. } => {}
        }
    }
}

/// The line to write now, where the last one is long enough ago.
fn due(state: &mut State, now: Moment) -> Option<String> {
    if now.since(state.told) < EVERY {
        return None;
    }
    state.told = now;
    Some(line(state))
}

/// The stage in one line: `pull: example 1200 of 5000 (24 %), other 3 of 3 (100 %)`.
fn line(state: &State) -> String {
    let one = |(id, c): (&RegistryId, &Count)| match c.done.saturating_mul(100).checked_div(c.total) {
        Some(percent) => format!("{id} {} of {} ({} %)", c.done, c.total, percent.min(100)),
        None => format!("{id} {}", c.done),
    };
    format!("{}: {}", state.stage, state.registries.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn bar(stage: &'static str, registry: &RegistryId) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:<28} {bar:30} {pos}/{len} {per_sec} {eta}");
    let bar = ProgressBar::new(0).with_prefix(format!("{stage} {registry}"));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The event as a log line.
fn log(event: &Event) {
    match event {
        Event::Run { id } => logging::of_run(id),
        Event::Stage { name } => tracing::info!(stage = name, "stage"),
        Event::Expected { registry, total } => tracing::info!(%registry, total, "expected"),
        Event::Progress { registry, done } => tracing::debug!(%registry, done, "progress"),
        Event::Warning(problem) => tracing::warn!(id = problem.id, "{problem}"),
        Event::Note(text) => tracing::info!("{}", crate::base::escape_controls(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_registries_with_and_without_a_total() {
        let mut registries = BTreeMap::new();
        registries.insert(RegistryId::from("a"), Count { done: 1200, total: 5000, bar: None });
        registries.insert(RegistryId::from("b"), Count { done: 7, total: 0, bar: None });
        let state = State { stage: "pull", registries, told: Moment::ZERO };
        assert_eq!(line(&state), "pull: a 1200 of 5000 (24 %), b 7");
    }

    #[test]
    fn a_line_is_due_every_thirty_seconds() {
        let mut state = State::default();
        let at = |seconds| Moment::from_origin(Duration::from_secs(seconds));
        let told: Vec<u64> = (0..100).filter(|s| due(&mut state, at(*s)).is_some()).collect();
        assert_eq!(told, [30, 60, 90]);
    }
}
