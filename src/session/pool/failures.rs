//! What a pool makes of answers and losses: what is asked again, when a session is opened anew, when the registry stops.

use super::super::exchange::{Barred, CloseReason, Ended, Job, Loss, Now, Outcome};
use super::super::machine::Session;
use super::super::ration::Spent;
use super::super::result::{Scope, Verdict};
use super::super::trouble;
use super::{ASKED_AGAIN, MAX_FAILURES, MAX_LIMITS, MAX_RELOGINS, Pool, object_of};
use crate::base::{Moment, Problem};
use crate::model::{Class, Command, Response, ResultCode};
use std::time::Duration;

impl Pool {
    /// An exchange of a session whose line takes turns failed.
    pub fn handle_failed(&mut self, session: u32, reason: CloseReason, now: Now) {
        if let Some(s) = self.session(session) {
            s.handle_failed(reason, now);
        }
        self.advance(now);
    }

    /// An exchange is over: hands it to the asker, or asks again.
    pub(super) fn outcome(&mut self, mut job: Job, outcome: Outcome, now: Now) {
        if let Some(then) = job.then.take() {
            return self.read_first(job, &then, outcome, now);
        }
        match outcome {
            Outcome::Answer { response, verdict, facts, frame } => {
                self.failures = 0;
                self.limits = 0;
                let again = self.answered(&job, &response, verdict, now);
                match again {
                    Some(at) if job.repeats() && job.attempts < ASKED_AGAIN && !self.finished() => {
                        job.attempts += 1;
                        self.report.asked_again += 1;
                        self.delayed.push((at, job));
                    }
                    _ => self.done(job.ticket, Outcome::Answer { response, verdict, facts, frame }),
                }
            }
            Outcome::NeverSent { .. } if job.repeats() && !self.finished() => self.queue.push_front(job),
            Outcome::Unknown { why, facts } => {
                if let Loss::OtherObject(command) = &why {
                    self.report.problem(trouble::other_object(&self.setup.registry, command));
                }
                self.repeat(job, Outcome::Unknown { why, facts });
            }
            Outcome::Unreadable { .. } => self.repeat(job, outcome),
            Outcome::NeverSent { .. } | Outcome::Refused(_) => self.done(job.ticket, outcome),
        }
    }

    /// What was to be read before a change was put together is there, or is not. Nothing was changed yet, so that it may be read again.
    fn read_first(&mut self, mut job: Job, then: &Command, outcome: Outcome, now: Now) {
        let may_repeat = job.attempts < ASKED_AGAIN && !self.finished();
        let again = |mut job: Job| {
            job.attempts += 1;
            Job { then: Some(Box::new(then.clone())), ..job }
        };
        match outcome {
            Outcome::Answer { response, verdict, facts, frame } => {
                self.failures = 0;
                self.limits = 0;
                match self.answered(&job, &response, verdict, now) {
                    Some(at) if may_repeat => {
                        self.report.asked_again += 1;
                        self.delayed.push((at, again(job)));
                    }
                    _ if response.code().is_success() => match self.setup.dialect.complete(then, &response) {
                        Ok(_) if self.finished() => self.done(job.ticket, Outcome::NeverSent { why: Loss::Stopped }),
                        Ok(command) => {
                            job.command = command;
                            job.attempts = 0;
                            self.queue.push_front(job);
                        }
                        Err(problem) => self.done(job.ticket, Outcome::Refused(problem)),
                    },
                    _ => self.done(job.ticket, Outcome::Answer { response, verdict, facts, frame }),
                }
            }
            Outcome::NeverSent { .. } | Outcome::Unknown { .. } | Outcome::Unreadable { .. } if may_repeat => {
                self.report.asked_again += 1;
                self.queue.push_front(again(job));
            }
            Outcome::Unknown { why, .. } => self.done(job.ticket, Outcome::NeverSent { why }),
            Outcome::NeverSent { .. } | Outcome::Unreadable { .. } | Outcome::Refused(_) => self.done(job.ticket, outcome),
        }
    }

    /// Asks again what got no answer, as often as that may be done.
    fn repeat(&mut self, mut job: Job, outcome: Outcome) {
        if job.repeats() && job.attempts < ASKED_AGAIN && !self.finished() {
            job.attempts += 1;
            self.report.asked_again += 1;
            self.queue.push_front(job);
        } else {
            self.done(job.ticket, outcome);
        }
    }

