//! Each gate on both sides of its figure, and what is counted.

use super::*;
use crate::dataset::Services;
use crate::plan::{Basis, BasisKind, Directions, DraftStep, Fact, Selection, Undo};
use std::ops::Not as _;

const AT: &str = "r";

fn limits() -> Limits {
    Limits {
        max_operations: 10,
        max_share: 0.5,
        share_floor: 2,
        max_age: SignedDuration::from_hours(24),
        min_rows_share: 0.6,
        protected: BTreeSet::from([ChangeKind::Unlock, ChangeKind::Delete]),
    }
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * 3600).unwrap()
}

fn tally(operations: u64, kind: ChangeKind) -> Tally {
    let mut tally = Tally::default();
    tally.operations.insert((AT.to_owned(), ObjectKind::Domain), operations);
    tally.kinds.insert((AT.to_owned(), kind), operations);
    tally
}

fn seen(held: u64, records: u64) -> Seen {
    Seen { registry: AT.to_owned(), held: [0, held], records: [0, records], taken: at(0) }
}

/// The gates that refuse, each with what it says.
fn refused(tally: &Tally, seen: Seen, hour: i64, waivers: &Waivers) -> Vec<(GateName, String)> {
    let verdicts = judge(&limits(), waivers, tally, &[seen], at(hour));
    verdicts.into_iter().filter(|verdict| verdict.passed.not()).map(|verdict| (verdict.gate, verdict.text)).collect()
}

fn gates(tally: &Tally, seen: Seen, hour: i64) -> Vec<GateName> {
    refused(tally, seen, hour, &Waivers::default()).into_iter().map(|(gate, _)| gate).collect()
}

#[test]
fn row_39_each_cap_closes_one_beyond_its_figure() {
    assert_eq!(gates(&tally(10, ChangeKind::Other), seen(20, 20), 0), []);
    assert_eq!(gates(&tally(11, ChangeKind::Other), seen(100, 100), 0), [GateName::Count]);
    assert_eq!(gates(&tally(10, ChangeKind::Other), seen(19, 19), 0), [GateName::Share]);
    // So few are never too large a share.
    assert_eq!(gates(&tally(2, ChangeKind::Other), seen(2, 2), 0), []);
    assert_eq!(gates(&tally(3, ChangeKind::Other), seen(3, 3), 0), [GateName::Share]);
    let (_, text) = refused(&tally(11, ChangeKind::Other), seen(100, 100), 0, &Waivers::default()).remove(0);
    assert_eq!(text, "11 operations, and at most 10 are allowed; --allow count --reason TEXT lets it pass");
}

#[test]
fn what_is_too_old_or_cut_is_refused() {
    assert_eq!(gates(&Tally::default(), seen(10, 10), 24), []);
    assert_eq!(gates(&Tally::default(), seen(10, 10), 25), [GateName::Age]);
    assert_eq!(gates(&Tally::default(), seen(10, 6), 0), []);
    assert_eq!(gates(&Tally::default(), seen(10, 5), 0), [GateName::Shrunken]);
    assert_eq!(gates(&Tally::default(), seen(1, 0), 0), [GateName::Shrunken]);
    assert_eq!(gates(&Tally::default(), seen(0, 0), 0), []);
    // However few may do, none at all does not.
    let any = Limits { min_rows_share: 0.0, ..limits() };
    let refused = |records| judge(&any, &Waivers::default(), &Tally::default(), &[seen(9, records)], at(0)).iter().any(|v| !v.passed);
    assert_eq!([refused(1), refused(0)], [false, true]);
}

#[test]
fn a_protected_kind_needs_its_own_reason() {
    assert_eq!(gates(&tally(1, ChangeKind::Unlock), seen(10, 10), 0), [GateName::Protected]);
    assert_eq!(gates(&tally(1, ChangeKind::NameServers), seen(10, 10), 0), []);
    // Another registrant is asked for by itself, protected or not.
    assert_eq!(gates(&tally(1, ChangeKind::Registrant), seen(10, 10), 0), [GateName::ChangeOfRegistrant]);
    let waived = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Waivers::read(&names, Some("asked for")).unwrap()
    };
    let of = |kind, waivers: &Waivers| refused(&tally(1, kind), seen(10, 10), 0, waivers).len();
    assert_eq!(of(ChangeKind::Unlock, &waived(&["unlock"])), 0);
    assert_eq!(of(ChangeKind::Unlock, &waived(&["delete", "count", "age"])), 1);
    assert_eq!(of(ChangeKind::Registrant, &waived(&["change-of-registrant"])), 0);
    let verdicts = judge(&limits(), &waived(&["unlock"]), &tally(1, ChangeKind::Unlock), &[seen(10, 10)], at(0));
    let reasons: Vec<&str> = verdicts.iter().filter_map(|verdict| verdict.allowed_because.as_deref()).collect();
    assert_eq!(reasons, ["asked for"]);
}

