//! What can be turned on a bundled registry, as data: `key=value`, from the command line or a file.

use super::faults::{Fault, Stage};
use super::points::PointsRule;
use super::rri;
use crate::base::{Blame, Problem, Result, Secret};
use crate::policy;
use std::str::FromStr;
use std::time::Duration;

/// What a registry does with a session that was idle for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IdleAnswer {
    /// Closes the connection.
    #[default]
    Cut,
    /// Answers the next command with 2201, "session timeout", and forgets the login.
    TimedOut,
    /// Answers the next command with 2002, "not logged in".
    NotLoggedIn,
}

/// What a registry does with a command over the account's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OverLimit {
    /// Answers 2502 and closes the connection.
    #[default]
    Close2502,
    /// Answers 2502 and keeps the session.
    Keep2502,
    /// Answers 2308 and keeps the session.
    Keep2308,
    /// Closes the connection without a word.
    Cut,
}

/// A limit: the profile's, none, or another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Limit<T> {
    #[default]
    Profile,
    Off,
    Is(T),
}

impl<T: Copy> Limit<T> {
    fn or(self, profile: Option<T>) -> Option<T> {
        match self {
            Self::Profile => profile,
            Self::Off => None,
            Self::Is(value) => Some(value),
        }
    }
}

/// A fault and when it strikes. All conditions hold at once; without any it strikes always.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSpec {
    /// What happens.
    pub fault: Fault,
    /// Where it happens.
    pub stage: Stage,
    /// At every so many-th opportunity.
    pub every: u64,
    /// From that opportunity on, counted from 1.
    pub from: u64,
    /// At most so many times.
    pub times: u64,
    /// With that probability, 0 to 1, drawn from the seed.
    pub probability: f64,
    /// Only in answers about the object of that handle or name.
    pub object: Option<Box<str>>,
    /// How long what is slow about it takes, where it is slow.
    pub delay: Option<Duration>,
}

/// The knobs of a bundled registry.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Knobs {
    /// Time from a command's arrival to its answer; commands in flight overlap.
    pub latency: Duration,
    /// Time that the commands of one session take one after another.
    pub service: Duration,
    /// Time by which each refusal comes later.
    pub error_delay: Duration,
    /// Messages in the queue at the start.
    pub messages: u32,
    /// What becomes of idle sessions.
    pub idle_answer: IdleAnswer,
    /// What becomes of commands over the rate.
    pub over_limit: OverLimit,
    /// Whether rules of the profile that nobody has seen refuse as well.
    pub strict_unknown: bool,
    /// Whether an authority's order lies with the registry, so that statuses may be set which need one.
    pub order_served: bool,
    /// The faults.
    pub faults: Vec<FaultSpec>,
    /// Another registrar's account: client identifier and password.
    pub rival: Option<(Box<str>, Secret)>,
    sessions: Limit<u32>,
    idle: Limit<u32>,
    age: Limit<u32>,
    commands: Limit<u32>,
    names: Limit<u32>,
    rate: Limit<policy::Rate>,
    quota: Limit<u64>,
    block: Limit<u32>,
    hit_points: Option<u16>,
}

/// The limits in force.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Sessions at a time.
    pub(super) sessions: Option<u32>,
    /// Time without a command.
    pub(super) idle: Option<Duration>,
    /// Life of a session.
    pub(super) age: Option<Duration>,
    /// Commands of a session.
    pub(super) commands: Option<u32>,
    /// Names in a check.
    pub(super) names: Option<u32>,
    /// Commands of the account in a time.
    pub(super) rate: Option<policy::Rate>,
    /// What becomes of idle sessions.
    pub(super) idle_answer: IdleAnswer,
    /// What becomes of commands over the rate.
    pub(super) over_limit: OverLimit,
    /// Requests in a time and points in a day, as RRI has them.
    pub(super) rri: rri::Limits,
}

/// The keys, for the remedy of a wrong one.
const KEYS: &str = "latency_ms, service_ms, error_delay_ms, messages, sessions, idle_seconds, age_seconds, commands_per_session, \
                    names_per_check, rate (COMMANDS/SECONDS), quota, block_seconds, hit_points, idle_answer (cut, 2201, 2002), strict_unknown (on, off), order_served (on, off), rival (CLIENT/PASSWORD), over_limit (2502, 2502-keep, 2308, cut), \
                    fault (NAME[:every=N][:from=N][:times=N][:probability=P][:object=ID][:ms=N][:on=connect|greeting|login|session|query|transform])";

