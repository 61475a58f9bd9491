//! The configuration, typed. Every path in it is complete: relative ones were taken from the file's own directory.

use super::{SecretSource, Setting};
use crate::base::{Blame, Digest, Problem, RegistryId, Result};
use crate::compliance::asking::BasisMatrix;
use crate::compliance::oversight::OversightPack;
use crate::compliance::processing::RecordPack;
use crate::compliance::retention::RulePack;
use crate::dataset::Source;
use crate::diff::PrivacySettings;
use crate::objects::ObjectsPlace;
use crate::plan::{Directions, Limits, Recipe};
use crate::policy::Profile;
use crate::report::TableForms;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, civil};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What reading a configuration gave.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What the operator should know although it can be used: a weakened limit, a secret in the environment.
    pub warnings: Vec<Problem>,
    /// Each setting by its dotted key, with where it came from.
    pub origins: BTreeMap<String, Setting>,
}

/// A database.
#[derive(Clone, Debug)]
pub struct Database {
    /// Who logs in, where, into which: `postgresql://user@host:port/database`.
    pub address: String,
    /// The password, where one is wanted.
    pub password: Option<SecretSource>,
    /// The authorities by which a server behind a network is known, in PEM.
    pub ca: Option<PathBuf>,
}

/// A database that is the store, for one machine or several.
#[derive(Clone, Debug)]
pub struct SharedStore {
    /// The database.
    pub database: Database,
    /// How many workers may share a run: each has its part of every registry account.
    pub workers: u32,
    /// How long a worker that is not heard of keeps what it has in hand.
    pub lease: Duration,
}

/// A place of object storage that snapshots and reports are brought to.
#[derive(Clone, Debug)]
pub struct Objects {
    /// The bucket, the server, and how it is encrypted there.
    pub place: ObjectsPlace,
    /// By which id this program logs in.
    pub key_id: String,
    /// The secret to it.
    pub key: SecretSource,
    /// The authorities by which the server is known besides those of this machine, in PEM.
    pub ca: Option<PathBuf>,
    /// Who runs it, by the name that the register of recipients has.
    pub provider: String,
    /// The country that the data lie in, ISO 3166-1 alpha-2.
    pub country: String,
}

/// Which new names are sold with protection where nobody says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ByDefault {
    /// None.
    #[default]
    Off,
    /// Those at registries where it costs nothing.
    At(BTreeSet<RegistryId>),
    /// All.
    Always,
}

impl ByDefault {
    /// Whether those at a registry are.
    #[must_use]
    pub fn covers(&self, registry: &RegistryId) -> bool {
        match self {
            Self::Off => false,
            Self::At(free) => free.contains(registry),
            Self::Always => true,
        }
    }
}

/// An operator's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it was read from.
    pub path: PathBuf,
    /// The digest of that file's bytes and of those of the files of rules it names: whoever runs by other rules has another one.
    pub digest: Digest,
    /// Where snapshots, locks and ledgers are kept.
    pub state: PathBuf,
    /// The database that is the store; the file of the state directory is, where none is named.
    pub store: Option<SharedStore>,
    /// The object storage that snapshots and reports are brought to, where one is named.
    pub objects: Option<Objects>,
    /// Where each run leaves its reports.
    pub reports: PathBuf,
    /// The forms in which reports leave their tables.
    pub tables: TableForms,
    /// The registrar's own records.
    pub records: Records,
    /// The privacy provider's data set, where there is one.
    pub privacy: Option<PrivacySettings>,
    /// Which new names are sold with protection where nobody says otherwise.
    pub by_default: ByDefault,
    /// Data of the registrar's own and of its resellers, by the operator's names for them: no registrant's.
    pub agents: BTreeMap<String, Agent>,
    /// When a run refuses to go on.
    pub gates: Gates,
    /// Which side is right where records and registry differ.
    pub corrections: Directions,
    /// What the nightly run plans and applies.
    pub nightly: Nightly,
    /// How the DNS is observed.
    pub dns: Dns,
    /// By which rules data are kept.
    pub retention: Retention,
    /// By what data are given to providers.
    pub asking: Asking,
    /// In which words people are asked, by brand.
    pub brands: BTreeMap<String, Brand>,
    /// By what the record of processing activities is made: the operator's own pack, or the embedded one.
    pub record: Arc<RecordPack>,
    /// By what oversight is held: the operator's own pack, or the embedded one.
    pub overseeing: Arc<OversightPack>,
    /// What the controller declares for the record of processing activities, by field.
    pub controller: BTreeMap<String, String>,
    /// What is declared of an impact assessment: criteria, and the decision on it.
    pub oversight: BTreeMap<String, String>,
    /// How what runs leave is proved.
    pub proof: Proof,
    /// Where the nightly run leaves its metrics, where it does.
    pub metrics: Option<PathBuf>,
    /// The registry accounts by the operator's names for them.
    pub registries: BTreeMap<RegistryId, RegistryConfig>,
}

