//! A registrar's records of one registry: its objects, some of them changed, some missing, some the registry never heard of.

use super::change::{self, ContactRules, DomainRules};
use super::consent::Consents;
use super::cosmetic::{self, Ways};
use super::ended::Ended;
use super::exposure::Exposures;
use super::former::{KEPT, Periods, formers};
use super::leaks::Leaks;
use super::record::Record;
use super::registries::{Registry, provider};
use super::services::Service;
use super::stray;
use super::tables::Tables;
use super::truth::{Changed, Kind, Truth};
use super::violations::Violations;
use super::{Books, SynthOptions};
use crate::base::{AtomicFile, Problem, Result};
use crate::dataset::{ContactField, DomainField, contact_row, disclose_text, domain_row};
use crate::mock::fleet::{Draw, Flaw, Fleet as _, FleetSettings, Mask, SyntheticFleet, proxy_handle};
use crate::model::ObjectKind;
use crate::policy::{Capability, Privacy};
use jiff::civil;
use std::io::Write as _;
use std::path::Path;

/// Records of a thousand thousand that the registry does not know, and objects of as many that the records lack.
const MISSING_PER_MILLION: u64 = 5_000;
/// Unchanged records of a thousand that write some fields in another way than the registry.
const COSMETIC_PER_MILLE: u64 = 250;

/// The records of one registry.
pub(super) struct Local<'a> {
    registry: &'a str,
    fleet: &'a SyntheticFleet,
    ended: Ended<'a>,
    ways: Ways,
    seed: u64,
    changed_per_million: u64,
    today: civil::Date,
    periods: Periods,
    /// How many customers of the past there are.
    past: usize,
    /// How many of them the registry holds still.
    held: u64,
}

impl<'a> Local<'a> {
    /// The records that go with `fleet`.
    pub(super) fn new(registry: &Registry, fleet: &'a SyntheticFleet, options: &SynthOptions, today: civil::Date) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share from 0 to 1")]
        let changed_per_million = (options.change_rate * 1e6).round() as u64;
        let seed = Draw::new(options.seed, registry.id, 1).bits();
        let past = if fleet.contact_count() == 0 { 0 } else { registry.formers };
        Self {
            registry: registry.id,
            fleet,
            ended: Ended::new(fleet, seed),
            ways: Ways::of(fleet.profile()),
            seed,
            changed_per_million,
            today,
            periods: registry.periods,
            past,
            held: registry.held as u64,
        }
    }

    /// Writes the records, and to `list` the names the registry holds; how many differences were planted.
    pub(super) fn write(
        &self,
        list: Option<&Path>,
        tables: &mut Tables,
        truth: &mut Truth,
        broken: &mut Violations,
        books: &mut Books,
    ) -> Result<u64> {
        self.contacts(tables, truth, broken, books)?;
        self.domains(list.is_some(), tables, truth, broken, books)?;
        self.formers(tables, truth, books)?;
        broken.end_of(self.registry)?;
        if let Some(path) = list {
            self.list(path)?;
        }
        truth.end_of(self.registry)
    }

    /// Tells what a report on exposure has to find.
    pub(super) fn expose(&self, exposures: &mut Exposures, consents: &Consents) -> Result<()> {
        exposures.registry(self.registry, self.fleet, &self.ended, consents)
    }

