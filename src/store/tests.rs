//! One suite for every store, and what only files have.

use super::*;
use crate::base::SeededEntropy;
use crate::base::Timestamp;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt as _;

pub(super) fn name(text: &str) -> StreamName {
    StreamName::new(text).unwrap()
}

pub(super) fn rows(stream: &str, expected: u64, rows: &[&str]) -> Append {
    Append { stream: name(stream), expected, rows: rows.iter().map(|row| row.as_bytes().into()).collect() }
}

pub(super) fn appended(appends: Vec<Append>) -> Batch {
    Batch { appends, cells: Vec::new() }
}

pub(super) fn texts(store: &mut dyn Store, stream: &str) -> Vec<String> {
    let mut out = Vec::new();
    read(store, &name(stream), |number, row| {
        out.push(format!("{number} {}", String::from_utf8_lossy(row)));
        Ok(())
    })
    .unwrap();
    out
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// What holds of every store.
pub(super) fn conforms(store: &mut dyn Store) {
    assert_eq!(store.head(&name("a/1")).unwrap(), Head::empty(&name("a/1")));
    store.commit(&appended(vec![rows("a/1", 0, &["one", "two"]), rows("a/2", 0, &["uno"])])).unwrap();
    store.commit(&appended(vec![rows("a/1", 2, &["three"]), rows("b", 0, &[])])).unwrap();
    assert_eq!(texts(store, "a/1"), ["0 one", "1 two", "2 three"]);
    assert_eq!(texts(store, "a/2"), ["0 uno"]);
    assert_eq!(texts(store, "b"), [""; 0]);
    let names =
        |store: &mut dyn Store, prefix| store.heads(prefix).unwrap().iter().map(|(stream, _)| stream.to_string()).collect::<Vec<_>>();
    assert_eq!(names(store, "a/"), ["a/1", "a/2"]);
    assert_eq!(names(store, ""), ["a/1", "a/2"]);
    for (stream, head) in store.heads("a/").unwrap() {
        assert_eq!(head, store.head(&stream).unwrap());
    }
    let mut from = Vec::new();
    let mut each = |link: Link<'_>| {
        from.push(link.number);
        Ok(())
    };
    store.rows(&name("a/1"), 1, &mut each).unwrap();
    assert_eq!(from, [1, 2]);

    // The same rows in another stream, or in another order, are another chain.
    let mut other = MemoryStore::default();
    other.commit(&appended(vec![rows("a/1", 0, &["one", "three", "two"]), rows("a/3", 0, &["uno"])])).unwrap();
    assert_ne!(store.head(&name("a/1")).unwrap(), other.head(&name("a/1")).unwrap());
    assert_ne!(store.head(&name("a/2")).unwrap().hash, other.head(&name("a/3")).unwrap().hash);

    // A batch is kept as a whole or not at all.
    let put = Cell::Put(Table::Keys, b"k".as_slice().into(), b"v".as_slice().into());
    let stale = Batch { appends: vec![rows("a/2", 1, &["due"]), rows("a/1", 2, &["late"])], cells: vec![put.clone()] };
    assert_eq!(store.commit(&stale).unwrap_err().id, "E-store-004");
    assert_eq!(texts(store, "a/2"), ["0 uno"]);
    assert_eq!(store.get(Table::Keys, b"k").unwrap(), None);

    // Cells are of their table, change and go.
    let cells = vec![
        put,
        Cell::Put(Table::Keys, b"k2".as_slice().into(), b"v2".as_slice().into()),
        Cell::Put(Table::Keys, b"l".as_slice().into(), b"".as_slice().into()),
        Cell::Put(Table::Salts, b"k3".as_slice().into(), b"salt".as_slice().into()),
        Cell::Put(Table::Keys, b"k".as_slice().into(), b"w".as_slice().into()),
    ];
    store.commit(&Batch { appends: Vec::new(), cells }).unwrap();
    let found = |store: &mut dyn Store, prefix: &[u8]| {
        let mut out = Vec::new();
        let mut each = |key: &[u8], value: &[u8]| {
            out.push(format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
            Ok(())
        };
        store.cells(Table::Keys, prefix, &mut each).unwrap();
        out
    };
    assert_eq!(found(store, b"k"), ["k=w", "k2=v2"]);
    assert_eq!(found(store, b""), ["k=w", "k2=v2", "l="]);
    store.commit(&Batch { appends: Vec::new(), cells: vec![Cell::Delete(Table::Keys, b"k".as_slice().into())] }).unwrap();
    assert_eq!(found(store, b"k"), ["k2=v2"]);

    // Closing binds every head.
    let closing = String::from_utf8(bind(store, "a/").unwrap().into()).unwrap();
    let lines: Vec<&str> = closing.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], format!("a/1 {}", store.head(&name("a/1")).unwrap()));
}

