//! The store over a real server.

use super::*;
use crate::base::Secret;
use crate::database::server::{PASSWORD, Server};
use crate::store::tests::{appended, conforms, name, rows, texts};
use crate::store::{Cell, Claimed, Lot, Lots as _, Taken, WaveEnds, read};
use std::time::Duration;

fn place(address: &str, authority: Option<&str>) -> PostgresPlace {
    PostgresPlace::new(address, Some(&Secret::new(PASSWORD)), authority.map(|pem| pem.as_bytes().to_vec())).expect("a place")
}

fn problem(opened: Result<PostgresStore>) -> (String, Exit) {
    let problem = opened.expect_err("it is refused");
    assert!(!problem.to_string().contains(PASSWORD), "{problem}");
    (problem.id.clone(), problem.exit)
}

#[test]
fn the_store_in_a_database_conforms_and_is_the_same_when_opened_again() {
    let Some(server) = Server::with(&["one", "two"]) else { return };
    for (database, address, authority) in [("one", server.tcp("one"), Some(&*server.authority)), ("two", server.socket("two"), None)] {
        let place = place(&address, authority);
        let mut store = PostgresStore::open(&place).unwrap();
        conforms(&mut store);
        let head = store.head(&name("a/1")).unwrap();
        drop(store);
        let mut again = PostgresStore::open(&place).unwrap();
        assert_eq!(again.head(&name("a/1")).unwrap(), head);
        assert_eq!(texts(&mut again, "a/1").len(), 3);
        let versions = server.sql(database, "SELECT string_agg(version::text, ' ') FROM privet.version");
        assert_eq!(versions, "1 2", "opened again, nothing is set up again");
        let ssl = server
            .sql(database, "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'privet'");
        assert_eq!(ssl == "1", authority.is_some(), "the line over a network is secured");
    }

    // Many rows and cells come in pages, and a call from within a runtime is no trouble.
    let place = place(&server.socket("one"), None);
    let many: Vec<String> = (0..2_345).map(|n| format!("row {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cells = many.iter().map(|text| Cell::Put(Table::Sealed, text.as_bytes().into(), b"v".as_slice().into())).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut store = PostgresStore::open(&place).unwrap();
        store.commit(&Batch { appends: vec![rows("many", 0, &many)], cells }).unwrap();
        let wanted: Vec<String> = many.iter().enumerate().map(|(n, text)| format!("{n} {text}")).collect();
        assert_eq!(texts(&mut store, "many"), wanted);
        let mut count = 0;
        store
            .cells(Table::Sealed, b"row 1", &mut |key, _| {
                count += 1;
                assert!(key.starts_with(b"row 1"));
                Ok(())
            })
            .unwrap();
        assert_eq!(count, many.iter().filter(|text| text.starts_with("row 1")).count());
    });
}

#[test]
fn two_writers_of_one_stream_are_never_both_right() {
    let Some(server) = Server::with(&["one"]) else { return };
    let place = place(&server.socket("one"), None);
    let (mut one, mut other) = (PostgresStore::open(&place).unwrap(), PostgresStore::open(&place).unwrap());
    one.commit(&appended(vec![rows("s", 0, &["one"])])).unwrap();
    let cell = || Cell::Put(Table::Keys, b"k".as_slice().into(), b"v".as_slice().into());
    let late = Batch { appends: vec![rows("t", 0, &["two"]), rows("s", 0, &["two"])], cells: vec![cell()] };
    assert_eq!(other.commit(&late).unwrap_err().id, "E-store-004");
    // Nothing of it was kept, and the store goes on: it is the writer that was wrong.
    assert_eq!((texts(&mut one, "s"), texts(&mut one, "t")), (vec!["0 one".to_owned()], Vec::new()));
    assert_eq!(one.get(Table::Keys, b"k").unwrap(), None);
    other.commit(&appended(vec![rows("s", 1, &["two"])])).unwrap();
    assert_eq!(texts(&mut one, "s"), ["0 one", "1 two"]);
}

