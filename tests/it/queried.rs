//! Local records that are queries of a `PostgreSQL` database: the same results as from files, one snapshot, and what becomes of a run where
//! a query or the line fails.

use crate::served::{World, wait_until};
use crate::server::{PASSWORD, Server};
use privet::base::{create_private_dir, write_atomic};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TABLES: [&str; 4] = ["contacts", "domains", "services", "orders"];

/// A world whose registries were pulled, and a server that has its records; nothing, and said so, where there is none.
fn pulled() -> Option<(World, Server)> {
    let server = Server::with(&["shop"])?;
    let world = World::new(200, 11);
    {
        let _served = world.serve(&[]);
        let (code, _, told) = world.run(&["pull"]);
        assert_eq!(code, 0, "{told}");
    }
    for table in TABLES.into_iter().chain(["consent"]) {
        fill(&server, table, &world.data().join(format!("records/{table}.csv")));
    }
    Some((world, server))
}

/// Makes a table of a file's rows, all texts; what is `id` there is `handle` here.
fn fill(server: &Server, table: &str, file: &Path) {
    let mut reader = csv::Reader::from_path(file).expect("a file");
    let names: Vec<String> =
        reader.headers().expect("a header").iter().map(|name| format!("\"{}\"", if name == "id" { "handle" } else { name })).collect();
    let columns: Vec<String> = names.iter().map(|name| format!("{name} text")).collect();
    server.sql("shop", &format!("CREATE TABLE {table} ({})", columns.join(", ")));
    let quoted = |value: &str| if value.is_empty() { "NULL".to_owned() } else { format!("'{}'", value.replace('\'', "''")) };
    let rows: Vec<String> = reader
        .records()
        .map(|record| format!("({})", record.expect("a record").iter().map(quoted).collect::<Vec<_>>().join(", ")))
        .collect();
    for chunk in rows.chunks(100) {
        server.sql("shop", &format!("INSERT INTO {table} VALUES {}", chunk.join(", ")));
    }
}

/// Puts queries in the place of files; `change` may alter each one, by its table.
fn queries(world: &World, server: &Server, change: impl Fn(&str, String) -> String) {
    let secret = world.data().join("records.password");
    write_atomic(&secret, PASSWORD.as_bytes()).expect("written");
    write_atomic(&world.data().join("records-ca.pem"), server.authority.as_bytes()).expect("written");
    let mut text = std::fs::read_to_string(world.data().join("files.toml"))
        .or_else(|_| std::fs::read_to_string(world.config()))
        .expect("a configuration");
    write_atomic(&world.data().join("files.toml"), text.as_bytes()).expect("written");
    for table in TABLES {
        let files = format!("files = [\"records/{table}.csv\"]\n");
        assert!(text.contains(&files), "{table}");
        let sql = change(table, format!("SELECT {table}.* FROM {table}"));
        let columns = if table == "contacts" || table == "domains" { "columns = { id = \"handle\" }\n" } else { "" };
        text = text.replace(&files, &format!("query = '''\n{sql}\n'''\n{columns}"));
    }
    text.push_str(&format!(
        "\n[records.postgres]\naddress = \"{}\"\npassword = {{ file = \"records.password\" }}\nca = \"records-ca.pem\"\ntimeout_seconds = 60\n\
         \n[records.consent]\nquery = \"{}\"\n",
        server.tcp("shop"),
        change("consent", "TABLE consent".to_owned())
    ));
    write_atomic(&world.config(), text.as_bytes()).expect("written");
}

fn reports(world: &World) -> BTreeSet<PathBuf> {
    std::fs::read_dir(world.data().join("reports")).map_or_else(|_| BTreeSet::new(), |all| all.flatten().map(|e| e.path()).collect())
}

/// Runs `verb`; what it ended with, what it told, and the differences that it left.
fn compared(world: &World, verb: &[&str]) -> (i32, String, String) {
    let before = reports(world);
    let (code, _, told) = world.run(verb);
    let made: Vec<PathBuf> = reports(world).difference(&before).cloned().collect();
    let differences = made.first().and_then(|dir| std::fs::read_to_string(dir.join("differences.csv")).ok());
    (code, told, differences.unwrap_or_default())
}

