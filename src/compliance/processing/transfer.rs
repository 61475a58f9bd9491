//! Whether data may go to a recipient (GDPR Art. 44 to 49): one answer for every sheet that asks.

use super::build::Recipient;
use super::pack::{Mechanism, MechanismKind, RecordPack};
use jiff::civil::Date;

/// What covers a transfer; what is worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cover {
    /// A mechanism is declared that is none any more: the record must not be published so.
    Void,
    /// Nothing that is declared.
    Nothing,
    /// A mechanism that is none any more, kept with a reason.
    Overridden,
    /// Nobody declared where the recipient is.
    Unknown,
    /// Another mechanism than a decision (Art. 46, 49).
    Other,
    /// A decision on adequacy (Art. 45).
    Decision,
    /// It needs none: the recipient is in the European Economic Area.
    Within,
}

impl Cover {
    /// The words in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Void => "not covered: void mechanism",
            Self::Nothing => "not covered",
            Self::Overridden => "overridden with a reason",
            Self::Unknown => "country not declared",
            Self::Other => "other mechanism",
            Self::Decision => "decision",
            Self::Within => "none needed",
        }
    }

    /// Whether the transfer rests on something that holds.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Other | Self::Decision | Self::Within)
    }
}

impl RecordPack {
    /// What covers the transfer to `recipient` on `day`, and by what, or why nothing does.
    #[must_use]
    pub fn cover(&self, recipient: &Recipient, day: Date) -> (Cover, String) {
        let declared = recipient.mechanism.as_deref();
        let known = declared.and_then(|id| self.mechanisms.iter().find(|one| &*one.id == id));
        // What is annulled is told wherever the recipient is: whoever declared it did not look.
        if let Some(void) = known.filter(|one| one.is_void(day)) {
            let why = format!("`{}` is no mechanism since {}: {}", void.id, void.void_from.unwrap_or_default(), void.citation);
            return match &void.override_reason {
                Some(reason) => (Cover::Overridden, format!("{why}; the record pack takes it for one, because: {reason}")),
                None if recipient.overridden => {
                    (Cover::Overridden, format!("{why}; kept all the same, the reason stands in the {}", recipient.source))
                }
                None => (Cover::Void, why),
            };
        }
        let Some(country) = recipient.country.as_deref() else {
            return (Cover::Unknown, "declare its country: `privet recipient add`".to_owned());
        };
        if !self.adequacy.is_third(country) {
            return (Cover::Within, "European Economic Area".to_owned());
        }
        let nothing = |why: String| (Cover::Nothing, why);
        let kind = known.map(|one| one.kind);
        let shows = known.is_none_or(|one| one.shows_scope);
        match (self.adequacy.decision(country, day), declared, &recipient.evidence) {
            (_, Some(id), _) if known.is_none() => nothing(format!("the record pack knows no mechanism `{id}`")),
            (Some(("all", citation)), ..) => (Cover::Decision, citation.to_owned()),
            // Evidence is of what was declared: of clauses it shows nothing about a decision.
            (Some((scope, citation)), _, Some(evidence)) if shows => {
                (Cover::Decision, format!("{citation}, for {scope}; shown by {evidence}"))
            }
            (Some((scope, citation)), ..) if matches!(kind, None | Some(MechanismKind::Decision)) => {
                nothing(format!("{citation} is for {scope}, and nothing shows that it is"))
            }
            (None, ..) if matches!(kind, None | Some(MechanismKind::Decision)) => {
                nothing("no decision, and no other mechanism is declared".to_owned())
            }
            _ if kind == Some(MechanismKind::None) => nothing("declared as if none were needed".to_owned()),
            _ => (Cover::Other, known.map_or_else(String::new, |one| format!("{} ({})", one.id, one.citation))),
        }
    }
}

impl Mechanism {
    /// Whether it is none on `day`.
    fn is_void(&self, day: Date) -> bool {
        self.void_from.is_some_and(|from| from <= day)
    }
}
