//! The data as a whole, compared by code that shares nothing with what planted the differences.

use super::*;
use crate::base::{Digest, Handle, Personal};
use crate::dataset::ParquetFile;
use crate::mock::fleet::{self, Fleet};
use crate::model::{Contact, Domain, NameServers, PostalForm, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use unicode_normalization::UnicodeNormalization as _;

type Fields = BTreeMap<String, String>;

fn options(contacts: u64, seed: u64) -> SynthOptions {
    SynthOptions { contacts, seed, change_rate: 0.05, today: "2026-11-21T03:00:00Z".parse().expect("a time") }
}

fn made(contacts: u64, seed: u64) -> (tempfile::TempDir, SynthReport) {
    let dir = tempfile::tempdir().expect("a directory");
    let report = write(dir.path(), &options(contacts, seed)).expect("written");
    (dir, report)
}

/// The rows of a CSV file, each by column.
fn csv_rows(path: &Path) -> Vec<Fields> {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// What the plain rules make of one value.
fn plain(field: &str, value: &str) -> String {
    let words = value.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    let set = |keep: &dyn Fn(&str) -> bool| {
        let parts: BTreeSet<String> = words.split(';').filter(|p| !p.is_empty() && keep(p)).map(ToOwned::to_owned).collect();
        parts.into_iter().collect::<Vec<_>>().join(";")
    };
    match field {
        "int_cc" | "loc_cc" => words.to_uppercase(),
        "voice" | "fax" if !words.is_empty() => {
            let (country, rest) = words.split_once([' ', '.']).expect("a country code");
            format!("{country}.{}", rest.replace([' ', '-'], ""))
        }
        "email" => {
            let (local, domain) = words.split_once('@').expect("an at sign");
            format!("{local}@{}", idna::domain_to_ascii(domain).expect("a domain"))
        }
        "statuses" => set(&|s| !["ok", "linked", "inactive"].contains(&s)),
        "admin" | "tech" | "billing" => set(&|_| true),
        "ns" => {
            let mut hosts: Vec<(String, String)> = words
                .split(';')
                .filter(|h| !h.is_empty())
                .map(|h| {
                    let (host, glue) = h.split_once('=').unwrap_or((h, ""));
                    (host.to_lowercase().trim_end_matches('.').to_owned(), glue.to_owned())
                })
                .collect();
            hosts.sort();
            hosts.into_iter().map(|(h, g)| if g.is_empty() { h } else { format!("{h}={g}") }).collect::<Vec<_>>().join(";")
        }
        "expires" => words.chars().take(10).collect(),
        _ => words,
    }
}

/// A registry's value as a row holds it: sets are sorted, nothing else is touched.
fn as_held(field: &str, value: &str) -> String {
    match field {
        "statuses" => value.split(';').collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(";"),
        "admin" | "tech" | "billing" | "ns" => plain(field, value),
        _ => value.to_owned(),
    }
}

fn put(out: &mut Fields, field: &str, value: Option<&str>) {
    out.insert(field.to_owned(), value.unwrap_or_default().to_owned());
}

fn joined(statuses: &[crate::model::Status]) -> String {
    statuses.iter().map(|s| s.value.as_str()).collect::<Vec<_>>().join(";")
}

fn contact_fields(c: &Contact) -> Fields {
    let mut out = Fields::new();
    for postal in &c.postal {
        let f = if postal.form == PostalForm::Int { "int" } else { "loc" };
        let addr = postal.addr.as_ref().expect("an address");
        put(&mut out, &format!("{f}_name"), postal.name.as_ref().map(Personal::reveal));
        put(&mut out, &format!("{f}_org"), postal.org.as_ref().map(Personal::reveal));
        for (n, line) in addr.street.iter().enumerate() {
            put(&mut out, &format!("{f}_street{}", n + 1), Some(line.reveal()));
        }
        put(&mut out, &format!("{f}_city"), Some(addr.city.reveal()));
        put(&mut out, &format!("{f}_sp"), addr.sp.as_ref().map(Personal::reveal));
        put(&mut out, &format!("{f}_pc"), addr.pc.as_ref().map(Personal::reveal));
        put(&mut out, &format!("{f}_cc"), Some(&addr.cc));
    }
    for (name, phone) in [("voice", &c.voice), ("fax", &c.fax)] {
        put(&mut out, name, phone.as_ref().map(|p| p.number.reveal()));
        put(&mut out, &format!("{name}_x"), phone.as_ref().and_then(|p| p.ext.as_ref()).map(Personal::reveal));
    }
    put(&mut out, "email", c.email.as_ref().map(Personal::reveal));
    put(&mut out, "statuses", Some(&joined(&c.statuses)));
    let disclose = c.disclose.as_ref().map(|d| {
        let elements = [
            (d.addr.int, "addr.int"),
            (d.addr.loc, "addr.loc"),
            (d.email, "email"),
            (d.fax, "fax"),
            (d.name.int, "name.int"),
            (d.name.loc, "name.loc"),
            (d.org.int, "org.int"),
            (d.org.loc, "org.loc"),
            (d.voice, "voice"),
        ];
        let names: Vec<&str> = elements.iter().filter(|(there, _)| *there).map(|(_, name)| *name).collect();
        format!("{}:{}", u8::from(d.flag), names.join(","))
    });
    put(&mut out, "disclose", disclose.as_deref());
    put(&mut out, "properties", Some(&c.properties.to_text()));
    out
}

fn domain_fields(d: &Domain) -> Fields {
    let mut out = Fields::new();
    put(&mut out, "registrant", d.registrant.as_ref().map(Handle::as_str));
    for role in Role::ALL {
        let handles: Vec<&str> = d.contacts.iter().filter(|c| c.role == Some(role)).map(|c| c.handle.as_str()).collect();
        put(&mut out, role.as_str(), Some(&handles.join(";")));
    }
    put(&mut out, "statuses", Some(&joined(&d.statuses)));
    let ns: Vec<String> = match &d.ns {
        NameServers::Objects(names) => names.iter().map(|n| n.as_str().to_owned()).collect(),
        NameServers::Attributes(attrs) => attrs
            .iter()
            .map(|a| {
                let glue: Vec<&str> = a.addrs.iter().map(|ip| &*ip.text).collect();
                if glue.is_empty() { a.name.as_str().to_owned() } else { format!("{}={}", a.name.as_str(), glue.join(",")) }
            })
            .collect(),
    };
    put(&mut out, "ns", Some(&ns.join(";")));
    put(&mut out, "expires", d.expires.as_ref().map(|e| &*e.raw));
    put(&mut out, "properties", Some(&d.properties.to_text()));
    out
}

/// Whatever a walk over the local records, the list and every handle on the way finds at a registry.
fn walk(registry: &dyn Fleet, contacts: &BTreeSet<String>, domains: &BTreeSet<String>) -> [BTreeMap<String, Fields>; 2] {
    let mut handles = contacts.clone();
    let mut found = [BTreeMap::new(), BTreeMap::new()];
    for name in domains {
        if let Some(domain) = registry.domain(name) {
            handles.extend(domain.registrant.iter().chain(domain.contacts.iter().map(|c| &c.handle)).map(|h| h.as_str().to_owned()));
            found[1].insert(name.clone(), domain_fields(&domain));
        }
    }
    for handle in handles {
        if let Some(contact) = registry.contact(&handle) {
            found[0].insert(handle, contact_fields(&contact));
        }
    }
    found
}

/// Puts the privacy services in force into the local records of one registry, by its mechanism.
fn expect_privacy(mechanism: &str, local: &mut [BTreeMap<String, Fields>; 2], services: &[Fields]) {
    let [contacts, domains] = local;
    for service in services.iter().filter(|s| *s["start"] <= *"2026-11-21" && (s["end"].is_empty() || *"2026-11-21" < *s["end"])) {
        let Some(domain) = domains.get_mut(&service["object"]) else { continue };
        match (mechanism, service["privacy"].as_str()) {
            ("proxy", "v1") => {
                for role in ["registrant", "admin", "tech", "billing"] {
                    domain.insert(role.into(), "PRIVACY-V1".into());
                }
            }
            ("proxy", "v2") => {
                let handle = fleet::proxy_handle(&service["object"]).as_str().to_owned();
                domain.insert("registrant".into(), handle.clone());
                let mut proxy = contacts["PRIVACY-V1"].clone();
                proxy.insert("email".into(), format!("{}@relay.example", service["object"]));
                contacts.insert(handle, proxy);
            }
            ("disclose", "v2") => {
                let Some(contact) = contacts.get_mut(&domain["registrant"]) else { continue };
                // Names and e-mail addresses are shown of everybody.
                let elements = [("addr.int", "int_city"), ("addr.loc", "loc_city"), ("fax", "fax"), ("voice", "voice")];
                let names: Vec<&str> = elements.iter().filter(|(_, column)| !contact[*column].is_empty()).map(|(name, _)| *name).collect();
                contact.insert("disclose".into(), format!("0:{}", names.join(",")));
            }
            _ => {}
        }
    }
}

/// Every difference between the records in `dir` and the registries, field by field and without any cleverness.
fn compared(dir: &Path) -> Vec<[String; 7]> {
    let services = csv_rows(&dir.join("records/services.csv"));
    let mut out = Vec::new();
    for registry in REGISTRIES {
        let registry = registry.id;
        let mechanism = match registry {
            "example-thick" => "proxy",
            "nz" => "disclose",
            _ => "",
        };
        let ours = |table: &str| -> BTreeMap<String, Fields> {
            let rows = csv_rows(&dir.join(format!("records/{table}.csv"))).into_iter().filter(|r| r["registry"] == registry);
            rows.map(|mut r| (r.remove("id").expect("an id"), r)).collect()
        };
        let mut local = [ours("contacts"), ours("domains")];
        let listed = std::fs::read_to_string(dir.join(format!("records/list-{registry}.txt"))).unwrap_or_default();
        let names = local[1].keys().cloned().chain(listed.lines().map(ToOwned::to_owned)).collect();
        let state = fleet::open(&dir.join("states").join(registry)).expect("a fleet");
        // A proxy contact that nothing names is asked for by the handle that follows from a domain with a service.
        let sold = services.iter().filter(|service| mechanism == "proxy" && service["privacy"] == "v2").map(|service| &service["object"]);
        let proxies = sold.filter(|name| local[1].contains_key(*name)).map(|name| fleet::proxy_handle(name).as_str().to_owned());
        let remote = walk(&*state, &local[0].keys().cloned().chain(proxies).collect(), &names);
        expect_privacy(mechanism, &mut local, &services);
        for (object, (local, remote)) in ["contact", "domain"].iter().zip(local.iter().zip(&remote)) {
            let row = |id: &str, field: &str, ours: &str, theirs: &str, kind: &str| {
                [registry, object, id, field, ours, theirs, kind].map(ToOwned::to_owned)
            };
            for (id, ours) in local {
                let Some(theirs) = remote.get(id) else {
                    out.push(row(id, "", "", "", "missing_there"));
                    continue;
                };
                for (field, value) in ours.iter().filter(|(field, _)| *field != "registry") {
                    let other = theirs.get(field).map_or("", String::as_str);
                    if plain(field, value) != plain(field, other) {
                        out.push(row(id, field, value, &as_held(field, other), "changed"));
                    }
                }
            }
            out.extend(remote.keys().filter(|id| !local.contains_key(*id)).map(|id| row(id, "", "", "", "missing_here")));
        }
    }
    out.sort();
    out
}

#[test]
fn the_truth_is_what_a_plain_comparison_finds() {
    let mut kinds: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for (contacts, seed) in [(500, 1), (500, 2), (4_000, 3)] {
        let (dir, report) = made(contacts, seed);
        let mut reader = csv::Reader::from_path(dir.path().join("truth/differences.csv")).expect("the truth");
        assert_eq!(reader.headers().expect("a header"), vec!["registry", "object", "id", "field", "local", "remote", "kind"]);
        let truth: Vec<[String; 7]> = reader.deserialize().map(|row| row.expect("a row")).collect();
        assert_eq!(truth.len() as u64, report.differences);
        assert_eq!(report.registries.iter().map(|r| r.differences).sum::<u64>(), report.differences);
        assert!(truth.is_sorted(), "sorted by registry, object, id and field");
        let found = compared(dir.path());
        let (truth_set, found_set): (BTreeSet<_>, BTreeSet<_>) = (truth.iter().collect(), found.iter().collect());
        let lacking: Vec<_> = truth_set.difference(&found_set).take(5).collect();
        let surplus: Vec<_> = found_set.difference(&truth_set).take(5).collect();
        assert!(lacking.is_empty() && surplus.is_empty(), "planted, not found: {lacking:#?}\nfound, not planted: {surplus:#?}");
        assert_eq!(truth, found);
        for [registry, object, _, field, _, _, kind] in truth {
            let field = if kind == "changed" { field } else { String::new() };
            *kinds.entry((kind, object, field)).or_default() += 1;
            *kinds.entry((registry, String::new(), String::new())).or_default() += 1;
        }
    }
    let seen = |kind: &str, object: &str, field: &str| kinds.contains_key(&(kind.to_owned(), object.to_owned(), field.to_owned()));
    for object in ["contact", "domain"] {
        assert!(seen("missing_here", object, "") && seen("missing_there", object, ""), "{kinds:#?}");
    }
    for field in ["registrant", "admin", "tech", "billing", "statuses", "ns", "expires"] {
        assert!(seen("changed", "domain", field), "{field}");
    }
    // Another country alone would make the postal code a wrong one, so that it is changed only where there is none.
    for field in ["int_name", "loc_name", "int_org", "loc_street1", "loc_city", "loc_pc", "voice", "fax", "email", "disclose"] {
        assert!(seen("changed", "contact", field), "{field}");
    }
    for registry in REGISTRIES {
        assert!(seen(registry.id, "", ""), "{}", registry.id);
    }
}

#[test]
fn without_changes_only_what_is_missing_unmasked_or_still_masked_is_left() {
    let dir = tempfile::tempdir().expect("a directory");
    let report = write(dir.path(), &SynthOptions { change_rate: 0.0, ..options(1_000, 5) }).expect("written");
    let leaks = csv_rows(&dir.path().join("truth/leaks.csv"));
    let kinds = |kind: &str| leaks.iter().filter(|row| row["kind"] == kind).count() as u64;
    assert_eq!(["role", "ended", "orphan"].map(kinds), [report.leaks, report.ended, report.orphans]);
    // Where a service is over, the domain's roles still differ, or what its registrant's contact carries.
    let ended = |id: &str| leaks.iter().any(|row| row["kind"] == "ended" && [&row["domain"], &row["handle"]].contains(&&id.to_owned()));
    for row in csv_rows(&dir.path().join("truth/differences.csv")).iter().filter(|row| row["kind"] == "changed") {
        assert!(ended(&row["id"]) || ["registrant", "disclose"].contains(&row["field"].as_str()), "{row:#?}");
    }
}

#[test]
fn an_end_leaves_the_mask_and_an_orphan_is_named_by_nothing() {
    let (dir, _) = made(6_000, 16);
    let services = csv_rows(&dir.path().join("records/services.csv"));
    let contacts = csv_rows(&dir.path().join("records/contacts.csv"));
    let mut met: BTreeSet<(String, String, String)> = BTreeSet::new();
    for row in csv_rows(&dir.path().join("truth/leaks.csv")).iter().filter(|row| row["kind"] != "role") {
        let (registry, domain, handle) = (&row["registry"], &row["domain"], &row["handle"]);
        let state = fleet::open(&dir.path().join("states").join(registry)).expect("a fleet");
        let held = state.domain(domain).expect("a domain");
        let named: Vec<&str> =
            held.registrant.iter().chain(held.contacts.iter().map(|contact| &contact.handle)).map(Handle::as_str).collect();
        assert!(state.contact(handle).is_some(), "{row:?}");
        assert_eq!(named.contains(&handle.as_str()), row["kind"] == "ended", "{row:?}");
        // No service of the domain is active, and one was.
        let of: Vec<_> = services.iter().filter(|service| service["object"] == *domain).collect();
        assert!(!of.is_empty() && of.iter().all(|service| !service["end"].is_empty() && *service["end"] < *"2026-11-21"), "{row:?}");
        let is_known = contacts.iter().any(|contact| contact["registry"] == *registry && contact["id"] == *handle);
        assert_eq!(is_known, row["kind"] == "ended" && !handle.starts_with("PP"), "{row:?}");
        let mask = ["PP", "PRIVACY-V1"].into_iter().find(|mask| handle.starts_with(mask)).unwrap_or("own");
        met.insert((registry.clone(), row["kind"].clone(), mask.to_owned()));
    }
    let wanted = [
        ("example-thick", "ended", "PP"),
        ("example-thick", "ended", "PRIVACY-V1"),
        ("example-thick", "orphan", "PP"),
        ("nicit", "ended", "own"),
        ("nz", "ended", "own"),
    ];
    assert!(met.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).eq(wanted), "{met:?}");
}

#[test]
fn equal_options_give_equal_bytes_and_another_seed_others() {
    let digests = |dir: &Path| -> BTreeMap<PathBuf, Digest> {
        let mut files = BTreeMap::new();
        let mut open = vec![dir.to_owned()];
        while let Some(next) = open.pop() {
            for entry in std::fs::read_dir(next).expect("a directory") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let relative = path.strip_prefix(dir).expect("below").to_owned();
                    files.insert(relative, Digest::of(&std::fs::read(&path).expect("a file")));
                }
            }
        }
        files
    };
    let ((a, first), (b, second), (c, _)) = (made(300, 9), made(300, 9), made(300, 10));
    assert_eq!(first, second);
    assert_eq!(digests(a.path()), digests(b.path()));
    let other = digests(c.path());
    let same: Vec<_> =
        digests(a.path()).into_iter().filter(|(path, digest)| other.get(path) == Some(digest)).map(|(path, _)| path).collect();
    // Cases are planted by hand; some are somebody's, and tell whose.
    let of_people = ["request", "hold", "withholding", "notice", "verification"];
    let cases = CASES.iter().filter(|register| !of_people.contains(register)).map(|register| format!("records/cases-{register}.csv"));
    let cases: Vec<String> = cases.collect();
    let fixed = ["privet.toml", "records/basis.toml", "truth/asked.csv", "truth/deadlines.csv", "truth/registers.csv"]
        .into_iter()
        .chain(cases.iter().map(String::as_str));
    assert_eq!(same.into_iter().collect::<BTreeSet<_>>(), fixed.map(PathBuf::from).collect());
}

