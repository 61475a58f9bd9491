//! What a pool saw: figures of sessions and limits, the greeting, the line. No personal data.

use super::dialect::Drift;
use super::ration::{QuotaUse, Spent};
use crate::base::Problem;
use crate::model::{Greeting, TlsFacts};
use std::time::Duration;

/// Answer times, counted in eighths of powers of two microseconds: an error of at most an eighth, in constant memory.
#[derive(Clone, Debug, Default)]
pub struct Times {
    buckets: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Times {
    /// Counts one.
    pub fn add(&mut self, time: Duration) {
        let bucket = Self::bucket(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        if let Some(n) = self.buckets.get_mut(bucket) {
            *n += 1;
        }
        self.count += 1;
        self.longest = self.longest.max(time);
    }

    /// Counts all of `other`.
    pub fn merge(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }

    /// The time within which a share `q` of the answers came, in milliseconds; 0 of none.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let mut left = self.count as f64 * q.clamp(0.0, 1.0);
        for (bucket, n) in self.buckets.iter().enumerate() {
            left -= *n as f64;
            if left <= 0.0 && *n > 0 {
                return (Self::upper(bucket) / 1e3).min(self.longest.as_secs_f64() * 1e3);
            }
        }
        self.longest.as_secs_f64() * 1e3
    }

    /// The bucket of a time: the power of two in the upper bits, the next three bits below.
    fn bucket(micros: u64) -> usize {
        if micros < 8 {
            return usize::try_from(micros).unwrap_or_default();
        }
        let power = micros.ilog2();
        let eighth = (micros >> (power - 3)) & 7;
        usize::try_from((u64::from(power - 2) << 3) | eighth).unwrap_or_default()
    }

    /// The upper end of a bucket, in microseconds.
    fn upper(bucket: usize) -> f64 {
        let next = bucket + 1;
        if next <= 8 { next as f64 } else { ((next & 7) + 8) as f64 * 2_f64.powf((next >> 3) as f64 - 1.0) }
    }
}

impl serde::Serialize for Times {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut out = serializer.serialize_struct("Times", 5)?;
        out.serialize_field("count", &self.count)?;
        for (key, q) in [("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99), ("max_ms", 1.0)] {
            out.serialize_field(key, &self.quantile(q))?;
        }
        out.end()
    }
}

/// One session's figures.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct SessionReport {
    /// Its number within the pool, the upper half of its exchanges' ids.
    pub number: u32,
    /// How long it lived, in seconds.
    pub seconds: f64,
    /// Commands sent, login, logout and keep-alives included.
    pub commands: u32,
    /// Answers handed to askers.
    pub answers: u64,
    /// The most commands in flight.
    pub max_in_flight: u32,
    /// The widest window.
    pub window: u16,
    /// Bytes of frames written.
    pub bytes_out: u64,
    /// Bytes read.
    pub bytes_in: u64,
    /// Answer times.
    pub answer_times: Times,
    /// The account's credit as the registry told it last, where it does.
    pub credit: Option<String>,
    /// How it ended, where it did not end as wanted.
    pub ended: Option<String>,
}

impl SessionReport {
    /// The figures of a session that has done nothing yet.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self { number, ..Self::default() }
    }
}

/// The first greeting of a pool.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GreetingFacts {
    /// The greeting.
    pub greeting: Greeting,
    /// Where it differs from the profile.
    pub drift: Drift,
    /// Seconds by which the registry's clock is ahead of ours.
    pub clock_offset_seconds: Option<i64>,
}

/// A pool's figures, for the run report.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct PoolReport {
    /// Sessions, in the order they were opened; at most [`PoolReport::MAX_SESSIONS`].
    pub sessions: Vec<SessionReport>,
    /// Sessions opened in all.
    pub sessions_opened: u64,
    /// The most sessions logged in at a time.
    pub sessions_at_once: u16,
    /// Sessions that took a lost one's place.
    pub reconnects: u64,
    /// Commands sent by all sessions.
    pub commands: u64,
    /// Answers in all.
    pub answers: u64,
    /// Questions asked again after a loss or a throttle.
    pub asked_again: u64,
    /// Waits for the rate budget.
    pub rate_waits: u64,
    /// How long they took in all.
    pub rate_waited: Duration,
    /// The most commands in the time the rate counts over; 0 where there is no rate.
    pub rate_peak: u64,
    /// The most commands in any minute, on lines without a rate, too.
    pub minute_peak: u64,
    /// The most commands in flight on a session.
    pub max_in_flight: u32,
    /// The widest window of a session.
    pub window: u16,
    /// Answer times of all sessions.
    pub answer_times: Times,
    /// The greeting and its drift.
    pub greeting: Option<GreetingFacts>,
    /// The account's credit as the registry told it last, where it does.
    pub credit: Option<String>,
    /// The line.
    pub tls: Option<TlsFacts>,
    /// What an operator should read though the registry went on.
    pub problems: Vec<Problem>,
    /// Why this registry was stopped, if it was.
    pub stopped: Option<Problem>,
    /// Whether the operator stopped the run.
    pub interrupted: bool,
    /// Why the run ended before its work did, if what it may ask was used up.
    pub spent: Option<Spent>,
    /// What of the day's quota is used, where there is one.
    pub quota: Option<QuotaUse>,
}

impl PoolReport {
    /// Sessions told one by one; more are only counted.
    pub const MAX_SESSIONS: usize = 1000;
    /// Problems told one by one.
    pub const MAX_PROBLEMS: usize = 50;

    /// Takes a session's figures in.
    pub fn add(&mut self, session: SessionReport) {
        self.commands += u64::from(session.commands);
        self.answers += session.answers;
        self.max_in_flight = self.max_in_flight.max(session.max_in_flight);
        self.window = self.window.max(session.window);
        self.answer_times.merge(&session.answer_times);
        if session.credit.is_some() {
            self.credit.clone_from(&session.credit);
        }
        if self.sessions.len() < Self::MAX_SESSIONS {
            self.sessions.push(session);
        }
    }

    /// Takes note of a problem; equal ones are told once.
    pub fn problem(&mut self, problem: Box<Problem>) {
        if self.problems.len() < Self::MAX_PROBLEMS && !self.problems.contains(&problem) {
            self.problems.push(*problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_an_eighth() {
        let mut times = Times::default();
        for millis in 1..=1000 {
            times.add(Duration::from_millis(millis));
        }
        for (q, want) in [(0.5, 500.0), (0.95, 950.0), (1.0, 1000.0)] {
            let got = times.quantile(q);
            assert!((got - want).abs() <= want / 8.0, "{q}: {got}");
        }
        assert!((Times::default().quantile(0.5)).abs() < f64::EPSILON);
        let mut small = Times::default();
        small.add(Duration::from_micros(3));
        assert!(small.quantile(0.5) <= 0.004);
    }
}
