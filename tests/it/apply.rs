//! Plans applied to a bundled registry over real TLS: each change once, whatever breaks, and whoever pulls the plug.

use crate::one::{ONE, One};
use crate::served::{context, wait_until};
use privet::base::{Digest, Exit, Timestamp, write_atomic};
use privet::dataset::{DomainField, Row};
use privet::job::config::Loaded;
use privet::job::{ApplyOptions, Ended, PlanOptions, apply, pull, reconcile, rollback};
use privet::mock::Served;
use privet::model::ObjectKind;
use privet::plan::{
    Basis, BasisKind, Draft, DraftStep, Fact, GateName, GateVerdict, Header, PlanFile, PlanWriter, Reason, Recipe, RegistryFacts, Undo,
    vault_name,
};
use privet::store::{Batch, PostgresPlace, PostgresStore, SqliteStore, Store, Vault, sealed_cell};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const LOCK: &str = "clientTransferProhibited";

/// A registry, and a plan to lock those of its domains that are not.
pub(crate) struct Locking {
    pub(crate) one: One,
    pub(crate) loaded: Loaded,
    pub(crate) plan: PathBuf,
    /// The domains that the plan locks.
    pub(crate) names: Vec<String>,
    /// Lines of the registry's configuration.
    extra: &'static str,
    pub(crate) served: Option<Served>,
    /// The database that is the store, where the file is not.
    database: Option<PostgresPlace>,
}

impl Locking {
    /// A registry of so many domains with its `knobs`, pulled, and the plan, of which `change` may make another.
    pub(crate) fn new(domains: u64, knobs: &[&str], change: impl FnOnce(&mut Header)) -> Self {
        Self::configured(domains, knobs, "", change)
    }

    /// The same, with `extra` lines of configuration for the registry.
    pub(crate) fn configured(domains: u64, knobs: &[&str], extra: &'static str, change: impl FnOnce(&mut Header)) -> Self {
        Self::over(domains, knobs, (extra, None), change)
    }