    /// What an answer means for the pool. When it is to be asked again, if so.
    fn answered(&mut self, job: &Job, response: &Response, verdict: Verdict, now: Now) -> Option<Moment> {
        let code = response.code();
        if let Some(news) = self.setup.dialect.quota(response) {
            self.ration.told(news);
        }
        if self.breaker.trips(code, verdict) && verdict.scope == Scope::Item {
            self.stop(trouble::breaker(&self.setup.registry, code, &response.told()), now);
            return None;
        }
        if self.foreign.trips(code, verdict) {
            self.stop(trouble::not_ours(&self.setup.registry, self.foreign.refused, self.foreign.answers), now);
            return None;
        }
        let name = self.setup.dialect.command_name(&job.command);
        match verdict.scope {
            Scope::Operation => {
                self.off.insert(name, code);
            }
            Scope::Object => {
                self.off.insert(object_of(name), code);
            }
            Scope::Registry => self.stop(trouble::stopping(&self.setup.registry, code, &response.told()), now),
            Scope::Item => {}
        }
        if verdict.limit {
            // One session fewer, and a pause for the others: the registry counts what all of them send.
            self.shrink_to(self.sessions.len().saturating_sub(1));
            if self.sessions.len() > usize::from(self.allowed)
                && let Some(last) = self.sessions.last_mut()
            {
                last.drain(now);
            }
            self.paused = self.paused.max(now.at + self.allowance.back_off);
        }
        if !matches!(verdict.class, Class::Again | Class::New) {
            self.relogins = 0;
        }
        match verdict.class {
            Class::Again if verdict.limit => Some(self.paused),
            Class::Again => Some(now.at + self.jitter.wait(job.attempts + 1, self.allowance.back_off)),
            Class::New if code == ResultCode::FAILED_CLOSING => Some(now.at + self.allowance.back_off.min(Duration::from_secs(30))),
            Class::New => {
                self.relogins += 1;
                if self.relogins > MAX_RELOGINS {
                    self.stop(trouble::not_logged_in(&self.setup.registry, code, &response.told()), now);
                }
                Some(now.at)
            }
            // An answer to a query that leaves its effect open is merely asked again.
            Class::Read if job.repeats() => Some(now.at),
            _ => None,
        }
    }

    /// A session is over: what that means for the next one.
    pub(super) fn buried(&mut self, session: &Session, now: Now) {
        self.report.add(session.report(now.at));
        match session.ended() {
            Some(Ended::Lost(loss)) => {
                self.report.reconnects += 1;
                self.lost(loss, now);
            }
            Some(Ended::Barred(Barred::Problem(problem))) => self.stop(problem.clone(), now),
            Some(Ended::Barred(Barred::Refused { code, msg, verdict })) => {
                let (code, verdict) = (*code, *verdict);
                if verdict.limit {
                    self.met_limit(trouble::session_limit(&self.setup.registry, code, msg), now);
                } else if matches!(verdict.class, Class::New | Class::Again) {
                    self.relogins += 1;
                    self.open_at = now.at + self.allowance.back_off.min(Duration::from_secs(30));
                    if self.relogins > 1 {
                        self.stop(trouble::login_refused(&self.setup.registry, code, msg), now);
                    }
                } else {
                    self.stop(trouble::login_refused(&self.setup.registry, code, msg), now);
                }
            }
            Some(Ended::Barred(Barred::Lost(loss))) => match loss {
                Loss::Closed(CloseReason::Alert { certificate: true, name }) => {
                    self.stop(trouble::certificate_refused(&self.setup.registry, name), now);
                }
                loss => self.met_limit(trouble::no_session(&self.setup.registry, loss), now),
            },
            Some(Ended::Left) | None => {}
        }
    }

    /// A live session was lost. Closing without a word is also how some registries tell that a limit was reached.
    fn lost(&mut self, loss: &Loss, now: Now) {
        self.failures = self.failures.saturating_add(1);
        if self.failures > MAX_FAILURES {
            self.stop(trouble::keeps_failing(&self.setup.registry, loss), now);
            return;
        }
        self.open_at = self.open_at.max(now.at + self.jitter.wait(self.failures, self.allowance.back_off));
    }

    /// No session was to be had: fewer of them, after a pause, and not for ever.
    fn met_limit(&mut self, problem: Box<Problem>, now: Now) {
        // What is open is what the registry takes.
        self.shrink_to(self.sessions.len());
        self.limits += 1;
        self.open_at = now.at + self.allowance.back_off;
        let others = self.sessions.iter().any(|s| !s.is_opening());
        if self.limits >= MAX_LIMITS && !others {
            self.stop(problem, now);
        } else {
            self.report.problem(problem);
        }
    }

    /// At most `sessions` from now on, and at least one.
    pub(super) fn shrink_to(&mut self, sessions: usize) {
        self.allowed = self.allowed.min(u16::try_from(sessions).unwrap_or(u16::MAX)).max(1);
    }

    /// Ends the run, since what may be asked is used up: what is in flight is finished, what is not was never sent.
    pub(super) fn spend(&mut self, spent: Spent) {
        self.finishing = true;
        self.report.spent = Some(spent);
        if spent == Spent::Quota {
            self.report.problem(trouble::quota_kept(&self.setup.registry));
        }
        for job in self.waiting() {
            self.done(job.ticket, Outcome::NeverSent { why: Loss::Rationed(spent) });
        }
    }

    /// Stops the registry: what is not in flight is refused, what is may end.
    pub(super) fn stop(&mut self, problem: Box<Problem>, now: Now) {
        let problem = self.named(problem);
        self.finishing = true;
        if self.report.stopped.is_none() {
            // Told once: as what stopped the registry.
            self.report.problems.retain(|told| *told != *problem);
            self.report.stopped = Some(*problem);
        }
        for job in self.waiting() {
            self.turn_away(&job);
        }
        self.drain(now);
    }

    /// Ends a job at a registry that stopped: a question with the reason, and a change as one that was never sent.
    pub(super) fn turn_away(&mut self, job: &Job) {
        let outcome = match &self.report.stopped {
            Some(problem) if job.repeats() => Outcome::Refused(Box::new(problem.clone())),
            _ => Outcome::NeverSent { why: Loss::Stopped },
        };
        self.done(job.ticket, outcome);
    }

    /// `problem`, said of this registry where it names no object.
    pub(super) fn named(&self, problem: Box<Problem>) -> Box<Problem> {
        if problem.place.object.is_none() { problem.object(self.setup.registry.as_str()) } else { problem }
    }
}
