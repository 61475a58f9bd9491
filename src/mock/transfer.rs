//! Transfers of domains (RFC 5731 §3.1.3 and §3.2.4): asked for by one account, answered by the other, and granted by the registry
//! where nobody answers in time.

use super::core::Commit;
use super::decode::{Refusal, TransferOp, TransferOrder};
use super::later::Deed;
use super::life::{extended, is_authorised, must_allow};
use super::messages::About;
use super::registry::{Change, Registry, stamp};
use crate::base::{DomainName, Timestamp};
use crate::model::{Date, Domain, Period, StatusValue, TransferData};
use jiff::SignedDuration;

/// A transfer, under way or over.
#[derive(Clone)]
pub(super) struct Transfer {
    name: DomainName,
    /// `trStatus`: `pending`, or how it ended.
    status: &'static str,
    /// The account that asked.
    by: Box<str>,
    /// The account that sponsored the domain then.
    from: Box<str>,
    requested: Timestamp,
    /// Until when it is to be answered, or when it was.
    acted: Timestamp,
    period: Option<Period>,
    /// The expiry after it.
    expires: Option<Date>,
}

impl Transfer {
    /// When the registry grants it by itself.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.is_pending().then_some(self.acted)
    }

    /// Its object, `domain/example.test`.
    pub(super) fn object(&self) -> Box<str> {
        format!("domain/{}", self.name).into()
    }

    /// Whether nobody has answered it yet.
    pub(super) fn is_pending(&self) -> bool {
        self.status == "pending"
    }

    /// What is told of it.
    pub(super) fn data(&self) -> TransferData {
        TransferData {
            id: self.name.as_str().into(),
            status: self.status.into(),
            requested_by: self.by.clone(),
            requested: Some(stamp(self.requested)),
            acting: self.from.clone(),
            act_by: Some(stamp(self.acted)),
            expires: self.expires.clone(),
        }
    }
}

impl Registry {
    /// How the last transfer of a domain is going.
    ///
    /// # Errors
    /// 2303, 2201 or 2202 where the account has no part in it, 2301 where there never was one.
    pub(super) fn look_at_transfer(&self, order: &TransferOrder) -> Result<TransferData, Refusal> {
        let domain = self.domain(order.name.as_str()).ok_or_else(|| Refusal::new(2303, "no such domain"))?;
        let last = self.held.transfers.get(order.name.as_str());
        let has_part = last.is_some_and(|transfer| [&transfer.by, &transfer.from].contains(&&self.acting));
        match &order.auth {
            Some(told) if !is_authorised(domain.auth.as_ref(), told) => {
                return Err(Refusal::new(2202, "not this object's authorisation information"));
            }
            None if !has_part => self.must_be_ours(domain.sponsor.as_deref())?,
            _ => {}
        }
        last.map(Transfer::data).ok_or_else(|| Refusal::new(2301, "it was never transferred"))
    }

    /// The last transfer of a domain.
    pub(super) fn last_transfer(&self, name: &str) -> Option<TransferData> {
        self.held.transfers.get(name).map(Transfer::data)
    }

    /// Asks for a transfer, or answers one.
    ///
    /// # Errors
    /// The refusal to answer; nothing changed then.
    pub(super) fn transfer(&mut self, order: &TransferOrder, at: Timestamp) -> Result<Change, Refusal> {
        let domain = self.domain(order.name.as_str()).ok_or_else(|| Refusal::new(2303, "no such domain"))?.into_owned();
        let status = match order.op {
            TransferOp::Query => return Err(Refusal::new(2101, "not a change")),
            TransferOp::Request => return self.request_transfer(order, &domain, at),
            TransferOp::Approve => "clientApproved",
            TransferOp::Reject => "clientRejected",
            TransferOp::Cancel => "clientCancelled",
        };
        let pending = self.held.transfers.get(order.name.as_str()).filter(|transfer| transfer.is_pending());
        let Some(pending) = pending.cloned() else {
            // Whoever has no part in a domain is not told how it stands.
            self.must_be_ours(domain.sponsor.as_deref())?;
            return Err(Refusal::new(2301, "no transfer is under way"));
        };
        let allowed = if order.op == TransferOp::Cancel { &pending.by } else { &pending.from };
        if *allowed != self.acting {
            return Err(Refusal::new(2201, "that is for the other registrar to say"));
        }
        Ok(self.end_transfer(pending, &domain, status, at))
    }