#[test]
fn a_store_moves_whole_goes_on_where_it_was_cut_short_and_forgets_what_was_erased_meanwhile() {
    let (mut from, mut to) = (MemoryStore::default(), MemoryStore::default());
    let many: Vec<String> = (0..2_500).map(|n| format!("row {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let put = |key: &str| Cell::Put(Table::Keys, key.as_bytes().into(), b"v".as_slice().into());
    hold(&mut from, &crate::base::Digest::of(b"this machine")).unwrap();
    from.commit(&Batch { appends: vec![rows("a/1", 0, &many), rows("a/2", 0, &["uno"])], cells: vec![put("k"), put("l")] }).unwrap();
    // An earlier call brought some of it.
    to.commit(&Batch { appends: vec![rows("a/1", 0, &many[..7])], cells: vec![put("k"), put("gone")] }).unwrap();
    let copied = copy(&mut from, &mut to).unwrap();
    assert_eq!(copied, Copied { streams: 2, rows: 2_501, cells: 2 });
    assert_eq!(copy(&mut from, &mut to).unwrap(), copied, "once more changes nothing");
    for stream in ["a/1", "a/2"] {
        assert_eq!(texts(&mut to, stream), texts(&mut from, stream));
        assert_eq!(to.head(&name(stream)).unwrap(), from.head(&name(stream)).unwrap());
    }
    assert_eq!(to.get(Table::Keys, b"gone").unwrap(), None);
    assert!(from.get(Table::Host, b"host").unwrap().is_some() && to.get(Table::Host, b"host").unwrap().is_none());
    // A store that has something of its own is left as it is.
    for own in [rows("z", 0, &["own"]), rows("a/1", 0, &["own"]), rows("a/2", 0, &["uno", "due"]), rows("a/2", 0, &["due"])] {
        let mut other = MemoryStore::default();
        other.commit(&appended(vec![own.clone()])).unwrap();
        assert_eq!(copy(&mut from, &mut other).unwrap_err().id, "E-store-013");
        assert_eq!(other.head(&own.stream).unwrap().rows, own.rows.len() as u64);
    }
}

#[test]
fn the_store_in_memory_conforms() {
    conforms(&mut MemoryStore::default());
}

#[test]
fn the_store_in_a_file_conforms_and_is_the_same_when_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state/store.sqlite");
    let mut store = SqliteStore::open(&path).unwrap();
    conforms(&mut store);
    let head = store.head(&name("a/1")).unwrap();
    drop(store);
    let mut again = SqliteStore::open(&path).unwrap();
    assert_eq!(again.head(&name("a/1")).unwrap(), head);
    assert_eq!(texts(&mut again, "a/1").len(), 3);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Lets SQL of a test's own at a store that is left as it is otherwise.
fn raw(path: &std::path::Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// Opens the store of a test, lets SQL of a test's own at it, and gives what opening and reading it again come to.
fn tampered(sql: &str) -> Result<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    SqliteStore::open(&path).unwrap().commit(&appended(vec![rows("s", 0, &["one", "two", "three"])])).unwrap();
    raw(&path, sql);
    let mut store = SqliteStore::open(&path)?;
    let mut out = Vec::new();
    read(&mut store, &name("s"), |number, _| {
        out.push(number.to_string());
        Ok(())
    })?;
    Ok(out)
}

#[test]
fn row_41_a_broken_chain_is_told_with_its_row_and_both_hashes() {
    assert_eq!(tampered("").unwrap(), ["0", "1", "2"]);
    for (sql, row) in [
        ("UPDATE row SET bytes = x'00' WHERE number = 1", 1),
        ("UPDATE row SET hash = zeroblob(32) WHERE number = 0", 0),
        ("DELETE FROM row WHERE number = 1", 1),
        ("DELETE FROM row WHERE number = 2", 2),
        ("UPDATE row SET number = 7 WHERE number = 2", 2),
        ("UPDATE stream SET hash = zeroblob(32)", 3),
    ] {
        let problem = tampered(sql).expect_err(sql);
        assert_eq!((problem.id.as_str(), problem.exit), ("E-store-003", Exit::Storage), "{sql}");
        assert!(problem.what.contains(&format!("breaks at row {row}: stored ")), "{sql}: {problem}");
        assert!(problem.what.matches(|c: char| c.is_ascii_hexdigit()).count() > 128, "{problem}");
    }
}

#[test]
fn row_41_a_newer_version_and_a_foreign_file_are_refused() {
    assert_eq!(tampered("PRAGMA user_version = 2").unwrap_err().id, "E-store-005");
    let problem = tampered("PRAGMA application_id = 5").unwrap_err();
    assert_eq!((problem.id.as_str(), problem.exit), ("E-store-005", Exit::Usage));
}

#[test]
fn row_40_a_damaged_file_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let many: Vec<String> = (0..2_000).map(|n| format!("row number {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut store = SqliteStore::open(&path).unwrap();
    store.commit(&appended(vec![rows("s", 0, &many)])).unwrap();
    store.scrub().unwrap();
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 512].fill(0xA5);
    #[expect(clippy::disallowed_methods, reason = "damage is not written with care")]
    std::fs::write(&path, &bytes).unwrap();
    let problem = SqliteStore::open(&path).unwrap_err();
    assert_eq!((problem.id.as_str(), problem.exit), ("E-store-002", Exit::Storage), "{problem}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    #[expect(clippy::disallowed_methods, reason = "damage is not written with care")]
    std::fs::write(&path, b"no database at all, but long enough to be looked at as if it were one, since it has a hundred bytes").unwrap();
    assert_eq!(SqliteStore::open(&path).unwrap_err().id, "E-store-002");
}

#[test]
fn row_40_a_store_whose_log_is_gone_is_refused_until_somebody_knows_better() {
    let dir = tempfile::tempdir().unwrap();
    let (path, log) = (dir.path().join("store.sqlite"), dir.path().join("store.sqlite-wal"));
    let mut store = SqliteStore::open(&path).unwrap();
    store.commit(&appended(vec![rows("s", 0, &["one"])])).unwrap();
    // What a process leaves that is killed here: the row stands in the log alone.
    let left = tempfile::tempdir().unwrap();
    let (left_path, left_log) = (left.path().join("store.sqlite"), left.path().join("store.sqlite-wal"));
    std::fs::copy(&path, &left_path).unwrap();
    for _ in 0..2 {
        let problem = SqliteStore::open(&left_path).unwrap_err();
        assert_eq!((problem.id.as_str(), problem.exit), ("E-store-009", Exit::Storage), "{problem}");
        assert!(!left_log.exists());
    }
    crate::base::write_atomic(&left_log, b"").unwrap();
    assert!(texts(&mut SqliteStore::open(&left_path).unwrap(), "s").is_empty());
    std::fs::copy(&path, &left_path).unwrap();
    std::fs::copy(&log, &left_log).unwrap();
    assert_eq!(texts(&mut SqliteStore::open(&left_path).unwrap(), "s"), ["0 one"]);
    // Closed in order, the log stays, and is empty.
    drop(store);
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    assert_eq!(texts(&mut SqliteStore::open(&path).unwrap(), "s"), ["0 one"]);
}

#[test]
fn row_42_a_network_file_system_is_no_place_for_a_store() {
    let path = std::path::Path::new("state/store.sqlite");
    for kind in [0x6969, 0xFF53_4D42, 0xFE53_4D42] {
        let problem = sqlite::check_place(path, kind).unwrap_err();
        assert_eq!((problem.id.as_str(), problem.exit), ("E-store-007", Exit::Usage), "{problem}");
        assert!(problem.remedy.contains("local disk"), "{problem}");
    }
    // ext4, btrfs, xfs, tmpfs, overlayfs, zfs.
    for kind in [0xEF53, 0x9123_683E, 0x5846_5342, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1] {
        sqlite::check_place(path, kind).unwrap();
    }
}

#[test]
fn row_42_a_store_belongs_to_the_machine_that_made_it_until_it_is_moved() {
    let mut store = MemoryStore::default();
    let (first, second) = (crate::base::Digest::of(b"one"), crate::base::Digest::of(b"other"));
    hold(&mut store, &first).unwrap();
    hold(&mut store, &first).unwrap();
    for _ in 0..2 {
        let problem = hold(&mut store, &second).unwrap_err();
        assert_eq!((problem.id.as_str(), problem.exit), ("E-store-010", Exit::Usage), "{problem}");
    }
    rehome(&mut store, &second).unwrap();
    hold(&mut store, &second).unwrap();
    assert_eq!(hold(&mut store, &first).unwrap_err().id, "E-store-010");
}

#[test]
fn row_49_after_a_failed_write_nothing_is_written_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let mut store = SqliteStore::open(&path).unwrap();
    store.commit(&appended(vec![rows("s", 0, &["one"])])).unwrap();
    store.limit_pages(1);
    let large = "x".repeat(100_000);
    let problem = store.commit(&appended(vec![rows("s", 1, &[&large])])).unwrap_err();
    assert_eq!((problem.id.as_str(), problem.exit), ("E-store-006", Exit::Storage), "{problem}");
    store.limit_pages(1_000_000);
    assert!(store.commit(&appended(vec![rows("s", 1, &["two"])])).is_err());
    drop(store);
    assert_eq!(texts(&mut SqliteStore::open(&path).unwrap(), "s"), ["0 one"]);
}

#[test]
fn a_sealed_value_opens_with_its_key_and_digest_alone() {
    let mut store = MemoryStore::default();
    let mut entropy = SeededEntropy::new(1);
    let mut vault = Vault::new(&mut store);
    let keys = vault.enrol(["r contact A", "r contact B", "r contact A"], &mut entropy).unwrap();
    assert_eq!(keys[0].reference(), keys[2].reference());
    assert_ne!(keys[0].reference(), keys[1].reference());
    let again = vault.enrol(["r contact B"], &mut entropy).unwrap();
    assert_eq!(again[0].reference(), keys[1].reference());
    assert_eq!(vault.object(keys[1].reference()).unwrap().as_deref(), Some("r contact B"));

    let sealed = keys[0].seal("email", b"x@mail.example", at(100)).unwrap();
    let twin = keys[0].seal("email", b"x@mail.example", at(100)).unwrap();
    assert_eq!(sealed.bytes(), twin.bytes());
    assert_ne!(sealed.digest(), keys[0].digest("voice", b"x@mail.example"));
    assert_ne!(sealed.digest(), keys[1].digest("email", b"x@mail.example"));
    let (digest, bytes) = (sealed.digest(), sealed.bytes().to_vec());
    store.commit(&Batch { appends: Vec::new(), cells: vec![sealed_cell(&sealed)] }).unwrap();
    let mut vault = Vault::new(&mut store);
    assert_eq!(vault.open(&keys[0], "email", &digest).unwrap().unwrap().as_slice(), b"x@mail.example");
    assert_eq!(vault.open(&keys[0], "voice", &digest).unwrap_err().id, "E-vault-002");
    assert!(vault.open(&keys[1], "email", &digest).unwrap().is_none());
    // A cell of another object's, or with one bit changed, does not open.
    for at in 8..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert_eq!(keys[0].open("email", &digest, &other).unwrap_err().exit, Exit::PlanStale, "{at}");
    }
    assert!(keys[1].open("email", &digest, &bytes).is_err());
    let mut vault = Vault::new(&mut store);
    assert_eq!(vault.expire(at(100)).unwrap(), 0);
    assert_eq!(vault.expire(at(101)).unwrap(), 1);
    assert!(vault.open(&keys[0], "email", &digest).unwrap().is_none());
}

#[test]
fn erasing_an_object_leaves_nothing_of_it_in_the_file_and_every_chain_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let mut store = SqliteStore::open(&path).unwrap();
    let key = Vault::new(&mut store).enrol(["r contact LIGUSTRUM-7"], &mut SeededEntropy::new(2)).unwrap().remove(0);
    let other = Vault::new(&mut store).enrol(["r contact OTHER"], &mut SeededEntropy::new(3)).unwrap().remove(0);
    let row = format!("sending {}", key.reference());
    let kept = other.seal("email", b"y@mail.example", at(9)).unwrap();
    let kept_digest = kept.digest();
    let cells = vec![sealed_cell(&key.seal("email", b"x@mail.example", at(9)).unwrap()), sealed_cell(&kept)];
    store.commit(&Batch { appends: vec![rows("journal", 0, &[&row])], cells }).unwrap();
    store.scrub().unwrap();
    let holds = |what: &[u8]| {
        let files = std::fs::read_dir(dir.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.into_iter().any(|bytes| bytes.windows(what.len()).any(|window| window == what))
    };
    assert!(holds(b"LIGUSTRUM-7") && holds(key.bytes()));
    assert!(Vault::new(&mut store).erase("r contact LIGUSTRUM-7").unwrap());
    assert!(!Vault::new(&mut store).erase("r contact LIGUSTRUM-7").unwrap());
    store.scrub().unwrap();
    assert!(!holds(b"LIGUSTRUM-7") && !holds(key.bytes()));
    assert_eq!(texts(&mut store, "journal"), [format!("0 {row}")]);
    let mut vault = Vault::new(&mut store);
    assert!(vault.key(key.reference()).unwrap().is_none());
    assert!(vault.open(&other, "email", &kept_digest).unwrap().is_some());
}

#[test]
fn a_chain_that_grows_while_it_is_read_is_not_a_broken_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sqlite");
    let (mut store, mut other) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    store.commit(&appended(vec![rows("s", 0, &["one", "two"])])).unwrap();
    let mut seen = Vec::new();
    let head = read(&mut store, &name("s"), |number, row| {
        seen.push(String::from_utf8(row.to_vec()).unwrap());
        if number < 4 {
            other.commit(&appended(vec![rows("s", number + 2, &["more"])]))?;
        }
        Ok(())
    });
    assert_eq!(head.unwrap(), other.head(&name("s")).unwrap());
    assert_eq!(seen, ["one", "two", "more", "more", "more", "more"]);
}