fn claim(worker: u32, holder: &str) -> Claim {
    Claim { run: "r".into(), worker, holder: holder.into() }
}

#[test]
fn a_claim_is_held_by_one_renewed_by_that_one_and_free_once_it_is_over() {
    let Some(server) = Server::with(&["one"]) else { return };
    let place = place(&server.socket("one"), None);
    let (mut one, mut other) = (PostgresStore::open(&place).unwrap(), PostgresStore::open(&place).unwrap());
    let (short, long) = (Duration::from_secs(2), Duration::from_mins(1));
    let pause = || std::thread::sleep(Duration::from_millis(2_100));
    assert_eq!(one.claim(&claim(1, "x"), long).unwrap(), Claimed::Now { idle: None });
    assert_eq!(other.claim(&claim(1, "y"), long).unwrap(), Claimed::Elsewhere);
    assert_eq!(one.claim(&claim(1, "x"), short).unwrap(), Claimed::Again);
    let at_work = [("r", ""), ("r", "x"), ("s", "")].map(|(run, holder)| one.at_work(run, holder).unwrap());
    assert_eq!(at_work, [1, 0, 0]);
    pause();
    assert_eq!(one.at_work("r", "").unwrap(), 0);
    let Claimed::Now { idle: Some(idle) } = other.claim(&claim(1, "y"), long).unwrap() else { panic!("it was free") };
    assert!(idle >= Duration::from_millis(50) && idle < long, "{idle:?}");
    assert_eq!(one.claim(&claim(1, "x"), long).unwrap(), Claimed::Elsewhere);
    // Who does not hold it lets go of nothing.
    one.release(&claim(1, "x")).unwrap();
    assert_eq!(other.claim(&claim(1, "y"), long).unwrap(), Claimed::Again);
    other.release(&claim(1, "y")).unwrap();
    assert!(matches!(one.claim(&claim(1, "x"), short).unwrap(), Claimed::Now { idle: Some(_) }));
    // Under a claim that is over nothing is written.
    one.fence(claim(1, "x"));
    one.commit(&appended(vec![rows("s", 0, &["one"])])).unwrap();
    pause();
    let lost = one.commit(&appended(vec![rows("s", 1, &["two"])])).unwrap_err();
    assert_eq!((lost.id.as_str(), lost.exit), ("E-store-014", Exit::Storage), "{lost}");
    assert_eq!(texts(&mut other, "s"), ["0 one"]);
}

