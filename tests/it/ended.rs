//! Services that are over and proxy contacts that nothing names: `privet plan privacy-off` finds what was planted and nothing else, at
//! every registry by its own mechanism; once it is applied, nothing is left to plan.

use crate::served::{REGISTRIES, THICK, World, context};
use privet::base::{DomainName, Handle};
use privet::dataset::{ContactField, DomainField};
use privet::diff::proxy_handle;
use privet::job::pull;
use privet::mock::fleet::{Fleet as _, Mask};
use privet::plan::{Operation, PlanFile, Turn};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Registry, kind of object, handle or name.
type Object = [String; 3];

/// The rows of a CSV file, by column.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// The objects that a plan has to be about, or to say why not: domains behind a mask, contacts that are withheld, and orphans.
fn planted(world: &World) -> BTreeSet<Object> {
    let leaks = rows(&world.data().join("truth/leaks.csv"));
    let object = |row: &BTreeMap<String, String>| {
        let is_domain = row["kind"] == "ended" && row["registry"] == THICK;
        let (kind, id) = if is_domain { ("domain", &row["domain"]) } else { ("contact", &row["handle"]) };
        [row["registry"].clone(), kind.to_owned(), id.clone()]
    };
    leaks.iter().filter(|row| row["kind"] != "role").map(object).collect()
}

/// Plans; gives the operations, and the rule by which each object was left out.
fn plan(world: &World, name: &str) -> (PathBuf, Vec<Operation>, BTreeMap<Object, String>) {
    let path = world.data().join(name);
    let out = path.display().to_string();
    let allow = ["--allow", "share", "--allow", "reveal", "--allow", "delete", "--reason", "a test"];
    let (code, json, _) = world.run(&[&["plan", "privacy-off", "--out", &out], &allow[..]].concat());
    assert!([0, 10, 20].contains(&code), "{code}: {json:#}");
    let operations = PlanFile::open(&path).expect("a plan").operations().expect("operations").map(|op| op.expect("an operation")).collect();
    let findings = rows(&PathBuf::from(json["reports"].as_str().expect("a folder")).join("findings.csv"));
    let rule = |row: BTreeMap<String, String>| (["registry", "object", "id"].map(|column| row[column].clone()), row["rule"].clone());
    let left_out = findings.into_iter().map(rule).collect();
    (path, operations, left_out)
}

fn objects(operations: &[Operation]) -> BTreeSet<Object> {
    operations.iter().map(|op| [op.registry.clone(), op.object.kind.as_str().to_owned(), op.object.id.clone()]).collect()
}

/// The tables of `report protection`.
fn protection(world: &World) -> (Value, PathBuf) {
    let (code, json, _) = world.run(&["report", "protection"]);
    assert!([0, 11].contains(&code), "{code}");
    crate::schema_files::assert_form("protection", &json);
    let reports = PathBuf::from(json["reports"].as_str().expect("a folder"));
    (json, reports)
}

/// The statuses of an object as its registry held it.
fn statuses(world: &World, object: &Object) -> String {
    let [registry, kind, id] = object;
    let column = if kind == "domain" { DomainField::Statuses.at() } else { ContactField::Statuses.at() };
    let held = world.observed(registry).into_iter().find(|(of, name, _, _)| of.as_str() == kind && name == id).expect("observed");
    held.3[column].clone().unwrap_or_default()
}

/// What keeps each planted object from being planned for, by what the truth, the profile and the registry's own statuses say.
fn kept(world: &World, planted: &BTreeSet<Object>) -> BTreeMap<Object, String> {
    let blocked: BTreeMap<Object, String> = rows(&world.data().join("truth/blocked.csv"))
        .into_iter()
        .filter(|row| row["purpose"] == "publication" && row["object"] == "contact")
        .map(|row| (["registry", "object", "id"].map(|column| row[column].clone()), row["rule"].clone()))
        .collect();
    let why = |object: &Object| {
        let is_frozen =
            statuses(world, object).split(';').any(|status| status.ends_with("UpdateProhibited") || status.starts_with("pending"));
        match object[0].as_str() {
            _ if is_frozen => Some("R-plan-010".to_owned()),
            THICK => None,
            _ => blocked.get(object).cloned(),
        }
    };
    planted.iter().filter_map(|object| Some((object.clone(), why(object)?))).collect()
}