impl Config {
    /// The account called `id`.
    ///
    /// # Errors
    /// `E-cli-001` with the nearest id there is.
    pub fn registry(&self, id: &str) -> Result<(&RegistryId, &RegistryConfig)> {
        let found = self.registries.get_key_value(&RegistryId::from(id));
        found.ok_or_else(|| {
            let known: Vec<&str> = self.registries.keys().map(RegistryId::as_str).collect();
            let remedy = match super::table::nearest(id, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? Configured: {}", known.join(", ")),
                None => format!("configured: {}", known.join(", ")),
            };
            Problem::new("E-cli-001", Blame::Operator, format!("no registry is called `{id}`"), remedy).file(&self.path)
        })
    }
}

/// Where the registrar's own records are. A table that is absent is not compared.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Contacts.
    pub contacts: Option<Source>,
    /// Domains with their roles, statuses and name servers.
    pub domains: Option<Source>,
    /// Privacy services sold with domains.
    pub services: Option<Source>,
    /// What was ordered for whom.
    pub orders: Option<Source>,
    /// What registrants said of their data, for `consent import`.
    pub consent: Option<Source>,
    /// Files of RDAP answers about domains; empty where there are none.
    pub rdap: Vec<PathBuf>,
    /// The database of the tables that are queries.
    pub postgres: Option<Queried>,
    /// The data escrow deposit in the place of the tables of contacts and domains.
    pub escrow: Option<Escrow>,
}

/// A data escrow deposit as local records.
#[derive(Clone, Debug)]
pub struct Escrow {
    /// The directory of the deposit.
    pub dir: PathBuf,
    /// What names end with, without a dot before it → the registry whose they are.
    pub zones: BTreeMap<String, RegistryId>,
}

/// The database of queries.
#[derive(Clone, Debug)]
pub struct Queried {
    /// The database.
    pub database: Database,
    /// How long a query may take.
    pub time: Duration,
}

/// By which rules data are kept.
#[derive(Clone, Debug)]
pub struct Retention {
    /// The rule pack: the operator's own, or the embedded one.
    pub pack: Arc<RulePack>,
    /// Contracts that hold, as rules name them.
    pub contracts: BTreeSet<Box<str>>,
}

/// By what data are given to providers, and who provides.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The pack of bases: the operator's own, or the embedded one.
    pub matrix: Arc<BasisMatrix>,
    /// By whose days an order waits for consent.
    pub zone: TimeZone,
    /// Registry account → the provider that is given the data of its registrants, where an order names none.
    pub providers: BTreeMap<String, String>,
}

/// In which words the customers of a brand are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// What it is called.
    pub name: String,
    /// The language of those of whom no other is known.
    pub language: String,
    /// Where answers are given: the message's id is put behind it.
    pub link: Option<String>,
    /// By which way customers take back what they gave, and have the message sent again: `control-panel`, `api`, `page` or `email`.
    pub withdraw: Option<&'static str>,
    /// Templates that ask for consent, by language; the built-in ones serve where there is none.
    pub templates: BTreeMap<String, PathBuf>,
    /// Templates that remind of a transfer, likewise.
    pub reminders: BTreeMap<String, PathBuf>,
}

