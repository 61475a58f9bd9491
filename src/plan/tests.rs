//! Drafts, files and commands, without a registry.

use super::*;
use crate::base::{Digest, Exit, ObjectKey, ObjectRef, Problem, Result, Secret, Timestamp};
use crate::dataset::{ContactField, DomainField, Row, contact_row, domain_row};
use crate::model::{Contact, Domain, ObjectKind, Transform};
use proptest::prelude::*;
use std::path::Path;

const CONTACT: ObjectKind = ObjectKind::Contact;
const DOMAIN: ObjectKind = ObjectKind::Domain;

/// A key that follows from the object's name, as no vault's does.
fn key(kind: ObjectKind, id: &str) -> ObjectKey {
    let digest = Digest::of(format!("{} {id}", kind.as_str()).as_bytes());
    let mut key = zeroize::Zeroizing::new([0; 32]);
    key.iter_mut().zip(digest.to_string().bytes()).for_each(|(to, from)| *to = from);
    let mut reference = [0; 16];
    reference.iter_mut().zip(digest.first_u64().to_be_bytes()).for_each(|(to, from)| *to = from);
    ObjectKey::new(ObjectRef::new(reference), key)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn contact(fields: &[(ContactField, &str)]) -> Row {
    let value = |field: &ContactField| fields.iter().find(|(f, _)| f == field).map(|(_, value)| *value);
    Row::new("C-1", ContactField::ALL.iter().map(value))
}

fn domain(id: &str, fields: &[(DomainField, &str)]) -> Row {
    let value = |field: &DomainField| fields.iter().find(|(f, _)| f == field).map(|(_, value)| *value);
    Row::new(id, DomainField::ALL.iter().map(value))
}

fn draft(registry: &str, steps: Vec<DraftStep>) -> Draft {
    let (kind, id) = steps[0].object();
    Draft {
        registry: registry.to_owned(),
        object: (kind, id.to_owned()),
        basis: Basis { kind: BasisKind::Terms, evidence: vec!["event 7".to_owned()], subject: None, purposes: Vec::new() },
        undo: Undo::Inverse,
        touches: Vec::new(),
        reasons: vec![Reason { rule: "RTR-7".to_owned(), text: "protected and not locked".to_owned() }],
        steps,
    }
}

fn lock(id: &str) -> DraftStep {
    let row = domain(id, &[(DomainField::Registrant, "C-1"), (DomainField::Statuses, "ok")]);
    let locked = Some(Fact::SET.to_owned());
    DraftStep::update(DOMAIN, id)
        .setting(Fact::status("clientTransferProhibited"), &row, locked)
        .resting_on(Fact::column("registrant"), &row)
}

fn sealed(draft: Draft) -> (Operation, Vec<crate::base::Sealed>) {
    draft.seal(at(9), &mut |kind, id| Ok(key(kind, id))).unwrap()
}

fn header() -> Header {
    Header {
        privet_plan: Header::VERSION,
        id: String::new(),
        tool: "privet".to_owned(),
        recipe: Recipe::Lock,
        undoes: None,
        relock: None,
        author: None,
        made: at(0),
        expires: at(3600),
        config: "c".to_owned(),
        selection: Vec::new(),
        registries: std::collections::BTreeMap::new(),
        gates: Vec::new(),
        approvals: 0,
        waves: Vec::new(),
        counts: Vec::new(),
        left_out: std::collections::BTreeMap::new(),
    }
}

fn written(path: &Path, count: u64) -> Header {
    let mut writer = PlanWriter::create(path, 1).unwrap();
    for n in 0..count {
        writer.push(sealed(draft("r", vec![lock(&format!("d{n}.example"))])).0).unwrap();
    }
    writer.finish(header()).unwrap()
}

#[test]
fn a_personal_value_stands_in_an_operation_as_its_digest_alone() {
    let row =
        contact(&[(ContactField::Email, "ada@mail.example"), (ContactField::IntName, "Ada Ligustrum"), (ContactField::Statuses, "ok")]);
    let step = DraftStep::update(CONTACT, "C-1")
        .setting(Fact::column("email"), &row, Some("new@mail.example".to_owned()))
        .setting(Fact::status("clientUpdateProhibited"), &row, Some(Fact::SET.to_owned()))
        .setting(Fact::property("entityType"), &row, Some("1".to_owned()));
    let (operation, vault) = sealed(draft("r", vec![step]));
    let text = serde_json::to_string_pretty(&operation).unwrap();
    insta::assert_snapshot!(text);
    assert!(!text.contains("mail.example"));
    // What was, what is wanted, and the property.
    assert_eq!(vault.len(), 3);
    let key = key(CONTACT, "C-1");
    let digest = key.digest("email", b"new@mail.example");
    assert_eq!(operation.steps[0].facts[0].wanted, Value::Sealed(digest));
    let opened = vault.iter().find(|sealed| sealed.digest() == digest).unwrap();
    assert_eq!(key.open("email", &digest, opened.bytes()).unwrap().as_slice(), b"new@mail.example");
}

#[test]
fn the_providers_own_data_and_names_of_objects_stand_in_clear() {
    let row = contact(&[(ContactField::IntName, "Privacy Service"), (ContactField::Email, "d.example@relay.example")]);
    let (operation, vault) = sealed(draft("r", vec![DraftStep::create(CONTACT, &row, true), lock("d.example")]));
    let text = serde_json::to_string(&operation).unwrap();
    assert!(text.contains("d.example@relay.example") && text.contains("Privacy Service"));
    assert!(vault.is_empty());
}

#[test]
fn what_a_registry_normalises_is_the_same_state() {
    let (one, other) = ("+49.30123", "+49 (0)30 123");
    let voice = Fact::column("voice");
    let digest = |value| state_digest(&key(CONTACT, "C-1"), CONTACT, [(&voice, value)]);
    assert_eq!(digest(Some(one)), digest(Some(other)));
    assert_ne!(digest(Some(one)), digest(None));
    assert_ne!(digest(Some(one)), state_digest(&key(CONTACT, "C-2"), CONTACT, [(&voice, Some(one))]));
    let row = contact(&[(ContactField::Voice, one)]);
    assert!(DraftStep::update(CONTACT, "C-1").setting(voice.clone(), &row, Some(other.to_owned())).is_idle());
    assert!(!DraftStep::update(CONTACT, "C-1").setting(voice, &row, None).is_idle());
}

#[test]
fn facts_are_of_their_kind() {
    assert!(Fact::column("email").is_of(CONTACT) && !Fact::column("email").is_of(DOMAIN));
    assert!(Fact::status("clientHold").is_of(DOMAIN) && !Fact::column("statuses").is_of(DOMAIN));
    assert!(Fact::property("x").is_of(CONTACT) && !Fact::property("").is_of(CONTACT));
    assert!(Fact::column("email").is_personal(CONTACT) && Fact::property("regCode").is_personal(CONTACT));
    assert!(!Fact::column("registrant").is_personal(DOMAIN) && !Fact::status("clientHold").is_personal(DOMAIN));
}

#[test]
fn a_plan_is_read_as_it_was_written_and_equal_input_gives_equal_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one.plan"), dir.path().join("other.plan"));
    let header = written(&one, 12);
    assert_eq!(written(&other, 12), header);
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&other).unwrap());
    let plan = PlanFile::open(&one).unwrap();
    assert_eq!(plan.header(), &header);
    assert_eq!(header.waves, [Wave { wave: 1, operations: 1 }, Wave { wave: 2, operations: 10 }, Wave { wave: 3, operations: 1 }]);
    assert_eq!(header.operations(), 12);
    let operations: Vec<Operation> = plan.operations().unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(operations.len(), 12);
    assert_eq!((operations[11].op, operations[11].wave, operations[11].object.id.as_str()), (12, 3, "d11.example"));
    // Nothing is left beside it.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    plan.pin(&plan.digest()[..12]).unwrap();
    plan.pin(&plan.digest().to_ascii_uppercase()).unwrap();
    assert_eq!(plan.pin("000000000000").unwrap_err().exit, Exit::PlanStale);
    for bad in [&plan.digest()[..11], "", "zzzzzzzzzzzz", &format!("{}0", plan.digest())] {
        assert_eq!(plan.pin(bad).unwrap_err().exit, Exit::Usage, "{bad}");
    }
}

