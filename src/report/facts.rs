//! What a run report is made from: one value, filled in by the job, written as `run.json` and read back to print the report again.

use crate::base::{Exit, Problem, RegistryId, RunId, Timestamp};
use crate::dataset::Ages;
use crate::diff::{Severity, SummaryRow};
use crate::model::{ObjectKind, TlsFacts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything a report tells of one run. It holds identifiers and counts, no personal datum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunFacts {
    /// The run.
    pub run_id: RunId,
    /// The version of Privet that made the run.
    pub tool_version: String,
    /// When the run began.
    pub started: Timestamp,
    /// When it ended; ages and days left are counted from here.
    pub ended: Timestamp,
    /// The job's own exit code: the worst of all that held.
    pub exit: Exit,
    /// Each registry, in the order of the configuration.
    pub registries: Vec<RegistryFacts>,
    /// Differences, counted.
    pub differences: Vec<SummaryRow>,
    /// The local records the registries were compared with.
    pub records: Vec<RecordFile>,
    /// Gates that were looked at, open and closed.
    pub gates: Vec<GateFacts>,
    /// Settings that are weaker than the built-in ones.
    pub overrides: Vec<Override>,
    /// Warnings that belong to no registry.
    pub warnings: Vec<Problem>,
    /// Warnings that were counted and not kept: more of one input than help to mend it.
    pub warnings_not_kept: u64,
    /// Files the run left, named relative to the report's folder.
    pub outputs: Vec<Output>,
}

/// One registry in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegistryFacts {
    /// The operator's name for the account.
    pub id: RegistryId,
    /// The profile it is dealt with by.
    pub profile: String,
    /// Host and port.
    pub endpoint: String,
    /// Whether everything that was to be read was asked for and answered, and a snapshot was put in place.
    pub whole: bool,
    /// Every exit code that held here.
    pub exits: Vec<Exit>,
    /// What went wrong here, and what was only told, personal values masked.
    pub problems: Vec<Problem>,
    /// Contacts.
    pub contacts: ObjectCounts,
    /// Domains.
    pub domains: ObjectCounts,
    /// What the sessions did.
    pub line: LineFacts,
    /// Limits, and how near to them the run came.
    pub limits: Vec<LimitUse>,
    /// The greeting, where one was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<GreetingFacts>,
    /// What was agreed on the TLS connection, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFacts>,
    /// Namespaces in answers that no type knows.
    pub unknown_namespaces: Vec<NamespaceCount>,
    /// When what this rests on was observed, where there is a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Ages>,
}

impl RegistryFacts {
    /// The counts of one kind of object.
    #[must_use]
    pub const fn counts(&self, object: ObjectKind) -> &ObjectCounts {
        match object {
            ObjectKind::Contact => &self.contacts,
            ObjectKind::Domain => &self.domains,
        }
    }

    /// Whether `problem` led to one of the exit codes that held here; one that did not is a warning.
    #[must_use]
    pub fn ended_by(&self, problem: &Problem) -> bool {
        problem.exit != Exit::Done && self.exits.contains(&problem.exit)
    }

    /// How many problems led to an exit code.
    #[must_use]
    pub fn problems(&self) -> u64 {
        self.problems.iter().filter(|p| self.ended_by(p)).count() as u64
    }

    /// How many objects could not be read.
    #[must_use]
    pub const fn unreadable(&self) -> u64 {
        self.contacts.unreadable.saturating_add(self.domains.unreadable)
    }
}

/// What became of the objects of one kind. An object is counted once: `asked` is the sum of the four states and of those not answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectCounts {
    /// Objects asked for.
    pub asked: u64,
    /// Read.
    pub ok: u64,
    /// Not at the registry (result code 2303).
    pub missing: u64,
    /// Answered in a form that could not be read.
    pub unreadable: u64,
    /// Not ours to see (result code 2201).
    pub refused: u64,
    /// Of those asked for, how many were in no local record: handles met on the way.
    pub found_on_the_way: u64,
}

impl ObjectCounts {
    /// Objects that were asked for and got no answer that settles them.
    #[must_use]
    pub const fn unanswered(&self) -> u64 {
        self.asked.saturating_sub(self.ok).saturating_sub(self.missing).saturating_sub(self.unreadable).saturating_sub(self.refused)
    }
}

