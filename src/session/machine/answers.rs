//! What a session makes of the frames that come: whose they are, and what they end.

use super::super::dialect::{Identity, Matching};
use super::super::exchange::{Barred, Ended, Loss, Now, Outcome, RawFrame};
use super::super::result::{At, Kind};
use super::{Asked, Effect, FrameFacts, Owner, Session, State};
use crate::base::{ExchangeId, Timestamp};
use crate::model::{Class, Command, ExchangeFacts, Extension, Response, ResultCode};

impl Session {
    /// An answer came: finds its question.
    pub(super) fn answered(&mut self, response: Box<Response>, facts: FrameFacts, now: Now) {
        let code = response.code();
        self.failed_turns = 0;
        if let Some(credit) = credit(&response) {
            self.report.credit = Some(credit.into());
        }
        if matches!(self.state, State::Greeting { .. }) {
            // Some registries tell that there are too many sessions in place of the greeting.
            return self.refused(&response, now);
        }
        let found = match (self.dialect.matching(), &response.cl_trid) {
            (Matching::InOrder, _) => (!self.in_flight.is_empty()).then_some(0).ok_or(Loss::Ownerless(code)),
            (Matching::ById, Some(id)) => {
                self.in_flight.iter().position(|asked| asked.cl_trid.as_ref() == Some(id)).ok_or(Loss::Ownerless(code))
            }
            // Without an identifier an answer is believed where it can only be one command's, and claims no success.
            (Matching::ById, None) => match (self.in_flight.len(), code.0) {
                (0, _) => Err(Loss::Ownerless(code)),
                (1, 2000..=2103 | 2400 | 2500..=2599) => Ok(0),
                _ => Err(Loss::Unidentified(code)),
            },
        };
        let at = match found {
            Ok(at) => at,
            Err(loss) => return self.die(&loss, now),
        };
        if let Some(asked) = self.in_flight.get(at)
            && self.is_foreign(asked.command(), &response)
        {
            let loss = Loss::OtherObject(self.dialect.command_name(asked.command()).to_owned());
            return self.die(&loss, now);
        }
        let Some(asked) = self.in_flight.remove(at) else { return };
        match asked.owner {
            Owner::Asker(_) => self.deliver(asked, response, facts, now),
            Owner::Login(_) => {
                let verdict = self.dialect.classify(&response, At::Login, Kind::Session);
                let is_in = (code.is_success() || verdict.class == Class::Ok) && !verdict.closes;
                if is_in { self.state = State::Ready } else { self.refused(&response, now) }
            }
            Owner::Logout(_) => self.leave(now),
            Owner::KeepAlive(_) if code.closes() || code == ResultCode::USE_ERROR => self.die(&Loss::Told(code), now),
            Owner::KeepAlive(_) => self.log_out_if_drained(now),
        }
    }

    /// Whether an answer cannot be the one to `command`.
    fn is_foreign(&self, command: &Command, response: &Response) -> bool {
        match self.dialect.identity(command, response) {
            Identity::Same => false,
            Identity::Other => true,
            // Where answers carry no identifier, a success must at least name the object; a goodbye names none.
            Identity::Silent => {
                let claims = response.code().is_success() && response.code() != ResultCode::BYE;
                self.dialect.matching() == Matching::InOrder && claims && Kind::of(command) == Kind::Query
            }
        }
    }

    /// Hands an answer to its asker; the session may be over with it.
    fn deliver(&mut self, asked: Asked, mut response: Box<Response>, facts: FrameFacts, now: Now) {
        self.window.answered(asked.sent, now.at);
        self.report.answers += 1;
        self.report.answer_times.add(now.at.since(asked.sent));
        response.unknown = self.tape.unknown();
        let code = response.code();
        let verdict = self.dialect.classify(&response, At::Live, Kind::of(asked.command()));
        let mut evidence = self.evidence(&asked, now.wall);
        evidence.code = Some(code);
        evidence.sv_trid.clone_from(&response.sv_trid);
        evidence.received = facts.received;
        evidence.bytes_in = facts.bytes;
        evidence.digest = Some(facts.digest);
        evidence.elements = self.names.of(&self.tape, &*self.dialect);
        if let Owner::Asker(job) = asked.owner {
            let answer = Outcome::Answer { response, verdict, facts: Box::new(evidence), frame: facts.message };
            self.effects.push_back(Effect::Done(job, answer));
        }
        if verdict.closes {
            self.die(&Loss::Told(code), now);
        } else {
            self.log_out_if_drained(now);
        }
    }

    /// The registry will not have us.
    fn refused(&mut self, response: &Response, now: Now) {
        let verdict = self.dialect.classify(response, At::Login, Kind::Session);
        let barred = Barred::Refused { code: response.code(), msg: response.told(), verdict };
        self.end(Ended::Barred(barred), &Loss::Told(response.code()), now);
    }

    /// A frame came that is no answer. It ends the session; whose it was is told by our identifier in its bytes, or by there being only
    /// one command in flight. Otherwise nobody owns it, and what was in flight is asked again one by one.
    pub(super) fn garbage(&mut self, why: String, frame: RawFrame, facts: &FrameFacts, now: Now) {
        let names = |asked: &Asked| {
            asked.cl_trid.as_ref().is_some_and(|id| {
                let id = format!(">{id}<");
                frame.reveal().windows(id.len()).any(|w| w == id.as_bytes())
            })
        };
        let at = if self.in_flight.len() == 1 { Some(0) } else { self.in_flight.iter().position(names) };
        let askers = at.filter(|&at| self.in_flight.get(at).is_some_and(|a| matches!(a.owner, Owner::Asker(_))));
        if let Some(asked) = askers.and_then(|at| self.in_flight.remove(at)) {
            let mut evidence = self.evidence(&asked, now.wall);
            evidence.bytes_in = facts.bytes;
            evidence.digest = Some(facts.digest);
            if let Owner::Asker(job) = asked.owner {
                let outcome = Outcome::Unreadable { why: why.clone(), frame, facts: Box::new(evidence) };
                self.effects.push_back(Effect::Done(job, outcome));
            }
        } else {
            for asked in &mut self.in_flight {
                if let Owner::Asker(job) = &mut asked.owner {
                    job.alone = true;
                }
            }
        }
        self.die(&Loss::Garbage(why), now);
    }

    /// The evidence of an exchange without an answer.
    pub(super) fn evidence(&self, asked: &Asked, received: Timestamp) -> ExchangeFacts {
        ExchangeFacts {
            id: ExchangeId::new(self.number, asked.number),
            command: self.dialect.command_name(asked.command()),
            cl_trid: asked.cl_trid.clone(),
            sv_trid: None,
            code: None,
            sent: asked.wall,
            received,
            bytes_out: asked.bytes_out,
            bytes_in: 0,
            digest: None,
            elements: "".into(),
        }
    }
}

/// The account's credit, where an answer tells it.
fn credit(response: &Response) -> Option<&str> {
    response.extensions.iter().rev().find_map(|e| if let Extension::Credit(credit) = e { Some(&*credit.amount) } else { None })
}
