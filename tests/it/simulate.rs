//! `privet simulate`: what it prints, what it refuses, and that the bundled registries, with all their limits in force, see of the same pools
//! in virtual time what was predicted.

use crate::schema_files::assert_form;
use privet::base::{ExchangeId, Moment, RegistryId, RunId, Secret, Timestamp};
use privet::dataset::{Building, Facts, Observation, State};
use privet::forecast::{Bound, Forecast, Kind, Plain, Registry, Task, Terms, Timing, forecast};
use privet::mock::{Knobs, Objects, Sans, Visit};
use privet::model::ObjectKind;
use privet::policy::{Profile, profile};
use privet::protocol::frame::{DEFAULT_CAP, LengthPrefix};
use privet::session::{Account, Allowance, EppDialect, Now, Setup};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What `privet simulate` prints in `dir`: its exit code, and both of its outputs.
fn shown(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_privet")).env_clear().current_dir(dir).arg("simulate").args(arguments).output();
    let output = output.expect("a process");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&dir.display().to_string(), "[DIR]");
    format!("exit: {}\n{}{}", output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    let all = shown(dir, &[arguments, &["--format", "json"]].concat());
    let (_, json) = all.split_once('\n').expect("an exit code");
    serde_json::from_str(json).expect("JSON")
}

const FLEET: [&str; 8] = [
    "--fleet",
    "gtld-thick=30000,25000",
    "--fleet",
    "gtld-minimum=9,15000",
    "--fleet",
    "denic=20000,90000",
    "--fleet",
    "nicit=20000,15000",
];

#[test]
fn a_fleet_is_told_registry_by_registry_and_equal_inputs_have_equal_bytes() {
    let dir = tempfile::tempdir().expect("a directory");
    let arguments = [&FLEET[..], &["--changes", "4000", "--latency", "nicit=25ms", "--from", "22:00"]].concat();
    let text = shown(dir.path(), &arguments);
    assert_eq!(text, shown(dir.path(), &arguments));
    insta::assert_snapshot!(text);
}

#[test]
fn the_form_is_the_published_one_and_names_each_limit() {
    let dir = tempfile::tempdir().expect("a directory");
    let told = json(dir.path(), &FLEET);
    assert_form("simulated", &told);
    let of: BTreeMap<&str, &Value> =
        told["registries"].as_array().expect("a list").iter().map(|r| (r["registry"].as_str().expect("an id"), r)).collect();
    let limits: Vec<&str> = ["gtld-thick", "gtld-minimum", "denic"].map(|id| of[id]["limited_by"].as_str().expect("a word")).to_vec();
    assert_eq!(limits, ["latency", "rate", "quota"]);
    assert_eq!(of["gtld-minimum"]["contacts"], 0, "it has no contacts");
    assert_eq!(of["gtld-minimum"]["commands"]["domain_infos"], 15_000);
    // Our half of twice the domains, of which a quarter is kept for applying.
    assert_eq!((of["denic"]["quota"].as_u64(), of["denic"]["a_night"].as_u64()), (Some(67_500), Some(67_500)));
    assert_eq!(of["denic"]["nights"], 2);
}

#[test]
fn more_of_the_account_is_faster_and_what_is_told_to_be_enough_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let minimum = |share: &str| json(dir.path(), &["--fleet", "gtld-minimum=0,150000", "--share", share])["registries"][0].clone();
    let half = minimum("0.5");
    let enough = half["needs"]["share_percent"].as_u64().expect("a share");
    assert_eq!(half["nights"], 2);
    let of = |percent: u64| minimum(&format!("{:.2}", percent as f64 / 100.0))["nights"].as_u64();
    assert_eq!((of(enough), of(enough - 1)), (Some(1), Some(2)), "{enough} %");
}

