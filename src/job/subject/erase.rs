//! `subject erase`: what of a person is erased in the stores of this machine, what stays and why, and the evidence of both.
//!
//! The evidence names neither the person's id nor any handle: together they would be the map that was just erased. What stays is counted
//! in it, and told one by one on standard output.

use super::residual::{Method, Residual, counted, told};
use super::{Known, SubjectOf, keys_of, registries_of, salts_of};
use crate::base::{Blame, Exit, Problem, Problems, Result, RunId, Timestamp, write_atomic};
use crate::compliance::register::{Book, Holds, Use, registers};
use crate::compliance::retention::Situation;
use crate::compliance::{Ledger, Subjects, Token};
use crate::job::config::{Config, Loaded};
use crate::job::ledgers::Opened;
use crate::job::night::Night;
use crate::job::opening::open_store;
use crate::job::redacting::{Redacted, count, redact_rows};
use crate::job::register::limits;
use crate::job::table::Table;
use crate::job::{Context, Ended, asking, commitments};
use crate::plan::vault_name;
use crate::report::proof::{Commitment, RedactedRow};
use crate::store::{Batch, Head, Store, Vault};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// What became of one store.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ErasureStore {
    /// The store.
    store: &'static str,
    /// How.
    method: Method,
    /// How many there were before.
    before: u64,
    /// How many the store has when it is read again.
    after: u64,
    /// In words.
    what: &'static str,
}

/// A commitment to rows that were erased.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ErasedCommitment {
    /// The one to what they were.
    before: Commitment,
    /// The one to what they are, where a handle in them was blanked.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Commitment>,
    /// Whether its salt is still there when the store is read again.
    salt_left: bool,
}

impl Redacted {
    /// The commitments, in the order of their bytes; `salted` are those whose salts are there still.
    fn commitments(&self, salted: &BTreeSet<Commitment>) -> Vec<ErasedCommitment> {
        let told = |row: &RedactedRow| ErasedCommitment { before: row.before, after: row.after, salt_left: salted.contains(&row.before) };
        let mut all: Vec<ErasedCommitment> = self.about.values().flatten().map(told).collect();
        all.sort_unstable_by_key(|one| one.before);
        all
    }
}

/// `erasure.json`: the evidence.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Erasure {
    /// The shape: `privet/erasure/1`.
    schema: &'static str,
    /// The run.
    #[schemars(with = "String")]
    run_id: RunId,
    /// When.
    at: Timestamp,
    /// Why: `request`, where a case was named, or `operator`.
    trigger: &'static str,
    /// The ground on which it was done although a rule keeps the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    despite: Option<String>,
    /// Who erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    /// How many contacts of each state of retention the person had.
    retention: BTreeMap<&'static str, u64>,
    /// What became of each store.
    stores: Vec<ErasureStore>,
    /// Of how many earlier runs tables were written anew without the person's rows, each with a signed redaction.
    runs_redacted: u64,
    /// The salted commitments to those rows, as they stand in the redactions: nobody can tell any more what they were to.
    commitments: Vec<ErasedCommitment>,
    /// What stays.
    residuals: Vec<Residual>,
    /// Whether everything was gone when it was read again.
    proved_absent: bool,
    /// Whether every chain of events is whole, and as long as before.
    chains_whole: bool,
}

/// What `subject erase` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct SubjectErased {
    /// The folder with the evidence; nothing where there was nothing to erase.
    reports: Option<String>,
    /// What was done.
    erasure: Option<Erasure>,
    /// What stays, one by one.
    residuals: Vec<Residual>,
}

