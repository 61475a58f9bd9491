//! The proof of a run: what it left is signed, file by file, and stands in a log that can only grow, so that whoever has the public key can
//! tell a year later, on another machine, whether anything was altered, removed, added or left out since.
//!
//! A run is a leaf of a Merkle tree ([`tree`], RFC 6962). The leaf is a statement about its files ([`statement`], in-toto) under a
//! signature ([`envelope`], DSSE; [`key`], Ed25519), and after each leaf the tree is signed as a checkpoint ([`note`], C2SP). All of it
//! stands beside the files, in `proof.json` ([`document`]). Where a file is altered or removed by an erasure, that is one more leaf:
//! a redaction, in `redactions.ndjson`. Nothing here reads a clock or a store: leaves and keys are handed in.

pub mod commitment;
pub mod document;
pub mod envelope;
pub mod folder;
pub mod key;
pub mod note;
mod rows;
mod state;
pub mod statement;
pub mod tree;
mod verify;

pub use commitment::{Commitment, Salt};
pub use document::Document;
pub use envelope::Envelope;
pub use key::{SigningKey, VerifierKey};
pub use rows::RowsWriter;
pub use state::{Deviation, State};
pub use statement::{
    Inputs, ProfileDigest, RecordDigest, RedactedFile, RedactedRow, RedactionPredicate, RedactionReason, RowCommitments, RunPredicate,
    SnapshotDigest, Statement, Tool,
};
pub use verify::{Against, Check, FileCounts, Verified, read_leaves, verify};

use serde_json::Value;

/// The JSON Schemas of what stands in a proof and of what `verify` prints, by name; a document's `schema` is `privet/report/` and that name.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("proof", schemars::schema_for!(Document).to_value()),
        ("proof-redaction", schemars::schema_for!(Statement<RedactionPredicate>).to_value()),
        ("proof-run", schemars::schema_for!(Statement<RunPredicate>).to_value()),
        (
            "verified",
            schemars::SchemaGenerator::new(schemars::generate::SchemaSettings::draft2020_12().for_serialize())
                .into_root_schema_for::<Verified>()
                .to_value(),
        ),
    ]
}
