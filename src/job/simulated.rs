//! What a simulation came to: its form, and its table.

use crate::base::RegistryId;
use crate::forecast::{Bound, Commands, Forecast, Timing};
use crate::report::grouped;
use crate::session::{Allowance, TimedRate};
use comfy_table::{CellAlignment, Table, presets};
use jiff::civil::Time;
use std::time::Duration;

/// What `simulate` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Simulated {
    /// The id of this shape.
    schema: &'static str,
    /// The version of this shape.
    schema_version: u32,
    /// When a night begins, on each registry's own clock (UTC where its profile names no zone).
    from: String,
    /// How long it is.
    window_hours: f64,
    /// Each registry.
    pub registries: Vec<SimulatedRegistry>,
    /// All of them, which are asked side by side.
    total: SimulatedTotal,
}

/// All registries together.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
struct SimulatedTotal {
    contacts: u64,
    domains: u64,
    /// Commands of a whole pull.
    commands: u64,
    /// Changes.
    changes: u64,
    /// The hours of the registry that takes the most of them.
    hours: f64,
    /// The nights of the registry that takes the most of them; nothing where one never ends.
    nights: Option<u64>,
    /// Whether every registry fits into one night, its changes included.
    fits: bool,
}

/// What is to be expected of one registry.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct SimulatedRegistry {
    /// The registry.
    pub registry: String,
    /// Its profile.
    pub profile: String,
    /// Contacts that are asked for; none where the registry has none.
    pub contacts: u64,
    /// Domains that are asked for.
    pub domains: u64,
    /// Our share of the account, in percent.
    pub share_percent: u8,
    /// Time from a command to its answer, but for the registry's own.
    pub latency_ms: f64,
    /// The registry's own time for a command.
    pub service_ms: f64,
    /// The most sessions at once.
    pub sessions: u16,
    /// The most commands in flight on one of them.
    pub in_flight: u32,
    /// What a whole pull sends.
    pub commands: Commands,
    /// Hours in which the registry is asked, over all nights.
    pub hours: f64,
    /// Nights of a whole pull; nothing where no night gets anything done.
    pub nights: Option<u64>,
    /// Objects asked for in a night: what `pull --budget` may be.
    pub a_night: u64,
    /// Questions a second, while it is asked.
    pub per_second: f64,
    /// What limits most of the time.
    pub limited_by: Bound,
    /// The same for people, with its figures.
    pub limit: String,
    /// What the day's quota leaves for reading, where its points are known.
    pub quota: Option<u64>,
    /// What would fit into one night.
    pub needs: SimulatedNeeds,
    /// Changes, where there are any.
    pub changes: Option<SimulatedChanges>,
    /// Whether everything fits into one night.
    pub fits: bool,
    /// Whether all that was not simulated command by command repeats exactly what was.
    pub is_exact: bool,
}

/// What it takes to ask for everything in one night.
#[derive(Clone, Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct SimulatedNeeds {
    /// Commands a second, all night.
    pub commands_per_second: f64,
    /// The least share of the account that is enough, in percent; nothing where even all of it is not.
    pub share_percent: Option<u8>,
}

/// What changes take, each read, sent and read again.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct SimulatedChanges {
    /// How many.
    pub count: u64,
    /// What they send.
    pub commands: Commands,
    /// Hours, over all nights.
    pub hours: f64,
    /// Nights of their own; nothing where no night gets anything done.
    pub nights: Option<u64>,
    /// What limits most of the time.
    pub limited_by: Bound,
    /// The same for people.
    pub limit: String,
}

impl Simulated {
    const SCHEMA: &'static str = "privet/simulated";
    const VERSION: u32 = 1;