impl Knobs {
    /// Reads settings of the form `key=value`.
    ///
    /// # Errors
    /// `E-mock-010` with the setting at fault.
    pub fn read<'a>(settings: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut knobs = Self::default();
        for setting in settings {
            knobs.set(setting)?;
        }
        Ok(knobs)
    }

    /// Turns one knob, `key=value`.
    ///
    /// # Errors
    /// `E-mock-010`.
    pub fn set(&mut self, setting: &str) -> Result<()> {
        let Some((key, value)) = setting.split_once('=') else { return Err(wrong(setting, "no `=` in it")) };
        match key.trim() {
            "latency_ms" => self.latency = milliseconds(setting, value)?,
            "service_ms" => self.service = milliseconds(setting, value)?,
            "error_delay_ms" => self.error_delay = milliseconds(setting, value)?,
            "messages" => self.messages = number(setting, value)?,
            "sessions" => self.sessions = limit(value, || number(setting, value))?,
            "idle_seconds" => self.idle = limit(value, || number(setting, value))?,
            "age_seconds" => self.age = limit(value, || number(setting, value))?,
            "commands_per_session" => self.commands = limit(value, || number(setting, value))?,
            "names_per_check" => self.names = limit(value, || number(setting, value))?,
            "quota" => self.quota = limit(value, || number(setting, value))?,
            "block_seconds" => self.block = limit(value, || number(setting, value))?,
            "hit_points" => self.hit_points = Some(number(setting, value)?),
            "rate" => self.rate = limit(value, || rate(setting, value))?,
            "idle_answer" => {
                self.idle_answer = match value {
                    "cut" => IdleAnswer::Cut,
                    "2201" => IdleAnswer::TimedOut,
                    "2002" => IdleAnswer::NotLoggedIn,
                    _ => return Err(wrong(setting, "cut, 2201 or 2002")),
                }
            }
            "over_limit" => {
                self.over_limit = match value {
                    "2502" => OverLimit::Close2502,
                    "2502-keep" => OverLimit::Keep2502,
                    "2308" => OverLimit::Keep2308,
                    "cut" => OverLimit::Cut,
                    _ => return Err(wrong(setting, "2502, 2502-keep, 2308 or cut")),
                }
            }
            "strict_unknown" => self.strict_unknown = switch(setting, value)?,
            "order_served" => self.order_served = switch(setting, value)?,
            "rival" => {
                let parts = value.split_once('/').filter(|(client, password)| (3..=16).contains(&client.len()) && password.len() >= 6);
                let (client, password) =
                    parts.ok_or_else(|| wrong(setting, "CLIENT/PASSWORD is wanted, of 3 and 6 characters at least"))?;
                self.rival = Some((client.into(), Secret::new(password)));
            }
            "fault" => self.faults.push(fault(setting, value)?),
            _ => return Err(wrong(setting, "there is no such knob")),
        }
        Ok(())
    }

    /// How points for errors are counted, where the registry counts them: until the account is blocked, perhaps others than it announces.
    pub(super) fn hit_points(&self, announced: Option<PointsRule>) -> Option<PointsRule> {
        announced.map(|rule| PointsRule { most: self.hit_points.unwrap_or(rule.most), ..rule })
    }

    /// The limits in force over a profile's.
    pub(super) fn limits(&self, profile: &policy::Limits) -> Limits {
        let seconds = |limit: Option<u32>| limit.map(|s| Duration::from_secs(u64::from(s)));
        Limits {
            sessions: self.sessions.or(Some(u32::from(profile.sessions.value))),
            idle: seconds(self.idle.or(Some(profile.idle_seconds.value))),
            age: seconds(self.age.or(profile.age_seconds.as_ref().map(|r| r.value))),
            commands: self.commands.or(profile.commands_per_session.as_ref().map(|r| r.value)),
            names: self.names.or(Some(u32::from(profile.names_per_check.value))),
            rate: self.rate.or(profile.rate.as_ref().map(|r| r.value)),
            idle_answer: self.idle_answer,
            over_limit: self.over_limit,
            rri: self.rri(profile),
        }
    }

    /// The limits of an account that speaks RRI. A rate of one's own holds at every time of the day.
    fn rri(&self, profile: &policy::Limits) -> rri::Limits {
        let windows = if matches!(self.rate, Limit::Profile) { profile.rate_windows.as_slice() } else { &[] };
        rri::Limits {
            rate: self.rate.or(profile.rate.as_ref().map(|r| r.value)),
            windows: windows.iter().map(|r| r.value.clone()).collect(),
            block: Duration::from_secs(u64::from(self.block.or(Some(profile.back_off_seconds.value)).unwrap_or_default())),
            quota: self.quota.or(profile.daily_quota.value.points(0)),
            zone: profile.zone.as_ref().map(|r| r.value.clone()),
        }
    }
}

