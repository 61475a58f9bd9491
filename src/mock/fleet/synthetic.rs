//! The fleet itself: contacts, domains and hosts by index and by name.

use super::Fleet;
use super::draw::Draw;
use super::flaws::{Flaw, plant_domain};
use super::links::{Links, Roles};
use super::names::Names;
use super::people::{Calendar, People, password, withhold_all};
use super::privacy::{Mask, proxy_handle};
use super::settings::FleetSettings;
use crate::base::{DomainName, Handle, HostName, Result};
use crate::model::{
    Contact, ContactRef, Disclose, Domain, Element, Host, HostAttr, Ip, IpVersion, NameServers, ObjectKind, Role, Status, StatusValue,
};
use crate::policy::{Capability, HostModel, Line, Privacy, Profile, profile};
use std::sync::{Arc, OnceLock};

/// A registry's objects as pure functions of a seed and an index.
#[derive(Debug)]
pub struct SyntheticFleet {
    settings: FleetSettings,
    profile: Arc<Profile>,
    people: People,
    names: Names,
    links: Links,
    calendar: Calendar,
    /// Hash of each proxy contact's handle with its domain's index, sorted; made when the first is asked for. A digest cannot be
    /// turned back, so this is the one thing that takes memory: 16 bytes for each domain that has one.
    proxies: OnceLock<Vec<(u64, u64)>>,
}

/// Hosts that serve many domains and stand outside the registry's zones, by provider.
const PROVIDERS: [&[&str]; 4] = [
    &["ns1.dns-meadow.example", "ns2.dns-meadow.example"],
    &["a.ns.quiet-water.test", "b.ns.quiet-water.test", "c.ns.quiet-water.test"],
    &["ns.hosting-grove.example", "ns.hosting-grove.test"],
    &["dns1.xn--grten-gra.example", "dns2.xn--grten-gra.example", "dns3.xn--grten-gra.example", "dns4.xn--grten-gra.example"],
];

impl SyntheticFleet {
    /// The fleet that `settings` describe.
    ///
    /// # Errors
    /// `E-fleet-003` where they describe none; `E-profile-002` where their profile is unknown.
    pub fn new(settings: FleetSettings) -> Result<Self> {
        settings.validate()?;
        let profile = profile(&settings.profile)?;
        Ok(Self {
            people: People::new(&settings, &profile),
            names: Names::new(settings.seed, &settings.tlds),
            links: Links::new(settings.seed, if profile.has_contacts() { settings.contacts } else { 0 }, settings.domains),
            calendar: Calendar::new(settings.today),
            proxies: OnceLock::new(),
            profile,
            settings,
        })
    }

    /// How many contacts there are, without those of privacy services.
    #[must_use]
    pub fn contact_count(&self) -> u64 {
        if self.profile.has_contacts() { self.settings.contacts } else { 0 }
    }

    /// How many domains there are.
    #[must_use]
    pub const fn domain_count(&self) -> u64 {
        self.settings.domains
    }

    /// The registry's profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Contact `index` of those of the past, as the registry holds it where it holds it still.
    #[must_use]
    pub fn former_at(&self, index: u64) -> Contact {
        let mut contact = self.people.good(self.contact_count() + FleetSettings::PAST + index);
        contact.statuses = vec![StatusValue::OK.into()];
        contact
    }

    /// Which of those of the past the contact `index` is, where the registry holds it still.
    fn former(&self, index: u64) -> Option<u64> {
        index.checked_sub(self.contact_count() + FleetSettings::PAST).filter(|n| *n < self.settings.former)
    }

    /// The handle of contact `index`, whether or not the registry has it.
    #[must_use]
    pub fn handle_at(&self, index: u64) -> Handle {
        self.people.handle(index)
    }

    /// The index of the contact with that handle, where there is one.
    #[must_use]
    pub fn index_of(&self, handle: &Handle) -> Option<u64> {
        self.people.index(handle.as_str()).filter(|index| *index < self.contact_count())
    }