    /// All registries of one simulation.
    pub(super) fn of(registries: Vec<SimulatedRegistry>, window: Duration, from: Time) -> Self {
        let sum = |of: fn(&SimulatedRegistry) -> u64| registries.iter().map(of).sum();
        let total = SimulatedTotal {
            contacts: sum(|one| one.contacts),
            domains: sum(|one| one.domains),
            commands: sum(|one| one.commands.total()),
            changes: sum(|one| one.changes.as_ref().map_or(0, |changes| changes.count)),
            hours: registries.iter().map(|one| one.hours).fold(0.0, f64::max),
            nights: registries.iter().map(|one| one.nights).try_fold(0, |most, nights| Some(nights?.max(most))),
            fits: registries.iter().all(|one| one.fits),
        };
        let from = from.strftime("%H:%M").to_string();
        Self { schema: Self::SCHEMA, schema_version: Self::VERSION, from, window_hours: hours(window), registries, total }
    }

    /// Whether every registry fits into one night.
    pub(super) const fn fits(&self) -> bool {
        self.total.fits
    }

    /// The tables for people.
    pub(super) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(["registry", "contacts", "domains", "commands", "a second", "hours", "nights", "what limits", "one night takes"]);
        for one in &self.registries {
            table.add_row([
                one.registry.clone(),
                grouped(one.contacts),
                grouped(one.domains),
                grouped(one.commands.total()),
                speed(one.per_second),
                span(one.hours),
                nights(one.nights),
                one.limit.clone(),
                one.needed(),
            ]);
        }
        let total = &self.total;
        table.add_row([
            "all, side by side".to_owned(),
            grouped(total.contacts),
            grouped(total.domains),
            grouped(total.commands),
            String::new(),
            span(total.hours),
            nights(total.nights),
            String::new(),
            String::new(),
        ]);
        align(&mut table, 1..=6);
        let mut text = format!("{table}");
        if let Some(changes) = self.changes() {
            text = format!("{text}\n\n{changes}");
        }
        let night = format!("A night is {} from {} on.", length(self.window_hours), self.from);
        let inexact: Vec<&str> = self.registries.iter().filter(|one| !one.is_exact).map(|one| one.registry.as_str()).collect();
        let inexact = if inexact.is_empty() {
            String::new()
        } else {
            format!("\nA mean over many commands, not an exact course: {}.", inexact.join(", "))
        };
        format!("{text}\n\n{night} Nothing was sent.{inexact}")
    }

    /// The table of changes, where there are any.
    fn changes(&self) -> Option<Table> {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(["registry", "changes", "commands", "hours", "nights", "what limits"]);
        for one in &self.registries {
            let Some(changes) = &one.changes else { continue };
            table.add_row([
                one.registry.clone(),
                grouped(changes.count),
                grouped(changes.commands.total()),
                span(changes.hours),
                nights(changes.nights),
                changes.limit.clone(),
            ]);
        }
        align(&mut table, 1..=4);
        (!table.is_empty()).then_some(table)
    }
}

impl SimulatedRegistry {
    /// What a pull comes to.
    pub(super) fn of(id: &RegistryId, profile: &str, pull: &Forecast, allowance: &Allowance, timing: Timing) -> Self {
        let seconds = pull.time.as_secs_f64();
        Self {
            registry: id.as_str().to_owned(),
            profile: profile.to_owned(),
            contacts: pull.commands.contact_infos,
            domains: pull.commands.domain_infos,
            share_percent: 0,
            latency_ms: timing.round_trip.as_secs_f64() * 1e3,
            service_ms: timing.service.as_secs_f64() * 1e3,
            sessions: pull.sessions,
            in_flight: pull.in_flight,
            commands: pull.commands,
            hours: hours(pull.time),
            nights: pull.nights,
            a_night: pull.a_night,
            per_second: if seconds > 0.0 && pull.nights.is_some() { pull.units as f64 / seconds } else { 0.0 },
            limited_by: pull.bound,
            limit: limit(pull, allowance),
            quota: None,
            needs: SimulatedNeeds::default(),
            changes: None,
            fits: false,
            is_exact: pull.is_exact,
        }
    }

