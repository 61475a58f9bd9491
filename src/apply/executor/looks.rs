//! Looking at objects: before a command, behind it, and where nobody knows. What stands there decides.

use super::super::part::ApplyEffect;
use super::super::step::{Look, is_pending, look, question, standing};
use super::{Executor, Reading, Waiting};
use crate::base::{Moment, Result};
use crate::journal::{SENDS, StepState, Why};
use crate::plan::Standing;
use crate::session::{Now, Outcome};

/// How often a look before a command is tried where no answer comes.
const LOOKS: u8 = 3;

impl Executor {
    pub(super) fn read(&mut self, ticket: u64, reading: Reading, outcome: Outcome, now: Now) {
        let found = match outcome {
            Outcome::Answer { response, .. } => standing(*response),
            _ => None,
        };
        let done = match found {
            Some(found) => self.saw(ticket, reading, &found, now),
            None => {
                self.saw_nothing(ticket, now);
                Ok(())
            }
        };
        self.keep(ticket, done);
    }

    pub(super) fn ask(&mut self, ticket: u64, reading: Reading) {
        let Some(task) = self.tasks.get_mut(&ticket) else { return };
        task.waiting = Waiting::Read(reading);
        if let Some(step) = task.operation.steps.get(usize::from(task.step)) {
            self.effects.push_back(ApplyEffect::Read { ticket, query: question(step) });
        }
    }

    pub(super) fn wait(&mut self, ticket: u64, reading: Reading, until: Moment) {
        if let Some(task) = self.tasks.get_mut(&ticket) {
            task.waiting = Waiting::Moment(reading);
            self.timers.insert((until, ticket));
        }
    }

    /// A question brought no answer that tells.
    pub(super) fn saw_nothing(&mut self, ticket: u64, now: Now) {
        match self.tasks.get(&ticket).map(|task| task.state) {
            Some(StepState::Planned) => self.look_again(ticket, now),
            // Nothing is claimed of what could not be read: it stays where it was.
            Some(state) => self.end(ticket, state),
            None => {}
        }
    }

    /// Tries a planned step from its beginning, some times.
    pub(super) fn look_again(&mut self, ticket: u64, now: Now) {
        let begins = self.begins();
        let Some(task) = self.tasks.get_mut(&ticket) else { return };
        task.looks += 1;
        if task.looks < LOOKS && begins {
            self.wait(ticket, Reading::Before, now.at + self.settings.again);
        } else {
            self.end(ticket, StepState::Planned);
        }
    }

    /// Decides by an object as it stands.
    pub(super) fn saw(&mut self, ticket: u64, reading: Reading, found: &Standing, now: Now) -> Result<()> {
        let Some(task) = self.tasks.get(&ticket) else { return Ok(()) };
        let Some(step) = task.operation.steps.get(usize::from(task.step)) else { return Ok(()) };
        let known = match &task.key {
            Some(key) if reading != Reading::Before => Some(key.clone()),
            _ => self.parts.values.key(step.object.reference)?,
        };
        let Some(key) = known else {
            if task.state == StepState::Planned {
                self.fail(ticket, Why::Blocked("erased".into()), now);
            } else {
                let state = task.state;
                self.end(ticket, state);
            }
            return Ok(());
        };
        let (sends, show_by, looked) = (task.sends, task.show_by, look(step, &key, found));
        match (reading, looked) {
            (_, Look::Wanted) => self.verified(ticket, now),
            (Reading::Before, Look::Observed) => return self.send(ticket, &key, found, now),
            (Reading::Before, Look::Neither) => self.conflict(ticket, now),
            (Reading::Before | Reading::Doubt(_), Look::Gone) => self.fail(ticket, Why::Gone, now),
            // The registry has taken a command and has not decided: what it comes to cannot be read off yet.
            (Reading::Doubt(_) | Reading::Refused(_), _) if is_pending(found) => self.end(ticket, StepState::Unknown),
            (Reading::Refused(code), _) => self.fail(ticket, Why::Refused(code), now),
            // A registry may lag behind itself.
            (Reading::After, _) if now.at < show_by => self.wait(ticket, reading, now.at + self.settings.again),
            (Reading::Pending, _) if is_pending(found) && now.at < show_by && self.begins() => self.wait(ticket, reading, show_by),
            (Reading::Pending, _) if is_pending(found) => self.end(ticket, StepState::Pending),
            // What was decided against may still show as pending.
            (Reading::Declined, _) if is_pending(found) && now.at < show_by => self.wait(ticket, reading, now.at + self.settings.again),
            (Reading::Declined, Look::Observed) => self.fail(ticket, Why::Declined, now),
            (Reading::After | Reading::Pending, Look::Observed) => self.fail(ticket, Why::NotEffective, now),
            // The registry may still be at it: only a second look counts.
            (Reading::Doubt(false), Look::Observed) => self.wait(ticket, Reading::Doubt(true), now.at + self.settings.again),
            (Reading::Doubt(true), Look::Observed) if sends >= SENDS => self.fail(ticket, Why::NotEffective, now),
            (Reading::Doubt(true), Look::Observed) => {
                self.enter(ticket, StepState::Planned, now, |_| ());
                if self.sends() {
                    self.ask(ticket, Reading::Before);
                } else {
                    self.end(ticket, StepState::Planned);
                }
            }
            (Reading::After | Reading::Pending | Reading::Declined | Reading::Doubt(_), Look::Neither)
            | (Reading::After | Reading::Pending | Reading::Declined, Look::Gone) => {
                self.conflict(ticket, now);
            }
        }
        Ok(())
    }

    pub(super) fn verified(&mut self, ticket: u64, now: Now) {
        self.enter(ticket, StepState::Verified, now, |_| ());
        if let Some(task) = self.tasks.get_mut(&ticket) {
            task.step += 1;
            self.go_on(ticket, now);
        }
    }

    pub(super) fn conflict(&mut self, ticket: u64, now: Now) {
        self.enter(ticket, StepState::Conflict, now, |_| ());
        self.end(ticket, StepState::Conflict);
    }
}