#[test]
fn a_plan_without_operations_is_a_plan() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.plan");
    let header = written(&path, 0);
    let plan = PlanFile::open(&path).unwrap();
    assert_eq!((plan.header().operations(), plan.operations().unwrap().count()), (0, 0));
    assert_eq!(header.id.len(), 64);
}

/// What reading comes to where the lines of a plan of three operations are changed.
fn tampered(change: impl FnOnce(&mut Vec<String>)) -> Problem {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.plan");
    written(&path, 3);
    let mut lines: Vec<String> = std::fs::read_to_string(&path).unwrap().lines().map(|line| format!("{line}\n")).collect();
    change(&mut lines);
    crate::base::write_atomic(&path, lines.concat().as_bytes()).unwrap();
    *PlanFile::open(&path).unwrap_err()
}

#[test]
fn row_33_a_changed_removed_or_moved_line_is_named() {
    let of = |change: fn(&mut Vec<String>)| {
        let problem = tampered(change);
        assert_eq!(problem.exit, Exit::PlanStale, "{problem}");
        (problem.id, problem.place.line)
    };
    let altered = |line| ("E-plan-002".to_owned(), Some(line));
    assert_eq!(of(|lines| lines[2] = lines[2].replace("d1.example", "d7.example")), altered(3));
    assert_eq!(of(|lines| lines[1] = lines[1].replace("\"set\"", "\"off\"")), altered(2));
    assert_eq!(of(|lines| _ = lines.remove(2)), altered(3));
    assert_eq!(of(|lines| lines.swap(2, 3)), altered(3));
    assert_eq!(of(|lines| _ = lines.pop()), altered(4));
    assert_eq!(of(|lines| lines[4] = lines[4].replace("\"operations\":3", "\"operations\":2")), altered(5));
    assert_eq!(of(|lines| lines.push("{}\n".to_owned())), altered(6));
    assert_eq!(of(|lines| _ = lines[3].pop()), altered(4));
    assert_eq!(of(|lines| lines[0] = lines[0].replace("\"approvals\":0", "\"approvals\":1")), altered(5));
}

