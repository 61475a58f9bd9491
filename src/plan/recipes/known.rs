//! What is gathered of a registry's objects before one of them is planned for: a few bytes for each.

use super::{Pair, Site};
use crate::base::{DomainName, Result};
use crate::dataset::{ContactField, DomainField, Row};
use crate::diff::{material, normalise, proxy_contact, proxy_handle};
use crate::model::ObjectKind;
use crate::plan::basis::{Bar, Bases, Decision, NoRecords, Purpose};
use std::collections::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// A handle's hash.
type Hash = u64;

fn hash(handle: &str) -> Hash {
    xxh3_64(handle.as_bytes())
}

/// What the domains of a registry make worth knowing of its contacts.
#[derive(Debug, Default)]
pub(in crate::plan) struct Asked {
    /// What may be done with the registrants of selected domains is asked for.
    purposes: HashMap<Hash, Vec<Purpose>>,
    /// Proxy contacts of selected domains.
    proxies: HashMap<Hash, DomainName>,
    /// Proxy contacts that their domains name, and no service asks for any more.
    unwanted: HashSet<Hash>,
    /// Registrants of protected domains, selected or not.
    hidden: HashSet<Hash>,
    /// Contacts that carry what hides them and are to be changed, with the domains that use them.
    pub(super) uses: HashMap<Hash, Uses>,
    /// How many domains at the registry name a contact.
    linked: HashMap<Hash, u32>,
    /// Contacts in whose place proxy contacts stand.
    replaced: HashMap<Hash, Replaced>,
}

/// A contact in whose place proxy contacts stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Replaced {
    /// In so many domains.
    pub domains: u32,
    /// The domains at the registry that name it all the same.
    pub named_by: Vec<Box<str>>,
}

/// The domains that use a contact which is to be changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    /// Those for which the change is wanted.
    pub wanted: Vec<Box<str>>,
    /// Those that the plan is not about, or that have no such service.
    pub others: Vec<Box<str>>,
}

impl Asked {
    /// Counts the contacts that a domain names at its registry.
    pub(super) fn links(&mut self, pair: Pair<'_>) {
        for handle in pair.remote.into_iter().flat_map(crate::dataset::handles) {
            *self.linked.entry(hash(&handle)).or_default() += 1;
        }
    }

    /// Asks what may be done with a contact's data.
    pub(super) fn purpose(&mut self, handle: &str, purpose: Purpose) {
        let purposes = self.purposes.entry(hash(handle)).or_default();
        if !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }

    /// Asks for the proxy contact of a domain.
    pub(super) fn proxy(&mut self, domain: &str) {
        let domain = DomainName::new(domain);
        self.proxies.insert(hash(&proxy_handle(&domain)), domain);
    }

    /// Asks for a proxy contact that is to go.
    pub(super) fn unwanted(&mut self, handle: &str) {
        self.unwanted.insert(hash(handle));
    }

    /// Takes note of a protected domain's registrant.
    pub(super) fn hide(&mut self, handle: &str) {
        self.hidden.insert(hash(handle));
    }

    /// Asks for the domains that use a contact.
    pub(super) fn target(&mut self, handle: &str) {
        self.uses.entry(hash(handle)).or_default();
    }

    /// Takes note of a contact in whose place a domain has its proxy contact.
    pub(super) fn replace(&mut self, handle: &str) {
        self.replaced.entry(hash(handle)).or_default().domains += 1;
    }

    /// Whether any contact is replaced by a proxy contact.
    pub(in crate::plan) fn has_replaced(&self) -> bool {
        !self.replaced.is_empty()
    }

    /// Takes note of the replaced contacts that a domain names at its registry all the same.
    pub(in crate::plan) fn names(&mut self, pair: Pair<'_>) {
        for handle in pair.remote.into_iter().flat_map(crate::dataset::handles) {
            if let Some(replaced) = self.replaced.get_mut(&hash(&handle)) {
                replaced.named_by.push(pair.id().into());
            }
        }
    }