#[test]
fn what_cannot_be_simulated_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    let fleet = ["--fleet", "gtld-thick=1,1"];
    let all: [&[&str]; 15] = [
        &[],
        &["--fleet", "gtld-thik=1,1"],
        &["--fleet", "gtld-thick=0,0"],
        &["--fleet", "gtld-thick=-5,1"],
        &["--fleet", "gtld-thick=900000000000,1"],
        &["--fleet", "gtld-thick=1,1", "--fleet", "gtld-thick=2,2"],
        &["--fleet", "gtld-minimum=5,0"],
        &["--fleet", "gtld-thick=90000000000,1", "--times", "1000"],
        &[fleet[0], fleet[1], "--latency", "0ms"],
        &[fleet[0], fleet[1], "--latency", "denic=30ms"],
        &[fleet[0], fleet[1], "--latency", "10s", "--service", "5s"],
        &[fleet[0], fleet[1], "--share", "0"],
        &[fleet[0], fleet[1], "--sessions", "0"],
        &[fleet[0], fleet[1], "--window", "25h"],
        &[fleet[0], fleet[1], "--changes", "-1"],
    ];
    let told: Vec<String> = all
        .iter()
        .map(|arguments| format!("$ privet simulate {}\n{}", arguments.join(" ").trim_end(), shown(dir.path(), arguments)))
        .collect();
    assert!(told.iter().all(|one| one.contains("exit: 2\n")), "{told:#?}");
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn sizes_are_those_of_the_newest_snapshots_unless_given() {
    let dir = tempfile::tempdir().expect("a directory");
    let init = Command::new(env!("CARGO_BIN_EXE_privet")).args(["init", "."]).current_dir(dir.path()).output().expect("a process");
    assert!(init.status.success());
    let config = std::fs::read_to_string(dir.path().join("privet.toml")).expect("a configuration");
    let id = config.lines().find_map(|line| line.strip_prefix("[registries.")?.strip_suffix(']')).expect("a registry").to_owned();
    let none = shown(dir.path(), &[]);
    assert!(none.starts_with("exit: 2\n") && none.contains("E-simulate-002"), "{none}");
    let state = dir.path().join("state");
    privet::base::create_private_dir(&state).expect("a directory");
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let registry = RegistryId::new(id.as_str());
    let mut building = Building::open(&state, &RunId::new("run"), now, &registry, 0).expect("a snapshot");
    for n in 0..7_u64 {
        let kind = if n < 4 { ObjectKind::Contact } else { ObjectKind::Domain };
        let seen = Observation {
            kind,
            id: format!("O-{n}").into(),
            state: State::Missing,
            row: None,
            facts: Facts::default(),
            observed_at: now,
            exchange: ExchangeId(n),
            unknown: 0,
        };
        building.observe(seen).expect("noted");
    }
    building.finish(now).expect("in place");
    let one = |arguments: &[&str]| {
        let told = json(dir.path(), arguments);
        let all = told["registries"].as_array().expect("a list");
        let found = all.iter().find(|one| one["registry"] == id.as_str()).expect("the registry").clone();
        (found["contacts"].as_u64(), found["domains"].as_u64())
    };
    assert_eq!(one(&[]), (Some(4), Some(3)));
    assert_eq!(one(&["--times", "1000"]), (Some(4_000), Some(3_000)));
    assert_eq!(one(&["--fleet", &format!("{id}=70,80")]), (Some(70), Some(80)), "by the configuration's name");
}

/// A bundled registry with its own limits, which it enforces.
struct Bundled {
    sans: Sans,
    visits: BTreeMap<u32, Visit>,
    heard: Rc<RefCell<Vec<(Moment, Kind, u16)>>>,
}

impl Registry for Bundled {
    fn greeting(&mut self, session: u32, now: Now) -> Option<Vec<u8>> {
        let (visit, greeting) = self.sans.open(now.at, now.wall);
        self.visits.insert(session, visit);
        Some(greeting)
    }

