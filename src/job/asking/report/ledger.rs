//! What the ledger and the book of messages tell: what is amiss with them, and what came of asking.

use super::super::super::config::Loaded;
use super::super::requested;
use super::{days, rules};
use crate::base::{Result, Timestamp};
use crate::compliance::asking::{Messages, Policy, duplicates};
use crate::compliance::{Happening, Ledger, Purpose, Record, Standing, State, Subject, Token, fold_group};
use crate::report::{ConsentBook, ConsentFinding, ConsentFunnel, ConsentRule, FEW};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};

/// Funnels: of all, by provider and group, and by country.
type Funnels = (ConsentFunnel, BTreeMap<(String, String), ConsentFunnel>, BTreeMap<String, ConsentFunnel>);

/// What there is to tell of.
pub(super) struct Told<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) ledger: &'a Ledger<'a>,
    pub(super) messages: &'a Messages,
    pub(super) at: Timestamp,
}

impl Told<'_> {
    /// Tells what is amiss.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn amiss(&self, book: &mut ConsentBook<'_>) -> Result<()> {
        let on = self.at.to_zoned(TimeZone::UTC).date();
        let asked = requested(self.ledger);
        for (provider, sent) in asked.iter().flat_map(|(provider, all)| all.values().map(move |sent| (provider, sent))) {
            let Some(policy) = self.loaded.config.asking.matrix.policy(provider, on) else { continue };
            let mut sent = sent.clone();
            sent.sort();
            if policy == Policy::OncePerFingerprint {
                // One message asks for several groups at once.
                sent.dedup_by_key(|one| one.at);
            }
            for twice in duplicates(policy, &sent) {
                let subject = twice.subject.to_string();
                let what = format!("asked once more at {}", twice.at);
                Self::tell(book, rules::TWICE, ("subject", &subject), (Some(&**provider), Some(twice.group.as_str())), what)?;
            }
        }
        for sent in self.messages.sent().filter(|sent| !sent.own) {
            let provider = self.messages.made(&sent.message).map(|made| made.provider.as_str());
            let what = format!("sent elsewhere at {}", sent.at);
            Self::tell(book, rules::ELSEWHERE, ("message", sent.message.as_str()), (provider, None), what)?;
        }
        for subject in self.ledger.subjects() {
            let events = self.ledger.events(subject);
            let name = subject.to_string();
            for purpose in Purpose::OF_CHANGES {
                let standing = self.ledger.standing(subject, *purpose, self.at);
                Self::proof(book, (&name, events), (None, purpose.as_str(), None), &standing)?;
            }
            for (provider, group) in self.ledger.given_to(subject) {
                let group = group.as_ref().map(Token::as_str);
                let standing = fold_group(events, provider.as_str(), group, self.at);
                Self::proof(book, (&name, events), (Some(provider.as_str()), Purpose::ProviderData.as_str(), group), &standing)?;
                let Some(life) = self.loaded.config.asking.matrix.link_days(provider.as_str(), on) else { continue };
                let asked = events.iter().filter(|event| standing.evidence.contains(&event.id)).map(|event| event.at).max();
                let ago = asked.filter(|_| standing.state == State::Requested).map(|at| days(at, self.at));
                if let Some(ago) = ago.filter(|ago| *ago > i64::from(life)) {
                    let what = format!("asked {ago} days ago; the link lived for {life}");
                    Self::tell(book, rules::DEAD_LINK, ("subject", &name), (Some(provider.as_str()), group), what)?;
                }
            }
        }
        Ok(())
    }

    /// Tells of a consent that holds without its proof.
    fn proof(
        book: &mut ConsentBook<'_>,
        (subject, events): (&str, &[Record]),
        (provider, purpose, group): (Option<&str>, &str, Option<&str>),
        standing: &Standing,
    ) -> Result<()> {
        if !standing.state.holds() {
            return Ok(());
        }
        let grounds = events.iter().filter(|event| standing.evidence.contains(&event.id));
        let bare = grounds.filter(|event| event.method.is_none() || event.notice.is_none()).map(|event| event.id.as_str());
        let bare: Vec<&str> = bare.collect();
        if bare.is_empty() {
            return Ok(());
        }
        let what = format!("for {purpose}: the events {} tell no method, or no notice", bare.join(" "));
        Self::tell(book, rules::NO_PROOF, ("subject", subject), (provider, group), what)
    }

    fn tell(
        book: &mut ConsentBook<'_>,
        rule: ConsentRule,
        (object, id): (&'static str, &str),
        (provider, group): (Option<&str>, Option<&str>),
        what: String,
    ) -> Result<()> {
        book.finding(&ConsentFinding { rule, object, id, registry: None, provider, group, what })
    }

    /// What came of asking. A person who was asked for several groups counts once in each of them, and once in all: as giving where one
    /// consent holds.
    pub(super) fn funnels(&self, country_of: &HashMap<Subject, String>) -> Funnels {
        let mut groups: BTreeMap<(String, String), (ConsentFunnel, Vec<u64>)> = BTreeMap::new();
        let mut countries: BTreeMap<String, (ConsentFunnel, Vec<u64>)> = BTreeMap::new();
        let mut all = (ConsentFunnel::default(), Vec::new());
        for subject in self.ledger.subjects() {
            let events = self.ledger.events(subject);
            let (mut states, mut first) = (Vec::new(), None);
            for (provider, group) in self.ledger.given_to(subject) {
                let Some(group) = group else { continue };
                let asked =
                    events.iter().filter(|event| is_request(event, &provider, &group) && event.at <= self.at).map(|event| event.at).min();
                let Some(asked) = asked else { continue };
                let state = fold_group(events, provider.as_str(), Some(group.as_str()), self.at).state;
                let answered =
                    events.iter().filter(|event| is_answer(event, &provider, &group, asked, self.at)).map(|event| event.at).min();
                let hours = answered.map(|at| hours(asked, at));
                let (funnel, waited) = groups.entry((provider.to_string(), group.to_string())).or_default();
                count(funnel, state);
                waited.extend(hours);
                states.push(state);
                first = [first, hours].into_iter().flatten().min();
            }
            let Some(state) = states.into_iter().max_by_key(|state| weight(*state)) else { continue };
            let country = country_of.get(&subject).cloned().unwrap_or_else(|| "unknown".to_owned());
            for (funnel, waited) in [&mut all, countries.entry(country).or_default()] {
                count(funnel, state);
                waited.extend(first);
            }
        }
        let done = |(funnel, waited): (ConsentFunnel, Vec<u64>)| ConsentFunnel { hours: median(waited), ..funnel };
        (
            done(all),
            groups.into_iter().map(|(key, one)| (key, done(one))).collect(),
            countries.into_iter().map(|(key, one)| (key, done(one))).collect(),
        )
    }
}

