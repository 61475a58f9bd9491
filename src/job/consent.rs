//! `consent`: events into the ledger, and what holds by them.

use super::config::Loaded;
use super::ledgers::{ConsentOf, Form, Opened, contacts, events_as, nobody, shown_irregular};
use super::{Context, Ended, queried};
use crate::base::{Blame, Event, Exit, Problem, Problems, SystemEntropy, Timestamp, escape_controls};
use crate::compliance::asking::{Asked, Messages};
use crate::compliance::{
    Basis, COLUMNS, Decision, Draft, Fingerprint, Happening, Import, Irregular, Ledger, Near, Purpose, Record, Rule, Standing, Subject,
    Token, fold_group, import,
};
use crate::dataset::Source;
use crate::model::ObjectKind;
use comfy_table::{Table, presets};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The most near duplicates that are told one by one.
const TOLD: usize = 50;
/// What is told where nobody is meant.
const NOBODY: &str = "E-consent-031";

/// What taking events in came to.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ConsentTaken {
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
    /// New subjects that differ from one that is known in one part alone: the same one, perhaps.
    near: Vec<Near>,
    /// Events, of those subjects that are touched, which could not follow what stood.
    irregular: Vec<Irregular>,
}

/// What the ledger says.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ConsentShown {
    /// The time for which it says so.
    at: Timestamp,
    /// What holds for each who was asked for; nobody where all are counted.
    who: Vec<ConsentWho>,
    /// What holds for how many, where nobody was asked for.
    totals: Vec<ConsentTotal>,
    /// Events that could not follow what stood.
    irregular: Vec<Irregular>,
}

/// What holds for one subject.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct ConsentWho {
    /// The registry and the handle, where it is a contact's.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    /// The domain whose registrant it is, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    /// Its id; nothing where the ledger has none.
    #[schemars(with = "Option<String>")]
    subject: Option<Subject>,
    /// What holds for each purpose.
    purposes: Vec<ConsentPurpose>,
    /// What holds for each group of data that is given to a provider.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<ConsentGroup>,
    /// What it said, in the order in which the ledger took it.
    events: Vec<Record>,
}

/// What holds for one purpose.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct ConsentPurpose {
    /// The purpose.
    purpose: Purpose,
    /// Whether data may be used for it.
    allowed: bool,
    /// What it rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<Basis>,
    /// The rule that blocks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    /// What that rule says.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    /// What its events come to.
    standing: Standing,
}

/// What holds for one group of data that is given to a provider.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct ConsentGroup {
    /// The provider.
    provider: Token,
    /// The group; nothing for what is said of all the provider's groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Token>,
    /// What its events come to.
    standing: Standing,
    /// When a message that asks for it was sent last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    last_sent: Option<Timestamp>,
    /// By which way the subject takes it back, and has the message sent again, as its last message had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    withdraw: Option<Token>,
}

/// What holds for one purpose, over many.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct ConsentTotal {
    /// The purpose.
    purpose: Purpose,
    /// For how many data may be used.
    allowed: u64,
    /// For how many not, by rule.
    blocked: BTreeMap<&'static str, u64>,
}

/// `consent import`: takes the events of `files`, or of the configured table where there are none, all or none; with `skip_bad` all that are
/// good.
///
/// # Errors
/// What is wrong with the store or the records; `E-consent-032` (exit 2) where neither files nor a table are named; `E-query-…`. Bad rows
/// are told, and lead to exit 32.
pub fn consent_import(loaded: &Loaded, ctx: &Context, files: &[PathBuf], skip_bad: bool) -> Result<Ended, Problems> {
    let opened = Opened::open(loaded, "consent")?;
    ctx.events.tell(Event::Stage { name: "consent" });
    if !files.is_empty() {
        return taken(opened, loaded, ctx, import(&Source::of(files.to_vec())), skip_bad);
    }
    let Some((source, _rows)) = queried::consent(&loaded.config, ctx)? else {
        let what = "neither are files named here, nor is a table of consent in the configuration";
        let remedy = "name files, or a query or files below [records.consent]";
        return Err(Problem::new("E-consent-032", Blame::Operator, what, remedy).file(&loaded.config.path).into());
    };
    taken(opened, loaded, ctx, import(&source), skip_bad)
}

