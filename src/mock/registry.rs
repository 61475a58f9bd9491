//! What a registry holds and shares between its connections: objects, messages, its account and the account's budget.

use super::announce::{Announcement, announcement};
use super::check::Judge;
use super::decode::Refusal;
use super::encode;
use super::faults::Faults;
use super::fleet::Fleet;
use super::holdings::Holdings;
use super::knobs::{Knobs, Limits};
use super::messages::{About, Messages};
use super::points::{Points, PointsRule};
use super::rri;
use super::update;
use crate::base::{Handle, Moment, Result, Secret, Timestamp, revealed};
use crate::model::{Contact, ContactsFilter, Date, Domain, HitPoints, Host, Queue, Role, SecDnsInfo, StatusValue};
use crate::policy::{Line, Profile};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// A registry. Objects that nobody changed are the fleet's and cost no memory.
pub(super) struct Registry {
    pub(super) profile: Arc<Profile>,
    pub(super) announcement: Announcement,
    pub(super) limits: Limits,
    /// The account's client identifier.
    pub(super) user: Box<str>,
    pub(super) password: Secret,
    /// Another registrar's account, where there is one: client identifier and password.
    pub(super) rival: Option<(Box<str>, Secret)>,
    /// The account whose command is carried out.
    pub(super) acting: Box<str>,
    /// The faults.
    pub(super) faults: Faults,
    /// What commands changed.
    pub(super) held: Holdings,
    /// Object and extension services in the greeting.
    pub(super) objects: Vec<String>,
    pub(super) extensions: Vec<String>,
    pub(super) fleet: Box<dyn Fleet>,
    points_rule: Option<PointsRule>,
    /// The account's points for errors.
    points: Points,
    /// What transaction identifiers begin with: one start of one registry.
    prefix: String,
    transactions: u64,
    sessions: u32,
    rules: Rules,
    /// When the commands of the last window arrived.
    recent: VecDeque<Moment>,
    /// The account's use of its limits, where they are RRI's.
    gate: rri::Gate,
}

/// How strictly the profile is applied.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Whether rules that nobody has seen refuse as well.
    strict: bool,
    /// Whether an authority's order lies with us.
    served: bool,
}

impl Rules {
    /// As leniently as any registry may be started.
    pub(super) const LENIENT: Self = Self { strict: false, served: true };
}

/// A change that took effect, for the disk. Its values are in clear, so it has no `Debug`.
pub(super) struct Change {
    /// Its kind and key, `contact/C-1`.
    pub(super) object: String,
    /// The object before it.
    pub(super) before: serde_json::Value,
    /// The object after it.
    pub(super) after: serde_json::Value,
    /// The handle of a contact that it made: the registry may have given it.
    pub(super) created: Option<Handle>,
}

impl Registry {
    /// The registry of `profile` over `fleet`, started at `wall`.
    ///
    /// # Errors
    /// `E-mock-001`.
    pub(super) fn new(
        profile: Arc<Profile>,
        fleet: Box<dyn Fleet>,
        knobs: &Knobs,
        user: &str,
        password: Secret,
        seed: u64,
        wall: Timestamp,
    ) -> Result<Self> {
        let announcement = announcement(&profile.id)?;
        let joined = |a: &[String], b: &[String]| a.iter().chain(b).cloned().collect::<Vec<_>>();
        Ok(Self {
            objects: joined(&profile.services.objects, &announcement.objects),
            extensions: joined(&profile.services.extensions, &announcement.extensions),
            limits: knobs.limits(&profile.limits),
            points_rule: knobs.hit_points(announcement.hit_points),
            points: Points::default(),
            profile,
            announcement,
            user: user.into(),
            password,
            rival: knobs.rival.clone(),
            acting: user.into(),
            faults: Faults::new(&knobs.faults, seed),
            held: Holdings::new(Messages::notices(knobs.messages, user)),
            fleet,
            prefix: format!("PV-{seed:x}-{:x}-", wall.as_millisecond()),
            transactions: 0,
            sessions: 0,
            rules: Rules { strict: knobs.strict_unknown, served: knobs.order_served },
            recent: VecDeque::new(),
            gate: rri::Gate::default(),
        })
    }

    /// Puts other rules in force; the ones before.
    pub(super) const fn set_rules(&mut self, rules: Rules) -> Rules {
        std::mem::replace(&mut self.rules, rules)
    }

    /// A transaction identifier that was never given before.
    pub(super) fn next_sv_trid(&mut self) -> String {
        use std::fmt::Write as _;
        self.transactions += 1;
        let mut id = String::with_capacity(self.prefix.len() + 16);
        id.push_str(&self.prefix);
        let _infallible = write!(id, "{:x}", self.transactions);
        id
    }