    fn request_transfer(&mut self, order: &TransferOrder, domain: &Domain, at: Timestamp) -> Result<Change, Refusal> {
        if self.is_ours(domain.sponsor.as_deref()) {
            return Err(Refusal::new(2106, "this registrar sponsors it already"));
        }
        if self.held.transfers.get(domain.name.as_str()).is_some_and(Transfer::is_pending) {
            return Err(Refusal::new(2300, "a transfer is under way"));
        }
        let Some(told) = &order.auth else { return Err(Refusal::new(2003, "authInfo is missing")) };
        if !is_authorised(domain.auth.as_ref(), told) {
            return Err(Refusal::new(2202, "not this object's authorisation information"));
        }
        must_allow(&domain.statuses, &[StatusValue::CLIENT_TRANSFER_PROHIBITED, StatusValue::SERVER_TRANSFER_PROHIBITED])?;
        let expires = domain.expires.as_ref().and_then(|date| date.at).map(|date| extended(date, order.period)).transpose()?;
        let days = self.announcement.transfer_days;
        let transfer = Transfer {
            name: domain.name.clone(),
            status: "pending",
            by: self.acting.clone(),
            from: domain.sponsor.clone().unwrap_or_else(|| self.user.clone()),
            requested: at,
            acted: at.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(at),
            period: order.period,
            expires: expires.map(Date::at),
        };
        if days == 0 {
            return Ok(self.end_transfer(transfer, domain, "serverApproved", at));
        }
        self.tell(&transfer.from, "Transfer requested", &transfer, at);
        self.held.transfers.insert(domain.name.as_str().into(), transfer);
        let mut after = domain.clone();
        after.statuses.push(StatusValue::PENDING_TRANSFER.into());
        super::update::settle(&mut after.statuses, super::dns_check::is_delegated(domain));
        Ok(self.put_domain(domain, after, None, at))
    }

    /// Ends a transfer in that way, and tells those who did not end it.
    fn end_transfer(&mut self, pending: Transfer, domain: &Domain, status: &'static str, at: Timestamp) -> Change {
        let is_approved = status.ends_with("Approved");
        let mut after = domain.clone();
        after.statuses.retain(|status| status.value != StatusValue::PENDING_TRANSFER);
        super::update::settle(&mut after.statuses, super::dns_check::is_delegated(domain));
        let mut ended = Transfer { status, acted: at, ..pending };
        if is_approved {
            (after.sponsor, after.transferred) = (Some(ended.by.clone()), Some(stamp(at)));
            let expires = after.expires.as_ref().and_then(|date| date.at);
            after.expires = expires.and_then(|date| extended(date, ended.period).ok()).map(Date::at).or(after.expires);
            ended.expires.clone_from(&after.expires);
            // What opened the door once does not open it again (RFC 9154 §4.3).
            after.auth = None;
        } else {
            ended.expires = None;
        }
        for account in [ended.by.clone(), ended.from.clone()] {
            if status.starts_with("server") || account != self.acting {
                self.tell(&account, "Transfer ended", &ended, at);
            }
        }
        self.held.transfers.insert(domain.name.as_str().into(), ended);
        self.put_domain(domain, after, None, at)
    }

    /// Grants a transfer that nobody answered in time.
    pub(super) fn approve_unanswered(&mut self, object: &str, at: Timestamp) -> Option<Commit> {
        let name = object.strip_prefix("domain/")?;
        let pending = self.held.transfers.get(name).filter(|transfer| transfer.is_pending())?.clone();
        let Some(domain) = self.domain(name).map(std::borrow::Cow::into_owned) else {
            self.held.transfers.remove(name);
            return None;
        };
        let by = pending.by.clone();
        let change = self.end_transfer(pending, &domain, "serverApproved", at);
        Some(Commit { at, by, frame: String::new(), cl_trid: None, deed: Deed::Decided(object.into()), change: Some(change) })
    }

    fn tell(&mut self, to: &str, text: &str, transfer: &Transfer, at: Timestamp) {
        self.held.messages.push(to, stamp(at), text, About::Transfer(transfer.data()));
    }
}
