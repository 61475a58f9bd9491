//! What takes effect later than its command: one that the registry has yet to decide on, or was slow to carry out, and transfers
//! that nobody answered. Nothing happens by itself: whatever is due is carried out before the next command is looked at.

use super::core::Commit;
use super::decode::decode;
use super::messages::About;
use super::registry::{Change, Registry, stamp};
use super::{rri, update};
use crate::base::Timestamp;
use crate::model::{ObjectKind, PendingData, Status, StatusValue};
use crate::policy::Line;
use crate::protocol::tape::Tape;
use std::borrow::Cow;

/// What a row of the overlay records.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deed {
    /// A command that was carried out.
    #[default]
    Command,
    /// A command on an object, `domain/example.test`, that is pending.
    Pended(Box<str>, Pending),
    /// What was pending about that object is decided.
    Decided(Box<str>),
    /// A command that the registry carried out once more, of its own accord. No later start does so again.
    Repeated,
}

impl Deed {
    /// Whether it is a plain command.
    pub(super) fn is_command(&self) -> bool {
        *self == Self::Command
    }
}

/// A command on which the registry has not decided yet.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Pending {
    /// The account whose command it is.
    pub(super) by: Box<str>,
    /// The command.
    pub(super) frame: Box<str>,
    /// The client's transaction identifier.
    pub(super) cl_trid: Option<Box<str>>,
    /// The registry's.
    pub(super) sv_trid: Box<str>,
    /// When it decides, if it ever does.
    pub(super) due: Option<Timestamp>,
    /// How it decides.
    pub(super) grants: bool,
}

/// A command that was heard and not carried out yet.
#[derive(Clone)]
pub(super) struct Belated {
    /// The account whose command it is.
    pub(super) by: Box<str>,
    /// The command.
    pub(super) frame: Box<str>,
    /// The client's transaction identifier.
    pub(super) cl_trid: Option<Box<str>>,
    /// When it is carried out.
    pub(super) due: Timestamp,
}

impl Registry {
    /// Carries out what is due at `wall`, in the order in which it fell due.
    pub(super) fn fall_due(&mut self, wall: Timestamp) -> Vec<Commit> {
        let mut done = Vec::new();
        while let Some((at, object)) = self.next_due().filter(|(at, _)| *at <= wall) {
            match object {
                Some(object) => done.extend(self.decide(&object, at)),
                None => done.extend(self.carry_out_belated(at)),
            }
        }
        done
    }

    /// When something is due next: a decision about an object, or a command.
    fn next_due(&self) -> Option<(Timestamp, Option<Box<str>>)> {
        let decisions = self.held.pending.iter().filter_map(|(object, pending)| Some((pending.due?, Some(object.clone()))));
        let transfers = self.held.transfers.values().filter_map(|t| Some((t.due()?, Some(t.object()))));
        let belated = self.held.belated.iter().map(|belated| (belated.due, None));
        belated.chain(decisions).chain(transfers).min()
    }

    fn carry_out_belated(&mut self, at: Timestamp) -> Option<Commit> {
        let number = self.held.belated.iter().position(|belated| belated.due <= at)?;
        let Belated { by, frame, cl_trid, .. } = self.held.belated.remove(number);
        let change = self.execute(&frame, &by, at).ok()?;
        Some(Commit { at, by, frame: frame.into(), cl_trid, deed: Deed::Command, change: Some(change) })
    }

    /// Leaves a command undecided: its object is as it was, with the status `pendingUpdate` (RFC 5731 §2.3). False where there is no
    /// such object.
    pub(super) fn pend(&mut self, object: &str, pending: Pending) -> bool {
        let is_there = self.restatus(object, |statuses| statuses.push(StatusValue::PENDING_UPDATE.into()));
        if is_there {
            self.held.pending.insert(object.into(), pending);
        }
        is_there
    }

    /// Decides what is pending about an object, and tells whose command it was.
    pub(super) fn decide(&mut self, object: &str, at: Timestamp) -> Option<Commit> {
        let Some(pending) = self.held.pending.remove(object) else { return self.approve_unanswered(object, at) };
        self.restatus(object, |statuses| statuses.retain(|status| status.value != StatusValue::PENDING_UPDATE));
        let done = if pending.grants { self.execute(&pending.frame, &pending.by, at).ok() } else { None };
        let (kind, id) = match object.split_once('/') {
            Some(("contact", id)) => (ObjectKind::Contact, id),
            _ => (ObjectKind::Domain, object.strip_prefix("domain/").unwrap_or(object)),
        };
        let told = PendingData {
            id: id.into(),
            result: done.is_some(),
            cl_trid: pending.cl_trid.clone(),
            sv_trid: Some(pending.sv_trid),
            date: Some(stamp(at)),
        };
        self.tell_decision(&pending.by, kind, told, at);
        Some(Commit {
            at,
            by: pending.by,
            frame: String::new(),
            cl_trid: pending.cl_trid,
            deed: Deed::Decided(object.into()),
            change: done,
        })
    }

    /// Tells an account how a command of its came out that was pending (RFC 5730 §2.3).
    pub(super) fn tell_decision(&mut self, to: &str, kind: ObjectKind, told: PendingData, at: Timestamp) {
        let text = if told.result { "Pending action completed successfully" } else { "Pending action was refused" };
        self.held.messages.push(to, stamp(at), text, About::Pending(kind, told));
    }

    /// Carries out the command in `frame` for the account `by`.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) fn execute(&mut self, frame: &str, by: &str, at: Timestamp) -> Result<Change, String> {
        if self.profile.line.value == Line::Rri {
            return rri::replay(self, frame.as_bytes(), at);
        }
        let mut tape = Tape::new();
        tape.read(frame.as_bytes()).map_err(|e| e.to_string())?;
        let request = decode(&tape).map_err(|refused| format!("a command that is refused with {}", refused.refusal.code))?;
        let before = std::mem::replace(&mut self.acting, by.into());
        let done = self.apply(&request.order, at);
        self.acting = before;
        done.map_err(|refusal| format!("a command that is refused with {}: {}", refusal.code, refusal.reason))
    }

    /// Changes the statuses of an object, if it is there, and settles those that follow from the others.
    pub(super) fn restatus(&mut self, object: &str, change: impl FnOnce(&mut Vec<Status>)) -> bool {
        match object.split_once('/') {
            Some(("contact", id)) => {
                let Some(mut contact) = self.contact(id).map(Cow::into_owned) else { return false };
                change(&mut contact.statuses);
                update::settle(&mut contact.statuses, true);
                self.held.contacts.insert(id.into(), Some(contact));
            }
            Some(("domain", name)) => {
                let Some(mut domain) = self.domain(name).map(Cow::into_owned) else { return false };
                change(&mut domain.statuses);
                let is_delegated = super::dns_check::is_delegated(&domain);
                update::settle(&mut domain.statuses, is_delegated);
                self.held.domains.insert(name.into(), Some(domain));
            }
            _ => return false,
        }
        true
    }
}
