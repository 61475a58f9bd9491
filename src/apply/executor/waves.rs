//! What is taken in hand, in which order: waves, dependencies, and where an operation goes on.

use super::super::work::{Job, Next};
use super::{Executor, Reading, Task, Waiting};
use crate::base::Moment;
use crate::journal::{Entry, StepState, Why};
use crate::plan::Operation;
use crate::session::Now;
use std::time::Duration;

/// How many operations may wait for the registry's decision besides those in hand.
const MAX_UNDECIDED: usize = 1000;

impl Executor {
    /// Whether another operation may be taken in hand.
    pub(super) fn has_room(&self) -> bool {
        self.tasks.len() < self.settings.in_hand + self.undecided().take(MAX_UNDECIDED).count()
    }

    /// Takes operations in hand as far as there is room, and as the wave allows.
    pub(super) fn begin(&mut self, now: Now) {
        if self.later.is_some_and(|later| now.at < later) {
            return;
        }
        self.later = None;
        while self.begins() && !self.paused && !self.exhausted && self.has_room() && self.effects.is_empty() {
            match self.ahead.take().map_or_else(|| self.parts.work.next(), |job| Ok(Next::Job(job))) {
                Ok(Next::Over) => self.exhausted = true,
                Ok(Next::Later(wait)) => {
                    self.later = wait.map(|wait| now.at + wait);
                    return;
                }
                Ok(Next::WaveOver { wave, verified, other }) => self.wave_over(wave, verified, other),
                Err(problem) => self.failed = Some(problem),
                // What was begun is gone on with.
                Ok(Next::Job(job)) if job.standings.first().is_some_and(|first| first.state != StepState::Planned) => self.take(*job, now),
                Ok(Next::Job(job)) => match self.dependencies(&job.operation) {
                    None if !self.tasks.is_empty() => {
                        self.ahead = Some(job);
                        return;
                    }
                    Some(StepState::Verified) => self.take(*job, now),
                    // Another run may still see it verified.
                    Some(StepState::Planned) => self.left(&job.operation, StepState::Planned),
                    // It came to nothing, or is in no part of this run.
                    _ => {
                        let ticket = self.hold(*job);
                        self.fail(ticket, Why::Dependency, now);
                    }
                },
            }
        }
    }

    /// Where all that an operation waits for stands: verified, come to nothing, or planned where that is open; nothing where some of it is
    /// in hand.
    pub(super) fn dependencies(&self, operation: &Operation) -> Option<StepState> {
        let states: Option<Vec<StepState>> = operation.after.iter().map(|op| self.parts.work.end_of(*op)).collect();
        let worse = |worst: StepState, state: StepState| match (worst, state) {
            (worst, StepState::Verified) => worst,
            (StepState::Failed, _) | (_, StepState::Failed | StepState::Conflict) => StepState::Failed,
            _ => StepState::Planned,
        };
        states.map(|states| states.into_iter().fold(StepState::Verified, worse))
    }

    /// Closes a wave; the next one begins where it went well.
    fn wave_over(&mut self, wave: u32, verified: u64, other: u64) {
        self.commit(None, vec![Entry::WaveDone { wave, verified, other }], Vec::new());
        let allowed = if wave == 1 { 0 } else { (verified + other) * self.settings.tolerance / 1000 };
        if other > allowed {
            self.stop("E-apply-002");
        }
    }

    pub(super) fn hold(&mut self, Job { operation, standings, turn }: Job) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let task = Task {
            operation,
            standings,
            turn,
            step: 0,
            state: StepState::Planned,
            sends: 0,
            waiting: Waiting::Read(Reading::Before),
            looks: 0,
            show_by: Moment::default(),
            key: None,
        };
        self.tasks.insert(ticket, task);
        ticket
    }

    pub(super) fn take(&mut self, job: Job, now: Now) {
        let ticket = self.hold(job);
        self.go_on(ticket, now);
    }

    /// Goes on with an operation, where its next step stands.
    pub(super) fn go_on(&mut self, ticket: u64, now: Now) {
        let Some(task) = self.tasks.get_mut(&ticket) else { return };
        let known = task.standings.get(usize::from(task.step)).cloned().unwrap_or_default();
        if usize::from(task.step) >= task.operation.steps.len() {
            return self.end(ticket, StepState::Verified);
        }
        (task.state, task.sends, task.looks, task.key) = (known.state, known.sends, 0, None);
        match known.state {
            StepState::Planned if self.settings.settle_only => self.end(ticket, StepState::Planned),
            StepState::Planned => self.ask(ticket, Reading::Before),
            StepState::Applied => {
                task.show_by = now.at + self.settings.settle;
                self.ask(ticket, Reading::After);
            }
            StepState::Pending => {
                task.show_by = now.at + self.settings.queue.map_or(Duration::ZERO, |watch| watch.patience);
                self.ask(ticket, Reading::Pending);
            }
            // The run was cut off behind this row: whether a byte left, nobody knows.
            StepState::Sending => self.doubt(ticket, now),
            StepState::Unknown => self.wait(ticket, Reading::Doubt(false), now.at + self.settings.settle),
            StepState::Verified => {
                task.step += 1;
                self.go_on(ticket, now);
            }
            StepState::Failed | StepState::Conflict => self.end(ticket, known.state),
        }
    }
}
