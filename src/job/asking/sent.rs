//! `consent sent`: that messages of the outbox were sent. What was sent to the registrant's own address becomes a request in the ledger.

use super::super::config::Loaded;
use super::super::ledgers::Opened;
use super::super::{Context, Ended};
use super::outbox::Outbox;
use crate::base::{Blame, Event, Exit, Personal, Problem, Problems, Result, SystemEntropy, Timestamp};
use crate::compliance::asking::{Asked, Confirmed, Messages, recipient, source};
use crate::compliance::{Actor, Draft, Happening, Import, Ledger, Method, Notice, Purpose, Token, Who};
use crate::dataset::{Source, each_row};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The columns; the last two may be left out.
const COLUMNS: [&str; 4] = ["message", "sent_at", "source_message_id", "to"];
/// Columns that every table has.
const ALWAYS: [&str; 2] = ["message", "sent_at"];
/// The most rows.
const MAX_ROWS: u64 = 5_000_000;
/// The most bytes of a value.
const MAX_VALUE: usize = 1_000;
/// Messages that are told one by one.
const TOLD: usize = 50;

/// What `consent sent` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ConsentSent {
    /// Rows that were read.
    rows: u64,
    /// Messages that were sent now.
    sent: u64,
    /// Rows that were known already.
    known: u64,
    /// Rows that cannot be taken.
    bad: u64,
    /// Requests that the ledger has of it now.
    requested: u64,
    /// Messages of subjects that were erased since.
    erased: u64,
    /// Messages that had been sent before: the provider's policy is one.
    again: Vec<Token>,
    /// Messages that went to another address than the registrant's own.
    elsewhere: Vec<Token>,
    /// Messages of which nobody told the address that they went to: they count as sent to the registrant's own.
    untold: u64,
    /// Messages that wait to be sent.
    waiting: u64,
}

/// A row.
struct Row {
    message: Token,
    at: Timestamp,
    source: Option<Personal>,
    to: Option<Personal>,
    line: u64,
}

/// `consent sent`: takes the rows of `files`, all or none. A message that went to the registrant's own address becomes a request in the
/// ledger; one that went elsewhere becomes none and is told, as is one that was sent twice.
///
/// # Errors
/// What is wrong with the store. Bad rows are told, and lead to exit 32.
pub fn consent_sent(loaded: &Loaded, ctx: &Context, files: &[PathBuf]) -> Result<Ended, Problems> {
    let mut opened = Opened::open(loaded, "consent")?;
    ctx.events.tell(Event::Stage { name: "consent" });
    let now = ctx.clock.wall();
    let mut messages = Messages::open(&mut opened.store)?;
    let mut problems = Problems::default();
    let (rows, read, mut bad) = read(files, now, &messages, &mut problems);
    let mut ledger = Ledger::open(&mut opened.store)?;
    let mut out = ConsentSent {
        rows: read,
        sent: 0,
        known: 0,
        bad: 0,
        requested: 0,
        erased: 0,
        again: Vec::new(),
        elsewhere: Vec::new(),
        untold: 0,
        waiting: 0,
    };
    let mut confirmed: BTreeMap<Token, Vec<Confirmed>> = BTreeMap::new();
    let mut import = Import::default();
    for row in rows {
        let Some(asked) = messages.made(&row.message) else { continue };
        let key = ledger.key(asked.subject)?;
        let told = key.as_ref().zip(row.to.as_ref()).map(|(key, to)| recipient(key, to.reveal()) == asked.to);
        let source = key.as_ref().zip(row.source.as_ref()).map(|(key, id)| source(key, id.reveal()));
        let sent = Confirmed { message: row.message.clone(), at: row.at, own: told.unwrap_or(true), source, recorded: now };
        let is_same = |known: &Confirmed| Confirmed { recorded: now, ..known.clone() } == sent;
        let here = confirmed.entry(row.message.clone()).or_default();
        let before = || messages.sent_of(&row.message).iter();
        if before().chain(&*here).any(is_same) {
            out.known += 1;
            continue;
        }
        out.erased += u64::from(key.is_none());
        out.untold += u64::from(told.is_none());
        if sent.own {
            let is_again = before().chain(&*here).any(|known| known.own);
            out.again.extend(is_again.then(|| row.message.clone()));
            if key.is_some() {
                import.drafts.extend(drafts(asked, &row));
            }
        } else {
            out.elsewhere.push(row.message.clone());
        }
        here.push(sent);
    }
    import.rows = import.drafts.len() as u64;
    if bad == 0 && problems.is_empty() {
        // The ledger first: an event is taken once however often it is told.
        out.requested = ledger.take(&mut import, false, now, &mut SystemEntropy::new())?.added;
        bad += import.bad;
        for problem in import.problems.kept() {
            problems.push(Box::new(problem.clone()));
        }
    }
    let is_whole = bad == 0 && problems.is_empty();
    out.bad = bad;
    drop(ledger);
    if is_whole {
        let confirmed: Vec<Confirmed> = confirmed.into_values().flatten().collect();
        out.sent = confirmed.len() as u64;
        messages.confirm(&mut opened.store, confirmed)?;
        let mut ledger = Ledger::open(&mut opened.store)?;
        Outbox::open(&loaded.config.state)?.tidy(&messages, &mut ledger)?;
    } else {
        (out.again, out.elsewhere, out.erased, out.untold) = (Vec::new(), Vec::new(), 0, 0);
    }
    out.waiting = messages.all().filter(|one| !messages.is_sent(&one.message)).count() as u64;
    let mut exits = vec![if is_whole { Exit::Done } else { Exit::InputIncomplete }];
    exits.extend((!out.again.is_empty() || !out.elsewhere.is_empty()).then_some(Exit::Findings));
    let text = as_text(&out);
    Ok(Ended { exits, json: serde_json::to_value(out).unwrap_or_default(), text, problems: problems.kept().to_vec() })
}

