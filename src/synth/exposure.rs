//! What a report on exposure has to find, worked out from what was planted and not from any judgement of exposure; and RDAP answers, some
//! of which show what is to be kept back or redact what is to be public.

use super::consent::Consents;
use super::ended::Ended;
use super::registries::provider;
use super::tables::CsvFile;
use crate::base::{AtomicFile, Problem, Result, Timestamp};
use crate::compliance::Rule;
use crate::mock::fleet::{Draw, Fleet as _, Mask, SyntheticFleet, proxy_handle};
use crate::model::{Contact, Domain, Role};
use crate::policy::Privacy;
use answers::{Planted, answer};
use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

mod answers;

/// The RDAP answers, relative to the configuration.
pub(super) const ANSWERS: &str = "records/rdap.ndjson";
/// The most answers of one registry.
const MOST_ANSWERS: u64 = 300;
/// Of a thousand domains, those about which there is an answer.
const ANSWERED_PER_MILLE: u64 = 250;

/// The registrant's bit among the roles of a contact.
const REGISTRANT: u8 = 1;
/// Bits of the roles that generic TLDs do not need any more.
const LEGACY: u8 = 2 | 8;

/// A row of the truth: object, id, field and rule.
type Row = (&'static str, String, String, &'static str);

/// The truth about exposure, registry by registry.
pub(super) struct Exposures {
    file: CsvFile,
    answers: (PathBuf, AtomicFile),
    seed: u64,
    today: Timestamp,
    rows: BTreeSet<Row>,
    /// Contacts that lag behind what their persons said, where these said so: registry, handle, person, and whether they are shown. What
    /// was said is known at the end.
    lagging: Vec<(String, String, u64, bool)>,
    written: (u64, u64),
}

impl Exposures {
    /// Opens the files below `out`.
    pub(super) fn create(out: &Path, seed: u64, today: Timestamp) -> Result<Self> {
        let mut file = CsvFile::create(&out.join("truth/exposure.csv"))?;
        file.push(["registry", "object", "id", "field", "rule"])?;
        let path = out.join(ANSWERS);
        let answers = (path.clone(), AtomicFile::create(&path)?);
        Ok(Self { file, answers, seed, today, rows: BTreeSet::new(), lagging: Vec::new(), written: (0, 0) })
    }

    /// Looks at what a registry holds.
    pub(super) fn registry(&mut self, id: &str, fleet: &SyntheticFleet, ended: &Ended<'_>, consents: &Consents) -> Result<()> {
        let mut held = Held { fleet, ended, roles: HashMap::new(), provider: BTreeSet::new() };
        for index in 0..fleet.domain_count() {
            let domain = fleet.domain_at(index);
            held.take(&domain);
            self.rows.extend(held.unprotected(index, &domain));
            self.answer(id, index, &domain, &held)?;
        }
        for index in 0..fleet.contact_count() {
            let contact = fleet.contact_at(index);
            self.rows.extend(held.flaws(index, &contact));
            self.rows.extend(held.needless(&contact));
            self.rows.extend(numbered(&contact));
            let lag = held.lag(&contact).zip(consents.person(contact.id.as_str()));
            self.lagging.extend(lag.map(|(is_shown, person)| (id.to_owned(), contact.id.as_str().to_owned(), person, is_shown)));
        }
        for handle in std::mem::take(&mut held.provider) {
            self.rows.extend(fleet.contact(&handle).iter().flat_map(|contact| held.needless(contact)));
        }
        for (object, id_of, field, rule) in std::mem::take(&mut self.rows) {
            self.push(id, object, &id_of, &field, rule)?;
        }
        Ok(())
    }

