//! A connection's life as RFC 5730 §2 has it: greeting, login, session, logout. No I/O: a frame and the time go in, an answer comes out.

use super::conduct::{self, Conducted, Heard};
use super::decode::{Order, Refusal, Refused, Request, TransferOp, TransferOrder, decode};
use super::encode::{self, Head};
use super::faults::{Fault, Stage};
use super::knobs::{FaultSpec, IdleAnswer, OverLimit};
use super::later::Deed;
use super::life::is_authorised;
use super::messages::About;
use super::registry::{Change, Registry};
use super::subject::{auth_order, key, object_service};
use crate::base::{DomainName, Moment, Secret, Timestamp};
use crate::model::{AuthCodeOrder, AuthInfo, CheckItem, Command, Date, Domain, HostsFilter, Login, Query, Transform};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Tape;
use crate::protocol::writer::XmlWriter;
use std::borrow::Cow;

/// Failed logins after which a connection is closed.
const MOST_FAILURES: u8 = 3;

/// Where an answer stands in a connection's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The greeting.
    Greeting,
    /// Before the login succeeded, that answer included.
    Login,
    /// In the session.
    Session,
}

/// What an answer is about and what follows from it. Its payload is appended to the caller's buffer.
pub(super) struct Answer {
    /// Where it stands.
    pub(super) place: Place,
    /// Its code; 1000 for a greeting.
    pub(super) code: u16,
    /// Whether the connection is closed behind it.
    pub(super) close: bool,
    /// Whether there is no payload: the connection is closed without a word.
    pub(super) silent: bool,
    /// The handle or name it is about.
    pub(super) object: Option<Box<str>>,
    /// The client's transaction identifier.
    pub(super) cl_trid: Option<Box<str>>,
    /// What must be on disk before it leaves, in order.
    pub(super) commits: Vec<Commit>,
    /// The fault that struck the command, and strikes its answer.
    pub(super) fault: Option<FaultSpec>,
    /// The account's new password.
    pub(super) new_password: Option<Secret>,
}

impl Answer {
    /// An answer of that code with nothing else to it.
    pub(super) fn new(place: Place, code: u16) -> Self {
        Self { place, code, close: false, silent: false, object: None, cl_trid: None, commits: Vec::new(), fault: None, new_password: None }
    }
}

/// Something that is to be kept: a command that took effect, for the most part.
pub(super) struct Commit {
    /// When.
    pub(super) at: Timestamp,
    /// The account whose command it is.
    pub(super) by: Box<str>,
    /// The command's frame; empty for what is no command.
    pub(super) frame: String,
    /// The client's transaction identifier.
    pub(super) cl_trid: Option<Box<str>>,
    /// What is kept of it.
    pub(super) deed: Deed,
    /// What it changed, where something took effect.
    pub(super) change: Option<Change>,
}

/// A connection.
pub(super) struct Connection {
    tape: Tape,
    session: Option<Session>,
    failures: u8,
    opened: Moment,
    /// When the last frame arrived.
    heard: Moment,
    /// Whether the session ran out while it was idle, so that the next command hears of it.
    timed_out: bool,
}

/// A login that holds.
struct Session {
    /// The account.
    client: Box<str>,
    opened: Moment,
    commands: u32,
    /// Object services the login named.
    objects: Vec<Box<str>>,
    /// Extension services the login named.
    extensions: Vec<Box<str>>,
}

/// A command's outcome: a code, and what to write.
struct Outcome {
    code: u16,
    close: bool,
}

impl Connection {
    /// A connection that began at `now`.
    pub(super) fn new(now: Moment) -> Self {
        Self { tape: Tape::new(), session: None, failures: 0, opened: now, heard: now, timed_out: false }
    }

    /// Whether a login holds.
    pub(super) const fn is_logged_in(&self) -> bool {
        self.session.is_some()
    }

    /// Writes the greeting.
    pub(super) fn greet(&self, registry: &Registry, wall: Timestamp, out: &mut Vec<u8>) -> Answer {
        let date = Date::at(wall.round(jiff::Unit::Millisecond).unwrap_or(wall));
        encode::greeting(out, &registry.announcement.server, &date.raw, &registry.objects, &registry.extensions);
        Answer::new(if self.is_logged_in() { Place::Session } else { Place::Greeting }, 1000)
    }

