//! Recipes: from the rows of one registry to drafts, by the mechanisms that its profile names. They are pure: what they know of other
//! objects than the one at hand was gathered before ([`Known`]).

mod behind;
mod corrections;
mod elsewhere;
mod erasure;
mod known;
mod lock;
mod migrate;
mod parts;
mod privacy;
mod privacy_off;
#[cfg(test)]
mod tests;
mod undo;
mod watch;
mod withhold;

pub use behind::{Behind, Blocker, Remnant};
pub(super) use behind::{asks as asks_behind, contact as behind};
pub use corrections::{Direction, Directions};
pub use elsewhere::Elsewhere;
pub use erasure::Expired;
pub(super) use known::{Asked, Known};
pub use parts::{Outcome, Published, Taken, Visible};
pub use undo::{Open, inverse};
pub(super) use watch::domain as watched;
pub use watch::{Beside, Evidence, Gone, Relay, Watched};

use super::basis::Bases;
use super::header::Recipe;
use super::select::Selection;
use crate::base::Result;
use crate::dataset::{DomainField, Protection, Row, Services};
use crate::diff::PrivacySettings;
use crate::model::ObjectKind;
use crate::policy::{Privacy, Profile};
use jiff::civil;

/// What a recipe works with at one registry.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The operator's name for the registry.
    pub registry: &'a str,
    /// Its profile.
    pub profile: &'a Profile,
    /// The provider's own data.
    pub settings: Option<&'a PrivacySettings>,
    /// The privacy services that are active.
    pub services: &'a Services,
    /// What the plan is about.
    pub selection: &'a Selection,
    /// Which side is right where both differ.
    pub directions: &'a Directions,
    /// The day on which what is unlocked is locked again.
    pub relock: Option<civil::Date>,
}

/// One object in the local records and as its registry holds it, where it is there.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The local record.
    pub local: Option<&'a Row>,
    /// What the registry held; nothing where it held none, or none that could be read.
    pub remote: Option<&'a Row>,
}

impl<'a> Pair<'a> {
    /// Its handle or name.
    pub(super) fn id(&self) -> &'a str {
        self.local.or(self.remote).map_or("", Row::id)
    }
}

impl Site<'_> {
    /// Whether a domain is selected.
    pub(super) fn selects(&self, pair: Pair<'_>) -> bool {
        let rows = || pair.local.into_iter().chain(pair.remote);
        let named: Vec<String> =
            if self.selection.names_objects() { rows().flat_map(crate::dataset::handles).collect() } else { Vec::new() };
        self.selection.domain(pair.id(), named.iter().map(String::as_str))
    }

    /// How a domain is to be protected.
    pub(super) fn protection(&self, domain: &str) -> Option<Protection> {
        self.services.of(domain)
    }

    /// Whether the registrant's contact itself carries what hides it.
    pub(super) fn is_by_contact(&self) -> bool {
        matches!(self.profile.privacy.value, Privacy::Disclose | Privacy::Consent | Privacy::RestrictedPublication)
    }

    /// Whether a contact of the provider's stands in a registrant's place.
    pub(super) fn is_by_proxy(&self) -> bool {
        self.profile.privacy.value == Privacy::ProxyContact
    }

    /// What has to be known before the domain at hand can be planned for.
    pub(super) fn asks(&self, recipe: Recipe, pair: Pair<'_>, asked: &mut Asked) {
        asked.links(pair);
        let is_v2 = self.protection(pair.id()) == Some(Protection::V2);
        if let Some(handle) = pair.local.and_then(|row| row.get(DomainField::Registrant.at())).filter(|_| is_v2) {
            asked.hide(handle);
        }
        if !self.selects(pair) {
            return;
        }
        match recipe {
            Recipe::Privacy => privacy::asks(self, pair, asked),
            Recipe::MigrateV2 => migrate::asks(self, pair, asked),
            Recipe::Lock => lock::asks(self, pair, asked),
            Recipe::Corrections => corrections::asks(self, pair, asked),
            Recipe::PrivacyOff => privacy_off::asks(self, pair, asked),
            Recipe::Unlock | Recipe::Erasure | Recipe::Rollback => {}
        }
    }

    /// Plans for a contact.
    pub(super) fn contact(&self, recipe: Recipe, pair: Pair<'_>, asked: &Asked, bases: &mut dyn Bases, out: &mut Outcome) -> Result<()> {
        let mut own = Outcome::default();
        match recipe {
            Recipe::Privacy if self.is_by_contact() => withhold::contact(self, pair, asked, &mut own),
            Recipe::PrivacyOff => privacy_off::contact(self, pair, asked, bases, &mut own)?,
            Recipe::Corrections => corrections::contact(self, pair, asked, bases, &mut own)?,
            Recipe::Erasure => erasure::contact(self, pair, asked, bases, &mut own)?,
            _ => {}
        }
        if own.is_something()
            && let Some(bar) = known::barred(pair, bases)?
        {
            own.hold_back(self, (ObjectKind::Contact, pair.id()), &bar);
        }
        out.absorb(own);
        Ok(())
    }

    /// Plans for a domain.
    pub(super) fn domain(&self, recipe: Recipe, pair: Pair<'_>, known: &Known, out: &mut Outcome) {
        if !self.selects(pair) {
            return;
        }
        let mut own = Outcome::default();
        match recipe {
            Recipe::Privacy => privacy::domain(self, pair, known, &mut own),
            Recipe::PrivacyOff => privacy_off::domain(self, pair, known, &mut own),
            Recipe::Lock => lock::domain(self, pair, known, &mut own),
            Recipe::Unlock => lock::off(self, pair, &mut own),
            Recipe::Corrections => corrections::domain(self, pair, known, &mut own),
            Recipe::MigrateV2 => migrate::domain(self, pair, known, &mut own),
            Recipe::Erasure | Recipe::Rollback => {}
        }
        let bar = if own.is_something() { parts::bar(pair, &own.drafts, known) } else { None };
        if let Some(bar) = bar {
            own.hold_back(self, (ObjectKind::Domain, pair.id()), bar);
        }
        out.absorb(own);
    }
}