    fn contacts(
        &self,
        tables: &mut Tables,
        truth: &mut Truth,
        broken: &mut Violations,
        Books { consents, keeping, orders, .. }: &mut Books,
    ) -> Result<()> {
        const OBJECT: ObjectKind = ObjectKind::Contact;
        let count = self.fleet.contact_count();
        let mut beyond = count;
        for index in 0..count {
            let mut draw = Draw::new(self.seed, "contact", index);
            let (person, flaw) = self.fleet.flawed_person_at(index);
            let mut record = Record::contact(&person);
            if draw.below(1_000_000) < MISSING_PER_MILLION {
                let (stranger, flaw) = self.fleet.flawed_person_at(beyond);
                let handle = self.stranger(OBJECT, Record::contact(&stranger), flaw, tables, truth, broken)?;
                keeping.contact(&handle);
                beyond += 1;
            }
            let ended = self.ended.contact(index);
            let may_lack = || flaw.is_none() && ended.is_none() && self.fleet.has_good_domains(index) && self.is_met(index);
            if draw.below(1_000_000) < MISSING_PER_MILLION && may_lack() {
                truth.missing(OBJECT, record.id(), Kind::MissingHere);
                continue;
            }
            let withheld = self.fleet.is_withheld(index);
            let mut differences = Vec::new();
            if let Some(flaw) = &flaw {
                broken.planted(OBJECT, record.id(), flaw);
            } else if let Some(shown) = &ended {
                record.set(shown.field.at(), shown.local.clone());
                let (local, remote) = (shown.local.clone(), shown.remote.clone());
                differences.push(Changed { field: shown.field.name(), local, remote });
            } else if draw.below(1_000_000) < self.changed_per_million {
                let rules = ContactRules::of(self.fleet.profile(), !withheld);
                let other = Record::contact(&self.fleet.good_person_at(draw.below(count)));
                differences = change::contact(&mut record, &contact_row(&person), &other, rules, &mut draw);
            } else if draw.chance(COSMETIC_PER_MILLE) {
                let good = record.clone();
                cosmetic::rewrite(&mut record, OBJECT, &self.ways, &mut draw);
                broken.rewritten(OBJECT, &good, &record);
            }
            if self.fleet.is_bare_contact(index) {
                let remote = person.disclose.as_ref().map(disclose_text).unwrap_or_default();
                let local = disclose_text(&self.fleet.withholding(&person));
                if local != remote {
                    differences.push(Changed { field: ContactField::Disclose.name(), local, remote });
                }
            }
            truth.changed(OBJECT, record.id(), differences);
            tables.object(OBJECT, self.registry, &record)?;
            keeping.contact(record.id());
            consents.contact(&record);
            orders.contact(&record, &person, consents.person(record.id()));
            if ended.is_some() {
                consents.withheld(self.registry, record.id())?;
            }
        }
        // The provider's one mask contact is in the registrar's own books.
        match self.fleet.contact(&provider().v1_handle) {
            Some(mask) if count > 0 => {
                keeping.contact(mask.id.as_str());
                tables.object(OBJECT, self.registry, &Record::contact(&mask))
            }
            _ => Ok(()),
        }
    }

