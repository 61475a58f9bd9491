//! `simulate`: what a night will take at each registry, by the pools that would run it, in virtual time. Nothing is sent.

use super::config::{Loaded, RegistryConfig};
use super::pulling::language;
use super::simulated::{Simulated, SimulatedChanges, SimulatedRegistry};
use super::{Ended, within};
use crate::apply::IN_HAND;
use crate::base::{Blame, Exit, Problem, Problems, RegistryId, Result, Secret, Timestamp};
use crate::dataset::{ByState, Snapshot};
use crate::forecast::{Forecast, Plain, QuotaTerms, Registry, Task, Terms, Timing, fits, forecast};
use crate::policy::{Profile, profile, profile_names};
use crate::session::{Account, Allowance, DEFAULT_RESERVE, DEFAULT_SHARE, Setup};
use jiff::civil::{Date, Time, date};
use std::sync::Arc;
use std::time::Duration;

/// The most objects at one registry.
pub const MOST_OBJECTS: u64 = 100_000_000_000;
/// Commands that a session sends before its first answer, where so many may be in flight.
const AT_FIRST: u16 = 8;
/// The most commands of a rate: a turn of them is driven one by one.
const MOST_RATE: u32 = 250_000;
/// The day of the first night. Equal inputs have equal outputs, on whatever day.
const DAY: Date = date(2026, 1, 13);
/// Round trip to a registry of which nothing else is said.
const ROUND_TRIP: Duration = Duration::from_millis(40);

/// What is held at one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetOf {
    /// A registry of the configuration, or a bundled profile.
    pub name: String,
    /// Contacts.
    pub contacts: u64,
    /// Domains.
    pub domains: u64,
}

/// A time that holds for one registry, or for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeOf {
    /// The registry; none means all of which nothing else is said.
    pub name: Option<String>,
    /// The time.
    pub time: Duration,
}

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct SimulateOptions {
    /// What is held where; empty means as the newest snapshots have it.
    pub fleet: Vec<FleetOf>,
    /// How many times as much there is.
    pub times: u64,
    /// Round trips.
    pub latency: Vec<TimeOf>,
    /// Registries' own time for a command.
    pub service: Vec<TimeOf>,
    /// Sessions at each registry, in the place of our share of them.
    pub sessions: Option<u16>,
    /// Our share of each account, in the place of the configuration's.
    pub share: Option<f64>,
    /// Changes, over all registries by their domains.
    pub changes: u64,
    /// How long a night is.
    pub window: Duration,
    /// When it begins, on each registry's own clock.
    pub from: Time,
}

/// A registry that is simulated.
struct Place {
    id: RegistryId,
    profile: Arc<Profile>,
    contacts: u64,
    domains: u64,
    changes: u64,
    share: f64,
    reserve: u8,
    timing: Timing,
}

/// `simulate`: predicts the nights of a fleet.
///
/// # Errors
/// `E-simulate-001` for a name that is neither a registry nor a profile, `E-simulate-002` where there is no snapshot to take sizes from,
/// `E-simulate-003` for sizes that nobody has, `E-simulate-004` for a rate that is too large to be driven,
/// `E-simulate-005` for a line on which no answer would come in time.
pub fn simulate(loaded: Option<&Loaded>, options: &SimulateOptions) -> Result<Ended, Problems> {
    let places = places(loaded, options)?;
    let registries = places.iter().map(|place| one(place, options)).collect::<Result<Vec<_>>>()?;
    let told = Simulated::of(registries, options.window, options.from);
    let exits = if told.fits() { vec![Exit::Done] } else { vec![Exit::Findings] };
    let text = told.text();
    Ok(Ended { exits, json: serde_json::to_value(&told).unwrap_or_default(), text, problems: Vec::new() })
}

/// The registries, with what is held there and how far away they are.
fn places(loaded: Option<&Loaded>, options: &SimulateOptions) -> Result<Vec<Place>, Problems> {
    let mut places = Vec::new();
    if options.fleet.is_empty() {
        let Some(loaded) = loaded else { return Err(unsized_fleet("there is no configuration").into()) };
        for (id, registry) in &loaded.config.registries {
            let Some(snapshot) = Snapshot::newest(&loaded.config.state, id)? else {
                return Err(unsized_fleet(&format!("{id} has no whole snapshot to take its size from")).into());
            };
            let counts = &snapshot.manifest().counts;
            places.push(Place::of(id.clone(), Some(registry), &registry.profile, (visited(&counts.contacts), visited(&counts.domains))));
        }
    }
    for of in &options.fleet {
        let configured = loaded.and_then(|loaded| loaded.config.registries.get_key_value(&RegistryId::from(of.name.as_str())));
        let place = match configured {
            Some((id, registry)) => Place::of(id.clone(), Some(registry), &registry.profile, (of.contacts, of.domains)),
            None if profile_names().contains(&of.name.as_str()) => {
                Place::of(RegistryId::new(of.name.as_str()), None, &profile(&of.name)?, (of.contacts, of.domains))
            }
            None => {
                let configured = loaded.iter().flat_map(|loaded| loaded.config.registries.keys()).map(RegistryId::as_str);
                return Err(nobody(&of.name, &configured.chain(profile_names()).collect::<Vec<_>>(), "--fleet").into());
            }
        };
        if places.iter().any(|known: &Place| known.id == place.id) {
            let what = format!("`{}` is named twice", of.name);
            return Err(Problem::new("E-simulate-003", Blame::Operator, what, "give each registry once").field("--fleet").into());
        }
        places.push(place);
    }
    let known: Vec<&str> = places.iter().map(|place| place.id.as_str()).collect();
    for (given, field) in [(&options.latency, "--latency"), (&options.service, "--service")] {
        if let Some(name) = given.iter().filter_map(|of| of.name.as_deref()).find(|name| !known.contains(name)) {
            return Err(nobody(name, &known, field).into());
        }
    }
    size(&mut places, options)?;
    Ok(places)
}

