//! Forecasts against what follows from the figures alone, and against runs of which nothing was skipped.

use super::course::{Bounds, Course, Ran};
use super::kind::{Commands, Kind};
use super::line::Lines;
use super::load::{Changing, Load, Reading};
use super::{Bound, Forecast, Plain, QuotaTerms, Registry, Task, Terms, Timing, forecast};
use crate::base::{Moment, RegistryId, Secret, Timestamp};
use crate::policy::{Limits, Profile, Rate, profile};
use crate::protocol::frame::{DEFAULT_CAP, Framer, LengthPrefix};
use crate::session::{Account, Allowance, EppDialect, Now, ReadPool, RriDialect, Setup, WritePool};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Everything that a forecast is about.
#[derive(Clone)]
struct Case {
    profile: Arc<Profile>,
    allowance: Allowance,
    timing: Timing,
    quota: Option<QuotaTerms>,
    from: Timestamp,
    window: Duration,
}

impl Case {
    /// Generous limits at a registry of that kind.
    fn of(name: &str) -> Self {
        let profile = profile(name).expect("embedded");
        let allowance = Allowance {
            sessions: 4,
            read_window: 8,
            rate: None,
            rate_windows: Vec::new(),
            commands_per_session: None,
            age: None,
            ..Allowance::of(&profile.limits, 100)
        };
        let timing = Timing::of(Duration::from_millis(40), Duration::ZERO);
        let from = "2026-01-13T22:00:00Z".parse().expect("a time");
        Self { profile, allowance, timing, quota: None, from, window: Duration::from_hours(24) }
    }

    fn with(mut self, change: impl FnOnce(&mut Allowance)) -> Self {
        change(&mut self.allowance);
        self
    }

    fn rate(self, commands: u32, seconds: u64) -> Self {
        self.with(|allowance| allowance.rate = Some((commands, Duration::from_secs(seconds))))
    }

    fn setup(&self) -> Setup {
        let account = Account { client: "forecast".into(), password: Secret::new("forecast"), new_password: None };
        let is_rri = self.profile.quirks.length_without_header;
        let framer: fn() -> Box<dyn Framer + Send> =
            if is_rri { || Box::new(LengthPrefix::payload_only(DEFAULT_CAP)) } else { || Box::new(LengthPrefix::epp(DEFAULT_CAP)) };
        Setup {
            registry: RegistryId::new("one"),
            prefix: "test".into(),
            dialect: if is_rri {
                Arc::new(RriDialect::new(account, &self.profile))
            } else {
                Arc::new(EppDialect::new(account, Arc::clone(&self.profile)))
            },
            framer,
            allowance: self.allowance.clone(),
            seed: 1,
            first_session: 1,
        }
    }

    fn forecast(&self, task: Task) -> Forecast {
        let plain = Plain::of(&self.profile);
        let terms = Terms {
            setup: &|| self.setup(),
            registry: &|| Box::new(plain.clone()) as Box<dyn Registry>,
            timing: self.timing,
            limits: &self.limits(),
            quota: self.quota.clone(),
            from: self.from,
            window: self.window,
        };
        forecast(&terms, task).expect("a forecast")
    }

    /// The profile's limits, whose rates by the hour are those of the allowance, where it has some.
    fn limits(&self) -> Limits {
        let mut limits = self.profile.limits.clone();
        if self.allowance.rate_windows.is_empty() {
            limits.rate_windows.clear();
        }
        limits
    }

    fn pull(&self, contacts: u64) -> Forecast {
        self.forecast(Task::Pull { domains: 0, contacts })
    }

    /// One run, whole or with skips, over `registry`.
    fn run(&self, contacts: u64, is_whole: bool, registry: &mut dyn Registry) -> (Ran, u64) {
        let setup = self.setup();
        let lines = Lines::new(registry, self.timing, setup.framer);
        let until = super::course::after(self.from, self.window);
        let bounds = Bounds { start: self.from, until, changes: &[], quota: None };
        let mut load = Reading::new(0, contacts);
        let mut course = Course::new(ReadPool::new(setup), &mut load, lines, self.allowance.clone(), bounds);
        course.is_whole = is_whole;
        let ran = course.run().expect("a run");
        (ran, load.done())
    }

