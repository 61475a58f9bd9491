//! How many reads a session keeps in flight: as many as shorten the wait, and no more.
//!
//! With a latency R and a serial service time s, more than (R+s)/s commands in flight only wait in the registry's queue. That shows in
//! the answer time, so the window grows while the answer time stays near the best one seen, and shrinks where it does not:
//!
//! ```text
//!   answer time   | best … flat          | held            | the second time in a row: shrinks to fit `flat`
//!                 0        1.25·best+2ms    1.5·best+4ms
//! ```
//!
//! One slow round may be our own: a process that was not let run for a while finds all its answers late. A queue lasts.
//!
//! The milliseconds let a line without latency fill whole reads and writes. The best time is measured anew at times, in a round with
//! half the window, since a line may become slower for reasons that are none of ours.

use crate::base::Moment;
use std::time::Duration;

/// The window of a new session.
const START: u16 = 8;
/// Allowances for noise, beside the shares in the module's table.
const FLAT_SLACK: Duration = Duration::from_millis(2);
/// See [`FLAT_SLACK`].
const HELD_SLACK: Duration = Duration::from_millis(4);
/// How long the best answer time is believed without being met again.
const BELIEVED: Duration = Duration::from_secs(20);

/// An adaptive window.
#[derive(Clone, Debug)]
pub(super) struct Window {
    cap: u16,
    size: u16,
    /// Whether the window doubles each round: until it shrinks for the first time.
    doubling: bool,
    /// The best answer time, and when it was last met.
    best: Option<(Duration, Moment)>,
    /// Since when the size is what it is: only commands sent from then on tell something about it.
    since: Moment,
    /// Answer times of this round.
    round: Vec<Duration>,
    /// Whether the window was full in this round; one that was not says nothing about a bigger one.
    full: bool,
    /// Whether the last round was slow.
    slow: bool,
    /// The size to return to after a round of measuring.
    measuring: Option<u16>,
}

impl Window {
    /// A window of at most `cap`, at least 1.
    #[must_use]
    pub(super) fn new(cap: u16) -> Self {
        let cap = cap.max(1);
        Self {
            cap,
            size: START.min(cap),
            doubling: true,
            best: None,
            since: Moment::ZERO,
            round: Vec::new(),
            full: false,
            slow: false,
            measuring: None,
        }
    }

    /// Commands that may be in flight.
    #[must_use]
    pub(super) const fn size(&self) -> u16 {
        self.size
    }

    /// Takes note that a command was sent, the `in_flight`th of those in flight.
    pub(super) const fn sent(&mut self, in_flight: usize) {
        if in_flight >= self.size as usize {
            self.full = true;
        }
    }

    /// Takes note of an answer to a command sent at `sent`.
    pub(super) fn answered(&mut self, sent: Moment, now: Moment) {
        if self.cap == 1 || sent < self.since {
            return;
        }
        let time = now.since(sent);
        self.round.push(time);
        if self.best.is_none_or(|(best, _)| time <= best + best / 8) {
            let best = self.best.map_or(time, |(best, _)| best.min(time));
            self.best = Some((best, now));
        }
        if self.round.len() >= usize::from(self.size) {
            self.end_of_round(now);
        }
    }

    /// Judges a round's answers.
    fn end_of_round(&mut self, now: Moment) {
        self.round.sort_unstable();
        let median = self.round.get(self.round.len() / 2).copied().unwrap_or_default();
        let least = self.round.first().copied().unwrap_or_default();
        let full = std::mem::take(&mut self.full);
        self.round.clear();
        if let Some(size) = self.measuring.take() {
            self.best = Some((least, now));
            self.resize(size, now);
            return;
        }
        if self.size == 1 {
            // Alone in flight, a command waits for nothing else: this is the best there is now.
            self.best = Some((least, now));
        }
        let Some((best, met)) = self.best else { return };
        if now.since(met) > BELIEVED {
            self.measuring = Some(self.size);
            self.resize(self.size / 2, now);
            return;
        }
        let flat = best + best / 4 + FLAT_SLACK;
        let held = best + best / 2 + HELD_SLACK;
        let was_slow = std::mem::replace(&mut self.slow, median > held);
        if was_slow && self.slow {
            self.doubling = false;
            let fitting = f64::from(self.size) * flat.as_secs_f64() / median.as_secs_f64();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the size it was")]
            let fitting = fitting as u16;
            self.resize(fitting, now);
        } else if median <= flat && full && self.size < self.cap {
            let step = if self.doubling { self.size } else { (self.size / 8).max(1) };
            self.resize(self.size.saturating_add(step), now);
        }
    }

