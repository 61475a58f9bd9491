//! What one registry account may use, and the part of it that is ours.

use crate::base::Moment;
use crate::policy::Limits;
use std::collections::VecDeque;
use std::time::Duration;

/// The share of sessions and rates that is ours where nobody says otherwise: the account is shared with production.
pub const DEFAULT_SHARE: u8 = 50;

/// Our part of an account's limits.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
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
        Self {
            sessions: u16::try_from(part(u64::from(limits.sessions.value))).unwrap_or(u16::MAX),
            idle: seconds(limits.idle_seconds.value),
            age: limits.age_seconds.as_ref().map(|rule| seconds(rule.value)),
            commands_per_session: limits.commands_per_session.as_ref().map(|rule| rule.value),
            rate: limits.rate.as_ref().map(|rule| {
                let commands = u32::try_from(part(u64::from(rule.value.commands))).unwrap_or(u32::MAX);
                (commands, seconds(rule.value.seconds))
            }),
            names_per_check: limits.names_per_check.value.max(1),
            read_window: limits.read_window.value.max(1),
            reply: seconds(limits.reply_seconds.value.max(1)),
            back_off: seconds(limits.back_off_seconds.value),
        }
    }
}

/// Counts commands in a sliding time.
#[derive(Clone, Debug, Default)]
pub(super) struct RateMeter {
    /// Commands, and the time they are counted over.
    limit: Option<(usize, Duration)>,
    /// When each command still counted was sent.
    sent: VecDeque<Moment>,
    /// The most commands that were counted at a time.
    peak: usize,
}

impl RateMeter {
    /// A meter for `rate`. The line may bring commands closer together than they were sent, so that the time is taken a fiftieth longer.
    #[must_use]
    pub(super) fn new(rate: Option<(u32, Duration)>) -> Self {
        let limit = rate.map(|(commands, time)| (usize::try_from(commands).unwrap_or(usize::MAX).max(1), time + time / 50));
        Self { limit, sent: VecDeque::new(), peak: 0 }
    }

    /// How many commands may be sent now.
    pub(super) fn room(&mut self, now: Moment) -> usize {
        let Some((commands, time)) = self.limit else { return usize::MAX };
        while self.sent.front().is_some_and(|&sent| now.since(sent) >= time) {
            self.sent.pop_front();
        }
        commands.saturating_sub(self.sent.len())
    }

    /// Takes note of a command.
    pub(super) fn sent(&mut self, now: Moment) {
        if self.limit.is_some() {
            self.sent.push_back(now);
            self.peak = self.peak.max(self.sent.len());
        }
    }

    /// The most commands that were ever counted at a time; 0 where nothing is limited.
    #[must_use]
    pub(super) const fn peak(&self) -> usize {
        self.peak
    }

    /// When the next command may be sent, where none may be sent now.
    #[must_use]
    pub(super) fn next_room(&self) -> Option<Moment> {
        let (commands, time) = self.limit?;
        let blocking = self.sent.len().checked_sub(commands)?;
        self.sent.get(blocking).map(|&sent| sent + time)
    }
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
    fn no_sliding_time_holds_more_than_the_rate_and_nine_tenths_are_used() {
        let mut meter = RateMeter::new(Some((100, Duration::from_secs(10))));
        let mut sent = Vec::new();
        for millis in 0..100_000_u64 {
            let now = Moment::from_origin(Duration::from_millis(millis));
            if meter.room(now) > 0 {
                meter.sent(now);
                sent.push(millis);
            } else {
                assert!(meter.next_room().is_some_and(|next| next > now));
            }
        }
        for (n, from) in sent.iter().enumerate() {
            let inside = sent[n..].iter().take_while(|&&at| at < from + 10_000).count();
            assert!(inside <= 100);
        }
        assert!(sent.len() >= 900, "{}", sent.len());
    }
}
