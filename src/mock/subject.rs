//! What a command is about.

use super::decode::Order;
use crate::base::DomainName;
use crate::model::{AuthCodeOrder, Command, Query, Transform};
use crate::protocol::ns::Ns;

/// The handle or name a command is about.
pub(super) fn key(order: &Order) -> Option<Box<str>> {
    let command = match order {
        Order::Transfer(order) => return Some(order.name.as_str().into()),
        Order::Command(command) => command,
    };
    let key = match command {
        Command::Query(Query::ContactInfo { id, .. } | Query::ContactTransfer { id, .. }) => id.as_str(),
        Command::Query(Query::DomainInfo { name, .. } | Query::DomainContacts { name, .. } | Query::DomainTransfer { name, .. }) => {
            name.as_str()
        }
        Command::Query(Query::HostInfo(name)) => name.as_str(),
        Command::Transform(transform) => match &**transform {
            Transform::ContactCreate(contact) => contact.id.as_str(),
            Transform::ContactUpdate(update) => update.id.as_str(),
            Transform::ContactDelete(id) => id.as_str(),
            Transform::DomainCreate(create) => create.name.as_str(),
            Transform::DomainUpdate(update) => update.name.as_str(),
            Transform::DomainDelete(name)
            | Transform::DomainRenew { name, .. }
            | Transform::DomainTransferRequest { name, .. }
            | Transform::DomainAuthCode { name, .. } => name.as_str(),
            Transform::Rri(_) => return None,
        },
        _ => return None,
    };
    Some(key.into())
}

/// The object service a command needs.
pub(super) fn object_service(order: &Order) -> Option<Ns> {
    let Order::Command(command) = order else { return Some(Ns::DOMAIN) };
    match command {
        Command::Query(Query::ContactCheck(_) | Query::ContactInfo { .. } | Query::ContactTransfer { .. }) => Some(Ns::CONTACT),
        Command::Query(Query::DomainCheck(_) | Query::DomainInfo { .. } | Query::DomainContacts { .. } | Query::DomainTransfer { .. }) => {
            Some(Ns::DOMAIN)
        }
        Command::Query(Query::HostInfo(_)) => Some(Ns::HOST),
        Command::Query(Query::HitPoints) => Some(Ns::EURID_HIT_POINTS),
        Command::Transform(transform) => Some(match **transform {
            Transform::ContactCreate(_) | Transform::ContactUpdate(_) | Transform::ContactDelete(_) => Ns::CONTACT,
            _ => Ns::DOMAIN,
        }),
        _ => None,
    }
}

/// The order that `command` gives for the authorisation code of a domain, if it is one.
pub(super) fn auth_order(order: &Order) -> Option<(&DomainName, AuthCodeOrder)> {
    let Order::Command(Command::Transform(transform)) = order else { return None };
    if let Transform::DomainAuthCode { name, order } = &**transform { Some((name, *order)) } else { None }
}
