//! From options and the environment to the loaded configuration. The environment is read here and nowhere else.

use super::args::{Global, Places};
use crate::base::Problems;
use crate::job::config::{Config, Given, Loaded, Origin};
use std::path::{Path, PathBuf};

/// Names the configuration where `--config` does not.
const CONFIG: &str = "PRIVET_CONFIG";
/// Wins over the configuration's `state`, as `--state` wins over it.
const STATE: &str = "PRIVET_STATE";
/// Wins over the configuration's `reports`, as `--reports` wins over it.
const REPORTS: &str = "PRIVET_REPORTS";

/// Where the configuration is looked for when nobody names one.
const DEFAULT: &str = "privet.toml";

/// Reads the configuration where one is named, or stands where it is looked for.
///
/// # Errors
/// As [`load`].
pub(super) fn load_if_there(global: &Global, places: &Places) -> Result<Option<Loaded>, Problems> {
    let is_named = global.config.is_some() || variable(CONFIG).is_some();
    (is_named || Path::new(DEFAULT).exists()).then(|| load(global, places)).transpose()
}

/// Reads the configuration that the options and the environment name.
///
/// # Errors
/// Every problem of the file at once.
pub(super) fn load(global: &Global, places: &Places) -> Result<Loaded, Problems> {
    let path = global.config.clone().or_else(|| variable(CONFIG).map(PathBuf::from)).unwrap_or_else(|| PathBuf::from(DEFAULT));
    let given: Vec<Given> = [("state", &places.state, "--state", STATE), ("reports", &places.reports, "--reports", REPORTS)]
        .into_iter()
        .filter_map(|(key, flag, name, env)| match flag {
            Some(value) => Some(Given { key, value: value.clone(), origin: Origin::Flag(name) }),
            None => variable(env).map(|value| Given { key, value, origin: Origin::Environment(env) }),
        })
        .collect();
    Config::load(&path, &given, &variable)
}

/// A variable, where it is set to something in UTF-8.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}
