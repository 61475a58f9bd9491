//! `request`, `breach`, `hold` and the other registers: events in, and what their cases come to.

use super::config::Loaded;
use super::ledgers::{ConsentOf, Form, Opened, contacts, events_as, nobody, shown_irregular};
use super::{Context, Ended};
use crate::base::{Blame, Event, Exit, Problem, Problems, Result, SystemEntropy, Timestamp, escape_controls, read_capped};
use crate::compliance::register::{Book, Case, Draft, Entry, Limits, Met, Register, Use, import_register, register};
use crate::compliance::{Holidays, Import, Irregular, Subject, Token};
use comfy_table::{Table, presets};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The most bytes of a text that is read from a file.
const MAX_TEXT: u64 = 1 << 16;

/// One event of a register.
#[derive(Clone, Debug, Default)]
pub struct RegisterEvent {
    /// What happened.
    pub event: String,
    /// In which case.
    pub case: String,
    /// When; now, where nothing is said.
    pub at: Option<String>,
    /// Its own id.
    pub record_id: Option<String>,
    /// Values by column.
    pub values: Vec<(String, String)>,
    /// Files with texts, by column.
    pub texts: Vec<(String, PathBuf)>,
    /// Whom the case is of.
    pub of: ConsentOf,
}

/// Which cases are meant, and by which calendar.
#[derive(Clone, Debug, Default)]
pub struct RegisterOf {
    /// That case alone.
    pub case: Option<String>,
    /// Those that are open.
    pub open: bool,
    /// Those of which a deadline is overdue.
    pub overdue: bool,
    /// Whether sealed texts are shown.
    pub unmasked: bool,
    /// The country whose public holidays count.
    pub country: Option<String>,
    /// As events that can be imported again, in that form.
    pub events: Option<Form>,
}

/// What taking events into a register came to.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct RegisterTaken {
    /// The register.
    register: &'static str,
    /// Rows that were read.
    rows: u64,
    /// Events that are new.
    added: u64,
    /// Events that were there already.
    known: u64,
    /// Rows that are no events, or cannot stand beside those that are there.
    bad: u64,
    /// Subjects that are new.
    subjects: u64,
    /// Cases that have new events.
    cases: u64,
    /// Events of those cases that could not follow what stood.
    irregular: Vec<Irregular>,
}

/// What a register says.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct RegisterShown {
    /// The register.
    register: &'static str,
    /// The time for which it says so.
    at: Timestamp,
    /// How many events there are, and the hash of the last.
    head: String,
    /// The cases that were asked for.
    cases: Vec<Case>,
    /// How many of these there are in each state.
    states: BTreeMap<&'static str, u64>,
    /// Of how many a deadline is overdue.
    overdue: u64,
    /// How many are amiss, by rule.
    amiss: BTreeMap<&'static str, u64>,
    /// The sealed texts of the case, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<RegisterText>,
}

/// A sealed text in clear.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
struct RegisterText {
    /// The event.
    record: Token,
    /// The column.
    column: String,
    /// The text; nothing where it was erased.
    text: Option<String>,
}

fn named(name: &str) -> Result<&'static Register> {
    register(name).ok_or_else(|| Problem::new("E-register-001", Blame::Us, format!("there is no register `{name}`"), "please report this"))
}

/// `… import`: takes the events of `files` into the register `name`, all or none; with `skip_bad` all that are good.
///
/// # Errors
/// What is wrong with the store or the records. Bad rows are told, and lead to exit 32.
pub fn register_import(loaded: &Loaded, ctx: &Context, name: &str, files: &[PathBuf], skip_bad: bool) -> Result<Ended, Problems> {
    let register = named(name)?;
    let opened = Opened::open(loaded, name)?;
    ctx.events.tell(Event::Stage { name: "register" });
    taken(opened, loaded, ctx, register, import_register(register, files), skip_bad)
}