    /// The same, with a `database` as the store, which the `extra` lines name.
    pub(crate) fn over(
        domains: u64,
        knobs: &[&str],
        (extra, database): (&'static str, Option<PostgresPlace>),
        change: impl FnOnce(&mut Header),
    ) -> Self {
        let one = One::new("gtld-thick", "example", domains);
        drop(one.serve(&[], ""));
        let plan = one.config().with_file_name("lock.plan");
        let mut this = Self { loaded: one.load(), plan, names: Vec::new(), extra, served: None, database, one };
        this.serve(&[]);
        assert_eq!(pull(&this.loaded, &context(&[])).expect("ended").exit(), Exit::Done);
        // A plan is applied under the configuration that it was made under.
        this.serve(knobs);
        this.draft(change);
        this
    }

    /// Serves the registry anew, with a registry's patience of a second.
    pub(crate) fn serve(&mut self, knobs: &[&str]) {
        self.served = None;
        self.served = Some(self.one.serve(knobs, self.extra));
        let path = self.one.config();
        let text = std::fs::read_to_string(&path).expect("a configuration");
        let text = text.replace("back_off_seconds = 1", "back_off_seconds = 1\nreply_seconds = 1");
        write_atomic(&path, text.as_bytes()).expect("written");
        self.loaded = self.one.load();
    }

    fn draft(&mut self, change: impl FnOnce(&mut Header)) {
        let config = &self.loaded.config;
        let (id, registry) = config.registry(ONE).expect("the registry");
        self.names.clear();
        let rows: Vec<Row> =
            self.one.observed().into_iter().filter(|((kind, _), _)| *kind == ObjectKind::Domain).map(|(_, seen)| seen.row).collect();
        let mut store: Box<dyn Store> = match &self.database {
            Some(place) => Box::new(PostgresStore::open(place).expect("a store")),
            None => Box::new(SqliteStore::open(&self.one.state().join("store.sqlite")).expect("a store")),
        };
        let mut writer = PlanWriter::create(&self.plan, 1).expect("a plan");
        let mut entropy = privet::base::SeededEntropy::new(1);
        for row in &rows {
            let lock = Fact::status(LOCK);
            let statuses = row.get(DomainField::Statuses.at()).unwrap_or_default();
            // What a registry would refuse to lock is nothing that a plan asks for (RFC 5731 §2.3).
            if lock.of(ObjectKind::Domain, row).is_some() || statuses.contains("pending") || statuses.contains("UpdateProhibited") {
                continue;
            }
            let step = DraftStep::update(ObjectKind::Domain, row.id()).setting(lock, row, Some(Fact::SET.to_owned()));
            let step = step.resting_on(Fact::column(DomainField::Registrant.name()), row);
            let draft = Draft {
                registry: id.as_str().to_owned(),
                object: (ObjectKind::Domain, row.id().to_owned()),
                steps: vec![step],
                basis: Basis { kind: BasisKind::OwnData, evidence: Vec::new(), subject: None, purposes: Vec::new() },
                undo: Undo::Inverse,
                touches: Vec::new(),
                reasons: vec![Reason { rule: "RTR-7".to_owned(), text: "not locked".to_owned() }],
            };
            let mut key = |kind: ObjectKind, name: &str| {
                let object = vault_name(id.as_str(), kind, name);
                Vault::new(&mut store).enrol_one(&object, &mut entropy)
            };
            let (operation, sealed) = draft.seal(Timestamp::MAX, &mut key).expect("sealed");
            store.commit(&Batch { appends: Vec::new(), cells: sealed.iter().map(sealed_cell).collect() }).expect("kept");
            writer.push(operation).expect("written");
            self.names.push(row.id().to_owned());
        }
        let facts = RegistryFacts {
            profile: registry.profile.id.clone(),
            profile_digest: Digest::of(&serde_json::to_vec(&*registry.profile).expect("JSON")).to_string(),
            snapshot: "s".to_owned(),
            taken: Timestamp::UNIX_EPOCH,
            objects: BTreeMap::new(),
        };
        let mut header = Header {
            privet_plan: Header::VERSION,
            id: String::new(),
            tool: "privet".to_owned(),
            recipe: Recipe::Lock,
            undoes: None,
            relock: None,
            author: None,
            made: Timestamp::UNIX_EPOCH,
            expires: Timestamp::MAX,
            config: config.digest.to_string(),
            selection: Vec::new(),
            registries: BTreeMap::from([(ONE.to_owned(), facts)]),
            gates: Vec::new(),
            approvals: 0,
            waves: Vec::new(),
            counts: Vec::new(),
            left_out: BTreeMap::new(),
        };
        change(&mut header);
        writer.finish(header).expect("a plan");
    }

    pub(crate) fn apply(&self) -> Ended {
        apply(&self.loaded, &self.plan, &ApplyOptions::default(), &context(&[])).unwrap_or_else(|e| panic!("{e}"))
    }

    /// How often the registry was told to lock each of the domains.
    pub(crate) fn told(&self) -> Vec<usize> {
        let frames = self.one.frames("in");
        let about = |name: &String| {
            let named = format!("<domain:name>{name}</domain:name>");
            frames.iter().filter(|frame| frame.contains("<update>") && frame.contains(&named)).count()
        };
        self.names.iter().map(about).collect()
    }

    /// What the registry carried out, in order: the lines of its commit log.
    pub(crate) fn commits(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.one.config().with_file_name("commits.ndjson")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
    }

    /// How many of our changes took effect at the registry, by domain.
    pub(crate) fn effects(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for line in self.commits().iter().filter(|line| line["clTRID"].is_string() && is_effective(line)) {
            let (kind, name) = line["object"].as_str().and_then(|object| object.split_once('/')).expect("an object");
            // A message that is acknowledged is no change.
            *all.entry(name.to_owned()).or_default() += u64::from(kind != "message");
        }
        all.retain(|_, count| *count > 0);
        all
    }

    /// Whether every domain of the plan took effect once, and no other object did.
    pub(crate) fn assert_once(&self) {
        let wanted: BTreeMap<String, u64> = self.names.iter().map(|name| (name.clone(), 1)).collect();
        assert_eq!(self.effects(), wanted);
    }
}

/// Whether an object was another one afterwards, but for the stamps of the change.
pub(crate) fn is_effective(line: &Value) -> bool {
    let [before, after] = ["before", "after"].map(|side| {
        let mut object = line[side].clone();
        for stamp in ["updated", "updated_by"] {
            object.as_object_mut().map(|fields| fields.remove(stamp));
        }
        object
    });
    before != after
}

pub(crate) fn counts(ended: &Ended) -> BTreeMap<&str, u64> {
    let names = ["planned", "verified", "failed", "conflict", "unknown", "pending", "sends"];
    names.into_iter().filter_map(|name| Some((name, ended.json[name].as_u64().filter(|n| *n > 0)?))).collect()
}

#[test]
fn row_35_a_plan_is_applied_once_and_a_second_time_is_refused() {
    let locking = Locking::new(40, &[], |_| ());
    let all = locking.names.len() as u64;
    assert!(all > 10, "{all}");
    let ended = locking.apply();
    assert_eq!((ended.exit(), counts(&ended)), (Exit::Done, BTreeMap::from([("verified", all), ("sends", all)])), "{}", ended.text);
    locking.assert_once();
    let problems = apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &context(&[])).expect_err("applied already");
    let first = problems.into_first();
    assert_eq!((first.id.as_str(), first.exit), ("E-apply-007", Exit::PlanStale), "{first}");
    // What was planned holds at the registry.
    assert_eq!(pull(&locking.loaded, &context(&[])).expect("ended").exit(), Exit::Done);
    let observed = locking.one.observed();
    let is_locked = |name: &String| Fact::status(LOCK).of(ObjectKind::Domain, &observed[&(ObjectKind::Domain, name.clone())].row).is_some();
    assert!(locking.names.iter().all(is_locked));
    // The run's identifiers are in what the registry heard.
    let id = PlanFile::open(&locking.plan).expect("a plan").header().id.clone();
    let updates: Vec<String> = locking.one.frames("in").into_iter().filter(|frame| frame.contains("<update>")).collect();
    assert!(updates.iter().all(|frame| frame.contains(&format!("<clTRID>{}-", &id[..12]))), "{updates:?}");
}