/// `consent add`: takes one event, whose values are given by column. The subject is `of`.
///
/// # Errors
/// As [`consent_import`]; everything that is wrong with the event (exit 2).
pub fn consent_add(loaded: &Loaded, ctx: &Context, of: &ConsentOf, mut values: BTreeMap<&'static str, String>) -> Result<Ended, Problems> {
    let opened = Opened::open(loaded, "consent")?;
    if of.subject.is_none() {
        let records = opened.records(loaded, ctx)?;
        let found = contacts(&records, ctx, of, NOBODY)?;
        let [(registry, row, _)] = found.as_slice() else {
            let what = format!("{} contacts are meant by this", found.len());
            return Err(Problem::new("E-consent-030", Blame::Operator, what, "name the registry too").into());
        };
        values.extend([("registry", registry.to_string()), ("handle", row.id().to_owned())]);
    }
    values.extend(of.subject.clone().map(|subject| ("subject", subject)));
    values.entry("at").or_insert_with(|| ctx.clock.wall().to_string());
    let row: Vec<Option<&str>> = COLUMNS.iter().map(|column| values.get(column).map(String::as_str)).collect();
    let draft = Draft::read(&row).map_err(|doubts| {
        let mut problems = Problems::default();
        for doubt in doubts {
            problems.push(Problem::new(doubt.id, Blame::Operator, doubt.what, doubt.remedy).field(doubt.field));
        }
        problems
    })?;
    taken(opened, loaded, ctx, Import::of(draft), false)
}

fn taken(mut opened: Opened, loaded: &Loaded, ctx: &Context, mut import: Import, skip_bad: bool) -> Result<Ended, Problems> {
    if import.names_contacts() {
        let records = opened.records(loaded, ctx)?;
        import.resolve(&records)?;
    }
    let now = ctx.clock.wall();
    let mut ledger = Ledger::open(&mut opened.store)?;
    let done = ledger.take(&mut import, skip_bad, now, &mut SystemEntropy::new())?;
    let irregular = irregular(&ledger, done.touched.iter().copied(), now);
    let Import { rows, bad, problems, .. } = import;
    let out = ConsentTaken { rows, added: done.added, known: done.known, bad, subjects: done.subjects, near: done.near, irregular };
    let mut text = format!("{rows} rows: {} events added, {} known, {bad} bad; {} new subjects", out.added, out.known, out.subjects);
    if bad > 0 && !skip_bad {
        text.push_str("; nothing was taken: mend the rows, or leave them out with --skip-bad");
    }
    for near in out.near.iter().take(TOLD) {
        text.push_str(&format!("\nnear duplicate: {} differs from {} in the {} alone", near.subject, near.other, near.differs.as_str()));
    }
    text.push_str(&shown_irregular(&out.irregular));
    let is_whole = bad == 0 && problems.is_empty();
    let exits = vec![if is_whole { Exit::Done } else { Exit::InputIncomplete }];
    let json = serde_json::to_value(out).unwrap_or_default();
    Ok(Ended { exits, json, text, problems: problems.kept().to_vec() })
}