    /// A contact in whose place proxy contacts stand.
    pub(super) fn replaced(&self, handle: &str) -> Option<&Replaced> {
        self.replaced.get(&hash(handle))
    }

    /// Whether the uses of any contact are asked for.
    pub(in crate::plan) fn has_targets(&self) -> bool {
        !self.uses.is_empty()
    }

    /// Takes note of the contacts that a domain uses, on either side, where that is asked for.
    pub(in crate::plan) fn used(&mut self, site: &Site<'_>, pair: Pair<'_>) {
        let mut handles: Vec<String> = pair.local.into_iter().chain(pair.remote).flat_map(crate::dataset::handles).collect();
        handles.sort_unstable();
        handles.dedup();
        let is_wanted = site.selects(pair) && site.protection(pair.id()) == Some(crate::dataset::Protection::V2);
        for handle in handles {
            if let Some(uses) = self.uses.get_mut(&hash(&handle)) {
                let slot = if is_wanted { &mut uses.wanted } else { &mut uses.others };
                slot.push(pair.id().into());
            }
        }
    }

    /// Whether a contact is the registrant of a protected domain.
    pub(super) fn is_hidden(&self, handle: &str) -> bool {
        self.hidden.contains(&hash(handle))
    }

    /// How many domains at the registry name a contact.
    pub(super) fn linked(&self, handle: &str) -> u32 {
        self.linked.get(&hash(handle)).copied().unwrap_or_default()
    }

    /// The domains that use a contact, where it is to be changed.
    pub(super) fn uses_of(&self, handle: &str) -> Option<&Uses> {
        self.uses.get(&hash(handle))
    }
}

/// What is known of a registry's contacts.
#[derive(Debug, Default)]
pub(in crate::plan) struct Known {
    /// The contacts the registry holds, each with the fingerprint of whom it shows; 0 for nobody.
    there: HashMap<Hash, u64>,
    /// The fingerprints of local records.
    ours: HashMap<Hash, u64>,
    decisions: HashMap<(Hash, Purpose), Decision>,
    /// Contacts about whose persons nothing may be changed.
    barred: HashMap<Hash, Bar>,
    /// Proxy contacts that were asked for and are there: as they should be, or the row that is not.
    proxies: HashMap<Hash, Option<Row>>,
    /// Proxy contacts that are to go.
    unwanted: HashMap<Hash, Row>,
    linked: HashMap<Hash, u32>,
}

/// A domain's proxy contact at its registry.
#[derive(Debug)]
pub(super) enum Proxy<'k> {
    /// It is not there.
    Missing,
    /// It is there, as it should be.
    AsWanted,
    /// It is there, with other data.
    Other(&'k Row),
}

impl Known {
    /// Takes a contact in.
    ///
    /// # Errors
    /// What `bases` return.
    pub(in crate::plan) fn contact(&mut self, site: &Site<'_>, pair: Pair<'_>, asked: &Asked, bases: &mut dyn Bases) -> Result<()> {
        let id = hash(pair.id());
        if let Some(bar) = barred(pair, bases)? {
            self.barred.insert(id, bar);
        }
        if let Some(row) = pair.local {
            self.ours.insert(id, person(row));
            for purpose in asked.purposes.get(&id).into_iter().flatten() {
                let decision = bases.decide(site.registry, row, *purpose)?;
                self.decisions.insert((id, *purpose), decision);
            }
        }
        if let Some(row) = pair.remote {
            self.there.insert(id, person(row));
            if let (Some(domain), Some(settings)) = (asked.proxies.get(&id), site.settings) {
                let is_wanted = differs(&proxy_contact(domain, settings), row).is_empty();
                self.proxies.insert(id, (!is_wanted).then(|| row.clone()));
            }
            if asked.unwanted.contains(&id) {
                self.unwanted.insert(id, row.clone());
            }
        }
        Ok(())
    }