#[test]
fn a_run_that_was_stopped_is_taken_back_as_far_as_it_went_and_not_gone_on_with() {
    let locking = Locking::new(40, &["latency_ms=60"], |_| ());
    let stopped = context(&[]);
    let raised = stopped.stop.clone();
    let one = &locking.one;
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("an update", || one.frames("in").iter().any(|frame| frame.contains("<update>")));
            raised.stop();
        });
        apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &stopped).unwrap_or_else(|e| panic!("{e}"))
    });
    let verified = counts(&ended)["verified"];
    assert!(ended.exit() == Exit::Stopped && verified > 0 && verified < locking.names.len() as u64, "{}", ended.text);
    let id = PlanFile::open(&locking.plan).expect("a plan").header().id.clone();
    let back = locking.one.config().with_file_name("back.plan");
    let planning = |allow: &[&str], out: &Path| PlanOptions {
        recipe: Recipe::Rollback,
        select: Vec::new(),
        out: Some(out.to_owned()),
        allow: allow.iter().map(|name| (*name).to_owned()).collect(),
        reason: Some("a test".to_owned()),
        by: None,
        relock: None,
    };
    // Lifting a lock is a kind of change that is asked for by its name.
    let refused = rollback(&locking.loaded, &context(&[]), &id, &planning(&[], &back.with_extension("refused"))).expect("a plan");
    assert_eq!(refused.exit(), Exit::GateRefused, "{}", refused.text);
    let planned = rollback(&locking.loaded, &context(&[]), &id[..12], &planning(&["unlock", "share"], &back)).expect("a plan");
    assert_eq!(planned.exit(), Exit::ChangesPending, "{}", planned.text);
    let header = PlanFile::open(&back).expect("a plan").header().clone();
    assert_eq!((header.operations(), header.undoes.as_deref()), (verified, Some(&*id)));
    let taken = apply(&locking.loaded, &back, &ApplyOptions::default(), &context(&[])).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((taken.exit(), counts(&taken)["verified"]), (Exit::Done, verified), "{}", taken.text);
    assert_eq!(pull(&locking.loaded, &context(&[])).expect("ended").exit(), Exit::Done);
    let observed = locking.one.observed();
    let is_locked = |name: &String| Fact::status(LOCK).of(ObjectKind::Domain, &observed[&(ObjectKind::Domain, name.clone())].row).is_some();
    assert!(!locking.names.iter().any(is_locked));
    let problems = apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &context(&[])).expect_err("given up");
    assert_eq!(problems.into_first().id, "E-apply-007");
}