    /// Writes an answer about a domain, now and then.
    fn answer(&mut self, registry: &str, index: u64, domain: &Domain, held: &Held<'_>) -> Result<()> {
        let mut draw = Draw::new(self.seed, &format!("rdap {registry}"), index);
        if index >= 4 * MOST_ANSWERS || !draw.chance(ANSWERED_PER_MILLE) {
            return Ok(());
        }
        let Some((json, planted)) = answer(held.fleet, index, domain, self.today, &mut draw) else { return Ok(()) };
        for Planted { field, shows } in planted {
            let rule = if shows { "R-exposure-013" } else { "R-exposure-014" };
            self.rows.insert(("domain", domain.name.as_str().to_owned(), field.to_owned(), rule));
        }
        let (path, file) = &mut self.answers;
        writeln!(file, "{json}").map_err(|e| Problem::storage("E-file-002", path, "write", &e))?;
        self.written.1 += 1;
        Ok(())
    }

    fn push(&mut self, registry: &str, object: &str, id: &str, field: &str, rule: &str) -> Result<()> {
        self.written.0 += 1;
        self.file.push([registry, object, id, field, rule])
    }

    /// Puts the files in place, once all that was said is known; how many rows and answers there are.
    pub(super) fn finish(mut self, consents: &Consents) -> Result<(u64, u64)> {
        for (registry, handle, person, is_shown) in std::mem::take(&mut self.lagging) {
            let rule = match (consents.publication(person), is_shown) {
                (Some(None), false) => "R-exposure-005",
                (Some(Some(Rule::Withdrawn)), true) => "R-exposure-006",
                _ => continue,
            };
            self.push(&registry, "contact", &handle, "publication", rule)?;
        }
        self.file.finish()?;
        self.answers.1.commit()?;
        Ok(self.written)
    }
}

/// What a registry holds.
struct Held<'a> {
    fleet: &'a SyntheticFleet,
    ended: &'a Ended<'a>,
    /// The roles of each contact, by the hash of its handle.
    roles: HashMap<u64, u8>,
    /// Contacts of the provider's that have roles.
    provider: BTreeSet<String>,
}

