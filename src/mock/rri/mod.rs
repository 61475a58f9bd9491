//! A bundled registry that speaks RRI: no greeting, a login first, answers in the form of their request, whole objects replaced. What it
//! refuses and in which words is the profile's; deciding it, like reading and writing frames, is code of its own.

mod decode;
mod encode;
mod gate;
mod object;
#[cfg(test)]
mod tests;

use super::check::Breach;
use super::conduct::{self, Conducted, Heard};
use super::core::{Answer, Place};
use super::decode::Order as EppOrder;
use super::faults::Stage;
use super::registry::{Change, Registry};
use crate::base::{Digest, DomainName, Handle, Moment, Secret, Timestamp, hex};
use crate::model::{AuthInfo, Command, Contact, Domain, KeyData, SecDnsInfo};
use crate::protocol::tape::Tape;
use decode::{Action, Form, Order, SEMANTICS, decode};
use encode::{Data, Message, Reply};
pub(super) use gate::{Admission, Gate, Limits};
use md5::{Digest as _, Md5};
use std::time::Duration;

/// The largest request, in bytes.
const LARGEST: usize = 64 * 1024;
/// Time to log in.
const LOGIN: Duration = Duration::from_secs(15);
/// Failed logins after which a connection is closed.
const MOST_FAILURES: u8 = 3;
/// Used points from which on the share is a warning.
const WARNED_FROM: u64 = 80;

const TOO_LONG: u64 = 83_000_000_000;
const NOT_LOGGED_IN: u64 = 83_000_000_010;
const ACCESS_LIMIT: u64 = 55_000_000_002;
const QUOTA_TOLD: u64 = 13_000_000_022;
const QUOTA_WARNED: u64 = 33_000_000_022;
const QUOTA_SPENT: u64 = 53_000_000_008;
const NOT_ALLOWED: u64 = 53_000_020_002;
const NOT_OURS: u64 = 63_200_020_603;
const NO_CONTACT: u64 = 53_000_060_009;
const NO_DOMAIN: u64 = 63_300_062_009;
const OBLIGATORY: u64 = 53_000_080_002;
const NO_EMAIL: u64 = 53_300_081_600;
const BAD_SERVERS: u64 = 53_300_102_912;

/// Codes whose words no profile states.
const WORDS: [(u64, &str); 3] = [
    (QUOTA_TOLD, "share of the quota that is used"),
    (SEMANTICS, "the request is not possible"),
    (NOT_ALLOWED, "not authorised for this kind of request"),
];

/// A connection.
pub(super) struct Connection {
    tape: Tape,
    is_logged_in: bool,
    failures: u8,
    opened: Moment,
    /// When the last request arrived.
    heard: Moment,
}

/// An error of an answer.
#[derive(Debug)]
struct Fault {
    code: u64,
    argument: Option<String>,
}

impl Fault {
    const fn of(code: u64) -> Self {
        Self { code, argument: None }
    }
}

impl From<object::Wrong> for Fault {
    fn from((code, argument): object::Wrong) -> Self {
        Self { code, argument }
    }
}

/// What a request came to.
struct Done {
    data: Data,
    change: Option<Change>,
}

impl Connection {
    /// A connection that began at `now`.
    pub(super) fn new(now: Moment) -> Self {
        Self { tape: Tape::new(), is_logged_in: false, failures: 0, opened: now, heard: now }
    }

    /// Whether a login holds.
    pub(in crate::mock) const fn is_logged_in(&self) -> bool {
        self.is_logged_in
    }

    /// When the connection is to be cut, if nothing arrives.
    pub(super) fn deadline(&self, registry: &Registry) -> Option<Moment> {
        if self.is_logged_in { registry.limits.idle.map(|wait| self.heard + wait) } else { Some(self.opened + LOGIN) }
    }

    /// Forgets the login.
    pub(super) fn forget_login(&mut self, registry: &mut Registry) {
        if std::mem::take(&mut self.is_logged_in) {
            registry.close_session();
        }
    }

