//! From the tree to the typed configuration.

use super::agents;
use super::document::{CAP, Document, text_of};
use super::table::{Found, Kind, Layer, Reading, Table};
use super::types::{ByDefault, Config, Dns, Loaded, RegistryConfig, Retention};
use super::{Given, TEMPLATE, consent, gates, nightly, objects, packs, proof, records, registry, store};
use crate::base::{Blame, Digest, DomainName, Exit, Handle, Problem, Problems, RegistryId, read_capped};
use crate::compliance::retention::RulePack;
use crate::diff::PrivacySettings;
use crate::report::TableForms;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Reads one variable of the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Config {
    /// Reads the configuration at `path`. `given` wins over it; `environment` is asked for systemd's `CREDENTIALS_DIRECTORY` and for
    /// the variables which the file names as a secret's place.
    ///
    /// # Errors
    /// Every problem of the file at once, `E-config-001` and on, in the order of its lines.
    pub fn load(path: &Path, given: &[Given], environment: Environment<'_>) -> Result<Loaded, Problems> {
        let bytes = read_capped(path, CAP).map_err(|e| {
            if e.id == "E-file-006" {
                let what = format!("the file is larger than {CAP} bytes");
                Problem::new("E-config-010", Blame::Operator, what, "this is no configuration").file(path)
            } else {
                let remedy = "name it with --config, or make one with `privet init`";
                Problem::new("E-config-011", Blame::Operator, format!("{}{}", e.what, whose(path)), remedy).file(path).exit(Exit::Usage)
            }
        })?;
        Self::read(path, &bytes, given, environment)
    }

    /// As [`Config::load`], from bytes; `path` is what the problems name and what relative paths start from.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn read(path: &Path, bytes: &[u8], given: &[Given], environment: Environment<'_>) -> Result<Loaded, Problems> {
        let text = text_of(path, bytes)?;
        let (file, faults) = Document::parse(text);
        let torn = faults.iter().any(|p| p.id == "E-config-013");
        let problems = faults.into_iter().map(|p| *Box::new(p).file(path)).collect();
        let mut reading = Reading {
            path,
            problems,
            rules: Vec::new(),
            warnings: Vec::new(),
            origins: BTreeMap::new(),
            torn,
            known: BTreeMap::new(),
            unknown: Vec::new(),
        };

        let given_text: String = given
            .iter()
            .flat_map(|g| [g.key.to_owned(), " = ".to_owned(), toml::Value::from(g.value.as_str()).to_string(), "\n".to_owned()])
            .collect();
        let (outside, _) = Document::parse(&given_text);
        let (defaults, _) = Document::parse(TEMPLATE);
        let base = path.parent().unwrap_or_else(|| Path::new(""));
        let outside = Layer { document: &outside, kind: Kind::Given(given), base: Path::new("") };
        let file = Layer { document: &file, kind: Kind::File(path), base };
        let defaults = Layer { document: &defaults, kind: Kind::Default, base };

        let config = root(&mut reading, path, bytes, [outside, file, defaults], environment);
        reading.tell_unknown();
        let Reading { mut problems, warnings, origins, .. } = reading;
        problems.sort_by_key(|p| p.place.line.unwrap_or(u64::MAX));
        // What stands in [registry_defaults] is met once for each registry.
        problems.dedup();
        let mut all = Problems::default();
        for problem in problems {
            all.push(Box::new(problem));
        }
        match config {
            Some(config) if all.is_empty() => Ok(Loaded { config, warnings, origins }),
            _ => Err(all),
        }
    }
}

/// The owner and the mode of what is at `path`, where it is there.
fn whose(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().map_or(String::new(), |m| {
        let user = rustix::process::geteuid().as_raw();
        format!(" (mode {:04o}, owner {}; this is user {user})", m.mode() & 0o7777, m.uid())
    })
}

/// The forms in which reports leave their tables.
fn tables(reading: &mut Reading<'_>, found: &Found<'_>) -> Option<TableForms> {
    let mut forms = TableForms { csv: false, json: false, parquet: false };
    for form in found.texts(reading)? {
        match form.as_str() {
            "csv" => forms.csv = true,
            "json" => forms.json = true,
            "parquet" => forms.parquet = true,
            _ => {
                found.wrong(reading, "a list of `csv`, `json` and `parquet`");
                return None;
            }
        }
    }
    Some(forms)
}

