//! What a seed begins with: three registries, the people whose data they hold, what these said, and a plan.

use super::disk::Disk;
use crate::base::{Digest, DomainName, Entropy, Handle, Personal, Result, SeededEntropy, Timestamp};
use crate::compliance::{self, Fingerprint, Happening, Import, Ledger, Purpose, Subject, Token, Who};
use crate::dataset::{Row, contact_row, domain_row};
use crate::diff::{PrivacySettings, proxy_contact, withheld};
use crate::mock::Objects;
use crate::mock::fleet::Draw;
use crate::model::{Address, Contact, Domain, ObjectKind, Phone, PostalForm, PostalInfo, StatusValue};
use crate::plan::{Basis, BasisKind, Draft, DraftStep, Fact, Header, PlanWriter, Reason, Recipe, RegistryFacts, Undo, vault_name};
use crate::policy::{Profile, Rate, profile};
use crate::store::{Batch, Store as _, Vault, sealed_cell};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The registries: id, profile, and what its domains end in. One hides people behind proxy contacts, one by what their own contacts
/// say, and one holds no contacts at all.
const SITES: [(&str, &str, &str); 3] = [("thick", "gtld-thick", "example"), ("nz", "nz", "co.nz"), ("minimum", "gtld-minimum", "test")];
/// What begins every personal datum here, so that one which strays is found.
pub(super) const MARKER: &str = "Qxzmark";
/// The status of a transfer lock.
const LOCK: &str = "clientTransferProhibited";
/// When virtual time begins, in seconds since 1970.
const ORIGIN: i64 = 1_790_000_000;