    /// One run of changes.
    fn change(&self, changes: u64, is_whole: bool) -> (Ran, u64) {
        let (setup, mut plain) = (self.setup(), Plain::of(&self.profile));
        let lines = Lines::new(&mut plain, self.timing, setup.framer);
        let until = super::course::after(self.from, self.window);
        let bounds = Bounds { start: self.from, until, changes: &[], quota: None };
        let mut load = Changing::new(changes, true, 64);
        let mut course = Course::new(WritePool::new(setup), &mut load, lines, self.allowance.clone(), bounds);
        course.is_whole = is_whole;
        let ran = course.run().expect("a run");
        (ran, load.done())
    }
}

/// Whether `got` is `wanted` but for what the first logins take.
#[track_caller]
fn near(got: Duration, wanted: f64) {
    let got = got.as_secs_f64();
    assert!((got - wanted).abs() <= 0.01 * wanted + 1.0, "{got} s, {wanted} s were expected");
}

#[test]
fn over_a_line_it_takes_latency_times_objects_by_what_is_in_flight() {
    for (sessions, window) in [(1, 1), (4, 1), (3, 8), (4, 32)] {
        let case = Case::of("gtld-thick").with(|a| (a.sessions, a.read_window) = (sessions, window));
        let told = case.pull(1_000_000);
        near(told.time, 1_000_000.0 * 0.04 / f64::from(sessions * window));
        assert_eq!((told.bound, told.sessions, told.in_flight), (Bound::Latency, sessions, u32::from(window)));
        assert!(told.is_exact && told.nights == Some(1));
        let commands =
            Commands { contact_infos: 1_000_000, logins: u64::from(sessions), logouts: u64::from(sessions), ..Commands::default() };
        assert_eq!(told.commands, commands);
    }
}

#[test]
fn at_a_rate_it_takes_the_rate_with_the_fiftieth_that_the_pool_keeps_clear_of() {
    for (commands, seconds) in [(50, 10), (1000, 60), (7, 1)] {
        let told = Case::of("gtld-thick").rate(commands, seconds).pull(100_000);
        // The first commands leave at once, and each later one a whole time behind the one so many before it.
        let turns = (100_000.0 - f64::from(commands)) / f64::from(commands);
        near(told.time, turns * seconds as f64 * 1.02);
        assert_eq!((told.bound, told.is_exact), (Bound::Rate, true), "{commands} in {seconds} s");
    }
}

#[test]
fn a_registry_that_works_one_by_one_takes_its_own_time() {
    let mut case = Case::of("gtld-thick").with(|a| (a.sessions, a.read_window) = (2, 32));
    case.timing.service = Duration::from_millis(5);
    let told = case.pull(200_000);
    let (got, wanted) = (told.time.as_secs_f64(), 200_000.0 * 0.005 / 2.0);
    assert!((got - wanted).abs() <= 0.05 * wanted, "{got} of {wanted}: the window is measured anew at times");
    assert_eq!(told.bound, Bound::Registry);
}

#[test]
fn sessions_of_few_commands_cost_their_logins() {
    let case = Case::of("gtld-thick").with(|a| (a.sessions, a.read_window, a.commands_per_session) = (2, 1, Some(10)));
    let told = case.pull(50_000);
    // 7 questions beside login, logout and what is kept for a keep-alive; connecting, greeting, login and logout cost five round trips.
    assert!(told.commands.logins > 6_000, "{:?}", told.commands);
    assert_eq!(told.bound, Bound::Logins);
    let (whole, done) = case.run(5_000, true, &mut Plain::of(&case.profile));
    let (skipped, _) = case.run(5_000, false, &mut Plain::of(&case.profile));
    assert_eq!((whole.time, whole.commands, done), (skipped.time, skipped.commands, 5_000));
}

#[test]
fn equal_inputs_have_equal_outputs() {
    let case = Case::of("nz").rate(300, 7);
    assert_eq!(format!("{:?}", case.pull(123_456)), format!("{:?}", case.pull(123_456)));
}

#[test]
fn a_day_has_a_quota_and_what_it_leaves_is_asked_for_in_other_nights() {
    let mut case = Case::of("denic");
    case.from = "2026-01-13T01:30:00Z".parse().expect("a time");
    case.quota = Some(QuotaTerms { points: 10_000, reserve: 25, zone: TimeZone::UTC });
    let told = case.forecast(Task::Pull { domains: 1_000_000, contacts: 0 });
    assert_eq!((told.nights, told.a_night, told.bound), (Some(134), 7_500, Bound::Quota), "1,000,000 by 7,500, and a rest");
    assert_eq!((told.commands.domain_infos, told.is_exact), (1_000_000, true));
    case.quota = Some(QuotaTerms { points: 10_000, reserve: 100, zone: TimeZone::UTC });
    assert_eq!(case.pull(10).nights, None, "nothing is left to ask with");
}

