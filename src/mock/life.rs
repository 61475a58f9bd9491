//! How domains come and go (RFC 5731 §3.2.1 to §3.2.3), and how contacts go (RFC 5733 §3.2.2).

use super::check::is_host;
use super::decode::Refusal;
use super::dns_check::is_delegated;
use super::registry::{Change, Registry};
use super::update;
use crate::base::Timestamp;
use crate::model::{AuthInfo, Date, Domain, DomainCreate, Period, PeriodUnit, Status, StatusValue};
use crate::protocol::ns::Ns;
use jiff::{ToSpan as _, tz::TimeZone};
use xxhash_rust::xxh3::xxh3_64;

/// The most years that a registration may have before it.
const MOST_YEARS: i64 = 10;

impl Registry {
    /// Registers a domain.
    ///
    /// # Errors
    /// 2302 where there is such a domain, 2303 where something it names is missing, 2306 and those of the rules.
    pub(super) fn create_domain(&mut self, asked: &DomainCreate, at: Timestamp) -> Result<Change, Refusal> {
        let name = asked.name.as_str();
        let quoting = |code, why| Refusal::quoting(code, Ns::DOMAIN, "name", name, why);
        if !is_host(name) {
            return Err(quoting(2005, "no domain can have such a name"));
        }
        if self.domain(name).is_some() {
            return Err(quoting(2302, "there is such a domain"));
        }
        let handles = asked.registrant.iter().map(|handle| ("registrant", handle));
        for (element, handle) in handles.chain(asked.contacts.iter().map(|contact| ("contact", &contact.handle))) {
            update::must_exist(self, handle.as_str(), element)?;
        }
        let mut new = Domain::bare(asked.name.clone());
        let bare = new.clone();
        update::change_name_servers(&mut new.ns, &bare.ns, &asked.ns, self)?;
        (new.registrant, new.contacts) = (asked.registrant.clone(), asked.contacts.clone());
        new.roid = Some(format!("D{:X}-PV", xxh3_64(name.as_bytes()) >> 24).into());
        new.auth = update::changed_auth(&asked.auth)?;
        new.expires = Some(Date::at(extended(at, asked.period)?));
        self.judge_domain(None, &new)?;
        let sec_dns = self.changed_sec_dns(name, &asked.ds)?;
        self.announcement.complete_domain(&mut new);
        self.check_name_servers(&bare, &mut new, at);
        let delegated = is_delegated(&new);
        update::settle(&mut new.statuses, delegated);
        Ok(self.put_new_domain(new, sec_dns, at))
    }

    /// Deletes a domain.
    ///
    /// # Errors
    /// 2303, 2201, 2304 where a status forbids it, 2305 while hosts are below it.
    pub(super) fn delete_domain(&mut self, name: &str) -> Result<Change, Refusal> {
        let before = self.own_domain(name)?;
        let forbidding = [StatusValue::CLIENT_DELETE_PROHIBITED, StatusValue::SERVER_DELETE_PROHIBITED];
        must_allow(&before.statuses, &forbidding)?;
        if let Some(host) = before.hosts.first() {
            return Err(Refusal::quoting(2305, Ns::DOMAIN, "host", host.as_str(), "there are hosts below this domain"));
        }
        self.held.transfers.remove(name);
        Ok(self.remove_domain(&before))
    }

    /// Renews a domain.
    ///
    /// # Errors
    /// 2303, 2201, 2304 where a status forbids it, 2004 where it expires on another day than the client says, 2105 where it would then
    /// have more than ten years before it, or does not expire.
    pub(super) fn renew_domain(&mut self, name: &str, current: &str, period: Option<Period>, at: Timestamp) -> Result<Change, Refusal> {
        if self.announcement.renews_by_itself {
            return Err(Refusal::new(2101, "domains are renewed by the registry here"));
        }
        let before = self.own_domain(name)?;
        must_allow(&before.statuses, &[StatusValue::CLIENT_RENEW_PROHIBITED, StatusValue::SERVER_RENEW_PROHIBITED])?;
        let expires = before.expires.as_ref().and_then(|date| date.at).ok_or_else(|| Refusal::new(2105, "this domain does not expire"))?;
        let day = expires.to_zoned(TimeZone::UTC).date().to_string();
        if day != current {
            return Err(Refusal::quoting(2004, Ns::DOMAIN, "curExpDate", current, "the domain expires on another day"));
        }
        let next = extended(expires, period)?;
        if at.to_zoned(TimeZone::UTC).checked_add(MOST_YEARS.years()).is_ok_and(|most| next > most.timestamp()) {
            return Err(Refusal::new(2105, "a domain has ten years before it at most"));
        }
        let after = Domain { expires: Some(Date::at(next)), ..before.clone() };
        Ok(self.put_domain(&before, after, None, at))
    }

    /// Deletes a contact.
    ///
    /// # Errors
    /// 2303, 2201, 2304 where a status forbids it, 2305 while a domain names it.
    pub(super) fn delete_contact(&mut self, id: &str) -> Result<Change, Refusal> {
        let before = self.contact(id).ok_or_else(|| Refusal::new(2303, "no such contact"))?.into_owned();
        self.must_be_ours(before.sponsor.as_deref())?;
        must_allow(&before.statuses, &[StatusValue::CLIENT_DELETE_PROHIBITED, StatusValue::SERVER_DELETE_PROHIBITED])?;
        if self.is_linked(id) {
            return Err(Refusal::new(2305, "domains name this contact"));
        }
        Ok(self.remove_contact(&before))
    }
}

/// Refuses what a status in `forbidding` forbids, or one that is pending.
pub(super) fn must_allow(statuses: &[Status], forbidding: &[StatusValue]) -> Result<(), Refusal> {
    let closing = statuses.iter().find(|status| forbidding.contains(&status.value) || status.value.as_str().starts_with("pending"));
    closing.map_or(Ok(()), |status| Err(Refusal::new(2304, format!("the object is {}", status.value.as_str()))))
}

/// `from` and a period on: a year unless it says otherwise.
///
/// # Errors
/// 2004 where it is longer than ten years.
pub(super) fn extended(from: Timestamp, period: Option<Period>) -> Result<Timestamp, Refusal> {
    let Period { count, unit } = period.unwrap_or(Period { count: 1, unit: PeriodUnit::Years });
    let (span, most) = match unit {
        PeriodUnit::Years => (i64::from(count).years(), MOST_YEARS),
        PeriodUnit::Months => (i64::from(count).months(), 12 * MOST_YEARS),
    };
    let end = from.to_zoned(TimeZone::UTC).checked_add(span).ok().filter(|_| (1..=most).contains(&i64::from(count)));
    let refused = || Refusal::quoting(2004, Ns::DOMAIN, "period", &count.to_string(), "ten years at most");
    end.map(|end| end.timestamp()).ok_or_else(refused)
}

/// Whether `told` is the authorisation information that an object has.
pub(super) fn is_authorised(own: Option<&AuthInfo>, told: &AuthInfo) -> bool {
    match (own, told) {
        (Some(AuthInfo::Password { pw: own, .. }), AuthInfo::Password { pw: told, .. }) => own.reveal() == told.reveal(),
        _ => false,
    }
}