    /// Takes a request that arrived at `now` and appends its answer to `out`.
    pub(super) fn handle(&mut self, registry: &mut Registry, frame: &[u8], now: Moment, wall: Timestamp, out: &mut Vec<u8>) -> Answer {
        self.heard = now;
        let stid = format!("{:0>36}", registry.next_sv_trid());
        let place = if self.is_logged_in { Place::Session } else { Place::Login };
        let mut answer = Answer { commits: registry.fall_due(wall), ..Answer::new(place, 1000) };
        let (form, order) = if frame.len() > LARGEST { (form_of(frame), Err(TOO_LONG)) } else { decode(&mut self.tape, frame) };
        let mut messages = Vec::new();
        let (ctid, done) = match order {
            Ok(order) => {
                answer.object = order
                    .one("handle")
                    .map(str::to_ascii_uppercase)
                    .or_else(|| object::name(&order).map(|n| n.to_string()))
                    .map(Into::into);
                answer.cl_trid.clone_from(&order.ctid);
                let text = String::from_utf8_lossy(frame);
                let heard = Heard { frame: &text, sv_trid: &stid, wall, is_update: false };
                let done = self.carry_out(registry, &order, &heard, now, &mut answer, &mut messages);
                (order.ctid, done)
            }
            Err(code) => {
                let admitted = self.admit(registry, None, now, wall, &mut messages);
                (None, admitted.and(Err(vec![Fault::of(code)])))
            }
        };
        let data = match done {
            Ok(data) => data,
            Err(faults) => {
                answer.code = 2400;
                let told = faults.into_iter().map(|f| message("error", f.code, f.argument, registry));
                messages.extend(told.collect::<Vec<_>>());
                Data::None
            }
        };
        encode::reply(out, form, &Reply { stid: &stid, ctid: ctid.as_deref(), messages: &messages, data: &data });
        answer.cl_trid = ctid;
        answer
    }

    /// Lets a request through, or not; the used share of the quota is told in `messages`.
    fn admit(
        &self,
        registry: &mut Registry,
        action: Option<Action>,
        now: Moment,
        wall: Timestamp,
        messages: &mut Vec<Message>,
    ) -> Result<(), Vec<Fault>> {
        let costs = self.is_logged_in && !matches!(action, Some(Action::Login | Action::Logout));
        match registry.admit(costs, now, wall) {
            Admission::Blocked => Err(vec![Fault::of(ACCESS_LIMIT)]),
            Admission::Exhausted => Err(vec![Fault::of(QUOTA_SPENT)]),
            Admission::Admitted(share) => {
                messages.extend(share.map(|share| {
                    let (level, code) = if share >= WARNED_FROM { ("warning", QUOTA_WARNED) } else { ("info", QUOTA_TOLD) };
                    message(level, code, Some(share.to_string()), registry)
                }));
                Ok(())
            }
        }
    }

    fn carry_out(
        &mut self,
        registry: &mut Registry,
        order: &Order,
        heard: &Heard<'_>,
        now: Moment,
        answer: &mut Answer,
        messages: &mut Vec<Message>,
    ) -> Result<Data, Vec<Fault>> {
        let wall = heard.wall;
        self.admit(registry, Some(order.action), now, wall, messages)?;
        let nothing = || Ok(Data::None);
        match order.action {
            Action::Login => {
                self.log_in(registry, order, answer)?;
                nothing()
            }
            _ if !self.is_logged_in => Err(vec![Fault::of(NOT_LOGGED_IN)]),
            Action::Logout => {
                self.forget_login(registry);
                answer.close = true;
                nothing()
            }
            action => {
                if action.changes() && action != Action::QueueDelete {
                    answer.fault = registry.faults.strike(Stage::Transform, answer.object.as_deref());
                }
                let conducted = conduct::carry_out(registry, heard, answer, |registry| {
                    perform(registry, order, wall).map(|Done { data, change }| (data, change))
                })?;
                Ok(if let Conducted::Done(data, _) = conducted { data } else { Data::None })
            }
        }
    }