#[test]
fn a_night_that_spans_midnight_has_two_days_and_the_next_one_what_is_left() {
    let mut case = Case::of("denic").rate(1, 1);
    (case.from, case.window) = ("2026-01-13T23:00:00Z".parse().expect("a time"), Duration::from_hours(2));
    case.quota = Some(QuotaTerms { points: 5_000, reserve: 0, zone: TimeZone::UTC });
    let told = case.forecast(Task::Pull { domains: 20_000, contacts: 0 });
    // 7,058 in two hours; the second evening has what the first morning left: 5,000 less 3,529.
    assert!((7_050..7_065).contains(&told.a_night), "{told:?}");
    assert!(told.nights > Some(3) && told.nights < Some(14), "{told:?}");
}

#[test]
fn the_slow_hours_of_a_registry_are_slow() {
    let denic = profile("denic").expect("embedded");
    let mut case = Case { allowance: Allowance::of(&denic.limits, 50), ..Case::of("denic") };
    // From midnight on in Berlin: two hours at 1,000 a minute, two at 100, two at 1,000.
    (case.from, case.window) = ("2026-01-13T23:00:00Z".parse().expect("a time"), Duration::from_hours(6));
    let told = case.forecast(Task::Pull { domains: 10_000_000, contacts: 0 });
    let wanted = (4.0 * 60.0 * 1000.0 + 2.0 * 60.0 * 100.0) / 1.02;
    assert!((told.a_night as f64 - wanted).abs() < 0.02 * wanted, "{} of {wanted}", told.a_night);
    assert!(told.is_exact && told.bound == Bound::Rate);
    case.from = "2026-01-14T01:00:00Z".parse().expect("a time");
    case.window = Duration::from_hours(2);
    let slow = case.forecast(Task::Pull { domains: 10_000_000, contacts: 0 }).a_night;
    assert!((11_500..=11_900).contains(&slow), "{slow}: 100 a minute for two hours");
}

#[test]
fn a_change_is_read_sent_and_read_again_and_where_objects_are_replaced_read_once_more() {
    for (name, infos) in [("gtld-thick", 2), ("denic", 3)] {
        let case = Case::of(name).with(|a| a.sessions = 3);
        let told = case.forecast(Task::Apply { changes: 30_000, of_contacts: true, in_hand: 64 });
        assert_eq!((told.commands.changes, told.commands.contact_infos), (30_000, 30_000 * infos), "{name}");
        near(told.time, 30_000.0 * (1 + infos) as f64 * 0.04 / 3.0);
        assert!(told.is_exact && told.bound == Bound::Latency && told.in_flight == 1, "{told:?}");
    }
    let of_domains = Case::of("gtld-minimum").forecast(Task::Apply { changes: 5, of_contacts: false, in_hand: 64 });
    assert_eq!((of_domains.commands.changes, of_domains.commands.domain_infos), (5, 10));
}

#[test]
fn every_bundled_profile_can_be_asked_and_changed() {
    for name in crate::policy::profile_names() {
        let case = Case::of(name);
        let mut plain = Plain::of(&case.profile);
        if case.profile.line.value == crate::policy::Line::EppHttps {
            continue;
        }
        assert_eq!(case.run(100, false, &mut plain).1, 100, "{name}");
        assert_eq!(case.change(20, false).1, 20, "{name}");
    }
}

/// A registry that notes when what came.
struct Noting {
    plain: Plain,
    heard: Rc<RefCell<Vec<(Moment, Kind)>>>,
}

impl Registry for Noting {
    fn greeting(&mut self, session: u32, now: Now) -> Option<Vec<u8>> {
        self.plain.greeting(session, now)
    }