#[test]
fn parquet_holds_what_csv_holds() {
    let (dir, report) = made(600, 11);
    for (table, rows) in [("contacts", report.contacts), ("domains", report.domains), ("services", report.services)] {
        let csv = csv_rows(&dir.path().join(format!("records/{table}.csv")));
        assert_eq!(csv.len() as u64, rows, "{table}");
        let columns: Vec<&str> = csv[0].keys().map(String::as_str).collect();
        let file = ParquetFile::open(&dir.path().join(format!("records/{table}.parquet")), &columns, false).expect("Parquet");
        let mut at = 0;
        for n in 0..file.batches() {
            let batch = file.batch(n).expect("a batch");
            for row in 0..batch.rows() {
                for (column, (_, value)) in csv[at].iter().enumerate() {
                    assert_eq!(batch.get(column, row).unwrap_or_default(), value);
                }
                at += 1;
            }
        }
        assert_eq!(at, csv.len());
    }
}

#[test]
fn records_name_objects_once_and_write_values_in_several_ways() {
    let (dir, report) = made(2_000, 12);
    let (held, ours) = (report.registries.iter().map(|r| r.contacts).sum::<u64>(), report.contacts);
    // The registry that may be asked least holds no more than it may be asked for in a minute.
    assert!((1_900..2_000).contains(&held), "{held}");
    // 51 customers of the past are in the records alone; besides them, some are missing on either side.
    assert!(ours.abs_diff(held + 51) < 40, "{ours}");
    let text = std::fs::read_to_string(dir.path().join("records/contacts.csv")).expect("the contacts");
    for table in ["contacts", "domains"] {
        let rows = csv_rows(&dir.path().join(format!("records/{table}.csv")));
        let ids: BTreeSet<_> = rows.iter().map(|r| (&r["registry"], &r["id"])).collect();
        assert_eq!(ids.len(), rows.len());
    }
    for (what, there) in [
        ("decomposed letters", text.contains('\u{308}')),
        ("doubled blanks", text.contains("  ")),
        ("U-labels", text.contains("@bücherwurm.example")),
        ("capitals", text.contains("@MAIL.EXAMPLE")),
        ("blanks in numbers", text.contains("+49 555")),
        ("supplementary Han", text.contains('𠮷')),
    ] {
        assert!(there, "{what}");
    }
    let domains = std::fs::read_to_string(dir.path().join("records/domains.csv")).expect("the domains");
    assert!(domains.contains("T12:30:00Z") && domains.contains(" 08:15:00") && domains.contains(".example.;"));
    let services = csv_rows(&dir.path().join("records/services.csv"));
    for privacy in ["none", "v1", "v2"] {
        assert!(services.iter().any(|s| s["privacy"] == privacy));
    }
    assert!(services.iter().any(|s| *s["end"] < *"2026-11-21" && !s["end"].is_empty() && !s["end_reason"].is_empty()));
    let list = std::fs::read_to_string(dir.path().join("records/list-nz.txt")).expect("the list");
    let nz = report.registries.iter().find(|r| r.id == "nz").expect("there");
    assert_eq!(list.lines().count() as u64, nz.domains);
}