    fn log_in(&mut self, registry: &mut Registry, order: &Order, answer: &mut Answer) -> Result<(), Vec<Fault>> {
        let password = registry.password.reveal();
        let hashed = hex(&Md5::digest(password.as_bytes()));
        let wanted = if registry.profile.quirks.password_md5 { &hashed } else { password };
        let is_right = order.one("user") == Some(&*registry.user) && order.one("password") == Some(wanted);
        if !is_right {
            self.failures += 1;
            answer.close = self.failures >= MOST_FAILURES;
            return Err(vec![Fault::of(NOT_ALLOWED)]);
        }
        if self.is_logged_in {
            return Err(vec![Fault::of(SEMANTICS)]);
        }
        if !registry.open_session() {
            // The code of a session too many was not found; the one of the access limit is the nearest.
            answer.close = true;
            return Err(vec![Fault::of(ACCESS_LIMIT)]);
        }
        self.is_logged_in = true;
        Ok(())
    }
}

/// The form of a frame that is not read.
fn form_of(frame: &[u8]) -> Form {
    if frame.trim_ascii_start().first() == Some(&b'<') { Form::Xml } else { Form::KeyValue }
}

/// A message in the profile's words.
fn message(level: &'static str, code: u64, argument: Option<String>, registry: &Registry) -> Message {
    let known = registry.profile.codes.get(&format!("{code:011}")).map(|rule| rule.value.text.clone());
    let text = known.or_else(|| WORDS.iter().find(|(known, _)| *known == code).map(|(_, words)| (*words).to_owned()));
    Message { level, code, text: text.unwrap_or_else(|| "refused".to_owned()), argument }
}

/// Carries the command in `frame` out again.
///
/// # Errors
/// Why it cannot be, without a value of it.
pub(super) fn replay(registry: &mut Registry, frame: &[u8], at: Timestamp) -> Result<Change, String> {
    let (_, order) = decode(&mut Tape::new(), frame);
    let order = order.map_err(|code| format!("a request that is refused with {code}"))?;
    let done = perform(registry, &order, at);
    let refused = |faults: Vec<Fault>| format!("a request that is refused with {:?}", faults.iter().map(|f| f.code).collect::<Vec<_>>());
    done.map_err(refused)?.change.ok_or_else(|| "a request that changes nothing".to_owned())
}