/// The whole file; nothing where a part of it could not be read, and then there is a problem.
fn root(reading: &mut Reading<'_>, path: &Path, bytes: &[u8], layers: [Layer<'_>; 3], environment: Environment<'_>) -> Option<Config> {
    let [outside, file, defaults] = layers;
    // Records, privacy and registries are the operator's alone; the defaults' own are examples.
    let mut own = Table::root(&[file]);
    let records = own.child(reading, "records");
    let mut privacy = own.child(reading, "privacy");
    let storing = own.child(reading, "store");
    let store = store::store(reading, storing, environment);
    let away = own.child(reading, "objects");
    let objects = objects::objects(reading, away, environment);
    let mut agents = own.child(reading, "agents");
    let mut brands = own.child(reading, "messages");
    let mut registries = own.child(reading, "registries");

    let mut all = Table::root(&[outside, file, defaults]);
    let version = all.find("version").and_then(|f| f.number(reading, 1..=1));
    let state = all.find("state").and_then(|f| f.path(reading));
    let reports = all.find("reports").and_then(|f| f.path(reading));
    let tables = all.find("tables").and_then(|f| tables(reading, &f));
    let usual = Table::root(&[defaults]).child(reading, "gates");
    let closing = all.child(reading, "gates");
    let gates = gates::gates(reading, closing, usual);
    let correcting = all.child(reading, "corrections");
    let corrections = gates::corrections(reading, correcting);
    let planning = all.child(reading, "run");
    let nightly = nightly::nightly(reading, planning);
    let observing = all.child(reading, "dns");
    let dns = dns(reading, observing);
    let keeping = all.child(reading, "retention");
    let retention = retention(reading, keeping);
    let giving = all.child(reading, "consent");
    let asking = consent::asking(reading, giving);
    let declaring = own.child(reading, "controller");
    let controller = packs::controller(reading, declaring);
    let recording = own.child(reading, "record");
    let record = packs::record(reading, recording);
    let overseeing = own.child(reading, "oversight");
    let oversight = packs::oversight(reading, overseeing);
    let mut measuring = own.child(reading, "metrics");
    let metrics = measuring.find("file").and_then(|found| metrics_file(reading, &found));
    measuring.finish(reading);
    let proving = all.child(reading, "proof");
    let proof = proof::proof(reading, proving, environment);
    let fallback = all.child(reading, "registry_defaults");

    let records_read = records::records(reading, records, environment);
    let agents = agents::all(reading, &mut agents);
    let brands = consent::brands(reading, &mut brands);
    let registries = registry::all(reading, &mut registries, &fallback, environment);
    let by_default = by_default(reading, &mut privacy, &registries);
    let privacy = privacy_contact(reading, privacy);
    registry::check_defaults(reading, fallback);
    for key in
        ["records", "privacy", "store", "objects", "controller", "record", "oversight", "metrics", "agents", "messages", "registries"]
    {
        all.know(key);
    }
    all.finish(reading);
    version?;
    let (gates, corrections, nightly, retention, asking) = (gates?, corrections?, nightly?, retention?, asking?);
    let (state, reports, tables, records, dns, proof) = (state?, reports?, tables?, records_read?, dns?, proof?);
    let (record, (overseeing, oversight)) = (record?, oversight?);
    let digest = digest(bytes, &reading.rules);
    Some(Config {
        path: path.to_owned(),
        digest,
        state,
        reports,
        tables,
        records,
        store: store?,
        objects: objects?,
        privacy,
        by_default: by_default?,
        agents,
        gates,
        corrections,
        nightly,
        dns,
        retention,
        asking,
        brands,
        record,
        overseeing,
        controller,
        oversight,
        proof,
        metrics,
        registries,
    })
}

/// The file of metrics: a collector reads what ends in `.prom` and nothing else.
fn metrics_file(reading: &mut Reading<'_>, found: &Found<'_>) -> Option<PathBuf> {
    let path = found.path(reading)?;
    if path.extension().is_none_or(|end| end != "prom") {
        found.wrong(reading, "a file that ends in `.prom`: a collector of text files reads no other");
        return None;
    }
    Some(path)
}

