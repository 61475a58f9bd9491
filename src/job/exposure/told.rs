//! The findings about exposure: their numbers, and what each rests on.

use crate::compliance::exposure::Seen;
use crate::model::{Confidence, Element, Finding, FindingSeverity, ObjectKind};
use crate::policy::SpecialKind;

/// What stands for the id of a finding about all objects of a registry.
pub(super) const ALL: &str = "*";

/// A numbered rule about exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// A role shows the registrant of a protected domain (RTR-4).
    RoleLeak,
    /// What stands in a protected registrant's place is not the provider's data, or nothing stands there (RTR-1).
    NoMask,
    /// The registrar's, a reseller's or a privacy provider's data where the registry wants the registrant's own (EUR-5).
    NotOwn,
    /// An organisation that is none (EUR-2).
    BlankOrganisation,
    /// Consent was given, and the registry still withholds the person (ENM-7).
    StillWithheld,
    /// Consent was withdrawn, and the registry still shows the person (ENM-7).
    StillShown,
    /// Data that nothing needs (GDP-9).
    Needless,
    /// Data of Art. 9 (GDP-16).
    Category,
    /// Data of Art. 10 (GDP-16).
    Criminal,
    /// Data of Art. 87 (GDP-16).
    NationalId,
    /// E-mail addresses that say who their person is (EUR-6).
    NamedMailbox,
    /// Contacts that share what one customer alone should have (ENM-18).
    Shared,
    /// A directory shows what was to be kept back.
    Shows,
    /// A directory keeps back what was to be public.
    Redacts,
}

impl Rule {
    /// Every rule, in the order of their numbers.
    const ALL: [Self; 14] = [
        Self::RoleLeak,
        Self::NoMask,
        Self::NotOwn,
        Self::BlankOrganisation,
        Self::StillWithheld,
        Self::StillShown,
        Self::Needless,
        Self::Category,
        Self::Criminal,
        Self::NationalId,
        Self::NamedMailbox,
        Self::Shared,
        Self::Shows,
        Self::Redacts,
    ];

    /// What it is about.
    const fn about(self) -> &'static str {
        match self {
            Self::RoleLeak => "a role shows a protected registrant (RTR-4)",
            Self::NoMask => "what stands in a protected registrant's place is not the provider's data (RTR-1)",
            Self::NotOwn => "somebody else's data where the registry wants the registrant's own (EUR-5)",
            Self::BlankOrganisation => "an organisation that names none (EUR-2)",
            Self::StillWithheld => "consent was given, and the registry still withholds the person (ENM-7)",
            Self::StillShown => "consent was withdrawn, and the registry still shows the person (ENM-7)",
            Self::Needless => "data that nothing needs (GDP-9)",
            Self::Category => "data of GDPR Art. 9 (GDP-16)",
            Self::Criminal => "data of GDPR Art. 10 (GDP-16)",
            Self::NationalId => "data of GDPR Art. 87 (GDP-16)",
            Self::NamedMailbox => "public addresses that name their person (EUR-6)",
            Self::Shared => "data that many customers share (ENM-18)",
            Self::Shows => "a directory shows what is to be kept back",
            Self::Redacts => "a directory redacts what is to be public",
        }
    }

    /// The rule for data that are specially protected.
    pub(super) const fn special(kind: SpecialKind) -> Self {
        match kind {
            SpecialKind::Category => Self::Category,
            SpecialKind::Criminal => Self::Criminal,
            SpecialKind::NationalId => Self::NationalId,
        }
    }

    /// Its stable number.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::RoleLeak => "R-exposure-001",
            Self::NoMask => "R-exposure-002",
            Self::NotOwn => "R-exposure-003",
            Self::BlankOrganisation => "R-exposure-004",
            Self::StillWithheld => "R-exposure-005",
            Self::StillShown => "R-exposure-006",
            Self::Needless => "R-exposure-007",
            Self::Category => "R-exposure-008",
            Self::Criminal => "R-exposure-009",
            Self::NationalId => "R-exposure-010",
            Self::NamedMailbox => "R-exposure-011",
            Self::Shared => "R-exposure-012",
            Self::Shows => "R-exposure-013",
            Self::Redacts => "R-exposure-014",
        }
    }

    const fn severity(self) -> FindingSeverity {
        match self {
            Self::RoleLeak | Self::NoMask | Self::NotOwn | Self::StillShown | Self::Shows => FindingSeverity::Error,
            _ => FindingSeverity::Warning,
        }
    }

    /// Whether it is a heuristic.
    const fn is_heuristic(self) -> bool {
        matches!(self, Self::NamedMailbox | Self::Shared)
    }

    const fn source(self) -> &'static str {
        match self {
            Self::RoleLeak | Self::NoMask => "the service that was sold: the provider's data in the registrant's place",
            Self::NotOwn => "the registry's policy: the registrant's own data",
            Self::BlankOrganisation => "an organisation decides whether its contact is a natural person",
            Self::StillWithheld | Self::StillShown => "GDPR Art. 7(3) and Art. 5(1)(d), and the records of consent",
            Self::Needless => "GDPR Art. 5(1)(c)",
            Self::Category => "GDPR Art. 9(1)",
            Self::Criminal => "GDPR Art. 10",
            Self::NationalId => "GDPR Art. 87",
            Self::NamedMailbox => "GDPR Art. 25(1); a heuristic over names",
            Self::Shared => "GDPR Art. 5(1)(d); a heuristic over what contacts share",
            Self::Shows | Self::Redacts => "RFC 9083 §5.1 and RFC 9537 §4.2",
        }
    }

    /// A finding by this rule.
    pub(super) fn told(self, registry: &str, at: (ObjectKind, &str), field: impl Into<Box<str>>, what: impl Into<Box<str>>) -> Finding {
        let confidence = if self.is_heuristic() { Confidence::Guess } else { Confidence::Seen };
        Finding::of(self.id(), (self.severity(), self.source(), confidence), registry, at, field, what)
    }
}

/// What the rule of that number is about.
pub(super) fn about(id: &str) -> &'static str {
    Rule::ALL.into_iter().find(|rule| rule.id() == id).map_or("", Rule::about)
}

/// What a directory's contradiction is told as.
pub(super) fn contradiction(rule: Rule, element: Element, promised: Seen) -> String {
    let promised = promised.as_str();
    match rule {
        Rule::Shows => format!("an RDAP answer shows the {element}, which is to be kept back ({promised})"),
        _ => format!("an RDAP answer redacts the {element}, which is to be public ({promised})"),
    }
}

#[cfg(test)]
mod tests {
    use super::Rule;
    use crate::compliance::oversight::OversightPack;
    use crate::policy::SpecialKind;

    #[test]
    fn whatever_suspects_people_is_among_the_scores_that_oversight_explains() {
        let pack = OversightPack::embedded().expect("the embedded pack");
        let special = SpecialKind::ALL.map(Rule::special);
        let suspect = Rule::ALL.into_iter().filter(|rule| rule.is_heuristic() || special.contains(rule)).map(Rule::id);
        let (explained, silent): (Vec<&str>, Vec<&str>) = suspect.partition(|rule| pack.score(rule).is_some());
        assert!(silent.is_empty() && explained.len() >= 5, "{silent:?}");
        // And nothing is explained that is no rule of this report.
        let named = pack.scores.iter().flat_map(|score| &score.rules).filter(|rule| rule.starts_with("R-exposure"));
        assert_eq!(named.count(), explained.len());
    }
}