#[test]
fn nothing_is_let_pass_without_a_reason_and_consent_never() {
    let read = |name: &str, reason| Waivers::read(&[name.to_owned()], reason).map_err(|problem| problem.id);
    for (name, reason) in [("count", None), ("count", Some(" ")), ("consent", Some("x")), ("protected", Some("x")), ("all", Some("x"))] {
        assert_eq!(read(name, reason), Err("E-plan-011".to_owned()), "{name}");
    }
    assert!(read("share", Some("x")).is_ok() && Waivers::read(&[], None).is_ok());
}

#[test]
fn what_is_let_pass_is_what_was_named_for_the_reason_that_was_given() {
    let waivers = Waivers::read(&["count".to_owned()], Some(" asked for ")).unwrap();
    assert_eq!((waivers.passes(GateName::Count), waivers.passes(GateName::Share), waivers.reason()), (true, false, Some("asked for")));
    assert_eq!(Waivers::default().reason(), None);
}

#[test]
fn a_reason_stands_only_where_a_gate_was_let_pass_for_it() {
    let waivers = Waivers::read(&["count".to_owned()], Some("asked for")).unwrap();
    let reasons = |operations: u64, waivers: &Waivers| {
        let verdicts = judge(&limits(), waivers, &tally(operations, ChangeKind::Other), &[seen(100, 100)], at(0));
        verdicts.into_iter().filter_map(|verdict| verdict.allowed_because).collect::<Vec<_>>()
    };
    assert_eq!(reasons(10, &waivers), Vec::<String>::new());
    assert_eq!(reasons(11, &Waivers::default()), Vec::<String>::new());
    assert_eq!(reasons(11, &waivers), ["asked for"]);
}

#[test]
fn each_gate_says_its_figure() {
    let verdicts = judge(&limits(), &Waivers::default(), &tally(1, ChangeKind::Other), &[seen(10, 10)], at(0));
    let said = |gate: GateName| verdicts.iter().find(|verdict| verdict.gate == gate).unwrap().text.as_str();
    assert_eq!(said(GateName::Age), "the snapshot is of 1970-01-01T00:00:00Z, and may be 24 h old");
    assert_eq!(said(GateName::Share), "1 of 10 objects, and at most 50 % are allowed, or 2 objects");
    assert!(said(GateName::Shrunken).ends_with("less than 60 % of them is taken for a cut input"));
}

#[test]
fn what_was_left_out_for_want_of_a_basis_is_told_and_keeps_nothing_else_back() {
    let mut tally = tally(1, ChangeKind::Other);
    tally.block(3);
    assert_eq!(tally.blocked(), 3);
    let verdicts = judge(&limits(), &Waivers::default(), &tally, &[seen(10, 10)], at(0));
    let consent = verdicts.last().unwrap();
    assert_eq!((consent.gate, consent.passed), (GateName::Consent, true));
    assert!(consent.text.starts_with("3 objects"));
}

/// What a draft of these steps counts as.
fn kinds(recipe: Recipe, steps: Vec<DraftStep>) -> Vec<ChangeKind> {
    ChangeKind::of(recipe, &draft(steps)).into_iter().collect()
}

fn draft(steps: Vec<DraftStep>) -> Draft {
    Draft {
        registry: AT.to_owned(),
        object: (ObjectKind::Domain, "a.example".to_owned()),
        steps,
        basis: Basis { kind: BasisKind::Terms, evidence: Vec::new(), subject: None, purposes: Vec::new() },
        undo: Undo::Inverse,
        touches: Vec::new(),
        reasons: Vec::new(),
    }
}

/// A step that sets one fact of an object of `kind`.
fn sets(kind: ObjectKind, fact: Fact, was: Option<&str>, wanted: Option<&str>) -> Vec<DraftStep> {
    vec![DraftStep::of(Turn::Update, (kind, "x"), false, [(fact, was.map(str::to_owned), wanted.map(str::to_owned))])]
}

