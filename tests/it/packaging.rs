//! What is installed with the program: units that say of each exit what it means to the service manager.

use privet::base::Exit;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The settings of a unit by section and key, each with its values in order.
fn unit(name: &str) -> BTreeMap<(String, String), Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut all: BTreeMap<_, Vec<String>> = BTreeMap::new();
    let mut section = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else {
            let (key, value) = line.split_once('=').expect("a setting");
            all.entry((section.clone(), key.to_owned())).or_default().push(value.to_owned());
        }
    }
    all
}

/// The exit codes of a setting of the service.
fn codes(setting: &str) -> BTreeSet<u8> {
    let all = unit("privet.service");
    let values = &all[&("Service".to_owned(), setting.to_owned())];
    values.iter().flat_map(|v| v.split_whitespace()).map(|code| code.parse().expect("a code")).collect()
}

#[test]
fn the_service_says_of_every_exit_whether_it_is_a_failure_and_whether_it_is_tried_again() {
    let every: BTreeSet<u8> = Exit::PRECEDENCE.iter().map(|exit| exit.code()).collect();
    let of = |exits: &[Exit]| exits.iter().map(|exit| exit.code()).collect::<BTreeSet<u8>>();
    let success = codes("SuccessExitStatus");
    assert_eq!(
        success,
        of(&[Exit::ChangesPending, Exit::Findings, Exit::Stopped]),
        "what is found is told in the report; a stop was asked for"
    );
    let for_people = codes("RestartPreventExitStatus");
    let again = of(&[Exit::Locked, Exit::Unreachable]);
    assert!(for_people.is_disjoint(&success) && for_people.is_disjoint(&again));
    let mut told: BTreeSet<u8> = for_people.union(&success).copied().collect();
    told.extend(&again);
    told.insert(Exit::Done.code());
    assert_eq!(told, every, "each exit of the program has its place");
    assert!(for_people.contains(&Exit::Refused.code()), "a login that was refused is not repeated: accounts are locked for that");
}

#[test]
fn a_failure_is_told_by_a_unit_that_is_there() {
    let service = unit("privet.service");
    let told = &service[&("Unit".to_owned(), "OnFailure".to_owned())][0];
    assert_eq!(told, "privet-failed@%n.service");
    assert!(unit("privet-failed@.service").contains_key(&("Service".to_owned(), "ExecStart".to_owned())));
    let timer = unit("privet.timer");
    assert_eq!(timer[&("Timer".to_owned(), "Unit".to_owned())], ["privet.service"]);
}