/// `… add`: takes one event into the register `name`.
///
/// # Errors
/// As [`register_import`]; everything that is wrong with the event (exit 2).
pub fn register_add(loaded: &Loaded, ctx: &Context, name: &str, event: RegisterEvent) -> Result<Ended, Problems> {
    let register = named(name)?;
    let opened = Opened::open(loaded, name)?;
    let RegisterEvent { event, case, at, record_id, values, texts, of } = event;
    let at = at.unwrap_or_else(|| ctx.clock.wall().to_string());
    let mut row = vec![("event".to_owned(), event), ("case".to_owned(), case), ("at".to_owned(), at)];
    row.extend(record_id.map(|id| ("record_id".to_owned(), id)));
    row.extend(whose(register, &opened, loaded, ctx, of)?);
    let own: Vec<&str> = register.columns.iter().map(|column| &*column.name).collect();
    let is_text = |name: &str| register.column(name).is_some_and(|column| column.kind == crate::compliance::register::Kind::Text);
    let mut problems = Problems::default();
    let wrong = |field: &str, what: &str, remedy: String| Problem::new("E-register-032", Blame::Operator, what, remedy).field(field);
    for name in values.iter().map(|(name, _)| name).chain(texts.iter().map(|(name, _)| name)) {
        if !own.contains(&name.as_str()) {
            let nearest = own.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name)).unwrap_or(&"");
            let remedy = format!("did you mean `{nearest}`? known: {}", own.join(", "));
            problems.push(wrong(name, "the register has no such column", remedy));
        }
    }
    for (name, _) in values.iter().filter(|(name, _)| is_text(name)) {
        let remedy = format!("arguments are no place for texts: put it into a file, and give --text {name}=FILE");
        problems.push(wrong(name, "the column is a text", remedy));
    }
    for (name, path) in texts {
        let bytes = read_capped(&path, MAX_TEXT)?;
        match String::from_utf8(bytes) {
            Ok(text) => row.push((name, text)),
            Err(_) => problems.push(wrong(&name, "the text is not UTF-8", "save it as UTF-8".to_owned()).file(&path)),
        }
    }
    row.extend(values);
    problems.or(())?;
    let header = register.header();
    let get = |column: &&str| row.iter().find(|(name, _)| name == column).map(|(_, value)| value.as_str());
    let row: Vec<Option<&str>> = header.iter().map(get).collect();
    let draft = Draft::read(register, &header, &row).map_err(|doubts| {
        let mut problems = Problems::default();
        for doubt in doubts {
            problems.push(Problem::new(doubt.id, Blame::Operator, doubt.what, doubt.remedy).field(doubt.field));
        }
        problems
    })?;
    taken(opened, loaded, ctx, register, Import::of(draft), false)
}

/// The columns that name whom a case is of.
fn whose(register: &Register, opened: &Opened, loaded: &Loaded, ctx: &Context, of: ConsentOf) -> Result<Vec<(String, String)>, Problems> {
    let is_named = of.handle.is_some() || of.domain.is_some() || of.subject.is_some();
    if is_named && register.subject == Use::None {
        let what = format!("cases of the register `{}` are of nobody", register.name);
        return Err(Problem::new("E-register-030", Blame::Operator, what, "leave --handle, --domain and --subject out").into());
    }
    if !is_named {
        return Ok(Vec::new());
    }
    if let Some(subject) = of.subject {
        return Ok(vec![("subject".to_owned(), subject)]);
    }
    let found = contacts(&opened.records(loaded, ctx)?, ctx, &of, "E-register-031")?;
    let [(registry, contact, _)] = found.as_slice() else {
        let what = format!("{} contacts are meant by this", found.len());
        return Err(Problem::new("E-register-030", Blame::Operator, what, "name the registry too").into());
    };
    Ok(vec![("registry".to_owned(), registry.to_string()), ("handle".to_owned(), contact.id().to_owned())])
}

fn taken(
    mut opened: Opened,
    loaded: &Loaded,
    ctx: &Context,
    register: &'static Register,
    mut import: Import<Draft>,
    skip_bad: bool,
) -> Result<Ended, Problems> {
    if import.names_contacts() {
        let records = opened.records(loaded, ctx)?;
        import.resolve(&records)?;
    }
    let now = ctx.clock.wall();
    let mut book = Book::open(&mut opened.store, register)?;
    let done = book.take(&mut import, skip_bad, now, &mut SystemEntropy::new())?;
    let limits = limits(None)?;
    let irregular: Vec<Irregular> =
        done.touched.iter().filter_map(|case| book.case(case, now, &limits)).flat_map(|case| case.irregular).collect();
    let Import { rows, bad, problems, .. } = import;
    let cases = done.touched.len() as u64;
    let out = RegisterTaken {
        register: &register.name,
        rows,
        added: done.added,
        known: done.known,
        bad,
        subjects: done.subjects,
        cases,
        irregular,
    };
    let mut text = format!("{rows} rows: {} events added in {cases} cases, {} known, {bad} bad", out.added, out.known);
    if bad > 0 && !skip_bad {
        text.push_str("; nothing was taken: mend the rows, or leave them out with --skip-bad");
    }
    text.push_str(&shown_irregular(&out.irregular));
    let is_whole = bad == 0 && problems.is_empty();
    let exits = vec![if is_whole { Exit::Done } else { Exit::InputIncomplete }];
    let json = serde_json::to_value(out).unwrap_or_default();
    Ok(Ended { exits, json, text, problems: problems.kept().to_vec() })
}