fn perform(registry: &mut Registry, order: &Order, at: Timestamp) -> Result<Done, Vec<Fault>> {
    let handle = || order.one("handle").map(|h| h.trim().to_ascii_uppercase()).ok_or(vec![Fault::of(63_200_040_610)]);
    let name = || object::name(order).ok_or(vec![Fault::of(SEMANTICS)]);
    let told = |data| Ok(Done { data, change: None });
    let changed = |change| Ok(Done { data: Data::None, change: Some(change) });
    match order.action {
        Action::ContactCheck => {
            let id = handle()?;
            let word = if registry.contact(&id).is_some() { "connect" } else { "free" };
            told(Data::Check("contact", id, word))
        }
        Action::DomainCheck => {
            let name = name()?;
            let word = if registry.domain(name.as_str()).is_some() { "connect" } else { "free" };
            told(Data::Check("domain", name.to_string(), word))
        }
        Action::ContactInfo => {
            let contact = registry.contact(&handle()?).map(std::borrow::Cow::into_owned);
            told(Data::Contact(Box::new(contact.ok_or(vec![Fault::of(NO_CONTACT)])?)))
        }
        Action::DomainInfo => {
            let name = name()?;
            let domain = held(registry, &name)?;
            let keys = registry.sec_dns(name.as_str()).map(|data| data.keys.clone()).unwrap_or_default();
            told(Data::Domain(Box::new(domain), keys))
        }
        Action::ContactCreate => {
            let new = object::contact(order).map_err(|wrong| vec![wrong.into()])?;
            if registry.contact(new.id.as_str()).is_some() {
                return Err(vec![Fault { code: 63_200_040_610, argument: Some("in use".to_owned()) }]);
            }
            judge(registry, None, &new)?;
            changed(registry.put_contact(None, new, at))
        }
        Action::ContactUpdate => {
            let new = object::contact(order).map_err(|wrong| vec![wrong.into()])?;
            let before = registry.contact(new.id.as_str()).map(std::borrow::Cow::into_owned).ok_or(vec![Fault::of(NO_CONTACT)])?;
            if !registry.is_ours(before.sponsor.as_deref()) {
                return Err(vec![Fault::of(NOT_OURS)]);
            }
            judge(registry, Some(&before), &new)?;
            let kept = Contact { roid: before.roid.clone(), statuses: before.statuses.clone(), created: before.created.clone(), ..new };
            changed(registry.put_contact(Some(&before), kept, at))
        }
        Action::DomainCreate => {
            let name = name()?;
            if registry.domain(name.as_str()).is_some() {
                return Err(vec![Fault { code: SEMANTICS, argument: Some("in use".to_owned()) }]);
            }
            let (new, keys) = object::domain(order, &Domain::bare(name));
            judge_domain(registry, order, None, &new, &keys)?;
            changed(registry.put_new_domain(new, Some(SecDnsInfo { keys, ..SecDnsInfo::default() }), at))
        }
        Action::DomainDelete => {
            let before = held(registry, &name()?)?;
            // Whoever names the holder means that one's domain alone.
            let holder = order.one("holder").map(|handle| handle.trim().to_ascii_uppercase());
            if holder.is_some_and(|holder| before.registrant.as_ref().is_none_or(|handle| handle.as_str() != holder)) {
                return Err(vec![Fault::of(SEMANTICS)]);
            }
            changed(registry.remove_domain(&before))
        }
        Action::DomainChangeProvider => {
            let before = registry.domain(name()?.as_str()).map(std::borrow::Cow::into_owned).ok_or(vec![Fault::of(NO_DOMAIN)])?;
            if registry.is_ours(before.sponsor.as_deref()) || !opens(&before, order.one("authinfo").unwrap_or_default(), at) {
                return Err(vec![Fault::of(NOT_ALLOWED)]);
            }
            let (mut after, keys) = object::domain(order, &before);
            judge_domain(registry, order, Some(&before), &after, &keys)?;
            after = with_auth(&after, None);
            after.sponsor = Some(registry.acting.clone());
            changed(registry.put_domain(&before, after, Some(SecDnsInfo { keys, ..SecDnsInfo::default() }), at))
        }
        Action::DomainUpdate => {
            let name = name()?;
            let before = held(registry, &name)?;
            let (after, keys) = object::domain(order, &before);
            judge_domain(registry, order, Some(&before), &after, &keys)?;
            let data = SecDnsInfo { keys, ..SecDnsInfo::default() };
            changed(registry.put_domain(&before, after, Some(data), at))
        }
        Action::AuthCreate => {
            let name = name()?;
            let before = held(registry, &name)?;
            let (hash, expires) = (order.one("authinfohash").unwrap_or_default(), order.one("authinfoexpire").unwrap_or_default());
            let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
            if !is_hash || expires.len() != 8 || !expires.bytes().all(|b| b.is_ascii_digit()) {
                return Err(vec![Fault::of(SEMANTICS)]);
            }
            changed(registry.put_domain(&before, with_auth(&before, Some((hash, expires))), None, at))
        }
        Action::AuthDelete => {
            let name = name()?;
            let before = held(registry, &name)?;
            changed(registry.put_domain(&before, with_auth(&before, None), None, at))
        }
        Action::QueueRead => told(registry.queue().map_or(Data::None, Data::Queue)),
        Action::QueueDelete => {
            let id = order.one("msgid").unwrap_or_default().into();
            let order = EppOrder::Command(Command::PollAck { id });
            let change = registry.apply(&order, at).map_err(|_| vec![Fault::of(SEMANTICS)])?;
            changed(change)
        }
        Action::Login | Action::Logout => Err(vec![Fault::of(SEMANTICS)]),
    }
}

/// The domain of that name, where it is the account's.
fn held(registry: &Registry, name: &DomainName) -> Result<Domain, Vec<Fault>> {
    let domain = registry.domain(name.as_str()).map(std::borrow::Cow::into_owned).ok_or(vec![Fault::of(NO_DOMAIN)])?;
    if registry.is_ours(domain.sponsor.as_deref()) { Ok(domain) } else { Err(vec![Fault::of(NOT_ALLOWED)]) }
}

