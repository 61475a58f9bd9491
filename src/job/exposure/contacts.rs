//! The contacts of one registry: what is asked of them by its domains, and what each of them exposes.

use super::consents::Publications;
use super::planned::PlannedChanges;
use super::told::{ALL, Rule};
use super::{Asking, Desk};
use crate::base::{DomainName, Result};
use crate::compliance::exposure::{
    Alike, Consent, Exposure, Person, Seen, Stale, is_needless, judge, names_its_person, special_of, special_properties, stale, unmasked,
};
use crate::dataset::{DomainField, Row};
use crate::diff::{proxy_contact, proxy_handle};
use crate::model::{Confidence, Element, Finding, ObjectKind};
use crate::plan::Pair;
use crate::policy::{DomainRole, SpecialKind};
use std::collections::{BTreeMap, HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

/// The most customers that share one e-mail address before that is told (ENM-18).
const SHARED: usize = 5;

/// What specially protected data are found in, where that is no property.
const TEXT: &str = "text";

/// The roles, each with its column.
pub(super) const ROLES: [(DomainRole, DomainField); 4] = [
    (DomainRole::Registrant, DomainField::Registrant),
    (DomainRole::Admin, DomainField::Admin),
    (DomainRole::Tech, DomainField::Tech),
    (DomainRole::Billing, DomainField::Billing),
];

/// A handle's hash.
pub(super) fn hash(handle: &str) -> u64 {
    xxh3_64(handle.as_bytes())
}

/// The handles of a domain's column.
pub(super) fn column(row: &Row, field: DomainField) -> impl Iterator<Item = &str> {
    row.get(field.at()).unwrap_or_default().split(';').map(str::trim).filter(|handle| !handle.is_empty())
}

/// What the domains of a registry make worth knowing of its contacts.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// In which roles a contact stands, a bit for each of [`ROLES`].
    roles: HashMap<u64, u8>,
    /// Registrants whom a service hides.
    hidden: HashSet<u64>,
    /// Proxy contacts that stand in a registrant's place, with their domains.
    masks: HashMap<u64, DomainName>,
    /// Contacts whose rows an RDAP answer is compared with.
    compared: HashSet<u64>,
}

impl Asked {
    /// Takes note of a domain.
    pub(super) fn domain(&mut self, desk: &Desk<'_, '_>, asking: &Asking<'_>, pair: Pair<'_>) {
        let Some(row) = desk.held(pair) else { return };
        for (n, (_, field)) in ROLES.iter().enumerate() {
            for handle in column(row, *field) {
                *self.roles.entry(hash(handle)).or_default() |= 1 << n;
            }
        }
        let protection = asking.services.of(row.id());
        if let Some(registrant) = pair.local.and_then(|row| row.get(DomainField::Registrant.at())).filter(|_| protection.is_some()) {
            self.hidden.insert(hash(registrant));
        }
        let proxy = proxy_handle(&DomainName::new(row.id()));
        if protection.is_some() && column(row, DomainField::Registrant).any(|handle| handle == proxy) {
            self.masks.insert(hash(&proxy), DomainName::new(row.id()));
        }
        if asking.rdap.of(row.id()).is_some() {
            let rows = std::iter::once(row).chain(pair.local);
            let all = rows.flat_map(|row| ROLES.into_iter().flat_map(move |(_, field)| column(row, field)));
            self.compared.extend(all.map(hash));
        }
    }

    fn is_registrant(&self, handle: u64) -> bool {
        self.roles.get(&handle).is_some_and(|roles| roles & 1 != 0)
    }

    /// Every role in which a contact stands.
    fn roles(&self, handle: u64) -> impl Iterator<Item = DomainRole> {
        let bits = self.roles.get(&handle).copied().unwrap_or_default();
        ROLES.into_iter().enumerate().filter(move |(n, _)| bits & 1 << n != 0).map(|(_, (role, _))| role)
    }
}

/// What a contact exposes in each role.
pub(super) type InRoles = [Exposure; 4];

