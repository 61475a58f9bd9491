//! Whether what a pool sends has come to repeat itself.

use super::kind::{Commands, Kind};
use crate::base::Moment;
use std::collections::VecDeque;
use std::time::Duration;

/// Of how many commands of a rate, or in flight, a turn may consist: a change is three commands, or four, so that a rate's commands rarely
/// are whole changes.
const TIMES: [usize; 6] = [1, 2, 3, 4, 6, 12];

/// Commands that repeat themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// What is sent in one.
    pub(super) commands: Commands,
    /// How long it takes.
    pub(super) time: Duration,
}

/// What was sent lately, and when.
#[derive(Debug, Default)]
pub(super) struct Sent {
    sent: VecDeque<(Moment, Kind, u64)>,
    /// Commands since the last time somebody looked for a turn.
    unseen: usize,
}

impl Sent {
    /// Commands between two looks.
    const EVERY: usize = 32;
    /// The most commands that are remembered: no turn may be longer than a third of them.
    pub(super) const MOST: usize = 1 << 20;

    /// Takes note of a command that leaves while so much is in hand as `phase` tells.
    pub(super) fn note(&mut self, at: Moment, kind: Kind, phase: u64) {
        if self.sent.len() == Self::MOST {
            self.sent.pop_front();
        }
        self.sent.push_back((at, kind, phase));
        self.unseen += 1;
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Whether enough was sent to look again.
    pub(super) fn is_due(&mut self) -> bool {
        let due = self.unseen >= Self::EVERY;
        if due {
            self.unseen = 0;
        }
        due
    }

    /// The shortest turn that shows: one of so many commands as one of `lengths` tells, each of which came as long after its like in the turn
    /// before as all others, with as much in hand, for two turns and `least` commands at least, and for as long as `memory`.
    pub(super) fn turn(&self, lengths: &[usize], least: usize, memory: Duration) -> Option<Turn> {
        let mut all: Vec<usize> = lengths.iter().flat_map(|n| TIMES.map(|times| n.saturating_mul(times))).collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().filter(|n| *n > 0).find_map(|n| self.of(n, least, memory))
    }

    /// The turn of `length` commands, if that is what repeats itself.
    fn of(&self, length: usize, least: usize, memory: Duration) -> Option<Turn> {
        let last = self.sent.len().checked_sub(1)?;
        let distance = |at: usize| {
            let ((now, kind, phase), (then, was, before)) = (self.sent.get(at)?, self.sent.get(at.checked_sub(length)?)?);
            (kind.is_like(*was) && phase == before).then(|| now.since(*then))
        };
        let time = distance(last).filter(|time| !time.is_zero())?;
        let (end, ..) = self.sent.back()?;
        let (mut seen, least) = (0, least.max(2 * length));
        for at in (0..=last).rev() {
            if distance(at)? != time {
                return None;
            }
            seen += 1;
            if seen >= least && self.sent.get(at).is_some_and(|(sent, ..)| end.since(*sent) >= memory) {
                let mut commands = Commands::default();
                self.sent.iter().rev().take(length).for_each(|(_, kind, _)| commands.count(*kind, 1));
                return Some(Turn { commands, time });
            }
        }
        None
    }

    /// The last `count` commands as if they repeated themselves.
    pub(super) fn mean(&self, count: usize) -> Option<Turn> {
        let first = self.sent.len().checked_sub(count)?.checked_sub(1)?;
        let time = self.sent.back()?.0.since(self.sent.get(first)?.0);
        let mut commands = Commands::default();
        self.sent.iter().rev().take(count).for_each(|(_, kind, _)| commands.count(*kind, 1));
        (!time.is_zero()).then_some(Turn { commands, time })
    }

    /// Forgets everything: from here on it is another time.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