fn is_request(event: &Record, provider: &Token, group: &Token) -> bool {
    event.event == Happening::Requested && event.provider.as_ref() == Some(provider) && event.group.as_ref() == Some(group)
}

/// Whether an event answers what was asked at a time.
fn is_answer(event: &Record, provider: &Token, group: &Token, asked: Timestamp, now: Timestamp) -> bool {
    let is_of = event.provider.as_ref() == Some(provider) && event.group.as_ref().is_none_or(|own| own == group);
    is_of && matches!(event.event, Happening::Given | Happening::Refused) && (asked..=now).contains(&event.at)
}

/// Hours that have begun between two times.
fn hours(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or_default().div_ceil(3600)
}

/// What counts where a person said several things.
const fn weight(state: State) -> u8 {
    match state {
        State::Given | State::Renewed => 4,
        State::Withdrawn => 3,
        State::Refused => 2,
        State::Expired => 1,
        State::Unknown | State::Requested => 0,
    }
}

fn count(funnel: &mut ConsentFunnel, state: State) {
    funnel.asked += 1;
    match state {
        State::Given | State::Renewed => funnel.given += 1,
        State::Refused => funnel.refused += 1,
        State::Withdrawn => funnel.withdrawn += 1,
        State::Expired => funnel.expired += 1,
        State::Unknown | State::Requested => {}
    }
}

/// The lower of the middle ones; nothing where fewer than five answered.
fn median(mut all: Vec<u64>) -> Option<u64> {
    all.sort_unstable();
    let middle = all.len().checked_sub(1)? / 2;
    all.get(middle).copied().filter(|_| all.len() as u64 >= FEW)
}