/// Brings the sizes to what is asked for, and spreads the changes.
fn size(places: &mut [Place], options: &SimulateOptions) -> Result<()> {
    for place in &mut *places {
        let times = |n: u64| n.checked_mul(options.times).filter(|n| *n <= MOST_OBJECTS);
        let (Some(contacts), Some(domains)) = (times(place.contacts), times(place.domains)) else {
            let what = format!("{} times so many objects are more than {MOST_OBJECTS}", options.times);
            return Err(Problem::new("E-simulate-003", Blame::Operator, what, "give smaller sizes").object(place.id.as_str()));
        };
        (place.contacts, place.domains) = (if place.profile.has_contacts() { contacts } else { 0 }, domains);
        if place.contacts + place.domains == 0 {
            let what = "there are neither contacts nor domains, so that nothing is asked for";
            return Err(
                Problem::new("E-simulate-003", Blame::Operator, what, "give sizes over 0, or leave it out").object(place.id.as_str())
            );
        }
        let limits = &place.profile.limits;
        let rates = limits.rate.iter().map(|rule| rule.value).chain(limits.rate_windows.iter().map(|rule| rule.value.rate));
        if let Some(rate) = rates.into_iter().find(|rate| rate.commands > MOST_RATE) {
            let what = format!("a rate of {} commands in {} s is more than {MOST_RATE} in its time", rate.commands, rate.seconds);
            let remedy = "write it as a rate over a shorter time";
            return Err(Problem::new("E-simulate-004", Blame::Operator, what, remedy).object(place.id.as_str()));
        }
        place.share = options.share.unwrap_or(place.share);
        let own = |given: &[TimeOf]| {
            let of = |name: Option<&str>| given.iter().rfind(|of| of.name.as_deref() == name).map(|of| of.time);
            of(Some(place.id.as_str())).or_else(|| of(None))
        };
        place.timing = Timing::of(own(&options.latency).unwrap_or(ROUND_TRIP), own(&options.service).unwrap_or_default());
        let queue = u32::from(limits.read_window.value.clamp(1, AT_FIRST));
        let (last, reply) = (place.timing.round_trip + place.timing.service * queue, limits.reply_seconds.value);
        if last >= Duration::from_secs(u64::from(reply)) {
            let what = format!("the first answers would be there after {} s, and a pool waits for {reply} s", last.as_secs());
            let remedy = "give a shorter --latency or --service";
            return Err(Problem::new("E-simulate-005", Blame::Operator, what, remedy).object(place.id.as_str()));
        }
    }
    // By the domains up to each: what is left over by rounding goes to the last ones.
    let all: u128 = places.iter().map(|place| u128::from(place.domains.max(1))).sum();
    let (mut until, mut given) = (0_u128, 0_u64);
    for place in places {
        until += u128::from(place.domains.max(1));
        let so_far = u64::try_from(u128::from(options.changes) * until / all.max(1)).unwrap_or(u64::MAX);
        place.changes = so_far - given;
        given = so_far;
    }
    Ok(())
}

impl Place {
    fn of(id: RegistryId, registry: Option<&RegistryConfig>, profile: &Arc<Profile>, (contacts, domains): (u64, u64)) -> Self {
        Self {
            id,
            profile: Arc::clone(profile),
            contacts,
            domains,
            changes: 0,
            share: registry.map_or(f64::from(DEFAULT_SHARE) / 100.0, |registry| registry.share),
            reserve: registry.map_or(DEFAULT_RESERVE, |registry| within::percent(registry.quota_reserve)),
            timing: Timing::of(ROUND_TRIP, Duration::ZERO),
        }
    }