/// The rows of `files` that can be taken, how many there are, and how many cannot be.
fn read(files: &[PathBuf], now: Timestamp, messages: &Messages, problems: &mut Problems) -> (Vec<Row>, u64, u64) {
    let optional = COLUMNS.iter().filter(|column| !ALWAYS.contains(column));
    let constants: BTreeMap<String, String> = optional.map(|column| ((*column).to_owned(), String::new())).collect();
    let source = Source { constants, ..Source::of(files.to_vec()) };
    let (mut rows, mut count, mut bad) = (Vec::new(), 0_u64, 0_u64);
    let mut doubted = Problems::default();
    each_row(&source, &COLUMNS, problems, |file, line, values| {
        count += 1;
        if count > MAX_ROWS {
            if count == MAX_ROWS + 1 {
                let what = format!("these are more than {MAX_ROWS} rows");
                doubted.push(Problem::new("E-sent-005", Blame::Input, what, "take them in several parts").file(file).line(line));
            }
            bad += 1;
            return;
        }
        match row(values, line, now, messages) {
            Ok(row) => rows.push(row),
            Err(all) => {
                bad += 1;
                for problem in all {
                    doubted.push(Box::new(problem).file(file).line(line).exit(Exit::InputIncomplete));
                }
            }
        }
    });
    for problem in doubted.kept() {
        problems.push(Box::new(problem.clone()));
    }
    (rows, count, bad)
}

/// The row that `values` are.
fn row(values: &[Option<&str>], line: u64, now: Timestamp, messages: &Messages) -> Result<Row, Vec<Problem>> {
    let mut wrong: Vec<Problem> = Vec::new();
    let [message, sent_at, source, to] =
        std::array::from_fn(|n| values.get(n).copied().flatten().map(str::trim).filter(|value| !value.is_empty()));
    let mut tell = |id, field: &str, what: &str, remedy: &str| wrong.push(*Problem::new(id, Blame::Input, what, remedy).field(field));
    for (field, value) in COLUMNS.iter().zip([message, sent_at, source, to]) {
        if value.is_some_and(|value| value.len() > MAX_VALUE || value.chars().any(char::is_control)) {
            tell("E-sent-001", field, "the value holds a control character, or has over 1000 bytes", "this is no such value");
        }
    }
    let message = message.and_then(Token::read);
    let asked = message.as_ref().and_then(|message| messages.made(message));
    if asked.is_none() {
        tell("E-sent-002", "message", "the book has no such message", "give the `message` of a line in the outbox");
    }
    let at = sent_at.and_then(|text| text.parse::<Timestamp>().ok());
    match (at, asked) {
        (None, _) => {
            let remedy = "accepted: `2027-01-31T12:00:00Z`, and the same with an offset";
            tell("E-sent-003", "sent_at", "this is no time, or it has no zone", remedy);
        }
        (Some(at), _) if at > now => tell("E-sent-004", "sent_at", "the message was sent later than now", "see the clock of who sent it"),
        (Some(at), Some(asked)) if at < asked.created => {
            tell("E-sent-004", "sent_at", "the message was sent before it was made", "see which of the two it is: its id or its time");
        }
        _ => {}
    }
    match (message, at) {
        (Some(message), Some(at)) if wrong.is_empty() => {
            Ok(Row { message, at, source: source.map(Personal::new), to: to.map(Personal::new), line })
        }
        _ => Err(wrong),
    }
}

/// The requests that a message is, one for each group.
fn drafts(asked: &Asked, row: &Row) -> Vec<(Draft, usize, u64)> {
    let notice = Notice {
        id: asked.template.id.clone(),
        version: Some(asked.template.version.clone()),
        language: Some(asked.language.clone()),
        digest: Some(asked.template.digest.clone()),
    };
    let id = row.source.clone().unwrap_or_else(|| Personal::new(row.message.as_str()));
    let draft = |(group, elements): (&Token, &Vec<crate::compliance::Element>)| Draft {
        who: Who::Subject(asked.subject),
        id: None,
        purpose: Some(Purpose::ProviderData),
        elements: elements.clone(),
        provider: Some(asked.provider.clone()),
        group: Some(group.clone()),
        event: Happening::Requested,
        at: row.at,
        expires: None,
        terms: None,
        notice: Some(notice.clone()),
        method: Some(Method::Email),
        by: Some(Actor::Registrar),
        message: Some(id.clone()),
    };
    asked.groups.iter().map(draft).map(|draft| (draft, usize::MAX, row.line)).collect()
}

/// It for people.
fn as_text(out: &ConsentSent) -> String {
    let ConsentSent { rows, sent, known, bad, requested, erased, again, elsewhere, untold, waiting } = out;
    let mut text =
        format!("{rows} rows: {sent} messages sent, {known} known, {bad} bad; {requested} requests in the ledger, {waiting} wait");
    if *bad > 0 {
        text.push_str("; nothing was taken: mend the rows");
    }
    if *erased > 0 {
        text.push_str(&format!("\n{erased} messages were of subjects that were erased since"));
    }
    if *untold > 0 {
        text.push_str(&format!(
            "\nof {untold} messages nobody told whom they went to: fill in `to`, which shows that it was the registrant"
        ));
    }
    for message in again.iter().take(TOLD) {
        text.push_str(&format!("\nsent twice: {message}: there is one message, and no reminder"));
    }
    for message in elsewhere.iter().take(TOLD) {
        text.push_str(&format!("\nsent elsewhere: {message} went to another address than the registrant's own: nobody was asked by it"));
    }
    text
}