/// What the sessions with one registry did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineFacts {
    /// Exchanges: a command and its answer.
    pub exchanges: u64,
    /// Bytes of frames sent.
    pub bytes_out: u64,
    /// Bytes of frames received.
    pub bytes_in: u64,
    /// Sessions that were logged in.
    pub sessions_opened: u64,
    /// Of those, sessions that took the place of one that was lost.
    pub reconnects: u64,
    /// The most commands that were in flight at a time, over all sessions.
    pub max_in_flight: u64,
    /// The widest window one session reached.
    pub window_reached: u64,
    /// Times from a command handed to the line to its whole answer, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_times: Option<AnswerTimes>,
    /// How often a command waited for the rate budget.
    pub rate_waits: u64,
    /// For how long in all, in milliseconds.
    pub rate_waited_ms: u64,
}

/// Quantiles of answer times, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerTimes {
    /// The median.
    pub p50_ms: u64,
    /// The 99th percentile.
    pub p99_ms: u64,
    /// The longest.
    pub max_ms: u64,
}

/// One limit of a registry account, and how much of it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitUse {
    /// What is limited, with its unit: `sessions`, `commands in 60 s` …
    pub name: String,
    /// What the profile says the registry allows; nothing where it names no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<u64>,
    /// How much of that the configuration lets Privet use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<u64>,
    /// The most that was used.
    pub reached: u64,
}

/// A registry's greeting, compared with its profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GreetingFacts {
    /// The name the server gives itself.
    pub server: String,
    /// Protocol versions.
    pub versions: Vec<String>,
    /// Languages.
    pub languages: Vec<String>,
    /// Services that were announced, objects and extensions.
    pub services: Vec<String>,
    /// Services announced which the profile does not expect.
    pub unexpected: Vec<String>,
    /// Services the profile expects which were not announced.
    pub absent: Vec<String>,
    /// The registry's clock minus ours, in seconds, where the greeting's date could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<i64>,
}

/// How often a namespace was met which no type knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamespaceCount {
    /// Its URI.
    pub namespace: String,
    /// Elements met in it.
    pub count: u64,
}

/// A file of local records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordFile {
    /// The file, as the configuration names it.
    pub file: String,
    /// What is in it: `contacts`, `domains`, `services`.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// Its rows at the last run, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_rows: Option<u64>,
}

/// A threshold that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateFacts {
    /// What it guards.
    pub name: String,
    /// The registry, where it is one registry's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryId>,
    /// The threshold, with its unit.
    pub limit: String,
    /// What was found, with its unit.
    pub observed: String,
    /// Whether the run may go on.
    pub open: bool,
}

/// A setting that is weaker than the built-in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    /// The key in the configuration.
    pub key: String,
    /// Its value, masked where it is a secret.
    pub value: String,
    /// Where it was set.
    pub origin: String,
    /// What it weakens.
    pub weakens: String,
}

/// A file the run left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// What it holds.
    pub what: String,
    /// Where, relative to the report's folder.
    pub path: String,
    /// Whether it holds personal data in clear.
    pub personal: bool,
}

impl RunFacts {
    /// How many differences of `severity` there are, at one registry or, for `None`, at all.
    #[must_use]
    pub fn differences_of(&self, registry: Option<&RegistryId>, severity: Severity) -> u64 {
        let of = |d: &&SummaryRow| d.severity == severity && registry.is_none_or(|r| *r == d.registry);
        total(self.differences.iter().filter(of).map(|d| d.count))
    }

    /// How many problems led to an exit code.
    #[must_use]
    pub fn problems(&self) -> u64 {
        total(self.registries.iter().map(RegistryFacts::problems))
    }

    /// How many warnings there were: all that led to no exit code.
    #[must_use]
    pub fn warnings(&self) -> u64 {
        let told = self.registries.iter().map(|r| (r.problems.len() as u64).saturating_sub(r.problems()));
        total(told.chain([self.warnings.len() as u64, self.warnings_not_kept]))
    }

    /// How many objects could not be read, at all registries.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        total(self.registries.iter().map(RegistryFacts::unreadable))
    }
}

/// The sum of `counts`, which may come from a file: one that is too large is the largest.
pub(super) fn total(counts: impl IntoIterator<Item = u64>) -> u64 {
    counts.into_iter().fold(0, u64::saturating_add)
}