    /// The setup that a pull would have, but for the account's name and password: nobody gets to see these.
    fn setup(&self, share: f64, sessions: Option<u16>) -> Setup {
        let account = Account { client: "forecast".into(), password: Secret::new("forecast"), new_password: None };
        let (framer, dialect) = language(account, &self.profile);
        let mut allowance = Allowance::of(&self.profile.limits, within::percent(share));
        allowance.sessions = sessions.unwrap_or(allowance.sessions);
        Setup { registry: self.id.clone(), prefix: "forecast".into(), dialect, framer, allowance, seed: 0, first_session: 1 }
    }

    /// Has `ask` tell something of the terms with that share of the account.
    fn under<T>(&self, share: f64, options: &SimulateOptions, ask: impl FnOnce(&Terms<'_>) -> Result<T>) -> Result<T> {
        let limits = &self.profile.limits;
        let zone = within::zone_of(limits);
        let from = zone.to_timestamp(DAY.to_datetime(options.from)).unwrap_or(Timestamp::UNIX_EPOCH);
        let points = within::points(limits, self.domains, share);
        let plain = Plain::of(&self.profile);
        let terms = Terms {
            setup: &|| self.setup(share, options.sessions),
            registry: &|| Box::new(plain.clone()) as Box<dyn Registry>,
            timing: self.timing,
            limits,
            quota: points.map(|points| QuotaTerms { points, reserve: self.reserve, zone }),
            from,
            window: options.window,
        };
        ask(&terms)
    }

    /// The least share of the account with which a pull fits into one night, in percent, where `pull` tells what it takes with the present
    /// one; none where even all of it does not.
    fn needs(&self, task: Task, pull: &Forecast, options: &SimulateOptions) -> Result<Option<u8>> {
        let fits = |percent: u8| self.under(f64::from(percent) / 100.0, options, |terms| fits(terms, task));
        // Where a rate or a quota limits, what is needed grows as they do, so that few guesses are enough.
        let short = (pull.units as f64 / pull.a_night.max(1) as f64).max(pull.time.as_secs_f64() / options.window.as_secs_f64());
        let guess = within::percent((self.share * short).clamp(0.01, 1.0));
        // `low` does not fit, or is 0; `high` does, or is 101.
        let (mut low, mut high) = if fits(guess)? { (0, guess) } else { (guess, 101) };
        let mut next = if high == guess { guess.saturating_sub(1) } else { guess + 1 };
        while high - low > 1 {
            let middle = next.clamp(low + 1, high - 1);
            if fits(middle)? {
                high = middle;
            } else {
                low = middle;
            }
            next = u8::midpoint(low, high);
        }
        Ok((high <= 100).then_some(high))
    }
}

/// What is to be expected of one registry.
fn one(place: &Place, options: &SimulateOptions) -> Result<SimulatedRegistry> {
    let task = Task::Pull { domains: place.domains, contacts: place.contacts };
    let pull = place.under(place.share, options, |terms| forecast(terms, task))?;
    let setup = place.setup(place.share, options.sessions);
    let mut told = SimulatedRegistry::of(&place.id, &place.profile.id, &pull, &setup.allowance, place.timing);
    (told.contacts, told.domains) = (place.contacts, place.domains);
    told.share_percent = within::percent(place.share);
    told.needs.share_percent = place.needs(task, &pull, options)?;
    told.needs.commands_per_second = pull.commands.total() as f64 / options.window.as_secs_f64();
    let quota = within::points(&place.profile.limits, place.domains, place.share);
    told.quota = quota.map(|points| points.saturating_mul(u64::from(100 - place.reserve.min(100))) / 100);
    if place.changes > 0 {
        let in_hand = usize::from(place.profile.limits.sessions.value).max(1) * IN_HAND;
        let task = Task::Apply { changes: place.changes, of_contacts: place.contacts > 0, in_hand };
        let mut changes = SimulatedChanges::of(&place.under(place.share, options, |terms| forecast(terms, task))?, &setup.allowance);
        changes.keep_to(quota.map(|points| points - told.quota.unwrap_or_default()));
        told.changes = Some(changes);
    }
    told.judge(options.window);
    Ok(told)
}

/// Objects that a pull asks for: each one that it asked for the last time.
const fn visited(counts: &ByState) -> u64 {
    counts.ok + counts.missing + counts.unreadable + counts.refused
}

/// That nobody said how much there is.
fn unsized_fleet(why: &str) -> Box<Problem> {
    let remedy = "give the sizes, such as --fleet gtld-thick=300000,250000, or run `privet pull` first";
    Problem::new("E-simulate-002", Blame::Operator, why, remedy)
}

/// That a name is none of those that are known there.
fn nobody(name: &str, known: &[&str], field: &str) -> Box<Problem> {
    let nearest = known.iter().map(|known| (strsim::levenshtein(known, name), *known)).filter(|(edits, _)| *edits <= 3).min();
    let remedy = match nearest.map(|(_, near)| near) {
        Some(near) => format!("did you mean `{near}`? Known: {}", known.join(", ")),
        None => format!("known: {}", known.join(", ")),
    };
    Problem::new("E-simulate-001", Blame::Operator, format!("there is no registry `{name}` here"), remedy).field(field)
}