    /// The contact of that handle.
    pub(super) fn contact(&self, id: &str) -> Option<Cow<'_, Contact>> {
        if let Some(changed) = self.held.contacts.get(id) {
            return changed.as_ref().map(Cow::Borrowed);
        }
        let mut contact = self.fleet.contact(id)?;
        if self.held.links.get(id).is_some_and(|more| *more != 0) {
            update::mark_linked(&mut contact.statuses, self.is_linked(id));
        }
        Some(Cow::Owned(contact))
    }

    /// The domain of that name.
    pub(super) fn domain(&self, name: &str) -> Option<Cow<'_, Domain>> {
        if let Some(changed) = self.held.domains.get(name) {
            return changed.as_ref().map(Cow::Borrowed);
        }
        let mut domain = self.fleet.domain(name)?;
        self.announcement.complete_domain(&mut domain);
        Some(Cow::Owned(domain))
    }

    /// The contacts that a domain names, with their roles: none for its registrant.
    pub(super) fn contacts_of(&self, domain: &Domain, which: ContactsFilter) -> Vec<(Option<Role>, Contact)> {
        let registrant = domain.registrant.iter().map(|handle| (None, handle));
        let others = domain.contacts.iter().filter(|c| c.role.is_some()).map(|c| (c.role, &c.handle));
        let is_wanted = |role: &Option<Role>| match which {
            ContactsFilter::All => true,
            ContactsFilter::Registrant => role.is_none(),
            ContactsFilter::Admin => *role == Some(Role::Admin),
            ContactsFilter::Tech => *role == Some(Role::Tech),
        };
        let wanted = registrant.chain(others).filter(|(role, _)| is_wanted(role));
        wanted.filter_map(|(role, handle)| Some((role, self.contact(handle.as_str())?.into_owned()))).collect()
    }

    /// The DNSSEC data of the domain of that name.
    pub(super) fn sec_dns(&self, name: &str) -> Option<&SecDnsInfo> {
        self.held.sec_dns.get(name)
    }

    /// The host of that name.
    pub(super) fn host(&self, name: &str) -> Option<Host> {
        self.fleet.host(name)
    }

    /// Whether some domain names the contact of that handle. As long as nothing changed, the fleet's own word counts as well.
    pub(super) fn is_linked(&self, id: &str) -> bool {
        let more = self.held.links.get(id).copied().unwrap_or_default();
        let says_so = || {
            let contact = self.fleet.contact(id);
            contact.is_some_and(|contact| contact.statuses.iter().any(|status| status.value == StatusValue::LINKED))
        };
        self.fleet.links(id).saturating_add(more) > 0 || (more == 0 && says_so())
    }

    /// Whether the account that acts sponsors an object of `sponsor`.
    pub(super) fn is_ours(&self, sponsor: Option<&str>) -> bool {
        sponsor.is_none_or(|s| s == &*self.acting)
    }

    /// Refuses what only the sponsor may do.
    pub(super) fn must_be_ours(&self, sponsor: Option<&str>) -> Result<(), Refusal> {
        if self.is_ours(sponsor) { Ok(()) } else { Err(Refusal::new(2201, "another registrar sponsors this object")) }
    }

    /// The rules in force.
    pub(super) fn judge(&self) -> Judge<'_> {
        let told = self.profile.line.value == Line::Rri || encode::ext::carries_properties(&self.extensions);
        Judge { profile: &self.profile, strict: self.rules.strict, served: self.rules.served, told }
    }

    /// Puts a contact in the place of `before` at `at`; the record of the change.
    pub(super) fn put_contact(&mut self, before: Option<&Contact>, mut after: Contact, at: Timestamp) -> Change {
        let us = || Some(self.acting.clone());
        after.sponsor = us();
        match before {
            Some(before) => (after.created_by, after.updated_by, after.updated) = (before.created_by.clone(), us(), Some(stamp(at))),
            None => (after.created_by, after.created) = (us(), Some(stamp(at))),
        }
        let id: Box<str> = after.id.as_str().into();
        let created = before.is_none().then(|| after.id.clone());
        let change = Change { created, ..change("contact", &id, before, Some(&after)) };
        self.held.contacts.insert(id, Some(after));
        change
    }

    /// Takes a contact away; the record of the change.
    pub(super) fn remove_contact(&mut self, before: &Contact) -> Change {
        self.held.contacts.insert(before.id.as_str().into(), None);
        change("contact", before.id.as_str(), Some(before), None)
    }

    /// Puts a domain in the place of `before` at `at`, with other DNSSEC data where there are some; the record of the change.
    pub(super) fn put_domain(&mut self, before: &Domain, mut after: Domain, sec_dns: Option<SecDnsInfo>, at: Timestamp) -> Change {
        (after.updated_by, after.updated) = (Some(self.acting.clone()), Some(stamp(at)));
        self.relink(before, -1);
        self.keep_domain(Some(before), after, sec_dns)
    }

    /// Puts a new domain there at `at`; the record of the change.
    pub(super) fn put_new_domain(&mut self, mut new: Domain, sec_dns: Option<SecDnsInfo>, at: Timestamp) -> Change {
        let us = || Some(self.acting.clone());
        (new.sponsor, new.created_by, new.created) = (us(), us(), Some(stamp(at)));
        self.keep_domain(None, new, sec_dns)
    }

    fn keep_domain(&mut self, before: Option<&Domain>, after: Domain, sec_dns: Option<SecDnsInfo>) -> Change {
        let name: Box<str> = after.name.as_str().into();
        let change = change("domain", &name, before, Some(&after));
        self.relink(&after, 1);
        self.held.domains.insert(name.clone(), Some(after));
        if let Some(data) = sec_dns {
            self.held.sec_dns.insert(name, data);
        }
        change
    }

    /// Takes a domain away; the record of the change.
    pub(super) fn remove_domain(&mut self, before: &Domain) -> Change {
        let name = before.name.as_str();
        self.relink(before, -1);
        self.held.sec_dns.remove(name);
        self.held.auth_until.remove(name);
        self.held.domains.insert(name.into(), None);
        change("domain", name, Some(before), None)
    }

    /// Puts the object of a change, `domain/example.test`, there once more, as it is; the record of that, if it is there.
    pub(super) fn put_again(&mut self, object: &str, at: Timestamp) -> Option<Change> {
        if let Some(id) = object.strip_prefix("contact/") {
            let contact = self.contact(id)?.into_owned();
            return Some(self.put_contact(Some(&contact), contact.clone(), at));
        }
        let domain = self.domain(object.strip_prefix("domain/")?)?.into_owned();
        Some(self.put_domain(&domain, domain.clone(), None, at))
    }

    /// Counts a request of the account, whether it is valid or not.
    pub(super) fn admit(&mut self, costs: bool, now: Moment, wall: Timestamp) -> rri::Admission {
        self.gate.admit(&self.limits.rri, costs, now, wall)
    }

    /// The queue of the account that acts: how many wait, and the first.
    pub(super) fn queue(&self) -> Option<Queue> {
        self.held.messages.head(&self.acting)
    }

    /// The numbers of the messages that were taken out of queues.
    pub(super) fn acknowledged(&self) -> Vec<u64> {
        self.held.messages.taken().collect()
    }

    /// What the first message in it is about, where there are more than words.
    pub(super) fn notice(&self) -> Option<&About> {
        self.held.messages.about(&self.acting)
    }

    /// Counts a command that was refused, where errors are counted.
    pub(super) fn count_refusal(&mut self, wall: Timestamp) {
        if let Some(rule) = self.points_rule {
            self.points.count(rule, wall);
        }
    }

    /// The account's points for errors, where they are counted.
    pub(super) fn points(&self, wall: Timestamp) -> Option<HitPoints> {
        self.points_rule.map(|rule| self.points.told(rule, wall))
    }

    /// Counts a command of the account at `now`, and tells whether it stays within the account's rate and its points for errors.
    pub(super) fn admits_command(&mut self, now: Moment, wall: Timestamp) -> bool {
        if self.points_rule.is_some_and(|rule| self.points.is_blocked(rule, wall)) {
            return false;
        }
        let Some(rate) = self.limits.rate else { return true };
        let window = Duration::from_secs(u64::from(rate.seconds));
        while self.recent.front().is_some_and(|first| now.since(*first) >= window) {
            self.recent.pop_front();
        }
        let fits = self.recent.len() < rate.commands as usize;
        if fits {
            self.recent.push_back(now);
        }
        fits
    }

    /// Takes one of the account's sessions, if one is free.
    pub(super) fn open_session(&mut self) -> bool {
        let free = self.limits.sessions.is_none_or(|most| self.sessions < most);
        self.sessions += u32::from(free);
        free
    }

    /// Gives a session back.
    pub(super) fn close_session(&mut self) {
        self.sessions = self.sessions.saturating_sub(1);
    }

    /// What is done with a disclose statement.
    pub(super) fn disclose_rule(&self) -> update::DiscloseRule {
        match (self.profile.disclose.value, self.announcement.forgets_disclose) {
            (true, _) => update::DiscloseRule::Keep,
            (false, true) => update::DiscloseRule::Forget,
            (false, false) => update::DiscloseRule::Refuse,
        }
    }

    /// Counts the contacts that `domain` names up or down.
    fn relink(&mut self, domain: &Domain, by: i64) {
        for handle in domain.registrant.iter().chain(domain.contacts.iter().map(|c| &c.handle)) {
            let id = handle.as_str();
            *self.held.links.entry(id.into()).or_default() += by;
            // A contact that nobody changed is marked when it is asked for.
            if !self.held.contacts.contains_key(id) {
                continue;
            }
            let is_linked = self.is_linked(id);
            if let Some(Some(contact)) = self.held.contacts.get_mut(id) {
                update::mark_linked(&mut contact.statuses, is_linked);
            }
        }
    }
}

/// `at` as the registry writes it, in milliseconds.
pub(super) fn stamp(at: Timestamp) -> Date {
    Date::at(at.round(jiff::Unit::Millisecond).unwrap_or(at))
}

/// The record of a change. The files it goes to are the bundled registry's own and private, so values stand in clear.
fn change<T: serde::Serialize>(kind: &str, id: &str, before: Option<&T>, after: Option<&T>) -> Change {
    let clear = |object: Option<&T>| revealed(|| serde_json::to_value(object)).unwrap_or_default();
    Change { object: format!("{kind}/{id}"), before: clear(before), after: clear(after), created: None }
}
