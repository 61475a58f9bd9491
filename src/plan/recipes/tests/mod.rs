//! Each recipe over rows of one registry, by the bundled profiles.

use super::*;
use crate::base::DomainName;
use crate::base::Handle;
use crate::dataset::ContactField as C;
use crate::dataset::DomainField as D;
use crate::diff::{proxy_contact, proxy_handle, withheld};
use crate::model::Finding;
use crate::plan::basis::{Bar, Decision, NoRecords, Purpose};
use crate::plan::{Basis, BasisKind, Draft, Turn};
use crate::policy::profile;
use std::sync::Arc;

mod after;
mod corrections;
mod erasure;

const LOCK: &str = "clientTransferProhibited";
const NAME: &str = "a.example";

/// Whatever was asked for was agreed to, in that way.
struct Agreed(BasisKind);

impl Bases for Agreed {
    fn decide(&mut self, _: &str, contact: &Row, purpose: Purpose) -> Result<Decision> {
        let evidence = vec![format!("{purpose:?} {}", contact.id())];
        Ok(Decision::Allowed(Basis { kind: self.0, evidence, subject: Some("s".to_owned()), purposes: vec![purpose] }))
    }
}

/// The lock alone was not agreed to.
struct NoLock;

impl Bases for NoLock {
    fn decide(&mut self, registry: &str, contact: &Row, purpose: Purpose) -> Result<Decision> {
        if purpose == Purpose::TransferLock {
            Ok(NoRecords::blocked())
        } else {
            Agreed(BasisKind::Terms).decide(registry, contact, purpose)
        }
    }
}