    /// The name of domain `index`, whether or not the registry has it.
    #[must_use]
    pub fn name_at(&self, index: u64) -> DomainName {
        self.names.name(index)
    }

    /// Contact `index` as the registry holds it. Beyond the end it is one that the registry does not know.
    #[must_use]
    pub fn contact_at(&self, index: u64) -> Contact {
        let mut contact = self.person_at(index);
        if self.is_withheld(index) && !self.is_bare_contact(index) {
            contact.disclose = Some(self.withholding(&contact));
        }
        contact
    }

    /// The disclose statement that withholds whatever the registry lets be withheld of `contact`.
    #[must_use]
    pub fn withholding(&self, contact: &Contact) -> Disclose {
        let mut all = withhold_all(contact);
        let keeps = |element| self.profile.withholds(element);
        for (forms, element) in [(&mut all.name, Element::Name), (&mut all.org, Element::Organisation), (&mut all.addr, Element::Street)] {
            forms.int &= keeps(element);
            forms.loc &= keeps(element);
        }
        all.voice &= keeps(Element::Voice);
        all.fax &= keeps(Element::Fax);
        all.email &= keeps(Element::Email);
        all
    }

    /// Contact `index` as its person wants it, before any privacy service.
    #[must_use]
    pub fn person_at(&self, index: u64) -> Contact {
        self.flawed_person_at(index).0
    }

    /// Contact `index` as it would be without a fault.
    #[must_use]
    pub fn good_person_at(&self, index: u64) -> Contact {
        self.people.good(index)
    }

    /// As [`Self::person_at`], with what is wrong with it.
    #[must_use]
    pub fn flawed_person_at(&self, index: u64) -> (Contact, Option<Flaw>) {
        self.people.contact(index, || self.relay_of(index))
    }

    /// As [`Self::order_at`], with what is wrong with it.
    #[must_use]
    pub fn flawed_order_at(&self, index: u64) -> (Domain, Option<Flaw>) {
        self.ordered(index, self.names.name(index))
    }

    /// Whether the registrant of domain `index` breaks no rule: some hold for registrants alone.
    #[must_use]
    pub fn has_good_registrant(&self, index: u64) -> bool {
        self.links.roles(index).is_none_or(|roles| self.flawed_person_at(roles.registrant).1.is_none())
    }

    /// Whether every domain that contact `index` is registrant of breaks no rule: some rest on what the registrant is.
    #[must_use]
    pub fn has_good_domains(&self, index: u64) -> bool {
        self.links.registered_by(index).all(|domain| self.flawed_order_at(domain).1.is_none())
    }

    /// Domain `index` as the registry holds it. Beyond the end it is one that the registry does not know.
    #[must_use]
    pub fn domain_at(&self, index: u64) -> Domain {
        self.held(index, self.names.name(index))
    }

    /// Domain `index` as its registrant ordered it, before any privacy service.
    #[must_use]
    pub fn order_at(&self, index: u64) -> Domain {
        self.ordered(index, self.names.name(index)).0
    }

    /// How domain `index` hides its registrant.
    #[must_use]
    pub fn mask_at(&self, index: u64) -> Mask {
        let Some(privacy) = self.settings.privacy.as_ref().filter(|_| index < self.settings.domains) else { return Mask::None };
        let (v1, v2) = match self.profile.privacy.value {
            Privacy::ProxyContact => (u64::from(privacy.v1_per_mille), u64::from(privacy.v2_per_mille)),
            Privacy::Disclose
            | Privacy::Consent
            | Privacy::RestrictedPublication
            | Privacy::Publication
            | Privacy::None
            | Privacy::Unknown => (0, u64::from(privacy.v2_per_mille)),
        };
        match Draw::new(self.settings.seed, "mask", index).below(1000) {
            n if n < v1 => Mask::V1,
            n if n < v1 + v2 => Mask::V2,
            _ => Mask::None,
        }
    }