#[test]
fn the_configuration_is_toml_that_names_what_is_there() {
    let (dir, report) = made(100, 13);
    let config: toml::Table = toml::from_str(&std::fs::read_to_string(dir.path().join("privet.toml")).expect("text")).expect("TOML");
    assert_eq!(config["version"].as_integer(), Some(1));
    let registries = config["registries"].as_table().expect("registries");
    assert!(report.registries.iter().map(|r| r.id.as_str()).eq(registries.keys().map(String::as_str)));
    for registry in &report.registries {
        assert_eq!(registries[&registry.id]["profile"].as_str(), Some(registry.profile.as_str()));
        assert!(dir.path().join("states").join(&registry.id).join("fleet.toml").exists());
    }
    for table in ["contacts", "domains", "services", "orders"] {
        let file = config["records"][table]["files"][0].as_str().expect("a file");
        assert!(dir.path().join(file).exists());
    }
    assert!(dir.path().join(registries["nz"]["list"].as_str().expect("a list")).exists());
}

#[test]
fn an_existing_configuration_and_an_impossible_rate_are_refused() {
    let (dir, _) = made(10, 14);
    assert_eq!(write(dir.path(), &options(10, 14)).expect_err("there is one").id, "E-synth-002");
    let empty = tempfile::tempdir().expect("a directory");
    for change_rate in [-0.1, 1.1, f64::NAN] {
        let e = write(empty.path(), &SynthOptions { change_rate, ..options(10, 14) }).expect_err("out of range");
        assert_eq!(e.id, "E-synth-001");
    }
}

#[test]
fn any_number_of_contacts_works() {
    for contacts in [0, 1, 2, 3, 9, 10, 41] {
        let (dir, report) = made(contacts, 15);
        assert_eq!(report.registries.iter().map(|r| r.contacts).sum::<u64>(), contacts);
        assert_eq!(compared(dir.path()).len() as u64, report.differences);
    }
}
