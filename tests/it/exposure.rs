//! `report exposure`: everything that was planted and nothing else, at every registry; what a plan changes of it; and nobody's data.

use crate::served::{REGISTRIES, THICK, World, context};
use privet::base::write_atomic;
use privet::dataset::ParquetFile;
use privet::job::pull;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rows of a CSV file, by column.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// Runs the report: what it printed, and its folder.
fn report(world: &World, more: &[&str]) -> (Value, PathBuf) {
    let (code, json, told) = world.run(&[&["report", "exposure"], more].concat());
    assert_eq!(code, 11, "{told}");
    crate::schema_files::assert_form("exposure", &json);
    let reports = PathBuf::from(json["reports"].as_str().expect("a folder"));
    (json, reports)
}

/// The findings of a folder that rest on no heuristic, or those of the truth.
fn deterministic(path: &Path) -> BTreeSet<[String; 5]> {
    let all = rows(path).into_iter().filter(|row| row.get("confidence").is_none_or(|confidence| confidence != "guess"));
    all.map(|row| ["registry", "object", "id", "field", "rule"].map(|column| row[column].clone())).collect()
}

/// The rows of a table's JSON.
fn json_rows(path: &Path) -> Vec<serde_json::Map<String, Value>> {
    let file: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    serde_json::from_value(file["rows"].clone()).expect("an array of objects")
}

#[test]
fn what_was_planted_is_found_and_nothing_else() {
    let mut met = BTreeSet::new();
    for seed in [59, 67] {
        let world = World::new(1_500, seed);
        let _served = world.serve(&[]);
        world.import_consent();
        pull(&world.load(), &context(&[])).expect("pulled");
        let (json, reports) = report(&world, &[]);
        let planted = deterministic(&world.data().join("truth/exposure.csv"));
        let found = deterministic(&reports.join("findings.csv"));
        let (missed, surplus): (Vec<_>, Vec<_>) = (planted.difference(&found).collect(), found.difference(&planted).collect());
        assert!(missed.is_empty() && surplus.is_empty(), "seed {seed}\nplanted, not found: {missed:#?}\nfound, not planted: {surplus:#?}");
        met.extend(planted.into_iter().map(|[.., rule]| rule));
        three_formats(&reports);
        let registries: Vec<&str> =
            json["registries"].as_array().expect("registries").iter().filter_map(|r| r["registry"].as_str()).collect();
        assert_eq!(registries, REGISTRIES);
        assert!(json["registries"].as_array().expect("registries").iter().any(|r| r["answers"].as_u64() > Some(0)));
        nobody_is_named(&world, &reports);
        offered(&world, &reports);
    }
    // Every rule that rests on no heuristic is met.
    let wanted = ["001", "002", "003", "004", "005", "006", "007", "010", "013", "014"].map(|n| format!("R-exposure-{n}"));
    assert_eq!(met, BTreeSet::from(wanted));
}

/// Whoever has an address that says who it is, and was offered another one, stands there with the day.
fn offered(world: &World, reports: &Path) {
    let of = |reports: &Path| {
        let all = rows(&reports.join("exposure-candidates.csv")).into_iter().filter(|row| row["rule"] == "R-exposure-011");
        all.map(|row| [row["registry"].clone(), row["handle"].clone(), row["offered"].clone()]).collect::<Vec<_>>()
    };
    let before = of(reports);
    let [registry, handle, none] = before.first().expect("a candidate");
    assert_eq!(none, "");
    let events = format!(
        "case,event,at,registry,handle,notice,version\nx-1,shown,2026-10-01,{registry},{handle},functional-address,1\n\
         x-1,shown,2026-11-02,{registry},{handle},functional-address,2\nx-2,shown,2026-11-03,{registry},{handle},privacy,2\n"
    );
    let file = world.data().join("offers.csv");
    write_atomic(&file, events.as_bytes()).expect("written");
    let (code, _, told) = world.run(&["notice", "import", &file.display().to_string()]);
    assert_eq!(code, 0, "{told}");
    let after = of(&report(world, &[]).1);
    let days: BTreeSet<&str> = after.iter().map(|[.., day]| day.as_str()).collect();
    assert!(after.contains(&[registry.clone(), handle.clone(), "2026-11-02".to_owned()]) && days.contains(""), "{after:?}");
}