    /// Takes a frame that arrived at `now` and appends its answer to `out`.
    pub(super) fn handle(&mut self, registry: &mut Registry, frame: &[u8], now: Moment, wall: Timestamp, out: &mut Vec<u8>) -> Answer {
        self.expire(registry, now);
        self.heard = now;
        let mut tape = std::mem::take(&mut self.tape);
        let request = match tape.read(frame) {
            Ok(()) => decode(&tape),
            Err(bad) => Err(Refused { refusal: Refusal::new(2001, bad.to_string()), cl_trid: None, before_login: true }),
        };
        let answer = self.respond(registry, &tape, request, now, wall, out);
        self.tape = tape;
        answer
    }

    /// When the connection is to be cut, if nothing arrives.
    pub(super) fn deadline(&self, registry: &Registry) -> Option<Moment> {
        let limits = &registry.limits;
        let idle = limits.idle.filter(|_| limits.idle_answer == IdleAnswer::Cut).map(|wait| self.heard + wait);
        let age = limits.age.map(|wait| self.session.as_ref().map_or(self.opened, |s| s.opened) + wait);
        [idle, age].into_iter().flatten().min()
    }

    /// Forgets the login: the connection stays, the session is gone.
    pub(super) fn forget_login(&mut self, registry: &mut Registry) {
        if self.session.take().is_some() {
            registry.close_session();
        }
    }

    /// Lets a session that was idle for too long run out, where that is told by an answer.
    fn expire(&mut self, registry: &mut Registry, now: Moment) {
        let over = registry.limits.idle.is_some_and(|most| now.since(self.heard) >= most);
        if over && self.session.is_some() && registry.limits.idle_answer != IdleAnswer::Cut {
            self.timed_out = registry.limits.idle_answer == IdleAnswer::TimedOut;
            self.forget_login(registry);
        }
    }

    fn respond(
        &mut self,
        registry: &mut Registry,
        tape: &Tape,
        request: Result<Request, Refused>,
        now: Moment,
        wall: Timestamp,
        out: &mut Vec<u8>,
    ) -> Answer {
        if matches!(request, Ok(Request { order: Order::Command(Command::Hello), .. })) {
            return self.greet(registry, wall, out);
        }
        let place = if self.is_logged_in() { Place::Session } else { Place::Login };
        let mut answer = Answer { commits: registry.fall_due(wall), ..Answer::new(place, 2400) };
        let sv_trid = registry.next_sv_trid();
        let refused = match request {
            Ok(request) => {
                answer.cl_trid = request.cl_trid;
                answer.object = key(&request.order);
                registry.acting = self.session.as_ref().map_or_else(|| registry.user.clone(), |session| session.client.clone());
                let mut run = Run { registry, tape, now, wall, sv_trid: &sv_trid, out };
                let named = |ns: Ns| self.session.as_ref().is_none_or(|s| s.extensions.iter().any(|uri| **uri == *ns.uri()));
                if request.extension.is_none_or(named) {
                    self.carry_out(&request.order, &mut run, &mut answer)
                } else {
                    Err(Refusal::new(2103, "this login named no such extension"))
                }
            }
            Err(refused) => {
                answer.cl_trid = refused.cl_trid;
                let is_known = self.is_logged_in() || refused.before_login;
                Err(if is_known { refused.refusal } else { Refusal::new(2002, "log in first") })
            }
        };
        match refused {
            Ok(outcome) => (answer.code, answer.close) = (outcome.code, answer.close || outcome.close),
            Err(refusal) => {
                answer.code = refusal.code;
                if self.is_logged_in() {
                    registry.count_refusal(wall);
                }
                let refusal = refusal.numbered(&registry.profile, answer.code);
                answer.close |= refusal.code / 100 % 10 == 5;
                if !answer.silent {
                    let head = Head { refusal: Some(&refusal), ..Head::of(refusal.code, &answer, &sv_trid) };
                    encode::response(out, &head, None, None);
                }
            }
        }
        answer
    }

