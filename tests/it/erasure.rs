//! Erasure by plan: what no rule keeps goes from the registries, what something names stays and is told, and a later reading proves both.

use crate::keeping::{folder, rows, that_day};
use crate::served::{World, context};
use privet::base::{Exit, Problems, write_atomic};
use privet::job::{
    ApplyOptions, Ended, PlanOptions, apply, diff, plan, pull, register_import, report_erasure, report_retention, store_path, verify,
};
use privet::model::ObjectKind;
use privet::plan::{Operation, PlanFile, Recipe, vault_name};
use privet::store::{SqliteStore, Vault};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Plans as of the day that the data describe; the lines are of today.
fn planned(world: &World, out: &str) -> (PathBuf, Ended, Vec<Operation>) {
    let path = world.data().join(out);
    let allow = ["delete", "share", "count"].map(str::to_owned).to_vec();
    let options = PlanOptions {
        recipe: Recipe::Erasure,
        select: Vec::new(),
        out: Some(path.clone()),
        allow,
        reason: Some("a test".to_owned()),
        by: Some("dpo".to_owned()),
        relock: None,
    };
    let ended = plan(&world.load(), &that_day(), &options).expect("planned");
    let operations = PlanFile::open(&path).expect("a plan").operations().expect("operations").map(|op| op.expect("one")).collect();
    (path, ended, operations)
}

fn applied(world: &World, path: &Path) -> Result<Ended, Problems> {
    apply(&world.load(), path, &ApplyOptions::default(), &context(&[]))
}

/// The records, in which the contact `handle` is reached by another number.
fn altered(records: &str, handle: &str) -> String {
    let mut reader = csv::Reader::from_reader(records.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|h| h == name).expect("the column");
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&header).expect("written");
    for row in reader.records().map(|row| row.expect("a row")) {
        let is_it = &row[at("id")] == handle;
        let cell = |(n, cell): (usize, &str)| if is_it && n == at("voice") { "+49.30123456".to_owned() } else { cell.to_owned() };
        out.write_record(row.iter().enumerate().map(cell)).expect("written");
    }
    String::from_utf8(out.into_inner().expect("written")).expect("text")
}

fn named(operations: &[Operation]) -> BTreeSet<Vec<String>> {
    operations.iter().map(|op| vec![op.registry.clone(), op.object.id.clone()]).collect()
}

fn keys(world: &World, operations: &[Operation]) -> usize {
    let mut store = SqliteStore::open(&store_path(&world.load().config.state)).expect("a store");
    let mut vault = Vault::new(&mut store);
    let has = |op: &&Operation| vault.key_of(&vault_name(&op.registry, ObjectKind::Contact, &op.object.id)).expect("read").is_some();
    operations.iter().filter(has).count()
}