/// `subject erase`: erases whom `of` means from the stores of this machine; with `despite` although rules keep the data. Whoever erases is
/// told in the evidence as `by`.
///
/// # Errors
/// `E-subject-010` (exit 20) where a hold stands, which is lifted in its register; `E-subject-011` (exit 20) where a rule keeps the data;
/// `E-subject-012` (exit 33) where something is still there afterwards; otherwise as `subject find`.
pub fn subject_erase(loaded: &Loaded, ctx: &Context, of: &SubjectOf, despite: Option<&str>, by: Option<&str>) -> Result<Ended, Problems> {
    let despite = despite.map(|text| Token::read(text).ok_or_else(no_ground)).transpose()?;
    let mut opened = Opened::open(loaded, "subject erase")?;
    let known = Known::look(&mut opened, loaded, ctx, of, &limits(None)?)?;
    known.one()?;
    let holds = Holds::read(&mut opened.store, known.at)?;
    let residuals = known.residuals(loaded)?;
    let config = &loaded.config;
    let before = Counted::of(&mut opened.store, &known, config)?;
    if before.nothing() {
        let mut text = "nothing to do: ledger, registers, vault and the tables of earlier runs have nothing of this person\n".to_owned();
        text.push_str(&told(&residuals));
        let done = SubjectErased { reports: None, erasure: None, residuals };
        return Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(done).unwrap_or_default(), text, problems: Vec::new() });
    }
    let retention = known.refuse(loaded, &holds, despite.as_ref())?;
    let night = Night::begin(loaded, ctx)?;
    night.stage("erase");
    night.record_digests()?;
    let heads = heads(&mut opened.store)?;
    // What leads to the person goes last: stopped in between, the same command goes on.
    let ground = if known.asked.is_some() { "GDPR Art. 17(1), on request" } else { "GDPR Art. 17(1)" };
    let redacted = redact_rows(loaded, ctx, &mut opened.store, &known.gone(), ground)?;
    known.erase(&mut opened.store)?;
    if before.messages > 0 {
        asking::tidy(&config.state, &mut opened.store)?;
    }
    drop(opened);
    // What is gone is looked for in the store as it stands on disk now.
    let mut store = open_store(&night.loaded.config)?;
    let after = Counted::of(&mut store, &known, config)?;
    let salted: BTreeSet<Commitment> = known.commitments(&mut store)?;
    let chains_whole = heads == self::heads(&mut store)?;
    let stores = before.stores(&after);
    let proved_absent = after.nothing();
    let erasure = Erasure {
        schema: "privet/erasure/1",
        run_id: night.run_id().clone(),
        at: ctx.clock.wall(),
        trigger: if known.asked.is_some() { "request" } else { "operator" },
        despite: despite.map(|ground| ground.to_string()),
        operator: by.map(str::to_owned),
        retention,
        stores,
        runs_redacted: redacted.runs,
        commitments: redacted.commitments(&salted),
        residuals: counted(&residuals),
        proved_absent,
        chains_whole,
    };
    write(&night, &erasure)?;
    let mut text = String::new();
    for one in &erasure.stores {
        text.push_str(&format!("{}: {} → {}, {} ({})\n", one.store, one.before, one.after, one.what, one.method.as_str()));
    }
    text.push_str(&told(&residuals));
    text.push_str(&format!("\n{}", night.dir.join("erasure.json").display()));
    let counts: Vec<(&str, u64)> = erasure.stores.iter().map(|one| (one.store, one.before - one.after.min(one.before))).collect();
    let is_whole = proved_absent && chains_whole;
    let done = SubjectErased { reports: Some(night.dir.display().to_string()), erasure: Some(erasure.clone()), residuals };
    let exits = vec![if is_whole { Exit::Done } else { Exit::Storage }];
    let mut ended = Ended { exits, json: serde_json::to_value(done).unwrap_or_default(), text, problems: Vec::new() };
    if !is_whole {
        let what = "something of the person is still there, or a chain is another one, when the store is read again";
        let problem = Problem::new("E-subject-012", Blame::Operator, what, "see erasure.json, and run the same command again");
        ended.problems.push(*problem.exit(Exit::Storage));
    }
    ended.exits.extend(redacted.problems.iter().map(|_| Exit::ReportFailed));
    ended.problems.extend(redacted.problems);
    night.proved(&mut ended, "subject erase", [], &counts);
    Ok(ended)
}

fn no_ground() -> Box<Problem> {
    let remedy = "give the number of the decision, or a word: arguments are no place for sentences about people";
    Problem::new("E-subject-009", Blame::Operator, "the reason is no number or word", remedy)
}

/// What the stores have of the person.
#[derive(Clone, Copy)]
struct Counted {
    subjects: u64,
    texts: u64,
    keys: u64,
    salts: u64,
    rows: u64,
    /// Rows in the tables of earlier runs.
    tables: u64,
    /// Messages that wait to be sent.
    messages: u64,
}

impl Counted {
    fn of(store: &mut dyn Store, known: &Known, config: &Config) -> Result<Self> {
        let mut map = Subjects::open(store)?;
        let mut subjects = 0;
        for subject in &known.subjects {
            subjects += u64::from(map.key(*subject)?.is_some());
        }
        for person in &known.search.people {
            // Whoever is found by name, and not by one of those ids, is there still as well.
            let found = map.find(person)?;
            subjects += u64::from(found.is_some_and(|found| !known.subjects.contains(&found.subject)));
        }
        let (mut texts, mut rows) = (0, known.consents.len() as u64);
        for register in registers().iter().filter(|register| register.subject != Use::None) {
            let mut book = Book::open(store, register)?;
            for case in known.cases.iter().filter(|case| *case.register == *register.name) {
                for entry in book.events(&case.case).to_vec() {
                    rows += 1;
                    for column in entry.sealed.keys() {
                        texts += u64::from(book.text(&entry, column)?.is_some());
                    }
                }
            }
        }
        let keys = keys_of(store, &known.objects())?.len() as u64;
        let (salts, tables) = (salts_of(store, &known.owners())?, count(&config.reports, &known.gone())?);
        let messages = asking::waiting(&config.state, &known.subjects)?;
        Ok(Self { subjects, texts, keys, salts, rows, tables, messages })
    }

    const fn nothing(&self) -> bool {
        self.subjects == 0 && self.texts == 0 && self.keys == 0 && self.salts == 0 && self.tables == 0 && self.messages == 0
    }

