//! What people are written: `consent ask`, `consent sent` and `remind`. Which registrants are to be asked for what because of the orders,
//! the messages that ask them, and that these were sent; and who is to be reminded that a domain went elsewhere. Privet sends none: it
//! leaves them in the outbox, and takes back what became of them.

mod letters;
mod orders;
mod outbox;
mod people;
mod reminding;
mod report;
mod sent;

pub use outbox::{ConsentMessage, TransferReminder};
pub use reminding::{Reminded, remind};
pub use report::{ConsentReported, report_consent};
pub use sent::{ConsentSent, consent_sent};

use super::config::Loaded;
use super::ledgers::Opened;
use super::{Context, Ended};
use crate::base::{Event, Exit, Problem, Problems, Result, SystemEntropy, Timestamp};
use crate::compliance::asking::{
    About, Asked, Before, Course, Drawn, Judging, Letter, Message, Messages, Occasion, Template, Trigger, Unasked, Wording, message_id,
    recipient,
};
use crate::compliance::{Ledger, Subject, Token};
use crate::dataset::Records;
use crate::store::Store;
use jiff::civil::Date;
use letters::Letters;
use orders::{Orders, asked, requested};
use outbox::Outbox;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How many messages to `subjects` wait in the outbox of a state directory.
///
/// # Errors
/// `E-file-…` where it cannot be read.
pub(super) fn waiting(state: &Path, subjects: &[Subject]) -> Result<u64> {
    Outbox::open(state)?.waiting(subjects)
}

/// Removes from the outbox what does not belong there any more, as when somebody is asked: messages to whoever was erased, and all
/// reminders, which `remind` makes anew from the records.
///
/// # Errors
/// As [`Messages::open`], [`Ledger::open`] and the writer of files.
pub(super) fn tidy(state: &Path, store: &mut dyn Store) -> Result<u64> {
    let messages = Messages::open(store)?;
    let outbox = Outbox::open(state)?;
    outbox.remind(&[])?;
    outbox.tidy(&messages, &mut Ledger::open(store)?)
}

/// The open orders whose data wait for consent, or were to go when none came, each with the day on which it was placed.
///
/// # Errors
/// As [`Orders::read`] and [`Ledger::subject_of`].
pub(super) fn waiting_orders(
    loaded: &Loaded,
    ctx: &Context,
    records: &Records,
    ledger: &mut Ledger<'_>,
    now: Timestamp,
) -> Result<Vec<(String, Date)>, Problems> {
    if loaded.config.records.orders.is_none() {
        return Ok(Vec::new());
    }
    let orders = Orders::read(loaded, ctx, records)?;
    let triggers = orders.triggers(&loaded.config, ledger)?;
    let (asking, sent) = (&loaded.config.asking, Before::new());
    let events = |subject: Subject| ledger.events(subject);
    let judging = Judging { matrix: &asking.matrix, zone: &asking.zone, now, events: &events, sent: &sent };
    let is_held = |trigger: &&Trigger<'_>| trigger.open && matches!(judging.order(trigger).course, Course::Waits | Course::Lapses);
    let placed = |trigger: &Trigger<'_>| (trigger.order.to_owned(), trigger.at.to_zoned(asking.zone.clone()).date());
    Ok(triggers.iter().filter(is_held).map(placed).collect())
}

/// Orders that are told one by one.
const TOLD: usize = 50;

/// What `consent ask` prints with `--format json`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ConsentAsked {
    /// As of when.
    at: Timestamp,
    /// Orders that were looked at: all but those that were cancelled.
    orders: u64,
    /// How many of them somebody is asked because of, or why not.
    asked: BTreeMap<&'static str, u64>,
    /// What they do meanwhile.
    courses: BTreeMap<String, u64>,
    /// Messages that were made.
    messages: u64,
    /// Where they lie; nothing where none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Orders whose messages are gathered still: their minute is not over.
    gathering: u64,
    /// Messages of the outbox that were removed, as they were sent, or their subject was erased.
    removed: u64,
    /// Messages that wait to be sent, those of now among them.
    waiting: u64,
    /// Orders that cannot go on, since something is not known: the first ones.
    blocked: Vec<ConsentBlocked>,
}

