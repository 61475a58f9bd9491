//! The orders of the local records, each with what its registrant's record says.

use super::super::config::{Config, Loaded};
use super::super::{Context, queried};
use super::people::{Registrant, rows_of};
use crate::base::{Blame, Exit, Handle, Problem, Problems, RegistryId, Result};
use crate::compliance::asking::{Before, Group, Messages, Person as PersonKind, Sent, Trigger};
use crate::compliance::{Fingerprint, Happening, Ledger, Purpose, Record, Subject};
use crate::dataset::{Order, OrderState, Records, read_orders};
use crate::model::ObjectKind;
use std::collections::HashMap;

/// Orders and whom they are of.
pub(super) struct Orders {
    /// The orders that were not cancelled, by time.
    pub(super) orders: Vec<Order>,
    /// Whom they are of, by registry and handle.
    registrants: HashMap<(RegistryId, Handle), Registrant>,
}

impl Orders {
    /// Reads the orders of the registries that the verb is confined to.
    ///
    /// # Errors
    /// `E-asking-002` (exit 2) where the configuration names no orders; every problem of their files; `E-parquet-…`.
    pub(super) fn read(loaded: &Loaded, ctx: &Context, records: &Records) -> Result<Self, Problems> {
        let config = &loaded.config;
        let Some(source) = &queried::records(config, ctx)?.orders else {
            let remedy = "name their files, or a query, below [records.orders]";
            return Err(Problem::new("E-asking-002", Blame::Operator, "there are no orders", remedy)
                .file(&config.path)
                .exit(Exit::Usage)
                .into());
        };
        let orders = read_orders(source, &config.registries.keys().cloned().collect())?;
        let is_meant = |order: &Order| order.state != OrderState::Cancelled && ctx.includes(&order.registry);
        let orders: Vec<Order> = orders.into_iter().filter(is_meant).collect();
        let wanted = orders.iter().map(|order| (&order.registry, order.handle.as_str()));
        let rows = rows_of(records, ObjectKind::Contact, wanted)?;
        let registrants = rows.into_iter().map(|((registry, _), row)| ((registry, Handle::new(row.id())), Registrant::of(&row))).collect();
        Ok(Self { orders, registrants })
    }

    /// Whom an order is of; nothing where the local records have no such contact.
    pub(super) fn registrant(&self, order: &Order) -> Option<&Registrant> {
        self.registrants.get(&(order.registry.clone(), order.handle.clone()))
    }

    /// The orders as what asks for consent, with the subjects that the ledger has.
    ///
    /// # Errors
    /// As [`Ledger::subject_of`].
    pub(super) fn triggers<'o>(&'o self, config: &'o Config, ledger: &mut Ledger<'_>) -> Result<Vec<Trigger<'o>>> {
        let mut subjects: HashMap<&Fingerprint, Option<Subject>> = HashMap::new();
        let mut out = Vec::with_capacity(self.orders.len());
        for order in &self.orders {
            let registrant = self.registrant(order);
            let subject = match registrant.and_then(|registrant| registrant.person.as_ref()) {
                None => None,
                Some(person) => match subjects.get(person) {
                    Some(known) => *known,
                    None => *subjects.entry(person).or_insert(ledger.subject_of(person)?),
                },
            };
            let configured = || config.asking.providers.get(order.registry.as_str()).map(String::as_str);
            out.push(Trigger {
                order: &order.id,
                provider: order.provider.as_deref().or_else(configured),
                tld: &order.tld,
                at: order.at,
                open: order.state == OrderState::Open,
                subject,
                person: registrant.map_or(PersonKind::Individual, |registrant| registrant.kind),
                elements: registrant.map(|registrant| registrant.elements.clone()).unwrap_or_default(),
                brand: order.brand.as_deref(),
                language: order.language.as_deref(),
            });
        }
        Ok(out)
    }
}

/// What was asked by provider: requests in the ledger, and messages that wait to be sent.
pub(super) fn asked(ledger: &Ledger<'_>, messages: &Messages) -> Before {
    let mut sent = requested(ledger);
    for open in messages.all() {
        if messages.is_sent(&open.message) {
            continue;
        }
        for group in open.groups.keys().filter_map(|group| Group::read(group.as_str())) {
            let row = Sent { at: open.created, subject: open.subject, group };
            sent.entry(open.provider.as_str().into()).or_default().entry(open.subject).or_default().push(row);
        }
    }
    sent
}

/// What was asked by provider, as the ledger has it. What names no group is left out: it stands in the state of each.
pub(super) fn requested(ledger: &Ledger<'_>) -> Before {
    let mut sent = Before::new();
    for subject in ledger.subjects() {
        let is_request = |event: &&Record| event.event == Happening::Requested && event.purpose == Some(Purpose::ProviderData);
        for event in ledger.events(subject).iter().filter(is_request) {
            let group = event.group.as_ref().and_then(|group| Group::read(group.as_str()));
            if let Some((provider, group)) = event.provider.as_ref().zip(group) {
                let row = Sent { at: event.at, subject, group };
                sent.entry(provider.as_str().into()).or_default().entry(subject).or_default().push(row);
            }
        }
    }
    sent
}
