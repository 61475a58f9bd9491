//! What one registry account may use, and the part of it that is ours.

use super::exchange::Now;
use crate::base::{Moment, Timestamp};
use crate::policy::{self, Limits, RateWindow};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::time::Duration;

/// The share of sessions and rates that is ours where nobody says otherwise: the account is shared with production.
pub const DEFAULT_SHARE: u8 = 50;

/// How far the registry's clock may be from ours where a rate changes with the time of day.
const SKEW: i64 = 30;
/// Seconds between the points at which the time of day is looked at; no window is as short.
const STEP: usize = 30;

/// Our part of an account's limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Sessions at a time, at least 1.
    pub sessions: u16,
    /// Time without a command after which the registry cuts a session.
    pub idle: Duration,
    /// Age at which it does so.
    pub age: Option<Duration>,
    /// Commands after which it does so.
    pub commands_per_session: Option<u32>,
    /// Commands in a time, over all sessions.
    pub rate: Option<(u32, Duration)>,
    /// Other rates at some times of the day.
    pub rate_windows: Vec<TimedRate>,
    /// Names in one check.
    pub names_per_check: u16,
    /// Reads in flight on one session.
    pub read_window: u16,
    /// Time within which an answer must be complete.
    pub reply: Duration,
    /// Pause after a limit was met.
    pub back_off: Duration,
}

impl Allowance {
    /// `percent` of what `limits` allow. Sessions and rates are shared with production; what holds for each session is not.
    #[must_use]
    pub fn of(limits: &Limits, percent: u8) -> Self {
        let part = |whole: u64| (whole * u64::from(percent.clamp(1, 100)) / 100).max(1);
        let seconds = |n: u32| Duration::from_secs(u64::from(n));
        let rate = |rate: policy::Rate| (u32::try_from(part(u64::from(rate.commands))).unwrap_or(u32::MAX), seconds(rate.seconds));
        Self {
            sessions: u16::try_from(part(u64::from(limits.sessions.value))).unwrap_or(u16::MAX),
            idle: seconds(limits.idle_seconds.value),
            age: limits.age_seconds.as_ref().map(|rule| seconds(rule.value)),
            commands_per_session: limits.commands_per_session.as_ref().map(|rule| rule.value),
            rate: limits.rate.as_ref().map(|rule| rate(rule.value)),
            rate_windows: limits.rate_windows.iter().map(|rule| TimedRate::of(&rule.value, rate(rule.value.rate))).collect(),
            names_per_check: limits.names_per_check.value.max(1),
            read_window: limits.read_window.value.max(1),
            reply: seconds(limits.reply_seconds.value.max(1)),
            back_off: seconds(limits.back_off_seconds.value),
        }
    }
}

impl Allowance {
    /// Into how many parts it can be cut for so many workers: none is without a session, or without a command in the time of a rate.
    #[must_use]
    pub fn parts(&self, workers: u32) -> u32 {
        let rates = self.rates().map(|(commands, _)| commands);
        rates.chain([u32::from(self.sessions)]).fold(workers, u32::min).max(1)
    }

    /// Part `number`, from 1, of so many. All parts together are no more than the whole.
    #[must_use]
    pub fn part(&self, number: u32, of: u32) -> Self {
        let share = |whole: u32| whole / of + u32::from(number <= whole % of);
        let rate = |(commands, time): (u32, Duration)| (share(commands), time);
        Self {
            sessions: u16::try_from(share(u32::from(self.sessions))).unwrap_or(u16::MAX),
            rate: self.rate.map(rate),
            rate_windows: self.rate_windows.iter().map(|window| TimedRate { rate: rate(window.rate), ..window.clone() }).collect(),
            ..self.clone()
        }
    }

    /// How long a command counts against any of its rates, at most.
    #[must_use]
    pub fn remembers(&self) -> Duration {
        self.rates().map(|(_, time)| time + time / 50).max().unwrap_or_default()
    }

    fn rates(&self) -> impl Iterator<Item = (u32, Duration)> {
        self.rate.into_iter().chain(self.rate_windows.iter().map(|window| window.rate))
    }
}

/// A rate that holds at some time of the day, on the registry's own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedRate {
    from: Time,
    until: Time,
    zone: TimeZone,
    rate: (u32, Duration),
}