    fn domains(
        &self,
        listed: bool,
        tables: &mut Tables,
        truth: &mut Truth,
        broken: &mut Violations,
        Books { consents, leaks, keeping, orders }: &mut Books,
    ) -> Result<()> {
        const OBJECT: ObjectKind = ObjectKind::Domain;
        let (contacts, count) = (self.fleet.contact_count(), self.fleet.domain_count());
        let profile = self.fleet.profile();
        let statuses: Vec<&str> = profile.settable(OBJECT).collect();
        let servers = profile.name_servers.min.as_ref().map_or(0, |rule| rule.value);
        let mut beyond = count;
        for index in 0..count {
            let mut draw = Draw::new(self.seed, "domain", index);
            keeping.held(&domain_row(&self.fleet.domain_at(index)));
            let mask = self.fleet.mask_at(index);
            let (order, flaw) = self.fleet.flawed_order_at(index);
            let mut record = Record::domain(&order);
            if draw.below(1_000_000) < MISSING_PER_MILLION {
                let (stranger, flaw) = self.fleet.flawed_order_at(beyond);
                let stranger = Record::domain(&stranger);
                orders.domain(&stranger);
                self.stranger(OBJECT, stranger, flaw, tables, truth, broken)?;
                beyond += 1;
            }
            // EPP has no listing: what the records lack is only found where the registry's own list names it.
            let (ended, orphaned) = (self.ended.domain(index), self.fleet.is_orphaned(index));
            let may_lack = listed && mask == Mask::None && flaw.is_none() && !ended;
            if may_lack && draw.below(1_000_000) < MISSING_PER_MILLION && self.fleet.has_good_registrant(index) {
                truth.missing(OBJECT, record.id(), Kind::MissingHere);
                continue;
            }
            let mut differences = Vec::new();
            if let Some(flaw) = &flaw {
                broken.planted(OBJECT, record.id(), flaw);
            } else if ended {
                differences = self.still_masked(index, &record);
            } else if draw.below(1_000_000) < self.changed_per_million {
                let other = self.fleet.handle_at(draw.below(contacts));
                let roles = contacts > 0 && mask == Mask::None && profile.roles.is_empty() && self.fleet.has_good_registrant(index);
                let rules = DomainRules { roles, statuses: &statuses, other: other.as_str(), servers };
                differences = change::domain(&mut record, &domain_row(&order), &rules, &mut draw);
            } else if draw.chance(COSMETIC_PER_MILLE) {
                cosmetic::rewrite(&mut record, OBJECT, &self.ways, &mut draw);
            }
            if profile.privacy.value == Privacy::ProxyContact && self.fleet.is_bare_domain(index) {
                let local = proxy_handle(record.id()).as_str().to_owned();
                let remote = record.get(DomainField::Registrant.at()).to_owned();
                differences.push(Changed { field: DomainField::Registrant.name(), local, remote });
            }
            if ended {
                self.note_ended((index, &differences), &record, truth, leaks)?;
            }
            truth.changed(OBJECT, record.id(), differences);
            tables.object(OBJECT, self.registry, &record)?;
            keeping.record(&record);
            orders.domain(&record);
            if orphaned {
                let proxy = proxy_handle(record.id());
                keeping.contact(proxy.as_str());
                truth.missing(ObjectKind::Contact, proxy.as_str(), Kind::MissingHere);
                leaks.orphan(self.registry, record.id(), &proxy)?;
            }
            if !ended && mask == Mask::V2 && profile.privacy.value == Privacy::ProxyContact {
                leaks.of(self.registry, &order)?;
            }
            if !ended && mask != Mask::None {
                consents.protected(self.registry, record.id(), record.get(DomainField::Registrant.at()))?;
            }
            if let Some(service) = Service::of(record.id(), mask, ended || orphaned, self.today, &mut draw) {
                tables.service(&service.cells())?;
            }
        }
        Ok(())
    }

    /// What the registry has in the roles of domain `index` that a mask hides, though the record says who is in them.
    fn still_masked(&self, index: u64, record: &Record) -> Vec<Changed> {
        use DomainField::{Admin, Billing, Registrant, Tech};
        let held = domain_row(&self.fleet.domain_at(index));
        let of = |field: DomainField| {
            let (local, remote) = (record.get(field.at()).to_owned(), held.get(field.at()).unwrap_or_default().to_owned());
            (local != remote).then(|| Changed { field: field.name(), local, remote })
        };
        [Registrant, Admin, Tech, Billing].into_iter().filter_map(of).collect()
    }

    /// Notes what hides the registrant of domain `index`, whose service is over: contacts of the provider's, or the registrant's own.
    fn note_ended(&self, (index, masked): (u64, &[Changed]), record: &Record, truth: &mut Truth, leaks: &mut Leaks) -> Result<()> {
        if masked.is_empty() {
            return leaks.ended(self.registry, record.id(), "registrant", record.get(DomainField::Registrant.at()));
        }
        for role in masked {
            leaks.ended(self.registry, record.id(), role.field, &role.remote)?;
        }
        if self.fleet.mask_at(index) == Mask::V2 {
            truth.missing(ObjectKind::Contact, proxy_handle(record.id()).as_str(), Kind::MissingHere);
        }
        Ok(())
    }

