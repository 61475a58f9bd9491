//! A registrar with one registry: a fleet of a profile's own, local records that name some of it, and the verbs over both, on a calendar
//! that a test can turn.

use crate::served::context;
use jiff::SignedDuration;
use privet::base::{Clock, Moment, RegistryId, SystemClock, Timestamp, create_private_dir, write_atomic};
use privet::dataset::{Observed, Snapshot};
use privet::job::config::{Config, Loaded};
use privet::job::{Context, Ended};
use privet::mock::fleet::{FleetSettings, SyntheticFleet};
use privet::mock::{Knobs, Options, Served, start};
use privet::model::ObjectKind;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The registry's id.
pub(crate) const ONE: &str = "one";

/// A directory with one registry's fleet and the registrar's records.
pub(crate) struct One {
    dir: tempfile::TempDir,
    profile: &'static str,
    pub(crate) fleet: SyntheticFleet,
}

/// A calendar some days ahead of the machine's.
struct Ahead {
    real: SystemClock,
    days: i64,
}

impl Clock for Ahead {
    fn moment(&self) -> Moment {
        self.real.moment()
    }

    fn wall(&self) -> Timestamp {
        self.real.wall() + SignedDuration::from_hours(24 * self.days)
    }
}

impl One {
    /// A registry of `profile` with `domains` domains in `tld` and twice as many contacts.
    pub(crate) fn new(profile: &'static str, tld: &str, domains: u64) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        for part in ["state", "data", "heard"] {
            create_private_dir(&dir.path().join(part)).expect("made");
        }
        let settings = FleetSettings {
            profile: profile.to_owned(),
            seed: 7,
            contacts: domains * 2,
            domains,
            tlds: vec![tld.to_owned()],
            sponsor: "registrar-1".to_owned(),
            today: "2026-11-21".parse().expect("a day"),
            forms: vec![privet::mock::fleet::Forms::Loc],
            scripts: vec!["latin".to_owned()],
            ..FleetSettings::default()
        };
        settings.save(&dir.path().join("state").join(FleetSettings::FILE)).expect("saved");
        let fleet = SyntheticFleet::new(settings).expect("a fleet");
        let one = Self { dir, profile, fleet };
        let names: Vec<String> = (0..domains).map(|n| one.fleet.name_at(n).as_str().to_owned()).collect();
        one.records(&names.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>());
        one
    }

    /// Writes the local records: domains with their statuses.
    pub(crate) fn records(&self, domains: &[(&str, &str)]) {
        let mut text = "registry,id,registrant,admin,tech,billing,statuses,ns,expires,properties\n".to_owned();
        for (name, statuses) in domains {
            text.push_str(&format!("{ONE},{name},,,,,{statuses},,,\n"));
        }
        write_atomic(&self.dir.path().join("data/domains.csv"), text.as_bytes()).expect("written");
    }

    /// Serves the registry with its `knobs`, and leaves a configuration with `extra` lines for it.
    pub(crate) fn serve(&self, knobs: &[&str], extra: &str) -> Served {
        let path = |name: &str| self.dir.path().join(name);
        let options = Options {
            profile: self.profile.to_owned(),
            listen: "127.0.0.1:0".parse().expect("an address"),
            state: path("state"),
            commit_log: Some(path("commits.ndjson")),
            transcript: Some(path("heard")),
            knobs: Knobs::read(knobs.iter().copied()).expect("knobs"),
            seed: 1,
        };
        let served = start(options, Arc::new(SystemClock::new())).expect("a registry");
        let config = format!(
            "version = 1\nstate = \"data/state\"\nreports = \"data/reports\"\n[gates]\nmin_rows_share = 0.0\n\
             [records.domains]\nfiles = [\"data/domains.csv\"]\n\
             [registries.{ONE}]\nprofile = \"{}\"\nhost = \"127.0.0.1\"\nport = {}\nserver_name = \"{}\"\nclient_id = \"{}\"\n\
             password = {{ file = \"{}\" }}\ncertificate = \"{}\"\nkey = \"{}\"\nca = \"{}\"\n{extra}\n\
             [registries.{ONE}.limits]\nback_off_seconds = 1\n",
            self.profile,
            served.address.port(),
            served.server_name,
            served.user,
            served.password_file.display(),
            served.cert.display(),
            served.key.display(),
            served.ca.display(),
        );
        write_atomic(&self.config(), config.as_bytes()).expect("written");
        served
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("privet.toml")
    }

    pub(crate) fn load(&self) -> Loaded {
        Config::load(&self.config(), &[], &|_| None).unwrap_or_else(|e| panic!("{e}"))
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("data/state")
    }

    /// The newest whole snapshot.
    pub(crate) fn newest(&self) -> Option<Snapshot> {
        Snapshot::newest(&self.state(), &RegistryId::new(ONE)).expect("looked")
    }

    /// The rows of the newest snapshot by kind and id.
    pub(crate) fn observed(&self) -> BTreeMap<(ObjectKind, String), Observed> {
        let snapshot = self.newest().expect("a snapshot");
        let mut all = BTreeMap::new();
        for kind in ObjectKind::ALL {
            for bucket in 0..snapshot.buckets() {
                for seen in snapshot.rows(kind, bucket).expect("rows") {
                    all.insert((kind, seen.row.id().to_owned()), seen);
                }
            }
        }
        all
    }

    /// The frames that the registry heard (`in`) or said (`out`), in order.
    pub(crate) fn frames(&self, direction: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.dir.path().join("heard/transcript.ndjson")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        lines.filter(|line| line["direction"] == direction).filter_map(|line| line["frame"].as_str().map(str::to_owned)).collect()
    }

    /// The objects that the registry was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        let of = |frame: &str| {
            ["<contact:id>", "<domain:name hosts=\"all\">", "<contact:handle>", "<domain:ace>"].into_iter().find_map(|tag| {
                let (_, rest) = frame.split_once(tag)?;
                rest.split_once('<').map(|(id, _)| id.to_owned())
            })
        };
        let frames = self.frames("in");
        frames.iter().filter(|f| f.contains("info>")).filter_map(|frame| of(frame)).collect()
    }
}

/// What a verb is given, some days from now.
pub(crate) fn on_day(days: i64) -> Context {
    Context { clock: Arc::new(Ahead { real: SystemClock::new(), days }), ..context(&[]) }
}

/// The exits of the one registry.
pub(crate) fn exits(ended: &Ended) -> Vec<u64> {
    let exits = ended.json["registries"][0]["exits"].as_array().expect("exits");
    exits.iter().map(|e| e.as_u64().expect("a code")).collect()
}