/// The moment at which virtual time begins.
pub(super) fn origin() -> Timestamp {
    Timestamp::from_second(ORIGIN).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A registry before anything happens.
#[derive(Clone)]
pub(super) struct Place {
    /// Its id.
    pub(super) id: &'static str,
    /// Its rules.
    pub(super) profile: Arc<Profile>,
    /// What it holds.
    pub(super) objects: Objects,
}

/// What a seed begins with.
pub(super) struct Scene {
    pub(super) places: Vec<Place>,
    pub(super) disk: Disk,
    /// Who consented, and for what.
    pub(super) said: Vec<(Subject, Purpose)>,
}

/// What an operation does.
#[derive(Clone, Copy)]
enum Does {
    /// Locks a domain.
    Lock,
    /// Puts a proxy contact in the registrant's place and locks, as one unit.
    Protect,
    /// The same in two operations, the second of which waits for the first.
    Split,
    /// Withholds a contact's data.
    Withhold,
    /// Corrects a contact's data.
    Correct,
}

/// Builds the scene of `seed` with `operations` operations on an empty `disk`, and its plan at `plan`.
///
/// # Errors
/// Where the plan cannot be written, or the scene is not one that can be planned.
pub(super) fn build(seed: u64, operations: u64, plan: &Path, disk: Disk) -> Result<Scene> {
    let mut draw = Draw::new(seed, "scene", 0);
    let mut builder = Builder { disk, entropy: SeededEntropy::new(seed), places: places()?, import: Import::default() };
    let mut drafts = Vec::new();
    while (drafts.len() as u64) < operations {
        let site = usize::try_from(draw.below(SITES.len() as u64)).unwrap_or_default();
        let does: &[Does] = match site {
            0 => &[Does::Lock, Does::Protect, Does::Protect, Does::Split, Does::Withhold, Does::Correct],
            1 => &[Does::Withhold, Does::Correct, Does::Correct, Does::Lock],
            _ => &[Does::Lock],
        };
        if let Some(does) = draw.pick(does) {
            let number = drafts.len();
            drafts.extend(builder.drafts(site, number, *does));
        }
    }
    builder.finish(drafts, draw.below(4) + 1, plan)
}

fn places() -> Result<Vec<Place>> {
    let place = |(id, name, _): (&'static str, &str, &str)| {
        let mut profile = Profile::clone(&*profile(name)?);
        profile.limits.sessions.value = 6;
        // A rate which a dozen operations feel.
        if let Some(rate) = &mut profile.limits.rate {
            rate.value = Rate { commands: 16, seconds: 10 };
        }
        Ok(Place { id, profile: Arc::new(profile), objects: Objects::default() })
    };
    SITES.into_iter().map(place).collect()
}

/// An operation in clear, with what consent it needs and whether it waits for the one before it.
struct Planned {
    draft: Draft,
    person: Option<Fingerprint>,
    waits: bool,
}

struct Builder {
    disk: Disk,
    entropy: SeededEntropy,
    places: Vec<Place>,
    import: Import,
}

impl Builder {
    /// The operations, one or two, on new objects with that number.
    fn drafts(&mut self, site: usize, number: usize, does: Does) -> Vec<Planned> {
        let (registry, _, suffix) = SITES.get(site).copied().unwrap_or_default();
        let Some(place) = self.places.get_mut(site) else { return Vec::new() };
        let person = person(number, site == 0);
        let row = contact_row(&person);
        let mut domain = Domain::bare(DomainName::new(format!("d{number}.{suffix}")));
        domain.roid = Some(format!("D{number}-PV").into());
        domain.statuses = vec![StatusValue::INACTIVE.into()];
        domain.sponsor = Some(super::ACCOUNT.into());
        if place.profile.has_contacts() {
            domain.registrant = Some(person.id.clone());
            place.objects.contacts.insert(person.id.as_str().into(), person.clone());
        }
        place.objects.domains.insert(domain.name.as_str().into(), domain.clone());
        let domain_row = domain_row(&domain);
        let (contact, name) = (person.id.as_str(), domain.name.as_str());
        let draft = |object: (ObjectKind, &str), steps, kind, purposes: &[Purpose], rule: &str| Draft {
            registry: registry.to_owned(),
            object: (object.0, object.1.to_owned()),
            steps,
            basis: Basis { kind, evidence: Vec::new(), subject: None, purposes: purposes.to_vec() },
            undo: Undo::Inverse,
            touches: Vec::new(),
            reasons: vec![Reason { rule: rule.to_owned(), text: "simulated".to_owned() }],
        };
        let lock = |step: DraftStep| step.setting(Fact::status(LOCK), &domain_row, Some(Fact::SET.to_owned()));
        let proxy = proxy_contact(&domain.name, &provider());
        let behind = || {
            let step = DraftStep::update(ObjectKind::Domain, name);
            lock(step.setting(Fact::column("registrant"), &domain_row, Some(proxy.id().to_owned())))
        };
        let both = [Purpose::PrivacyProxy, Purpose::TransferLock];
        let create = || DraftStep::create(ObjectKind::Contact, &proxy, true);
        let drafts = match does {
            Does::Lock => {
                let step = lock(DraftStep::update(ObjectKind::Domain, name));
                vec![draft((ObjectKind::Domain, name), vec![step], BasisKind::Terms, &both[1..], "RTR-7")]
            }
            Does::Protect => vec![draft((ObjectKind::Domain, name), vec![create(), behind()], BasisKind::Terms, &both, "RTR-5")],
            Does::Split => vec![
                draft((ObjectKind::Contact, proxy.id()), vec![create()], BasisKind::OwnData, &[], "RTR-2"),
                draft((ObjectKind::Domain, name), vec![behind()], BasisKind::Terms, &both, "RTR-5"),
            ],
            Does::Withhold => {
                let fact = Fact::column("disclose");
                let hides = fact.of(ObjectKind::Contact, &withheld(&row, &place.profile));
                let step = DraftStep::update(ObjectKind::Contact, contact).setting(fact, &row, hides);
                vec![draft((ObjectKind::Contact, contact), vec![step], BasisKind::Withholding, &[], "DNZ-1")]
            }
            Does::Correct => {
                let step = DraftStep::update(ObjectKind::Contact, contact)
                    .setting(Fact::column("loc_city"), &row, Some(format!("{MARKER}{number} Düsseldorf")))
                    .setting(Fact::column("email"), &row, Some(format!("{MARKER}{number}@new.example")));
                vec![draft((ObjectKind::Contact, contact), vec![step], BasisKind::Accuracy, &[], "R-1")]
            }
        };
        let fingerprint = Fingerprint::of_row(&row);
        let planned = |(at, draft): (usize, Draft)| Planned { person: fingerprint.clone(), waits: at > 0, draft };
        drafts.into_iter().enumerate().map(planned).collect()
    }

    /// Takes down what everybody said, then seals and writes the plan.
    fn finish(mut self, drafts: Vec<Planned>, canary: u64, plan: &Path) -> Result<Scene> {
        for Planned { draft, person, .. } in &drafts {
            let accepted = draft.basis.purposes.iter().zip(person.iter().cycle()).map(|(purpose, person)| accepted(*purpose, person));
            self.import.drafts.extend(accepted.map(|event| (event, usize::MAX, 0)));
        }
        let mut ledger = Ledger::open(&mut self.disk)?;
        ledger.take(&mut self.import, false, origin(), &mut self.entropy)?;
        let mut said = Vec::new();
        let mut subjects = Vec::new();
        for Planned { draft, person, .. } in &drafts {
            let subject = person.as_ref().map(|person| ledger.subject_of(person)).transpose()?.flatten();
            said.extend(draft.basis.purposes.iter().filter_map(|purpose| Some((subject?, *purpose))));
            subjects.push(subject.filter(|_| !draft.basis.purposes.is_empty()));
        }
        let mut writer = PlanWriter::create(plan, canary)?;
        let mut last = 0;
        for (Planned { mut draft, waits, .. }, subject) in drafts.into_iter().zip(subjects) {
            draft.basis.subject = subject.map(|subject| subject.to_string());
            let registry = draft.registry.clone();
            let (disk, entropy) = (&mut self.disk, &mut self.entropy);
            let mut key = |kind: ObjectKind, id: &str| Vault::new(disk).enrol_one(&vault_name(&registry, kind, id), entropy);
            let (mut operation, sealed) = draft.seal(Timestamp::MAX, &mut key)?;
            self.disk.commit(&Batch { appends: Vec::new(), cells: sealed.iter().map(sealed_cell).collect() })?;
            if waits {
                operation.after.push(last);
            }
            last = writer.push(operation)?;
        }
        writer.finish(header(&self.places))?;
        Ok(Scene { places: self.places, disk: self.disk, said })
    }
}

fn header(places: &[Place]) -> Header {
    let facts = |place: &Place| RegistryFacts {
        profile: place.profile.id.clone(),
        profile_digest: Digest::of(place.profile.id.as_bytes()).to_string(),
        snapshot: "simulated".to_owned(),
        taken: origin(),
        objects: BTreeMap::new(),
    };
    Header {
        privet_plan: Header::VERSION,
        id: String::new(),
        tool: "sim".to_owned(),
        recipe: Recipe::Privacy,
        undoes: None,
        relock: None,
        author: None,
        made: origin(),
        expires: Timestamp::MAX,
        config: Digest::of(b"sim").to_string(),
        selection: Vec::new(),
        registries: places.iter().map(|place| (place.id.to_owned(), facts(place))).collect(),
        gates: Vec::new(),
        approvals: 0,
        waves: Vec::new(),
        counts: Vec::new(),
        left_out: BTreeMap::new(),
    }
}

/// Somebody of whom everything but the handle begins with [`MARKER`].
fn person(number: usize, is_international: bool) -> Contact {
    let of = |what: &str| Personal::new(format!("{MARKER}{number} {what}"));
    let postal = |form, name: &str, city: &str| PostalInfo {
        form,
        name: Some(of(name)),
        org: None,
        addr: Some(Address { street: vec![of("Lane")], city: of(city), sp: None, pc: Some("10115".into()), cc: "DE".into() }),
    };
    let mut contact = Contact::bare(Handle::new(format!("C-{number}")));
    contact.roid = Some(format!("C{number}-PV").into());
    contact.statuses = vec![StatusValue::OK.into(), StatusValue::LINKED.into()];
    contact.postal = if is_international { vec![postal(PostalForm::Int, "Koenig", "Zurich")] } else { Vec::new() };
    contact.postal.push(postal(PostalForm::Loc, "König", "Zürich"));
    contact.voice = Some(Phone { number: "+49.30123456".into(), ext: None });
    contact.email = Some(Personal::new(format!("{MARKER}{number}@example.org")));
    contact.sponsor = Some(super::ACCOUNT.into());
    contact
}

/// The privacy provider.
fn provider() -> PrivacySettings {
    PrivacySettings {
        v1_handle: None,
        brand_handle: None,
        name: "Domain Guard".to_owned(),
        org: "Guard Ltd".to_owned(),
        street: vec!["1 Relay Road".to_owned()],
        city: "Dublin".to_owned(),
        sp: None,
        pc: Some("D02 XY45".to_owned()),
        cc: "IE".to_owned(),
        voice: "+353.15550100".to_owned(),
        email_domain: DomainName::new("relay.example"),
    }
}

/// That `person` accepted terms for `purpose`, a day before.
fn accepted(purpose: Purpose, person: &Fingerprint) -> compliance::Draft {
    let before = origin().checked_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(origin());
    event(Who::Person(person.clone()), purpose, Happening::TermsAccepted, before)
}

/// Something that is said at `at`.
fn event(who: Who, purpose: Purpose, event: Happening, at: Timestamp) -> compliance::Draft {
    compliance::Draft {
        who,
        id: None,
        purpose: Some(purpose),
        elements: Vec::new(),
        provider: None,
        group: None,
        event,
        at,
        expires: None,
        terms: (event == Happening::TermsAccepted).then(|| Token::read("tos-1")).flatten(),
        notice: None,
        method: None,
        by: None,
        message: None,
    }
}

/// Takes down that a subject takes back at `at` what it said.
///
/// # Errors
/// As [`Ledger::take`].
pub(super) fn withdraw(disk: &mut Disk, (subject, purpose): (Subject, Purpose), at: Timestamp, entropy: &mut dyn Entropy) -> Result<()> {
    let withdrawn = event(Who::Subject(subject), purpose, Happening::Withdrawn, at);
    Ledger::open(disk)?.take(&mut Import::of(withdrawn), false, at, entropy).map(drop)
}

/// The row of an object, as rows are made of what a registry answers.
pub(super) fn row_of(held: &crate::mock::Held) -> Row {
    match held {
        crate::mock::Held::Contact(contact) => contact_row(contact),
        crate::mock::Held::Domain(domain) => domain_row(domain),
    }
}