    /// Says of the whole whether it fits: a pull and its changes are one after the other.
    pub(super) fn judge(&mut self, window: Duration) {
        if let (Bound::Quota, Some(quota)) = (self.limited_by, self.quota) {
            self.limit = format!("quota: {} a day", grouped(quota));
        }
        let changes = self.changes.as_ref().map_or((0.0, Some(0)), |changes| (changes.hours, changes.nights));
        self.fits = self.nights == Some(1) && changes.1.is_some_and(|nights| nights <= 1) && self.hours + changes.0 <= hours(window);
    }

    /// What would fit into one night.
    fn needed(&self) -> String {
        match self.needs.share_percent {
            Some(percent) => format!("{percent} % of the account"),
            None => format!("{} a second", speed(self.needs.commands_per_second)),
        }
    }
}

impl SimulatedChanges {
    /// What changes come to.
    pub(super) fn of(forecast: &Forecast, allowance: &Allowance) -> Self {
        Self {
            count: forecast.units,
            commands: forecast.commands,
            hours: hours(forecast.time),
            nights: forecast.nights,
            limited_by: forecast.bound,
            limit: limit(forecast, allowance),
        }
    }

    /// Takes as many nights as a day's `points` need, where these are known: no run that applies rations itself.
    pub(super) fn keep_to(&mut self, points: Option<u64>) {
        let Some(points) = points else { return };
        let asked = self.commands.contact_infos + self.commands.domain_infos + self.commands.changes;
        let nights = asked.div_ceil(points.max(1));
        if self.nights.is_some_and(|by_time| nights > by_time) {
            self.nights = (points > 0).then_some(nights);
            self.limited_by = Bound::Quota;
            self.limit = format!("quota: {} a day", grouped(points));
        }
    }
}

/// Sets figures to the right.
fn align(table: &mut Table, columns: std::ops::RangeInclusive<usize>) {
    for number in columns {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// What limits, for people.
fn limit(forecast: &Forecast, allowance: &Allowance) -> String {
    match forecast.bound {
        Bound::Nothing => String::new(),
        Bound::Quota => "quota".to_owned(),
        Bound::Rate => {
            let rates = allowance.rate.into_iter().chain(allowance.rate_windows.iter().map(TimedRate::rate));
            let rates: Vec<String> =
                rates.map(|(commands, time)| format!("{} in {} s", grouped(u64::from(commands)), time.as_secs())).collect();
            format!("rate: {}", rates.join("; "))
        }
        Bound::Latency => format!("latency: {} in flight", in_flight(forecast)),
        Bound::Registry => format!("the registry's own time: {} in flight", in_flight(forecast)),
        Bound::Logins => format!("logins: {}", grouped(forecast.commands.logins)),
    }
}

fn in_flight(forecast: &Forecast) -> String {
    format!("{} × {}", forecast.sessions, forecast.in_flight)
}

fn hours(time: Duration) -> f64 {
    time.as_secs_f64() / 3600.0
}

/// Hours to three digits, or to thousandths.
fn span(hours: f64) -> String {
    match hours {
        h if h >= 100.0 => grouped(whole(h)),
        h if h >= 10.0 => format!("{h:.1}"),
        h if h >= 1.0 => format!("{h:.2}"),
        h => format!("{h:.3}"),
    }
}

fn speed(per_second: f64) -> String {
    if per_second >= 100.0 { grouped(whole(per_second)) } else { format!("{per_second:.1}") }
}

fn nights(nights: Option<u64>) -> String {
    nights.map_or_else(|| "never".to_owned(), grouped)
}

/// The length of a night.
fn length(hours: f64) -> String {
    if hours.fract() == 0.0 { format!("{hours} h") } else { format!("{:.0} min", hours * 60.0) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours and speeds, far below 2^53")]
fn whole(n: f64) -> u64 {
    n.round() as u64
}