/// What is known of a registry's contacts: some bytes for each, since few expose their elements in ways of their own.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    /// The ways in which contacts expose their elements, by number.
    ways: Vec<InRoles>,
    numbers: HashMap<InRoles, u32>,
    /// The way of each contact, as it is now.
    now: HashMap<u64, u32>,
    /// The way of those that the plan is about; none where it deletes them.
    planned: HashMap<u64, Option<u32>>,
    /// Rows that RDAP answers are compared with.
    rows: HashMap<u64, Row>,
    alike: Alike,
    tally: Tally,
}

/// What is counted of a registry's contacts.
#[derive(Debug, Default)]
struct Tally {
    contacts: u64,
    /// Held, and needless, by whether the contact stands in a role that is needed, and by element.
    elements: BTreeMap<(bool, Element), (u64, u64)>,
    /// Contacts that hold specially protected data, by kind and by where: a property, or `text`.
    special: BTreeMap<(SpecialKind, Box<str>), u64>,
    named: u64,
    shared: u64,
}

/// Whether everybody sees an e-mail address of a natural person that seems to say who the person is (EUR-6).
fn is_named(person: &Person<'_>, [exposure, ..]: &InRoles) -> bool {
    let is_seen = matches!(exposure.get(Element::Email), Seen::Public | Seen::OptedIn);
    let is_person = person.organisation().is_none_or(|org| person.value(Element::Name) == Some(org));
    let both = person.value(Element::Email).zip(person.value(Element::Name));
    is_seen && is_person && both.is_some_and(|(email, name)| names_its_person(email, name))
}