    /// Whether contact `index` has to be withheld by its disclose statement: a domain under privacy v2 has it as registrant.
    #[must_use]
    pub fn is_withheld(&self, index: u64) -> bool {
        self.profile.privacy.value == Privacy::Disclose
            && index < self.contact_count()
            && self.links.registered_by(index).any(|j| self.mask_at(j) == Mask::V2)
    }

    /// Whether the registry shows contact `index` although it has to be withheld: a planted fault.
    #[must_use]
    pub fn is_bare_contact(&self, index: u64) -> bool {
        self.is_withheld(index) && self.is_bare(index)
    }

    /// Whether the registry shows the registrant of domain `index` although a proxy contact has to stand there: a planted fault.
    #[must_use]
    pub fn is_bare_domain(&self, index: u64) -> bool {
        self.profile.privacy.value == Privacy::ProxyContact && self.mask_at(index) == Mask::V2 && self.is_bare(index)
    }

    /// Whether the registry holds a proxy contact of domain `index` that nothing names: a planted fault.
    #[must_use]
    pub fn is_orphaned(&self, index: u64) -> bool {
        let share = self.settings.privacy.as_ref().map_or(0, |p| u64::from(p.orphans_per_mille));
        self.profile.privacy.value == Privacy::ProxyContact
            && index < self.settings.domains
            && self.mask_at(index) == Mask::None
            && Draw::new(self.settings.seed, "orphan", index).chance(share)
    }

    /// The domains whose registrant is contact `index`.
    pub fn registered_by(&self, index: u64) -> impl Iterator<Item = u64> {
        self.links.registered_by(index)
    }

    /// The contact that is registrant of domain `index`, before any privacy service, where there are contacts.
    #[must_use]
    pub fn registrant_of(&self, index: u64) -> Option<u64> {
        self.links.roles(index).map(|roles| roles.registrant)
    }

    /// The domain that most likely names contact `index`.
    #[must_use]
    pub fn owner_of(&self, index: u64) -> u64 {
        self.links.owner(index)
    }

    /// Domain `index`, whose name is `name`, as the registry holds it.
    fn held(&self, index: u64, name: DomainName) -> Domain {
        let (mut domain, _) = self.ordered(index, name);
        let Some(privacy) = self.settings.privacy.as_ref().filter(|_| self.profile.privacy.value == Privacy::ProxyContact) else {
            return domain;
        };
        match self.mask_at(index) {
            Mask::V1 => {
                let mask = Handle::new(privacy.provider.v1_handle.as_str());
                domain.contacts = Role::ALL.map(|role| ContactRef::new(role, mask.clone())).to_vec();
                domain.registrant = Some(mask);
            }
            Mask::V2 if !self.is_bare_domain(index) => domain.registrant = Some(proxy_handle(domain.name.as_str())),
            Mask::V2 | Mask::None => {}
        }
        domain
    }

    /// Domain `index`, whose name is `name`, as its registrant ordered it, before any privacy service, and what is wrong with it.
    fn ordered(&self, index: u64, name: DomainName) -> (Domain, Option<Flaw>) {
        let mut draw = Draw::new(self.settings.seed, "domain", index);
        let mut domain = Domain::bare(name);
        domain.roid = Some(format!("D{index}-PVT").into());
        self.delegate(&mut domain, &mut draw);
        domain.statuses = self.statuses(domain.ns.is_empty(), &mut draw);
        if let Some(roles) = self.links.roles(index) {
            domain.registrant = Some(self.people.handle(roles.registrant));
            domain.contacts = self.contacts(&roles, index, &domain.name);
        }
        let sponsor: Box<str> = self.settings.sponsor.as_str().into();
        let age = draw.below(12 * 365) + 1;
        domain.created = self.calendar.before(age, &mut draw);
        domain.created_by = Some(sponsor.clone());
        if draw.chance(500) {
            let since = draw.below(age);
            domain.updated = self.calendar.before(since, &mut draw);
            domain.updated_by = Some(sponsor.clone());
        }
        if draw.chance(60) {
            let since = draw.below(age);
            domain.transferred = self.calendar.before(since, &mut draw);
        }
        let left = draw.below(720) + 1;
        // RRI tells no expiry: a domain stays until it is given up.
        domain.expires = self.calendar.after(left, &mut draw).filter(|_| self.profile.line.value != Line::Rri);
        domain.sponsor = Some(sponsor);
        domain.auth = Some(password(&mut draw));
        let mut draw = Draw::new(self.settings.seed, "flaw of a domain", index);
        let is_flawed = draw.chance(u64::from(self.settings.flaws_per_mille));
        let flaw = if is_flawed { plant_domain(&mut domain, &self.profile, self.usurper_of(index), &mut draw) } else { None };
        (domain, flaw)
    }