#[test]
fn a_lot_is_in_one_hand_and_free_again_when_its_holders_claim_is_over() {
    let Some(server) = Server::with(&["one"]) else { return };
    let place = place(&server.socket("one"), None);
    let mut store = PostgresStore::open(&place).unwrap();
    let (short, long) = (Duration::from_secs(2), Duration::from_mins(1));
    let all = [(1, 1, 1), (2, 33, 2), (34, 60, 2)].map(|(first, last, wave)| Lot { first, last, wave });
    store.offer("r", "nz", &all).unwrap();
    store.offer("r", "nz", &all).unwrap();
    store.offer("r", "de", &all[..1]).unwrap();
    store.claim(&claim(1, "x"), short).unwrap();
    store.claim(&claim(2, "y"), long).unwrap();
    let lots = |worker, holder: &str| PostgresLots::open(&place, claim(worker, holder), "nz").unwrap();
    let (mut x, mut y) = (lots(1, "x"), lots(2, "y"));
    let taken = x.take(2).unwrap().unwrap();
    assert_eq!(taken, Taken { lot: all[1], turn: 1 });
    assert_eq!(y.take(2).unwrap(), Some(Taken { lot: all[2], turn: 1 }));
    assert_eq!((y.take(2).unwrap(), x.take(3).unwrap()), (None, None));
    std::thread::sleep(Duration::from_millis(2_100));
    // One that is not heard of any more can end nothing and take nothing, and has no part in what others go on with.
    let again = y.take(2).unwrap().unwrap();
    assert_eq!(again, Taken { lot: all[1], turn: 2 });
    assert_eq!(x.take(1).unwrap_err().id, "E-store-014");
    assert_eq!(x.done(&taken, 32, 0).unwrap_err().id, "E-store-014");
    y.done(&again, 30, 2).unwrap();
    assert_eq!(y.wave(2).unwrap(), WaveEnds { open: 1, verified: 30, other: 2 });
    assert!(!store.is_over("r", "nz").unwrap());
    // What is given back is anybody's.
    store.claim(&claim(1, "z"), long).unwrap();
    let mut z = lots(1, "z");
    assert_eq!(z.take(2).unwrap(), None);
    store.give_back(&claim(2, "y"), "nz").unwrap();
    let given = z.take(2).unwrap().unwrap();
    assert_eq!(given, Taken { lot: all[2], turn: 2 });
    z.done(&given, 27, 0).unwrap();
    let first = z.take(1).unwrap().unwrap();
    z.done(&first, 1, 0).unwrap();
    assert!(store.is_over("r", "nz").unwrap() && !store.is_over("r", "de").unwrap());
    // Another round: all of them once more, under later turns.
    store.begin_round("r").unwrap();
    assert_eq!(z.wave(2).unwrap(), WaveEnds { open: 2, verified: 0, other: 0 });
    assert_eq!(z.take(2).unwrap(), Some(Taken { lot: all[1], turn: 3 }));
    store.forget_lots("r").unwrap();
    assert_eq!(z.take(2).unwrap(), None);
}