    /// Carries out a command and writes its answer, or says why not.
    fn carry_out(&mut self, order: &Order, run: &mut Run<'_>, answer: &mut Answer) -> Result<Outcome, Refusal> {
        if let Order::Command(Command::Login(login)) = order {
            self.log_in(login, run, answer)?;
            return Ok(run.with_credit(1000, answer));
        }
        if std::mem::take(&mut self.timed_out) {
            return Err(Refusal::new(2201, "session timeout"));
        }
        let Some(session) = &mut self.session else { return Err(Refusal::new(2002, "not logged in")) };
        if matches!(order, Order::Command(Command::Logout)) {
            self.forget_login(run.registry);
            return Ok(Outcome { close: true, ..run.with_credit(1500, answer) });
        }
        session.commands = session.commands.saturating_add(1);
        if run.registry.limits.commands.is_some_and(|most| session.commands > most) {
            answer.close = true;
            return Err(Refusal::new(2502, "too many commands in this session"));
        }
        // Who is blocked may ask until when.
        if !matches!(order, Order::Command(Command::Query(Query::HitPoints))) && !run.registry.admits_command(run.now, run.wall) {
            let over = run.registry.limits.over_limit;
            answer.silent = over == OverLimit::Cut;
            answer.close = answer.silent;
            let code = if over == OverLimit::Keep2308 { 2308 } else { 2502 };
            let refusal = Refusal::new(code, "too many commands in this time");
            if over == OverLimit::Keep2502 {
                let head = Head { refusal: Some(&refusal), ..Head::of(code, answer, run.sv_trid) };
                encode::response(run.out, &head, None, None);
                return Ok(Outcome { code, close: false });
            }
            return Err(refusal);
        }
        if let Some(ns) = object_service(order) {
            let is_offered = run.registry.objects.iter().any(|uri| uri == ns.uri());
            if !is_offered || !session.objects.iter().any(|uri| **uri == *ns.uri()) {
                return Err(Refusal::new(2307, "this login named no such object service"));
            }
        }
        match order {
            Order::Command(Command::Query(query)) => {
                run.strike(Stage::Query, answer);
                run.look(query, &session.extensions, answer)
            }
            Order::Command(Command::PollRequest) => Ok(run.next_message(&session.extensions, answer)),
            Order::Command(Command::PollAck { .. }) => run.change(order, &session.extensions, answer),
            Order::Transfer(transfer) if transfer.op == TransferOp::Query => run.look_at_transfer(transfer, answer),
            Order::Command(Command::Transform(_)) | Order::Transfer(_) => {
                run.strike(Stage::Transform, answer);
                run.change(order, &session.extensions, answer)
            }
            Order::Command(Command::Hello | Command::Login(_) | Command::Logout) => Err(Refusal::new(2002, "not here")),
        }
    }

    fn log_in(&mut self, login: &Login, run: &mut Run<'_>, answer: &mut Answer) -> Result<(), Refusal> {
        let registry = &mut *run.registry;
        if self.session.is_some() {
            return Err(Refusal::new(2002, "logged in already").numbered(&registry.profile, 1000));
        }
        if &*login.version != "1.0" {
            return Err(Refusal::quoting(2100, Ns::EPP, "version", &login.version, "1.0 is spoken here"));
        }
        if &*login.lang != "en" {
            return Err(Refusal::quoting(2102, Ns::EPP, "lang", &login.lang, "en is spoken here"));
        }
        if let Some(uri) = login.objects.iter().find(|uri| !registry.objects.iter().any(|known| **known == ***uri)) {
            return Err(Refusal::quoting(2307, Ns::EPP, "objURI", uri, "the greeting did not offer it"));
        }
        if let Some(uri) = login.extensions.iter().find(|uri| !registry.extensions.iter().any(|known| **known == ***uri)) {
            return Err(Refusal::quoting(2103, Ns::EPP, "extURI", uri, "the greeting did not offer it"));
        }
        let is_rival = registry.rival.as_ref().is_some_and(|(client, _)| *client == login.client);
        let password = registry.rival.as_ref().filter(|_| is_rival).map_or(&registry.password, |(_, password)| password);
        let is_known = is_rival || *login.client == *registry.user;
        if !is_known || login.password.reveal() != password.reveal() {
            self.failures += 1;
            let code = if self.failures >= MOST_FAILURES { 2501 } else { 2200 };
            return Err(Refusal::new(code, "wrong client identifier or password"));
        }
        if !registry.open_session() {
            answer.close = true;
            return Err(Refusal::new(2502, "too many sessions"));
        }
        if let Some(new) = login.new_password.as_ref().filter(|_| !is_rival) {
            registry.password = new.clone();
            answer.new_password = Some(new.clone());
        }
        self.session = Some(Session {
            client: login.client.clone(),
            opened: run.now,
            commands: 0,
            objects: login.objects.clone(),
            extensions: login.extensions.clone(),
        });
        Ok(())
    }
}

