//! One function per verb, the order of the night, and the demo. The command line and the tests call these, and nothing below them.

mod allowed;
mod apart;
mod applied;
mod apply;
mod archive;
mod asking;
mod candidates;
mod carrying;
mod cases;
mod chain;
mod check;
mod commitments;
pub mod config;
mod consent;
mod consents;
mod crew;
mod demo;
mod deposit;
mod detected;
mod dns;
mod erased;
mod erasing;
mod escrow;
mod evidence;
mod exposure;
mod facts;
mod frame;
mod interrupt;
mod keeping;
mod ledgers;
mod metrics;
mod night;
mod nightly;
mod opening;
mod oversight;
mod parts;
mod password;
mod past;
mod personal;
mod plan;
mod probe;
mod processing;
mod proof;
mod protection;
mod proving;
mod pulling;
mod queried;
mod records;
mod redacting;
mod register;
mod registered;
mod relays;
mod retention;
mod review;
mod rollback;
mod sealing;
mod simulate;
mod simulated;
mod subject;
mod table;
mod validate;
mod windows;
mod within;

pub use applied::{ApplyRegistry, ApplyReport, NotVerified};
pub use apply::{ApplyOptions, apply, reconcile};
pub use archive::archive;
pub use asking::{
    ConsentAsked, ConsentMessage, ConsentReported, ConsentSent, Reminded, TransferReminder, consent_ask, consent_sent, remind,
    report_consent,
};
pub use candidates::{BreachCandidates, breach_candidates};
pub use cases::{CasesShown, report_registers};
pub use check::{Checked, CheckedRegistry, CheckedRun, check};
pub use commitments::{RowFields, commit_to, forget, is_of};
pub use consent::{ConsentShown, ConsentTaken, consent_add, consent_import, consent_show};
pub use demo::{DemoOptions, demo};
pub use dns::{DnsOptions, DnsPulled, DnsRegistry, pull_dns};
pub use erased::{ErasureShown, report_erasure};
pub use escrow::report_escrow;
pub use exposure::{ExposureReport, report_exposure};
pub use frame::{Dialect, frame_decode};
pub use interrupt::{Interrupt, stop_on_interrupt};
pub use keeping::{RetentionShown, report_retention};
pub use ledgers::{ConsentOf, Form};
pub use night::{diff, pull, pull_within, report_run, run};
pub use opening::{StoreMoved, store_move, store_path};
pub use oversight::{OversightShown, report_oversight};
pub use parts::{DiffPart, diff_part, merge};
pub use password::{PasswordChanged, password};
pub use plan::{PlanOptions, Planned, plan, plan_upon};
pub use processing::{DeclaredShown, RecordShown, report_declared, report_record};
pub use proof::{FileChange, redact, verify};
pub use protection::{LeftBehind, LockCoverage, ProtectionReport, report_protection};
pub use queried::Queries;
pub use register::{RegisterEvent, RegisterOf, RegisterShown, RegisterTaken, register_add, register_import, register_show};
pub use review::{Approved, Unmasking, approve, show};
pub use rollback::rollback;
pub use simulate::{FleetOf, MOST_OBJECTS, SimulateOptions, TimeOf, simulate};
pub use simulated::{Simulated, SimulatedChanges, SimulatedNeeds, SimulatedRegistry};
pub use subject::{
    Audit, ErasedCommitment, Erasure, ErasureStore, Residual, SubjectErased, SubjectExported, SubjectFound, SubjectOf, subject_erase,
    subject_export, subject_find,
};
pub use validate::{ValidateOptions, Validated, judge_records, validate};
pub use within::Within;

use crate::base::{Clock, Events, Exit, Problem, RegistryId, StopToken};
use std::sync::Arc;

/// What every verb is given: time, somebody to tell, and the operator's wish to stop.
#[derive(Clone)]
pub struct Context {
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Who is told what happens.
    pub events: Arc<dyn Events>,
    /// Raised when the operator wants us to stop.
    pub stop: StopToken,
    /// The registries the verb is confined to; none means all.
    pub only: Vec<RegistryId>,
    /// What its queries brought; nothing as it begins.
    pub queries: Queries,
}

impl Context {
    /// Whether the verb works on `id`.
    #[must_use]
    pub fn includes(&self, id: &RegistryId) -> bool {
        self.only.is_empty() || self.only.contains(id)
    }
}

/// How a verb ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Every exit that holds; the process ends with the worst ([`Exit::worst`]).
    pub exits: Vec<Exit>,
    /// What is printed with `--format json`.
    pub json: serde_json::Value,
    /// What is printed for people.
    pub text: String,
    /// What an operator should read besides, on standard error.
    pub problems: Vec<Problem>,
}

impl Ended {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::worst(self.exits.iter().copied())
    }
}