/// Each table says the same in its three formats, and the summary counts what the rows say.
fn three_formats(reports: &Path) {
    for table in ["exposure", "exposure-summary", "exposure-heat", "exposure-candidates", "exposure-minimisation", "exposure-special"] {
        let file = |end: &str| reports.join(format!("{table}.{end}"));
        let (csv, json) = (rows(&file("csv")), json_rows(&file("json")));
        assert_eq!(csv.len(), json.len(), "{table}");
        for (one, other) in csv.iter().zip(&json) {
            let told: BTreeMap<String, String> = other
                .iter()
                .map(|(key, value)| (key.clone(), value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)))
                .collect();
            assert_eq!(*one, told, "{table}");
        }
        let column = *["domain", "tld", "handle", "element", "kind"]
            .iter()
            .find(|column| csv.first().is_none_or(|row| row.contains_key(**column)))
            .expect("a column");
        if csv.is_empty() {
            continue;
        }
        let parquet = ParquetFile::open(&file("parquet"), &[column], false).expect("Parquet");
        let there: u64 = (0..parquet.batches()).map(|n| parquet.batch(n).expect("a batch").rows() as u64).sum();
        assert_eq!(there, csv.len() as u64, "{table}");
    }
    let mut counted: BTreeMap<[String; 5], u64> = BTreeMap::new();
    for row in rows(&reports.join("exposure.csv")) {
        for element in ["name", "organisation", "street", "city", "state", "postal-code", "country", "voice", "fax", "email"] {
            if row[element] != "absent" {
                let key = [&row["registry"], &row["tld"], &row["role"], &element.to_owned(), &row[element]].map(ToOwned::to_owned);
                *counted.entry(key).or_default() += 1;
            }
        }
    }
    let summary: BTreeMap<[String; 5], u64> = rows(&reports.join("exposure-summary.csv"))
        .into_iter()
        .map(|row| (["registry", "tld", "role", "element", "state"].map(|c| row[c].clone()), row["count"].parse().expect("a number")))
        .collect();
    assert_eq!(counted, summary);
}

/// No name and no address of anybody's stands in any of the report's files.
fn nobody_is_named(world: &World, reports: &Path) {
    let people: BTreeSet<String> = rows(&world.data().join("records/contacts.csv"))
        .into_iter()
        .flat_map(|row| ["loc_name", "int_name", "email", "loc_street1", "voice"].map(|column| row[column].clone()))
        .filter(|value| value.chars().count() >= 8)
        .collect();
    for entry in std::fs::read_dir(reports).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() && path.extension().is_some_and(|end| end != "parquet") {
            if path.extension().is_some_and(|end| end == "pdf") {
                let text = crate::sample::pdf_text(&path);
                let named = |value: &&String| value.as_str() != "Privacy service" && text.contains(&crate::sample::bare(value));
                assert_eq!(people.iter().find(named), None, "{} names somebody", path.display());
                continue;
            }
            let is_workbook = path.extension().is_some_and(|end| end == "xlsx");
            let text = if is_workbook { crate::keeping::workbook_text(&path) } else { std::fs::read_to_string(&path).expect("text") };
            // The provider's own name is nobody's.
            let values = text.split([',', ';', ':', '"', '<', '>', '\n']).map(str::trim).filter(|value| *value != "Privacy service");
            assert_eq!(values.filter(|value| people.contains(*value)).count(), 0, "{} names somebody", path.display());
        }
    }
}