/// Whether a password opens a domain for another registrar: its hash is there, and its last day is not over.
fn opens(domain: &Domain, password: &str, at: Timestamp) -> bool {
    let Some(AuthInfo::Password { pw, .. }) = &domain.auth else { return false };
    let day = at.to_zoned(jiff::tz::TimeZone::UTC).date().strftime("%Y%m%d").to_string();
    let holds = domain.properties.get("authInfo1").is_some_and(|until| *until >= *day);
    holds && pw.reveal().eq_ignore_ascii_case(&Digest::of(password.as_bytes()).to_string())
}

/// `domain` with other transfer credentials, or without any.
fn with_auth(domain: &Domain, auth: Option<(&str, &str)>) -> Domain {
    let mut after = domain.clone();
    after.auth = auth.map(|(hash, _)| AuthInfo::Password { pw: Secret::new(hash), roid: None });
    after.properties.set("authInfo1", auth.map(|(_, expires)| expires).unwrap_or_default());
    after
}

/// Everything that the profile's rules refuse in a contact and that it did not have before.
fn judge(registry: &Registry, before: Option<&Contact>, after: &Contact) -> Result<(), Vec<Fault>> {
    let judge = registry.judge();
    // A verification has a form of its own, which is the registry's business.
    let is_own = |breach: &Breach| breach.field.starts_with("verification");
    let fault = |breach: &Breach| {
        let was_there = before.is_some() && breach.value.is_empty();
        let own = breach.code.as_deref().and_then(|code| code.parse::<u64>().ok()).filter(|code| *code > 9999);
        let code = match &*breach.field {
            "email" if breach.value.is_empty() && !was_there => NO_EMAIL,
            _ if was_there => OBLIGATORY,
            _ => own.unwrap_or(SEMANTICS),
        };
        Fault { code, argument: Some(format!("{}: {}", breach.field, breach.why)) }
    };
    let mut faults: Vec<Fault> = judge.newly(before, after).iter().filter(|b| !is_own(b)).map(fault).collect();
    let moved = before.and_then(|before| judge.moved_identity(before, after));
    faults.extend(moved.iter().map(fault));
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Everything that is refused in a domain.
fn judge_domain(registry: &Registry, order: &Order, before: Option<&Domain>, after: &Domain, keys: &[KeyData]) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    let handles = after.registrant.iter().map(Handle::as_str).chain(after.properties.handles());
    faults.extend(handles.filter(|handle| registry.contact(handle).is_none()).take(1).map(|_| Fault::of(NO_CONTACT)));
    let holders = order.all("holder").count();
    let entries = order.all("nsentry").count();
    let servers = after.ns.names().count();
    let is_possible = (1..=5).contains(&holders) && entries <= 5 && order.all("dnskey").count() == keys.len() && keys.len() <= 5;
    if !is_possible || (entries > 0 && servers > 0) || !order.all("nsentry").all(|entry| is_entry(entry, after.name.as_str())) {
        faults.push(Fault::of(SEMANTICS));
    }
    for breach in registry.judge().newly_of_domain(before, after, |handle| registry.contact(handle)) {
        let own = breach.code.as_deref().and_then(|code| code.parse::<u64>().ok()).filter(|code| *code > 9999);
        let code = own.unwrap_or(BAD_SERVERS);
        faults.push(Fault { code, argument: Some(breach.why.to_string()) });
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Whether a record may be served at `domain`.
fn is_entry(text: &str, domain: &str) -> bool {
    let words: Vec<&str> = text.split_ascii_whitespace().filter(|word| *word != "IN").collect();
    let owner = words.first().map(|owner| owner.trim_end_matches('.').to_ascii_lowercase()).unwrap_or_default();
    let is_inside = owner.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'));
    let is_wild = owner.starts_with("*.");
    is_inside
        && match words.as_slice() {
            [_, "A", address] => !is_wild && address.parse::<std::net::Ipv4Addr>().is_ok(),
            [_, "AAAA", address] => !is_wild && address.parse::<std::net::Ipv6Addr>().is_ok(),
            [_, "MX", preference, _] => preference.parse::<u16>().is_ok_and(|n| n <= 999),
            _ => false,
        }
}
