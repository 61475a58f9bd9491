//! `privet schema`: the JSON Schemas of what Privet writes and reads, made from the types themselves. `schemas/` has them as files.

use super::argument;
use super::printer::Failure;
use super::verbs::{Begun, Shown};
use crate::base::{Problem, Result};
use crate::compliance::access::{Bundle, Portable};
use crate::policy::{Matrix, Profile};
use crate::protocol::epp::Decoded;
use crate::{job, mock, plan, report, rules, synth};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// What makes a schema.
type Make = fn() -> Value;

/// Each schema but the reports' by its name.
const SCHEMAS: [(&str, Make); 47] = [
    ("access", written::<Bundle>),
    ("access-portable", written::<Vec<Portable>>),
    ("apply", written::<job::ApplyReport>),
    ("approved", written::<job::Approved>),
    ("archived", written::<report::ArchiveSummary>),
    ("breach-candidates", written::<job::BreachCandidates>),
    ("check", written::<job::Checked>),
    ("commit", written::<mock::Committed<'_>>),
    ("config", written::<Shown>),
    ("consent", written::<job::ConsentShown>),
    ("consent-asked", written::<job::ConsentAsked>),
    ("consent-message", written::<job::ConsentMessage>),
    ("consent-report", written::<job::ConsentReported>),
    ("consent-sent", written::<job::ConsentSent>),
    ("consent-taken", written::<job::ConsentTaken>),
    ("declared", written::<job::DeclaredShown>),
    ("diff-part", written::<job::DiffPart>),
    ("dns", written::<job::DnsPulled>),
    ("erasure", written::<job::Erasure>),
    ("erasures", written::<job::ErasureShown>),
    ("exposure", written::<job::ExposureReport>),
    ("failure", written::<Failure<'_>>),
    ("findings", written::<rules::FindingsTable>),
    ("frame", written::<Decoded<'_>>),
    ("init", written::<Begun>),
    ("mock", written::<mock::Served>),
    ("oversight", written::<job::OversightShown>),
    ("password", written::<job::PasswordChanged>),
    ("plan", written::<plan::PlanLine>),
    ("planned", written::<job::Planned>),
    ("problem", written::<Problem>),
    ("profile", read::<Profile>),
    ("protection", written::<job::ProtectionReport>),
    ("record", written::<job::RecordShown>),
    ("register", written::<job::RegisterShown>),
    ("register-taken", written::<job::RegisterTaken>),
    ("registers", written::<job::CasesShown>),
    ("registries", written::<Matrix>),
    ("reminded", written::<job::Reminded>),
    ("retention", written::<job::RetentionShown>),
    ("simulated", written::<job::Simulated>),
    ("store-moved", written::<job::StoreMoved>),
    ("subject-erased", written::<job::SubjectErased>),
    ("subject-exported", written::<job::SubjectExported>),
    ("subject-found", written::<job::SubjectFound>),
    ("synth", written::<synth::SynthReport>),
    ("transfer-reminder", written::<job::TransferReminder>),
];

/// The schema called `name`, or all by name.
///
/// # Errors
/// `E-cli-004` for a name that none has.
pub(super) fn schema(name: Option<&str>) -> Result<Value> {
    let mut all: Map<String, Value> = SCHEMAS.iter().map(|(name, make)| ((*name).to_owned(), make())).collect();
    let reports = report::schemas().into_iter().chain(report::proof::schemas());
    all.extend(reports.map(|(name, schema)| (format!("report/{name}"), schema)));
    let Some(name) = name else { return Ok(all.into()) };
    all.remove(name).ok_or_else(|| {
        let known: Vec<&str> = all.keys().map(String::as_str).collect();
        argument("E-cli-004", format!("there is no schema `{name}`"), format!("known: {}", known.join(", ")))
    })
}

/// The schema of what we write.
fn written<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().into()
}

/// The schema of what we read.
fn read<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().into()
}