/// The files that queries left in the state directory.
fn left(world: &World) -> Vec<PathBuf> {
    let places = std::fs::read_dir(world.data().join("state/queried")).into_iter().flatten().flatten();
    places.map(|entry| entry.path()).collect()
}

#[test]
fn records_from_queries_give_the_same_differences_as_from_files_in_one_snapshot() {
    let Some((world, server)) = pulled() else { return };
    let (code, told, from_files) = compared(&world, &["diff"]);
    assert!(code == 0 && from_files.lines().count() > 3, "{code} {told}");
    queries(&world, &server, |_, sql| sql);
    // What a killed run left goes with the next one.
    create_private_dir(&world.data().join("state/queried/2")).expect("made");
    write_atomic(&world.data().join("state/queried/2/0.csv"), b"id\n").expect("written");
    let (code, told, from_queries) = compared(&world, &["diff"]);
    assert_eq!((code, &from_queries), (0, &from_files), "{told}");
    assert_eq!(left(&world), Vec::<PathBuf>::new());
    // The report names the queries, and not the files that they passed through.
    let facts: Vec<String> =
        reports(&world).into_iter().map(|dir| std::fs::read_to_string(dir.join("run.json")).unwrap_or_default()).collect();
    assert!(facts.iter().any(|facts| facts.contains("records.contacts.query")), "{facts:?}");
    assert!(facts.iter().all(|facts| !facts.contains("queried/")), "{facts:?}");

    // Somebody commits between the first query and the second: nothing of it shows.
    queries(&world, &server, |table, sql| if table == "contacts" { format!("{sql} CROSS JOIN pg_sleep(4) AS slow") } else { sql });
    let before = reports(&world);
    let child = world.process(&["diff", "--format", "json"]).spawn().expect("a process");
    let copying = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'privet' AND query LIKE 'COPY%' AND state = 'active'";
    wait_until("the query runs", || server.sql("shop", copying) == "1");
    server.sql(
        "shop",
        "BEGIN; UPDATE contacts SET int_city = 'Elsewhere' WHERE int_city IS NOT NULL; UPDATE domains SET registrant = (SELECT min(handle) FROM contacts); COMMIT",
    );
    let still = server.sql("shop", copying);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((still.as_str(), output.status.code()), ("1", Some(0)), "{}", String::from_utf8_lossy(&output.stderr));
    let made = reports(&world).difference(&before).next().cloned().expect("a report");
    assert_eq!(std::fs::read_to_string(made.join("differences.csv")).expect("differences"), from_files);
    // The next run sees it.
    queries(&world, &server, |_, sql| sql);
    let (code, told, later) = compared(&world, &["diff"]);
    assert!(code == 0 && later.lines().count() > from_files.lines().count(), "{code} {told}");
}

/// What stands beside the records of the last ingest.
fn manifest(world: &World) -> String {
    std::fs::read_to_string(world.data().join("state/records/records.json")).expect("records")
}

