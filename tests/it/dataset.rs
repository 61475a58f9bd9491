//! Snapshots over whole runs: interrupted, resumed, put in place.

use privet::base::{ExchangeId, RegistryId, RunId, Timestamp};
use privet::dataset::{Building, ContactField, DomainField, Facts, Observation, Row, Snapshot, State, columns};
use privet::model::{ExchangeFacts, ObjectKind, ResultCode};
use std::collections::BTreeSet;
use std::path::Path;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_700_000 + second).expect("a timestamp")
}

fn seen(kind: ObjectKind, id: &str, state: State, row: Option<Row>) -> Observation {
    let facts = Facts { roid: Some(format!("{id}-X").into()), ..Facts::default() };
    Observation { kind, id: id.into(), state, row, facts, observed_at: at(1), exchange: ExchangeId::new(1, 2), unknown: 3 }
}

fn contact(n: u32) -> Row {
    let width = columns(ObjectKind::Contact).len();
    let name = format!("Name {n}");
    Row::new(&format!("C-{n}"), (0..width).map(|f| (f == ContactField::IntName.at()).then_some(name.as_str())))
}

fn domain(n: u32) -> Row {
    let registrant = format!("C-{n}");
    let width = columns(ObjectKind::Domain).len();
    Row::new(&format!("d{n}.example"), (0..width).map(|f| (f == DomainField::Registrant.at()).then_some(registrant.as_str())))
}

fn exchange(session: u32, command: u32) -> ExchangeFacts {
    ExchangeFacts {
        id: ExchangeId::new(session, command),
        command: "contact:info",
        cl_trid: None,
        sv_trid: Some("S-1".into()),
        code: Some(ResultCode(1000)),
        sent: at(1),
        received: at(2),
        bytes_out: 10,
        bytes_in: 20,
        digest: None,
        elements: "infData".into(),
    }
}

fn open(state: &Path, log2: u8) -> Building {
    Building::open(state, &RunId::new("run-1"), at(0), &RegistryId::new("x"), log2).expect("a building")
}

#[test]
fn an_interrupted_pull_resumes_without_asking_again_and_ends_in_the_same_snapshot() {
    let dir = tempfile::tempdir().expect("a directory");
    let registry = RegistryId::new("x");
    let mut building = open(dir.path(), 2);
    for n in 0..40 {
        building.observe(seen(ObjectKind::Domain, &format!("d{n}.example"), State::Ok, Some(domain(n)))).expect("observed");
        building.exchange(ObjectKind::Domain, &format!("d{n}.example"), &exchange(4, n), 4).expect("noted");
    }
    building.observe(seen(ObjectKind::Contact, "C-3", State::Ok, Some(contact(3)))).expect("observed");
    building.sync().expect("synced");
    drop(building);
    assert!(Snapshot::newest(dir.path(), &registry).expect("looked").is_none(), "half a pull is no snapshot");
    // A torn end: bytes of a frame that never became whole.
    let torn = std::fs::read_dir(dir.path().join("building/registry=x")).expect("listed").flatten();
    for entry in torn.filter(|e| e.file_name().to_string_lossy().ends_with(".spool")) {
        use std::io::Write as _;
        std::fs::OpenOptions::new().append(true).open(entry.path()).expect("opened").write_all(&[9, 0, 0, 0, 1, 2, 3]).expect("torn");
    }

    let pending = Building::pending(dir.path(), &registry).expect("looked").expect("something is pending");
    assert_eq!((pending.run_id.as_str(), pending.buckets_log2), ("run-1", 2));
    let mut building = open(dir.path(), 7);
    assert_eq!(building.counts().domains.ok, 40);
    assert_eq!(building.next_session(), 5);
    for n in 0..50 {
        building.frontier_push(ObjectKind::Domain, &format!("d{n}.example")).expect("pushed");
    }
    let mut domains = BTreeSet::new();
    while let Some(batch) = building.next_batch(ObjectKind::Domain).expect("a batch") {
        domains.extend(batch.into_iter().map(String::from));
    }
    assert_eq!(domains, (40..50).map(|n| format!("d{n}.example")).collect(), "what is there is not asked again");
    let mut contacts = BTreeSet::new();
    while let Some(batch) = building.next_batch(ObjectKind::Contact).expect("a batch") {
        contacts.extend(batch.into_iter().map(String::from));
    }
    let want: BTreeSet<String> = (0..40).filter(|n| *n != 3).map(|n| format!("C-{n}")).collect();
    assert_eq!(contacts, want, "handles met before the interruption are visited");
    for id in &contacts {
        building.observe(seen(ObjectKind::Contact, id, State::Missing, None)).expect("observed");
    }
    building.observe(seen(ObjectKind::Contact, "C-bad", State::Unreadable, None)).expect("observed");
    let snapshot = building.finish(at(60)).expect("a snapshot");
    assert_eq!(snapshot.buckets(), 4);
    let counts = &snapshot.manifest().counts;
    assert_eq!((counts.domains.ok, counts.contacts.ok, counts.contacts.missing, counts.contacts.unreadable), (40, 1, 39, 1));
    assert_eq!(counts.exchanges, 40);
    let mut rows = Vec::new();
    for bucket in 0..snapshot.buckets() {
        rows.extend(snapshot.rows(ObjectKind::Contact, bucket).expect("rows"));
    }
    assert_eq!(rows.len(), 41);
    let read = rows.iter().find(|o| o.state == State::Ok).expect("the one that was read");
    assert_eq!(read.row, contact(3));
    assert!(Building::pending(dir.path(), &registry).expect("looked").is_none(), "the spool is gone");
}

#[test]
fn row_43_a_second_snapshot_of_a_day_stands_beside_the_first_and_the_newest_whole_one_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let registry = RegistryId::new("x");
    let mut places = Vec::new();
    for run in 0..3 {
        let mut building = Building::open(dir.path(), &RunId::new(format!("run-{run}")), at(0), &registry, 0).expect("a building");
        building.observe(seen(ObjectKind::Contact, &format!("C-{run}"), State::Ok, Some(contact(run)))).expect("observed");
        places.push(building.finish(at(60)).expect("a snapshot").dir().to_owned());
    }
    places.sort();
    places.dedup();
    assert_eq!(places.len(), 3);
    let half = dir.path().join("snapshots/.x.tmp");
    std::fs::create_dir(&half).expect("left by a killed run");
    std::fs::create_dir_all(dir.path().join("snapshots/date=2099-01-01/registry=x")).expect("without a manifest");
    let newest = Snapshot::newest(dir.path(), &registry).expect("looked").expect("one");
    assert_eq!(newest.manifest().run_id.as_str(), "run-2");
    assert!(!half.exists(), "what was left half is removed");
    let manifest = newest.dir().join("snapshot.json");
    let text = std::fs::read_to_string(&manifest).expect("the manifest").replace("\"format\": 2", "\"format\": 9");
    privet::base::write_atomic(&manifest, text.as_bytes()).expect("written");
    assert_eq!(Snapshot::newest(dir.path(), &registry).expect_err("another layout").id, "E-snapshot-001");
}

#[test]
fn files_of_a_snapshot_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a directory");
    let snapshot = open(dir.path(), 0).finish(at(0)).expect("a snapshot");
    let file = snapshot.file(ObjectKind::Contact, 0);
    assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600);
    assert!(snapshot.rows(ObjectKind::Contact, 0).expect("empty").is_empty());
}
