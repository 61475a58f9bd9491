//! How a command that changes something is carried out where a fault strikes it: besides its answer, what happens to the object.

use super::core::{Answer, Commit};
use super::faults::Fault;
use super::later::{Belated, Deed, Pending};
use super::registry::{Change, Registry};
use crate::base::Timestamp;
use crate::protocol::ns::Ns;
use crate::protocol::writer::XmlWriter;
use jiff::SignedDuration;
use std::time::Duration;

/// How long a decision, and a command that comes late, take unless told otherwise.
const DECIDES: Duration = Duration::from_secs(1);
const BELATED: Duration = Duration::from_secs(2);

/// What a registry does with a command, besides answering it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conduct {
    /// Carries it out.
    Honest,
    /// Has not heard it: the line was gone.
    Deaf,
    /// Carries it out, and the line is gone before the answer.
    Mute,
    /// Refuses it, whatever it is.
    Refuse,
    /// Says that it was done, and does nothing.
    Hollow,
    /// Leaves it undecided, and decides later or never.
    Pend(Option<bool>),
    /// The line is gone, and it is carried out later.
    Belated,
    /// Carries it out twice.
    Double,
    /// Somebody else changes the object just before.
    MeddledBefore,
    /// Somebody else changes the object just behind.
    MeddledBehind,
}

impl Conduct {
    /// The conduct under `fault`. One that is no matter of conduct changes answers alone.
    const fn of(fault: Fault) -> Self {
        match fault {
            Fault::Unheard => Self::Deaf,
            Fault::Untold => Self::Mute,
            Fault::Hollow => Self::Hollow,
            Fault::Granted => Self::Pend(Some(true)),
            Fault::Declined => Self::Pend(Some(false)),
            Fault::Undecided => Self::Pend(None),
            Fault::Belated => Self::Belated,
            Fault::Doubled => Self::Double,
            Fault::Meddled => Self::MeddledBefore,
            Fault::MeddledBehind => Self::MeddledBehind,
            fault if fault.is_refusal() => Self::Refuse,
            _ => Self::Honest,
        }
    }
}

/// A command that was heard.
pub(super) struct Heard<'a> {
    /// Its frame.
    pub(super) frame: &'a str,
    /// The registry's transaction identifier.
    pub(super) sv_trid: &'a str,
    /// When it arrived.
    pub(super) wall: Timestamp,
    /// Whether it changes an object that is there, which can be left undecided.
    pub(super) is_update: bool,
}

/// What became of a command.
pub(super) enum Conducted<D> {
    /// It is answered with that code.
    Done(D, u16),
    /// It is not carried out; the fault makes its answer.
    Refused,
    /// There is no answer.
    Silent,
}

