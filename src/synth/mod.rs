//! Data with planted truths: registry states, a registrar's records that differ from them in known ways, and the list of those ways.
//!
//! Everything is a function of the options, written in one pass with the memory of one row group and of the differences, and of some 60
//! bytes for each contact of one registry.

mod cases;
mod change;
mod config;
mod consent;
mod cosmetic;
mod ended;
mod exposure;
mod former;
mod leaks;
mod local;
mod orders;
mod record;
mod registries;
mod services;
mod stray;
mod tables;
mod truth;
mod violations;

#[cfg(test)]
mod tests;

pub use cases::CASES;
pub use config::config;

use crate::base::{Blame, Problem, Result, Timestamp, create_private_dir};
use crate::mock::fleet::{FleetSettings, SyntheticFleet};
use consent::Consents;
use exposure::Exposures;
use former::Keeping;
use jiff::tz::TimeZone;
use leaks::Leaks;
use local::Local;
use orders::Orders;
use registries::{REGISTRIES, settings};
use std::collections::BTreeMap;
use std::path::Path;
use tables::Tables;
use truth::Truth;
use violations::Violations;

/// What to make.
#[derive(Clone, Debug)]
pub struct SynthOptions {
    /// Contacts at the registries together, those of privacy services not counted.
    pub contacts: u64,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// The share of records, 0 to 1, that differ from the registry in one to three fields.
    pub change_rate: f64,
    /// The day (UTC) the data describe: services run on it, domains expire after it.
    pub today: Timestamp,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct SynthReport {
    /// Each registry, by id.
    pub registries: Vec<SynthRegistry>,
    /// Rows of the contacts table.
    pub contacts: u64,
    /// Rows of the domains table.
    pub domains: u64,
    /// Rows of the services table.
    pub services: u64,
    /// Planted differences, one a row of `truth/differences.csv`.
    pub differences: u64,
    /// Planted violations of the registries' rules, one a row of `truth/violations.csv`.
    pub violations: u64,
    /// Events of consent, one a row of `records/consent.csv`.
    pub consents: u64,
    /// Uses of data that have to be blocked, one a row of `truth/blocked.csv`.
    pub blocked: u64,
    /// Roles that show a protected registrant, one a row of `truth/leaks.csv` with the kind `role`.
    pub leaks: u64,
    /// Roles of domains whose service is over while the registry still hides who has them, one a row of the kind `ended`.
    pub ended: u64,
    /// Proxy contacts that nothing names, one a row of the kind `orphan`.
    pub orphans: u64,
    /// Contacts that no service needs, one a row of `truth/retention.csv`.
    pub unneeded: u64,
    /// What a report on exposure has to find, one a row of `truth/exposure.csv`.
    pub exposures: u64,
    /// RDAP answers, one a line of `records/rdap.ndjson`.
    pub answers: u64,
    /// Cases of the registers, one a row of `truth/registers.csv`.
    pub cases: u64,
    /// Orders that ask for consent, one a row of `records/orders.csv`.
    pub orders: u64,
}

/// What was made for one registry.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct SynthRegistry {
    /// Its id.
    pub id: String,
    /// Its profile.
    pub profile: String,
    /// Contacts it holds, those of privacy services not counted.
    pub contacts: u64,
    /// Domains it holds.
    pub domains: u64,
    /// Planted differences.
    pub differences: u64,
}

/// What is noted beside the records, while they are written.
struct Books {
    consents: Consents,
    leaks: Leaks,
    keeping: Keeping,
    orders: Orders,
}

/// Writes `out/states/REGISTRY/fleet.toml`, `out/records`, `out/privet.toml`, and in `out/truth` what each report has to say of them.
/// Equal options give equal bytes.
///
/// # Errors
/// `E-synth-001` for an option out of range; `E-synth-002` where `out` holds a `privet.toml` already; `E-file-001` to `E-file-003`
/// where something cannot be written.
pub fn write(out: &Path, options: &SynthOptions) -> Result<SynthReport> {
    if !(0.0..=1.0).contains(&options.change_rate) {
        let what = format!("a change rate of {}", options.change_rate);
        return Err(Problem::new("E-synth-001", Blame::Operator, what, "give a share from 0 to 1").field("change_rate"));
    }
    let config = out.join("privet.toml");
    if config.exists() {
        let what = "there is a configuration already; nothing is overwritten";
        return Err(Problem::new("E-synth-002", Blame::Operator, what, "name another directory, or remove this one").file(&config));
    }
    for dir in ["states", "records", "truth"] {
        create_private_dir(&out.join(dir))?;
    }
    let today = options.today.to_zoned(TimeZone::UTC).date();
    let mut tables = Tables::create(&out.join("records"))?;
    let mut truth = Truth::create(&out.join("truth/differences.csv"))?;
    let mut violations = Violations::create(&out.join("truth/violations.csv"))?;
    let mut books = Books {
        consents: Consents::create(out, options)?,
        leaks: Leaks::create(&out.join("truth/leaks.csv"))?,
        keeping: Keeping::create(&out.join("truth"), today)?,
        orders: Orders::new(today),
    };
    let mut exposures = Exposures::create(out, options.seed, options.today)?;
    let mut registries = Vec::new();
    let (mut kept, mut people) = (Vec::new(), Vec::new());
    for registry in &REGISTRIES {
        let state = out.join("states").join(registry.id);
        create_private_dir(&state)?;
        let settings = settings(registry, options, today);
        settings.save(&state.join(FleetSettings::FILE))?;
        let fleet = SyntheticFleet::new(settings)?;
        let list = registry.list.then(|| out.join(config::list(registry.id)));
        books.consents.begin(fleet.profile());
        let local = Local::new(registry, &fleet, options, today);
        let differences = local.write(list.as_deref(), &mut tables, &mut truth, &mut violations, &mut books)?;
        books.keeping.end_of(registry.id, registry.periods)?;
        books.orders.end_of(registry.id);
        local.expose(&mut exposures, &books.consents)?;
        kept.extend(local.kept().map(|handle| (registry.id.to_owned(), handle)));
        people.extend(local.formers_of().map(|handle| (registry.id.to_owned(), handle)));
        books.consents.end_of(registry.id)?;
        registries.push(SynthRegistry {
            id: registry.id.to_owned(),
            profile: registry.profile.to_owned(),
            contacts: fleet.contact_count(),
            domains: fleet.domain_count(),
            differences,
        });
    }
    let (contacts, domains, services) = tables.finish()?;
    let differences = truth.finish()?;
    let violations = violations.finish()?;
    let Books { consents, leaks, keeping, orders } = books;
    let (exposures, answers) = exposures.finish(&consents)?;
    let orders = orders.finish(out, &consents)?;
    let (consents, blocked) = consents.finish()?;
    let leaks::Written { roles: leaks, ended, orphans } = leaks.finish()?;
    let unneeded = keeping.finish()?;
    // The one whose data a hold keeps comes first; where there is none, there are too few people for cases.
    if !kept.is_empty() {
        kept.append(&mut people);
    }
    let cases = cases::write(out, today, &kept)?;
    // Last, so that a directory with a configuration is a whole one.
    crate::base::write_atomic(&config, config::config(&BTreeMap::new()).as_bytes())?;
    Ok(SynthReport {
        registries,
        contacts,
        domains,
        services,
        differences,
        violations,
        consents,
        blocked,
        leaks,
        ended,
        orphans,
        unneeded,
        exposures,
        answers,
        cases,
        orders,
    })
}