    fn answer(&mut self, session: u32, frame: &str, now: Now) -> Option<Vec<u8>> {
        self.heard.borrow_mut().push((now.at, Kind::of(frame)));
        self.plain.answer(session, frame, now)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// The heart of it: what is skipped is what would have happened.
    #[test]
    fn a_skip_changes_nothing(
        sessions in 1_u16..=4, window in 1_u16..=8, latency in 1_u64..=120, commands in 1_u32..=60, seconds in 1_u64..=8,
        is_limited: bool, count in 200_u64..=2_500,
    ) {
        let mut case = Case::of("gtld-thick").with(|a| (a.sessions, a.read_window) = (sessions, window));
        case.timing = Timing::of(Duration::from_millis(latency), Duration::ZERO);
        if is_limited {
            case = case.rate(commands, seconds);
        }
        let (whole, done) = case.run(count, true, &mut Plain::of(&case.profile));
        let (skipped, also) = case.run(count, false, &mut Plain::of(&case.profile));
        prop_assert!(whole.skipped.is_empty() && skipped.is_exact);
        prop_assert_eq!((done, whole.time), (also, skipped.time));
        // Sessions that have nothing to do are kept alive, which costs none of the rate.
        let working = |commands: Commands| Commands { keep_alives: 0, ..commands };
        prop_assert_eq!(working(whole.commands), working(skipped.commands));
    }

    #[test]
    fn a_skip_of_changes_changes_nothing(
        sessions in 1_u16..=4, latency in 1_u64..=120, commands in 4_u32..=60, seconds in 1_u64..=8, is_limited: bool, count in 100_u64..=1_000,
    ) {
        let mut case = Case::of("gtld-thick").with(|a| a.sessions = sessions);
        case.timing = Timing::of(Duration::from_millis(latency), Duration::ZERO);
        if is_limited {
            case = case.rate(commands, seconds);
        }
        let ((whole, done), (skipped, also)) = (case.change(count, true), case.change(count, false));
        prop_assert_eq!((done, whole.time, whole.commands.changes), (also, skipped.time, skipped.commands.changes));
        prop_assert_eq!(whole.commands.contact_infos, skipped.commands.contact_infos);
    }

    /// What leaves never exceeds the rate, and once the line is warm uses it or the line whole.
    #[test]
    fn no_time_holds_more_than_the_rate_and_nothing_is_left_unused(
        sessions in 1_u16..=4, window in 1_u16..=8, latency in 1_u64..=120, commands in 8_u32..=60, seconds in 1_u64..=8,
    ) {
        let mut case = Case::of("gtld-thick").rate(commands, seconds).with(|a| (a.sessions, a.read_window) = (sessions, window));
        case.timing = Timing::of(Duration::from_millis(latency), Duration::ZERO);
        let heard = Rc::new(RefCell::new(Vec::new()));
        let mut noting = Noting { plain: Plain::of(&case.profile), heard: Rc::clone(&heard) };
        let (ran, _) = case.run(1_500, true, &mut noting);
        let asked: Vec<Moment> = heard.borrow().iter().filter(|(_, kind)| kind.is_question()).map(|(at, _)| *at).collect();
        let most = usize::try_from(commands).expect("few");
        for (first, last) in asked.iter().zip(asked.iter().skip(most)) {
            prop_assert!(last.since(*first) >= Duration::from_secs(seconds), "{commands} in {seconds} s");
        }
        let by_rate = (1_500.0 / f64::from(commands) - 1.0) * seconds as f64 * 1.02;
        let by_line = 1_500.0 * latency as f64 / 1e3 / f64::from(sessions * window);
        let time = ran.time.as_secs_f64();
        prop_assert!(time >= by_rate.max(by_line) - 0.01, "{time}: {by_rate}, {by_line}");
        // A burst of the rate has to cross the line as well, and the first session goes ahead.
        let slack = 2.0 * f64::from(commands) * latency as f64 / 1e3 / f64::from(sessions * window) + 12.0 * latency as f64 / 1e3 + 2.0 * seconds as f64;
        prop_assert!(time <= by_rate.max(by_line) * 1.05 + slack, "{time}: {by_rate}, {by_line}, {slack}");
    }
}

#[test]
fn a_rate_of_a_profile_is_halved_with_the_share() {
    let mut own = Profile::clone(&*profile("gtld-minimum").expect("embedded"));
    if let Some(rate) = &mut own.limits.rate {
        rate.value = Rate { commands: 200, seconds: 10 };
    }
    let whole = Case { allowance: Allowance::of(&own.limits, 100), ..Case::of("gtld-minimum") };
    let half = Case { allowance: Allowance::of(&own.limits, 50), ..Case::of("gtld-minimum") };
    let task = Task::Pull { domains: 100_000, contacts: 0 };
    let (whole, half) = (whole.forecast(task).time.as_secs_f64(), half.forecast(task).time.as_secs_f64());
    assert!((half / whole - 2.0).abs() < 0.01, "{half} of {whole}");
}