    /// The privacy provider's address for a domain of contact `index`, where the registry wants a registrant's own data.
    fn relay_of(&self, index: u64) -> Option<String> {
        let wants_own = self.profile.capabilities.privacy_protect.value == Capability::No && index < self.contact_count();
        let provider = &self.settings.privacy.as_ref().filter(|_| wants_own)?.provider;
        let domain = self.links.registered_by(index).next()?;
        Some(provider.relay(self.names.name(domain).as_str()))
    }

    /// Somebody else in a role that the registrant of domain `index` has to have itself, where there is such a role.
    fn usurper_of(&self, index: u64) -> Option<ContactRef> {
        let registrant = self.links.roles(index).filter(|_| index < self.settings.domains)?.registrant;
        let role = Role::ALL.into_iter().find(|role| self.is_tied(*role, registrant))?;
        let other = (registrant + 1) % self.contact_count();
        (other != registrant).then(|| ContactRef::new(role, self.people.handle(other)))
    }

    /// Whether contact `registrant` has to have `role` itself in its domains.
    fn is_tied(&self, role: Role, registrant: u64) -> bool {
        let rules = self.profile.roles.iter().find(|(known, _)| known.as_str() == role.as_str()).map(|(_, rules)| rules);
        rules.and_then(|rules| rules.registrant.as_ref()).is_some_and(|rule| {
            let person = self.people.good(registrant);
            rule.value.iter().all(|when| when.holds(person.properties.get(&when.field)))
        })
    }

    fn is_bare(&self, index: u64) -> bool {
        let share = self.settings.privacy.as_ref().map_or(0, |p| u64::from(p.bare_per_mille));
        Draw::new(self.settings.seed, "bare", index).chance(share)
    }

    /// The contacts of domain `index` besides its registrant.
    fn contacts(&self, roles: &Roles, index: u64, name: &DomainName) -> Vec<ContactRef> {
        let of = |role: Role, list: &[u64]| list.iter().map(|k| ContactRef::new(role, self.people.handle(*k))).collect::<Vec<_>>();
        // Where a mask is missing, the proxy contact itself is there: it serves as the administrative contact.
        let admin = if self.is_bare_domain(index) {
            vec![ContactRef::new(Role::Admin, proxy_handle(name.as_str()))]
        } else {
            of(Role::Admin, &roles.admin)
        };
        let all = [admin, of(Role::Billing, &roles.billing), of(Role::Tech, &roles.tech)].concat();
        Role::ALL.iter().flat_map(|role| self.allowed(*role, &all, roles.registrant)).collect()
    }

    /// Those of `all` in `role`, as many as the registry takes there; the registrant itself where the registry wants that.
    fn allowed(&self, role: Role, all: &[ContactRef], registrant: u64) -> Vec<ContactRef> {
        let mut there: Vec<ContactRef> = all.iter().filter(|c| c.role == Some(role)).cloned().collect();
        let Some((_, rules)) = self.profile.roles.iter().find(|(known, _)| known.as_str() == role.as_str()) else { return there };
        if self.is_tied(role, registrant) {
            there = vec![ContactRef::new(role, self.people.handle(registrant))];
        }
        if let Some(bounds) = rules.count.as_ref().map(|count| count.value) {
            there.truncate(bounds.max.map_or(usize::MAX, |max| max as usize));
            if there.len() < bounds.min as usize {
                there.push(ContactRef::new(role, self.people.handle(registrant)));
            }
        }
        there
    }