#[test]
fn many_who_take_lots_at_once_never_get_the_same() {
    let Some(server) = Server::with(&["one"]) else { return };
    let place = place(&server.socket("one"), None);
    let mut store = PostgresStore::open(&place).unwrap();
    let all: Vec<Lot> = (1..=200).map(|n| Lot { first: n, last: n, wave: 1 }).collect();
    store.offer("r", "nz", &all).unwrap();
    let mut taken: Vec<u64> = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..=4)
            .map(|worker| {
                let (place, claim) = (place.clone(), claim(worker, &format!("h{worker}")));
                scope.spawn(move || {
                    PostgresStore::open(&place).unwrap().claim(&claim, Duration::from_mins(1)).unwrap();
                    let mut lots = PostgresLots::open(&place, claim, "nz").unwrap();
                    std::iter::from_fn(|| lots.take(1).unwrap()).map(|taken| taken.lot.first).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    taken.sort_unstable();
    assert_eq!(taken, (1..=200).collect::<Vec<_>>());
}

#[test]
fn row_41_a_chain_that_was_tampered_with_is_told() {
    let Some(server) = Server::with(&["one"]) else { return };
    let place = place(&server.socket("one"), None);
    PostgresStore::open(&place).unwrap().commit(&appended(vec![rows("s", 0, &["one", "two", "three"])])).unwrap();
    server.sql("one", "UPDATE privet.row SET bytes = '\\x00' WHERE number = 1");
    let mut store = PostgresStore::open(&place).unwrap();
    let problem = read(&mut store, &name("s"), |_, _| Ok(())).unwrap_err();
    assert_eq!((problem.id.as_str(), problem.exit), ("E-store-003", Exit::Storage));
    assert!(problem.what.contains("breaks at row 1"), "{problem}");
}

#[test]
fn a_database_that_is_not_ours_or_a_server_that_loses_what_it_takes_is_refused() {
    let Some(server) = Server::with(&["one", "two", "three"]) else { return };
    let of = |database: &str| PostgresStore::open(&place(&server.socket(database), None));
    let usage = |id: &str| (id.to_owned(), Exit::Usage);
    server.sql("one", "CREATE SCHEMA privet; CREATE TABLE privet.hedge (height int)");
    assert_eq!(problem(of("one")), usage("E-store-005"));
    // An empty schema that an administrator made is taken.
    server.sql("two", "CREATE SCHEMA privet");
    of("two").unwrap();
    server.sql("two", "INSERT INTO privet.version VALUES (3)");
    assert_eq!(problem(of("two")), usage("E-store-005"));
    let storage = |id: &str| (id.to_owned(), Exit::Storage);
    let wrong = PostgresPlace::new(&server.socket("three"), Some(&Secret::new("another")), None).expect("a place");
    assert_eq!(problem(PostgresStore::open(&wrong)), storage("E-store-011"));
    assert_eq!(problem(of("absent")), storage("E-store-011"));
    // An authority that the certificate is not of, and none at all.
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.pem();
    assert_eq!(problem(PostgresStore::open(&place(&server.tcp("three"), Some(&other)))), storage("E-store-011"));
    assert_eq!(problem(PostgresStore::open(&place(&server.tcp("three"), Some("no certificate")))), usage("E-store-012"));
    server.sql("three", "ALTER SYSTEM SET fsync = off");
    server.sql("three", "SELECT pg_reload_conf(), pg_sleep(1)");
    assert_eq!(problem(of("three")), usage("E-store-008"));
}

#[test]
fn row_49_after_a_lost_line_nothing_is_written_and_what_was_taken_stands() {
    let Some(server) = Server::with(&["one"]) else { return };
    let place = place(&server.socket("one"), None);
    let mut store = PostgresStore::open(&place).unwrap();
    store.commit(&appended(vec![rows("s", 0, &["one"])])).unwrap();
    server.down();
    let lost = store.commit(&appended(vec![rows("s", 1, &["two"])])).unwrap_err();
    assert_eq!((lost.id.as_str(), lost.exit), ("E-store-006", Exit::Storage), "{lost}");
    assert_eq!(problem(PostgresStore::open(&place)), ("E-store-011".to_owned(), Exit::Storage));
    server.up();
    assert_eq!(store.commit(&appended(vec![rows("s", 1, &["two"])])).unwrap_err().id, "E-store-006", "it stays failed");
    let mut store = PostgresStore::open(&place).unwrap();
    assert_eq!(texts(&mut store, "s"), ["0 one"]);
    store.commit(&appended(vec![rows("s", 1, &["two"])])).unwrap();
    // A connection that an administrator ends is a lost line as well.
    server.sql("one", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'privet'");
    assert_eq!(store.head(&name("s")).unwrap_err().id, "E-store-006");
    assert_eq!(texts(&mut PostgresStore::open(&place).unwrap(), "s"), ["0 one", "1 two"]);
}

#[test]
fn an_address_is_checked_before_anybody_is_asked() {
    let wrong = |address: &str, ca: Option<&str>| PostgresPlace::new(address, None, ca.map(|pem| pem.as_bytes().to_vec())).unwrap_err();
    assert!(wrong("mysql://privet@db/privet", None).contains("no address"));
    assert!(wrong("postgresql://privet:secret@db/privet", Some("")).contains("password"));
    assert!(wrong("postgresql://db/privet", Some("")).contains("no user"));
    assert!(wrong("postgresql://privet@db", Some("")).contains("no database"));
    assert!(wrong("postgresql://privet@one,two/privet", Some("")).contains("several"));
    assert!(wrong("postgresql://privet@db/privet", None).contains("`ca`"));
    assert!(wrong("postgresql://privet@%2Frun/privet", Some("")).contains("needs no `ca`"));
    let place = PostgresPlace::new("postgresql://privet@db.example/privet", Some(&Secret::new("secret")), Some(Vec::new())).unwrap();
    assert_eq!((place.shown(), format!("{place:?}").contains("secret")), ("postgresql://privet@db.example:5432/privet", false));
}