/// An order that cannot go on.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
struct ConsentBlocked {
    /// The order.
    order: String,
    /// Its registry.
    registry: String,
    /// What stands behind the first dot of its name.
    tld: String,
    /// Its provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// What is not known.
    why: String,
}

/// What keeps an order from going on, in words.
fn blocked(trigger: &Trigger<'_>, order: &crate::compliance::asking::OrderCourse, knows: bool) -> String {
    if trigger.provider.is_none() {
        return "no provider is named, by the order or below [consent]".to_owned();
    }
    if !knows {
        return "the pack of bases does not have this provider".to_owned();
    }
    if order.process.is_none() {
        return "it is not known how such names are registered".to_owned();
    }
    let elements: Vec<&str> = order.blocked.iter().map(|element| element.as_str()).collect();
    format!("no basis is known for: {}", elements.join(", "))
}

/// `consent ask`: the messages that the orders call for, into the outbox. What was asked before is not asked again, and where there is
/// nothing new, nothing is written.
///
/// # Errors
/// `E-asking-…`, `E-template-…` (exit 2); every problem of the records and the orders; `E-store-…`, `E-file-…` (exit 33).
pub fn consent_ask(loaded: &Loaded, ctx: &Context) -> Result<Ended, Problems> {
    let mut opened = Opened::open(loaded, "consent")?;
    let letters = Letters::read(&loaded.config, Occasion::Consent)?;
    let records = opened.records(loaded, ctx)?;
    let orders = Orders::read(loaded, ctx, &records)?;
    ctx.events.tell(Event::Stage { name: "consent" });
    let now = ctx.clock.wall();
    let mut messages = Messages::open(&mut opened.store)?;
    let outbox = Outbox::open(&loaded.config.state)?;
    let mut ledger = Ledger::open(&mut opened.store)?;
    let removed = outbox.tidy(&messages, &mut ledger)?;
    let mut triggers = orders.triggers(&loaded.config, &mut ledger)?;
    enrol(&orders, &mut triggers, loaded, now, &mut ledger)?;
    let sent = asked(&ledger, &messages);
    let events = |subject: Subject| ledger.events(subject);
    let asking = &loaded.config.asking;
    let judging = Judging { matrix: &asking.matrix, zone: &asking.zone, now, events: &events, sent: &sent };
    let drawn = judging.draw(&triggers);
    let mut problems = Problems::default();
    let mut made: Vec<(ConsentMessage, Asked)> = Vec::new();
    let mut failed: BTreeSet<usize> = BTreeSet::new();
    for message in &drawn.messages {
        let writing = Writing { loaded, orders: &orders, triggers: &triggers, letters: &letters, now };
        match writing.write(message, &mut ledger) {
            Ok(Some(one)) => made.push(one),
            Ok(None) => {}
            Err(problem) => {
                failed.extend(&message.triggers);
                problems.push(problem);
            }
        }
    }
    let count = made.len() as u64;
    let (letters, mut rows): (Vec<ConsentMessage>, Vec<Asked>) = made.into_iter().unzip();
    let file = outbox.put(&letters)?;
    if let Some((name, _)) = &file {
        for row in &mut rows {
            row.file = name.clone();
        }
    }
    drop(ledger);
    // The file is there before the book tells of it: what the book does not know of is removed the next time, and made anew.
    messages.add(&mut opened.store, rows)?;
    let waiting = messages.all().filter(|one| !messages.is_sent(&one.message)).count() as u64;
    let file = file.map(|(_, path)| path.display().to_string());
    let out = shown(loaded, now, (&triggers, &orders), &drawn, &failed, ConsentMade { messages: count, file, removed, waiting });
    let is_whole = problems.is_empty();
    let mut exits = vec![Exit::Done];
    exits.extend((out.courses.contains_key("blocked")).then_some(Exit::GateRefused));
    exits.extend((!is_whole).then_some(Exit::InputIncomplete));
    let text = as_text(&out);
    Ok(Ended { exits, json: serde_json::to_value(out).unwrap_or_default(), text, problems: problems.kept().to_vec() })
}

