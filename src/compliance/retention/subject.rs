//! What a contact's record holds, as items that rules bear on.

use super::resolve::Item;
use super::rule::RulePack;
use crate::compliance::Element;
use crate::dataset::{ContactField, Row, ServiceEnd};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// What the domains that name a contact tell of it.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// Whether some domain that is in use names it.
    pub in_use: bool,
    /// Whether a domain in use names it as registrant or technical contact: roles that registries still ask for.
    pub is_needed: bool,
    /// How the last of those domains ended that are not in use any more, where it is known.
    pub end: Option<ServiceEnd>,
}

/// What is known of one contact.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The kinds of its registry ([`RulePack::scopes_of`]).
    pub scopes: &'a [Box<str>],
    /// What its domains tell.
    pub life: &'a Life,
    /// Its country, where it is known.
    pub country: Option<&'a str>,
    /// Contracts of the registrar's that rules ask for.
    pub contracts: &'a BTreeSet<Box<str>>,
    /// When its subject withdrew consent last, and did not give it again.
    pub withdrawn: Option<Date>,
    /// Whether a hold stands over its subject.
    pub held: bool,
}

impl Life {
    /// Takes in a domain that names the contact: one in use, or one that ended somehow.
    pub fn meet(&mut self, in_use: bool, is_needed: bool, end: Option<&ServiceEnd>) {
        self.in_use |= in_use;
        self.is_needed |= in_use && is_needed;
        if let Some(end) = end.filter(|end| !in_use && self.end.as_ref().is_none_or(|known| known.day < end.day)) {
            self.end = Some(end.clone());
        }
    }
}

/// The items that a contact's data are: what it is registered with, what no role asks for any more, and what rests on consent alone
/// where that was withdrawn.
#[must_use]
pub fn items<'a>(pack: &'a RulePack, kept: &Kept<'a>) -> Vec<Item<'a>> {
    let life = kept.life;
    let end = life.end.as_ref().filter(|_| !life.in_use);
    let mut events: BTreeMap<&str, Date> = BTreeMap::new();
    if let Some(end) = end {
        events.extend(pack.events_of(&end.reason).map(|event| (event, end.day)));
    }
    let item = |cluster, events, in_use| Item {
        cluster,
        scopes: kept.scopes,
        country: kept.country,
        contracts: kept.contracts,
        events,
        in_use,
        held: kept.held,
    };
    // Whoever is named by no domain but in roles that are not asked for any more has no other data here.
    let cluster = if life.in_use && !life.is_needed { "legacy-roles" } else { "registration" };
    let mut all = vec![item(cluster, events.clone(), life.in_use)];
    if let Some(day) = kept.withdrawn {
        events.insert("consent-withdrawn", day);
        all.push(item("consent-data", events, life.in_use));
    }
    all
}

/// The kinds of personal data that a contact's record holds, in the order of [`Element::ALL`].
#[must_use]
pub fn elements(row: &Row) -> Vec<Element> {
    use ContactField as F;
    let fields = |element: Element| -> &'static [ContactField] {
        match element {
            Element::Name => &[F::IntName, F::LocName],
            Element::Organisation => &[F::IntOrg, F::LocOrg],
            Element::Street => &[F::IntStreet1, F::IntStreet2, F::IntStreet3, F::LocStreet1, F::LocStreet2, F::LocStreet3],
            Element::City => &[F::IntCity, F::LocCity],
            Element::State => &[F::IntSp, F::LocSp],
            Element::PostalCode => &[F::IntPc, F::LocPc],
            Element::Country => &[F::IntCc, F::LocCc],
            Element::Voice => &[F::Voice],
            Element::Fax => &[F::Fax],
            Element::Email => &[F::Email],
        }
    };
    let holds = |element: &&Element| fields(**element).iter().any(|field| row.get(field.at()).is_some());
    Element::ALL.iter().filter(holds).copied().collect()
}