impl TimedRate {
    /// The times of `window`, with our part of its rate: commands in a time.
    #[must_use]
    pub fn of(window: &RateWindow, rate: (u32, Duration)) -> Self {
        Self { from: window.from, until: window.until, zone: window.zone.rules().clone(), rate }
    }

    /// Our part of its rate: commands in a time.
    pub(crate) const fn rate(&self) -> (u32, Duration) {
        self.rate
    }

    /// Whether the registry's clock shows a time in the window. An hour that a change of clocks brings twice counts twice.
    fn holds(&self, wall: Timestamp) -> bool {
        let time = self.zone.to_datetime(wall).time();
        if self.from <= self.until { (self.from..self.until).contains(&time) } else { time >= self.from || time < self.until }
    }
}

/// Commands, and the time they are counted over.
type Rate = (usize, Duration);

/// Counts commands in a sliding time.
#[derive(Clone, Debug, Default)]
pub(super) struct RateMeter {
    /// The rate where no window holds.
    usual: Option<Rate>,
    windows: Vec<(TimedRate, Rate)>,
    /// The rate at the time that was last asked for.
    current: Option<Rate>,
    /// The longest time of all.
    longest: Duration,
    /// When each command still counted was sent.
    sent: VecDeque<Moment>,
    /// The most commands that were counted at a time.
    peak: usize,
    minute: MinuteMeter,
}

/// Counts the most commands in any minute, whatever is limited.
#[derive(Clone, Debug, Default)]
struct MinuteMeter {
    /// Milliseconds in which commands were sent, and how many: a minute has 60,000 of them, and no more are kept.
    sent: VecDeque<(u128, u64)>,
    /// Commands in those.
    within: u64,
    peak: u64,
}

impl MinuteMeter {
    const MINUTE: u128 = 60_000;

    fn sent(&mut self, now: Moment) {
        let at = now.since_origin().as_millis();
        while let Some((_, gone)) = self.sent.front().copied().filter(|(sent, _)| at.saturating_sub(*sent) >= Self::MINUTE) {
            self.sent.pop_front();
            self.within = self.within.saturating_sub(gone);
        }
        match self.sent.back_mut().filter(|(last, _)| *last == at) {
            Some((_, commands)) => *commands += 1,
            None => self.sent.push_back((at, 1)),
        }
        self.within += 1;
        self.peak = self.peak.max(self.within);
    }
}

impl RateMeter {
    /// A meter for the rates of `allowance`. The line may bring commands closer together than they were sent, so that each time is taken
    /// a fiftieth longer.
    #[must_use]
    pub(super) fn new(allowance: &Allowance) -> Self {
        let longer = |(commands, time): (u32, Duration)| (usize::try_from(commands).unwrap_or(usize::MAX).max(1), time + time / 50);
        let usual = allowance.rate.map(longer);
        let windows: Vec<_> = allowance.rate_windows.iter().map(|w| (w.clone(), longer(w.rate))).collect();
        let longest = windows.iter().map(|(_, rate)| rate).chain(&usual).map(|(_, time)| *time).max().unwrap_or_default();
        Self { usual, windows, current: usual, longest, sent: VecDeque::new(), peak: 0, minute: MinuteMeter::default() }
    }

    /// How many commands may be sent now.
    pub(super) fn room(&mut self, now: Now) -> usize {
        while self.sent.front().is_some_and(|&sent| now.at.since(sent) >= self.longest) {
            self.sent.pop_front();
        }
        self.current = self.rate_from(now.wall);
        let Some((commands, time)) = self.current else { return usize::MAX };
        let gone = self.sent.partition_point(|&sent| now.at.since(sent) >= time);
        commands.saturating_sub(self.sent.len() - gone)
    }

    /// Takes note of a command.
    pub(super) fn sent(&mut self, now: Moment) {
        self.minute.sent(now);
        if self.usual.is_some() || !self.windows.is_empty() {
            self.sent.push_back(now);
            let time = self.usual.map_or(self.longest, |(_, time)| time);
            let gone = self.sent.partition_point(|&sent| now.since(sent) >= time);
            self.peak = self.peak.max(self.sent.len() - gone);
        }
    }

    /// The most commands that were ever counted at a time; 0 where nothing is limited.
    #[must_use]
    pub(super) const fn peak(&self) -> usize {
        self.peak
    }