    /// Statuses of RFC 5731 §2.3.
    fn statuses(&self, undelegated: bool, draw: &mut Draw) -> Vec<Status> {
        let mut values: Vec<StatusValue> = Vec::with_capacity(3);
        for status in self.profile.settable(ObjectKind::Domain) {
            let status = StatusValue::read(status);
            let share = if status == StatusValue::CLIENT_TRANSFER_PROHIBITED { 600 } else { 30 };
            if draw.chance(share) {
                values.push(status);
            }
        }
        let is_told = self.profile.line.value != Line::Rri;
        if draw.chance(15) && is_told {
            values.push(StatusValue::SERVER_TRANSFER_PROHIBITED);
        }
        if undelegated {
            values.push(StatusValue::INACTIVE);
        } else if values.is_empty() {
            values.push(StatusValue::OK);
        }
        values.into_iter().map(Status::from).collect()
    }

    /// Name servers, in the way the registry has them, and subordinate hosts.
    fn delegate(&self, domain: &mut Domain, draw: &mut Draw) {
        // Addresses of ours are those of documents, which reach nobody in public.
        let may_glue = self.profile.name_servers.public_addresses.as_ref().is_none_or(|rule| !rule.value);
        let in_zone: Vec<HostName> = (1..=2).map(|n| HostName::new(format!("ns{n}.{}", domain.name.as_str()))).collect();
        let (names, own) = match draw.below(100) {
            0..4 => (Vec::new(), false),
            4..12 if may_glue => (in_zone, true),
            _ => (draw.pick(&PROVIDERS).copied().unwrap_or_default().iter().map(|host| HostName::from(*host)).collect(), false),
        };
        domain.ns = match self.profile.hosts.value {
            HostModel::Objects => {
                domain.hosts = if own { names.clone() } else { Vec::new() };
                NameServers::Objects(names)
            }
            HostModel::Attributes => {
                let attr = |name: HostName| HostAttr { addrs: if own { addresses(&name) } else { Vec::new() }, name };
                NameServers::Attributes(names.into_iter().map(attr).collect())
            }
        };
    }

    /// The domain whose proxy contact is `handle`.
    fn proxied(&self, handle: &str) -> Option<u64> {
        let hash = |text: &str| xxhash_rust::xxh3::xxh3_64(text.as_bytes());
        let proxies = self.proxies.get_or_init(|| {
            let having = (0..self.settings.domains).filter(|j| self.mask_at(*j) == Mask::V2 || self.is_orphaned(*j));
            let mut table: Vec<(u64, u64)> = having.map(|j| (hash(proxy_handle(self.names.name(j).as_str()).as_str()), j)).collect();
            table.sort_unstable();
            table
        });
        let wanted = hash(handle);
        let from = proxies.partition_point(|(h, _)| *h < wanted);
        let alike = proxies.iter().skip(from).take_while(|(h, _)| *h == wanted);
        alike.map(|(_, j)| *j).find(|j| proxy_handle(self.names.name(*j).as_str()).as_str() == handle)
    }

    /// A contact of the privacy service.
    fn service_contact(&self, handle: &str) -> Option<Contact> {
        if self.profile.privacy.value != Privacy::ProxyContact {
            return None;
        }
        let provider = &self.settings.privacy.as_ref()?.provider;
        let (mut contact, is_linked) = if handle == provider.v1_handle {
            (provider.mask(), true)
        } else if handle.starts_with("PP") {
            let domain = self.proxied(handle)?;
            (provider.proxy(self.names.name(domain).as_str()), !self.is_orphaned(domain))
        } else {
            return None;
        };
        let sponsor: Box<str> = self.settings.sponsor.as_str().into();
        let mut draw = Draw::new(self.settings.seed, handle, 0);
        contact.roid = Some(format!("P{}-PVT", draw.below(1 << 40)).into());
        contact.statuses = std::iter::once(StatusValue::OK).chain(is_linked.then_some(StatusValue::LINKED)).map(Status::from).collect();
        contact.created_by = Some(sponsor.clone());
        contact.sponsor = Some(sponsor);
        let age = draw.below(365) + 1;
        contact.created = self.calendar.before(age, &mut draw);
        contact.auth = Some(password(&mut draw));
        Some(contact)
    }
}

