//! A command of a session that is logged in: what it may touch, what it does, and its answer.

use super::conduct::{self, Conducted, Heard};
use super::core::Answer;
use super::decode::{Order, Refusal, TransferOrder};
use super::encode::{self, Head};
use super::faults::{Fault, Stage};
use super::life::is_authorised;
use super::messages::About;
use super::registry::Registry;
use super::subject::auth_order;
use crate::base::{DomainName, Moment, Timestamp};
use crate::model::{AuthCodeOrder, AuthInfo, CheckItem, Command, Date, Domain, HostsFilter, Query, Transform};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Tape;
use crate::protocol::writer::XmlWriter;
use std::borrow::Cow;

/// A command's outcome: its code, and whether the connection is closed behind it.
pub(super) struct Outcome {
    pub(super) code: u16,
    pub(super) close: bool,
}

/// A command under way: all it may touch.
pub(super) struct Run<'a> {
    pub(super) registry: &'a mut Registry,
    pub(super) tape: &'a Tape,
    pub(super) now: Moment,
    pub(super) wall: Timestamp,
    pub(super) sv_trid: &'a str,
    pub(super) out: &'a mut Vec<u8>,
}

impl Run<'_> {
    /// Writes an answer without data.
    fn plain(&mut self, code: u16, answer: &Answer) -> Outcome {
        self.write(code, answer, None, None)
    }

    /// The same with the account's credit, where the registry tells it.
    pub(super) fn with_credit(&mut self, code: u16, answer: &Answer) -> Outcome {
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
    pub(super) fn strike(&mut self, stage: Stage, answer: &mut Answer) {
        answer.fault = self.registry.faults.strike(stage, answer.object.as_deref());
        if stage == Stage::Query && answer.fault.as_ref().is_some_and(|spec| spec.fault == Fault::Meddled) {
            conduct::meddle(self.registry, self.wall, answer);
        }
    }

    /// Tells how a transfer is going.
    pub(super) fn look_at_transfer(&mut self, order: &TransferOrder, answer: &Answer) -> Result<Outcome, Refusal> {
        let told = self.registry.look_at_transfer(order)?;
        Ok(self.write(1000, answer, Some(&|w| encode::transfer_data(w, &told)), None))
    }

    /// Carries out a command that changes nothing, in a session whose login named the extensions `named`.
    pub(super) fn look(&mut self, query: &Query, named: &[Box<str>], answer: &Answer) -> Result<Outcome, Refusal> {
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
    pub(super) fn change(&mut self, order: &Order, named: &[Box<str>], answer: &mut Answer) -> Result<Outcome, Refusal> {
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
    pub(super) fn next_message(&mut self, named: &[Box<str>], answer: &Answer) -> Outcome {
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
    /// The head of an answer without a refusal.
    pub(super) fn of(code: u16, answer: &'a Answer, sv_trid: &'a str) -> Self {
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
