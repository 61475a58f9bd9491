//! What is stated and signed (in-toto Statement v1, <https://in-toto.io/Statement/v1>): of a run, which files it left and what these rest
//! on; of a redaction, which of them were altered or removed since, and why.
//!
//! No personal datum stands in either. Files are told by digest, people's rows by salted commitments.

use super::commitment::Commitment;
use super::document::HashText;
use crate::base::{Exit, RegistryId, RunId, Timestamp};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an envelope says is in it.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of every statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The type of [`RunPredicate`]. The host is a name that nobody can have (RFC 2606): the address identifies, and leads nowhere. What it
/// means stands in `schemas/report/proof-run.json`.
pub const RUN: &str = "https://privet.example/proof/run/v1";
/// The type of [`RedactionPredicate`], in the same way; `schemas/report/proof-redaction.json`.
pub const REDACTION: &str = "https://privet.example/proof/redaction/v1";

/// A statement about files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement<P> {
    /// That it is one.
    #[serde(rename = "_type")]
    kind: String,
    /// The files, by their names.
    pub subject: Vec<Subject>,
    /// What kind of thing is stated of them.
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// What is stated of them.
    pub predicate: P,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its path in the folder of the run, with `/` between its parts.
    pub name: String,
    /// Its digest.
    pub digest: DigestSet,
}

/// A digest by its algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DigestSet {
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// The program that made the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        Self { name: "privet".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What a run's files rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunPredicate {
    /// The run.
    pub run_id: RunId,
    /// The verb that left the files.
    pub verb: String,
    /// The program.
    pub tool: Tool,
    /// When the run began, UTC.
    pub started: Timestamp,
    /// When the files were all there, UTC.
    pub ended: Timestamp,
    /// How the verb ended: every exit that held.
    pub exits: Vec<Exit>,
    /// What it worked on.
    pub inputs: Inputs,
    /// The rules of each registry.
    pub profiles: Vec<ProfileDigest>,
    /// Other packs of rules, by name: SHA-256 in hexadecimal.
    pub rule_packs: BTreeMap<String, String>,
    /// What was counted, by name.
    pub counts: BTreeMap<String, u64>,
    /// The rows about people in the tables that hold values of theirs in clear, as commitments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowCommitments>,
}

/// The commitments to the rows about people of one table: they stand in `commitments.csv`, one for each object that the table tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowCommitments {
    /// The table, by the name of its file without its ending.
    pub table: String,
    /// How many there are.
    pub count: u64,
    /// The root over them in the order of the file (RFC 6962 §2.1): of each alone can be shown that it was signed.
    pub root: HashText,
}

/// What a run worked on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The configuration with its files of rules: SHA-256 in hexadecimal.
    pub config: String,
    /// The local records, as far as they were taken in.
    pub records: Vec<RecordDigest>,
    /// The snapshots that were read or made.
    pub snapshots: Vec<SnapshotDigest>,
}

/// A file of local records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDigest {
    /// The table.
    pub table: String,
    /// The file's number among those of the table, from 0.
    pub file: u64,
    /// SHA-256 in hexadecimal; not there where the file was too large to be read once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A snapshot of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotDigest {
    /// The registry.
    pub registry: RegistryId,
    /// The run that made it.
    pub run_id: RunId,
    /// Its manifest: SHA-256 in hexadecimal.
    pub sha256: String,
}

/// A registry's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileDigest {
    /// The registry.
    pub registry: RegistryId,
    /// The profile.
    pub profile: String,
    /// The profile as it was in force, an operator's own rules and limits in it: SHA-256 in hexadecimal.
    pub sha256: String,
}

/// Which files of a run were altered or removed after it was proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactionPredicate {
    /// The run.
    pub run_id: RunId,
    /// The program.
    pub tool: Tool,
    /// When, UTC.
    pub at: Timestamp,
    /// Why.
    pub reason: RedactionReason,
    /// On which ground: an article, a rule or the number of a request. No personal datum.
    pub ground: String,
    /// The files.
    pub files: Vec<RedactedFile>,
}

/// Why files were altered or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedactionReason {
    /// Somebody's data were erased (GDPR Art. 17).
    Erasure,
    /// The time for which they are kept was over (GDPR Art. 5(1)(e)).
    Retention,
}

impl RedactionReason {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erasure => "erasure",
            Self::Retention => "retention",
        }
    }
}

/// A file that was altered or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactedFile {
    /// Its path in the folder of the run.
    pub name: String,
    /// What it was: SHA-256 in hexadecimal.
    pub before: String,
    /// What it is, where it is there still: SHA-256 in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The rows of people that were altered or removed in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RedactedRow>,
}

/// A row that was altered or removed. Once its salt is erased, nobody can tell any more what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactedRow {
    /// The commitment to what it was.
    pub before: Commitment,
    /// The commitment to what it is, where it is there still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Commitment>,
}

/// What can be stated of files.
pub trait Predicate: Serialize + DeserializeOwned {
    /// Its type.
    const TYPE: &'static str;
}

impl Predicate for RunPredicate {
    const TYPE: &'static str = RUN;
}

impl Predicate for RedactionPredicate {
    const TYPE: &'static str = REDACTION;
}

impl<P: Predicate> Statement<P> {
    /// States `predicate` of files, each with its digest.
    #[must_use]
    pub fn new<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>, predicate: P) -> Self {
        let subject = |(name, sha256): (&str, &str)| Subject { name: name.to_owned(), digest: DigestSet { sha256: sha256.to_owned() } };
        let mut subject: Vec<Subject> = files.into_iter().map(subject).collect();
        subject.sort_by(|a, b| a.name.cmp(&b.name));
        Self { kind: STATEMENT.to_owned(), subject, predicate_type: P::TYPE.to_owned(), predicate }
    }

    /// Its bytes: equal statements have equal ones.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a statement of this type.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let read: Self = serde_json::from_slice(bytes).ok()?;
        (read.kind == STATEMENT && read.predicate_type == P::TYPE).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> RedactionPredicate {
        RedactionPredicate {
            run_id: RunId::from("20261121T020000Z-00000000"),
            tool: Tool::this(),
            at: "2026-11-21T02:00:00Z".parse().unwrap(),
            reason: RedactionReason::Erasure,
            ground: "GDPR Art. 17(1)(b)".to_owned(),
            files: Vec::new(),
        }
    }

    #[test]
    fn a_statement_is_read_as_it_is_written_and_as_nothing_else() {
        let statement = Statement::new([("b", "2"), ("a", "1")], redaction());
        assert_eq!(statement.subject.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["a", "b"], "in the order of their names");
        let bytes = statement.bytes();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(
            text.starts_with(r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"1"}}"#),
            "{text}"
        );
        assert_eq!(Statement::<RedactionPredicate>::read(&bytes), Some(statement));
        assert_eq!(Statement::<RunPredicate>::read(&bytes), None);
        for (from, to) in [("Statement/v1", "Statement/v2"), ("redaction/v1", "redaction/v2"), ("\"at\"", "\"to\"")] {
            assert_eq!(Statement::<RedactionPredicate>::read(text.replace(from, to).as_bytes()), None, "{from}");
        }
    }
}