impl Fleet for SyntheticFleet {
    fn contact(&self, id: &str) -> Option<Contact> {
        let index = self.people.index(id);
        let ours = index.filter(|k| *k < self.contact_count()).map(|k| self.contact_at(k));
        ours.or_else(|| self.former(index?).map(|n| self.former_at(n))).or_else(|| self.service_contact(id))
    }

    fn links(&self, id: &str) -> i64 {
        let Some(index) = self.people.index(id).filter(|k| *k < self.contact_count()) else {
            if let Some(n) = self.people.index(id).and_then(|k| self.former(k)) {
                return i64::from(n > 0 && n + 1 == self.settings.former);
            }
            // The service's proxy contacts are named once each, if at all, and its mask by many; nobody names what is not there.
            let mask = self.settings.privacy.as_ref().map(|privacy| privacy.provider.v1_handle.as_str());
            return match self.service_contact(id) {
                Some(_) if mask == Some(id) => i64::MAX,
                Some(proxy) => i64::from(proxy.statuses.iter().any(|status| status.value == StatusValue::LINKED)),
                None => 0,
            };
        };
        let Some(domains) = self.links.named_by(index) else { return i64::MAX };
        let named = domains.into_iter().filter(|j| *j < self.settings.domains).map(|j| {
            let domain = self.domain_at(j);
            domain.registrant.iter().chain(domain.contacts.iter().map(|c| &c.handle)).filter(|handle| handle.as_str() == id).count()
        });
        i64::try_from(named.sum::<usize>()).unwrap_or(i64::MAX)
    }

    fn domain(&self, name: &str) -> Option<Domain> {
        self.names.index(name).filter(|j| *j < self.settings.domains).map(|j| self.held(j, DomainName::from(name)))
    }

    fn host(&self, name: &str) -> Option<Host> {
        if self.profile.hosts.value != HostModel::Objects {
            return None;
        }
        let wanted = HostName::from(name);
        let external = PROVIDERS.iter().any(|hosts| hosts.contains(&name));
        let parent = name.split_once('.').and_then(|(_, parent)| self.domain(parent)).filter(|d| d.hosts.contains(&wanted));
        if !external && parent.is_none() {
            return None;
        }
        let sponsor: Box<str> = self.settings.sponsor.as_str().into();
        Some(Host {
            roid: Some(format!("H{}-PVT", xxhash_rust::xxh3::xxh3_64(name.as_bytes()) >> 24).into()),
            statuses: [StatusValue::OK, StatusValue::LINKED].map(Status::from).to_vec(),
            // Only a host within the registry's zones has glue (RFC 5732 §1).
            addrs: parent.as_ref().map(|_| addresses(&wanted)).unwrap_or_default(),
            created_by: Some(sponsor.clone()),
            created: parent.and_then(|d| d.created).or_else(|| self.calendar.before(9_000, &mut Draw::new(self.settings.seed, name, 0))),
            sponsor: Some(sponsor),
            updated_by: None,
            updated: None,
            transferred: None,
            name: wanted,
        })
    }
}

/// Glue of `host`: documentation addresses (RFC 5737, RFC 3849).
fn addresses(host: &HostName) -> Vec<Ip> {
    let mut draw = Draw::new(0, host.as_str(), 0);
    let v4 = Ip { version: IpVersion::V4, text: format!("192.0.2.{}", draw.below(254) + 1).into() };
    let v6 = Ip { version: IpVersion::V6, text: format!("2001:db8::{:x}", draw.below(0xfffe) + 1).into() };
    if draw.chance(500) { vec![v4, v6] } else { vec![v4] }
}
