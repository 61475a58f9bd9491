//! Whole diffs: Parquet files against an independent comparison, and records against snapshots under privacy services.

use privet::base::{DomainName, ExchangeId, RegistryId, RunId, Timestamp};
use privet::dataset::{
    Building, Cell, ColumnType, ContactField, DomainField, Facts, IngestPlan, Kind, Observation, Protection, Records, Row, Services,
    Snapshot, Source, State, TableWriter, columns, ingest,
};
use privet::diff::{Compared, DiffKind, DiffSpec, Expectation, PrivacySettings, Severity, diff, diff_files, proxy_handle};
use privet::model::ObjectKind;
use privet::policy::profile;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

type Table = BTreeMap<String, Vec<Option<String>>>;

/// A generator of small numbers, the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn write(path: &Path, names: &[&str], table: &Table, shuffled: bool) {
    let mut columns = vec![("id", ColumnType::Text)];
    columns.extend(names.iter().map(|n| (*n, ColumnType::Text)));
    let mut writer = TableWriter::create(path, &columns).expect("a writer");
    let mut rows: Vec<_> = table.iter().collect();
    if shuffled {
        rows.sort_by_key(|(id, _)| id.bytes().rev().collect::<Vec<_>>());
    }
    for (id, fields) in rows {
        let cells = std::iter::once(Cell::Text(Some(id))).chain(fields.iter().map(|f| Cell::Text(f.as_deref())));
        writer.push(cells).expect("a row");
    }
    writer.finish().expect("a file");
}

