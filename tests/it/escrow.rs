//! `report escrow`: a deposit made of the records, with mistakes planted in it, and every one of them found and nothing else.

use crate::served::World;
use privet::base::{Digest, RegistryId, create_private_dir, write_atomic};
use privet::dataset::{Snapshot, State};
use privet::model::ObjectKind;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The registries whose names are no country's.
const GENERIC: [&str; 2] = ["example-minimum", "example-thick"];

/// A row by its columns.
type Row = BTreeMap<String, String>;
/// A finding: rule, object, id, field.
type Found = (String, String, String, String);

fn found(rule: &str, object: &str, id: &str, field: &str) -> Found {
    (rule.to_owned(), object.to_owned(), id.to_owned(), field.to_owned())
}

/// A table of the records, of the generic registries alone.
fn records(world: &World, table: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(world.data().join(format!("records/{table}.csv"))).expect("records");
    let header = reader.headers().expect("a header").clone();
    let rows = reader.records().map(|record| {
        let record = record.expect("a record");
        header.iter().zip(record.iter()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Row>()
    });
    rows.filter(|row| GENERIC.contains(&row["registry"].as_str())).collect()
}

/// What is deposited of domains and handles.
struct Made {
    domains: Vec<Row>,
    handles: Vec<Row>,
}

impl Made {
    /// The deposit that says what the records say.
    fn of(world: &World) -> Self {
        let of = |pairs: &[(&str, String)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Row>();
        let domains: Vec<Row> = records(world, "domains")
            .iter()
            .map(|row| {
                let ns: Vec<&str> = row["ns"].split(';').map(|ns| ns.split('=').next().unwrap_or_default()).collect();
                let expires = row["expires"].get(..10).map_or_else(String::new, |day| format!("{day} 00:00:00"));
                of(&[
                    ("domain", row["id"].to_uppercase()),
                    ("expiration-date", expires),
                    ("nameservers", ns.join(" ")),
                    ("rt-handle", row["registrant"].clone()),
                    ("ac-handle", row["admin"].clone()),
                    ("tc-handle", row["tech"].clone()),
                    ("bc-handle", row["billing"].clone()),
                ])
            })
            .collect();
        let roles = ["rt-handle", "ac-handle", "tc-handle", "bc-handle"];
        let named: BTreeSet<&str> = domains.iter().flat_map(|row| roles.map(|role| row[role].split(';'))).flatten().collect();
        let handles = records(world, "contacts")
            .iter()
            .filter(|row| named.contains(row["id"].as_str()))
            .map(|row| {
                let form = if row["loc_name"].is_empty() { "int" } else { "loc" };
                let value = |field: &str| row[&format!("{form}_{field}")].clone();
                let streets = ["street1", "street2", "street3"].map(value);
                let street: Vec<&str> = streets.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
                of(&[
                    ("handle", row["id"].clone()),
                    ("name", value("name")),
                    ("organization", value("org")),
                    ("address", street.join(", ")),
                    ("city", value("city")),
                    ("state", value("sp")),
                    ("zip", value("pc")),
                    ("country", value("cc")),
                    ("email", row["email"].clone()),
                    ("phone", row["voice"].replace('.', "")),
                    ("fax", row["fax"].clone()),
                ])
            })
            .collect();
        Self { domains, handles }
    }

    /// Writes the files and their digests into `dir`.
    fn write(&self, dir: &Path, kind: &str) {
        create_private_dir(dir).expect("made");
        let mut digests = String::new();
        for (name, rows) in
            [(format!("1234_RDE_{kind}_20270131.csv"), &self.domains), ("1234_RDE_Hdl_20270131.csv".to_owned(), &self.handles)]
        {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(rows[0].keys()).expect("written");
            for row in rows {
                writer.write_record(row.values()).expect("written");
            }
            let bytes = writer.into_inner().expect("written");
            write_atomic(&dir.join(&name), &bytes).expect("written");
            digests.push_str(&format!("{}  {name}\n", Digest::of(&bytes)));
        }
        write_atomic(&dir.join("1234_RDE_Hash_20270131.csv"), digests.as_bytes()).expect("written");
    }

    /// The positions of domains that name one contact as tech, but for those whose names are `told` already.
    fn with_tech(&self, told: &BTreeSet<String>) -> Vec<usize> {
        let has =
            |row: &Row| !row["tc-handle"].is_empty() && !row["tc-handle"].contains(';') && !told.contains(&row["domain"].to_lowercase());
        self.domains.iter().enumerate().filter(|(_, row)| has(row)).map(|(n, _)| n).collect()
    }
}

/// Runs the verb over a deposit: how it ended, and what it found.
fn checked(world: &World, dir: &Path) -> (i32, BTreeSet<Found>, Value) {
    let (code, json, told) = world.run(&["report", "escrow", &dir.display().to_string()]);
    let findings = json["findings"].as_array().unwrap_or_else(|| panic!("{code} {told}"));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let all: Vec<Found> = findings.iter().map(|f| (text(f, "rule"), text(f, "object"), text(f, "id"), text(f, "field"))).collect();
    let set: BTreeSet<Found> = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "nothing is told twice: {all:?}");
    (code, set, json)
}

/// What of the world itself is found in a deposit that says what the records say: domains that the registries alone have, handles of which
/// the records have no contact, and the provider's own contacts.
fn by_itself(world: &World, made: &Made) -> BTreeSet<Found> {
    let mut all = BTreeSet::new();
    let known: BTreeSet<String> = made.domains.iter().map(|row| row["domain"].to_lowercase()).collect();
    for registry in GENERIC {
        let snapshot = Snapshot::newest(&world.data().join("state"), &RegistryId::new(registry)).expect("looked").expect("a snapshot");
        for bucket in 0..snapshot.buckets() {
            for seen in snapshot.rows(ObjectKind::Domain, bucket).expect("rows") {
                if seen.state == State::Ok && !known.contains(seen.row.id()) {
                    all.insert(found("R-escrow-001", "domain", seen.row.id(), "domain"));
                }
            }
        }
    }
    let handles: BTreeSet<&str> = made.handles.iter().map(|row| row["handle"].as_str()).collect();
    for row in &made.domains {
        for (role, name) in [("rt-handle", "registrant"), ("ac-handle", "admin"), ("tc-handle", "tech"), ("bc-handle", "billing")] {
            if row[role].split(';').any(|handle| !handle.is_empty() && !handles.contains(handle)) {
                all.insert(found("R-escrow-003", "domain", &row["domain"].to_lowercase(), name));
            }
        }
    }
    let privacy = world.load().config.privacy.expect("a provider");
    for row in &made.handles {
        if row["email"].ends_with(&format!("@{}", privacy.email_domain)) {
            all.insert(found("R-escrow-007", "contact", &row["handle"], "email"));
        } else if row["name"] == privacy.name {
            all.insert(found("R-escrow-007", "contact", &row["handle"], "name"));
        }
    }
    all
}

#[test]
fn every_mistake_that_is_planted_in_a_deposit_is_found_and_nothing_else() {
    let world = World::new(600, 17);
    let _served = world.serve(&[]);
    let (code, _, told) = world.run(&["pull"]);
    assert_eq!(code, 0, "{told}");
    let dir = world.data().join("deposit");
    let mut made = Made::of(&world);
    let mut wanted = by_itself(&world, &made);
    made.write(&dir, "Full");
    let (code, got, _) = checked(&world, &dir);
    assert_eq!(got, wanted, "a deposit of what the records say");
    assert_eq!(code, if wanted.iter().any(|(rule, ..)| rule != "R-escrow-007") { 11 } else { 0 });

    // Mistakes in handles: each in one that is nobody's proxy.
    let told: BTreeSet<String> = wanted.iter().map(|(_, _, id, _)| id.clone()).collect();
    let own: Vec<usize> = (0..made.handles.len()).filter(|n| !told.contains(&made.handles[*n]["handle"])).collect();
    assert!(own.len() > 12, "{}", own.len());
    let secret = "Planted Elsewhere 4711";
    let mut plant = |made: &mut Made, n: usize, field: &str, value: &str, rule: &str, name: &str| {
        let row = &mut made.handles[own[n]];
        assert_ne!(row[field], value);
        row.insert(field.to_owned(), value.to_owned());
        wanted.insert(found(rule, "contact", &row["handle"], name));
    };
    plant(&mut made, 0, "city", secret, "R-escrow-004", "city");
    plant(&mut made, 1, "email", "planted@elsewhere.example", "R-escrow-004", "email");
    plant(&mut made, 2, "email", "", "R-escrow-004", "email");
    plant(&mut made, 3, "address", secret, "R-escrow-004", "street");
    plant(&mut made, 4, "fax", "+99.4711471100", "R-escrow-004", "fax");
    plant(&mut made, 4, "name", "Redacted for Privacy", "R-escrow-006", "name");
    plant(&mut made, 5, "name", "REDACTED FOR PRIVACY", "R-escrow-006", "name");
    plant(&mut made, 5, "email", "Please query the RDDS service of the Registrar of Record", "R-escrow-006", "email");
    plant(&mut made, 6, "phone", "•••", "R-escrow-006", "phone");
    plant(&mut made, 7, "country", "ZZ", "R-escrow-004", "country");
    let privacy = world.load().config.privacy.expect("a provider");
    plant(&mut made, 8, "email", &format!("abc@{}", privacy.email_domain), "R-escrow-007", "email");
    plant(&mut made, 9, "name", &privacy.name, "R-escrow-007", "name");
    let twice = made.handles[own[10]].clone();
    wanted.insert(found("R-escrow-008", "contact", &twice["handle"], "handle"));
    made.handles.push(twice);

    // Mistakes in domains.
    let tech = made.with_tech(&told);
    let of = |made: &Made, n: usize| made.domains[tech[n]]["domain"].to_lowercase();
    let row = |n: usize| tech[n];
    made.domains[row(0)].insert("tc-handle".to_owned(), "GHOST-1".to_owned());
    wanted.insert(found("R-escrow-003", "domain", &of(&made, 0), "tech"));
    wanted.insert(found("R-escrow-004", "domain", &of(&made, 0), "tech"));
    made.domains[row(1)].insert("expiration-date".to_owned(), "2099-01-01 00:00:00".to_owned());
    wanted.insert(found("R-escrow-004", "domain", &of(&made, 1), "expires"));
    made.domains[row(2)].insert("nameservers".to_owned(), "ns1.planted.example".to_owned());
    wanted.insert(found("R-escrow-004", "domain", &of(&made, 2), "ns"));
    made.domains[row(3)].insert("rt-handle".to_owned(), String::new());
    wanted.insert(found("R-escrow-004", "domain", &of(&made, 3), "registrant"));
    let mut stranger = made.domains[row(4)].clone();
    stranger.insert("domain".to_owned(), "not-ours.example".to_owned());
    wanted.insert(found("R-escrow-002", "domain", "not-ours.example", "domain"));
    let gone: Vec<String> = vec![of(&made, 5), of(&made, 6)];
    wanted.extend(gone.iter().map(|name| found("R-escrow-001", "domain", name, "domain")));
    made.domains.retain(|row| !gone.contains(&row["domain"].to_lowercase()));
    made.domains.push(stranger);
    made.write(&dir, "Full");
    let (code, got, json) = checked(&world, &dir);
    let (missed, invented): (Vec<_>, Vec<_>) = (wanted.difference(&got).collect(), got.difference(&wanted).collect());
    assert!(missed.is_empty() && invented.is_empty(), "missed {missed:?}, invented {invented:?}");
    assert_eq!(code, 11);
    // Values are compared and never shown.
    let values = [secret, "planted@elsewhere.example", "4711471100", "ns1.planted.example", &privacy.name];
    assert!(values.iter().all(|value| !json.to_string().contains(value)), "{json}");
    super::schema_files::assert_form("findings", &json);
    let output = world.process(&["report", "escrow", &dir.display().to_string(), "--format", "csv"]).output().expect("a process");
    assert_eq!(csv::Reader::from_reader(output.stdout.as_slice()).records().count(), wanted.len());

    // What a registry alone has counts as well: of a name that the records lost, and of a contact.
    let lost = &made.handles[own[0]]["handle"];
    strike(&world, "domains", &gone[0]);
    strike(&world, "contacts", lost);
    let (_, got, _) = checked(&world, &dir);
    assert!(got.contains(&found("R-escrow-001", "domain", &gone[0], "domain")), "{got:?}");
    assert!(got.contains(&found("R-escrow-005", "contact", lost, "city")), "{got:?}");
    assert!(!got.contains(&found("R-escrow-004", "contact", lost, "city")), "{got:?}");

    // Confined to one registry, the other's names are ours still, and not judged.
    let (_, one, _) = {
        let (code, json, told) = world.run(&["report", "escrow", &dir.display().to_string(), "--registry", "example-minimum"]);
        let ids = json["findings"].as_array().unwrap_or_else(|| panic!("{told}")).iter().map(|f| f["rule"].to_string());
        (code, ids.collect::<BTreeSet<String>>(), told)
    };
    assert!(one.contains("\"R-escrow-002\"") && one.contains("\"R-escrow-006\"") && !one.contains("\"R-escrow-004\""), "{one:?}");

    // An incremental deposit misses nothing.
    privet::base::remove_tree(&dir).expect("removed");
    made.domains.truncate(1);
    made.write(&dir, "Inc");
    let (_, got, _) = checked(&world, &dir);
    assert!(got.iter().all(|(rule, ..)| rule != "R-escrow-001"), "{got:?}");

    // A file that is not what its digest says is no deposit.
    let file: PathBuf = dir.join("1234_RDE_Hdl_20270131.csv");
    let text = std::fs::read_to_string(&file).expect("a file");
    write_atomic(&file, format!("{text}\n").as_bytes()).expect("written");
    let (code, _, told) = world.run(&["report", "escrow", &dir.display().to_string()]);
    assert!(code == 32 && told.contains("E-escrow-004"), "{code} {told}");
}

/// Strikes the row of that id out of a table of the records.
fn strike(world: &World, table: &str, id: &str) {
    let path = world.data().join(format!("records/{table}.csv"));
    let text = std::fs::read_to_string(&path).expect("records");
    let kept: Vec<&str> = text.split_inclusive('\n').filter(|line| line.split(',').nth(1) != Some(id)).collect();
    let kept = kept.concat();
    assert!(kept.len() < text.len(), "{id}");
    write_atomic(&path, kept.as_bytes()).expect("written");
}

/// What the newest run found of generic registries' domains in the fields that a deposit has.
fn differences(world: &World, verb: &[&str]) -> BTreeSet<Vec<String>> {
    let reports = || -> BTreeSet<PathBuf> {
        std::fs::read_dir(world.data().join("reports")).expect("reports").flatten().map(|entry| entry.path()).collect()
    };
    let before = reports();
    let (code, _, told) = world.run(verb);
    assert_eq!(code, 0, "{told}");
    let made = reports().difference(&before).next().cloned().expect("a report");
    let mut reader = csv::Reader::from_path(made.join("differences.csv")).expect("differences");
    let header = reader.headers().expect("a header").clone();
    let columns = ["registry", "object", "id", "field", "local", "remote"].map(|c| header.iter().position(|h| h == c).expect(c));
    let values = |row: csv::StringRecord| {
        let mut values: Vec<String> = columns.iter().map(|&c| row[c].to_owned()).collect();
        // The day counts, however it is written.
        if values[3] == "expires" {
            values[4].truncate(10);
        }
        values
    };
    let rows = reader.records().map(|row| values(row.expect("a row")));
    let fields = ["", "registrant", "admin", "tech", "billing", "expires"];
    rows.filter(|row| GENERIC.contains(&row[0].as_str()) && row[1] == "domain" && fields.contains(&row[3].as_str())).collect()
}

#[test]
fn contacts_and_domains_may_come_from_a_deposit() {
    let world = World::new(600, 17);
    {
        let _served = world.serve(&[]);
        let (code, _, told) = world.run(&["pull"]);
        assert_eq!(code, 0, "{told}");
    }
    let from_files = differences(&world, &["diff"]);
    assert!(!from_files.is_empty());
    Made::of(&world).write(&world.data().join("deposit"), "Full");
    let mut text = std::fs::read_to_string(world.config()).expect("a configuration");
    for table in ["contacts", "domains"] {
        let own = format!("[records.{table}]\nfiles = [\"records/{table}.csv\"]\n");
        assert!(text.contains(&own), "{table}");
        text = text.replace(&own, "");
    }
    let zones =
        |zones: &str| format!("{text}\n[records.escrow]\ndir = \"deposit\"\nzones = {{ {zones} }}\n\n[gates]\nmin_rows_share = 0\n");
    write_atomic(&world.config(), zones("example = \"example-thick\", test = \"example-minimum\"").as_bytes()).expect("written");
    assert_eq!(differences(&world, &["diff"]), from_files);
    assert_eq!(std::fs::read_dir(world.data().join("state/queried")).expect("a directory").count(), 0, "the tables go with the run");
    // A name of nobody's zone, and a deposit of changes alone.
    write_atomic(&world.config(), zones("test = \"example-minimum\"").as_bytes()).expect("written");
    let (code, _, told) = world.run(&["diff"]);
    assert!(code == 32 && told.contains("E-escrow-007") && told.contains("1234_RDE_Full_20270131.csv:2"), "{code} {told}");
    privet::base::remove_tree(&world.data().join("deposit")).expect("removed");
    Made::of(&world).write(&world.data().join("deposit"), "Inc");
    let (code, _, told) = world.run(&["diff"]);
    assert!(code == 32 && told.contains("E-escrow-001"), "{code} {told}");
}