    fn answer(&mut self, session: u32, frame: &str, now: Now) -> Option<Vec<u8>> {
        let visit = self.visits.get_mut(&session).expect("an open visit");
        let reply = self.sans.answer(visit, frame.as_bytes(), now.at, now.wall);
        self.heard.borrow_mut().push((now.at, Kind::of(frame), reply.code));
        Some(reply.payload)
    }

    fn closed(&mut self, session: u32) {
        if let Some(visit) = self.visits.remove(&session) {
            self.sans.close(visit);
        }
    }
}

const ACCOUNT: &str = "registrar-1";
const PASSWORD: &str = "simulated-1";

/// What a pull from `registry` is predicted to take, by the limits of `profile`.
fn predicted(profile: &Arc<Profile>, share: u8, registry: &dyn Fn() -> Box<dyn Registry>, task: Task) -> Forecast {
    let setup = || Setup {
        registry: RegistryId::new("one"),
        prefix: "it".into(),
        dialect: Arc::new(EppDialect::new(
            Account { client: ACCOUNT.into(), password: Secret::new(PASSWORD), new_password: None },
            Arc::clone(profile),
        )),
        framer: || Box::new(LengthPrefix::epp(DEFAULT_CAP)),
        allowance: Allowance::of(&profile.limits, share),
        seed: 1,
        first_session: 1,
    };
    let terms = Terms {
        setup: &setup,
        registry,
        timing: Timing::of(Duration::from_millis(40), Duration::ZERO),
        limits: &profile.limits,
        quota: None,
        from: "2026-01-13T22:00:00Z".parse().expect("a time"),
        window: Duration::from_hours(24),
    };
    forecast(&terms, task).expect("a forecast")
}

/// The whole account is used, so that one command too many would be refused.
#[test]
fn a_bundled_registry_with_its_limits_in_force_sees_what_was_predicted_and_refuses_nothing() {
    for (name, bound) in [("gtld-minimum", Bound::Rate), ("gtld-thick", Bound::Latency), ("nz", Bound::Latency)] {
        let profile = profile(name).expect("embedded");
        let task = Task::Pull { domains: 400, contacts: if profile.has_contacts() { 200 } else { 0 } };
        let plain = Plain::of(&profile);
        let told = predicted(&profile, 100, &|| Box::new(plain.clone()), task);
        let heard = Rc::new(RefCell::new(Vec::new()));
        let start: Timestamp = "2026-01-13T22:00:00Z".parse().expect("a time");
        let seen = predicted(
            &profile,
            100,
            &|| {
                let account = (ACCOUNT, Secret::new(PASSWORD));
                let sans = Sans::new(Arc::clone(&profile), &Objects::default(), &Knobs::default(), account, start).expect("a registry");
                Box::new(Bundled { sans, visits: BTreeMap::new(), heard: Rc::clone(&heard) })
            },
            task,
        );
        assert_eq!((told.time, told.commands, told.sessions), (seen.time, seen.commands, seen.sessions), "{name}");
        assert_eq!(told.bound, bound, "{name}");
        let heard = heard.borrow();
        let codes: BTreeMap<u16, usize> = heard.iter().fold(BTreeMap::new(), |mut codes, (_, _, code)| {
            *codes.entry(*code).or_default() += 1;
            codes
        });
        assert!(codes.keys().all(|code| [1000, 1500, 2303].contains(code)), "{name}: {codes:?}");
        // What the registry heard is what was counted, where nothing was skipped.
        if heard.len() as u64 == seen.commands.total() {
            let of = |kind: Kind| heard.iter().filter(|(_, heard, _)| *heard == kind).count() as u64;
            assert_eq!(
                (of(Kind::Domain), of(Kind::Contact), of(Kind::Login)),
                (seen.commands.domain_infos, seen.commands.contact_infos, seen.commands.logins)
            );
        } else {
            assert!(seen.is_exact, "{name}");
        }
    }
}
