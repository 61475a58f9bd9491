//! Who is to be asked for what, by the orders and by what was asked and answered before. Pure: it reads no store and no clock.

use super::matrix::{BasisMatrix, Course, Group, Person, Process, course};
use super::{GATHERED, Sent, is_asked, lapses};
use crate::base::Timestamp;
use crate::compliance::fold::{State, fold_group};
use crate::compliance::record::{Element, Record, Token};
use crate::compliance::subjects::Subject;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// An order, with what its registrant's record says.
#[derive(Clone, Debug)]
pub struct Trigger<'a> {
    /// The order's number.
    pub order: &'a str,
    /// The provider; nothing where none is named.
    pub provider: Option<&'a str>,
    /// What stands behind the first dot of the name.
    pub tld: &'a str,
    /// When it was ordered.
    pub at: Timestamp,
    /// Whether it is to be carried out still.
    pub open: bool,
    /// The registrant; nothing where nobody can be told by its record.
    pub subject: Option<Subject>,
    /// What kind of person it is.
    pub person: Person,
    /// The kinds of data that its record holds.
    pub elements: BTreeSet<Element>,
    /// The brand, where the order names one.
    pub brand: Option<&'a str>,
    /// The language, where the order names one.
    pub language: Option<&'a str>,
}

/// Why nobody is asked because of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unasked {
    /// Somebody is: a message is made, or is gathered.
    Asked,
    /// Nothing is taken by consent.
    Nothing,
    /// It was asked before, or is in a message that waits to be sent.
    Before,
    /// It was answered.
    Answered,
    /// The provider informs.
    Standard,
    /// It is not known how such names are registered, or by what such data are taken, or who provides.
    Unknown,
    /// Nobody can be told by the registrant's record.
    Nobody,
    /// The registrant restricted processing, or objected (GDPR Art. 18 and 21).
    Restricted,
    /// The order is dated later than now.
    Later,
    /// It lapsed.
    Lapsed,
}

impl Unasked {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Nothing => "nothing to ask",
            Self::Before => "asked before",
            Self::Answered => "answered",
            Self::Standard => "the provider informs",
            Self::Unknown => "not known",
            Self::Nobody => "nobody can be told",
            Self::Restricted => "restricted",
            Self::Later => "dated later",
            Self::Lapsed => "lapsed",
        }
    }
}

/// What becomes of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderCourse {
    /// How such names are registered.
    pub process: Option<Process>,
    /// The group of its data; nothing where a basis is not known.
    pub group: Option<Group>,
    /// What is taken by consent.
    pub consent: BTreeSet<Element>,
    /// What is sent with no basis that is known.
    pub blocked: BTreeSet<Element>,
    /// How the consent stands.
    pub state: State,
    /// The events that it stands on.
    pub evidence: Vec<Token>,
    /// What the order does meanwhile.
    pub course: Course,
    /// The first moment at which it has waited too long, where it waits.
    pub until: Option<Timestamp>,
    /// Whether somebody is asked because of it, or why not.
    pub asked: Unasked,
}

/// A message to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who is asked.
    pub subject: Subject,
    /// For which provider.
    pub provider: Box<str>,
    /// For which groups, with what is asked for.
    pub groups: BTreeMap<Group, BTreeSet<Element>>,
    /// The first of its triggers.
    pub first: Timestamp,
    /// The positions of its triggers, the first one's first.
    pub triggers: Vec<usize>,
    /// The last day on which an order of it waits.
    pub waits_until: Option<Date>,
}

/// What there is to be done.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    /// What becomes of each order, in their order.
    pub orders: Vec<OrderCourse>,
    /// The messages to be made, by subject, provider and time.
    pub messages: Vec<Message>,
    /// Orders whose message is gathered still: its minute is not over.
    pub gathering: u64,
}

/// What was asked, by provider and by subject.
pub type Before = BTreeMap<Box<str>, BTreeMap<Subject, Vec<Sent>>>;

/// What all orders are judged by.
pub struct Judging<'a> {
    /// The matrix.
    pub matrix: &'a BasisMatrix,
    /// By whose days an order waits.
    pub zone: &'a TimeZone,
    /// As of when.
    pub now: Timestamp,
    /// The events of a subject.
    pub events: &'a dyn Fn(Subject) -> &'a [Record],
    /// What was asked, and what waits to be sent.
    pub sent: &'a Before,
}

