//! Ways to protected registrants: what the register of relayed messages says of them is what `report protection` asks for.

use crate::served::{World, context};
use privet::base::{Exit, write_atomic};
use privet::job::{register_import, report_protection, run};
use std::collections::BTreeSet;
use std::path::Path;

/// Rows of a table: of these columns.
fn table(dir: &Path, name: &str, wanted: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(dir.join(name)).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let columns: Vec<usize> = wanted.iter().map(|name| header.iter().position(|known| known == *name).expect("the column")).collect();
    reader.records().map(|row| row.expect("a row")).map(|row| columns.iter().map(|at| row[*at].to_owned()).collect()).collect()
}

#[test]
fn a_protected_domain_has_a_way_to_its_registrant_that_was_tried_and_works() {
    let world = World::new(160, 8);
    let _served = world.serve(&[]);
    run(&world.load(), &context(&[])).expect("ended");
    let watched = || {
        let ended = report_protection(&world.load(), &context(&[])).expect("ended");
        let dir = ended.json["reports"].as_str().expect("a folder").to_owned();
        let found = table(Path::new(&dir), "findings.csv", &["rule", "registry", "id", "severity"]);
        let found: Vec<Vec<String>> = found.into_iter().filter(|row| row[0] == "RTR-18").map(|row| row[1..].to_vec()).collect();
        (table(Path::new(&dir), "relay-map.csv", &["registry", "domain"]), found)
    };
    let (mapped, found) = watched();
    assert!(mapped.len() > 2 && found.iter().all(|row| row[2] == "warning"), "{found:?}");
    let places = |found: &[Vec<String>]| found.iter().map(|row| row[..2].to_vec()).collect::<BTreeSet<_>>();
    assert_eq!((places(&found), found.len()), (mapped.iter().cloned().collect(), mapped.len()), "of none it is known");
    // One works, of another one of two ways does, and the third one failed.
    let [one, two, three] = [0, 1, 2].map(|n| mapped[n].join(","));
    let rows = format!(
        "case,event,at,at_registry,domain,way,result\n\
         t-1,tested,2026-11-01,{one},form,bounced\n\
         t-1,tested,2026-11-02,{one},form,delivered\n\
         t-2,tested,2026-11-02,{},address,delivered\n\
         t-3,tested,2026-11-03,{two},form,no-answer\n\
         t-4,tested,2026-11-02,{three},form,delivered\n\
         t-4,tested,2026-11-03,{three},form,bounced\n",
        two.to_uppercase().replace(&mapped[1][0].to_uppercase(), &mapped[1][0])
    );
    let file = world.data().join("relay.csv");
    write_atomic(&file, rows.as_bytes()).expect("written");
    let taken = register_import(&world.load(), &context(&[]), "relay", &[file], false).expect("taken");
    assert_eq!(taken.exit(), Exit::Done, "{}", taken.text);
    let (_, found) = watched();
    assert_eq!(places(&found), mapped[2..].iter().cloned().collect(), "the newest try of a way counts");
    // A way that is given up reaches nobody.
    let (code, _, told) = world.run(&["relay", "add", "retired", "--case", "t-1"]);
    assert_eq!(code, 0, "{told}");
    assert!(places(&watched().1).contains(&mapped[0]));
}
