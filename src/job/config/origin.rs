//! Where a setting came from.

use std::fmt;
use std::path::PathBuf;

/// One setting as `config show` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The value in TOML, on one line. A secret is only ever the place where it is kept.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The defaults that Privet carries.
    Default,
    /// The configuration file.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// An option on the command line, with its dashes.
    Flag(&'static str),
    /// A variable of the environment.
    Environment(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Flag(name) => f.write_str(name),
            Self::Environment(name) => write!(f, "${name}"),
        }
    }
}

/// A top-level setting given outside of the file; it wins over the file. A path in it is taken from the working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its key.
    pub key: &'static str,
    /// Its value, a text.
    pub value: String,
    /// How it was given.
    pub origin: Origin,
}