/// Makes subjects of the people that are to be asked and that the ledger does not have.
fn enrol(orders: &Orders, triggers: &mut [Trigger<'_>], loaded: &Loaded, now: Timestamp, ledger: &mut Ledger<'_>) -> Result<()> {
    let nothing = Before::new();
    let asking = &loaded.config.asking;
    let (mut people, mut places) = (Vec::new(), Vec::new());
    {
        let events = |subject: Subject| ledger.events(subject);
        let judging = Judging { matrix: &asking.matrix, zone: &asking.zone, now, events: &events, sent: &nothing };
        for (n, (trigger, order)) in triggers.iter().zip(&orders.orders).enumerate() {
            let person = orders.registrant(order).and_then(|registrant| registrant.person.clone());
            if let (None, Some(person), Unasked::Nobody) = (trigger.subject, person, judging.order(trigger).asked) {
                people.push(person);
                places.push(n);
            }
        }
    }
    let subjects = ledger.enrol_all(&people, &mut SystemEntropy::new())?;
    for (n, subject) in places.into_iter().zip(subjects) {
        if let Some(trigger) = triggers.get_mut(n) {
            trigger.subject = Some(subject);
        }
    }
    Ok(())
}

/// What messages are written from.
struct Writing<'a> {
    loaded: &'a Loaded,
    orders: &'a Orders,
    triggers: &'a [Trigger<'a>],
    letters: &'a Letters<'a>,
    now: Timestamp,
}

impl Writing<'_> {
    /// Writes a message; nothing where its subject is gone.
    fn write(&self, message: &Message, ledger: &mut Ledger<'_>) -> Result<Option<(ConsentMessage, Asked)>> {
        let Some(first) = message.triggers.first().copied() else { return Ok(None) };
        let (Some(trigger), Some(order)) = (self.triggers.get(first), self.orders.orders.get(first)) else { return Ok(None) };
        let Some(registrant) = self.orders.registrant(order) else { return Ok(None) };
        let Some(key) = ledger.key(message.subject)? else { return Ok(None) };
        let of_message = |problem: Box<Problem>| problem.object(trigger.order);
        let (name, words) = self.letters.of(trigger.brand).map_err(of_message)?;
        let tokens = (message_id(message.subject, &message.provider, message.groups.keys(), message.first), Token::read(&message.provider));
        let (Some(id), Some(provider)) = tokens else { return Err(unnamed(message.provider.len())) };
        let Some((language, language_by, template)) = words.template(trigger.language) else { return Ok(None) };
        let each = |of: &dyn Fn(&Trigger<'_>) -> String| {
            let all: BTreeSet<String> = message.triggers.iter().filter_map(|n| self.triggers.get(*n)).map(of).collect();
            all.into_iter().collect::<Vec<_>>()
        };
        let (orders, tlds) = (each(&|trigger| trigger.order.to_owned()), each(&|trigger| trigger.tld.to_owned()));
        let elements: BTreeSet<_> = message.groups.values().flatten().copied().collect();
        let link = words.brand.link.as_ref().map(|link| format!("{link}{id}")).unwrap_or_default();
        let controller = self.loaded.config.controller.get("controller").map(String::as_str).unwrap_or_default();
        let waits_until = message.waits_until.map(|day| day.to_string()).unwrap_or_default();
        let written = template.write(&Letter {
            message: id.as_str(),
            name: registrant.name.reveal(),
            brand: &words.brand.name,
            controller,
            about: About::Consent {
                provider: &message.provider,
                link: &link,
                orders: &orders.join(", "),
                tlds: &tlds.join(", "),
                waits_until: &waits_until,
                elements: elements.iter().copied().collect(),
            },
        })?;
        let wording = wording(template)?;
        let mut groups = BTreeMap::new();
        for (group, elements) in &message.groups {
            groups.insert(token(group.as_str())?, elements.iter().copied().collect());
        }
        let (brand, language) = (token(name)?, token(language)?);
        let row = Asked {
            message: id.clone(),
            subject: message.subject,
            provider: provider.clone(),
            groups,
            brand: brand.clone(),
            language: language.clone(),
            template: wording.clone(),
            to: recipient(&key, registrant.email.reveal()),
            withdraw: words.brand.withdraw.and_then(Token::read),
            file: id.clone(),
            created: self.now,
        };
        let letter = ConsentMessage {
            schema: ConsentMessage::SCHEMA,
            schema_version: ConsentMessage::VERSION,
            message: id,
            subject: message.subject,
            provider,
            groups: row.groups.clone(),
            orders,
            brand,
            language,
            language_by,
            template: wording,
            to: registrant.email.reveal().to_owned(),
            subject_line: written.subject,
            body: written.body,
            created: self.now,
        };
        Ok(Some((letter, row)))
    }
}

