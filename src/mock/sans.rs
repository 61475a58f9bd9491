//! A bundled registry without a line, for whoever moves the bytes: frames go in, answers come out, and every change is kept with the
//! object before and after it.

use super::fleet::Fleet;
use super::knobs::Knobs;
use super::registry::{Registry, stamp};
use super::tongue::Tongue;
use crate::base::{Moment, Result, Secret, Timestamp};
use crate::model::{Contact, Domain, Host, ObjectKind, PendingData};
use crate::policy::Profile;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The objects that a registry begins with, by handle and by name.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Contacts.
    pub contacts: BTreeMap<Box<str>, Contact>,
    /// Domains.
    pub domains: BTreeMap<Box<str>, Domain>,
}

impl Fleet for Objects {
    fn contact(&self, id: &str) -> Option<Contact> {
        self.contacts.get(id).cloned()
    }

    fn domain(&self, name: &str) -> Option<Domain> {
        self.domains.get(name).cloned()
    }

    fn host(&self, _name: &str) -> Option<Host> {
        None
    }
}

/// An object as the registry holds it.
#[derive(Clone, Debug)]
pub enum Held {
    /// A contact.
    Contact(Box<Contact>),
    /// A domain.
    Domain(Box<Domain>),
}

/// A change that took effect.
#[derive(Clone, Debug)]
pub struct Effected {
    /// When.
    pub at: Moment,
    /// The client's transaction identifier; none where it was not our account's command.
    pub cl_trid: Option<Box<str>>,
    /// What was changed.
    pub object: (ObjectKind, Box<str>),
    /// The object before; none where it was created.
    pub before: Option<Held>,
    /// The object after.
    pub after: Held,
}

/// A connection.
pub struct Visit(Tongue);

/// An answer, without the framing of its line.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its bytes; none where the registry hangs up without a word.
    pub payload: Vec<u8>,
    /// Its code.
    pub code: u16,
    /// Whether the connection is closed behind it.
    pub closes: bool,
}

/// A registry, whose objects outlive its connections.
pub struct Sans {
    registry: Registry,
    held: BTreeMap<(ObjectKind, Box<str>), Held>,
    effected: Vec<Effected>,
}

impl Sans {
    /// The registry of `profile` that begins with `objects`, started at `wall`, with one account of that name and password.
    ///
    /// # Errors
    /// `E-mock-001`.
    pub fn new(profile: Arc<Profile>, objects: &Objects, knobs: &Knobs, account: (&str, Secret), wall: Timestamp) -> Result<Self> {
        let (user, password) = account;
        let registry = Registry::new(profile, Box::new(objects.clone()), knobs, user, password, 0, wall)?;
        let mut held = BTreeMap::new();
        let contacts = objects.contacts.keys().map(|id| (ObjectKind::Contact, id));
        for (kind, id) in contacts.chain(objects.domains.keys().map(|id| (ObjectKind::Domain, id))) {
            if let Some(object) = stands(&registry, kind, id) {
                held.insert((kind, id.clone()), object);
            }
        }
        Ok(Self { registry, held, effected: Vec::new() })
    }

    /// A connection that begins at `now`, with the greeting.
    pub fn open(&self, now: Moment, wall: Timestamp) -> (Visit, Vec<u8>) {
        let tongue = Tongue::new(&self.registry, now);
        let mut greeting = Vec::new();
        tongue.greet(&self.registry, wall, &mut greeting);
        (Visit(tongue), greeting)
    }

    /// Answers a frame that arrived at `now`.
    pub fn answer(&mut self, visit: &mut Visit, frame: &[u8], now: Moment, wall: Timestamp) -> Reply {
        let mut payload = Vec::new();
        let answer = visit.0.handle(&mut self.registry, frame, now, wall, &mut payload);
        for commit in &answer.commits {
            if let Some(change) = &commit.change {
                self.keep(&change.object, commit.cl_trid.clone(), now);
            }
        }
        if answer.silent {
            payload.clear();
        }
        Reply { payload, code: answer.code, closes: answer.close }
    }