    fn stores(&self, after: &Self) -> Vec<ErasureStore> {
        let store = |store, method, before, after, what| ErasureStore { store, method, before, after, what };
        vec![
            store("map of subjects", Method::Erase, self.subjects, after.subjects, "look-up keys and the subject's salt"),
            store("texts of registers", Method::Erase, self.texts, after.texts, "sealed texts, with the keys of their cases"),
            store("vault", Method::Erase, self.keys, after.keys, "keys of the person's objects, and what is sealed under them"),
            store("commitments", Method::Erase, self.salts, after.salts, "salts: what was signed says nothing any more"),
            store("messages to be sent", Method::Erase, self.messages, after.messages, "they are in the outbox no more"),
            store(
                "tables of earlier runs",
                Method::Erase,
                self.tables,
                after.tables,
                "rows with values, with a signed redaction of each file",
            ),
            store(
                "tables of earlier runs",
                Method::Erase,
                self.tables,
                after.tables,
                "rows with values, with a signed redaction of each file",
            ),
            store(
                "events of ledger and registers",
                Method::Pseudonymise,
                self.rows,
                after.rows,
                "they stay under a random id, and nothing leads from it",
            ),
        ]
    }
}

impl Known {
    /// The states of retention, where none and no hold keeps the person's data; else why nothing is erased.
    fn refuse(&self, loaded: &Loaded, holds: &Holds, despite: Option<&Token>) -> Result<BTreeMap<&'static str, u64>> {
        let today = self.at.to_zoned(TimeZone::UTC).date();
        let registries = registries_of(&self.search);
        let all_over = registries.is_empty().then_some("");
        let holding = registries.iter().map(|id| id.as_str()).chain(all_over).find_map(|registry| self.hold(holds, registry));
        if let Some(case) = holding {
            let what = format!("the hold {case} keeps the data; nothing was erased");
            let remedy = format!("once it does not stand any more: privet hold add lifted --case {case}");
            return Err(Problem::new("E-subject-010", Blame::Operator, what, remedy).exit(Exit::GateRefused));
        }
        let mut states = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for one in self.resolved(loaded, |_| false) {
            let situation = one.resolution.state(today).situation();
            *states.entry(situation.as_str()).or_insert(0) += 1;
            if matches!(situation, Situation::Active | Situation::Retained) {
                let until = one.resolution.keep_until.filter(|_| situation == Situation::Retained);
                let until = until.map_or_else(|| "a service needs them".to_owned(), |day| format!("until {day}"));
                kept.insert(format!("{} at {}: {} ({until})", one.cluster, one.registry, situation.as_str()));
            }
        }
        if !kept.is_empty() && despite.is_none() {
            let kept: Vec<String> = kept.into_iter().collect();
            let what = format!("the data are kept by rule: {}; nothing was erased", kept.join("; "));
            let remedy = "wait for the day, or give --despite REASON: contact data stay then, and what was said about them is gone";
            return Err(Problem::new("E-subject-011", Blame::Operator, what, remedy).exit(Exit::GateRefused));
        }
        Ok(states)
    }

    /// The commitments to rows about the person's objects whose salts are there.
    fn commitments(&self, store: &mut dyn Store) -> Result<BTreeSet<Commitment>> {
        let mut all = BTreeSet::new();
        for owner in &self.rows {
            all.extend(commitments::about(store, owner)?);
        }
        Ok(all)
    }

    /// Erases what is the person's. What leads to the person goes last: stopped in between, the same command goes on.
    fn erase(&self, store: &mut dyn Store) -> Result<()> {
        let mut batch = Batch::default();
        for owner in self.owners() {
            commitments::forget(store, &owner, &mut batch)?;
        }
        store.commit(&batch)?;
        let mut vault = Vault::new(store);
        for (registry, kind, id, _) in &self.keys {
            vault.erase(&vault_name(registry.as_str(), *kind, id))?;
        }
        for register in registers().iter().filter(|register| register.subject != Use::None) {
            let mut book = Book::open(store, register)?;
            for case in self.cases.iter().filter(|case| *case.register == *register.name) {
                book.erase(&case.case, false)?;
            }
        }
        let mut ledger = Ledger::open(store)?;
        for subject in &self.subjects {
            ledger.erase(*subject)?;
        }
        Ok(())
    }
}

/// The ends of every chain, each held against its hashes.
fn heads(store: &mut dyn Store) -> Result<Vec<Head>> {
    let mut out = vec![*Ledger::open(store)?.head()];
    for register in registers() {
        out.push(*Book::open(store, register)?.head());
    }
    Ok(out)
}

/// Writes the evidence, as JSON and as a table.
fn write(night: &Night<'_>, erasure: &Erasure) -> Result<()> {
    write_atomic(&night.dir.join("erasure.json"), &serde_json::to_vec_pretty(erasure).unwrap_or_default())?;
    let mut table = Table::create(&night.dir.join("erasure.csv"), &["store", "method", "before", "after", "what", "gone_by"])?;
    for one in &erasure.stores {
        table.row(&[one.store, one.method.as_str(), &one.before.to_string(), &one.after.to_string(), one.what, ""])?;
    }
    for one in &erasure.residuals {
        let (count, gone_by) = (one.count.to_string(), one.gone_by.as_deref().unwrap_or_default());
        table.row(&[one.store, one.method.as_str(), &count, &count, &one.why, gone_by])?;
    }
    table.end()
}