/// Has `apply` carry a command out, as the fault in `answer` would have it; what took effect is added to `answer`.
///
/// # Errors
/// Those of `apply`.
pub(super) fn carry_out<D, E>(
    registry: &mut Registry,
    heard: &Heard<'_>,
    answer: &mut Answer,
    apply: impl FnOnce(&mut Registry) -> Result<(D, Option<Change>), E>,
) -> Result<Conducted<D>, E> {
    let Heard { frame, wall, .. } = *heard;
    let conduct = answer.fault.as_ref().map_or(Conduct::Honest, |spec| Conduct::of(spec.fault));
    let delay = answer.fault.as_ref().and_then(|spec| spec.delay);
    match conduct {
        Conduct::Deaf => return Ok(silenced(answer)),
        Conduct::Refuse => return Ok(Conducted::Refused),
        Conduct::Belated => {
            let (by, cl_trid, due) = (registry.acting.clone(), answer.cl_trid.clone(), after(wall, delay.unwrap_or(BELATED)));
            registry.held.belated.push(Belated { by, frame: frame.into(), cl_trid, due });
            return Ok(silenced(answer));
        }
        Conduct::MeddledBefore => meddle(registry, wall, answer),
        _ => {}
    }
    let decision = match conduct {
        Conduct::Pend(decision) if heard.is_update => Some(decision),
        _ => None,
    };
    let held = (conduct == Conduct::Hollow || decision.is_some()).then(|| registry.held.clone());
    let (done, change) = apply(registry)?;
    let object = change.as_ref().map(|change| change.object.clone());
    let commit = |deed, change| Commit {
        at: wall,
        by: registry.acting.clone(),
        frame: frame.to_owned(),
        cl_trid: answer.cl_trid.clone(),
        deed,
        change,
    };
    let (Some(object), Some(held)) = (&object, held) else {
        // Nothing stands against it.
        let commit = change.map(|change| commit(Deed::Command, Some(change)));
        answer.commits.extend(commit);
        match (conduct, object) {
            (Conduct::Double, Some(object)) => {
                let again = registry.put_again(&object, wall);
                let (by, cl_trid) = (registry.acting.clone(), answer.cl_trid.clone());
                answer.commits.extend(again.map(|change| Commit {
                    at: wall,
                    by,
                    frame: String::new(),
                    cl_trid,
                    deed: Deed::Repeated,
                    change: Some(change),
                }));
            }
            (Conduct::MeddledBehind, _) => meddle(registry, wall, answer),
            (Conduct::Mute, _) => return Ok(silenced(answer)),
            _ => {}
        }
        return Ok(Conducted::Done(done, 1000));
    };
    let Some(grants) = decision else {
        registry.held = held;
        return Ok(Conducted::Done(done, 1000));
    };
    let pending = Pending {
        by: registry.acting.clone(),
        frame: frame.into(),
        cl_trid: answer.cl_trid.clone(),
        sv_trid: heard.sv_trid.into(),
        due: grants.map(|_| after(wall, delay.unwrap_or(DECIDES))),
        grants: grants == Some(true),
    };
    let row = Commit { frame: String::new(), ..commit(Deed::Pended(object.as_str().into(), pending.clone()), None) };
    registry.held = held;
    registry.pend(object, pending);
    answer.commits.push(row);
    Ok(Conducted::Done(done, 1001))
}

/// Somebody else changes the object that a command is about.
pub(super) fn meddle(registry: &mut Registry, wall: Timestamp, answer: &mut Answer) {
    let frame = answer.object.as_deref().and_then(|key| meddling(registry, key));
    let by = registry.user.clone();
    let done = frame.and_then(|frame| Some((registry.execute(&frame, &by, wall).ok()?, frame)));
    answer.commits.extend(done.map(|(change, frame)| Commit {
        at: wall,
        by,
        frame,
        cl_trid: None,
        deed: Deed::Command,
        change: Some(change),
    }));
}

fn silenced<D>(answer: &mut Answer) -> Conducted<D> {
    (answer.silent, answer.close) = (true, true);
    Conducted::Silent
}

fn after(wall: Timestamp, delay: Duration) -> Timestamp {
    SignedDuration::try_from(delay).ok().and_then(|delay| wall.checked_add(delay).ok()).unwrap_or(wall)
}

/// A command of the account's other systems: it gives a domain another registrant out of its other contacts, or where there is none
/// the status `clientHold`, and a contact another e-mail address.
fn meddling(registry: &Registry, key: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut w = XmlWriter::new(&mut out);
    let [domain, contact] = [Ns::DOMAIN, Ns::CONTACT].map(|ns| [("xmlns", ns.uri())]);
    let (held, person) = (registry.domain(key), registry.contact(key));
    let other = held.as_ref().and_then(|domain| {
        let registrant = domain.registrant.as_ref()?;
        domain.contacts.iter().map(|contact| &contact.handle).find(|handle| *handle != registrant)
    });
    w.element("epp", &[("xmlns", Ns::EPP.uri())], |w| {
        w.element("command", &[], |w| {
            w.element("update", &[], |w| match (&held, other) {
                (Some(_), Some(other)) => w.element("update", &domain, |w| {
                    w.leaf("name", &[], key);
                    w.element("chg", &[], |w| w.leaf("registrant", &[], other.as_str()));
                }),
                (Some(_), None) => w.element("update", &domain, |w| {
                    w.leaf("name", &[], key);
                    w.element("add", &[], |w| w.empty("status", &[("s", "clientHold")]));
                }),
                (None, _) => w.element("update", &contact, |w| {
                    w.leaf("id", &[], key);
                    w.element("chg", &[], |w| w.leaf("email", &[], "moved@elsewhere.example"));
                }),
            });
        });
    });
    let is_there = held.is_some() || person.is_some();
    is_there.then(|| String::from_utf8(out).ok()).flatten()
}