#[test]
fn what_is_to_go_goes_and_what_is_named_stays_and_both_are_proved_by_a_later_reading() {
    let world = World::new(300, 6);
    let _served = world.serve(&[]);
    pull(&world.load(), &context(&[])).expect("pulled");
    world.import_holds();
    let truth = rows(&world.data().join("truth/erasure.csv"), &["registry", "object", "state"]);
    let wanted: BTreeSet<Vec<String>> = truth.iter().map(|row| row[..2].to_vec()).collect();
    // A contact that is to go differs from its record, which a run tells before it goes.
    let doomed = truth.iter().find(|row| row[2] == "erased").expect("one that goes");
    let records = world.data().join("records/contacts.csv");
    let text = std::fs::read_to_string(&records).expect("records");
    write_atomic(&records, altered(&text, &doomed[1]).as_bytes()).expect("written");
    let before = folder(&diff(&world.load(), &context(&[])).expect("ended"));
    let about = format!("{},contact,{},", doomed[0], doomed[1]);
    let has = |file: &str| String::from_utf8_lossy(&std::fs::read(before.join(file)).expect("a file")).contains(&about);
    assert!(has("differences.csv"));
    let (path, ended, operations) = planned(&world, "erasure.plan");
    assert_eq!(named(&operations), wanted, "{}", ended.text);
    assert!(truth.iter().filter(|row| row[2] == "residual").count() >= 2 && truth.iter().any(|row| row[2] == "erased"));
    assert_eq!(keys(&world, &operations), operations.len());
    // No plan shows whom it is about, and the records are told of apart.
    let text = std::fs::read_to_string(&path).expect("a plan");
    assert!(!text.contains('@') && !text.contains("clear\":\"+"), "a value of a person stands in the plan");
    let local = rows(&folder(&ended).join("local-erasures.csv"), &["registry", "id", "trigger"]);
    assert!(local.iter().all(|row| row[2] == "expiry") && local.len() > wanted.len());
    let planned_ids: BTreeSet<Vec<String>> = local.iter().map(|row| row[..2].to_vec()).collect();
    assert!(planned_ids.is_superset(&wanted));
    let ended = applied(&world, &path).expect("applied");
    let residual = truth.iter().filter(|row| row[2] == "residual").count();
    assert_eq!(ended.exit(), Exit::SomeFailed, "{}", ended.text);
    assert_eq!(ended.json["verified"], truth.len() - residual, "{:#}", ended.json);
    assert_eq!(ended.json["keys_destroyed"], truth.len() - residual);
    assert_eq!(keys(&world, &operations), residual, "a before-image of what was erased could be read");
    // What the earlier run told of it is redacted, with a signature, and cannot be opened any more.
    assert!(!has("differences.csv"), "{}", ended.text);
    let key = world.data().join("state/proof/key.pub").display().to_string();
    let verified = verify(&before, &key, None, None).expect("a proof");
    assert_eq!(verified.exit(), Exit::Done, "{}", verified.text);
    assert!(
        verified.text.contains("differences.csv: altered, with a signed redaction of ") && verified.text.contains(", plan "),
        "{}",
        verified.text
    );
    // Proved by what was read back at once; nobody asked since.
    let columns = ["registry", "object", "state", "reread", "method", "local"];
    let report = report_erasure(&world.load(), &context(&[])).expect("reported");
    super::schema_files::assert_form("erasures", &report.json);
    let told = rows(&folder(&report).join("erasures.csv"), &columns);
    let states: BTreeSet<Vec<String>> = told.iter().map(|row| row[..3].to_vec()).collect();
    assert_eq!(states, truth);
    assert!(told.iter().all(|row| row[3] == "not" && row[5] == "there"), "{told:?}");
    let exchanges = rows(&folder(&report).join("erasures.csv"), &["state", "client_id", "server_id", "why"]);
    assert!(exchanges.iter().all(|row| !row[1].is_empty() && !row[2].is_empty()), "{exchanges:?}");
    let rows_of =
        rows(&folder(&report).join("erasures.csv"), &["registry", "object", "commitments_before", "commitments_after", "operator"]);
    let of = rows_of.iter().find(|row| row[..2] == doomed[..2]).expect("it");
    assert!(of[2].len() >= 64 && of[3].is_empty() && of[4] == "planned by dpo", "{of:?}");
    let committed = std::fs::read_to_string(before.join("commitments.csv")).expect("commitments");
    assert!(of[2].split(' ').any(|one| committed.contains(one)), "{of:?}");
    assert!(exchanges.iter().filter(|row| row[0] == "residual").all(|row| row[3].contains("2305")), "{exchanges:?}");
    // The next night asks for them again, since the records still have them.
    pull(&world.load(), &context(&[])).expect("pulled");
    let report = report_erasure(&world.load(), &context(&[])).expect("reported");
    assert_eq!(report.exit(), Exit::Done, "{}", report.text);
    let told = rows(&folder(&report).join("erasures.csv"), &columns);
    for row in &told {
        let wanted = if row[2] == "erased" { ["absent", "dpv:Erase"] } else { ["there", "dpv:Store"] };
        assert_eq!(row[3..5], wanted, "{row:?}");
    }
    // The retention report has it beside what the rules say; what the records have no more either is gone.
    let whole = std::fs::read_to_string(&records).expect("records");
    let without: String = whole.split_inclusive('\n').filter(|line| !line.contains(&*doomed[1])).collect();
    write_atomic(&records, without.as_bytes()).expect("written");
    let report = report_retention(&world.load(), &that_day(), None).expect("reported");
    super::schema_files::assert_form("retention", &report.json);
    let columns =
        ["registry", "object", "state", "stores", "role", "executed_at", "method", "response", "residual", "verified_at", "evidence_hash"];
    let all = rows(&folder(&report).join("retention.csv"), &columns);
    for row in &truth {
        let told = all.iter().find(|told| told[..2] == row[..2]).unwrap_or_else(|| panic!("{row:?}"));
        let [state, stores, role, executed, method, response, residual, verified, hash] = &told[2..] else { panic!("{told:?}") };
        assert!(["controller", "processor"].contains(&role.as_str()) && hash.len() == 64 && response.contains("svTRID"), "{told:?}");
        if row[2] == "residual" {
            assert_eq!((state.as_str(), method.as_str(), executed.as_str()), ("residual", "dpv:Store", ""), "{told:?}");
            assert!(stores.contains("registry") && residual.contains("2305"), "{told:?}");
        } else if row[1] == doomed[1] {
            assert_eq!((state.as_str(), stores.as_str(), method.as_str()), ("erased", "", "dpv:Erase"), "{told:?}");
        } else {
            assert!(["due", "overdue"].contains(&state.as_str()) && stores == "local", "the records have it still: {told:?}");
        }
        assert_eq!((executed.is_empty(), verified.is_empty(), residual.is_empty()), (row[2] == "residual", false, row[2] != "residual"));
    }
    let own: BTreeSet<&str> = all.iter().filter(|row| row[0].is_empty()).map(|row| row[3].as_str()).collect();
    assert_eq!(own.into_iter().collect::<Vec<_>>(), ["ledgers", "orders", "plans", "reports", "state", "vault"]);
    assert_eq!(report.json["states"]["erased"], 1);
    write_atomic(&records, whole.as_bytes()).expect("written");
    // What was erased is not planned again; what is named is, until whatever names it is gone.
    let (_, _, again) = planned(&world, "again.plan");
    let left: BTreeSet<Vec<String>> = truth.iter().filter(|row| row[2] == "residual").map(|row| row[..2].to_vec()).collect();
    assert_eq!(named(&again), left);
}