    /// The most commands that were ever sent in a minute, on lines without a limit, too.
    #[must_use]
    pub(super) const fn minute_peak(&self) -> u64 {
        self.minute.peak
    }

    /// When the next command may be sent at the present rate, where none may be sent now.
    #[must_use]
    pub(super) fn next_room(&self) -> Option<Moment> {
        let (commands, time) = self.current?;
        let blocking = self.sent.len().checked_sub(commands)?;
        self.sent.get(blocking).map(|&sent| sent + time)
    }

    /// The rate for a command sent at `wall`. It is counted until a whole time later, when another rate may hold already: the slowest of
    /// those that it will be counted under is the one to keep, on whichever of the two clocks.
    fn rate_from(&self, wall: Timestamp) -> Option<Rate> {
        if self.windows.is_empty() {
            return self.usual;
        }
        let end = SKEW + i64::try_from(self.longest.as_secs()).unwrap_or(i64::MAX / 2) + 1;
        let at = |seconds: i64| wall.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(wall);
        let points = (-SKEW..end).step_by(STEP).chain([end]).map(at);
        points.filter_map(|point| self.rate_at(point)).min_by(|a, b| speed(*a).total_cmp(&speed(*b)))
    }

    /// The rate in force at `wall`.
    fn rate_at(&self, wall: Timestamp) -> Option<Rate> {
        self.windows.iter().find(|(window, _)| window.holds(wall)).map(|(_, rate)| *rate).or(self.usual)
    }
}

