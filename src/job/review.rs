//! `show` and `approve`: a plan in front of the people who answer for it.

use super::Ended;
use super::config::Loaded;
use super::opening::open_store;
use crate::base::{Blame, Clock, Exit, Problem, Result, Timestamp, ValueDigest, escape_controls};
use crate::journal::{Entry, append, review, review_stream};
use crate::plan::{Change, Header, Operation, PlanFile, Turn, Undo, Value};
use crate::store::{Batch, Store, Vault};
use comfy_table::{Table, presets};
use std::fmt::Write as _;
use std::path::Path;

/// What stands for a value that is not shown.
const HIDDEN: &str = "•••";
/// The longest name of a person, in characters.
const NAME: usize = 64;

/// Who wants to see a plan's values, and where these are.
#[derive(Clone, Copy)]
pub struct Unmasking<'a> {
    /// The configuration, which says where the vault is.
    pub loaded: &'a Loaded,
    /// Who.
    pub by: &'a str,
    /// The clocks.
    pub clock: &'a dyn Clock,
}

/// What `approve` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Approved {
    /// The plan's id.
    plan: String,
    /// Its digest.
    digest: String,
    /// Everybody who approved it.
    by: Vec<String>,
    /// How many it takes.
    wanted: u8,
}

/// `show`: hands the plan to `print`, piece by piece. Personal values are masked, but for who asks for them by name: that stands in the
/// journal before the first is shown.
///
/// # Errors
/// `E-plan-001` to `E-plan-005` (exit 21) where it is no whole plan; `E-plan-017` (exit 2) for a name that is none; `E-store-…`,
/// `E-vault-002`.
pub fn show(path: &Path, unmasking: Option<Unmasking<'_>>, json: bool, print: &mut dyn FnMut(&str)) -> Result<()> {
    let plan = PlanFile::open(path)?;
    let mut store = unmasking.map(|who| opened(&plan, who)).transpose()?;
    let header = plan.header();
    if json {
        let head = serde_json::to_string_pretty(header).unwrap_or_default();
        print(&format!("{{\"digest\": \"{}\",\n\"header\": {head},\n\"operations\": [", plan.digest()));
    } else {
        print(&format!("{}\n", head(header, plan.digest())));
    }
    for (n, operation) in plan.operations()?.enumerate() {
        let mut operation = operation?;
        if let Some(store) = &mut store {
            reveal(&mut operation, store)?;
        }
        if json {
            let text = serde_json::to_string(&operation).unwrap_or_default();
            print(&format!("{}\n{text}", if n > 0 { "," } else { "" }));
        } else {
            print(&format!("\n{}", described(&operation)));
        }
    }
    if json {
        print("\n]}\n");
    }
    Ok(())
}

/// `approve`: writes down that somebody stands for the plan of that digest.
///
/// # Errors
/// As [`show`]; `E-plan-006` (exit 2) and `E-plan-002` (exit 21) where the digest is another's; `E-plan-014` (exit 20) where a gate refused
/// the plan; `E-plan-015` (exit 20) where the author approves it; `E-plan-016` (exit 21) where it has expired.
pub fn approve(loaded: &Loaded, path: &Path, digest: &str, by: &str, clock: &dyn Clock) -> Result<Ended> {
    let plan = PlanFile::open(path)?;
    plan.pin(digest)?;
    let by = name(by)?;
    let (header, now) = (plan.header(), clock.wall());
    standing(header, path, by, now)?;
    let mut store = open_store(&loaded.config)?;
    let (head, entries) = review(&mut store, &header.id)?;
    let approved = |entry: &Entry| match entry {
        Entry::Approved { digest, by, .. } if **digest == *plan.digest() => Some(by.to_string()),
        _ => None,
    };
    let mut all: Vec<String> = entries.iter().filter_map(approved).collect();
    if !all.iter().any(|one| same(one, by)) {
        let entry = Entry::Approved { digest: plan.digest().into(), by: by.into(), at: now };
        let appends = vec![append(review_stream(&header.id)?, &head, &[entry])];
        store.commit(&Batch { appends, cells: Vec::new() })?;
        all.push(by.to_owned());
    }
    let text = format!("{} approved {}; {} of {} that it takes", all.join(", "), plan.digest(), all.len(), header.approvals);
    let approved = Approved { plan: header.id.clone(), digest: plan.digest().to_owned(), by: all, wanted: header.approvals };
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(approved).unwrap_or_default(), text, problems: Vec::new() })
}

/// What people are told of a plan before its operations.
pub(super) fn head(header: &Header, digest: &str) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| _ = writeln!(out, "{name:<9} {}", escape_controls(value));
    line("recipe", header.recipe.as_str());
    line("digest", digest);
    line("id", &header.id);
    header.author.iter().for_each(|author| line("author", author));
    line("made", &format!("of {}, valid until {}", header.made, header.expires));
    for (registry, facts) in &header.registries {
        line("rests on", &format!("{registry}: profile {}, snapshot {} of {}", facts.profile, facts.snapshot, facts.taken));
    }
    line("selected", &if header.selection.is_empty() { "all there is".to_owned() } else { header.selection.join(", ") });
    for count in &header.counts {
        line("changes", &format!("{} {}s at {}", count.operations, count.kind, count.registry));
    }
    if header.counts.is_empty() {
        line("changes", "none");
    }
    let waves: Vec<String> = header.waves.iter().map(|wave| wave.operations.to_string()).collect();
    line("waves", &if waves.is_empty() { "none".to_owned() } else { waves.join(", ") });
    let left: Vec<String> = header.left_out.iter().map(|(rule, count)| format!("{count} by {rule}")).collect();
    line("left out", &if left.is_empty() { "nothing".to_owned() } else { left.join(", ") });
    line("approvals", &header.approvals.to_string());
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["gate", "registry", "kind", "verdict", "why"]);
    for gate in &header.gates {
        let verdict = match (gate.passed, &gate.allowed_because) {
            (true, None) => "passed",
            (true, Some(_)) => "let pass",
            (false, _) => "refused",
        };
        let why = gate.allowed_because.as_ref().map_or_else(|| gate.text.clone(), |reason| format!("{} [{reason}]", gate.text));
        let (registry, kind) = (gate.registry.as_deref().unwrap_or("all"), gate.kind.as_deref().unwrap_or_default());
        table.add_row([gate.gate.as_str(), registry, kind, verdict, &escape_controls(&why)]);
    }
    format!("{out}{table}")
}