/// `consent show`: what holds for whom `of` means; where it means nobody, for how many what holds. With `events` the events themselves, as
/// they could be imported again.
///
/// # Errors
/// What is wrong with the store or the records; `E-consent-031` (exit 2) where nobody is meant.
pub fn consent_show(loaded: &Loaded, ctx: &Context, of: &ConsentOf, events: Option<Form>) -> Result<Ended, Problems> {
    let mut opened = Opened::open(loaded, "consent")?;
    let at = ctx.clock.wall();
    let is_of_all = of.handle.is_none() && of.domain.is_none() && of.subject.is_none();
    let by_records = of.subject.is_none() && (!is_of_all || !ctx.only.is_empty());
    let records = if by_records { Some(opened.records(loaded, ctx)?) } else { None };
    let messages = Messages::open(&mut opened.store)?;
    let mut ledger = Ledger::open(&mut opened.store)?;
    let mut shown = ConsentShown { at, who: Vec::new(), totals: Vec::new(), irregular: Vec::new() };
    let mut subjects: BTreeSet<Subject> = BTreeSet::new();
    match (&records, &of.subject) {
        (_, Some(id)) => {
            let subject = Subject::read(id).filter(|subject| !ledger.events(*subject).is_empty());
            let subject = subject.ok_or_else(|| nobody(NOBODY, "the ledger has no such subject"))?;
            subjects.insert(subject);
            shown.who.push(who((&ledger, &messages), Some(subject), at, None, None));
        }
        (Some(records), None) if !is_of_all => {
            for (registry, row, domain) in contacts(records, ctx, of, NOBODY)? {
                let subject = Fingerprint::of_row(&row).map(|person| ledger.subject_of(&person)).transpose()?.flatten();
                subjects.extend(subject);
                shown.who.push(who((&ledger, &messages), subject, at, Some(format!("{registry}/{}", row.id())), domain));
            }
        }
        (Some(records), None) => {
            let mut totals = Totals::default();
            for registry in &ctx.only {
                records.each(registry, ObjectKind::Contact, |row| {
                    let subject = Fingerprint::of_row(&row).map(|person| ledger.subject_of(&person)).transpose()?.flatten();
                    subjects.extend(subject);
                    totals.add(&ledger, subject, at);
                    Ok(())
                })?;
            }
            shown.totals = totals.all();
        }
        (None, None) => {
            let mut totals = Totals::default();
            subjects.extend(ledger.subjects());
            for subject in &subjects {
                totals.add(&ledger, Some(*subject), at);
            }
            shown.totals = totals.all();
        }
    }
    let subjects: Vec<Subject> = subjects.into_iter().collect();
    shown.irregular = irregular(&ledger, subjects.iter().copied(), at);
    let text = match events {
        Some(form) => events_as(form, &COLUMNS, &ledger.export(&subjects, false)?, "E-consent-032")?,
        None => as_text(&shown),
    };
    let json = serde_json::to_value(shown).unwrap_or_default();
    Ok(Ended { exits: vec![Exit::Done], json, text, problems: Vec::new() })
}

