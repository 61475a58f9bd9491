//! Whether what a subject said is enough for a purpose.

use super::fold::{Standing, State, fold};
use super::record::{Element, Purpose, Record, Token};
use crate::base::Timestamp;
use serde::Serialize;

/// What an operation rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Explicit consent (GDPR Art. 6(1)(a)).
    Consent,
    /// Accepted terms of service (Art. 6(1)(b)), with their version where it is known.
    Terms(Option<Token>),
}

/// Why something may not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Nothing is recorded.
    Nothing,
    /// The consent was given for a time that is over.
    Expired,
    /// There is consent, for another purpose.
    OtherPurpose,
    /// The consent is dated later.
    DatedLater,
    /// The consent was withdrawn.
    Withdrawn,
    /// The consent was refused.
    Refused,
    /// The subject was asked and has not answered.
    Unanswered,
    /// The subject restricted processing.
    Restricted,
    /// The subject objected.
    Objected,
    /// There are accepted terms where only consent is enough.
    TermsOnly,
}

impl Rule {
    /// Every rule, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Nothing,
        Self::Expired,
        Self::OtherPurpose,
        Self::DatedLater,
        Self::Withdrawn,
        Self::Refused,
        Self::Unanswered,
        Self::Restricted,
        Self::Objected,
        Self::TermsOnly,
    ];

    /// Its stable number.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Nothing => "R-consent-001",
            Self::Expired => "R-consent-002",
            Self::OtherPurpose => "R-consent-003",
            Self::DatedLater => "R-consent-004",
            Self::Withdrawn => "R-consent-005",
            Self::Refused => "R-consent-006",
            Self::Unanswered => "R-consent-007",
            Self::Restricted => "R-consent-008",
            Self::Objected => "R-consent-009",
            Self::TermsOnly => "R-consent-010",
        }
    }

    /// What it says.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nothing => "neither consent nor accepted terms are recorded",
            Self::Expired => "the recorded consent has expired",
            Self::OtherPurpose => "what is recorded is for another purpose",
            Self::DatedLater => "the recorded consent is dated later than this change",
            Self::Withdrawn => "the consent was withdrawn",
            Self::Refused => "the consent was refused",
            Self::Unanswered => "consent was asked for and not answered; silence is none",
            Self::Restricted => "the registrant restricted processing (GDPR Art. 18)",
            Self::Objected => "the registrant objected (GDPR Art. 21)",
            Self::TermsOnly => "accepted terms are not enough to publish a person: that takes explicit consent",
        }
    }
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allowed {
        /// What it rests on.
        basis: Basis,
        /// The events that prove it.
        evidence: Vec<Token>,
        /// With which data, sorted; all where none is named.
        elements: Vec<Element>,
    },
    /// It may not. That is no error: what is blocked is listed.
    Blocked {
        /// Why.
        rule: Rule,
        /// The events that say so; none where nothing was said.
        evidence: Vec<Token>,
    },
}

impl Decision {
    /// Whether it may be done.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// The rule that blocks it.
    #[must_use]
    pub const fn rule(&self) -> Option<Rule> {
        match self {
            Self::Allowed { .. } => None,
            Self::Blocked { rule, .. } => Some(*rule),
        }
    }

    /// That nothing is recorded: what holds for whom the ledger does not know.
    #[must_use]
    pub const fn nothing() -> Self {
        Self::Blocked { rule: Rule::Nothing, evidence: Vec::new() }
    }
}

/// Decides by the events of one subject whether its data may be used for `purpose` at `at`. Who asks for [`Purpose::Publication`] asks
/// about a natural person; an organisation's data need no consent.
#[must_use]
pub fn decide(events: &[Record], purpose: Purpose, at: Timestamp) -> Decision {
    let standing = fold(events, purpose, at);
    let decision = of_standing(standing, purpose);
    let said_nothing = decision.rule() == Some(Rule::Nothing);
    if said_nothing {
        let others = Purpose::ALL.iter().filter(|other| **other != purpose).map(|other| fold(events, *other, at));
        if let Some(evidence) = others.into_iter().find_map(grounds) {
            return Decision::Blocked { rule: Rule::OtherPurpose, evidence };
        }
    }
    decision
}

/// The events on which something rests, where something does.
fn grounds(standing: Standing) -> Option<Vec<Token>> {
    match standing.terms {
        _ if standing.state.holds() => Some(standing.evidence),
        terms => terms.map(|terms| vec![terms.record]),
    }
}

fn of_standing(standing: Standing, purpose: Purpose) -> Decision {
    let Standing { state, evidence, elements, terms, lapsed, restricted, objected, later, .. } = standing;
    let blocked = |rule, evidence| Decision::Blocked { rule, evidence };
    if let Some(record) = restricted {
        return blocked(Rule::Restricted, vec![record]);
    }
    if let Some(record) = objected {
        return blocked(Rule::Objected, vec![record]);
    }
    if state.holds() {
        return Decision::Allowed { basis: Basis::Consent, evidence, elements };
    }
    let terms_are_enough = purpose != Purpose::Publication;
    match (state, terms, later) {
        (_, Some(terms), _) if terms_are_enough => {
            Decision::Allowed { basis: Basis::Terms(terms.version), evidence: vec![terms.record], elements: Vec::new() }
        }
        (State::Withdrawn, ..) => blocked(Rule::Withdrawn, evidence),
        (State::Refused, ..) => blocked(Rule::Refused, evidence),
        (_, _, Some(later)) => blocked(Rule::DatedLater, vec![later]),
        (State::Expired, ..) => blocked(Rule::Expired, evidence),
        (_, Some(terms), _) => blocked(Rule::TermsOnly, vec![terms.record]),
        (State::Requested, ..) => blocked(Rule::Unanswered, evidence),
        _ if terms_are_enough && lapsed.is_some() => blocked(Rule::Expired, lapsed.into_iter().collect()),
        (State::Unknown | State::Given | State::Renewed, ..) => blocked(Rule::Nothing, evidence),
    }
}