/// By what the registrar's or a reseller's data are known; an empty text is no mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// Name.
    pub name: String,
    /// Organisation.
    pub org: String,
    /// First line of the street.
    pub street: String,
    /// Telephone.
    pub voice: String,
    /// What stands behind the `@`.
    pub email_domain: String,
}

/// When a run refuses to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Gates {
    /// The least share of the last run's rows that an input must still have, 0 to 1.
    pub min_rows_share: f64,
    /// Where the gates of a plan close.
    pub limits: Limits,
    /// How long a plan is valid, from the oldest of its snapshots on.
    pub plan_valid: SignedDuration,
    /// How many persons have to approve a plan, its author not among them.
    pub approvals: u8,
    /// How many operations a registry's first wave has.
    pub canary: u64,
}

/// What the nightly run plans, and what of it it applies by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nightly {
    /// The recipes that are planned, in the order in which they are.
    pub plan: Vec<Recipe>,
    /// Those that are applied, each within its limits.
    pub apply: BTreeMap<Recipe, Applying>,
}

/// Within which limits the nightly run applies a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applying {
    /// The most operations of a plan that is applied.
    pub max_operations: u64,
    /// The last day on which it is, UTC.
    pub until: civil::Date,
}

/// How the DNS is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The resolver; none is asked unless the operator names it.
    pub resolver: Option<SocketAddr>,
    /// The port at which name servers are asked.
    pub port: u16,
    /// How long an answer is waited for.
    pub wait: Duration,
    /// Domains that are surveyed side by side.
    pub at_once: usize,
}

/// How what runs leave is proved.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The name of the log, and of the key that signs it: no personal datum, since it goes wherever a report goes.
    pub origin: String,
    /// The Ed25519 key as PKCS#8, where it is the operator's own; else one is made in the state directory.
    pub key: Option<SecretSource>,
}

impl Dns {
    /// The resolver that `IP` or `IP:PORT` names; an IPv6 address with a port stands in brackets.
    #[must_use]
    pub fn resolver(text: &str) -> Option<SocketAddr> {
        text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)).or_else(|_| text.parse()).ok()
    }
}

/// One account at one registry.
#[derive(Clone, Debug)]
pub struct RegistryConfig {
    /// The registry's profile, with the operator's own rules and this account's limits.
    pub profile: Arc<Profile>,
    /// Host name or address to connect to.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Where frames are posted to, where the registry's line is POSTs: a path with its query.
    pub path: String,
    /// The name the server's certificate must hold.
    pub server_name: String,
    /// The login name (`clID`, RFC 5730 §2.9.1.1), 3 to 16 characters.
    pub client_id: String,
    /// Where the password is.
    pub password: SecretSource,
    /// Whether the account is ours alone, so that its password may be changed.
    pub exclusive: bool,
    /// The client's certificate chain in PEM, leaf first; given where `key` is.
    pub certificate: Option<PathBuf>,
    /// Its private key in PEM, not encrypted.
    pub key: Option<PathBuf>,
    /// The authorities that may vouch for the server, in PEM.
    pub ca: PathBuf,
    /// SHA-256 of the server's `SubjectPublicKeyInfo`, where it is pinned.
    pub pin: Option<[u8; 32]>,
    /// The share of every limit of the account that is ours, over 0 and up to 1.
    pub share: f64,
    /// The share of a daily quota that reading leaves for applying, 0 to 1.
    pub quota_reserve: f64,
    /// What we may do with the message queue.
    pub poll: Poll,
    /// The registry's own list of our names, where there is one.
    pub list: Option<PathBuf>,
    /// Limits and rules which the operator set weaker than the profile has them: told loudly, and kept in the run report.
    pub weakened: Vec<Problem>,
}

/// What may be done with the account's message queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Nothing.
    Off,
    /// Look at the message at its head, never acknowledge.
    Peek,
    /// The queue is ours.
    Own,
}
