//! What holds at some time: a pure fold over the events of one subject and one purpose.
//!
//! Events count in the order of their times, whenever the ledger took them. One that cannot follow what stands is kept and told as
//! [`Irregular`]; where it takes something back it does so all the same, and where it grants something it grants nothing.

use super::record::{Element, Happening, Purpose, Record, Token};
use crate::base::Timestamp;
use serde::Serialize;

/// The state of a subject's consent (DPV's names). Accepted terms are no consent and stand beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody asked, and nobody said anything.
    #[default]
    Unknown,
    /// Asked, and not answered: silence is no consent.
    Requested,
    /// Given.
    Given,
    /// Refused.
    Refused,
    /// Given, and taken back.
    Withdrawn,
    /// Given for a time that is over.
    Expired,
    /// Given, and given again.
    Renewed,
}

impl State {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Requested => "requested",
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Renewed => "renewed",
        }
    }

    /// Whether there is consent.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Given | Self::Renewed)
    }
}

/// Terms of service that hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Terms {
    /// Their version; nothing where the event names none.
    pub version: Option<Token>,
    /// The event that accepted them.
    pub record: Token,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// An event that could not follow what stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Irregular {
    /// Which.
    pub record: Token,
    /// Why, and what came of it.
    pub what: &'static str,
}

/// What holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Standing {
    /// The state of the consent.
    pub state: State,
    /// The events that the state rests on: the consent and its renewals, or the one event that ended it.
    pub evidence: Vec<Token>,
    /// Which data the consent is for, sorted; all where none is named.
    pub elements: Vec<Element>,
    /// Until when the consent holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Accepted terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// The event that accepted terms which have expired since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lapsed: Option<Token>,
    /// The event that restricted processing, while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restricted: Option<Token>,
    /// The event that objected, while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objected: Option<Token>,
    /// A consent or an acceptance that is dated later than the time that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub later: Option<Token>,
    /// Events that could not follow what stood.
    pub irregular: Vec<Irregular>,
}

/// What holds at `at` for `purpose`, by the events of one subject in the order in which the ledger took them.
#[must_use]
pub fn fold(events: &[Record], purpose: Purpose, at: Timestamp) -> Standing {
    fold_of(events.iter().filter(|event| event.purpose.is_none_or(|p| p == purpose)), at)
}

/// What holds at `at` for one `group` of data that is given to a `provider`. An event that names no provider is of all of them, and one
/// that names no group is of all the provider's groups.
#[must_use]
pub fn fold_group(events: &[Record], provider: &str, group: Option<&str>, at: Timestamp) -> Standing {
    let is_of = |event: &&Record| {
        let is_purpose = event.purpose.is_none_or(|purpose| purpose == Purpose::ProviderData);
        let is_group = group.is_none_or(|group| event.group.as_ref().is_none_or(|own| own.as_str() == group));
        is_purpose && is_group && event.provider.as_ref().is_none_or(|own| own.as_str() == provider)
    };
    fold_of(events.iter().filter(is_of), at)
}

/// What `events` come to at `at`.
fn fold_of<'r>(events: impl Iterator<Item = &'r Record>, at: Timestamp) -> Standing {
    let mut events: Vec<&Record> = events.collect();
    events.sort_by_key(|event| event.at);
    let mut standing = Standing::default();
    for event in events {
        if event.at > at {
            if event.event.is_ground() && standing.later.is_none() {
                standing.later = Some(event.id.clone());
            }
            continue;
        }
        standing.pass(event.at);
        standing.take(event);
    }
    standing.pass(at);
    standing
}

impl Standing {
    /// Ends what does not hold any more at `at`.
    fn pass(&mut self, at: Timestamp) {
        let is_over = |expires: Option<Timestamp>| expires.is_some_and(|expires| expires <= at);
        if self.state.holds() && is_over(self.expires) {
            self.state = State::Expired;
        }
        if let Some(over) = self.terms.take_if(|terms| is_over(terms.expires)) {
            self.lapsed = Some(over.record);
        }
    }

    fn take(&mut self, event: &Record) {
        let mut odd = None;
        match event.event {
            // A request changes nothing about an answer that stands.
            Happening::Requested if matches!(self.state, State::Unknown | State::Expired) => self.settle(State::Requested, event),
            Happening::Requested => {}
            Happening::Given => self.grant(State::Given, event),
            Happening::Renewed if self.state.holds() => {
                let before = std::mem::take(&mut self.evidence);
                self.grant(State::Renewed, event);
                self.evidence.splice(0..0, before);
            }
            Happening::Renewed => odd = Some("renews a consent where none holds: it grants nothing"),
            Happening::Refused => {
                if self.state.holds() {
                    odd = Some("refuses what was given, which is a withdrawal: taken as a refusal");
                }
                self.settle(State::Refused, event);
                (self.terms, self.lapsed) = (None, None);
            }
            Happening::Withdrawn => {
                let was_there = self.state.holds() || self.state == State::Expired || self.terms.is_some() || self.lapsed.is_some();
                if !was_there {
                    odd = Some("withdraws where nothing was given: taken all the same");
                }
                self.settle(State::Withdrawn, event);
                (self.terms, self.lapsed) = (None, None);
            }
            Happening::TermsAccepted => {
                self.terms = Some(Terms { version: event.terms.clone(), record: event.id.clone(), expires: event.expires });
                self.lapsed = None;
            }
            Happening::Restricted | Happening::Objected => {
                let slot = if event.event == Happening::Restricted { &mut self.restricted } else { &mut self.objected };
                if slot.is_some() {
                    odd = Some("says what holds already: one that lifts it lifts both");
                } else {
                    *slot = Some(event.id.clone());
                }
            }
            Happening::RestrictionLifted | Happening::ObjectionLifted => {
                let slot = if event.event == Happening::RestrictionLifted { &mut self.restricted } else { &mut self.objected };
                if slot.take().is_none() {
                    odd = Some("lifts what does not hold: it changes nothing");
                }
            }
        }
        self.irregular.extend(odd.map(|what| Irregular { record: event.id.clone(), what }));
    }

    fn grant(&mut self, state: State, event: &Record) {
        self.settle(state, event);
        self.elements.clone_from(&event.elements);
        self.expires = event.expires;
    }

    fn settle(&mut self, state: State, event: &Record) {
        self.state = state;
        self.evidence = vec![event.id.clone()];
        self.elements.clear();
        self.expires = None;
    }
}