/// A command under way: all it may touch.
struct Run<'a> {
    registry: &'a mut Registry,
    tape: &'a Tape,
    now: Moment,
    wall: Timestamp,
    sv_trid: &'a str,
    out: &'a mut Vec<u8>,
}

impl Run<'_> {
    /// Writes an answer without data.
    fn plain(&mut self, code: u16, answer: &Answer) -> Outcome {
        self.write(code, answer, None, None)
    }

    /// The same with the account's credit, where the registry tells it.
    fn with_credit(&mut self, code: u16, answer: &Answer) -> Outcome {
        match self.registry.announcement.credit.clone() {
            Some(amount) => self.write(code, answer, None, Some(&|w| encode::ext::credit(w, &amount))),
            None => self.plain(code, answer),
        }
    }

    fn write(&mut self, code: u16, answer: &Answer, data: encode::Part<'_>, extension: encode::Part<'_>) -> Outcome {
        encode::response(self.out, &Head::of(code, answer, self.sv_trid), data, extension);
        Outcome { code, close: false }
    }

    /// The fault that strikes a command. Where somebody else changes the object before it is looked at, that is done now.
    fn strike(&mut self, stage: Stage, answer: &mut Answer) {
        answer.fault = self.registry.faults.strike(stage, answer.object.as_deref());
        if stage == Stage::Query && answer.fault.as_ref().is_some_and(|spec| spec.fault == Fault::Meddled) {
            conduct::meddle(self.registry, self.wall, answer);
        }
    }

    /// Tells how a transfer is going.
    fn look_at_transfer(&mut self, order: &TransferOrder, answer: &Answer) -> Result<Outcome, Refusal> {
        let told = self.registry.look_at_transfer(order)?;
        Ok(self.write(1000, answer, Some(&|w| encode::transfer_data(w, &told)), None))
    }

    /// Carries out a command that changes nothing, in a session whose login named the extensions `named`.
    fn look(&mut self, query: &Query, named: &[Box<str>], answer: &Answer) -> Result<Outcome, Refusal> {
        let head = Head::of(1000, answer, self.sv_trid);
        let registry = &*self.registry;
        let in_words = registry.announcement.truth_in_words;
        match query {
            Query::ContactInfo { id, auth } => {
                let contact = registry.contact(id.as_str()).ok_or_else(|| Refusal::new(2303, "no such contact"))?;
                authorise(registry, contact.sponsor.as_deref(), contact.auth.as_ref(), auth.as_ref())?;
                let ours = encode::ext::of_contact(named, &contact);
                let data = |w: &mut XmlWriter<'_>| encode::contact_data(w, &contact, true);
                let extension = |w: &mut XmlWriter<'_>| ours.into_iter().for_each(|ns| encode::ext::contact_part(w, ns, &contact));
                encode::response(self.out, &head, Some(&data), ours.is_some().then_some(&extension));
            }
            Query::DomainContacts { name, which } => {
                let domain = current(registry, name, self.wall)?;
                authorise(registry, domain.sponsor.as_deref(), domain.auth.as_ref(), None)?;
                let contacts = registry.contacts_of(&domain, *which);
                let data = |w: &mut XmlWriter<'_>| encode::domain_data(w, &domain, HostsFilter::All, true);
                let extension = |w: &mut XmlWriter<'_>| {
                    for ns in encode::ext::of_domain(named, &domain) {
                        encode::ext::domain_part(w, ns, &domain);
                    }
                    encode::ext::linked_contacts(w, &contacts);
                };
                encode::response(self.out, &head, Some(&data), Some(&extension));
            }
            Query::DomainInfo { name, hosts, auth } => {
                let domain = current(registry, name, self.wall)?;
                authorise(registry, domain.sponsor.as_deref(), domain.auth.as_ref(), auth.as_ref())?;
                let ours = encode::ext::of_domain(named, &domain);
                let (vendor, sec_dns) = (registry.announcement.domain.as_ref(), registry.sec_dns(name.as_str()));
                let extension = |w: &mut XmlWriter<'_>| {
                    if let Some(data) = sec_dns {
                        encode::sec_dns_data(w, data);
                    }
                    for ns in &ours {
                        encode::ext::domain_part(w, *ns, &domain);
                    }
                    if let Some(vendor) = vendor {
                        encode::vendor_data(w, vendor);
                    }
                };
                let is_extended = !ours.is_empty() || vendor.is_some() || sec_dns.is_some();
                let data = |w: &mut XmlWriter<'_>| encode::domain_data(w, &domain, *hosts, true);
                encode::response(self.out, &head, Some(&data), is_extended.then_some(&extension));
            }
            Query::HostInfo(name) => {
                let host = registry.host(name.as_str()).ok_or_else(|| Refusal::new(2303, "no such host"))?;
                encode::response(self.out, &head, Some(&|w| encode::host_data(w, &host)), None);
            }
            Query::HitPoints => {
                let points = registry.points(self.wall).ok_or_else(|| Refusal::new(2307, "no such object service"))?;
                encode::response(self.out, &head, Some(&|w| encode::ext::hit_points(w, &points)), None);
            }
            Query::ContactCheck(ids) => {
                let items = check(registry, ids.iter().map(|id| (id.as_str(), registry.contact(id.as_str()).is_some())))?;
                encode::response(
                    self.out,
                    &head,
                    Some(&|w| encode::check_data(w, Ns::CONTACT, &encode::CONTACT_CHECK, &items, in_words)),
                    None,
                );
            }
            Query::DomainCheck(names) => {
                let items = check(registry, names.iter().map(|name| (name.as_str(), registry.domain(name.as_str()).is_some())))?;
                encode::response(
                    self.out,
                    &head,
                    Some(&|w| encode::check_data(w, Ns::DOMAIN, &encode::DOMAIN_CHECK, &items, in_words)),
                    None,
                );
            }
            Query::ContactTransfer { .. } | Query::DomainTransfer { .. } => {
                return Err(Refusal::new(2101, "this registry carries out no such command"));
            }
        }
        Ok(Outcome { code: 1000, close: false })
    }

    /// Carries out a command that changes something, in a session whose login named the extensions `named`.
    fn change(&mut self, order: &Order, named: &[Box<str>], answer: &mut Answer) -> Result<Outcome, Refusal> {
        let is_update = matches!(order, Order::Command(Command::Transform(t)) if matches!(**t, Transform::ContactUpdate(_) | Transform::DomainUpdate(_)));
        let heard = Heard { frame: self.tape.text(), sv_trid: self.sv_trid, wall: self.wall, is_update };
        let wall = self.wall;
        let conducted = conduct::carry_out(self.registry, &heard, answer, |registry| {
            let change = registry.apply(order, wall)?;
            Ok((change.created.clone(), Some(change)))
        })?;
        let (created, code) = match conducted {
            Conducted::Done(created, code) => (created, code),
            // What is written is not sent, or not as it is.
            Conducted::Refused | Conducted::Silent => return Ok(self.plain(1000, answer)),
        };
        // On the line the command is an info, and answered like one.
        if let Some((name, order)) = auth_order(order) {
            return Ok(self.told_code(name, order, named, answer));
        }
        let contact = created.and_then(|id| self.registry.contact(id.as_str()).map(Cow::into_owned));
        if let Some(contact) = contact {
            return Ok(self.write(code, answer, Some(&|w| encode::contact_created(w, &contact)), None));
        }
        let domain = |name: &DomainName| self.registry.domain(name.as_str()).map(Cow::into_owned);
        match order {
            Order::Transfer(order) => {
                let Some(told) = self.registry.last_transfer(order.name.as_str()) else { return Ok(self.plain(code, answer)) };
                let code = if &*told.status == "pending" { 1001 } else { code };
                Ok(self.write(code, answer, Some(&|w| encode::transfer_data(w, &told)), None))
            }
            Order::Command(Command::Transform(transform)) => match &**transform {
                Transform::DomainCreate(create) => {
                    let Some(domain) = domain(&create.name) else { return Ok(self.plain(code, answer)) };
                    Ok(self.write(code, answer, Some(&|w| encode::domain_created(w, &domain)), None))
                }
                Transform::DomainRenew { name, .. } => {
                    let Some(domain) = domain(name) else { return Ok(self.plain(code, answer)) };
                    Ok(self.write(code, answer, Some(&|w| encode::domain_renewed(w, &domain)), None))
                }
                _ => Ok(self.plain(code, answer)),
            },
            Order::Command(_) => Ok(self.plain(code, answer)),
        }
    }

    /// Answers with a domain, whose authorisation code was just made or ended.
    fn told_code(&mut self, name: &DomainName, order: AuthCodeOrder, named: &[Box<str>], answer: &Answer) -> Outcome {
        let Ok(domain) = current(self.registry, name, self.wall) else { return self.plain(1000, answer) };
        let until = self.registry.auth_until(name.as_str()).filter(|_| order == AuthCodeOrder::Request).map(Date::at);
        let ours = encode::ext::of_domain(named, &domain);
        let extension = |w: &mut XmlWriter<'_>| {
            for ns in &ours {
                encode::ext::domain_part(w, *ns, &domain);
            }
            if let Some(until) = &until {
                encode::ext::auth_until(w, until);
            }
        };
        let is_extended = !ours.is_empty() || until.is_some();
        let data = |w: &mut XmlWriter<'_>| encode::domain_data(w, &domain, HostsFilter::All, true);
        encode::response(self.out, &Head::of(1000, answer, self.sv_trid), Some(&data), is_extended.then_some(&extension));
        Outcome { code: 1000, close: false }
    }

    /// Answers a poll request, in a session whose login named the extensions `named`.
    fn next_message(&mut self, named: &[Box<str>], answer: &Answer) -> Outcome {
        let queue = self.registry.queue();
        let code = if queue.is_some() { 1301 } else { 1300 };
        let head = Head { queue: queue.as_ref(), ..Head::of(code, answer, self.sv_trid) };
        let data = |w: &mut XmlWriter<'_>| match self.registry.notice() {
            Some(About::Transfer(told)) => encode::transfer_data(w, told),
            Some(About::Pending(kind, told)) => encode::pending_data(w, *kind, told),
            Some(About::Extension(_)) | None => {}
        };
        let has_data = matches!(self.registry.notice(), Some(About::Transfer(_) | About::Pending(..)));
        let about = match self.registry.notice() {
            Some(About::Extension(about)) if encode::is_spoken(named, about) => Some(about),
            _ => None,
        };
        let extension = |w: &mut XmlWriter<'_>| about.into_iter().for_each(|about| encode::notice(w, about));
        encode::response(self.out, &head, has_data.then_some(&data), about.is_some().then_some(&extension));
        Outcome { code, close: false }
    }
}

