//! `breach candidates`: what reports found that may be a breach, as cases of the register of breaches. Each is a candidate: a person says
//! whether it is one.

use super::config::Loaded;
use super::detected::{downgraded, secrets, wrong_registry};
use super::ledgers::Opened;
use super::register::limits;
use super::{Context, Ended};
use crate::base::{Blame, Digest, Event, Exit, Problem, Problems, Result, SystemEntropy, Timestamp};
use crate::compliance::register::{Book, Draft, Register, register};
use crate::compliance::{Import, Token};
use crate::dataset::{Source, each_row};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rules whose findings may be breaches, each with the register's word for it.
const RULES: [(&str, &str); 5] = [
    ("R-exposure-001", "withheld-field-public"),
    ("R-exposure-002", "mask-missing"),
    ("R-exposure-006", "withheld-field-public"),
    ("R-exposure-013", "withheld-field-public"),
    ("R-asking-008", "other"),
];
/// The rule by which the register of disclosures tells of data that were released without a grant.
const UNGRANTED: &str = "R-disclosure-001";
/// What a report folder has findings in, with the columns that are looked at: rule, registry, object, id, and what it says of them.
const FILES: [(&str, [&str; 5], &[&str]); 2] = [
    (
        "findings.csv",
        ["rule", "registry", "object", "id", "field"],
        &[
            "position",
            "code_point",
            "character",
            "severity",
            "what",
            "suggestion",
            "answer",
            "answer_confidence",
            "answer_how",
            "source",
            "confidence",
        ],
    ),
    ("consent-findings.csv", ["rule", "registry", "object", "id", "group"], &["severity", "about", "provider", "what", "source"]),
];
/// The most candidates of one call: more are one breach, and no candidates.
const MAX_CANDIDATES: usize = 10_000;

/// What `breach candidates` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct BreachCandidates {
    /// The folder that was looked through.
    from: String,
    /// Findings that may be breaches.
    found: u64,
    /// Cases that are new.
    raised: u64,
    /// Those that there were already, whatever was decided of them.
    known: u64,
    /// New cases by rule.
    rules: BTreeMap<String, u64>,
}

/// What may be a breach.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    /// The rule that found it.
    pub(super) rule: String,
    /// The register's word for it.
    pub(super) word: &'static str,
    /// The registry; empty where it is about none.
    pub(super) registry: String,
    /// What it is about.
    pub(super) object: String,
    /// Its handle, name or number.
    pub(super) id: String,
    /// What of it.
    pub(super) field: String,
}

impl Candidate {
    /// The number of its case, which is the same whenever it is found.
    fn case(&self) -> String {
        let Self { rule, registry, object, id, field, .. } = self;
        // As JSON no part can run into the next.
        let bytes = serde_json::to_vec(&("candidate/1", rule, registry, object, id, field)).unwrap_or_default();
        format!("candidate-{}", Digest::of(&bytes).short())
    }

    /// What is told of it, to be sealed: an object's name may be a person's.
    fn facts(&self) -> String {
        let Self { rule, registry, object, id, field, .. } = self;
        let of = if field.is_empty() { String::new() } else { format!(", {field}") };
        let at = if registry.is_empty() { String::new() } else { format!(" at {registry}") };
        format!("{rule}: {object} {id}{at}{of}")
    }
}

