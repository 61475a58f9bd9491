//! Queries over a real server.

use super::server::{PASSWORD, Server};
use super::*;
use crate::base::{Blame, Exit, Problem, Problems, Secret, StopToken};
use std::path::{Path, PathBuf};
use std::time::Duration;

const LIMITS: CopyLimits = CopyLimits { time: Duration::from_mins(1), bytes: 1 << 30 };

/// A server with a table of hedges; nothing, and said so, where there is none.
fn server() -> Option<Server> {
    let server = Server::with(&["garden"])?;
    server.sql(
        "garden",
        "CREATE TABLE hedge (id text, height int, planted timestamptz);
         INSERT INTO hedge VALUES ('a', 1, '2026-01-31 12:00+02'), ('b \"x\", y', NULL, NULL), (E'two\\nlines', 3, NULL)",
    );
    Some(server)
}

fn place(address: &str, authority: Option<&str>) -> PostgresPlace {
    PostgresPlace::new(address, Some(&Secret::new(PASSWORD)), authority.map(|pem| pem.as_bytes().to_vec())).expect("a place")
}

fn wanted(sql: &str) -> Wanted<'_> {
    Wanted { sql, file: Path::new("privet.toml"), line: Some(7), setting: "records.contacts.query" }
}

/// Runs queries; the text of each one's file.
fn run(place: &PostgresPlace, all: &[&str], limits: CopyLimits, stop: &StopToken) -> Result<Vec<String>, Problems> {
    let dir = tempfile::tempdir().unwrap();
    let all: Vec<(Wanted<'_>, PathBuf)> =
        all.iter().enumerate().map(|(n, sql)| (wanted(sql), dir.path().join(format!("{n}.csv")))).collect();
    let done = copy(place, &all, limits, stop);
    let there = std::fs::read_dir(dir.path()).unwrap().count();
    match done {
        Ok(()) => Ok(all.iter().map(|(_, file)| std::fs::read_to_string(file).unwrap()).collect()),
        Err(problems) => {
            assert!(there < all.len(), "what is cut is not put in place");
            Err(problems)
        }
    }
}

fn problem(place: &PostgresPlace, sql: &str) -> Problem {
    let problems = run(place, &[sql], LIMITS, &StopToken::default()).expect_err(sql);
    assert_eq!(problems.kept().len(), 1, "{problems}");
    problems.kept()[0].clone()
}

#[test]
fn rows_come_over_tls_and_over_a_socket_as_they_are() {
    let Some(server) = server() else { return };
    let wanted = "id,height,planted\na,1,2026-01-31 10:00:00+00\n\"b \"\"x\"\", y\",,\n\"two\nlines\",3,\n";
    for (address, authority) in [(server.tcp("garden"), Some(&*server.authority)), (server.socket("garden"), None)] {
        let place = place(&address, authority);
        let ssl = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid() -- a remark";
        let got = run(&place, &["TABLE hedge;\n", ssl], LIMITS, &StopToken::default()).unwrap();
        assert_eq!(got, [wanted.to_owned(), format!("ssl\n{}\n", if authority.is_some() { "t" } else { "f" })]);
    }
}

#[test]
fn a_query_that_writes_or_cannot_be_run_is_refused_with_its_place_and_changes_nothing() {
    let Some(server) = server() else { return };
    server.sql("garden", "CREATE SEQUENCE steps; CREATE ROLE gardener LOGIN PASSWORD 'an apple a day'; CREATE TABLE shed (id int)");
    let here = place(&server.socket("garden"), None);
    let refused = |place: &PostgresPlace, sql: &str, what: &str| {
        let problem = problem(place, sql);
        assert_eq!((problem.id.as_str(), problem.blame, problem.exit), ("E-query-003", Blame::Operator, Exit::Usage), "{sql}: {problem}");
        assert_eq!((problem.place.file.as_deref(), problem.place.line), (Some("privet.toml"), Some(7)));
        assert_eq!(problem.place.field.as_deref(), Some("records.contacts.query"));
        assert!(problem.what.contains(what), "{sql}: {problem}");
    };
    refused(&here, "DELETE FROM hedge RETURNING id", "(42601)");
    refused(&here, "DELETE FROM hedge", "gives no rows");
    refused(&here, "WITH gone AS (DELETE FROM hedge RETURNING id) SELECT * FROM gone", "(0A000)");
    refused(&here, "SELECT 1; DELETE FROM hedge", "multiple commands");
    refused(&here, "SELECT 1) TO STDOUT; DELETE FROM hedge; COPY (SELECT 1", "line 1, character 9");
    refused(&here, "SELECT 1) TO PROGRAM 'false' --", "syntax error");
    refused(&here, "SELECT id,\nhight FROM hedge", "at line 2, character 1 of the query: column \"hight\" does not exist (42703)");
    refused(&here, "SELECT * FROM hedges", "relation \"hedges\" does not exist (42P01)");
    refused(&here, "SELECT id FROM hedge WHERE id = $1", "parameter");
    refused(&here, "", "gives no rows");
    refused(&here, "SELECT id FROM hedge WHERE 'a secret' 'b'", "syntax error");
    // These are seen only when rows are asked for.
    refused(&here, "SELECT nextval('steps')", "read-only transaction (25006)");
    refused(&here, "SELECT set_config('transaction_read_only', 'off', true), id FROM hedge", "(25001)");
    let gardener = place(&server.socket("garden").replace("privet@", "gardener@"), None);
    refused(&gardener, "SELECT * FROM shed", "permission denied for table shed (42501)");
    assert_eq!(server.sql("garden", "SELECT count(*) FROM hedge"), "3");
    assert_eq!(server.sql("garden", "SELECT is_called FROM steps"), "f");
    // All that are wrong are told in one go, and tried without a row.
    let two = [wanted("SELECT 1 FROM a"), wanted("SELECT 1 AS one"), wanted("SELECT 1 FROM b")];
    let problems = try_out(&here, &two, LIMITS).expect_err("two are wrong");
    assert_eq!(problems.kept().len(), 2, "{problems}");
    try_out(&here, &[wanted("SELECT id, pg_sleep(100) FROM hedge")], LIMITS).unwrap();
}

#[test]
fn what_the_server_says_of_a_value_is_not_repeated() {
    let Some(server) = server() else { return };
    let here = place(&server.socket("garden"), None);
    server.sql("garden", "INSERT INTO hedge VALUES ('Erika Mustermann', 1, NULL)");
    for sql in ["SELECT id::int FROM hedge WHERE height = 1", "SELECT id FROM hedge WHERE 'Erika Mustermann' Mustermann"] {
        let problem = problem(&here, sql);
        assert!(!problem.to_string().contains("Mustermann"), "{problem}");
        assert_eq!(problem.id, "E-query-003");
    }
}

#[test]
fn a_query_is_cut_off_in_time_in_bytes_and_by_the_operator() {
    let Some(server) = server() else { return };
    let here = place(&server.socket("garden"), None);
    let first = |limits: CopyLimits, stop: &StopToken, sql: &str| {
        let problems = run(&here, &[sql], limits, stop).expect_err(sql);
        (problems.kept()[0].id.clone(), problems.kept()[0].exit)
    };
    let quick = CopyLimits { time: Duration::from_millis(300), ..LIMITS };
    assert_eq!(first(quick, &StopToken::default(), "SELECT pg_sleep(60)"), ("E-query-004".to_owned(), Exit::Usage));
    let small = CopyLimits { bytes: 1_000_000, ..LIMITS };
    let many = "SELECT repeat('x', 1000) AS x FROM generate_series(1, 100000)";
    assert_eq!(first(small, &StopToken::default(), many), ("E-query-006".to_owned(), Exit::Usage));
    let stop = StopToken::default();
    stop.stop();
    assert_eq!(first(LIMITS, &stop, many), ("E-query-007".to_owned(), Exit::Stopped));
}

#[test]
fn a_server_that_is_down_or_goes_away_in_the_middle_is_the_lines_fault() {
    let Some(server) = server() else { return };
    let here = place(&server.socket("garden"), None);
    // A row comes, then the server ends the line, and the file is not put in place.
    let ends = "SELECT id, CASE WHEN n = 50000 THEN pg_terminate_backend(pg_backend_pid()) END AS gone
        FROM generate_series(1, 100000) AS n, (SELECT id FROM hedge LIMIT 1) AS one";
    let ended = problem(&here, ends);
    assert_eq!((ended.id.as_str(), ended.blame, ended.exit), ("E-query-005", Blame::Network, Exit::Unreachable), "{ended}");
    server.down();
    let down = problem(&here, "TABLE hedge");
    assert_eq!((down.id.as_str(), down.blame, down.exit), ("E-query-001", Blame::Network, Exit::Unreachable), "{down}");
    server.up();
    let wrong = PostgresPlace::new(&server.socket("garden"), Some(&Secret::new("another")), None).expect("a place");
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.pem();
    for place in [wrong, place(&server.tcp("garden"), Some(&other)), place(&server.socket("absent"), None)] {
        let problem = problem(&place, "TABLE hedge");
        assert_eq!((problem.id.as_str(), problem.exit), ("E-query-001", Exit::Usage), "{problem}");
    }
    assert_eq!(problem(&place(&server.tcp("garden"), Some("none")), "TABLE hedge").id, "E-query-002");
}