/// `… show`: what the cases of the register `name` come to. With `events` their events, as they can be imported again.
///
/// # Errors
/// What is wrong with the store; `E-register-031` (exit 2) where there is no such case, `E-register-034` where no holidays of that country
/// are known.
pub fn register_show(loaded: &Loaded, ctx: &Context, name: &str, of: &RegisterOf) -> Result<Ended, Problems> {
    let register = named(name)?;
    let limits = limits(of.country.as_deref())?;
    let mut opened = Opened::open(loaded, name)?;
    let at = ctx.clock.wall();
    let mut book = Book::open(&mut opened.store, register)?;
    let cases: Vec<Case> = match &of.case {
        Some(case) => {
            let found = Token::read(case).and_then(|case| book.case(&case, at, &limits));
            vec![found.ok_or_else(|| nobody("E-register-031", "the register has no such case"))?]
        }
        None => book.cases(at, &limits).collect(),
    };
    let is_meant = |case: &Case| (!of.open || case.open) && (!of.overdue || case.overdue().is_some());
    let cases: Vec<Case> = cases.into_iter().filter(is_meant).collect();
    let (mut states, mut amiss): (BTreeMap<&str, u64>, BTreeMap<&str, u64>) = Default::default();
    for case in &cases {
        *states.entry(case.state.unwrap_or("unopened")).or_default() += 1;
        for one in &case.amiss {
            *amiss.entry(one.id).or_default() += 1;
        }
    }
    let mut texts = Vec::new();
    for case in cases.iter().filter(|_| of.unmasked) {
        for entry in book.events(&case.case).to_vec() {
            texts.append(&mut opened_texts(&mut book, &entry)?);
        }
    }
    let head = book.head().to_string();
    let text = if let Some(form) = of.events {
        let chosen: Vec<Token> = cases.iter().map(|case| case.case.clone()).collect();
        events_as(form, &register.header(), &book.export(&chosen), "E-register-033")?
    } else {
        as_text(&cases, &states, &texts)
    };
    let overdue = cases.iter().filter(|case| case.overdue().is_some()).count() as u64;
    let shown = RegisterShown { register: &register.name, at, head, cases, states, overdue, amiss, texts };
    Ok(Ended { exits: vec![Exit::Done], json: serde_json::to_value(shown).unwrap_or_default(), text, problems: Vec::new() })
}

/// The sealed texts of an event in clear, but for those that are kept apart.
fn opened_texts(book: &mut Book<'_>, entry: &Entry) -> Result<Vec<RegisterText>> {
    let is_shown = |name: &str| book.register().column(name).is_some_and(|column| !column.apart);
    let columns: Vec<Box<str>> = entry.sealed.keys().filter(|name| is_shown(name)).cloned().collect();
    let mut out = Vec::new();
    for column in columns {
        let text = book.text(entry, &column)?.map(|text| text.reveal().to_owned());
        out.push(RegisterText { record: entry.id.clone(), column: column.into(), text });
    }
    Ok(out)
}

/// The calendar by which deadlines are counted.
///
/// # Errors
/// `E-register-034` (exit 2) where no holidays of that country are known.
pub(super) fn limits(country: Option<&str>) -> Result<Limits> {
    let holidays = Holidays::embedded()?;
    let country = country.unwrap_or_default();
    if !country.is_empty() && !holidays.knows(country) {
        let what = "no public holidays of that country are known";
        return Err(Problem::new("E-register-034", Blame::Operator, what, "leave --country out: Monday to Friday are working days then"));
    }
    Ok(Limits { holidays, country: country.to_owned() })
}

/// Cases for people.
fn as_text(cases: &[Case], states: &BTreeMap<&str, u64>, texts: &[RegisterText]) -> String {
    if cases.is_empty() {
        return "no such cases".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(["case", "state", "opened", "last", "deadlines", "lacks", "amiss"]);
    for case in cases {
        let last = case.last.as_ref().map_or_else(String::new, |last| format!("{} {}", day(last.at), last.event));
        let amiss: Vec<&str> = case.amiss.iter().map(|one| one.id).collect();
        table.add_row([
            case.case.to_string(),
            case.state.unwrap_or("unopened").to_owned(),
            case.opened.map_or_else(String::new, day),
            last,
            deadlines(case),
            case.missing.join(", "),
            amiss.join(", "),
        ]);
    }
    let mut out = vec![table.to_string()];
    if let [case] = cases {
        out.extend(case.subject.map(|subject: Subject| format!("subject: {subject}")));
        out.extend(case.values.iter().map(|(name, value)| format!("{name}: {value}")));
        out.extend((!case.texts.is_empty()).then(|| format!("sealed: {}", case.texts.join(", "))));
        out.extend((case.apart > 0).then(|| format!("kept apart: {}", case.apart)));
        out.extend(case.amiss.iter().map(|one| format!("{}: {}", one.id, one.what)));
    } else {
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        out.push(states.join(", "));
    }
    for RegisterText { record, column, text } in texts {
        let text = text.as_deref().unwrap_or("(erased)");
        out.push(format!("{record} {column}: {}", escape_controls(text)));
    }
    let irregular: Vec<Irregular> = cases.iter().flat_map(|case| case.irregular.iter().cloned()).collect();
    out.join("\n") + &shown_irregular(&irregular)
}

/// The deadlines of a case, each with how it stands.
fn deadlines(case: &Case) -> String {
    let told = case.deadlines.iter().map(|deadline| {
        let standing = match deadline.standing {
            Met::Open => format!("{} days left", deadline.days),
            Met::Met => "met".to_owned(),
            Met::Late => format!("{} days late", deadline.days),
            Met::Overdue => format!("overdue {}", deadline.days),
        };
        format!("{} {}, {standing}", deadline.name, deadline.due)
    });
    told.collect::<Vec<_>>().join("\n")
}

fn day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}
