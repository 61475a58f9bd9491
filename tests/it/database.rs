//! The store in a `PostgreSQL` database: nights, plans and their journals over a real server, and what becomes of them when it goes away.

use crate::apply::{Locking, counts};
use crate::served::{World, context};
use crate::server::{PASSWORD, Server};
use privet::base::{Exit, Secret, write_atomic};
use privet::job::{ApplyOptions, apply, store_move, store_path};
use privet::journal;
use privet::plan::PlanFile;
use privet::store::{PostgresPlace, PostgresStore};
use std::path::Path;

/// A server with the database `privet`; nothing, and said so, where there is none.
pub(crate) fn server() -> Option<Server> {
    Server::with(&["privet"])
}

/// The table that makes the server's database the store; its secrets are put into `secrets`.
pub(crate) fn table(server: &Server, secrets: &Path) -> String {
    let put = |name: &str, text: &str| {
        let path = secrets.join(name);
        write_atomic(&path, text.as_bytes()).expect("written");
        path.display().to_string()
    };
    let (password, ca) = (put("store.password", PASSWORD), put("store-ca.pem", &server.authority));
    format!("\n[store]\npostgres = \"{}\"\npassword = {{ file = \"{password}\" }}\nca = \"{ca}\"\n", server.tcp("privet"))
}

/// Where one of the server's databases is.
pub(crate) fn place(server: &Server, database: &str) -> PostgresPlace {
    PostgresPlace::new(&server.socket(database), Some(&Secret::new(PASSWORD)), None).expect("a place")
}

pub(crate) fn opened(server: &Server) -> PostgresStore {
    PostgresStore::open(&place(server, "privet")).expect("a store")
}

/// How many operations of the plan the journal in the database has as begun.
fn begun(locking: &Locking, server: &Server) -> usize {
    let plan = PlanFile::open(&locking.plan).expect("a plan");
    let fold = journal::open(&mut opened(server), &plan.header().id).expect("the chain holds");
    let operations = plan.operations().expect("operations").map(|op| op.expect("one").op);
    operations.filter(|op| fold.of(*op, 0).sends > 0).count()
}

#[test]
fn a_store_moves_into_a_database_with_its_ledgers_and_nights_go_on_there() {
    let Some(server) = server() else { return };
    let world = World::new(300, 5);
    let _served = world.serve(&[]);
    world.import_consent();
    let (code, _, told) = world.run(&["run"]);
    assert!([0, 10, 11, 20].contains(&code), "{code} {told}");
    let consents = |world: &World| world.run(&["consent", "show"]).1["totals"].clone();
    let before = consents(&world);
    assert!(before.as_array().is_some_and(|totals| !totals.is_empty()), "{before}");
    let file = store_path(&world.load().config.state);
    let config = std::fs::read_to_string(world.config()).expect("a configuration");
    write_atomic(&world.config(), (config + &table(&server, &world.data())).as_bytes()).expect("written");
    let moved = store_move(&world.load()).expect("moved");
    super::schema_files::assert_form("store-moved", &moved.json);
    assert!(moved.json["rows"].as_u64() > Some(0) && moved.json["cells"].as_u64() > Some(0), "{}", moved.json);
    assert!(!moved.text.contains(PASSWORD) && !file.exists(), "{}", moved.text);
    let again = store_move(&world.load()).expect("there is nothing to move");
    assert!(again.json["rows"].is_null(), "{}", again.text);
    // What was said about consent is there, and so is the log of proofs, to which the next night is added.
    assert_eq!(consents(&world), before);
    let plan = world.data().join("lock.plan").display().to_string();
    let (code, _, told) = world.run(&["plan", "lock", "--out", &plan, "--allow", "count", "--allow", "share", "--reason", "a test"]);
    assert!([10, 20].contains(&code), "{code} {told}");
    let all = PlanFile::open(plan.as_ref()).expect("a plan").operations().expect("operations").count() as u64;
    assert!(all > 0);
    let (code, json, told) = world.run(&["apply", &plan]);
    assert_eq!((code, json["verified"].as_u64()), (0, Some(all)), "{told}");
    let (code, _, told) = world.run(&["apply", &plan]);
    assert!(code == 21 && told.contains("E-apply-007"), "{code} {told}");
    let (code, _, told) = world.run(&["run"]);
    assert!([0, 10, 11, 20].contains(&code), "{code} {told}");
    assert!(!file.exists(), "nothing is kept beside the database");
}

#[test]
fn a_server_that_goes_away_in_the_middle_ends_the_run_and_the_same_command_settles_what_was_open() {
    let Some(server) = server() else { return };
    let secrets = tempfile::tempdir().expect("a directory");
    let table = table(&server, secrets.path());
    let locking = Locking::over(40, &[], (Box::leak(table.into()), Some(place(&server, "privet"))), |_| ());
    let loaded = &locking.loaded;
    let all = locking.names.len();
    // A disk that fails at a later row each time: the server refuses the insert, as where it has no space.
    let mut stages = std::collections::BTreeSet::new();
    let rows = || server.sql("privet", "SELECT count(*) FROM privet.row").parse::<usize>().expect("a number");
    for more in [0, 2, 5, 11, 20] {
        let most = rows() + more;
        server.sql(
            "privet",
            &format!(
                "CREATE OR REPLACE FUNCTION privet.full() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN IF (SELECT count(*) FROM privet.row) >= {most} THEN RAISE disk_full; END IF; RETURN NEW; END $$;
                 CREATE OR REPLACE TRIGGER disk_full BEFORE INSERT ON privet.row FOR EACH ROW EXECUTE FUNCTION privet.full()"
            ),
        );
        let outcome = apply(loaded, &locking.plan, &ApplyOptions::default(), &context(&[]));
        let ids: Vec<String> = match &outcome {
            Ok(ended) => ended.problems.iter().map(|problem| problem.id.clone()).collect(),
            Err(problems) => problems.kept().iter().map(|problem| problem.id.clone()).collect(),
        };
        assert!(ids.iter().any(|id| id == "E-store-006"), "{more}: {ids:?}");
        server.sql("privet", "DROP TRIGGER disk_full ON privet.row");
        let told: usize = locking.told().iter().sum();
        assert!(told <= begun(&locking, &server), "{more}: what was sent stands in the journal");
        stages.insert(told);
    }
    assert!(stages.iter().any(|told| (1..all).contains(told)), "it failed in the middle as well: {stages:?} of {all}");
    // The server is gone, and back.
    server.down();
    let problems = apply(loaded, &locking.plan, &ApplyOptions::default(), &context(&[])).expect_err("no store");
    assert_eq!((problems.kept()[0].id.as_str(), problems.kept()[0].exit), ("E-store-011", Exit::Storage));
    server.up();
    let ended = apply(loaded, &locking.plan, &ApplyOptions::default(), &context(&[])).expect("applied");
    assert_eq!((ended.exit(), counts(&ended)["verified"]), (Exit::Done, all as u64), "{}", ended.text);
    assert!(locking.told().iter().all(|times| *times == 1), "none is lost, and none took effect twice: {:?}", locking.told());
}