proptest! {
    #[test]
    fn any_row_that_changes_breaks_the_chain(rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..8), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let stream = name("s");
        let head = |rows: &[Vec<u8>]| rows.iter().fold(Head::empty(&stream), |head, row| head.after(row));
        let at = at.index(rows.len());
        let mut other = rows.clone();
        match other[at].first_mut() {
            Some(byte) => *byte ^= 1 << bit,
            None => other[at].push(bit),
        }
        prop_assert_ne!(head(&rows), head(&other));
        other.remove(at);
        prop_assert_ne!(head(&rows), head(&other));
    }

    #[test]
    fn whatever_is_sealed_comes_out_again(value in prop::collection::vec(any::<u8>(), 0..200), field in "[a-z.]{0,12}") {
        let mut store = MemoryStore::default();
        let key = Vault::new(&mut store).enrol(["o"], &mut SeededEntropy::new(4)).unwrap().remove(0);
        let sealed = key.seal(&field, &value, at(1)).unwrap();
        let digest = sealed.digest();
        store.commit(&Batch { appends: Vec::new(), cells: vec![sealed_cell(&sealed)] }).unwrap();
        prop_assert_eq!(&**Vault::new(&mut store).open(&key, &field, &digest).unwrap().unwrap(), &value);
    }
}