#[test]
fn privacy_off_finds_what_was_planted_and_nothing_else_and_once_applied_nothing_is_left() {
    let world = World::new(1_500, 34);
    let _served = world.serve(&[]);
    world.import_consent();
    pull(&world.load(), &context(&[])).expect("pulled");

    let planted = planted(&world);
    let kept = kept(&world, &planted);
    let (path, operations, left_out) = plan(&world, "one.plan");
    let found = objects(&operations);
    let wanted: BTreeSet<Object> = planted.iter().filter(|object| !kept.contains_key(*object)).cloned().collect();
    let (missed, surplus): (Vec<_>, Vec<_>) = (wanted.difference(&found).collect(), found.difference(&wanted).collect());
    assert!(missed.is_empty() && surplus.is_empty(), "planted, not planned: {missed:#?}\nplanned, not planted: {surplus:#?}");
    assert_eq!(left_out, kept, "what is not planned is told, by the rule that keeps it");
    // Every mechanism is met, both ways where there are two.
    let met = |registry: &str, kind: &str, turn: Turn| {
        operations.iter().any(|op| op.registry == registry && op.object.kind.as_str() == kind && op.steps[0].turn == turn)
    };
    for (registry, kind, turn) in [
        (THICK, "domain", Turn::Update),
        (THICK, "contact", Turn::Delete),
        ("nicit", "contact", Turn::Update),
        ("nz", "contact", Turn::Update),
    ] {
        assert!(met(registry, kind, turn), "{registry} {kind}: {found:#?}");
    }
    assert!(["nicit", "nz"].iter().all(|registry| left_out.keys().any(|object| object[0] == *registry)), "{left_out:?}");

    // The report tells of the same orphans.
    let orphans = |reports: &Path| -> BTreeSet<Object> {
        let rows = rows(&reports.join("orphan-proxies.csv"));
        assert!(rows.iter().all(|row| row["handle"] == proxy_handle(&DomainName::new(row["domain"].as_str()))));
        rows.into_iter().map(|row| [row["registry"].clone(), "contact".to_owned(), row["handle"].clone()]).collect()
    };
    let (json, reports) = protection(&world);
    let of_thick = |object: &&Object| object[0] == THICK && object[1] == "contact";
    assert_eq!(orphans(&reports), planted.iter().filter(of_thick).cloned().collect());
    residuals(&world, &json, &reports);

    let commits = || REGISTRIES.iter().map(|registry| world.commits(registry)).sum::<usize>();
    let (code, json, _) = world.run(&["apply", &path.display().to_string()]);
    assert_eq!((code, json["verified"].as_u64()), (0, Some(operations.len() as u64)), "{json:#}");
    assert_eq!(commits(), operations.iter().map(|op| op.steps.len()).sum::<usize>(), "each step took effect once");
    pull(&world.load(), &context(&[])).expect("pulled");
    let (_, again, left) = plan(&world, "two.plan");
    assert!(again.is_empty(), "{:#?}", objects(&again));
    assert_eq!(left, kept, "what was kept is kept still");
    // The proxy contacts went with the services, and none of them is left to be found.
    let (_, reports) = protection(&world);
    assert_eq!(orphans(&reports), BTreeSet::new());
}

/// Holds the table of contacts that a proxy contact replaced against what the fleet says of its domains.
fn residuals(world: &World, json: &Value, reports: &Path) {
    let fleet = world.fleet(THICK);
    let ended: BTreeSet<String> = rows(&world.data().join("truth/leaks.csv"))
        .into_iter()
        .filter(|row| row["kind"] == "ended")
        .map(|row| row["domain"].clone())
        .collect();
    let ours = rows(&world.data().join("records/contacts.csv"));
    let is_ours = |handle: &str| ours.iter().any(|row| row["registry"] == THICK && row["id"] == handle);
    let mut replaced: BTreeMap<Handle, u64> = BTreeMap::new();
    let mut named: BTreeMap<Handle, BTreeSet<String>> = BTreeMap::new();
    for index in 0..fleet.domain_count() {
        let (order, held) = (fleet.order_at(index), fleet.domain_at(index));
        let name = held.name.as_str().to_owned();
        if fleet.mask_at(index) == Mask::V2 && !fleet.is_bare_domain(index) && !ended.contains(&name) {
            *replaced.entry(order.registrant.expect("a registrant")).or_default() += 1;
        }
        for handle in held.registrant.into_iter().chain(held.contacts.into_iter().map(|contact| contact.handle)) {
            named.entry(handle).or_default().insert(name.clone());
        }
    }
    let mut wanted = BTreeSet::new();
    for (handle, domains) in replaced.into_iter().filter(|(handle, _)| is_ours(handle.as_str())) {
        let contact = fleet.contact(handle.as_str()).expect("a contact");
        let by: Vec<(&str, String)> = match named.get(&handle) {
            Some(names) => names.iter().map(|name| ("domain", name.clone())).collect(),
            None => vec![("status", "linked".to_owned())],
        };
        let keeps = contact.statuses.iter().map(|status| status.value.as_str()).filter(|status| status.ends_with("DeleteProhibited"));
        for (by, blocker) in by.into_iter().chain(keeps.map(|status| ("status", status.to_owned()))) {
            wanted.insert([handle.as_str().to_owned(), domains.to_string(), by.to_owned(), blocker]);
        }
    }
    let table = rows(&reports.join("residual-contacts.csv"));
    assert!(table.iter().all(|row| row["registry"] == THICK));
    let found: BTreeSet<[String; 4]> =
        table.iter().map(|row| ["handle", "domains", "blocked_by", "blocker"].map(|column| row[column].clone())).collect();
    let (missed, surplus): (Vec<_>, Vec<_>) = (wanted.difference(&found).collect(), found.difference(&wanted).collect());
    assert!(missed.is_empty() && surplus.is_empty() && table.len() == found.len(), "not told: {missed:#?}\ntold: {surplus:#?}");
    let handles: BTreeSet<&String> = table.iter().map(|row| &row["handle"]).collect();
    let counted = json["left_behind"].as_array().expect("registries").iter().find(|one| one["registry"] == THICK).expect("the registry");
    assert_eq!(counted["residuals"].as_u64(), Some(handles.len() as u64), "{counted}");
    // Some are named by other domains, and some by none.
    let by = |kind: &str| table.iter().filter(|row| row["blocked_by"] == kind).count();
    assert!(by("domain") > 0 && by("status") > 0, "{table:?}");
}