/// Everything was agreed to, and nothing may be changed about the person of that e-mail address.
struct Barring(&'static str);

impl Bases for Barring {
    fn decide(&mut self, registry: &str, contact: &Row, purpose: Purpose) -> Result<Decision> {
        Agreed(BasisKind::ExplicitConsent).decide(registry, contact, purpose)
    }

    fn bars(&mut self, contact: &Row) -> Result<Option<Bar>> {
        let is_it = contact.get(C::Email.at()) == Some(self.0);
        Ok(is_it.then(|| Bar { rule: "R-request-001".to_owned(), why: "asked to restrict".to_owned() }))
    }
}

fn row<F: Copy + PartialEq>(id: &str, all: &[F], fields: &[(F, &str)]) -> Row {
    Row::new(id, all.iter().map(|f| fields.iter().find(|(field, _)| field == f).map(|(_, value)| *value)))
}

fn domain(id: &str, fields: &[(D, &str)]) -> Row {
    row(id, D::ALL, fields)
}

fn contact(id: &str, fields: &[(C, &str)]) -> Row {
    row(id, C::ALL, fields)
}

/// A person whom every profile here takes.
fn ada(id: &str) -> Row {
    let fields = [
        (C::LocName, "Ada Ligustrum"),
        (C::LocStreet1, "1 Hedge Row"),
        (C::LocCity, "Roma"),
        (C::LocSp, "RM"),
        (C::LocPc, "00184"),
        (C::LocCc, "IT"),
        (C::Voice, "+39.06123456"),
        (C::Email, "ada@mail.example"),
    ];
    contact(id, &fields)
}

fn settings() -> PrivacySettings {
    PrivacySettings {
        v1_handle: Some(Handle::new("MASK-V1")),
        brand_handle: None,
        name: "Privacy Service".to_owned(),
        org: String::new(),
        street: vec!["PO Box 1".to_owned()],
        city: "Exampletown".to_owned(),
        sp: None,
        pc: Some("12345".to_owned()),
        cc: "DE".to_owned(),
        voice: "+49.301234567".to_owned(),
        email_domain: DomainName::new("relay.example"),
    }
}

/// A registry's objects: local and remote rows, in any order.
struct World {
    profile: Arc<Profile>,
    settings: PrivacySettings,
    services: Vec<(&'static str, Protection)>,
    selection: Selection,
    directions: Directions,
    contacts: [Vec<Row>; 2],
    domains: [Vec<Row>; 2],
}

impl World {
    fn of(id: &str) -> Self {
        Self {
            profile: profile(id).unwrap(),
            settings: settings(),
            services: Vec::new(),
            selection: Selection::default(),
            directions: Directions::default(),
            contacts: Default::default(),
            domains: Default::default(),
        }
    }

    /// A registry that holds what the records say: a domain of Ada's with that protection ordered, and an admin of another person.
    fn with(id: &str, protection: Option<Protection>) -> Self {
        let mut world = Self::of(id);
        world.services.extend(protection.map(|p| (NAME, p)));
        let bob = ada("BOB").with(&[(C::LocName.at(), Some("Bob Privet")), (C::Email.at(), Some("bob@mail.example"))]);
        world.contacts = [vec![ada("ADA"), bob.clone()], vec![ada("ADA"), bob]];
        let row = domain(NAME, &[(D::Registrant, "ADA"), (D::Admin, "BOB")]);
        world.domains = [vec![row.clone()], vec![row]];
        world
    }

    fn remote(&mut self, fields: &[(D, &str)]) -> &mut Self {
        let changes: Vec<(usize, Option<&str>)> = fields.iter().map(|(field, value)| (field.at(), Some(*value))).collect();
        self.domains[1][0] = self.domains[1][0].with(&changes);
        self
    }

    fn run(&self, recipe: Recipe, bases: &mut dyn Bases) -> Outcome {
        let services: Services = self.services.iter().map(|(name, p)| (Box::from(*name), *p)).collect();
        let site = Site {
            registry: "r",
            profile: &self.profile,
            settings: Some(&self.settings),
            services: &services,
            selection: &self.selection,
            directions: &self.directions,
            relock: None,
        };
        let pairs = |[local, remote]: &[Vec<Row>; 2]| {
            let mut ids: Vec<String> = local.iter().chain(remote).map(|row| row.id().to_owned()).collect();
            ids.sort_unstable();
            ids.dedup();
            let find = |rows: &[Row], id: &str| rows.iter().find(|row| row.id() == id).cloned();
            ids.into_iter().map(|id| (find(local, &id), find(remote, &id))).collect::<Vec<_>>()
        };
        let (contacts, domains) = (pairs(&self.contacts), pairs(&self.domains));
        let pair = |both: &'_ (Option<Row>, Option<Row>)| (both.0.clone(), both.1.clone());
        let (mut asked, mut known, mut out) = (Asked::default(), Known::default(), Outcome::default());
        for both in &domains {
            let (local, remote) = pair(both);
            site.asks(recipe, Pair { local: local.as_ref(), remote: remote.as_ref() }, &mut asked);
        }
        for both in &domains {
            asked.used(&site, Pair { local: both.0.as_ref(), remote: both.1.as_ref() });
        }
        for both in &contacts {
            let pair = Pair { local: both.0.as_ref(), remote: both.1.as_ref() };
            known.contact(&site, pair, &asked, bases).unwrap();
            site.contact(recipe, pair, &asked, bases, &mut out).unwrap();
        }
        known.take_links(&mut asked);
        for both in &domains {
            site.domain(recipe, Pair { local: both.0.as_ref(), remote: both.1.as_ref() }, &known, &mut out);
        }
        out
    }

    fn agreed(&self, recipe: Recipe) -> Outcome {
        self.run(recipe, &mut Agreed(BasisKind::ExplicitConsent))
    }

    fn refused(&self, recipe: Recipe) -> Outcome {
        self.run(recipe, &mut NoRecords)
    }
}

/// What a draft does: each step's turn and object, and what it changes.
fn told(draft: &Draft) -> Vec<String> {
    let of = |step: &crate::plan::DraftStep| {
        let changes: Vec<String> =
            step.changed().map(|(fact, was, wanted)| format!("{fact}: {} > {}", was.unwrap_or("-"), wanted.unwrap_or("-"))).collect();
        let changes = if step.turn() == Turn::Update { changes.join(", ") } else { String::new() };
        format!("{:?} {} {changes}", step.turn(), step.object().1).trim_end().to_owned()
    };
    draft.steps.iter().map(of).collect()
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.rule).collect()
}

/// The one draft, with nothing left out.
fn one(out: &Outcome) -> &Draft {
    assert!(out.left_out.is_empty(), "{:?}", rules(&out.left_out));
    let [draft] = out.drafts.as_slice() else { panic!("{:?}", out.drafts) };
    draft
}

/// The one rule by which everything was left out.
fn left(out: &Outcome) -> &str {
    assert!(out.drafts.is_empty(), "{:?}", out.drafts.iter().map(told).collect::<Vec<_>>());
    let rules = rules(&out.left_out);
    let [rule] = rules.as_slice() else { panic!("{:?}", out.left_out) };
    rule
}

fn proxy() -> String {
    proxy_handle(&DomainName::new(NAME))
}

#[test]
fn a_protection_is_one_unit_of_proxy_contact_registrant_and_lock() {
    let world = World::with("gtld-thick", Some(Protection::V2));
    let out = world.agreed(Recipe::Privacy);
    let draft = one(&out);
    let proxy = proxy();
    assert_eq!(told(draft), [format!("Create {proxy}"), format!("Update {NAME} registrant: ADA > {proxy}, statuses.{LOCK}: - > set"),]);
    assert_eq!((draft.basis.kind, draft.basis.evidence.len()), (BasisKind::ExplicitConsent, 2));
    // The true contact is told of: nothing names it any more.
    assert_eq!((rules(&out.told), &*out.told[0].id), (vec!["R-plan-011"], "ADA"));
    // What is so already is planned no second time.
    let mut after = World::with("gtld-thick", Some(Protection::V2));
    after.contacts[1].push(proxy_contact(&DomainName::new(NAME), &settings()));
    after.remote(&[(D::Registrant, &proxy), (D::Statuses, LOCK)]);
    let out = after.agreed(Recipe::Privacy);
    assert!(out.drafts.is_empty() && out.left_out.is_empty() && out.told.is_empty());
}

#[test]
fn a_role_that_shows_the_registrant_under_another_handle_is_taken_by_the_remedy() {
    let mut world = World::with("gtld-thick", Some(Protection::V2));
    for side in [0, 1] {
        world.contacts[side].push(ada("ADA-2"));
        world.domains[side][0] = world.domains[side][0].with(&[(D::Tech.at(), Some("ADA-2;BOB"))]);
    }
    let proxy = proxy();
    let of = |world: &World| told(one(&world.agreed(Recipe::Privacy))).pop().unwrap();
    let mut roles = ["BOB", &proxy];
    roles.sort_unstable();
    assert!(of(&world).ends_with(&format!("tech: ADA-2;BOB > {}", roles.join(";"))), "{}", of(&world));
    world.settings.brand_handle = Some(Handle::new("BRAND"));
    assert!(of(&world).ends_with("tech: ADA-2;BOB > BOB;BRAND"), "{}", of(&world));
    // The admin is somebody else, and stays.
    assert!(!of(&world).contains("admin"));
}

#[test]
fn protect_without_the_lock_is_never_planned_where_there_is_one() {
    // Consent to the proxy, none to the lock.
    let out = World::with("gtld-thick", Some(Protection::V2)).run(Recipe::Privacy, &mut NoLock);
    assert_eq!(left(&out), "RTR-6");
    // A registry that has the lock, and where no client may set it.
    let mut world = World::with("gtld-thick", Some(Protection::V2));
    let mut profile = Profile::clone(&world.profile);
    profile.statuses.domain.get_mut(LOCK).unwrap().value = crate::policy::StatusUse::Never;
    world.profile = Arc::new(profile);
    let out = world.agreed(Recipe::Privacy);
    assert!(out.drafts.is_empty());
    assert_eq!(rules(&out.left_out), ["RTR-7", "R-stat-002"]);
}

#[test]
fn a_lock_or_a_proxy_without_consent_is_never_planned() {
    for recipe in [Recipe::Privacy, Recipe::Lock] {
        let out = World::with("gtld-thick", Some(Protection::V2)).refused(recipe);
        assert_eq!(left(&out), "RTR-6", "{recipe:?}");
    }
    let mut world = World::with("gtld-thick", Some(Protection::V1));
    world.remote(&[(D::Registrant, "MASK-V1"), (D::Admin, "MASK-V1")]);
    assert_eq!(left(&world.refused(Recipe::MigrateV2)), "RTR-6");
    // Nor by way of a correction.
    let mut world = World::with("gtld-thick", None);
    world.domains[0][0] = world.domains[0][0].with(&[(D::Statuses.at(), Some(LOCK))]);
    assert_eq!(left(&world.refused(Recipe::Corrections)), "RTR-6");
    assert_eq!(told(one(&world.agreed(Recipe::Corrections))), [format!("Update {NAME} statuses.{LOCK}: - > set")]);
}

#[test]
fn proxy_data_are_never_planned_where_they_are_forbidden() {
    for id in ["nicit", "nz", "eurid", "denic", "afnic", "sidn", "dnsbe"] {
        let out = World::with(id, Some(Protection::V2)).agreed(Recipe::Privacy);
        let creates = out.drafts.iter().flat_map(told).any(|step| step.contains("Create") || step.contains("registrant:"));
        assert!(!creates, "{id}");
    }
    let mut world = World::with("nicit", None);
    world.contacts[0][0] = world.contacts[0][0].with(&[(C::Email.at(), Some("a.example@relay.example"))]);
    assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-prop-011");
    // Where it is not forbidden it is no correction either.
    let mut world = World::with("gtld-thick", None);
    world.contacts[0][0] = world.contacts[0][0].with(&[(C::Email.at(), Some("a.example@relay.example"))]);
    assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-plan-003");
}

#[test]
fn withholding_touches_every_domain_of_the_contact_and_needs_no_consent() {
    for (id, fact, value) in [("nz", "disclose", "0:addr.loc,voice"), ("nicit", "properties.consentForPublishing", "false")] {
        let mut world = World::with(id, Some(Protection::V2));
        world.services.push(("b.example", Protection::V2));
        for side in [0, 1] {
            world.domains[side].push(domain("b.example", &[(D::Registrant, "ADA"), (D::Admin, "BOB")]));
        }
        let out = world.refused(Recipe::Privacy);
        let [draft] = out.drafts.as_slice() else { panic!("{id}: {:?}", out.left_out) };
        assert_eq!(told(draft), [format!("Update ADA {fact}: - > {value}")]);
        assert_eq!((draft.basis.kind, draft.touches.len()), (BasisKind::Withholding, 2));
        // One of them outside the selection, and one without the service.
        world.selection = Selection::read(["domain=a.example"]).unwrap();
        let out = world.refused(Recipe::Privacy);
        assert!(out.drafts.is_empty() && rules(&out.left_out).contains(&"R-plan-005"), "{id}");
        world.selection = Selection::default();
        world.services.pop();
        let out = world.refused(Recipe::Privacy);
        let finding = out.left_out.iter().find(|f| &*f.rule == "R-plan-005").unwrap();
        assert!(out.drafts.is_empty() && finding.what.contains("b.example"), "{id}");
    }
}

#[test]
fn where_a_registry_has_no_mechanism_the_finding_says_what_holds() {
    for (id, words) in [("denic", "contact's type"), ("eurid", "natural persons"), ("dnsbe", "it alone")] {
        let out = World::with(id, Some(Protection::V2)).agreed(Recipe::Privacy);
        assert_eq!(left(&out), "R-plan-001", "{id}");
        assert!(out.left_out[0].what.contains(words), "{}", out.left_out[0].what);
        assert_eq!(&*out.left_out[0].source, &*profile(id).unwrap().privacy.source);
    }
}

#[test]
fn without_contacts_at_the_registry_our_own_directory_is_planned() {
    let world = World::with("gtld-minimum", Some(Protection::V2));
    let shows = |out: &Outcome| out.published.iter().map(|p| (p.role, p.shows)).collect::<Vec<_>>();
    let out = world.agreed(Recipe::Privacy);
    assert_eq!(told(one(&out)), [format!("Update {NAME} statuses.{LOCK}: - > set")]);
    assert_eq!(shows(&out), [("registrant", "provider"), ("admin", "record")]);
    assert_eq!(out.published[0].email.as_deref(), Some("a.example@relay.example"));
    // Without consent nothing is shown, and nothing of the provider's either.
    let out = world.refused(Recipe::Privacy);
    assert!(out.drafts.is_empty());
    assert_eq!(shows(&out), [("registrant", "withheld"), ("admin", "withheld")]);
    // Without a service, a person is shown upon explicit consent only.
    let world = World::with("gtld-minimum", None);
    assert_eq!(shows(&world.run(Recipe::Privacy, &mut Agreed(BasisKind::Terms)))[0], ("registrant", "withheld"));
    assert_eq!(shows(&world.agreed(Recipe::Privacy))[0], ("registrant", "record"));
}

#[test]
fn a_lock_is_set_where_there_is_one_and_else_the_finding_says_why_not() {
    assert_eq!(told(one(&World::with("nz", None).agreed(Recipe::Lock))), [format!("Update {NAME} statuses.{LOCK}: - > set")]);
    for (id, words) in [("nicit", "served order"), ("denic", "has none"), ("eurid", "no transfer lock")] {
        let out = World::with(id, None).agreed(Recipe::Lock);
        assert_eq!(left(&out), "R-plan-001", "{id}");
        assert!(out.left_out[0].what.contains(words), "{}", out.left_out[0].what);
    }
    let mut live = World::with("denic", None);
    live.remote(&[(D::Properties, "authInfo1=2026-12-24")]);
    assert!(live.agreed(Recipe::Lock).left_out[0].what.contains("this domain has some"));
    let mut frozen = World::with("gtld-thick", None);
    frozen.remote(&[(D::Statuses, "serverUpdateProhibited")]);
    assert_eq!(left(&frozen.agreed(Recipe::Lock)), "R-plan-010");
    // It comes off again, and the protection stays.
    let mut locked = World::with("gtld-thick", Some(Protection::V2));
    locked.remote(&[(D::Statuses, LOCK), (D::Registrant, &proxy())]);
    assert_eq!(told(one(&locked.refused(Recipe::Unlock))), [format!("Update {NAME} statuses.{LOCK}: set > -")]);
}

#[test]
fn a_migration_gives_the_roles_back_and_tells_what_becomes_visible() {
    let mut world = World::with("gtld-thick", Some(Protection::V1));
    for side in [0, 1] {
        world.domains[side][0] = world.domains[side][0].with(&[(D::Tech.at(), Some("ADA"))]);
    }
    world.remote(&[(D::Registrant, "MASK-V1"), (D::Admin, "MASK-V1"), (D::Tech, "MASK-V1")]);
    let out = world.agreed(Recipe::MigrateV2);
    let proxy = proxy();
    assert_eq!(
        told(one(&out)),
        [
            format!("Create {proxy}"),
            format!("Update {NAME} admin: MASK-V1 > BOB, registrant: MASK-V1 > {proxy}, statuses.{LOCK}: - > set, tech: MASK-V1 > {proxy}"),
        ]
    );
    let visible: Vec<_> = out.visible.iter().map(|v| (v.role, v.handles.as_str(), v.shows)).collect();
    assert_eq!(visible, [("admin", "BOB", "record"), ("tech", proxy.as_str(), "proxy")]);
    assert!(one(&out).reasons.iter().any(|r| r.text == "admin becomes visible as BOB (record)"));
    // A contact that the registry does not hold cannot stand in a role.
    world.contacts[1].retain(|row| row.id() != "BOB");
    assert_eq!(left(&world.agreed(Recipe::MigrateV2)), "R-plan-006");
    // What no mask hides is not moved.
    world.remote(&[(D::Registrant, "ADA"), (D::Admin, "BOB"), (D::Tech, "ADA")]);
    assert!(world.agreed(Recipe::MigrateV2).drafts.is_empty());
}

#[test]
fn a_service_that_ended_is_lifted_and_its_orphan_goes_away() {
    let proxy_row = proxy_contact(&DomainName::new(NAME), &settings());
    let mut world = World::with("gtld-thick", None);
    world.contacts[1].push(proxy_row.clone());
    world.remote(&[(D::Registrant, &proxy()), (D::Statuses, LOCK)]);
    // The domain has its own contact back, and its proxy contact, which nothing names then, goes with it: one unit.
    let out = world.refused(Recipe::PrivacyOff);
    let lifted = format!("Update {NAME} registrant: {} > ADA", proxy());
    assert_eq!(told(one(&out)), [lifted.clone(), format!("Delete {}", proxy())]);
    assert_eq!((one(&out).basis.kind, out.visible.len()), (BasisKind::Ended, 1));
    // It stays where another domain names it, and where a status keeps it; that it is linked to this domain keeps nothing.
    let with = |status: &str| {
        let mut kept = World::with("gtld-thick", None);
        kept.contacts[1].push(proxy_row.with(&[(C::Statuses.at(), Some(status))]));
        kept.remote(&[(D::Registrant, &proxy())]);
        kept
    };
    assert_eq!(told(one(&with("linked").refused(Recipe::PrivacyOff))).len(), 2);
    let out = with("clientDeleteProhibited;linked").refused(Recipe::PrivacyOff);
    assert_eq!((told(one(&out)), rules(&out.told)), (vec![lifted.clone()], vec!["R-plan-010"]));
    let mut shared = with("linked");
    shared.domains[1].push(domain("b.example", &[(D::Registrant, "BOB"), (D::Tech, &proxy())]));
    assert_eq!(told(one(&shared.refused(Recipe::PrivacyOff))), [lifted]);
    world.remote(&[(D::Registrant, "ADA")]);
    assert_eq!(told(one(&world.refused(Recipe::PrivacyOff))), [format!("Delete {}", proxy())]);
    // Whatever is protected stays so, and its proxy contact is no orphan.
    world.services.push((NAME, Protection::V2));
    assert!(world.refused(Recipe::PrivacyOff).drafts.is_empty());
    // The registry knows of somebody who names it still.
    world.services.clear();
    world.contacts[1].pop();
    for (status, rule) in [("linked", "R-plan-011"), ("ok;serverDeleteProhibited", "R-plan-010")] {
        world.contacts[1].truncate(2);
        world.contacts[1].push(proxy_row.with(&[(C::Statuses.at(), Some(status))]));
        assert_eq!(left(&world.refused(Recipe::PrivacyOff)), rule);
    }
}

#[test]
fn a_contact_whose_updates_are_prohibited_is_neither_withheld_nor_shown() {
    let mut world = World::with("nicit", Some(Protection::V2));
    let of = |shown: &str, statuses: &str| {
        ada("ADA").with(&[(C::Properties.at(), Some(&format!("consentForPublishing={shown}"))), (C::Statuses.at(), Some(statuses))])
    };
    world.contacts[1][0] = of("true", "clientUpdateProhibited");
    assert_eq!(left(&world.agreed(Recipe::Privacy)), "R-plan-010");
    world.services.clear();
    world.contacts = [vec![of("true", "")], vec![of("false", "serverUpdateProhibited")]];
    assert_eq!(left(&world.agreed(Recipe::PrivacyOff)), "R-plan-010");
    world.contacts[1][0] = of("false", "ok");
    assert_eq!(told(one(&world.agreed(Recipe::PrivacyOff))), ["Update ADA properties.consentForPublishing: false > true"]);
}

#[test]
fn consent_is_the_recorded_registrants_and_nobody_elses() {
    let mut world = World::with("gtld-thick", Some(Protection::V2));
    world.remote(&[(D::Registrant, "BOB")]);
    assert_eq!(left(&world.agreed(Recipe::Privacy)), "R-plan-016");
    // The older service's mask stands for whoever is recorded.
    world.remote(&[(D::Registrant, "MASK-V1")]);
    one(&world.agreed(Recipe::Privacy));
}

#[test]
fn an_open_restriction_or_objection_keeps_every_recipe_from_the_person_and_their_domains() {
    let (ada, bob) = ("ada@mail.example", "bob@mail.example");
    let locked = |mut world: World| {
        world.remote(&[(D::Statuses, LOCK)]);
        world
    };
    let corrected = |field: C| {
        let mut world = World::with("gtld-thick", None);
        world.contacts[0][0] = world.contacts[0][0].with(&[(field.at(), Some("Napoli"))]);
        world
    };
    let mut shown = World::with("nz", None);
    for (side, flag) in [(0, "1"), (1, "0")] {
        let statement = format!("{flag}:addr.loc,voice");
        shown.contacts[side][0] = shown.contacts[side][0].with(&[(C::Disclose.at(), Some(&statement))]);
    }
    let mut v1 = World::with("gtld-thick", Some(Protection::V1));
    v1.remote(&[(D::Registrant, "MASK-V1"), (D::Admin, "MASK-V1")]);
    for (recipe, world) in [
        (Recipe::Privacy, World::with("gtld-thick", Some(Protection::V2))),
        (Recipe::Privacy, World::with("nz", Some(Protection::V2))),
        (Recipe::Privacy, World::with("gtld-minimum", Some(Protection::V2))),
        (Recipe::MigrateV2, v1),
        (Recipe::Lock, World::with("gtld-thick", None)),
        (Recipe::Unlock, locked(World::with("gtld-thick", None))),
        (Recipe::PrivacyOff, shown),
        (Recipe::Corrections, corrected(C::LocCity)),
    ] {
        let free = world.agreed(recipe);
        assert!(free.is_something(), "{recipe:?}: {:?}", rules(&free.left_out));
        let barred = world.run(recipe, &mut Barring(ada));
        assert!(!barred.is_something(), "{recipe:?}: {:?}", barred.drafts.iter().map(told).collect::<Vec<_>>());
        assert!(barred.blocked > 0 && rules(&barred.left_out).contains(&"R-request-001"), "{recipe:?}");
        // Who stands in a role that nothing is changed about bars nothing.
        let other = world.run(recipe, &mut Barring(bob));
        if recipe != Recipe::MigrateV2 {
            assert_eq!(other.drafts.len(), free.drafts.len(), "{recipe:?}: {:?}", rules(&other.left_out));
        }
    }
    // Who is to be put into a role, or taken out of it, is barred with it.
    let mut world = World::with("gtld-thick", None);
    world.domains[0][0] = world.domains[0][0].with(&[(D::Tech.at(), Some("BOB"))]);
    assert_eq!(told(one(&world.agreed(Recipe::Corrections))), [format!("Update {NAME} tech: - > BOB")]);
    assert_eq!(left(&world.run(Recipe::Corrections, &mut Barring(bob))), "R-request-001");
}