impl Contacts {
    /// Takes a contact in; what was found of it.
    ///
    /// # Errors
    /// Where the ledger cannot be read, or a table not be written.
    pub(super) fn contact(
        &mut self,
        desk: &mut Desk<'_, '_>,
        (asking, asked): (&Asking<'_>, &Asked),
        pair: Pair<'_>,
        consents: &mut Publications<'_>,
    ) -> Result<Vec<Finding>> {
        let Some(row) = desk.held(pair) else { return Ok(Vec::new()) };
        let key = hash(row.id());
        let consent = consents.of(pair.local)?;
        let person = Person::of(row);
        let exposures = judged(desk, &person, &consent);
        let number = self.number(exposures);
        self.now.insert(key, number);
        if let Some(planned) = asking.planned.filter(|planned| planned.touches(desk.registry, ObjectKind::Contact, row.id())) {
            let after = planned.after(desk.registry, ObjectKind::Contact, row.id(), Some(row));
            self.plan(desk, key, after.as_ref(), &consent);
        }
        if asked.compared.contains(&key) {
            self.rows.insert(key, row.clone());
        }
        self.tally.contacts += 1;
        let found = self.found(desk, (asking, asked), (key, &person), &consent, &exposures)?;
        if asked.is_registrant(key) && is_named(&person, &exposures) && !asking.is_provider(row.id()) && !asked.masks.contains_key(&key) {
            self.tally.named += 1;
            let offered = consents.offered(pair.local)?;
            desk.sheets.candidate(desk.registry, row.id(), Rule::NamedMailbox.id(), "email", offered)?;
        }
        Ok(found)
    }

    /// Takes in the contacts that the plan creates.
    pub(super) fn created(&mut self, desk: &Desk<'_, '_>, planned: &PlannedChanges) {
        let new: Vec<String> =
            planned.contacts(desk.registry).filter(|id| !self.now.contains_key(&hash(id))).map(ToOwned::to_owned).collect();
        for id in new {
            let after = planned.after(desk.registry, ObjectKind::Contact, &id, None);
            self.plan(desk, hash(&id), after.as_ref(), &Consent::Nothing);
        }
    }

    fn plan(&mut self, desk: &Desk<'_, '_>, key: u64, after: Option<&Row>, consent: &Consent) {
        let exposures = after.map(|row| judged(desk, &Person::of(row), consent));
        let number = exposures.map(|exposures| self.number(exposures));
        self.planned.insert(key, number);
    }

    fn number(&mut self, exposures: InRoles) -> u32 {
        let next = u32::try_from(self.ways.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(exposures).or_insert(next);
        if number == next {
            self.ways.push(exposures);
        }
        number
    }

    /// What is to be told of a contact as it is held now.
    fn found(
        &mut self,
        desk: &mut Desk<'_, '_>,
        (asking, asked): (&Asking<'_>, &Asked),
        (key, person): (u64, &Person<'_>),
        consent: &Consent,
        exposures: &InRoles,
    ) -> Result<Vec<Finding>> {
        let id = person.row().id();
        let at = (ObjectKind::Contact, id);
        let mut out = Vec::new();
        self.special(desk, person)?;
        self.needless(desk, asked.roles(key), person);
        if let Some((domain, settings)) = asked.masks.get(&key).zip(asking.settings) {
            let wanted = proxy_contact(domain, settings);
            for element in unmasked(&Person::of(&wanted), person) {
                let what = format!("{id} stands in the registrant's place, and its {element} is not the provider's");
                let field = format!("registrant.{element}");
                out.push(Rule::NoMask.told(desk.registry, (ObjectKind::Domain, domain.as_str()), field, what));
            }
        }
        if !asked.is_registrant(key) || asking.is_provider(id) || asked.masks.contains_key(&key) {
            return Ok(out);
        }
        let [exposure, ..] = exposures;
        for (whose, own) in asking.own {
            if let Some(finding) = desk.judge.proxy(person.row(), own) {
                let what = format!("a registrant here has data of its own, and this is {whose}");
                out.push(Finding {
                    source: finding.source,
                    confidence: finding.confidence,
                    severity: finding.severity,
                    ..Rule::NotOwn.told(desk.registry, at, finding.field, what)
                });
                break;
            }
        }
        if person.has_blank_organisation() {
            let what = "an organisation that names none: the contact is a natural person, and may be published as an organisation";
            out.push(Rule::BlankOrganisation.told(desk.registry, at, "organisation", what));
        }
        match stale(exposure, consent, asked.hidden.contains(&key)) {
            Some(Stale::Withholding) => {
                let what = "consent to publication holds, and the registry still withholds the person: plan a correction";
                out.push(Rule::StillWithheld.told(desk.registry, at, "publication", what));
            }
            Some(Stale::Showing) => {
                let what = "consent to publication was withdrawn, and the registry still shows the person by it: withhold it first of all";
                out.push(Rule::StillShown.told(desk.registry, at, "publication", what));
            }
            None => {}
        }
        // What the registry puts in many registrants' places is shared by design.
        if !desk.is_stand_in(person) {
            self.alike.take(person);
        }
        Ok(out)
    }

    /// Counts a contact's specially protected data.
    fn special(&mut self, desk: &mut Desk<'_, '_>, person: &Person<'_>) -> Result<()> {
        for (property, kind) in special_properties(person, desk.profile) {
            *self.tally.special.entry((kind, format!("properties.{property}").into())).or_default() += 1;
        }
        let mut kinds: Vec<(SpecialKind, Element)> = special_of(person).map(|(element, kind)| (kind, element)).collect();
        kinds.sort_unstable();
        kinds.dedup_by_key(|(kind, _)| *kind);
        for (kind, element) in kinds {
            *self.tally.special.entry((kind, TEXT.into())).or_default() += 1;
            desk.sheets.candidate(desk.registry, person.row().id(), Rule::special(kind).id(), element.as_str(), None)?;
        }
        Ok(())
    }

    /// Counts the elements of a contact that no rule and no purpose needs in any of its roles. What stands in no role is for the rules of
    /// retention.
    fn needless(&mut self, desk: &Desk<'_, '_>, roles: impl Iterator<Item = DomainRole>, person: &Person<'_>) {
        let roles: Vec<DomainRole> = roles.collect();
        let Some(needed) = desk.profile.needed.as_ref().filter(|_| !roles.is_empty()) else { return };
        let has_role = roles.iter().any(|role| needed.roles.value.contains(role));
        for element in Element::ALL.iter().copied().filter(|element| person.has(*element)) {
            let is_needless = roles.iter().all(|role| is_needless(person, desk.profile, *role, element) == Some(true));
            let (held, needless) = self.tally.elements.entry((has_role, element)).or_default();
            *held += 1;
            *needless += u64::from(is_needless);
        }
    }

    /// Whether any registrant shares what only one customer should have, so that they have to be looked at once more; ends the counting.
    pub(super) fn shared(&mut self) -> Option<crate::compliance::exposure::Shared> {
        Some(std::mem::take(&mut self.alike).shared(SHARED)).filter(|shared| !shared.is_empty())
    }

    /// Looks whether a registrant shares such data.
    ///
    /// # Errors
    /// `E-file-002`.
    pub(super) fn share(
        &mut self,
        desk: &mut Desk<'_, '_>,
        (asking, asked): (&Asking<'_>, &Asked),
        pair: Pair<'_>,
        shared: &crate::compliance::exposure::Shared,
    ) -> Result<()> {
        let Some(row) = desk.held(pair).filter(|row| asked.is_registrant(hash(row.id())) && !asking.is_provider(row.id())) else {
            return Ok(());
        };
        if asked.masks.contains_key(&hash(row.id())) || desk.is_stand_in(&Person::of(row)) {
            return Ok(());
        }
        if let Some(element) = shared.of(&Person::of(row)) {
            self.tally.shared += 1;
            desk.sheets.candidate(desk.registry, row.id(), Rule::Shared.id(), element.as_str(), None)?;
        }
        Ok(())
    }

    /// What a contact exposes in the role at `n` now; nothing where it is not there.
    pub(super) fn now(&self, handle: &str, n: usize) -> Option<Exposure> {
        self.way(*self.now.get(&hash(handle))?, n)
    }

    /// The same once the plan is applied.
    pub(super) fn planned(&self, handle: &str, n: usize) -> Option<Exposure> {
        match self.planned.get(&hash(handle)) {
            None => self.now(handle, n),
            Some(number) => self.way((*number)?, n),
        }
    }

    fn way(&self, number: u32, n: usize) -> Option<Exposure> {
        self.ways.get(number as usize)?.get(n).copied()
    }

    /// The row of a contact, where it was asked for.
    pub(super) fn row(&self, handle: &str) -> Option<&Row> {
        self.rows.get(&hash(handle))
    }

    /// How many contacts there are.
    pub(super) const fn count(&self) -> u64 {
        self.tally.contacts
    }

    /// Writes what was counted; what is to be told of it.
    ///
    /// # Errors
    /// `E-file-002`.
    pub(super) fn counted(&self, desk: &mut Desk<'_, '_>) -> Result<Vec<Finding>> {
        let Tally { elements, special, named, shared, .. } = &self.tally;
        let at = (ObjectKind::Contact, ALL);
        let mut out = Vec::new();
        for ((has_role, element), counts) in elements {
            let roles = if *has_role { "needed" } else { "needless" };
            desk.sheets.needless(desk.registry, roles, *element, *counts)?;
            let (_, needless) = counts;
            if *needless > 0 {
                let of = if *has_role { "" } else { "whose roles are not needed any more " };
                let what = format!("{needless} contacts {of}hold the {element}, which neither a rule of the registry nor a purpose needs");
                out.push(Rule::Needless.told(desk.registry, at, format!("{roles}.{element}"), what));
            }
        }
        for ((kind, found_in), contacts) in special {
            desk.sheets.special(desk.registry, *kind, found_in, *contacts)?;
            let is_text = &**found_in == TEXT;
            let how = if is_text { "seem to hold" } else { "hold" };
            let what = format!("{} contacts {how} data of GDPR {}", crate::report::masked(*contacts, desk.sheets.small()), article(*kind));
            let finding = Rule::special(*kind).told(desk.registry, at, &**found_in, what);
            // Words and numbers in a text may mean something else.
            out.push(if is_text { Finding { confidence: Confidence::Guess, ..finding } } else { finding });
        }
        if *named > 0 {
            let what = format!("{named} natural persons are reached at a public address that names them: offer them a functional one");
            out.push(Rule::NamedMailbox.told(desk.registry, at, "email", what));
        }
        if *shared > 0 {
            let what =
                format!("{shared} registrants share an address or a name with more customers than one has: ask whose data these are");
            out.push(Rule::Shared.told(desk.registry, at, "email", what));
        }
        Ok(out)
    }
}

/// What a person exposes in each role.
fn judged(desk: &Desk<'_, '_>, person: &Person<'_>, consent: &Consent) -> InRoles {
    ROLES.map(|(role, _)| judge(person, desk.profile, role, consent))
}

const fn article(kind: SpecialKind) -> &'static str {
    match kind {
        SpecialKind::Category => "Art. 9",
        SpecialKind::Criminal => "Art. 10",
        SpecialKind::NationalId => "Art. 87",
    }
}