impl Held<'_> {
    fn take(&mut self, domain: &Domain) {
        let mut note = |handle: &str, bit: u8| {
            *self.roles.entry(xxh3_64(handle.as_bytes())).or_default() |= bit;
            if handle == proxy_handle(domain.name.as_str()).as_str() || handle == provider().v1_handle {
                self.provider.insert(handle.to_owned());
            }
        };
        domain.registrant.iter().for_each(|handle| note(handle.as_str(), REGISTRANT));
        for contact in &domain.contacts {
            let bit = match contact.role {
                Some(Role::Admin) => 2,
                Some(Role::Tech) => 4,
                Some(Role::Billing) => 8,
                None => 0,
            };
            note(contact.handle.as_str(), bit);
        }
    }

    fn roles_of(&self, contact: &Contact) -> u8 {
        self.roles.get(&xxh3_64(contact.id.as_str().as_bytes())).copied().unwrap_or_default()
    }

    /// What shows the registrant of a domain whose service is active.
    fn unprotected(&self, index: u64, domain: &Domain) -> Vec<Row> {
        let mask = self.fleet.mask_at(index);
        let mut out = Vec::new();
        if mask == Mask::None || self.ended.domain(index) {
            return out;
        }
        let mut row = |field: &str, rule| out.push(("domain", domain.name.as_str().to_owned(), field.to_owned(), rule));
        match self.fleet.profile().privacy.value {
            Privacy::ProxyContact => {
                let registrant = self.fleet.order_at(index).registrant;
                for role in Role::ALL {
                    let shows = domain.contacts.iter().any(|c| c.role == Some(role) && Some(&c.handle) == registrant.as_ref());
                    if mask == Mask::V2 && shows {
                        row(role.as_str(), "R-exposure-001");
                    }
                }
                if self.fleet.is_bare_domain(index) {
                    row("registrant", "R-exposure-002");
                }
            }
            Privacy::Disclose => {
                let person = self.fleet.registrant_of(index).map(|index| self.fleet.contact_at(index));
                if person.is_some_and(|person| person.disclose != Some(self.fleet.withholding(&person))) {
                    row("registrant", "R-exposure-002");
                }
            }
            _ => {}
        }
        out
    }

    /// What is wrong with a registrant's own data.
    fn flaws(&self, index: u64, contact: &Contact) -> Option<Row> {
        let (_, flaw) = self.fleet.flawed_person_at(index);
        let (field, rule) = match flaw.filter(|_| self.roles_of(contact) & REGISTRANT != 0)?.rule {
            "R-prop-011" => ("email", "R-exposure-003"),
            "R-prop-010" => ("organisation", "R-exposure-004"),
            _ => return None,
        };
        Some(("contact", contact.id.as_str().to_owned(), field.to_owned(), rule))
    }

    /// The elements of a contact that nothing needs, where it is known what is needed. A facsimile number is needed nowhere, and nothing
    /// of a contact that has but roles which generic TLDs do not need any more.
    fn needless(&self, contact: &Contact) -> Vec<Row> {
        let roles = self.roles_of(contact);
        let profile = self.fleet.profile();
        // An Italian or a New Zealand domain has administrators, and no contacts for bills.
        let legacy = if profile.privacy.value == Privacy::ProxyContact { LEGACY } else { 8 };
        let is_told = matches!(profile.id.as_str(), "gtld-thick" | "nicit" | "nz");
        if roles == 0 || !is_told {
            return Vec::new();
        }
        let row = |field: String| ("contact", "*".to_owned(), field, "R-exposure-007");
        if roles & !legacy != 0 {
            return contact.fax.iter().map(|_| row("needed.fax".to_owned())).collect();
        }
        let has = |of: &dyn Fn(&crate::model::PostalInfo) -> bool| contact.postal.iter().any(of);
        let in_address = |of: &dyn Fn(&crate::model::Address) -> bool| has(&|info| info.addr.as_ref().is_some_and(of));
        let all = [
            ("name", has(&|info| info.name.is_some())),
            ("organisation", has(&|info| info.org.is_some())),
            ("street", in_address(&|addr| !addr.street.is_empty())),
            ("city", in_address(&|addr| !addr.city.is_empty())),
            ("state", in_address(&|addr| addr.sp.is_some())),
            ("postal-code", in_address(&|addr| addr.pc.is_some())),
            ("country", in_address(&|addr| !addr.cc.is_empty())),
            ("voice", contact.voice.is_some()),
            ("fax", contact.fax.is_some()),
            ("email", contact.email.is_some()),
        ];
        all.into_iter().filter(|(_, is_there)| *is_there).map(|(element, _)| row(format!("needless.{element}"))).collect()
    }

    /// Whether a registrant would lag behind its person's word: `true` where it is shown by its own word, `false` where all of it is
    /// withheld by it; nothing where it can do neither.
    fn lag(&self, contact: &Contact) -> Option<bool> {
        if self.roles_of(contact) & REGISTRANT == 0 {
            return None;
        }
        match self.fleet.profile().privacy.value {
            Privacy::Consent => {
                let is_published = matches!(contact.properties.get("entityType"), Some("2" | "3" | "4" | "5" | "6" | "7"));
                contact.properties.get("consentForPublishing").filter(|_| !is_published).map(|consent| consent == "true")
            }
            Privacy::Disclose | Privacy::ProxyContact => {
                // Of nobody is nothing at all shown by a statement: some of it is public by every such registry's rule.
                let all = self.fleet.withholding(contact);
                let said = contact.disclose.filter(|said| said.flag)?;
                let forms = [(said.name, all.name), (said.org, all.org), (said.addr, all.addr)];
                let is_named = forms.iter().any(|(said, has)| said.int && has.int || said.loc && has.loc);
                let beside = [(said.voice, all.voice), (said.fax, all.fax), (said.email, all.email)];
                (is_named || beside.iter().any(|(said, has)| *said && *has)).then_some(true)
            }
            _ => None,
        }
    }
}

/// That there are persons' national numbers.
fn numbered(contact: &Contact) -> Option<Row> {
    let is_person = contact.properties.get("entityType") == Some("1");
    let number = contact.properties.get("regCode").filter(|number| is_person && !number.trim().is_empty());
    number.map(|_| ("contact", "*".to_owned(), "properties.regCode".to_owned(), "R-exposure-010"))
}