#[test]
fn a_plan_is_told_with_what_it_makes_of_each_domain() {
    let world = World::new(900, 52);
    let _served = world.serve(&[]);
    world.import_consent();
    pull(&world.load(), &context(&[])).expect("pulled");
    let plan = world.data().join("privacy.plan").display().to_string();
    let (code, json, told) = world.run(&["plan", "privacy", "--out", &plan, "--allow", "share", "--reason", "a test"]);
    assert!([0, 10, 20].contains(&code), "{code} {told} {json}");
    let (json, reports) = report(&world, &["--plan", &plan]);
    assert_eq!(json["plan"], Value::String(plan.clone()));
    let leaks = |stage: &str| -> u64 {
        let of = |one: &&Value| one["stage"] == stage && one["seen"] == "leak";
        json["elements"].as_array().expect("counts").iter().filter(of).filter_map(|one| one["elements"].as_u64()).sum()
    };
    assert!(leaks("planned") < leaks("now"), "{:#}", json["elements"]);
    // Of each domain that it puts behind a proxy contact, the registrant is masked then and was not before.
    let of = |row: &BTreeMap<String, String>| (row["domain"].clone(), row["stage"].clone());
    let registrants: BTreeMap<(String, String), BTreeMap<String, String>> = rows(&reports.join("exposure.csv"))
        .into_iter()
        .filter(|row| row["registry"] == THICK && row["role"] == "registrant")
        .map(|row| (of(&row), row))
        .collect();
    let bare: Vec<&String> =
        registrants.iter().filter(|((_, stage), row)| stage == "now" && row["country"] == "leak").map(|((domain, _), _)| domain).collect();
    let masked = |domain: &str| registrants[&(domain.to_owned(), "planned".to_owned())]["country"] == "masked-v2";
    assert!(!bare.is_empty() && bare.iter().any(|domain| masked(domain)), "{bare:?}");
    let stages: BTreeSet<&String> = registrants.keys().map(|(_, stage)| stage).collect();
    assert_eq!(stages.len(), 2);
    let (code, _, told) = world.run(&["report", "exposure", "--plan", "nowhere.plan"]);
    assert!(code == 33 && told.contains("E-file-001"), "{code} {told}");
}

#[test]
fn what_consent_and_agents_say_counts_and_bad_agents_are_told() {
    let world = World::new(600, 54);
    let _served = world.serve(&[]);
    pull(&world.load(), &context(&[])).expect("pulled");
    let config = std::fs::read_to_string(world.config()).expect("text");
    let with = |agents: &str| write_atomic(&world.config(), format!("{config}\n{agents}").as_bytes()).expect("written");
    let not_own =
        |reports: &Path| deterministic(&reports.join("findings.csv")).into_iter().filter(|row| row[4] == "R-exposure-003").count();
    let before = not_own(&report(&world, &[]).1);
    with("[agents.shop]\nemail_domain = \"mail.example\"\n");
    let (_, reports) = report(&world, &[]);
    assert!(not_own(&reports) > before, "registrants at the reseller's mail domain");
    let told = std::fs::read_to_string(reports.join("findings.csv")).expect("text");
    assert!(told.contains("the agent `shop`'s") && !told.contains("@mail.example"));
    // What the registry put there itself is no agent's.
    let nz = &world.load().config.registries;
    let id = nz.iter().find(|(_, registry)| registry.profile.id == "nz").expect("a registry").0.to_string();
    let of_nz = |reports: &Path| {
        let rows = deterministic(&reports.join("findings.csv"));
        rows.into_iter().filter(|row| row.contains(&"R-exposure-003".to_owned()) && row.contains(&id)).count()
    };
    assert!(of_nz(&reports) > 0, "the reseller's mail domain is met here, too");
    let own = "[stand_in]\nvalue = { email_domains = [\"MAIL.example\"] }\nsource = \"our contract\"\nconfidence = \"seen\"\n";
    write_atomic(&world.config().with_file_name("own.toml"), own.as_bytes()).expect("written");
    let table = format!("[registries.{id}]\n");
    assert!(config.contains(&table), "{config}");
    let ours = config.replace(&table, &format!("{table}rules = \"own.toml\"\n"));
    let agents = "[agents.shop]\nemail_domain = \"mail.example\"\n";
    write_atomic(&world.config(), format!("{ours}\n{agents}").as_bytes()).expect("written");
    assert_eq!(of_nz(&report(&world, &[]).1), 0);
    for (agents, wanted) in [
        ("[agents.shop]\n", "E-config-014"),
        ("[agents.shop]\nname = 7\n", "agents.shop.name"),
        ("[agents.shop]\nnmae = \"x\"\norg = \"y\"\n", "agents.shop.nmae"),
        ("[agents]\nshop = 1\n", "agents.shop"),
    ] {
        with(agents);
        let (code, _, told) = world.run(&["report", "exposure"]);
        assert!(code == 2 && told.contains(wanted), "{agents}: {code} {told}");
    }
}