fn token(text: &str) -> Result<Token> {
    Token::read(text).ok_or_else(|| unnamed(text.len()))
}

/// What is noted of a template.
fn wording(template: &Template) -> Result<Wording> {
    Ok(Wording { id: template.id.clone(), version: template.version.clone(), digest: token(&template.digest.to_string())? })
}

fn unnamed(len: usize) -> Box<Problem> {
    let what = format!("a name of {len} bytes does not fit into the book of messages");
    Problem::new("E-asking-005", crate::base::Blame::Us, what, "please report this")
}

/// What was made.
struct ConsentMade {
    messages: u64,
    file: Option<String>,
    removed: u64,
    waiting: u64,
}

fn shown(
    loaded: &Loaded,
    at: Timestamp,
    (triggers, orders): (&[Trigger<'_>], &Orders),
    drawn: &Drawn,
    failed: &BTreeSet<usize>,
    made: ConsentMade,
) -> ConsentAsked {
    let (mut asked, mut courses): (BTreeMap<&'static str, u64>, BTreeMap<String, u64>) = Default::default();
    let mut stuck = Vec::new();
    for (n, ((trigger, order), named)) in triggers.iter().zip(&drawn.orders).zip(&orders.orders).enumerate() {
        let word = if failed.contains(&n) { "not written" } else { order.asked.as_str() };
        *asked.entry(word).or_default() += 1;
        *courses.entry(order.course.as_str().to_owned()).or_default() += 1;
        if order.course == Course::Blocked && stuck.len() < TOLD {
            let knows = trigger.provider.is_some_and(|provider| loaded.config.asking.matrix.knows(provider));
            stuck.push(ConsentBlocked {
                order: trigger.order.to_owned(),
                registry: named.registry.to_string(),
                tld: trigger.tld.to_owned(),
                provider: trigger.provider.map(str::to_owned),
                why: blocked(trigger, order, knows),
            });
        }
    }
    let ConsentMade { messages, file, removed, waiting } = made;
    let orders = triggers.len() as u64;
    ConsentAsked { at, orders, asked, courses, messages, file, gathering: drawn.gathering, removed, waiting, blocked: stuck }
}

/// It for people.
fn as_text(out: &ConsentAsked) -> String {
    let counted = |all: Vec<(String, u64)>| all.into_iter().map(|(word, n)| format!("{n} {word}")).collect::<Vec<_>>().join(", ");
    let mut text = format!("{} orders: {}\n", out.orders, counted(out.asked.iter().map(|(word, n)| ((*word).to_owned(), *n)).collect()));
    text.push_str(&format!("meanwhile: {}\n", counted(out.courses.iter().map(|(word, n)| (word.clone(), *n)).collect())));
    for one in &out.blocked {
        let provider = one.provider.as_deref().unwrap_or("nobody");
        text.push_str(&format!("blocked: order {} (.{} at {}, through {provider}): {}\n", one.order, one.tld, one.registry, one.why));
    }
    if out.gathering > 0 {
        text.push_str(&format!("{} orders are gathered still: ask again in a minute\n", out.gathering));
    }
    if out.removed > 0 {
        text.push_str(&format!("{} messages were removed from the outbox: sent, or their subject erased\n", out.removed));
    }
    match &out.file {
        Some(file) => text.push_str(&format!("{} messages made, {} wait to be sent\n{file}", out.messages, out.waiting)),
        None => text.push_str(&format!("no message made, {} wait to be sent", out.waiting)),
    }
    text
}
