//! What went wrong, whose side it is on, where, and what to do about it.

use super::{Exit, escape_controls};
use std::fmt;

/// Whose side a problem is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// A file that was given to us.
    Input,
    /// A setting, an argument or the machine the operator runs us on.
    Operator,
    /// What a registry said.
    Registry,
    /// What lies between us and a registry.
    Network,
    /// A bug of ours.
    Us,
}

/// Where in a file, a table or a registry a problem stands. Everything that is known is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Place {
    /// The file, as the operator named it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The line or the row, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
    /// The column in that line, in characters from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub column: Option<u64>,
    /// The field, key or XML element.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// The registry and the object (a handle or a domain name).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub object: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(file) = &self.file {
            let mut at = escape_controls(file);
            for n in [self.line, self.column].into_iter().flatten() {
                at.push_str(&format!(":{n}"));
            }
            parts.push(at);
        } else if let Some(line) = self.line {
            parts.push(format!("line {line}"));
        }
        parts.extend(self.object.as_deref().map(escape_controls));
        parts.extend(self.field.as_deref().map(escape_controls));
        f.write_str(&parts.join(", "))
    }
}

/// One problem: a stable id, the guilty side, the place, the words and the remedy. It never holds a personal datum in clear.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Problem {
    /// The stable id, `E-<area>-<nnn>`.
    pub id: String,
    /// Whose side it is on.
    pub blame: Blame,
    /// Where it stands.
    pub place: Place,
    /// What is wrong and why.
    pub what: String,
    /// What to do.
    pub remedy: String,
    /// The exit code it leads to.
    pub exit: Exit,
}

/// The result of everything that can fail for a reason somebody can act on.
pub type Result<T, E = Box<Problem>> = std::result::Result<T, E>;

impl Problem {
    /// A problem on `blame`'s side, with the exit code that side usually leads to.
    #[must_use]
    pub fn new(id: &str, blame: Blame, what: impl Into<String>, remedy: impl Into<String>) -> Box<Self> {
        let exit = match blame {
            Blame::Input => Exit::InputIncomplete,
            Blame::Operator => Exit::Usage,
            Blame::Registry => Exit::SomeFailed,
            Blame::Network => Exit::Unreachable,
            Blame::Us => Exit::Internal,
        };
        Box::new(Self { id: id.to_owned(), blame, place: Place::default(), what: what.into(), remedy: remedy.into(), exit })
    }

    /// A failed system call on `path`: the operator's machine is at fault (exit 33).
    #[must_use]
    pub fn storage(id: &str, path: &std::path::Path, doing: &str, error: &std::io::Error) -> Box<Self> {
        Self::new(id, Blame::Operator, format!("cannot {doing}: {error}"), "check the path, its owner and mode, and free space")
            .file(path)
            .exit(Exit::Storage)
    }

    /// The same problem, standing in `path`.
    #[must_use]
    pub fn file(mut self: Box<Self>, path: &std::path::Path) -> Box<Self> {
        self.place.file = Some(path.display().to_string());
        self
    }

    /// The same problem, in line (or row) `line`, from 1.
    #[must_use]
    pub fn line(mut self: Box<Self>, line: u64) -> Box<Self> {
        self.place.line = Some(line);
        self
    }

    /// The same problem, in column `column`, from 1.
    #[must_use]
    pub fn column(mut self: Box<Self>, column: u64) -> Box<Self> {
        self.place.column = Some(column);
        self
    }

    /// The same problem, in field `field`.
    #[must_use]
    pub fn field(mut self: Box<Self>, field: impl Into<String>) -> Box<Self> {
        self.place.field = Some(field.into());
        self
    }

    /// The same problem, at `object`.
    #[must_use]
    pub fn object(mut self: Box<Self>, object: impl Into<String>) -> Box<Self> {
        self.place.object = Some(object.into());
        self
    }

    /// The same problem, leading to `exit`.
    #[must_use]
    pub const fn exit(mut self: Box<Self>, exit: Exit) -> Box<Self> {
        self.exit = exit;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.id)?;
        let place = self.place.to_string();
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}", escape_controls(&self.what))?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", escape_controls(&self.remedy))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// The problems of one input, told together; only the first [`Problems::CAP`] are kept, the rest are counted.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    kept: Vec<Problem>,
    dropped: usize,
}

impl Problems {
    /// How many problems of one input are told: more do not help to mend it.
    pub const CAP: usize = 50;

    /// Adds one.
    #[expect(clippy::boxed_local, reason = "problems travel boxed")]
    pub fn push(&mut self, problem: Box<Problem>) {
        if self.kept.len() < Self::CAP {
            self.kept.push(*problem);
        } else {
            self.dropped += 1;
        }
    }

    /// Those that were kept, in the order they were met.
    #[must_use]
    pub fn kept(&self) -> &[Problem] {
        &self.kept
    }

    /// How many more there were.
    #[must_use]
    pub const fn dropped(&self) -> usize {
        self.dropped
    }

    /// Whether there was none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The first, for who can tell but one.
    #[must_use]
    pub fn into_first(self) -> Box<Problem> {
        let none = || Problem::new("E-base-001", Blame::Us, "something failed and told no problem", "please report this");
        self.kept.into_iter().next().map_or_else(none, Box::new)
    }

    /// `value` where there was no problem.
    ///
    /// # Errors
    /// The problems themselves, where there was one.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl std::error::Error for Problems {}

impl From<Box<Problem>> for Problems {
    fn from(problem: Box<Problem>) -> Self {
        let mut all = Self::default();
        all.push(problem);
        all
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.kept.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        if self.dropped > 0 {
            write!(f, "\n… and {} more", self.dropped)?;
        }
        Ok(())
    }
}