impl TryFrom<Vec<String>> for Knobs {
    type Error = Box<Problem>;

    fn try_from(settings: Vec<String>) -> Result<Self> {
        Self::read(settings.iter().map(String::as_str))
    }
}

fn wrong(setting: &str, why: &str) -> Box<Problem> {
    Problem::new("E-mock-010", Blame::Operator, format!("knob `{setting}`: {why}"), format!("known: {KEYS}"))
}

fn switch(setting: &str, value: &str) -> Result<bool> {
    match value.trim() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(wrong(setting, "on or off is wanted")),
    }
}

fn number<N: FromStr>(setting: &str, value: &str) -> Result<N> {
    value.trim().parse().map_err(|_| wrong(setting, "a number is wanted"))
}

/// Milliseconds, with a fraction where wanted, up to an hour.
fn milliseconds(setting: &str, value: &str) -> Result<Duration> {
    let ms: f64 = number(setting, value)?;
    if !(0.0..=3_600_000.0).contains(&ms) {
        return Err(wrong(setting, "0 to 3600000 are possible"));
    }
    Ok(Duration::from_secs_f64(ms / 1000.0))
}

fn limit<T>(value: &str, read: impl FnOnce() -> Result<T>) -> Result<Limit<T>> {
    if value == "off" { Ok(Limit::Off) } else { read().map(Limit::Is) }
}

fn rate(setting: &str, value: &str) -> Result<policy::Rate> {
    let (commands, seconds) = value.split_once('/').ok_or_else(|| wrong(setting, "COMMANDS/SECONDS is wanted"))?;
    Ok(policy::Rate { commands: number(setting, commands)?, seconds: number(setting, seconds)? })
}

/// `NAME[:key=value]…`. An object's name may hold no colon, which no handle and no domain name does.
fn fault(setting: &str, value: &str) -> Result<FaultSpec> {
    let mut parts = value.split(':');
    let name = parts.next().unwrap_or_default();
    let fault = Fault::named(name).ok_or_else(|| wrong(setting, &format!("no fault `{name}`; there are {}", Fault::names().join(", "))))?;
    let mut spec =
        FaultSpec { fault, stage: fault.stage(), every: 1, from: 1, times: u64::MAX, probability: 1.0, object: None, delay: None };
    for part in parts {
        let Some((key, value)) = part.split_once('=') else { return Err(wrong(setting, "a condition without `=`")) };
        match key {
            "every" => spec.every = number(setting, value)?,
            "from" => spec.from = number(setting, value)?,
            "times" => spec.times = number(setting, value)?,
            "probability" => spec.probability = number(setting, value)?,
            "ms" => spec.delay = Some(milliseconds(setting, value)?),
            "object" => spec.object = Some(value.into()),
            "on" => {
                spec.stage =
                    Stage::named(value).ok_or_else(|| wrong(setting, "on is connect, greeting, login, session, query or transform"))?;
            }
            _ => return Err(wrong(setting, "conditions are every, from, times, probability, object, ms, on")),
        }
    }
    let possible = spec.every > 0 && spec.from > 0 && (0.0..=1.0).contains(&spec.probability);
    if !possible || !fault.may_strike(spec.stage) {
        return Err(wrong(setting, "this condition can never hold for this fault"));
    }
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs_are_read_and_wrong_ones_named() {
        let knobs = Knobs::read(["latency_ms=30", "service_ms=0.5", "rate=5/2", "sessions=off", "fault=row-24-twice:every=10:from=3"])
            .expect("good knobs");
        assert_eq!((knobs.latency, knobs.service), (Duration::from_millis(30), Duration::from_micros(500)));
        assert_eq!((knobs.faults[0].every, knobs.faults[0].from, knobs.faults[0].stage), (10, 3, Stage::Session));
        let limits = knobs.limits(&policy::profile("gtld-thick").expect("embedded").limits);
        assert_eq!((limits.sessions, limits.rate), (None, Some(policy::Rate { commands: 5, seconds: 2 })));
        for bad in [
            "latency",
            "latency_ms=-1",
            "latency_ms=NaN",
            "nope=1",
            "fault=row-99",
            "fault=row-24-twice:every=0",
            "fault=row-11-unheard:on=query",
            "rival=x",
            "rate=5",
        ] {
            assert!(Knobs::read([bad]).expect_err(bad).to_string().contains(bad), "{bad}");
        }
    }
}