#[test]
fn row_12_a_change_whose_answer_is_lost_is_read_and_not_sent_again() {
    let names = Locking::new(6, &[], |_| ()).names;
    let knob = format!("fault=row-45-cut:object={}:from=2:times=1", names[1]);
    let locking = Locking::new(6, &[&knob], |_| ());
    let ended = locking.apply();
    assert_eq!((ended.exit(), counts(&ended)["verified"]), (Exit::Done, names.len() as u64), "{}", ended.text);
    locking.assert_once();
    assert!(locking.told().iter().all(|told| *told == 1), "{:?}", locking.told());
}

#[test]
fn row_43_a_refusal_fails_its_operation_and_a_passing_one_is_tried_once_more() {
    let names = Locking::new(40, &[], |_| ()).names;
    let knob = format!("fault=row-43-2400:object={}:from=2:times=1", names[3]);
    let locking = Locking::new(40, &[&knob], |_| ());
    let ended = locking.apply();
    assert_eq!(counts(&ended)["verified"], names.len() as u64, "{}", ended.text);
    locking.assert_once();
}

#[test]
fn rows_34_and_39_what_may_not_be_applied_is_told_with_everything_that_stands_against_it() {
    let refused = GateVerdict {
        gate: GateName::Count,
        registry: None,
        kind: None,
        passed: false,
        text: "40 operations, 10 are allowed; --max-changes raises it".to_owned(),
        allowed_because: None,
    };
    let locking = Locking::new(4, &[], |header| {
        header.expires = Timestamp::UNIX_EPOCH;
        header.config = "other".to_owned();
        header.registries.get_mut(ONE).expect("it").profile_digest = "other".to_owned();
        header.gates.push(refused);
        header.approvals = 1;
    });
    let problems = apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &context(&[])).expect_err("refused");
    let ids: Vec<(&str, Exit)> = problems.kept().iter().map(|problem| (problem.id.as_str(), problem.exit)).collect();
    let stale = Exit::PlanStale;
    let gate = Exit::GateRefused;
    assert_eq!(
        ids,
        [("E-apply-008", stale), ("E-apply-009", stale), ("E-apply-009", stale), ("E-apply-011", gate), ("E-apply-012", gate)],
        "{problems}"
    );
    assert!(locking.told().iter().all(|told| *told == 0));
    let options = ApplyOptions { digest: Some("0123456789ab".to_owned()), ..ApplyOptions::default() };
    let problem = apply(&locking.loaded, &locking.plan, &options, &context(&[])).expect_err("another plan").into_first();
    assert_eq!((problem.id.as_str(), problem.exit), ("E-plan-002", stale));
}