#[test]
fn a_hold_keeps_from_the_plan_and_from_the_command_what_is_to_go() {
    let world = World::new(300, 6);
    let _served = world.serve(&[]);
    pull(&world.load(), &context(&[])).expect("pulled");
    let (path, ended, operations) = planned(&world, "before.plan");
    let due = rows(&folder(&ended).join("local-erasures.csv"), &["registry", "id"]);
    let at = &operations.first().expect("something is to go").registry;
    let hold = world.data().join("holds.csv");
    let text =
        format!("record_id,case,event,at,at_registry,reason,owner,review\nh/1,h-1,placed,2026-11-20,{at},litigation,o-1,2027-11-20\n");
    write_atomic(&hold, text.as_bytes()).expect("written");
    let taken = register_import(&world.load(), &context(&[]), "hold", &[hold], false).expect("taken");
    assert_eq!(taken.exit(), Exit::Done, "{}", taken.text);
    // What was planned before the hold was placed is not sent.
    let ended = applied(&world, &path).expect("applied");
    let held = operations.iter().filter(|op| op.registry == *at).count();
    let why = rows(&folder_of(&ended), &["registry", "why"]);
    let refused = why.iter().filter(|row| row[0] == *at && row[1].contains("R-erasure-001")).count();
    assert!(held > 0 && refused == 1, "{why:?}");
    assert!(ended.exits.contains(&Exit::GateRefused), "{}", ended.text);
    // And it is not planned any more, which is told.
    let (_, ended, again) = planned(&world, "after.plan");
    assert!(again.iter().all(|op| op.registry != *at));
    let kept = due.iter().filter(|row| row[0] == *at).count() as u64;
    assert_eq!(ended.json["header"]["left_out"]["R-erasure-001"].as_u64(), Some(kept), "{:#}", ended.json["header"]["left_out"]);
}

/// The table of what was begun and is not verified.
fn folder_of(ended: &Ended) -> PathBuf {
    PathBuf::from(ended.json["outcomes"].as_str().expect("a table"))
}