#[test]
fn row_34_a_plan_of_another_version_and_what_is_none() {
    let of = |change: fn(&mut Vec<String>)| {
        let problem = tampered(change);
        (problem.id, problem.place.line)
    };
    let none = ("E-plan-001".to_owned(), Some(1));
    assert_eq!(of(|lines| lines[0] = lines[0].replace("\"privet_plan\":1", "\"privet_plan\":2")), none);
    assert_eq!(of(|lines| lines[0] = "not JSON\n".to_owned()), none);
    assert_eq!(of(|lines| lines[0] = lines[0].replace("\"config\"", "\"konfig\"")), none);
    assert_eq!(of(Vec::clear), none);
}

/// A line whose digests are right, and which is wrong all the same.
fn forged(body: &str) -> Problem {
    tampered(|lines| {
        let mut sums = file::Sums::new();
        let line = format!("{body}{}{}\"}}\n", file::SUM, sums.next(body));
        lines.splice(1..4, [line]);
    })
}

#[test]
fn row_38_a_line_that_no_writer_made_is_refused_with_its_place_and_without_its_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.plan");
    written(&path, 1);
    let text = std::fs::read_to_string(&path).unwrap();
    let body = text.lines().nth(1).unwrap().split(file::SUM).next().unwrap().to_owned();
    for (what, body) in [
        ("an unknown key", body.replacen("\"op\"", "\"ada.ligustrum@mail.example.and.some.more.words\":1,\"op\"", 1)),
        ("a key twice", body.replacen("\"op\":1", "\"op\":1,\"op\":1", 1)),
        ("no number", body.replacen("\"op\":1", "\"op\":NaN", 1)),
        ("half a character", body.replacen("d0.example", "\\ud800", 1)),
        ("too deep", body.replacen("\"op\":1", &format!("\"op\":{}{}", "[".repeat(100_000), "]".repeat(100_000)), 1)),
        ("a reference of other length", body.replacen("\"ref\":\"", "\"ref\":\"0", 1)),
    ] {
        let problem = forged(&body);
        assert_eq!((problem.id.as_str(), problem.place.line, problem.exit), ("E-plan-003", Some(2), Exit::PlanStale), "{what}: {problem}");
        assert!(!problem.to_string().contains("ligustrum"), "{problem}");
    }
    let problem = tampered(|lines| lines[1] = format!("{}\n", "x".repeat(3 << 20)));
    assert_eq!((problem.id.as_str(), problem.place.line), ("E-plan-005", Some(2)));
}

