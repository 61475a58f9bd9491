//! A client's own stopwatch, the same for all of them.

use crate::measure::{Outcome, cpu};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Counts answers from the end of the warm-up to the end of the run.
pub struct Meter {
    warm: Duration,
    run: Duration,
    first: Option<Instant>,
    answers: u64,
    bytes: u64,
    from: Option<Mark>,
    to: Option<Mark>,
}

#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    cpu: Option<Duration>,
    answers: u64,
    bytes: u64,
}

impl Meter {
    pub const fn new(warm: Duration, run: Duration) -> Self {
        Self { warm, run, first: None, answers: 0, bytes: 0, from: None, to: None }
    }

    /// Takes note of an answer of `bytes`.
    pub fn answer(&mut self, bytes: u64) {
        self.answers += 1;
        self.bytes += bytes;
        let now = Instant::now();
        let first = *self.first.get_or_insert(now);
        let lived = now - first;
        if self.from.is_none() && lived >= self.warm {
            self.from = Some(self.mark(now));
        } else if self.to.is_none() && lived >= self.warm + self.run {
            self.to = Some(self.mark(now));
        }
    }

    /// Whether enough was counted.
    pub const fn is_done(&self) -> bool {
        self.to.is_some()
    }

    fn mark(&self, at: Instant) -> Mark {
        Mark { at, cpu: cpu().ok(), answers: self.answers, bytes: self.bytes }
    }

    /// What was measured.
    pub fn json(&self) -> Outcome<Value> {
        let (from, to) = self.from.zip(self.to).ok_or("the line ended before enough was measured")?;
        let answers = (to.answers - from.answers) as f64;
        let cpu = to.cpu.zip(from.cpu).map(|(to, from)| (to - from).as_secs_f64()).ok_or("no processor times")?;
        Ok(json!({
            "rate": answers / (to.at - from.at).as_secs_f64(),
            "cpu_us": cpu * 1e6 / answers,
            "bytes": (to.bytes - from.bytes) as f64 / answers,
            "answers": answers,
        }))
    }
}
