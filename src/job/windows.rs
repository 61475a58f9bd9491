//! Windows in which domains are unlocked: what applied plans did about them is noted in their register, and from it is read which are open.

use crate::base::{Blame, Problem, Result, SystemEntropy, Timestamp};
use crate::compliance::register::{Book, Case, Draft, Limits, Register, register};
use crate::compliance::{Import, Token};
use crate::journal::{Fold, StepState};
use crate::model::{ObjectKind, StatusValue};
use crate::plan::{Fact, Operation, PlanFile, Value};
use crate::store::Store;
use jiff::civil::Date;
use std::collections::HashMap;

/// An open window: its case, and the last day on which its domain may be unlocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    case: Token,
    /// That day.
    pub(super) relock: Date,
}

/// The windows that are open at `at`, by registry and domain; the one that ends last, where a domain has several.
///
/// # Errors
/// As [`Book::open`] and [`Book::text`].
pub(super) fn open(store: &mut dyn Store, at: Timestamp) -> Result<HashMap<(String, String), Window>> {
    let Some(register) = register("window") else { return Ok(HashMap::new()) };
    read(&mut Book::open(store, register)?, at)
}

fn read(book: &mut Book<'_>, at: Timestamp) -> Result<HashMap<(String, String), Window>> {
    let mut windows: HashMap<(String, String), Window> = HashMap::new();
    let open: Vec<Case> = book.cases(at, &Limits::default()).filter(|case| case.state == Some("unlocked")).collect();
    for case in open {
        let day = case.values.get("relock").and_then(|day| day.parse::<Date>().ok());
        let (Some(key), Some(relock)) = (place(book, &case)?, day) else { continue };
        if windows.get(&key).is_none_or(|known| known.relock <= relock) {
            windows.insert(key, Window { case: case.case, relock });
        }
    }
    Ok(windows)
}

/// Which domain a case is of, and at which registry; nothing where that is not told, or was erased.
///
/// # Errors
/// As [`Book::text`].
pub(super) fn place(book: &mut Book<'_>, case: &Case) -> Result<Option<(String, String)>> {
    let mut domain = None;
    for entry in book.events(&case.case).to_vec() {
        domain = book.text(&entry, "domain")?.or(domain);
    }
    Ok(case.values.get("at_registry").cloned().zip(domain.map(|domain| domain.reveal().to_lowercase())))
}

/// Notes in the register what verified operations of `plan` did: which domains it unlocked until its day of locking again, and which with
/// an open window it locked. What was noted before is not noted again. How many events there are of it.
///
/// # Errors
/// As [`PlanFile::operations`] and [`Book::take`].
pub(super) fn note(plan: &PlanFile, fold: &Fold, store: &mut dyn Store, now: Timestamp) -> Result<u64> {
    let Some(register) = register("window") else { return Ok(0) };
    let (mut unlocked, mut locked) = (Vec::new(), Vec::new());
    for operation in plan.operations()? {
        let operation = operation?;
        if fold.operation(operation.op, operation.count()) != StepState::Verified {
            continue;
        }
        match turned(&operation) {
            Some(true) => locked.push(operation),
            Some(false) => unlocked.push(operation),
            None => {}
        }
    }
    if unlocked.is_empty() && locked.is_empty() {
        return Ok(0);
    }
    let mut book = Book::open(store, register)?;
    let windows = read(&mut book, now)?;
    let mut import = Import::default();
    let at = now.to_string();
    let header = plan.header();
    // A day to lock again is what makes it a window.
    for (operation, relock) in unlocked.iter().filter_map(|operation| Some((operation, header.relock?))) {
        let case = format!("w-{}-{}", header.id.get(..12).unwrap_or(&header.id), operation.op);
        let is_new = Token::read(&case).is_some_and(|case| book.events(&case).is_empty());
        if is_new {
            let reason = header.gates.iter().find_map(|gate| gate.allowed_because.as_deref());
            let actor = header.author.as_deref().filter(|author| Token::read(author).is_some());
            let (registry, domain, relock) = (operation.registry.as_str(), operation.object.id.as_str(), relock.to_string());
            let told = [
                ("at_registry", Some(registry)),
                ("domain", Some(domain)),
                ("relock", Some(&relock)),
                ("reason", reason),
                ("actor", actor),
            ];
            import.drafts.push((draft(register, "unlocked", (&case, &at, &header.id), &told)?, usize::MAX, 0));
        }
    }
    for operation in &locked {
        let key = (operation.registry.clone(), operation.object.id.to_lowercase());
        if let Some(window) = windows.get(&key) {
            import.drafts.push((draft(register, "relocked", (window.case.as_str(), &at, &header.id), &[])?, usize::MAX, 0));
        }
    }
    import.rows = import.drafts.len() as u64;
    Ok(book.take(&mut import, false, now, &mut SystemEntropy::new())?.added)
}

/// Whether an operation locks a domain, or unlocks it; nothing where it does neither.
fn turned(operation: &Operation) -> Option<bool> {
    let lock = Fact::status(StatusValue::CLIENT_TRANSFER_PROHIBITED.as_str());
    let own = operation.steps.iter().filter(|step| step.object.kind == ObjectKind::Domain && step.object.id == operation.object.id);
    own.flat_map(crate::plan::Step::changes).filter(|change| change.fact == lock).last().map(|change| change.wanted != Value::Absent)
}

/// An event of the register.
fn draft(register: &'static Register, event: &str, (case, at, plan): (&str, &str, &str), told: &[(&str, Option<&str>)]) -> Result<Draft> {
    let header = register.header();
    let value = |column: &&str| match *column {
        "event" => Some(event),
        "case" => Some(case),
        "at" => Some(at),
        "plan" => Some(plan).filter(|plan| Token::read(plan).is_some()),
        other => told.iter().find(|(name, _)| *name == other).and_then(|(_, value)| *value),
    };
    let row: Vec<Option<&str>> = header.iter().map(value).collect();
    Draft::read(register, &header, &row).map_err(|doubts| {
        let what = doubts.first().map_or_else(String::new, |doubt| format!("{}: {}", doubt.field, doubt.what));
        Problem::new("E-window-001", Blame::Us, format!("a window cannot be noted: {what}"), "please report this")
    })
}