#[test]
fn row_37_two_lines_about_one_object_are_both_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.plan");
    let mut writer = PlanWriter::create(&path, 1).unwrap();
    for id in ["a.example", "b.example", "a.example"] {
        writer.push(sealed(draft("r", vec![lock(id)])).0).unwrap();
    }
    writer.finish(header()).unwrap();
    let problem = PlanFile::open(&path).unwrap_err();
    assert_eq!((problem.id.as_str(), problem.exit), ("E-plan-004", Exit::PlanStale));
    assert!(problem.what.contains("lines 2 and 4"), "{problem}");
}

#[test]
fn row_36_a_step_is_held_against_the_rules_of_its_registry() {
    let by = |id: &str, turn, kind, fact: &Fact, adding| {
        let profile = crate::policy::profile(id).unwrap();
        forbidden(&profile, turn, kind, Some((fact, adding))).map(|(rule, _)| rule.to_string())
    };
    let rule = |number: &str| Some(number.to_owned());
    let (email, servers) = (Fact::column("email"), Fact::column("ns"));
    let (locked, held) = (Fact::status("clientTransferProhibited"), Fact::status("clientHold"));
    assert_eq!(by("gtld-thick", Turn::Update, DOMAIN, &locked, true), None);
    assert_eq!(by("gtld-thick", Turn::Update, DOMAIN, &servers, true), None);
    assert_eq!(by("gtld-thick", Turn::Create, CONTACT, &email, true), None);
    for turn in [Turn::Create, Turn::Delete] {
        assert_eq!(by("gtld-thick", turn, DOMAIN, &servers, true), rule("R-plan-001"));
        assert!(forbidden(&crate::policy::profile("gtld-thick").unwrap(), turn, DOMAIN, None).is_some());
    }
    // There are no contacts, none can be deleted, and whether one can be changed is not known.
    assert_eq!(by("gtld-minimum", Turn::Create, CONTACT, &email, true), rule("R-plan-001"));
    assert_eq!(by("denic", Turn::Delete, CONTACT, &email, false), rule("R-plan-001"));
    assert_eq!(by("afnic", Turn::Update, CONTACT, &email, true), rule("R-plan-002"));
    // Never added, and taken away all the same; a lock that is told of and never set.
    assert_eq!(by("nicit", Turn::Update, DOMAIN, &held, true), rule("R-stat-003"));
    assert_eq!(by("nicit", Turn::Update, DOMAIN, &held, false), None);
    assert_eq!(by("nicit", Turn::Update, DOMAIN, &locked, true), rule("R-stat-003"));
    assert_eq!(by("denic", Turn::Update, DOMAIN, &locked, true), rule("R-stat-002"));
}

#[test]
fn waves_grow_tenfold() {
    let sizes = |canary| {
        (0..2_000).map(|n| wave_of(n, canary)).fold([0; 6], |mut sizes, wave| {
            sizes[wave as usize] += 1;
            sizes
        })
    };
    assert_eq!(sizes(1), [0, 1, 10, 100, 1000, 889]);
    assert_eq!(sizes(5), [0, 5, 50, 500, 1445, 0]);
    assert_eq!(wave_of(0, 0), 1);
    assert_eq!(wave_of(u64::MAX, 1), 21);
}

/// The command for a step on a contact that a registry holds.
fn told(contact: &Contact, wanted: &[(&str, Option<&str>)]) -> Transform {
    let wanted = wanted.iter().map(|(fact, value)| (Fact::column(fact), value.map(ToOwned::to_owned))).collect();
    let standing = Standing::from(Box::new(contact.clone()));
    transform(CONTACT, contact.id.as_str(), Turn::Update, &wanted, &standing, Secret::new("")).unwrap()
}