fn who(
    (ledger, messages): (&Ledger<'_>, &Messages),
    subject: Option<Subject>,
    at: Timestamp,
    contact: Option<String>,
    domain: Option<String>,
) -> ConsentWho {
    let purposes = Purpose::OF_CHANGES.iter().map(|purpose| {
        let standing = subject.map(|subject| ledger.standing(subject, *purpose, at)).unwrap_or_default();
        let decision = subject.map_or_else(Decision::nothing, |subject| ledger.decide(subject, *purpose, at));
        let (rule, why) = (decision.rule().map(Rule::id), decision.rule().map(Rule::words));
        let basis = match decision {
            Decision::Allowed { basis, .. } => Some(basis),
            Decision::Blocked { .. } => None,
        };
        ConsentPurpose { purpose: *purpose, allowed: basis.is_some(), basis, rule, why, standing }
    });
    let events = subject.map(|subject| ledger.events(subject).to_vec()).unwrap_or_default();
    let given = subject.map(|subject| ledger.given_to(subject)).unwrap_or_default();
    let groups = given.into_iter().map(|(provider, group)| {
        let standing = fold_group(&events, provider.as_str(), group.as_ref().map(Token::as_str), at);
        let is_of = |event: &&Record| event.provider.as_ref() == Some(&provider) && (event.group == group || event.group.is_none());
        let requests = events.iter().filter(|event| event.event == Happening::Requested && event.at <= at);
        let last_sent = requests.filter(is_of).map(|event| event.at).max();
        let asks = |asked: &&Asked| {
            let names = group.as_ref().is_none_or(|group| asked.groups.contains_key(group));
            Some(asked.subject) == subject && asked.provider == provider && names && asked.created <= at
        };
        let withdraw = messages.all().filter(asks).max_by_key(|asked| asked.created).and_then(|asked| asked.withdraw.clone());
        ConsentGroup { provider, group, standing, last_sent, withdraw }
    });
    ConsentWho { contact, domain, subject, purposes: purposes.collect(), groups: groups.collect(), events }
}

/// What holds for how many.
#[derive(Default)]
struct Totals(BTreeMap<Purpose, (u64, BTreeMap<&'static str, u64>)>);

impl Totals {
    fn add(&mut self, ledger: &Ledger<'_>, subject: Option<Subject>, at: Timestamp) {
        for purpose in Purpose::OF_CHANGES {
            let (allowed, blocked) = self.0.entry(*purpose).or_default();
            let decision = subject.map_or_else(Decision::nothing, |subject| ledger.decide(subject, *purpose, at));
            match decision.rule() {
                None => *allowed += 1,
                Some(rule) => *blocked.entry(rule.id()).or_default() += 1,
            }
        }
    }

    fn all(self) -> Vec<ConsentTotal> {
        self.0.into_iter().map(|(purpose, (allowed, blocked))| ConsentTotal { purpose, allowed, blocked }).collect()
    }
}

/// The irregular events of `subjects`, each once.
fn irregular(ledger: &Ledger<'_>, subjects: impl Iterator<Item = Subject>, at: Timestamp) -> Vec<Irregular> {
    let mut seen = BTreeSet::new();
    let all = subjects.flat_map(|subject| {
        let changes = Purpose::OF_CHANGES.iter().flat_map(move |purpose| ledger.standing(subject, *purpose, at).irregular);
        let given = ledger.given_to(subject).into_iter().flat_map(move |(provider, group)| {
            fold_group(ledger.events(subject), provider.as_str(), group.as_ref().map(Token::as_str), at).irregular
        });
        changes.chain(given)
    });
    all.filter(|odd| seen.insert(odd.record.clone())).collect()
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header(header.iter().copied());
    table
}

/// What holds, for people.
fn as_text(shown: &ConsentShown) -> String {
    let mut out = Vec::new();
    for who in &shown.who {
        let names =
            [who.domain.clone(), who.contact.clone(), Some(who.subject.map_or("no subject".to_owned(), |id| format!("subject {id}")))];
        out.push(escape_controls(&names.into_iter().flatten().collect::<Vec<_>>().join(", ")));
        let mut purposes = table(&["purpose", "consent", "may be used", "why"]);
        for p in &who.purposes {
            let (verdict, why) = match (&p.basis, p.rule, p.why) {
                (Some(Basis::Consent), ..) => ("yes", "explicit consent".to_owned()),
                (Some(Basis::Terms(version)), ..) => {
                    let version = version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
                    ("yes", format!("terms of service{version}"))
                }
                (None, rule, why) => ("no", format!("{}: {}", rule.unwrap_or_default(), why.unwrap_or_default())),
            };
            purposes.add_row([p.purpose.as_str(), p.standing.state.as_str(), verdict, &why]);
        }
        out.push(purposes.to_string());
        if !who.groups.is_empty() {
            let mut groups = table(&["provider", "group", "consent", "asked last", "taken back by"]);
            for given in &who.groups {
                let group = given.group.as_ref().map_or("all", Token::as_str);
                let last = given.last_sent.map(|at| at.to_string()).unwrap_or_default();
                let way = given.withdraw.as_ref().map_or("", Token::as_str);
                groups.add_row([given.provider.as_str(), group, given.standing.state.as_str(), &last, way]);
            }
            out.push(groups.to_string());
        }
        if !who.events.is_empty() {
            let mut events = table(&["at", "event", "purpose", "until", "by", "method", "terms", "record"]);
            for e in &who.events {
                let text = |word: Option<String>| word.unwrap_or_default();
                events.add_row([
                    e.at.to_string(),
                    e.event.to_string(),
                    e.purpose.map_or("all".to_owned(), |purpose| purpose.to_string()),
                    text(e.expires.map(|at| at.to_string())),
                    text(e.by.map(|by| by.to_string())),
                    text(e.method.map(|method| method.to_string())),
                    text(e.terms.as_ref().map(ToString::to_string)),
                    e.id.to_string(),
                ]);
            }
            out.push(events.to_string());
        }
    }
    if shown.who.is_empty() {
        let mut totals = table(&["purpose", "rule", "how many"]);
        for total in &shown.totals {
            totals.add_row([total.purpose.as_str(), "may be used", &total.allowed.to_string()]);
            for (rule, n) in &total.blocked {
                totals.add_row([total.purpose.as_str(), rule, &n.to_string()]);
            }
        }
        out.push(if shown.totals.is_empty() { "the ledger is empty".to_owned() } else { totals.to_string() });
    }
    out.join("\n") + &shown_irregular(&shown.irregular)
}