/// An operation for people.
fn described(operation: &Operation) -> String {
    let mut out = String::new();
    let kind = serde_json::to_value(operation.basis.kind).unwrap_or_default();
    let evidence = operation.basis.evidence.iter().map(|e| escape_controls(e)).collect::<Vec<_>>().join(", ");
    let basis = if evidence.is_empty() { String::new() } else { format!(" ({evidence})") };
    let Operation { op, wave, registry, object, .. } = operation;
    _ = writeln!(
        out,
        "{op}. {} {} at {registry}, wave {wave}, basis {}{basis}",
        object.kind.as_str(),
        escape_controls(&object.id),
        kind.as_str().unwrap_or_default()
    );
    for step in &operation.steps {
        _ = writeln!(out, "   {} {} {}", step.turn.as_str(), step.object.kind.as_str(), escape_controls(&step.object.id));
        for Change { fact, was, wanted } in &step.facts {
            let fact = escape_controls(fact.as_str());
            _ = match (step.turn, was == wanted) {
                (_, true) => writeln!(out, "      {fact} stays {}", shown(was)),
                (Turn::Create, false) => writeln!(out, "      {fact} = {}", shown(wanted)),
                (Turn::Update | Turn::Delete, false) => writeln!(out, "      {fact}: {} → {}", shown(was), shown(wanted)),
            };
        }
    }
    for reason in &operation.reasons {
        _ = writeln!(out, "   because {}: {}", escape_controls(&reason.rule), escape_controls(&reason.text));
    }
    let touched: Vec<String> = operation.touches.iter().map(|object| escape_controls(&object.id)).collect();
    if !touched.is_empty() {
        _ = writeln!(out, "   touches {}", touched.join(", "));
    }
    if let Undo::Irreversible(why) = &operation.undo {
        _ = writeln!(out, "   cannot be undone: {}", escape_controls(why));
    }
    out
}

fn shown(value: &Value) -> String {
    match value {
        Value::Absent => "–".to_owned(),
        Value::Clear(text) => escape_controls(text),
        Value::Sealed(_) => HIDDEN.to_owned(),
    }
}

/// The store, once it stands in the journal who is shown the plan's values.
fn opened(plan: &PlanFile, who: Unmasking<'_>) -> Result<Box<dyn Store>> {
    let by = name(who.by)?;
    let mut store = open_store(&who.loaded.config)?;
    let id = &plan.header().id;
    let (head, _) = review(&mut store, id)?;
    let entry = Entry::Shown { by: by.into(), at: who.clock.wall() };
    store.commit(&Batch { appends: vec![append(review_stream(id)?, &head, &[entry])], cells: Vec::new() })?;
    Ok(store)
}

/// Puts the values of an operation in clear, as far as the vault has them.
fn reveal(operation: &mut Operation, store: &mut dyn Store) -> Result<()> {
    let mut vault = Vault::new(store);
    for step in &mut operation.steps {
        let Some(key) = vault.key(step.object.reference)? else { continue };
        for change in &mut step.facts {
            let mut open = |digest: &ValueDigest| vault.open(&key, change.fact.as_str(), digest);
            for value in [&mut change.was, &mut change.wanted] {
                if let Value::Sealed(digest) = value
                    && let Some(bytes) = open(digest)?
                {
                    *value = Value::Clear(String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
    }
    Ok(())
}

/// Whether `by` may approve a plan at all.
fn standing(header: &Header, path: &Path, by: &str, now: Timestamp) -> Result<()> {
    if let Some(gate) = header.refused().next() {
        let what = format!("a gate refused this plan: {}", gate.text);
        return Err(Problem::new("E-plan-014", Blame::Operator, what, "plan again, with what the gate wants")
            .file(path)
            .exit(Exit::GateRefused));
    }
    if header.approvals > 0 && header.author.as_deref().is_none_or(|author| same(author, by)) {
        let what = "nobody approves a plan of their own";
        return Err(Problem::new("E-plan-015", Blame::Operator, what, "have somebody else review it").file(path).exit(Exit::GateRefused));
    }
    if header.expires <= now {
        let what = format!("the plan was valid until {}", header.expires);
        return Err(Problem::new("E-plan-016", Blame::Operator, what, "pull and plan again").file(path).exit(Exit::PlanStale));
    }
    Ok(())
}

/// Whether two names are one person's.
fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// A person's name, without what is around it.
fn name(by: &str) -> Result<&str> {
    let by = by.trim();
    if by.is_empty() || by.chars().count() > NAME || by.chars().any(char::is_control) {
        let what = format!("a name has 1 to {NAME} characters, and no control characters");
        return Err(Problem::new("E-plan-017", Blame::Operator, what, "say who, with --by NAME"));
    }
    Ok(by)
}