#[test]
fn a_change_of_one_line_sends_the_whole_address_and_nothing_else() {
    let mut holder = Contact::bare(crate::base::Handle::new("C-1"));
    let row = contact(&[
        (ContactField::IntName, "Ada"),
        (ContactField::IntStreet1, "1 Hedge Row"),
        (ContactField::IntStreet2, "Back"),
        (ContactField::IntCity, "Oldtown"),
        (ContactField::IntPc, "123"),
        (ContactField::IntCc, "NZ"),
    ]);
    let all: Wanted = ["int_name", "int_street1", "int_street2", "int_city", "int_pc", "int_cc"]
        .map(|name| (Fact::column(name), Fact::column(name).of(CONTACT, &row)))
        .into();
    let Transform::ContactCreate(made) = transform(CONTACT, "C-1", Turn::Create, &all, &Standing::Nothing, Secret::new("s")).unwrap()
    else {
        panic!("a create")
    };
    assert_eq!(contact_row(&made), row);
    holder.postal = made.postal;
    let Transform::ContactUpdate(update) = told(&holder, &[("int_city", Some("Newtown")), ("int_street2", None)]) else {
        panic!("an update")
    };
    let [info] = update.chg.as_ref().unwrap().postal.as_slice() else { panic!("one form") };
    assert!(info.name.is_none() && info.org.is_none());
    let addr = info.addr.as_ref().unwrap();
    let lines: Vec<&str> = addr.street.iter().map(crate::base::Personal::reveal).collect();
    assert_eq!(
        (lines, addr.city.reveal(), addr.pc.as_ref().map(crate::base::Personal::reveal), &*addr.cc),
        (vec!["1 Hedge Row"], "Newtown", Some("123"), "NZ")
    );
    let Transform::ContactUpdate(update) = told(&holder, &[("email", Some("x@mail.example"))]) else { panic!("an update") };
    let chg = update.chg.unwrap();
    assert!(chg.postal.is_empty() && chg.email.is_some() && update.add.is_empty());
}

#[test]
fn a_registrar_sets_neither_a_date_nor_what_the_kind_lacks() {
    let d = Domain::bare(crate::base::DomainName::new("d.example"));
    for fact in ["expires", "email", "statuses"] {
        let wanted = vec![(Fact::column(fact), Some("x".to_owned()))];
        let refused = transform(DOMAIN, "d.example", Turn::Update, &wanted, &Box::new(d.clone()).into(), Secret::new(""));
        assert_eq!(refused.unwrap_err().id, "E-plan-007", "{fact}");
    }
    assert!(transform(DOMAIN, "d.example", Turn::Create, &Vec::new(), &Standing::Nothing, Secret::new("")).is_err());
}

/// The row a domain has once a registry has taken an update.
fn after(domain: &Domain, update: &Transform) -> Row {
    let Transform::DomainUpdate(update) = update else { panic!("an update") };
    let mut domain = domain.clone();
    domain.registrant = update.registrant.clone().or(domain.registrant);
    domain.contacts.retain(|c| !update.rem.contacts.contains(c));
    domain.contacts.extend(update.add.contacts.iter().cloned());
    domain.statuses.retain(|s| !update.rem.statuses.iter().any(|r| r.value == s.value));
    domain.statuses.extend(update.add.statuses.iter().cloned());
    domain_row(&domain)
}

proptest! {
    #[test]
    fn an_update_makes_of_what_stands_what_is_wanted(
        admins in prop::collection::btree_set("[A-D]", 0..4),
        wanted_admins in prop::collection::btree_set("[A-D]", 0..4),
        locked in any::<bool>(),
        lock in any::<bool>(),
    ) {
        use crate::model::{ContactRef, Role, Status, StatusValue};
        let name = "clientTransferProhibited";
        let mut d = Domain::bare(crate::base::DomainName::new("d.example"));
        d.contacts = admins.iter().map(|a| ContactRef::new(Role::Admin, crate::base::Handle::new(a.as_str()))).collect();
        d.statuses = locked.then(|| Status::from(StatusValue::read(name))).into_iter().collect();
        let joined = wanted_admins.iter().cloned().collect::<Vec<_>>().join(";");
        let wanted = vec![
            (Fact::column("admin"), Some(joined).filter(|j| !j.is_empty())),
            (Fact::status(name), lock.then(|| Fact::SET.to_owned())),
        ];
        let sent = transform(DOMAIN, "d.example", Turn::Update, &wanted, &Box::new(d.clone()).into(), Secret::new("")).unwrap();
        let row = after(&d, &sent);
        for (fact, value) in &wanted {
            prop_assert_eq!(&fact.of(DOMAIN, &row), value);
        }
    }
}