    /// Adds a record that the registry never heard of, and gives its id. Where it breaks no rule, it may break one that nothing at a registry could.
    fn stranger(
        &self,
        object: ObjectKind,
        mut record: Record,
        flaw: Option<Flaw>,
        tables: &mut Tables,
        truth: &mut Truth,
        broken: &mut Violations,
    ) -> Result<String> {
        let mut draw = Draw::new(self.seed, record.id(), 0);
        let flaw = flaw.or_else(|| stray::plant(object, &mut record, self.fleet.profile(), &mut draw));
        tables.object(object, self.registry, &record)?;
        truth.missing(object, record.id(), Kind::MissingThere);
        if let Some(flaw) = flaw {
            broken.planted(object, record.id(), &flaw);
        }
        Ok(record.id().to_owned())
    }

    /// Adds customers of the past: their domain stands in the records alone, and a service says how it ended. Some of their contacts the
    /// registry holds still.
    fn formers(&self, tables: &mut Tables, truth: &mut Truth, Books { keeping, orders, .. }: &mut Books) -> Result<()> {
        const PAST: u64 = FleetSettings::PAST;
        use DomainField::{Admin, Billing, Registrant, Tech};
        let is_deletable = self.fleet.profile().capabilities.contact_delete.value == Capability::Yes;
        for (n, former) in (0..).zip(formers(self.today, self.past)) {
            let contact = self.fleet.former_at(n);
            let person = Record::contact(&contact);
            let names = (0..PAST).map(|at| self.fleet.flawed_order_at(self.fleet.domain_count() + PAST * (n + 1) + at));
            let Some((order, _)) = names.into_iter().find(|(_, flaw)| flaw.is_none()) else { continue };
            let mut domain = Record::domain(&order);
            for role in [Registrant, Admin, Tech, Billing].map(DomainField::at) {
                if !domain.get(role).is_empty() {
                    domain.set(role, person.id().to_owned());
                }
            }
            for (object, record) in [(ObjectKind::Contact, &person), (ObjectKind::Domain, &domain)] {
                tables.object(object, self.registry, record)?;
                if object == ObjectKind::Domain || n >= self.held {
                    truth.missing(object, record.id(), Kind::MissingThere);
                }
            }
            orders.domain(&domain);
            if n < self.held {
                orders.contact(&person, &contact, None);
            }
            if let Some(service) = former.service(domain.id()) {
                tables.service(&service.each_ref().map(String::as_str))?;
            }
            // The last of them another registrar's domain names.
            let is_named = n > 0 && n + 1 == self.held;
            let fate = (is_deletable && n < self.held).then_some(if is_named { "residual" } else { "erased" });
            keeping.former(self.registry, person.id(), (&former, n), self.periods, fate)?;
        }
        Ok(())
    }

    /// The handle of the customer of the past whose data a hold keeps, where that is one of this registry's.
    pub(super) fn kept(&self) -> Option<String> {
        let (registry, nth) = KEPT;
        let is_here = registry == self.registry && nth < self.past as u64;
        is_here.then(|| self.fleet.former_at(nth).id.as_str().to_owned())
    }

    /// The handles of those customers of the past whom the registry does not hold any more: nothing is planned for them.
    pub(super) fn formers_of(&self) -> impl Iterator<Item = String> {
        (self.held..self.past as u64).map(|n| self.fleet.former_at(n).id.as_str().to_owned())
    }

    /// Whether a walk over the domains meets contact `index` at the registry.
    fn is_met(&self, index: u64) -> bool {
        let domain = self.fleet.domain_at(self.fleet.owner_of(index));
        let handle = self.fleet.handle_at(index);
        domain.registrant.as_ref() == Some(&handle) || domain.contacts.iter().any(|c| c.handle == handle)
    }

    /// Writes the registry's own list of names, one a line.
    fn list(&self, path: &Path) -> Result<()> {
        let mut file = AtomicFile::create(path)?;
        for index in 0..self.fleet.domain_count() {
            let line = format!("{}\n", self.fleet.name_at(index).as_str());
            file.write_all(line.as_bytes()).map_err(|e| Problem::storage("E-file-002", path, "write", &e))?;
        }
        file.commit()
    }
}
