//! `diff --part` and `merge`: what several machines find is what one would have found.

use crate::served::{World, context};
use privet::base::write_atomic;
use privet::job::pull;
use serde_json::Value;
use std::path::{Path, PathBuf};

#[test]
fn parts_of_a_diff_are_put_together_to_the_bytes_of_the_whole() {
    let world = World::new(400, 6);
    let _served = world.serve(&[]);
    pull(&world.load(), &context(&[])).expect("pulled");
    let folder = |json: &Value| PathBuf::from(json["reports"].as_str().expect("a folder"));
    let run = |args: &[&str]| {
        let (code, json, told) = world.run(args);
        (code, json, told)
    };
    let differences = |dir: &Path| ["csv", "parquet"].map(|form| std::fs::read(dir.join(format!("differences.{form}"))).expect("a table"));
    let (code, whole, told) = run(&["diff"]);
    assert_eq!(code, 0, "{told}");
    let wanted = differences(&folder(&whole));
    for of in [1, 2, 5] {
        let mut parts = Vec::new();
        for number in 1..=of {
            let (code, json, told) = run(&["diff", "--part", &format!("{number}/{of}")]);
            assert_eq!(code, 0, "{told}");
            parts.push(folder(&json).display().to_string());
        }
        let made = |args: &[String]| run(&std::iter::once("merge").chain(args.iter().map(String::as_str)).collect::<Vec<_>>());
        // In any order.
        parts.reverse();
        let (code, merged, told) = made(&parts);
        assert_eq!(code, 0, "{told}");
        assert!(differences(&folder(&merged)) == wanted, "{of} parts");
        assert_eq!(merged["differences"], whole["differences"]);
        if of == 5 {
            let each: usize = parts.iter().map(|dir| differences(Path::new(dir))[0].split(|byte| *byte == b'\n').count() - 2).sum();
            assert_eq!(each, wanted[0].split(|byte| *byte == b'\n').count() - 2, "each difference is in one part");
            // One that is missing, one that stands there twice, and what is no part.
            let (code, _, told) = made(&parts[1..]);
            assert!(code == 32 && told.contains("E-merge-003") && told.contains("5/5"), "{told}");
            let (code, _, told) = made(&[&parts[..], &parts[..1]].concat());
            assert!(code == 32 && told.contains("E-merge-003") && told.contains("twice"), "{told}");
            let (code, _, told) = made(&[folder(&whole).display().to_string()]);
            assert!(code == 32 && told.contains("E-merge-001"), "{told}");
            // Other records than those that are here.
            let path = world.data().join("records/contacts.csv");
            let text = std::fs::read_to_string(&path).expect("records");
            let cut = text.trim_end().rsplit_once('\n').expect("rows").0;
            write_atomic(&path, format!("{cut}\n").as_bytes()).expect("written");
            let (code, _, told) = made(&parts);
            assert!(code == 32 && told.contains("E-merge-002"), "{told}");
        }
    }
    let (code, _, told) = run(&["diff", "--part", "3/2"]);
    assert!(code == 2 && told.contains("2/8"), "{told}");
}