/// `breach candidates`: a case for each finding of the report in `from` that may be a breach, for each file there in which a secret of a
/// transfer stands, for each line of that run that was secured by too little, for each command to an object that is not ours, and for each
/// disclosure without a grant. What was raised before is not raised again, whatever became of it.
///
/// # Errors
/// `E-breach-001` (exit 2) where the folder has no findings, `E-breach-002` (exit 20) where there are too many; every problem of the
/// tables; `E-store-…`.
pub fn breach_candidates(loaded: &Loaded, ctx: &Context, from: &Path) -> Result<Ended, Problems> {
    let mut opened = Opened::open(loaded, "breach")?;
    ctx.events.tell(Event::Stage { name: "register" });
    let now = ctx.clock.wall();
    let mut found = read(from)?;
    let known_as =
        |name| register(name).ok_or_else(|| Problem::new("E-register-001", Blame::Us, "a register is missing", "please report this"));
    let (breaches, disclosures) = (known_as("breach")?, known_as("disclosure")?);
    found.extend(ungranted(&mut opened, disclosures, now)?);
    found.extend(wrong_registry(loaded, &mut opened.store)?);
    found.extend(downgraded(loaded, from)?);
    found.extend(secrets(from)?);
    if found.len() > MAX_CANDIDATES {
        let what = format!("{} findings may be breaches: these are no candidates one by one", found.len());
        let remedy = "report one breach with `privet breach add reported`, and mend what the report found";
        return Err(Problem::new("E-breach-002", Blame::Input, what, remedy).file(from).exit(Exit::GateRefused).into());
    }
    let run = from.file_name().and_then(|name| name.to_str()).and_then(Token::read).map(|run| run.to_string());
    let mut book = Book::open(&mut opened.store, breaches)?;
    let (mut drafts, mut known, mut rules) = (Vec::new(), 0_u64, BTreeMap::<String, u64>::new());
    for candidate in &found {
        let case = candidate.case();
        if Token::read(&case).is_some_and(|case| !book.events(&case).is_empty()) {
            known += 1;
            continue;
        }
        *rules.entry(candidate.rule.clone()).or_default() += 1;
        drafts.push((draft(breaches, candidate, &case, run.as_deref(), now)?, usize::MAX, 0));
    }
    let rows = drafts.len() as u64;
    let mut import = Import { drafts, rows, ..Import::default() };
    let raised = book.take(&mut import, false, now, &mut SystemEntropy::new())?.added;
    let out = BreachCandidates { from: from.display().to_string(), found: found.len() as u64, raised, known, rules };
    let mut text = format!("{} findings may be breaches: {raised} raised, {known} known", out.found);
    for (rule, n) in &out.rules {
        text.push_str(&format!("\n{rule}: {n}"));
    }
    if raised > 0 {
        text.push_str(
            "\nsay of each with `privet breach add confirmed --case ID` or `dismissed` whether it is one; `privet breach show --open`",
        );
    }
    let mut exits = vec![Exit::Done];
    exits.extend((raised > 0).then_some(Exit::Findings));
    let problems = import.problems.kept().to_vec();
    Ok(Ended { exits, json: serde_json::to_value(out).unwrap_or_default(), text, problems })
}

/// The findings of a report folder that may be breaches, each once.
fn read(from: &Path) -> Result<BTreeSet<Candidate>, Problems> {
    let mut found = BTreeSet::new();
    let mut problems = Problems::default();
    let mut any = from.join("run.json").is_file();
    for (name, wanted, others) in FILES {
        let path: PathBuf = from.join(name);
        if !path.is_file() {
            continue;
        }
        any = true;
        // The other columns are known, and not looked at.
        let columns: Vec<&str> = wanted.iter().chain(others).copied().collect();
        each_row(&Source::of(vec![path]), &columns, &mut problems, |_, _, values| {
            let value = |n: usize| values.get(n).copied().flatten().unwrap_or_default().to_owned();
            let rule = value(0);
            let Some((_, word)) = RULES.iter().find(|(known, _)| *known == rule) else { return };
            found.insert(Candidate { rule, word, registry: value(1), object: value(2), id: value(3), field: value(4) });
        });
    }
    if !any {
        let what = "the folder has neither findings.csv nor consent-findings.csv, and is no run's";
        let remedy = "give the folder of `privet run`, `privet report exposure` or `privet report consent`";
        return Err(Problem::new("E-breach-001", Blame::Operator, what, remedy).file(from).exit(Exit::Usage).into());
    }
    problems.or(found)
}

/// Disclosures without a grant.
fn ungranted(opened: &mut Opened, disclosures: &'static Register, now: Timestamp) -> Result<Vec<Candidate>> {
    let book = Book::open(&mut opened.store, disclosures)?;
    let limits = limits(None)?;
    let cases = book.cases(now, &limits).filter(|case| case.amiss.iter().any(|one| one.id == UNGRANTED));
    let candidate = |case: crate::compliance::register::Case| Candidate {
        rule: UNGRANTED.to_owned(),
        word: "disclosure-without-ground",
        registry: String::new(),
        object: "disclosure".to_owned(),
        id: case.case.to_string(),
        field: String::new(),
    };
    Ok(cases.map(candidate).collect())
}

/// The event that raises a candidate.
fn draft(breaches: &'static Register, candidate: &Candidate, case: &str, run: Option<&str>, now: Timestamp) -> Result<Draft> {
    let (at, facts) = (now.to_string(), candidate.facts());
    let registry = Token::read(&candidate.registry).map(|_| candidate.registry.as_str());
    let header = breaches.header();
    let row: Vec<Option<&str>> = header
        .iter()
        .map(|column| match *column {
            "event" => Some("raised"),
            "case" => Some(case),
            "at" | "discovered" => Some(at.as_str()),
            "candidate" => Some(candidate.word),
            "finding" => Some(candidate.rule.as_str()),
            "run" => run,
            "detected_by" => Some("tool"),
            "registry" => registry,
            "facts" => Some(facts.as_str()),
            _ => None,
        })
        .collect();
    Draft::read(breaches, &header, &row).map_err(|doubts| {
        let what = doubts.first().map_or_else(String::new, |doubt| format!("{}: {}", doubt.field, doubt.what));
        Problem::new("E-breach-003", Blame::Us, format!("a candidate cannot be raised: {what}"), "please report this")
    })
}