fn lines(out: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(out.join("differences.csv")).expect("differences");
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn files_differ_exactly_as_a_plain_comparison_says() {
    let names = ["int_name", "voice", "email", "statuses"];
    let kinds = [Kind::Text, Kind::Phone, Kind::Email, Kind::Statuses];
    let mut numbers = Numbers(7);
    let (mut left, mut right) = (Table::new(), Table::new());
    let mut want = Vec::new();
    for n in 0..50_000 {
        let id = format!("C-{n:05}");
        let fields = vec![Some(format!("Name  {n}")), Some(format!("+49.30{n}")), Some(format!("a{n}@example.org")), None];
        let mut other = fields.clone();
        match numbers.below(20) {
            0 => {
                left.insert(id.clone(), fields);
                want.push(format!("x,contact,{id},,,,missing_there,material"));
                continue;
            }
            1 => {
                right.insert(id.clone(), fields);
                want.push(format!("x,contact,{id},,,,missing_here,material"));
                continue;
            }
            2 => {
                other[2] = None;
                other[1] = Some(format!("+49 30 {n}"));
                want.push(format!("x,contact,{id},email,a{n}@example.org,,changed,material"));
                want.push(format!("x,contact,{id},voice,+49.30{n},+49 30 {n},changed,cosmetic"));
            }
            3 => {
                other[0] = Some(format!("Name {n}"));
                want.push(format!("x,contact,{id},int_name,Name  {n},Name {n},changed,cosmetic"));
            }
            4 => other[3] = Some("linked;ok".to_owned()),
            _ => {}
        }
        left.insert(id.clone(), fields);
        right.insert(id, other);
    }
    want.sort();
    let dir = tempfile::tempdir().expect("a directory");
    let (l, r) = (dir.path().join("l.parquet"), dir.path().join("r.parquet"));
    write(&l, &names, &left, false);
    let columns = names.iter().zip(kinds).map(|(n, k)| ((*n).to_owned(), k)).collect();
    let spec = DiffSpec { registry: RegistryId::new("x"), object: ObjectKind::Contact, id: "id".to_owned(), columns, csv: true };
    let mut outputs = Vec::new();
    for shuffled in [false, true] {
        write(&r, &names, &right, shuffled);
        let out = dir.path().join(format!("out-{shuffled}"));
        let summary = diff_files(std::slice::from_ref(&l), std::slice::from_ref(&r), &spec, &out).expect("a diff");
        let mut found = lines(&out);
        assert!(found.is_sorted_by_key(|l| l.split(',').take(4).map(str::to_owned).collect::<Vec<_>>()), "sorted by key");
        found.sort();
        assert_eq!(found, want);
        assert_eq!(summary.total(Severity::Material) + summary.total(Severity::Cosmetic), want.len() as u64);
        outputs.push(std::fs::read(out.join("differences.parquet")).expect("a file"));
    }
    assert_eq!(outputs[0], outputs[1], "the order of the input does not show");
    // Several files a side are one table.
    let out = dir.path().join("out-empty");
    let empty = dir.path().join("e.parquet");
    write(&empty, &names, &Table::new(), false);
    let summary = diff_files(&[l.clone(), empty.clone()], &[empty, l.clone()], &spec, &out).expect("a diff");
    assert!(summary.rows.is_empty());
    let twice = diff_files(&[l.clone(), l.clone()], std::slice::from_ref(&r), &spec, &out).expect_err("ids stand twice");
    assert_eq!(twice.id, "E-diff-001");
    let twice = diff_files(std::slice::from_ref(&l), &[r.clone(), r], &spec, &out).expect_err("ids stand twice");
    assert_eq!(twice.id, "E-diff-001");
}

/// A registry on one side and records on the other.
struct World {
    dir: tempfile::TempDir,
    registry: RegistryId,
    records: BTreeMap<ObjectKind, Vec<Row>>,
    observed: Vec<(ObjectKind, String, State, Option<Row>)>,
}

impl World {
    fn new() -> Self {
        let records = ObjectKind::ALL.map(|k| (k, Vec::new())).into_iter().collect();
        Self { dir: tempfile::tempdir().expect("a directory"), registry: RegistryId::new("x"), records, observed: Vec::new() }
    }

    fn local(&mut self, kind: ObjectKind, row: Row) {
        self.records.entry(kind).or_default().push(row);
    }

    fn remote(&mut self, kind: ObjectKind, row: Row) {
        self.observed.push((kind, row.id().to_owned(), State::Ok, Some(row)));
    }

    fn state(&mut self, kind: ObjectKind, id: &str, state: State) {
        self.observed.push((kind, id.to_owned(), state, None));
    }

    fn csv(&self, kind: ObjectKind) -> Source {
        let path = self.dir.path().join(format!("{}.csv", kind.as_str()));
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header = ["registry", "id"].into_iter().chain(columns(kind).iter().map(|c| c.name));
        writer.write_record(header).expect("a header");
        for row in &self.records[&kind] {
            let fields = ["x", row.id()].into_iter().chain(row.fields().map(Option::unwrap_or_default));
            writer.write_record(fields).expect("a row");
        }
        privet::base::write_atomic(&path, &writer.into_inner().expect("bytes")).expect("a file");
        Source::of(vec![path])
    }

    fn diff(&self, profile_id: &str, services: &Services, privacy: Option<&PrivacySettings>) -> Vec<String> {
        let source = |kind: ObjectKind| (!self.records[&kind].is_empty()).then(|| self.csv(kind));
        let plan = IngestPlan {
            contacts: source(ObjectKind::Contact),
            domains: source(ObjectKind::Domain),
            registries: [self.registry.clone()].into(),
            previous: None,
            min_rows_share: 0.5,
            origin: None,
        };
        let records = ingest(&plan, &self.dir.path().join("in")).expect("ingested").records;
        let at = Timestamp::from_second(1_763_700_000).expect("a time");
        // Another number of buckets than the records have.
        let mut building = Building::open(self.dir.path(), &RunId::new("r"), at, &self.registry, 2).expect("a building");
        for (kind, id, state, row) in &self.observed {
            let seen = Observation {
                kind: *kind,
                id: id.as_str().into(),
                state: *state,
                row: row.clone(),
                facts: Facts::default(),
                observed_at: at,
                exchange: ExchangeId::new(0, 1),
                unknown: 0,
            };
            building.observe(seen).expect("observed");
        }
        let snapshot: Snapshot = building.finish(at).expect("a snapshot");
        let records = Records::open(&self.dir.path().join("in")).map(|_| records).expect("readable again");
        let out: PathBuf = self.dir.path().join("out");
        let profile = profile(profile_id).expect("a profile");
        let compared = [Compared { profile: &profile, snapshot: &snapshot }];
        diff(&records, &compared, Expectation { services, privacy }, &out).expect("a diff");
        lines(&out)
    }
}

fn contact(id: &str, fields: &[(ContactField, &str)]) -> Row {
    Row::new(id, ContactField::ALL.iter().map(|f| fields.iter().find(|(g, _)| g == f).map(|(_, v)| *v)))
}

fn domain(id: &str, fields: &[(DomainField, &str)]) -> Row {
    Row::new(id, DomainField::ALL.iter().map(|f| fields.iter().find(|(g, _)| g == f).map(|(_, v)| *v)))
}

fn settings() -> PrivacySettings {
    PrivacySettings {
        v1_handle: Some("MASK-V1".into()),
        brand_handle: None,
        name: "Privacy service".to_owned(),
        org: String::new(),
        street: vec!["PO Box 1".to_owned(), "Second floor".to_owned()],
        city: "Exampletown".to_owned(),
        sp: None,
        pc: None,
        cc: "DE".to_owned(),
        voice: "+49.301".to_owned(),
        email_domain: "relay.example".into(),
    }
}

#[test]
fn what_the_registry_does_not_tell_is_never_concluded() {
    use ObjectKind::Contact as C;
    let mut world = World::new();
    for id in ["C-equal", "C-gone", "C-torn", "C-foreign", "C-unasked"] {
        world.local(C, contact(id, &[(ContactField::LocName, "Ada")]));
    }
    world.remote(C, contact("C-equal", &[(ContactField::LocName, "Ada"), (ContactField::Statuses, "linked;ok")]));
    world.state(C, "C-gone", State::Missing);
    world.state(C, "C-torn", State::Unreadable);
    world.state(C, "C-foreign", State::Refused);
    world.state(C, "C-met-torn", State::Unreadable);
    world.state(C, "C-met-foreign", State::Refused);
    world.remote(C, contact("C-met", &[]));
    assert_eq!(
        world.diff("gtld-thick", &Services::default(), None),
        [
            "x,contact,C-foreign,state,,refused,unreadable,material",
            "x,contact,C-gone,,,,missing_there,material",
            "x,contact,C-met,,,,missing_here,material",
            "x,contact,C-met-torn,state,,unreadable,unreadable,material",
            "x,contact,C-torn,state,,unreadable,unreadable,material",
            "x,contact,C-unasked,state,,not_asked,unreadable,material",
        ]
    );
}

#[test]
fn a_mask_where_it_is_expected_is_no_difference_and_a_missing_one_is() {
    use DomainField::{Admin, Billing, Registrant, Tech};
    use ObjectKind::{Contact as C, Domain as D};
    let mut world = World::new();
    let services: Services = [("masked.example", Protection::V2), ("bare.example", Protection::V2), ("old.example", Protection::V1)]
        .map(|(d, p)| (d.into(), p))
        .into_iter()
        .collect();
    for name in ["masked.example", "bare.example", "old.example", "open.example"] {
        world.local(D, domain(name, &[(Registrant, "C-1"), (Admin, "C-1")]));
    }
    world.local(C, contact("C-1", &[(ContactField::LocName, "Ada")]));
    world.remote(C, contact("C-1", &[(ContactField::LocName, "Ada")]));
    let proxy = proxy_handle(&DomainName::new("masked.example"));
    world.remote(D, domain("masked.example", &[(Registrant, &proxy), (Admin, "C-1")]));
    world.remote(D, domain("bare.example", &[(Registrant, "C-1"), (Admin, "C-1")]));
    world.remote(D, domain("old.example", &[(Registrant, "MASK-V1"), (Admin, "MASK-V1"), (Tech, "MASK-V1"), (Billing, "MASK-V1")]));
    world.remote(D, domain("open.example", &[(Registrant, "C-1"), (Admin, "C-1")]));
    let email = "masked.example@relay.example";
    let mask = [
        (ContactField::IntName, "Privacy  service"),
        (ContactField::IntStreet1, "PO Box 1"),
        (ContactField::IntStreet2, "Second floor"),
        (ContactField::IntCity, "Exampletown"),
        (ContactField::IntCc, "FR"),
        (ContactField::Voice, "+49.301"),
        (ContactField::Email, email),
    ];
    world.remote(C, contact(&proxy, &mask));
    world.remote(C, contact("MASK-V1", &[(ContactField::IntName, "Privacy service")]));
    let found = world.diff("gtld-thick", &services, Some(&settings()));
    let bare = proxy_handle(&DomainName::new("bare.example"));
    assert_eq!(
        found,
        [
            format!("x,contact,{proxy},int_cc,DE,FR,changed,material"),
            format!("x,contact,{proxy},int_name,Privacy service,Privacy  service,changed,cosmetic"),
            format!("x,domain,bare.example,registrant,{bare},C-1,changed,material"),
        ]
    );
}

#[test]
fn a_registrant_that_withholds_is_expected_to_hide_what_it_has() {
    use DomainField::Registrant;
    use ObjectKind::{Contact as C, Domain as D};
    let mut world = World::new();
    let services: Services = [("d1.nz".into(), Protection::V2), ("d2.nz".into(), Protection::V2)].into_iter().collect();
    for (name, handle) in [("d1.nz", "C-1"), ("d2.nz", "C-2")] {
        world.local(D, domain(name, &[(Registrant, handle)]));
        world.remote(D, domain(name, &[(Registrant, handle)]));
        world.local(C, contact(handle, &[(ContactField::LocName, "Ada"), (ContactField::Voice, "+64.42345678")]));
    }
    let has = [(ContactField::LocName, "Ada"), (ContactField::Voice, "+64.42345678")];
    world.remote(C, contact("C-1", &[has[0], has[1], (ContactField::Disclose, "0:voice")]));
    world.remote(C, contact("C-2", &has));
    assert_eq!(world.diff("nz", &services, Some(&settings())), ["x,contact,C-2,disclose,0:voice,,changed,material"]);
}

#[test]
fn a_registry_without_contacts_is_asked_for_none() {
    let mut world = World::new();
    world.local(ObjectKind::Contact, contact("C-1", &[]));
    world.local(ObjectKind::Domain, domain("d.example", &[(DomainField::Registrant, "C-1"), (DomainField::Ns, "ns1.example")]));
    world.remote(ObjectKind::Domain, domain("d.example", &[(DomainField::Ns, "NS2.example")]));
    let found = world.diff("gtld-minimum", &Services::default(), None);
    assert_eq!(found, ["x,domain,d.example,ns,ns1.example,NS2.example,changed,material"]);
    assert_eq!(DiffKind::Changed.as_str(), "changed");
}
