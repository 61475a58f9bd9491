//! What commands do to a registry's objects, or why they may not.

use super::decode::{Order, Refusal};
use super::messages::About;
use super::registry::{Change, Registry, stamp};
use super::update;
use crate::base::{Digest, Handle, Secret, Timestamp};
use crate::model::{AuthCodeOrder, AuthInfo, Command, Contact, Domain, DsChange, SecDnsInfo, StatusValue, Transform};
use crate::protocol::ns::Ns;

impl Registry {
    /// Carries out a command that changes something: a transform, or the acknowledgement of a message.
    ///
    /// # Errors
    /// The refusal to answer; nothing changed then.
    pub(super) fn apply(&mut self, order: &Order, at: Timestamp) -> Result<Change, Refusal> {
        let command = match order {
            Order::Transfer(order) => return self.transfer(order, at),
            Order::Command(command) => command,
        };
        match command {
            Command::PollAck { id } => {
                let missing = || Refusal::new(2303, "no such message");
                let number = id.parse::<u64>().map_err(|_| missing())?;
                let text = self.held.messages.remove(number, &self.acting).ok_or_else(missing)?;
                let (before, after) = (serde_json::Value::from(&*text), serde_json::Value::Null);
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
                Transform::ContactDelete(id) => self.delete_contact(id.as_str()),
                Transform::DomainCreate(create) => self.create_domain(create, at),
                Transform::DomainUpdate(update) => {
                    let name = update.name.as_str();
                    let before = self.own_domain(name)?;
                    let mut after = update::domain(&before, update, self)?;
                    self.judge_domain(Some(&before), &after)?;
                    let sec_dns = self.changed_sec_dns(name, &update.ds)?;
                    self.check_name_servers(&before, &mut after, at);
                    if update.auth.is_some() {
                        self.held.auth_until.remove(name);
                    }
                    Ok(self.put_domain(&before, after, sec_dns, at))
                }
                Transform::DomainDelete(name) => self.delete_domain(name.as_str()),
                Transform::DomainRenew { name, current_expiry, period } => self.renew_domain(name.as_str(), current_expiry, *period, at),
                Transform::DomainAuthCode { name, order } => self.order_auth_code(name.as_str(), *order, at),
                Transform::DomainTransferRequest { .. } | Transform::Rri(_) => {
                    Err(Refusal::new(2101, "this registry carries out no such command"))
                }
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
                self.held.auth_until.insert(name.into(), until);
            }
            AuthCodeOrder::Cancel => {
                let holds = self.auth_until(name).is_none_or(|until| until > at);
                if after.auth.take().is_none() || !holds {
                    return Err(Refusal::new(2306, "there is no authorisation code to cancel"));
                }
                self.held.auth_until.remove(name);
            }
        }
        Ok(self.put_domain(&before, after, None, at))
    }

    /// Until when the authorisation code of the domain of that name holds, where it does so for a time.
    pub(super) fn auth_until(&self, name: &str) -> Option<Timestamp> {
        self.held.auth_until.get(name).copied()
    }

    /// Checks name servers that changed, holds the domain back where they fail, and tells of it in the queue.
    pub(super) fn check_name_servers(&mut self, before: &Domain, after: &mut Domain, at: Timestamp) {
        let number = self.held.messages.next_number();
        let Some(rule) = &self.announcement.dns_check else { return };
        let Some((text, about)) = rule.check(before, after, number, stamp(at)) else { return };
        self.held.messages.push(&self.acting, stamp(at), text, About::Extension(about));
    }

    /// The domain of that name, where the account that acts sponsors it.
    pub(super) fn own_domain(&self, name: &str) -> Result<Domain, Refusal> {
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
            contact.id = Handle::new(format!("{}{}", self.prefix_of_handles(), self.held.contacts.len() + 1));
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
    pub(super) fn judge_domain(&self, before: Option<&Domain>, after: &Domain) -> Result<(), Refusal> {
        let breach = self.judge().newly_of_domain(before, after, |handle| self.contact(handle)).into_iter().next();
        breach.map_or(Ok(()), |breach| Err(breach.refusal(Ns::DOMAIN)))
    }

    /// The DNSSEC data of `name` after `ds`, or nothing where it changes nothing.
    pub(super) fn changed_sec_dns(&self, name: &str, ds: &DsChange) -> Result<Option<SecDnsInfo>, Refusal> {
        if ds.is_empty() {
            return Ok(None);
        }
        update::sec_dns(self.held.sec_dns.get(name).cloned().unwrap_or_default(), ds).map(Some)
    }
}