    /// Sets the size within its bounds, and begins a new round.
    fn resize(&mut self, size: u16, now: Moment) {
        self.size = size.clamp(1, self.cap);
        self.since = now;
        self.full = false;
        self.round.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    /// A line with latency and a serial service time, in virtual microseconds.
    struct Line {
        latency: u64,
        service: u64,
        free_at: u64,
        answers: VecDeque<(u64, u64)>,
    }

    /// Runs one session over a line for `micros`; the rate in answers a second, and the window at the end.
    fn run(line: &mut Line, window: &mut Window, from: u64, micros: u64) -> f64 {
        let at = |micros| Moment::from_origin(Duration::from_micros(micros));
        let mut now = from;
        let mut done = 0_u32;
        while now < from + micros {
            while line.answers.len() < usize::from(window.size()) {
                line.free_at = line.free_at.max(now + line.latency / 2) + line.service;
                line.answers.push_back((now, line.free_at + line.latency - line.latency / 2));
                window.sent(line.answers.len());
            }
            let (sent, answered) = line.answers.pop_front().expect("the window is never empty");
            now = now.max(answered);
            window.answered(at(sent), at(now));
            done += 1;
        }
        f64::from(done) / (micros as f64 / 1e6)
    }

    fn line(latency: u64, service: u64) -> Line {
        Line { latency, service, free_at: 0, answers: VecDeque::new() }
    }

    fn best_rate(cap: u16, latency: u64, service: u64) -> f64 {
        let queue = if service == 0 { f64::MAX } else { 1e6 / service as f64 };
        (f64::from(cap) * 1e6 / (latency + service) as f64).min(queue)
    }

    #[test]
    fn with_a_serial_service_time_the_rate_is_the_registrys_and_nothing_queues() {
        let mut window = Window::new(64);
        let rate = run(&mut line(30_000, 2_000), &mut window, 0, 20_000_000);
        assert!(rate >= 0.95 * best_rate(64, 30_000, 2_000), "{rate}");
        assert!((16..=27).contains(&window.size()), "{}", window.size());
    }

    #[test]
    fn without_a_service_time_the_cap_is_held() {
        let mut window = Window::new(64);
        let rate = run(&mut line(30_000, 0), &mut window, 0, 20_000_000);
        assert!(rate >= 0.95 * best_rate(64, 30_000, 0), "{rate}");
        assert_eq!(window.size(), 64);
    }

    /// faults.md §5 row 44.
    #[test]
    fn row_44_a_line_that_turns_slow_costs_width_only_while_it_queues() {
        let mut window = Window::new(32);
        let mut slow = line(30_000, 0);
        run(&mut slow, &mut window, 0, 5_000_000);
        assert_eq!(window.size(), 32);
        slow.service = 200_000;
        run(&mut slow, &mut window, 5_000_000, 60_000_000);
        assert!(window.size() <= 4, "a tarpit: {}", window.size());
        slow.service = 0;
        slow.latency = 90_000;
        run(&mut slow, &mut window, 65_000_000, 120_000_000);
        assert_eq!(window.size(), 32, "slower, yet nothing queues");
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut window = Window::new(64);
        for n in 0..1000_u64 {
            let sent = Moment::from_origin(Duration::from_millis(n * 10));
            window.sent(1);
            window.answered(sent, sent + Duration::from_millis(10));
        }
        assert_eq!(window.size(), START);
    }

    proptest! {
        #[test]
        fn the_rate_is_near_the_best_there_is(cap in 1_u16..=64, latency in 0_u64..=100, service in 0_u64..=10) {
            prop_assume!(latency + service > 0);
            let (latency, service) = (latency * 1000, service * 1000);
            let mut window = Window::new(cap);
            let rate = run(&mut line(latency, service), &mut window, 0, 60_000_000);
            prop_assert!(rate >= 0.95 * best_rate(cap, latency, service), "{rate} of {}", best_rate(cap, latency, service));
            prop_assert!((1..=cap).contains(&window.size()));
        }
    }
}