    /// Tells the account by its queue how a pending action ended.
    pub fn notify(&mut self, kind: ObjectKind, decision: PendingData, wall: Timestamp) {
        let to = self.registry.user.clone();
        let decision = PendingData { date: Some(stamp(wall)), ..decision };
        self.registry.tell_decision(&to, kind, decision, wall);
    }

    /// The numbers of the messages that were taken out of the queue.
    pub fn acknowledged(&self) -> Vec<u64> {
        self.registry.acknowledged()
    }

    /// Carries out a command behind the scenes, on no connection and within no limit: one that was taken earlier.
    pub fn carry_out(&mut self, frame: &[u8], now: Moment, wall: Timestamp) -> Reply {
        let limits = self.registry.limits.clone();
        (self.registry.limits.sessions, self.registry.limits.rate) = (None, None);
        let (mut visit, _) = self.open(now, wall);
        let login = self.login();
        self.answer(&mut visit, login.as_bytes(), now, wall);
        let reply = self.answer(&mut visit, frame, now, wall);
        self.close(visit);
        self.registry.limits = limits;
        reply
    }

    /// The login of the account, with every service there is.
    fn login(&self) -> String {
        let element = |name: &str, uris: &[String]| {
            let all: Vec<String> = uris.iter().map(|uri| format!("<{name}>{uri}</{name}>")).collect();
            all.concat()
        };
        let Registry { user, password, objects, extensions, .. } = &self.registry;
        let (objects, extensions) = (element("objURI", objects), element("extURI", extensions));
        let extensions = if extensions.is_empty() { extensions } else { format!("<svcExtension>{extensions}</svcExtension>") };
        format!(
            "<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command><login><clID>{user}</clID><pw>{}</pw><options><version>1.0</version>\
             <lang>en</lang></options><svcs>{objects}{extensions}</svcs></login><clTRID>office</clTRID></command></epp>",
            password.reveal()
        )
    }

    /// The connection is gone.
    pub fn close(&mut self, mut visit: Visit) {
        visit.0.forget_login(&mut self.registry);
    }

    /// When the registry cuts a connection on which nothing arrives.
    #[must_use]
    pub fn deadline(&self, visit: &Visit) -> Option<Moment> {
        visit.0.deadline(&self.registry)
    }

    /// Changes an object as somebody else does; nothing where there is no such object.
    pub fn alter(&mut self, kind: ObjectKind, id: &str, by: impl FnOnce(&mut Held), now: Moment, wall: Timestamp) {
        let Some(mut object) = stands(&self.registry, kind, id) else { return };
        let before = object.clone();
        by(&mut object);
        match (&before, object) {
            (Held::Contact(before), Held::Contact(after)) => _ = self.registry.put_contact(Some(before), *after, wall),
            (Held::Domain(before), Held::Domain(after)) => _ = self.registry.put_domain(before, *after, None, wall),
            _ => return,
        }
        self.keep(&format!("{}/{id}", kind.as_str()), None, now);
    }

    /// An object as it stands.
    #[must_use]
    pub fn held(&self, kind: ObjectKind, id: &str) -> Option<&Held> {
        self.held.get(&(kind, id.into()))
    }

    /// Every change, in order.
    #[must_use]
    pub fn effected(&self) -> &[Effected] {
        &self.effected
    }

    /// Keeps a change of `object`, its kind and key as in `contact/C-1`. Messages are no objects.
    fn keep(&mut self, object: &str, cl_trid: Option<Box<str>>, at: Moment) {
        let Some((kind, id)) = object.split_once('/') else { return };
        let Some(kind) = ObjectKind::ALL.into_iter().find(|known| known.as_str() == kind) else { return };
        let Some(after) = stands(&self.registry, kind, id) else { return };
        let object = (kind, Box::from(id));
        let before = self.held.insert(object.clone(), after.clone());
        self.effected.push(Effected { at, cl_trid, object, before, after });
    }
}

fn stands(registry: &Registry, kind: ObjectKind, id: &str) -> Option<Held> {
    Some(match kind {
        ObjectKind::Contact => Held::Contact(Box::new(registry.contact(id)?.into_owned())),
        ObjectKind::Domain => Held::Domain(Box::new(registry.domain(id)?.into_owned())),
    })
}