#[test]
fn a_dead_registry_leaves_everything_planned_and_the_same_command_goes_on() {
    let mut locking = Locking::new(6, &[], |_| ());
    locking.served = None;
    let ended = locking.apply();
    assert!(ended.exits.contains(&Exit::Unreachable), "{:?}", ended.exits);
    assert_eq!(counts(&ended), BTreeMap::from([("planned", locking.names.len() as u64)]), "{}", ended.text);
    let before = locking.loaded.config.digest;
    locking.serve(&[]);
    assert_ne!(before, locking.loaded.config.digest, "the port is another, and a run that was begun goes on all the same");
    let ended = locking.apply();
    assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
    locking.assert_once();
}

#[test]
fn reconciling_reads_and_sends_nothing() {
    let locking = Locking::new(60, &["service_ms=100"], |_| ());
    let mut child = Command::new(env!("CARGO_BIN_EXE_privet"))
        .args(["apply", "--quiet", "--config"])
        .arg(locking.one.config())
        .arg(&locking.plan)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    wait_until("some commands are sent", || locking.told().iter().sum::<usize>() >= 5);
    child.kill().expect("killed");
    child.wait().expect("it ended");
    // What left before the process died may still be under way.
    let mut sent = usize::MAX;
    wait_until("nothing is heard any more", || {
        std::thread::sleep(Duration::from_millis(300));
        let before = std::mem::replace(&mut sent, locking.told().iter().sum());
        before == sent
    });
    let id = PlanFile::open(&locking.plan).expect("a plan").header().id.clone();
    let ended = reconcile(&locking.loaded, &id[..12], false, &context(&[])).unwrap_or_else(|e| panic!("{e}"));
    let found = counts(&ended);
    assert!(!found.contains_key("unknown") && found.contains_key("planned"), "{found:?}");
    assert_eq!(locking.told().iter().sum::<usize>(), sent, "nothing was sent");
    for name in ["", "0123456789ab", "zz"] {
        let problem = reconcile(&locking.loaded, name, false, &context(&[])).expect_err("no run").into_first();
        assert_eq!(problem.id, "E-apply-013", "{name}");
    }
    let ended = locking.apply();
    assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
    locking.assert_once();
}

#[test]
fn a_run_whose_first_wave_failed_is_given_up_and_lets_the_next_plan_be_applied() {
    let names = Locking::new(14, &[], |_| ()).names;
    let knob = format!("fault=row-43-2400:object={}:on=transform:times=2", names[0]);
    let mut locking = Locking::new(14, &[&knob], |_| ());
    let ended = locking.apply();
    assert_eq!((ended.exit(), &ended.json["closed"]), (Exit::SomeFailed, &Value::Bool(false)), "{}", ended.text);
    assert_eq!(counts(&ended), BTreeMap::from([("failed", 1), ("planned", names.len() as u64 - 1), ("sends", 2)]));
    let first = PlanFile::open(&locking.plan).expect("a plan").header().id.clone();

    locking.draft(|header| header.author = Some("another".to_owned()));
    let refused = apply(&locking.loaded, &locking.plan, &ApplyOptions::default(), &context(&[])).expect_err("one is open").into_first();
    assert_eq!(refused.id, "E-apply-010");
    assert!(refused.remedy.contains(&format!("privet reconcile {} --give-up", &first[..12])), "{refused}");

    // Without being told to, a reconciliation ends nothing.
    for (gives_up, exit) in [(false, Exit::SomeFailed), (true, Exit::SomeFailed)] {
        let ended = reconcile(&locking.loaded, &first[..12], gives_up, &context(&[])).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((ended.exit(), &ended.json["closed"]), (exit, &Value::Bool(gives_up)), "{}", ended.text);
    }
    let ended = locking.apply();
    assert_eq!((ended.exit(), counts(&ended)["verified"]), (Exit::Done, names.len() as u64), "{}", ended.text);
    locking.assert_once();
}
