//! How a command is sent, and what its answer means.

use super::super::step::command;
use super::{Executor, Reading, Task, Waiting, image_field};
use crate::base::{Entropy, ObjectKey, Result, Secret};
use crate::journal::{StepState, Why};
use crate::model::Class;
use crate::plan::{Standing, Turn};
use crate::session::{Effect, Now, Outcome};
use crate::store::sealed_cell;

impl Executor {
    /// Puts on disk that the command is sent, with what the object was before.
    pub(super) fn send(&mut self, ticket: u64, key: &ObjectKey, found: &Standing, now: Now) -> Result<()> {
        let Some(task) = self.tasks.get(&ticket) else { return Ok(()) };
        if !self.begins() {
            self.end(ticket, StepState::Planned);
            return Ok(());
        }
        if let Some(rule) = self.parts.guard.forbids(&task.operation, now.wall)? {
            self.fail(ticket, Why::Blocked(rule), now);
            return Ok(());
        }
        let Some(step) = task.operation.steps.get(usize::from(task.step)) else { return Ok(()) };
        let auth = if step.turn == Turn::Create { authorisation(&mut *self.parts.entropy)? } else { Secret::new("") };
        let transform = match command(step, key, found, &mut *self.parts.values, auth) {
            Ok(transform) => Box::new(transform),
            Err(problem) => {
                self.fail(ticket, Why::Unsaid(problem.id.as_str().into()), now);
                return Ok(());
            }
        };
        let before = key.seal(&image_field(&task.operation, task.step), found.image(step.object.kind).as_bytes(), self.settings.keep)?;
        let cltrid = self.cltrid(task, task.sends + 1);
        let (digest, named) = (before.digest(), cltrid.clone());
        self.enter_with(ticket, StepState::Sending, now, Some(ticket), vec![sealed_cell(&before)], |row| {
            row.before = Some(digest);
            row.cltrid = Some(named);
        });
        if let Some(task) = self.tasks.get_mut(&ticket) {
            task.waiting = Waiting::Disk(transform, cltrid);
            task.key = Some(key.clone());
        }
        Ok(())
    }

    /// The transaction identifier of a step's command, sent for the `send`th time.
    pub(super) fn cltrid(&self, task: &Task, send: u8) -> Box<str> {
        format!("{}-{}-{}-{send}", self.settings.prefix, task.operation.op, task.step).into()
    }

    pub(super) fn written(&mut self, ticket: u64, outcome: Outcome, now: Now) {
        let svtrid = match &outcome {
            Outcome::Answer { response, .. } => response.sv_trid.clone(),
            _ => None,
        };
        match outcome {
            Outcome::Answer { response, verdict, .. } => match verdict.class {
                Class::Ok => {
                    self.enter(ticket, StepState::Applied, now, |row| row.svtrid = svtrid);
                    if let Some(task) = self.tasks.get_mut(&ticket) {
                        task.show_by = now.at + self.settings.settle;
                    }
                    self.ask(ticket, Reading::After);
                }
                Class::Wait => {
                    self.enter(ticket, StepState::Pending, now, |row| row.svtrid = svtrid);
                    match self.settings.queue.filter(|_| self.begins()) {
                        Some(watch) => self.wait(ticket, Reading::Pending, now.at + watch.patience),
                        None => self.end(ticket, StepState::Pending),
                    }
                }
                Class::Item | Class::Stop => {
                    let why = Some(Why::Refused(response.code()));
                    self.enter(ticket, StepState::Failed, now, |row| (row.why, row.svtrid) = (why, svtrid));
                    self.end(ticket, StepState::Failed);
                    if verdict.class == Class::Stop {
                        self.stop("E-apply-003");
                    }
                }
                Class::Read if verdict.effect == Effect::None => {
                    self.enter(ticket, StepState::Unknown, now, |row| row.svtrid = svtrid);
                    self.ask(ticket, Reading::Refused(response.code()));
                }
                // It may have had an effect, or have one later: only the object tells.
                Class::Read | Class::Again | Class::New => self.doubt(ticket, now),
            },
            Outcome::Unreadable { .. } | Outcome::Unknown { .. } => self.doubt(ticket, now),
            Outcome::NeverSent { .. } => {
                self.enter(ticket, StepState::Planned, now, |_| ());
                self.look_again(ticket, now);
            }
            Outcome::Refused(problem) => self.fail(ticket, Why::Unsaid(problem.id.as_str().into()), now),
        }
    }

    pub(super) fn doubt(&mut self, ticket: u64, now: Now) {
        self.enter(ticket, StepState::Unknown, now, |_| ());
        self.wait(ticket, Reading::Doubt(false), now.at + self.settings.settle);
    }
}

/// Authorisation information that nobody can guess: 192 random bits (RFC 9154 §4.1 asks for 128). It is sent and kept nowhere.
fn authorisation(entropy: &mut dyn Entropy) -> Result<Secret> {
    use base64::Engine as _;
    let mut bytes = zeroize::Zeroizing::new([0; 24]);
    entropy.fill(&mut *bytes)?;
    Ok(Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(*bytes)))
}
