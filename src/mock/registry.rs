//! What a registry holds and shares between its connections: objects, messages, its account and the account's budget.

use super::announce::{Announcement, announcement};
use super::check::Judge;
use super::decode::Refusal;
use super::encode;
use super::fleet::Fleet;
use super::knobs::{Knobs, Limits};
use super::points::{Points, PointsRule};
use super::rri;
use super::update;
use crate::base::{Digest, Handle, Moment, Result, Secret, Timestamp, revealed};
use crate::model::{
    AuthCodeOrder, AuthInfo, Command, Contact, ContactsFilter, Date, Domain, DsChange, Extension, HitPoints, Host, Queue, Role, SecDnsInfo,
    StatusValue, Transform,
};
use crate::policy::{Line, Profile};
use crate::protocol::ns::Ns;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A registry. Objects that nobody changed are the fleet's and cost no memory.
pub(super) struct Registry {
    pub(super) profile: Arc<Profile>,
    pub(super) announcement: Announcement,
    pub(super) limits: Limits,
    /// The one account's client identifier.
    pub(super) user: Box<str>,
    pub(super) password: Secret,
    /// Object and extension services in the greeting.
    pub(super) objects: Vec<String>,
    pub(super) extensions: Vec<String>,
    fleet: Box<dyn Fleet>,
    contacts: HashMap<Box<str>, Contact>,
    domains: HashMap<Box<str>, Domain>,
    sec_dns: HashMap<Box<str>, SecDnsInfo>,
    /// How many more domains name a contact than the fleet knows of.
    links: HashMap<Box<str>, i64>,
    messages: BTreeMap<u64, Message>,
    /// The number of the last message that was put there.
    last_message: u64,
    /// Until when authorisation codes hold that the registry made itself, by the domain's name.
    auth_until: HashMap<Box<str>, Timestamp>,
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

/// A message in the queue.
struct Message {
    /// When it was put there.
    date: Option<Date>,
    text: Box<str>,
    /// What it is about, where the registry's own extension says it.
    about: Option<Extension>,
}

impl Message {
    /// The notice of that number: one a day from a fixed day on, since the queue of a seed is the same at each start.
    fn notice(number: u64) -> Self {
        let hours = i64::try_from(number).unwrap_or_default().saturating_mul(24);
        let date = jiff::Timestamp::UNIX_EPOCH.checked_add(jiff::SignedDuration::from_hours(hours.saturating_add(FIRST_MESSAGE_HOURS)));
        Self { date: date.ok().map(Date::at), text: format!("Notice {number} of this registry").into(), about: None }
    }
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
        let last_message = u64::from(knobs.messages);
        let messages = (1..=last_message).map(|number| (number, Message::notice(number))).collect();
        Ok(Self {
            objects: joined(&profile.services.objects, &announcement.objects),
            extensions: joined(&profile.services.extensions, &announcement.extensions),
            limits: knobs.limits(&profile.limits),
            points_rule: knobs.hit_points(announcement.hit_points),
            points: Points::default(),
            auth_until: HashMap::new(),
            last_message,
            profile,
            announcement,
            user: user.into(),
            password,
            fleet,
            contacts: HashMap::new(),
            domains: HashMap::new(),
            sec_dns: HashMap::new(),
            links: HashMap::new(),
            messages,
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
        if let Some(changed) = self.contacts.get(id) {
            return Some(Cow::Borrowed(changed));
        }
        let mut contact = self.fleet.contact(id)?;
        if self.links.get(id).is_some_and(|more| *more > 0) {
            update::mark_linked(&mut contact.statuses);
        }
        Some(Cow::Owned(contact))
    }

    /// The domain of that name.
    pub(super) fn domain(&self, name: &str) -> Option<Cow<'_, Domain>> {
        if let Some(changed) = self.domains.get(name) {
            return Some(Cow::Borrowed(changed));
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
        self.sec_dns.get(name)
    }

    /// The host of that name.
    pub(super) fn host(&self, name: &str) -> Option<Host> {
        self.fleet.host(name)
    }

    /// Whether the account sponsors an object of `sponsor`.
    pub(super) fn is_ours(&self, sponsor: Option<&str>) -> bool {
        sponsor.is_none_or(|s| s == &*self.user)
    }

    /// Carries out a command that changes something: a transform, or the acknowledgement of a message.
    ///
    /// # Errors
    /// The refusal to answer; nothing changed then.
    pub(super) fn apply(&mut self, command: &Command, at: Timestamp) -> Result<Change, Refusal> {
        match command {
            Command::PollAck { id } => {
                let missing = || Refusal::new(2303, "no such message");
                let number = id.parse::<u64>().map_err(|_| missing())?;
                let message = self.messages.remove(&number).ok_or_else(missing)?;
                let (before, after) = (serde_json::Value::from(&*message.text), serde_json::Value::Null);
                Ok(Change { object: format!("message/{number}"), before, after, created: None })
            }
            Command::Transform(transform) => match &**transform {
                Transform::ContactCreate(contact) => {
                    let new = self.created(contact)?;
                    Ok(self.put_contact(None, new, at))
                }
                Transform::ContactUpdate(update) => {
                    let id = update.id.as_str();
                    let before = self.contact(id).ok_or_else(|| Refusal::new(2303, "no such contact"))?.into_owned();
                    self.must_be_ours(before.sponsor.as_deref())?;
                    let after = update::contact(&before, update, self)?;
                    self.judge_contact(Some(&before), &after)?;
                    Ok(self.put_contact(Some(&before), after, at))
                }
                Transform::DomainUpdate(update) => {
                    let name = update.name.as_str();
                    let before = self.own_domain(name)?;
                    let mut after = update::domain(&before, update, self)?;
                    self.judge_domain(&before, &after)?;
                    let sec_dns = self.changed_sec_dns(name, &update.ds)?;
                    self.check_name_servers(&before, &mut after, at);
                    if update.auth.is_some() {
                        self.auth_until.remove(name);
                    }
                    Ok(self.put_domain(&before, after, sec_dns, at))
                }
                Transform::DomainAuthCode { name, order } => self.order_auth_code(name.as_str(), *order, at),
                _ => Err(Refusal::new(2101, "this registry carries out no such command")),
            },
            _ => Err(Refusal::new(2101, "not a change")),
        }
    }

    /// Makes an authorisation code for a domain, or ends the one it has.
    fn order_auth_code(&mut self, name: &str, order: AuthCodeOrder, at: Timestamp) -> Result<Change, Refusal> {
        let days = self.announcement.auth_code_days.ok_or_else(|| Refusal::new(2101, "this registry makes no authorisation codes"))?;
        let before = self.own_domain(name)?;
        let mut after = before.clone();
        match order {
            AuthCodeOrder::Request => {
                let until = at.checked_add(jiff::SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(at);
                let until = until.round(jiff::Unit::Second).unwrap_or(until);
                // A journal that is carried out again must give the same code.
                let pw: String = Digest::of(format!("{name} {at}").as_bytes()).short().to_uppercase().chars().take(16).collect();
                after.auth = Some(AuthInfo::Password { pw: Secret::new(pw), roid: None });
                self.auth_until.insert(name.into(), until);
            }
            AuthCodeOrder::Cancel => {
                let holds = self.auth_until(name).is_none_or(|until| until > at);
                if after.auth.take().is_none() || !holds {
                    return Err(Refusal::new(2306, "there is no authorisation code to cancel"));
                }
                self.auth_until.remove(name);
            }
        }
        Ok(self.put_domain(&before, after, None, at))
    }

    /// Until when the authorisation code of the domain of that name holds, where it does so for a time.
    pub(super) fn auth_until(&self, name: &str) -> Option<Timestamp> {
        self.auth_until.get(name).copied()
    }

    /// Checks name servers that changed, holds the domain back where they fail, and tells of it in the queue.
    fn check_name_servers(&mut self, before: &Domain, after: &mut Domain, at: Timestamp) {
        let number = self.last_message + 1;
        let Some(rule) = &self.announcement.dns_check else { return };
        let Some((text, about)) = rule.check(before, after, number, stamp(at)) else { return };
        self.last_message = number;
        self.messages.insert(number, Message { date: Some(stamp(at)), text: text.into(), about: Some(about) });
    }

    /// The account's domain of that name.
    fn own_domain(&self, name: &str) -> Result<Domain, Refusal> {
        let domain = self.domain(name).ok_or_else(|| Refusal::new(2303, "no such domain"))?;
        self.must_be_ours(domain.sponsor.as_deref())?;
        Ok(domain.into_owned())
    }

    /// A new contact, as the registry will hold it.
    fn created(&self, asked: &Contact) -> Result<Contact, Refusal> {
        let mut contact = asked.clone();
        self.judge_contact(None, &contact)?;
        update::disclose(&mut contact, asked.disclose.as_ref(), self.disclose_rule())?;
        if self.profile.quirks.registry_assigns_handles {
            contact.id = Handle::new(format!("{}{}", self.prefix_of_handles(), self.contacts.len() + 1));
        }
        if self.contact(contact.id.as_str()).is_some() {
            return Err(Refusal::quoting(2302, Ns::CONTACT, "id", contact.id.as_str(), "there is such a contact"));
        }
        contact.roid = Some(format!("{}-PV", contact.id.as_str()).into());
        contact.statuses = vec![StatusValue::OK.into()];
        Ok(contact)
    }

    /// What handles begin with that this registry gives: letters of its profile's name, so that no client's own looks like one.
    fn prefix_of_handles(&self) -> String {
        self.profile.id.chars().filter(char::is_ascii_alphabetic).take(5).collect::<String>().to_ascii_uppercase() + "-"
    }

    /// Refuses a contact that breaks a rule which its state before did not break.
    fn judge_contact(&self, before: Option<&Contact>, after: &Contact) -> Result<(), Refusal> {
        let judge = self.judge();
        let moved = || judge.moved_identity(before?, after);
        let breach = judge.newly(before, after).into_iter().next().or_else(moved);
        breach.map_or(Ok(()), |breach| Err(breach.refusal(Ns::CONTACT)))
    }

    /// Refuses a domain that breaks a rule which its state before did not break.
    fn judge_domain(&self, before: &Domain, after: &Domain) -> Result<(), Refusal> {
        let breach = self.judge().newly_of_domain(before, after, |handle| self.contact(handle)).into_iter().next();
        breach.map_or(Ok(()), |breach| Err(breach.refusal(Ns::DOMAIN)))
    }

    /// The rules in force.
    pub(super) fn judge(&self) -> Judge<'_> {
        let told = self.profile.line.value == Line::Rri || encode::ext::carries_properties(&self.extensions);
        Judge { profile: &self.profile, strict: self.rules.strict, served: self.rules.served, told }
    }

    /// Puts a contact in the place of `before` at `at`; the record of the change.
    pub(super) fn put_contact(&mut self, before: Option<&Contact>, mut after: Contact, at: Timestamp) -> Change {
        let user = || Some(self.user.clone());
        after.sponsor = user();
        match before {
            Some(before) => {
                (after.created_by, after.updated_by, after.updated) = (before.created_by.clone(), user(), Some(stamp(at)));
            }
            None => (after.created_by, after.created) = (user(), Some(stamp(at))),
        }
        let id: Box<str> = after.id.as_str().into();
        let created = before.is_none().then(|| after.id.clone());
        let change = Change { created, ..change("contact", &id, before, &after) };
        self.contacts.insert(id, after);
        change
    }

    /// Puts a domain in the place of `before` at `at`, with other DNSSEC data where there are some; the record of the change.
    pub(super) fn put_domain(&mut self, before: &Domain, mut after: Domain, sec_dns: Option<SecDnsInfo>, at: Timestamp) -> Change {
        (after.updated_by, after.updated) = (Some(self.user.clone()), Some(stamp(at)));
        let name: Box<str> = after.name.as_str().into();
        let change = change("domain", &name, Some(before), &after);
        self.relink(before, -1);
        self.relink(&after, 1);
        self.domains.insert(name.clone(), after);
        if let Some(data) = sec_dns {
            self.sec_dns.insert(name, data);
        }
        change
    }

    /// Counts a request of the account, whether it is valid or not.
    pub(super) fn admit(&mut self, costs: bool, now: Moment, wall: Timestamp) -> rri::Admission {
        self.gate.admit(&self.limits.rri, costs, now, wall)
    }

    /// The message queue: how many wait, and the first.
    pub(super) fn queue(&self) -> Option<Queue> {
        let (id, message) = self.messages.first_key_value()?;
        let count = Some(self.messages.len() as u64);
        Some(Queue { count, id: Some(id.to_string().into()), date: message.date.clone(), msg: Some(message.text.clone()) })
    }

    /// What the first message is about, where an extension says it.
    pub(super) fn notice(&self) -> Option<&Extension> {
        self.messages.first_key_value().and_then(|(_, message)| message.about.as_ref())
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

    fn must_be_ours(&self, sponsor: Option<&str>) -> Result<(), Refusal> {
        if self.is_ours(sponsor) { Ok(()) } else { Err(Refusal::new(2201, "another registrar sponsors this object")) }
    }

    /// Counts the contacts that `domain` names up or down.
    fn relink(&mut self, domain: &Domain, by: i64) {
        for handle in domain.registrant.iter().chain(domain.contacts.iter().map(|c| &c.handle)) {
            let count = self.links.entry(handle.as_str().into()).or_default();
            *count += by;
            let is_linked = *count > 0;
            if let Some(contact) = self.contacts.get_mut(handle.as_str()).filter(|_| is_linked) {
                update::mark_linked(&mut contact.statuses);
            }
        }
    }

    /// The DNSSEC data of `name` after `ds`, or nothing where it changes nothing.
    fn changed_sec_dns(&self, name: &str, ds: &DsChange) -> Result<Option<SecDnsInfo>, Refusal> {
        if ds.is_empty() {
            return Ok(None);
        }
        update::sec_dns(self.sec_dns.get(name).cloned().unwrap_or_default(), ds).map(Some)
    }
}

/// Hours from 1970-01-01 to 2026-01-01.
const FIRST_MESSAGE_HOURS: i64 = 490_896;

/// `at` as the registry writes it, in milliseconds.
fn stamp(at: Timestamp) -> Date {
    Date::at(at.round(jiff::Unit::Millisecond).unwrap_or(at))
}

/// The record of a change. The files it goes to are the bundled registry's own and private, so values stand in clear.
fn change<T: serde::Serialize>(kind: &str, id: &str, before: Option<&T>, after: &T) -> Change {
    let clear = |object: Option<&T>| revealed(|| serde_json::to_value(object)).unwrap_or_default();
    Change { object: format!("{kind}/{id}"), before: clear(before), after: clear(Some(after)), created: None }
}