#[test]
fn a_query_or_a_line_that_fails_is_told_with_its_place_and_the_last_records_stay() {
    let Some((world, server)) = pulled() else { return };
    queries(&world, &server, |_, sql| sql);
    let (code, told, good) = compared(&world, &["diff"]);
    assert_eq!(code, 0, "{told}");
    let records = manifest(&world);
    let fails = |code: i32, words: &[&str], change: &dyn Fn(&str, String) -> String| {
        queries(&world, &server, change);
        let (got, told, _) = compared(&world, &["diff"]);
        assert_eq!(got, code, "{told}");
        for word in words {
            assert!(told.contains(word), "{word}: {told}");
        }
        assert!(!told.contains(PASSWORD) && !told.contains("state/queried"), "{told}");
        assert_eq!((manifest(&world), left(&world)), (records.clone(), Vec::new()));
        told
    };
    let only = |table: &'static str, sql: &'static str| move |of: &str, was: String| if of == table { sql.to_owned() } else { was };
    let line = std::fs::read_to_string(world.config()).expect("a configuration");
    let line = 1 + line.lines().position(|line| line.starts_with("query")).expect("a query");
    let place = format!("privet.toml:{line}");
    fails(2, &["E-query-003", &place, "records.contacts.query", "42P01"], &only("contacts", "SELECT * FROM costumers"));
    server.sql("shop", "CREATE SEQUENCE s");
    fails(2, &["E-query-003", "records.services.query", "25006"], &only("services", "SELECT services.*, setval('s', 1) FROM services"));
    // What is wrong with rows is told by the setting and the row.
    fails(32, &["E-ingest-004", "records.domains.query", "one_more"], &only("domains", "SELECT *, 1 AS one_more FROM domains"));
    let short = "SELECT * FROM (SELECT *, row_number() OVER () AS n FROM contacts) AS c";
    fails(32, &["E-ingest-004", "`n`"], &only("contacts", short));
    fails(20, &["E-ingest-020", "records.domains.query"], &only("domains", "SELECT * FROM domains WHERE false"));
    fails(20, &["E-ingest-030", "records.contacts.query"], &only("contacts", "SELECT * FROM contacts ORDER BY handle LIMIT 20"));
    server.sql(
        "shop",
        "CREATE TABLE kept AS TABLE contacts;
         UPDATE contacts SET int_name = E'two\\nlines' WHERE handle = (SELECT min(handle) FROM contacts);
         UPDATE contacts SET email = 'nobody' WHERE handle = (SELECT handle FROM contacts ORDER BY handle LIMIT 1 OFFSET 1)",
    );
    let told = fails(32, &["records.contacts.query:1", "E-ingest-010", "records.contacts.query:2", "E-ingest-021"], &|of, was| {
        if of == "contacts" { format!("{was} ORDER BY handle") } else { was }
    });
    assert!(!told.contains("records.contacts.query:3") && !told.contains("nobody"), "rows are counted, not lines: {told}");
    server.sql("shop", "TRUNCATE contacts; INSERT INTO contacts TABLE kept");
    // The line is cut while rows come.
    let cut = "SELECT contacts.* FROM contacts LEFT JOIN LATERAL
        (SELECT pg_terminate_backend(pg_backend_pid()) AS gone WHERE contacts.handle = (SELECT max(handle) FROM contacts)) AS cut
        ON true WHERE cut.gone IS NOT TRUE";
    fails(31, &["E-query-005"], &only("contacts", cut));
    server.down();
    fails(31, &["E-query-001"], &|_, sql| sql);
    server.up();
    let (code, told, again) = compared(&world, &["diff"]);
    assert_eq!((code, again), (0, good), "{told}");
}

#[test]
fn check_tries_the_queries_and_consent_comes_from_one() {
    let Some((world, server)) = pulled() else { return };
    let _served = world.serve(&[]);
    queries(&world, &server, |_, sql| sql);
    let (code, json, told) = world.run(&["check"]);
    assert_eq!((code, json["queries"]["tried"].as_u64()), (0, Some(5)), "{told}");
    assert_eq!(json["queries"]["address"], Value::String(server.tcp("shop")));
    queries(&world, &server, |table, sql| if table == "services" { "SELECT 1, FROM services".to_owned() } else { sql });
    let (code, json, told) = world.run(&["check"]);
    assert!(code == 2 && json["queries"].is_null() && told.contains("E-query-003"), "{code} {told}");
    assert!(json["registries"].as_array().is_some_and(|all| all.iter().all(|one| one["login"] == true)), "{json}");

    // The same events as from the file.
    queries(&world, &server, |_, sql| sql);
    let (code, taken, told) = world.run(&["consent", "import"]);
    assert_eq!((code, left(&world)), (0, Vec::new()), "{told}");
    let again = world.import_consent();
    assert!(taken["added"].as_u64() > Some(0) && again["added"] == 0 && again["known"] == taken["rows"], "{taken} {again}");
    queries(&world, &server, |table, sql| if table == "consent" { "SELECT 'x' AS event, 'y' AS at".to_owned() } else { sql });
    let (code, _, told) = world.run(&["consent", "import"]);
    assert!(code == 32 && told.contains("records.consent.query:1"), "{code} {told}");
    let text = std::fs::read_to_string(world.data().join("files.toml")).expect("a configuration");
    write_atomic(&world.config(), text.as_bytes()).expect("written");
    let (code, _, told) = world.run(&["consent", "import"]);
    assert!(code == 2 && told.contains("E-consent-032"), "{code} {told}");
}