#[test]
fn what_a_change_is_tells_the_fact_the_object_and_the_recipe() {
    use ChangeKind::{Delete, NameServers, Other, Registrant, Reveal, Unlock};
    let lock = || Fact::status(StatusValue::CLIENT_TRANSFER_PROHIBITED.as_str());
    let hold = || Fact::status(StatusValue::CLIENT_HOLD.as_str());
    let of_domain = |recipe, field: DomainField| kinds(recipe, sets(ObjectKind::Domain, Fact::column(field.name()), Some("A"), Some("B")));
    let domain = |recipe, fact, was, wanted| kinds(recipe, sets(ObjectKind::Domain, fact, was, wanted));
    let set = Some(Fact::SET);
    assert_eq!(domain(Recipe::Lock, lock(), None, set), [Other]);
    assert_eq!(domain(Recipe::Unlock, lock(), set, None), [Unlock]);
    assert_eq!(domain(Recipe::Rollback, lock(), set, None), [Unlock], "whoever lifts it");
    assert_eq!(domain(Recipe::Corrections, hold(), set, None), [Other]);
    assert_eq!(domain(Recipe::Lock, lock(), set, set), [], "a condition is no change");

    assert_eq!(of_domain(Recipe::Privacy, DomainField::Registrant), [Other]);
    assert_eq!(of_domain(Recipe::PrivacyOff, DomainField::Registrant), [Reveal]);
    assert_eq!(of_domain(Recipe::Corrections, DomainField::Registrant), [Registrant]);
    assert_eq!(of_domain(Recipe::Corrections, DomainField::Admin), [Other]);
    assert_eq!(of_domain(Recipe::Corrections, DomainField::Ns), [NameServers]);
    assert_eq!(of_domain(Recipe::Rollback, DomainField::Registrant), [Reveal, Registrant]);
    for role in [DomainField::Admin, DomainField::Tech, DomainField::Billing] {
        assert_eq!(of_domain(Recipe::Rollback, role), [Reveal, Other], "{}", role.name());
    }
    assert_eq!(of_domain(Recipe::Rollback, DomainField::Ns), [NameServers]);

    let contact = |recipe, field: &str| kinds(recipe, sets(ObjectKind::Contact, Fact::column(field), Some("A"), Some("B")));
    assert_eq!(contact(Recipe::PrivacyOff, "email"), [Reveal]);
    assert_eq!(contact(Recipe::Corrections, "email"), [Other]);
    assert_eq!(contact(Recipe::Rollback, "email"), [Other]);
    // A contact has neither registrant nor name servers, whatever a registry calls its fields.
    assert_eq!(contact(Recipe::Corrections, DomainField::Registrant.name()), [Other]);
    assert_eq!(contact(Recipe::Corrections, DomainField::Ns.name()), [Other]);

    let proxy = |turn, was: Option<&str>, wanted: Option<&str>| {
        let facts = [(Fact::column("email"), was.map(str::to_owned), wanted.map(str::to_owned))];
        vec![DraftStep::of(turn, (ObjectKind::Contact, "PP1"), true, facts)]
    };
    assert_eq!(kinds(Recipe::Privacy, proxy(Turn::Create, None, Some("x"))), [Other]);
    assert_eq!(kinds(Recipe::PrivacyOff, proxy(Turn::Delete, Some("x"), None)), [Delete, Other]);
    assert_eq!(kinds(Recipe::Privacy, Vec::new()), []);
}

/// Every recipe's draft is counted under its registry and object, and once under each kind; one that puts the provider's contact in a
/// registrant's place is a change of registrant where the registry holds contacts.
#[test]
fn a_tally_counts_operations_kinds_and_registrants_that_are_replaced() {
    let (services, selection, directions) = (Services::default(), Selection::default(), Directions::default());
    let replaced = |profile: &str, recipe, field: DomainField| {
        let profile = crate::policy::profile(profile).unwrap();
        let site = Site {
            registry: AT,
            profile: &profile,
            settings: None,
            services: &services,
            selection: &selection,
            directions: &directions,
            relock: None,
        };
        let mut tally = Tally::default();
        for _ in 0..2 {
            tally.add(recipe, &site, &draft(sets(ObjectKind::Domain, Fact::column(field.name()), Some("A"), Some("B"))));
        }
        assert_eq!(tally.operations, BTreeMap::from([((AT.to_owned(), ObjectKind::Domain), 2)]));
        assert!(tally.kinds.values().all(|count| *count == 2) && !tally.kinds.is_empty());
        let verdicts = judge(&limits(), &Waivers::default(), &tally, &[seen(10, 10)], at(0));
        let verdict = verdicts.into_iter().find(|verdict| verdict.gate == GateName::ChangeOfRegistrant);
        (tally.replaced.get(AT).copied(), verdict.map(|verdict| verdict.passed))
    };
    let registrant = DomainField::Registrant;
    assert_eq!(replaced("gtld-thick", Recipe::Privacy, registrant), (Some(2), Some(true)));
    assert_eq!(replaced("gtld-thick", Recipe::MigrateV2, registrant), (Some(2), Some(true)));
    assert_eq!(replaced("gtld-thick", Recipe::Privacy, DomainField::Admin), (None, None));
    assert_eq!(replaced("gtld-minimum", Recipe::Privacy, registrant), (None, None));
    assert_eq!(replaced("gtld-thick", Recipe::PrivacyOff, registrant), (None, None));
    assert_eq!(replaced("gtld-thick", Recipe::Corrections, registrant), (None, Some(false)));
}