/// By which rules data are kept.
fn retention(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<Retention> {
    let rules = table.find("rules").map(|found| found.path(reading));
    let contracts = table.find("contracts").and_then(|found| found.texts_if_any(reading)).unwrap_or_default();
    table.finish(reading);
    let is_own = rules.is_some();
    let pack = match rules {
        None => RulePack::embedded(),
        Some(path) => RulePack::load(&path?),
    };
    match pack {
        Ok(pack) => {
            reading.rules.extend(is_own.then_some(pack.digest));
            Some(Retention { pack: Arc::new(pack), contracts: contracts.into_iter().map(Into::into).collect() })
        }
        Err(problem) => {
            reading.problems.push(*problem);
            None
        }
    }
}

/// The digest of a configuration's bytes, or where it has files of rules, of all their digests.
fn digest(bytes: &[u8], rules: &[Digest]) -> Digest {
    let own = Digest::of(bytes);
    let all: Vec<String> = std::iter::once(&own).chain(rules).map(Digest::to_string).collect();
    if rules.is_empty() { own } else { Digest::of(all.join("\n").as_bytes()) }
}

/// How the DNS is observed.
fn dns(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<Dns> {
    let resolver = table.find("resolver").map_or(Some(None), |found| {
        let resolver = Dns::resolver(&found.text(reading)?);
        if resolver.is_none() {
            found.wrong(reading, "an address, with a port where that is not 53, such as `192.0.2.53` or `[2001:db8::53]:5353`");
        }
        resolver.map(Some)
    });
    let port = table.find("port").and_then(|f| f.number(reading, 1..=65_535)).and_then(|n| u16::try_from(n).ok());
    let seconds = table.find("timeout_seconds").and_then(|f| f.number(reading, 1..=60));
    let at_once = table.find("at_once").and_then(|f| f.number(reading, 1..=4096)).and_then(|n| usize::try_from(n).ok());
    table.finish(reading);
    Some(Dns { resolver: resolver?, port: port?, wait: Duration::from_secs(seconds?.into()), at_once: at_once? })
}

/// Which new names are sold with protection.
fn by_default(reading: &mut Reading<'_>, table: &mut Table<'_>, registries: &BTreeMap<RegistryId, RegistryConfig>) -> Option<ByDefault> {
    const CHOICES: [(&str, u8); 3] = [("off", 0), ("when-free", 1), ("always", 2)];
    let free = table.find("free").map(|found| (found.texts(reading), found));
    let chosen = match table.find("default") {
        Some(found) => found.choice(reading, &CHOICES)?,
        None => 0,
    };
    match (chosen, free) {
        (1, Some((names, found))) => {
            let free: BTreeSet<RegistryId> = names?.into_iter().map(RegistryId::new).collect();
            // A registry that is wrong itself is told there.
            if reading.problems.is_empty() && free.iter().any(|id| !registries.contains_key(id)) {
                found.wrong(reading, "names of tables `[registries.NAME]`");
            }
            Some(ByDefault::At(free))
        }
        (1, None) => {
            table.need(reading, "free", "[\"example-thick\"]");
            None
        }
        (_, Some((_, found))) => {
            found.wrong(reading, "it with `default = \"when-free\"` alone");
            None
        }
        (0, None) => Some(ByDefault::Off),
        _ => Some(ByDefault::Always),
    }
}

/// The provider's data set; nothing where the file has none.
fn privacy_contact(reading: &mut Reading<'_>, mut table: Table<'_>) -> Option<PrivacySettings> {
    if table.is_absent() {
        return None;
    }
    let text = |table: &mut Table<'_>, reading: &mut Reading<'_>, key| table.find(key).and_then(|f| f.text(reading));
    let v1_handle = text(&mut table, reading, "v1_handle").map(Handle::new);
    let brand_handle = text(&mut table, reading, "brand_handle").map(Handle::new);
    let mut needed = |table: &mut Table<'_>, key, example| table.need(reading, key, example).and_then(|f| f.text(reading));
    let name = needed(&mut table, "name", "\"Domain Privacy Service\"");
    let street1 = needed(&mut table, "street1", "\"PO Box 1\"");
    let city = needed(&mut table, "city", "\"Exampletown\"");
    let voice = needed(&mut table, "voice", "\"+49.301234567\"");
    let org = text(&mut table, reading, "org").unwrap_or_default();
    let mut street: Vec<String> = street1.into_iter().collect();
    street.extend(["street2", "street3"].into_iter().filter_map(|key| text(&mut table, reading, key)));
    let sp = text(&mut table, reading, "sp");
    let pc = text(&mut table, reading, "pc");
    let cc = table.need(reading, "cc", "\"DE\"").and_then(|found| {
        let cc = found.text(reading)?;
        let fits = cc.len() == 2 && cc.bytes().all(|b| b.is_ascii_uppercase());
        if !fits {
            found.wrong(reading, "a country in two capital letters (ISO 3166-1), such as `DE`");
        }
        fits.then_some(cc)
    });
    let relay = table.need(reading, "email_domain", "\"relay.example\"").and_then(|found| {
        let domain = found.text(reading)?;
        match idna::domain_to_ascii_strict(&domain) {
            Ok(ascii) => Some(DomainName::new(ascii)),
            Err(_) => {
                found.wrong(reading, "a domain name, such as `relay.example`");
                None
            }
        }
    });
    table.finish(reading);
    Some(PrivacySettings {
        v1_handle,
        brand_handle,
        name: name?,
        org,
        street,
        city: city?,
        sp,
        pc,
        cc: cc?,
        voice: voice?,
        email_domain: relay?,
    })
}