impl Judging<'_> {
    /// What becomes of an order.
    #[must_use]
    pub fn order(&self, trigger: &Trigger<'_>) -> OrderCourse {
        let today = self.now.to_zoned(TimeZone::UTC).date();
        let provider = trigger.provider.unwrap_or_default();
        let process = self.matrix.process(provider, trigger.tld, today);
        let policy = self.matrix.policy(provider, today);
        let grouped = self.matrix.group((provider, trigger.tld), trigger.person, &trigger.elements, today);
        let (group, consent, blocked) = match grouped {
            Ok((group, consent)) => (Some(group), consent, BTreeSet::new()),
            Err(blocked) => (None, BTreeSet::new(), blocked),
        };
        let standing = match (trigger.subject, &group) {
            (Some(subject), Some(group)) => fold_group((self.events)(subject), provider, Some(group.as_str()), self.now),
            (Some(subject), None) => fold_group((self.events)(subject), provider, None, self.now),
            (None, _) => crate::compliance::fold::Standing::default(),
        };
        let until = lapses(trigger.at, self.zone);
        let is_over = trigger.open && until.is_some_and(|end| self.now >= end);
        let is_known = process.is_some() && policy.is_some() && group.is_some();
        let needs = is_known && !consent.is_empty();
        let course = match process {
            // What the provider registers in its own way it informs about, too.
            Some(Process::Standard) => Course::ProviderInforms,
            _ if !is_known => Course::Blocked,
            _ if !needs => Course::Whole,
            process => course(process, standing.state, is_over),
        };
        let is_restricted = standing.restricted.is_some() || standing.objected.is_some();
        let asked = match (course, standing.state) {
            _ if trigger.at > self.now => Unasked::Later,
            (Course::ProviderInforms, _) => Unasked::Standard,
            (Course::Blocked, _) => Unasked::Unknown,
            _ if !needs => Unasked::Nothing,
            (Course::Lapses, State::Unknown | State::Requested) => Unasked::Lapsed,
            _ if trigger.subject.is_none() => Unasked::Nobody,
            _ if is_restricted => Unasked::Restricted,
            (_, State::Given | State::Renewed | State::Refused | State::Withdrawn) => Unasked::Answered,
            (_, State::Requested) => Unasked::Before,
            _ => Unasked::Asked,
        };
        let is_waiting = matches!(course, Course::Waits | Course::Lapses) && trigger.open;
        OrderCourse {
            process,
            group,
            consent,
            blocked,
            state: standing.state,
            evidence: standing.evidence,
            course,
            until: until.filter(|_| is_waiting),
            asked,
        }
    }

    /// Draws the messages of `triggers`, which are in the order of their times.
    #[must_use]
    pub fn draw(&self, triggers: &[Trigger<'_>]) -> Drawn {
        let today = self.now.to_zoned(TimeZone::UTC).date();
        let mut drawn = Drawn { orders: triggers.iter().map(|trigger| self.order(trigger)).collect(), ..Drawn::default() };
        let mut waiting: BTreeMap<(Subject, &str), Vec<usize>> = BTreeMap::new();
        for (n, (trigger, order)) in triggers.iter().zip(&drawn.orders).enumerate() {
            if let (Unasked::Asked, Some(subject), Some(provider)) = (order.asked, trigger.subject, trigger.provider) {
                waiting.entry((subject, provider)).or_default().push(n);
            }
        }
        for ((subject, provider), all) in waiting {
            let Some(policy) = self.matrix.policy(provider, today) else { continue };
            let mut sent: Vec<Sent> = self.sent.get(provider).and_then(|all| all.get(&subject)).cloned().unwrap_or_default();
            let mut message: Option<Message> = None;
            for n in all {
                let (Some(trigger), Some(order)) = (triggers.get(n), drawn.orders.get_mut(n)) else { continue };
                let Some(group) = order.group.clone() else { continue };
                let is_joined = message.as_ref().is_some_and(|open| trigger.at.duration_since(open.first) < GATHERED);
                if !is_joined {
                    self.close(message.take(), &mut sent, &mut drawn.messages, &mut drawn.gathering);
                }
                if !is_asked(policy, &sent, subject, &group) {
                    order.asked = Unasked::Before;
                    continue;
                }
                let open = message.get_or_insert_with(|| Message {
                    subject,
                    provider: provider.into(),
                    groups: BTreeMap::new(),
                    first: trigger.at,
                    triggers: Vec::new(),
                    waits_until: None,
                });
                open.groups.insert(group, order.consent.clone());
                open.triggers.push(n);
                let last = order.until.and_then(|end| end.to_zoned(self.zone.clone()).date().yesterday().ok());
                open.waits_until = [open.waits_until, last].into_iter().flatten().min();
            }
            self.close(message.take(), &mut sent, &mut drawn.messages, &mut drawn.gathering);
        }
        drawn
    }

    /// Ends a message: it is made once its minute is over, and until then nobody else's.
    fn close(&self, message: Option<Message>, sent: &mut Vec<Sent>, messages: &mut Vec<Message>, gathering: &mut u64) {
        let Some(message) = message else { return };
        sent.extend(message.groups.keys().map(|group| Sent { at: message.first, subject: message.subject, group: group.clone() }));
        if self.now.duration_since(message.first) >= GATHERED {
            messages.push(message);
        } else {
            *gathering += message.triggers.len() as u64;
        }
    }
}