/// Commands in a second.
fn speed((commands, time): Rate) -> f64 {
    commands as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::profile;

    #[test]
    fn half_of_the_account_is_ours_by_default() {
        let limits = &profile("gtld-thick").expect("embedded").limits;
        let ours = Allowance::of(limits, DEFAULT_SHARE);
        assert_eq!((ours.sessions, ours.read_window), (limits.sessions.value / 2, limits.read_window.value));
        assert_eq!(Allowance::of(limits, 1).sessions, 1, "never none");
    }

    #[test]
    fn parts_are_together_what_the_whole_is_and_none_is_nothing() {
        for profile_name in ["gtld-thick", "denic", "nicit"] {
            let profile = profile(profile_name).expect("embedded");
            let whole = Allowance::of(&profile.limits, 50);
            for workers in 1..=40 {
                let of = whole.parts(workers);
                let parts: Vec<Allowance> = (1..=of).map(|number| whole.part(number, of)).collect();
                assert!((1..=workers).contains(&of) && parts.iter().all(|part| part.sessions > 0), "{profile_name} {workers}");
                assert_eq!(parts.iter().map(|part| part.sessions).sum::<u16>(), whole.sessions);
                let rates = |allowance: &Allowance| allowance.rates().map(|(commands, _)| commands).collect::<Vec<_>>();
                let sums = parts.iter().map(rates).reduce(|sum, part| sum.iter().zip(&part).map(|(a, b)| a + b).collect());
                assert_eq!(sums, Some(rates(&whole)));
                assert!(parts.iter().flat_map(rates).all(|commands| commands > 0));
            }
        }
    }

    /// Sends as fast as `allowance` lets it from `from` (UTC) for so many seconds; when each command was sent, in milliseconds.
    fn sent(allowance: &Allowance, from: &str, seconds: u64) -> Vec<u64> {
        let start: Timestamp = from.parse().expect("a time");
        let mut meter = RateMeter::new(allowance);
        let mut sent = Vec::new();
        for millis in (0..seconds * 1000).step_by(10) {
            let since = Duration::from_millis(millis);
            let wall = start + jiff::SignedDuration::try_from(since).expect("short");
            let now = Now { at: Moment::from_origin(since), wall };
            while meter.room(now) > 0 {
                meter.sent(now.at);
                sent.push(millis);
            }
            assert!(meter.next_room().is_some_and(|next| next > now.at));
        }
        sent
    }

    /// The most commands in any `millis` whose last one was sent between `from` and `to`, in milliseconds.
    fn most(sent: &[u64], millis: u64, from: u64, to: u64) -> usize {
        let ends = sent.iter().enumerate().filter(|(_, at)| (from..to).contains(*at));
        ends.map(|(n, &end)| sent[..=n].iter().rev().take_while(|&&at| at + millis > end).count()).max().unwrap_or_default()
    }

    fn denic() -> Allowance {
        Allowance::of(&profile("denic").expect("embedded").limits, 50)
    }

    #[test]
    fn no_sliding_time_holds_more_than_the_rate_and_nine_tenths_are_used() {
        let allowance = Allowance { rate: Some((100, Duration::from_secs(10))), rate_windows: Vec::new(), ..denic() };
        let sent = sent(&allowance, "2026-11-22T02:00:00Z", 100);
        assert!(most(&sent, 10_000, 0, u64::MAX) <= 100);
        assert!(sent.len() >= 900, "{}", sent.len());
    }

    #[test]
    fn the_peak_of_any_minute_is_counted_without_a_rate_too() {
        let mut meter = RateMeter::new(&Allowance { rate: None, rate_windows: Vec::new(), ..denic() });
        // Three a second for two minutes, and a burst of 500 that straddles a full minute.
        let burst = (59_900..60_100).flat_map(|at| std::iter::repeat_n(at, if at % 2 == 0 { 5 } else { 0 }));
        let mut times: Vec<u64> = (0..360).map(|n| n * 1000 / 3).chain(burst).collect();
        times.sort_unstable();
        for at in &times {
            meter.sent(Moment::from_origin(Duration::from_millis(*at)));
        }
        assert_eq!(usize::try_from(meter.minute_peak()).expect("few"), most(&times, 60_000, 0, u64::MAX));
        assert_eq!(
            (meter.peak(), meter.room(Now { at: Moment::ZERO, wall: Timestamp::UNIX_EPOCH })),
            (0, usize::MAX),
            "nothing is limited"
        );
        let quiet = Moment::from_origin(Duration::from_hours(1));
        meter.sent(quiet);
        assert_eq!((meter.minute.sent.len(), meter.minute.within), (1, 1), "what is older than a minute is gone");
    }

    #[test]
    fn the_night_window_is_kept_from_its_first_second_to_its_last() {
        // 02:00 in Berlin is 01:00 UTC in November; ten minutes before it until ten minutes behind its end.
        let sent = sent(&denic(), "2026-11-22T00:50:00Z", 140 * 60);
        let minute = |n: u64| n * 60_000;
        assert_eq!(most(&sent, 60_000, 0, minute(8)), 1000, "our half of 2,000");
        assert!(most(&sent, 60_000, minute(10), minute(130)) <= 100, "our half of 200, whatever was sent before 02:00");
        assert_eq!(most(&sent, 60_000, minute(132), minute(140)), 1000);
        let inside = sent.iter().filter(|at| (minute(10)..minute(130)).contains(*at)).count();
        assert!(inside >= 118 * 95, "the slow rate is used: {inside}");
    }

    #[test]
    fn a_change_of_clocks_shortens_and_lengthens_the_window() {
        // Half an hour steps over a night, in UTC: which are slow?
        let slow = |day: &str, hours: std::ops::Range<i64>| {
            let meter = RateMeter::new(&denic());
            let midnight: Timestamp = format!("{day}T00:00:00Z").parse().expect("a time");
            let at = |half: i64| midnight + jiff::SignedDuration::from_mins(half * 30 + 15);
            (hours.start * 2..hours.end * 2).filter(|half| meter.rate_from(at(*half)).is_some_and(|(n, _)| n == 100)).count()
        };
        assert_eq!(slow("2026-11-22", -6..12), 4, "two hours");
        assert_eq!(slow("2026-03-29", -6..12), 2, "02:00 to 03:00 does not exist");
        assert_eq!(slow("2026-10-25", -6..12), 6, "02:00 to 03:00 exists twice");
    }

    #[test]
    fn a_window_may_hold_over_midnight() {
        let window = RateWindow {
            from: jiff::civil::time(23, 0, 0, 0),
            until: jiff::civil::time(1, 0, 0, 0),
            zone: policy::Zone::try_from("Europe/Berlin".to_owned()).expect("bundled"),
            rate: policy::Rate { commands: 1, seconds: 60 },
        };
        let timed = TimedRate::of(&window, (1, Duration::from_mins(1)));
        let holds = |text: &str| timed.holds(text.parse().expect("a time"));
        assert!(holds("2026-11-22T22:00:00Z") && holds("2026-11-22T23:59:59Z"));
        assert!(!holds("2026-11-22T21:59:59Z") && !holds("2026-11-23T00:00:00Z"));
    }
}