/// The domain of that name as it is at `wall`: without an authorisation code whose time is over.
fn current<'r>(registry: &'r Registry, name: &DomainName, wall: Timestamp) -> Result<Cow<'r, Domain>, Refusal> {
    let mut domain = registry.domain(name.as_str()).ok_or_else(|| Refusal::new(2303, "no such domain"))?;
    if registry.auth_until(name.as_str()).is_some_and(|until| until <= wall) {
        domain.to_mut().auth = None;
    }
    Ok(domain)
}

impl<'a> Head<'a> {
    fn of(code: u16, answer: &'a Answer, sv_trid: &'a str) -> Self {
        Self { code, refusal: None, queue: None, cl_trid: answer.cl_trid.as_deref(), sv_trid }
    }
}

/// Whether we may be told of an object: as its sponsor, or with its authorisation information (RFC 5731 §3.1.2, RFC 5733 §3.1.2).
fn authorise(registry: &Registry, sponsor: Option<&str>, own: Option<&AuthInfo>, told: Option<&AuthInfo>) -> Result<(), Refusal> {
    match told {
        Some(told) if !is_authorised(own, told) => Err(Refusal::new(2202, "not this object's authorisation information")),
        None if !registry.is_ours(sponsor) => Err(Refusal::new(2201, "another registrar sponsors this object")),
        _ => Ok(()),
    }
}

fn check<'a>(registry: &Registry, names: impl ExactSizeIterator<Item = (&'a str, bool)>) -> Result<Vec<CheckItem>, Refusal> {
    if registry.limits.names.is_some_and(|most| names.len() > most as usize) {
        return Err(Refusal::new(2306, "too many names in one check"));
    }
    let item = |(id, is_there): (&str, bool)| CheckItem { id: id.into(), available: !is_there, reason: is_there.then(|| "In use".into()) };
    Ok(names.map(item).collect())
}
