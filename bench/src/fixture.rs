//! What a lock plan is made from: local records, a snapshot of what one registry holds, and a ledger in which every registrant agreed.
//! The registry is a bundled one's fleet, so that a plan made from here can be applied there.

use crate::measure::{Outcome, fresh};
use privet::base::{Clock, DomainName, ExchangeId, Exit, Quiet, RegistryId, RunId, StopToken, SystemClock, Timestamp, create_private_dir};
use privet::dataset::{Building, Facts, Observation, Row, State, columns, contact_row, domain_row, log2_for};
use privet::job::config::{Config, Loaded};
use privet::job::{self, Context, PlanOptions};
use privet::mock::fleet::{FleetSettings, SyntheticFleet};
use privet::model::{ObjectKind, Status, StatusValue};
use privet::plan::Recipe;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The registry, by the operator's name.
pub const REGISTRY: &str = "bench";
/// Its profile.
pub const PROFILE: &str = "gtld-thick";

/// The gates let every plan through: what is measured is not what they would say.
const CONFIG: &str = "\
version = 1
state = \"state\"
reports = \"reports\"

[gates]
max_operations = 100000000
max_share = 1.0
max_age_hours = 8760
plan_valid_hours = 8760

[records.contacts]
files = [\"contacts.csv\"]

[records.domains]
files = [\"domains.csv\"]

[registries.bench]
profile = \"gtld-thick\"
host = \"127.0.0.1\"
server_name = \"localhost\"
client_id = \"registrar-1\"
password = { file = \"password\" }
certificate = \"client.pem\"
key = \"client.key\"
ca = \"ca.pem\"
";

/// How much there is.
#[derive(Clone, Copy)]
pub struct Size {
    /// Domains.
    pub domains: u64,
    /// Registrants of all of them, none of which is locked; as the fleet has it, where nothing is said.
    pub registrants: Option<u64>,
}

/// A fixture's files.
pub struct Fixture {
    dir: PathBuf,
}

impl Fixture {
    /// The one in `dir`.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub fn config(&self) -> PathBuf {
        self.dir.join("privet.toml")
    }

    /// The store, with the keys and the ledger.
    pub fn store(&self) -> PathBuf {
        job::store_path(&self.dir.join("state"))
    }

    pub fn plan(&self) -> PathBuf {
        self.dir.join("lock.plan")
    }

    /// The settings of the fleet behind a registry of `domains`.
    pub fn fleet(domains: u64) -> Outcome<FleetSettings> {
        Ok(FleetSettings {
            profile: PROFILE.to_owned(),
            seed: 11,
            contacts: domains,
            domains,
            tlds: vec!["example".to_owned()],
            sponsor: "registrar-1".to_owned(),
            today: "2026-11-21".parse()?,
            ..FleetSettings::default()
        })
    }

    /// Makes everything but the plan.
    pub fn make(dir: &Path, size: Size) -> Outcome<Self> {
        fresh(dir)?;
        let made = Self::at(dir);
        fs::write(made.config(), CONFIG)?;
        privet::base::write_atomic(&dir.join("password"), b"not-used")?;
        made.objects(size)?;
        let (loaded, ctx) = context(&made.config())?;
        let done = job::consent_import(&loaded, &ctx, &[dir.join("consent.csv")], false).map_err(|problems| problems.to_string())?;
        if done.exit() != Exit::Done {
            return Err(format!("the consents were not taken: {}", done.text).into());
        }
        privet::store::SqliteStore::open(&made.store())?.scrub()?;
        Ok(made)
    }

    /// Writes the records, the snapshot and the events of the ledger.
    fn objects(&self, size: Size) -> Outcome<()> {
        let fleet = SyntheticFleet::new(Self::fleet(size.domains)?)?;
        let people = size.registrants.unwrap_or(size.domains);
        let now = SystemClock::new().wall();
        let state = self.dir.join("state");
        create_private_dir(&state)?;
        let registry = RegistryId::new(REGISTRY);
        let mut snapshot = Building::open(&state, &RunId::new("bench"), now, &registry, log2_for(size.domains))?;
        let mut contacts = table(&self.dir.join("contacts.csv"), ObjectKind::Contact)?;
        let mut consent = BufWriter::new(File::create(self.dir.join("consent.csv"))?);
        writeln!(consent, "registry,handle,purpose,event,at")?;
        for n in 0..people {
            let contact = fleet.contact_at(n);
            let row = contact_row(&contact);
            write(&mut contacts, &row)?;
            writeln!(consent, "{REGISTRY},{},transfer-lock,given,2026-01-01T00:00:00Z", row.id())?;
            snapshot.observe(seen(ObjectKind::Contact, row, Facts::from(&contact), n, now))?;
        }
        let mut domains = table(&self.dir.join("domains.csv"), ObjectKind::Domain)?;
        for n in 0..size.domains {
            let mut domain = fleet.domain_at(n);
            if let Some(registrants) = size.registrants {
                domain.registrant = Some(fleet.handle_at(n % registrants));
                domain.contacts = Vec::new();
                domain.statuses = vec![Status::from(StatusValue::OK)];
            }
            let row = domain_row(&domain);
            write(&mut domains, &row)?;
            snapshot.observe(seen(ObjectKind::Domain, row, Facts::from(&domain), n, now))?;
        }
        for file in [contacts, domains, consent] {
            file.into_inner()?.sync_all()?;
        }
        snapshot.finish(now)?;
        Ok(())
    }

    /// Makes the plan anew.
    pub fn make_plan(&self) -> Outcome<u64> {
        if self.plan().exists() {
            fs::remove_file(self.plan())?;
        }
        let (loaded, ctx) = context(&self.config())?;
        let options = PlanOptions {
            recipe: Recipe::Lock,
            select: Vec::new(),
            out: Some(self.plan()),
            allow: Vec::new(),
            reason: None,
            by: None,
            relock: None,
        };
        let made = job::plan(&loaded, &ctx, &options).map_err(|problems| problems.to_string())?;
        if made.exit() != Exit::ChangesPending {
            return Err(format!("planning ended with {:?}\n{}", made.exit(), made.text).into());
        }
        let counts = made.json["header"]["counts"].as_array().ok_or("a plan without counts")?;
        Ok(counts.iter().filter_map(|count| count["operations"].as_u64()).sum())
    }

    /// The names of the first `count` domains.
    pub fn names(domains: u64, count: u64) -> Outcome<Vec<DomainName>> {
        let fleet = SyntheticFleet::new(Self::fleet(domains)?)?;
        Ok((0..count.min(domains)).map(|n| fleet.name_at(n)).collect())
    }
}

/// The configuration, and what every verb is given.
pub fn context(config: &Path) -> Outcome<(Loaded, Context)> {
    let loaded = Config::load(config, &[], &|_| None).map_err(|problems| problems.to_string())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Ok((
        loaded,
        Context { clock, events: Arc::new(Quiet), stop: StopToken::default(), only: Vec::new(), queries: privet::job::Queries::default() },
    ))
}

fn seen(kind: ObjectKind, row: Row, facts: Facts, n: u64, at: Timestamp) -> Observation {
    Observation { kind, id: row.id().into(), state: State::Ok, row: Some(row), facts, observed_at: at, exchange: ExchangeId(n), unknown: 0 }
}

/// A table of the registrar's own.
fn table(path: &Path, kind: ObjectKind) -> Outcome<BufWriter<File>> {
    let mut out = BufWriter::new(File::create(path)?);
    let names: Vec<&str> = ["registry", "id"].into_iter().chain(columns(kind).iter().map(|column| column.name)).collect();
    writeln!(out, "{}", names.join(","))?;
    Ok(out)
}

fn write(out: &mut impl std::io::Write, row: &Row) -> Outcome<()> {
    write!(out, "{REGISTRY},{}", row.id())?;
    for field in row.fields() {
        match field {
            None => write!(out, ",")?,
            Some(value) => write!(out, ",\"{}\"", value.replace('"', "\"\""))?,
        }
    }
    writeln!(out)?;
    Ok(())
}