    /// Takes over how often contacts are named.
    pub(in crate::plan) fn take_links(&mut self, asked: &mut Asked) {
        self.linked = std::mem::take(&mut asked.linked);
    }

    /// Whether the registry holds a contact.
    pub(super) fn is_there(&self, handle: &str) -> bool {
        self.there.contains_key(&hash(handle))
    }

    /// Whether two handles stand for one person: they are one, or show the same name and address.
    pub(super) fn is_same(&self, one: &str, other: &str) -> bool {
        let shows = |handle: &str| [&self.there, &self.ours].map(|of| of.get(&hash(handle)).copied().filter(|print| *print != 0));
        let (one_shows, other_shows) = (shows(one), shows(other));
        one == other || one_shows.iter().flatten().any(|print| other_shows.contains(&Some(*print)))
    }

    /// What may be done with the data of a contact; nothing may where there is no local record of it.
    pub(super) fn decision(&self, handle: &str, purpose: Purpose) -> Decision {
        self.decisions.get(&(hash(handle), purpose)).cloned().unwrap_or_else(NoRecords::blocked)
    }

    /// What keeps everything from being changed about the person of a contact.
    pub(super) fn bar(&self, handle: &str) -> Option<&Bar> {
        self.barred.get(&hash(handle))
    }

    /// A domain's proxy contact.
    pub(super) fn proxy(&self, handle: &str) -> Proxy<'_> {
        match self.proxies.get(&hash(handle)) {
            None => Proxy::Missing,
            Some(None) => Proxy::AsWanted,
            Some(Some(row)) => Proxy::Other(row),
        }
    }

    /// A proxy contact that is to go, and that one domain alone names.
    pub(super) fn unwanted(&self, handle: &str) -> Option<&Row> {
        self.unwanted.get(&hash(handle)).filter(|_| self.linked(handle) <= 1)
    }

    /// How many domains at the registry name a contact.
    pub(super) fn linked(&self, handle: &str) -> u32 {
        self.linked.get(&hash(handle)).copied().unwrap_or_default()
    }
}

/// What keeps everything from being changed about the person of a contact, as the records or the registry have it.
///
/// # Errors
/// What `bases` return.
pub(super) fn barred(pair: Pair<'_>, bases: &mut dyn Bases) -> Result<Option<Bar>> {
    for row in pair.local.into_iter().chain(pair.remote) {
        if let Some(bar) = bases.bars(row)? {
            return Ok(Some(bar));
        }
    }
    Ok(None)
}

/// The positions at which a proxy contact is not what it should be. Statuses, properties and a disclose statement are not ours.
pub(super) fn differs(wanted: &Row, held: &Row) -> Vec<usize> {
    let all = material(ObjectKind::Contact, wanted, held);
    let others = [ContactField::Statuses, ContactField::Disclose, ContactField::Properties].map(ContactField::at);
    all.into_iter().filter(|at| !others.contains(at)).collect()
}

/// The fingerprint of whom a contact shows: name, organisation, e-mail and postal code in the form in which values are compared,
/// without regard to case. 0 where it shows no name.
fn person(row: &Row) -> u64 {
    use ContactField as F;
    let value = |fields: [ContactField; 2]| fields.into_iter().find_map(|field| row.get(field.at()));
    let parts = [value([F::LocName, F::IntName]), value([F::LocOrg, F::IntOrg]), row.get(F::Email.at()), value([F::LocPc, F::IntPc])];
    let [Some(name), ..] = parts else { return 0 };
    if name.trim().is_empty() {
        return 0;
    }
    let folded = parts.map(|part| normalise(crate::dataset::Kind::Text, part.unwrap_or_default()).to_lowercase());
    xxh3_64(folded.join("\u{1f}").as_bytes()).max(1)
}

/// The handles of a domain's column.
pub(super) fn column(row: &Row, field: DomainField) -> Vec<&str> {
    let text = row.get(field.at()).unwrap_or_default();
    text.split(';').map(str::trim).filter(|handle| !handle.is_empty()).collect()
}
