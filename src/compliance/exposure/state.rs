//! Who sees a datum, and by what.

use crate::model::Element;
use serde::{Deserialize, Serialize};

/// Who sees a datum and by what, the least visible first: of several contacts in one role the most visible one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// There is no such datum.
    #[default]
    Absent,
    /// Nobody, by the registry's rule.
    Withheld,
    /// Nobody, by what the contact carries: consent that is not there, a disclose statement, a restriction.
    OptedOut,
    /// The older service's data stand in its place.
    MaskedV1,
    /// The provider's data stand in its place.
    MaskedV2,
    /// What stands there says only that the true one is withheld.
    Placeholder,
    /// Whoever shows a legitimate interest, by the registry's rule.
    Gated,
    /// Nobody knows: the registry's rule was not read.
    Unknown,
    /// Everybody, by consent or a disclose statement.
    OptedIn,
    /// Everybody, by the registry's rule.
    Public,
    /// It is shown, though a service that is paid for hides it.
    Leak,
}

impl Seen {
    /// Every state, the least visible first.
    pub const ALL: [Self; 11] = [
        Self::Absent,
        Self::Withheld,
        Self::OptedOut,
        Self::MaskedV1,
        Self::MaskedV2,
        Self::Placeholder,
        Self::Gated,
        Self::Unknown,
        Self::OptedIn,
        Self::Public,
        Self::Leak,
    ];

    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Withheld => "withheld",
            Self::OptedOut => "opted-out",
            Self::MaskedV1 => "masked-v1",
            Self::MaskedV2 => "masked-v2",
            Self::Placeholder => "placeholder",
            Self::Gated => "gated",
            Self::Unknown => "unknown",
            Self::OptedIn => "opted-in",
            Self::Public => "public",
            Self::Leak => "leak",
        }
    }

    /// Whether everybody sees it, whatever for.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::OptedIn | Self::Public | Self::Leak)
    }

    /// Whether the public was promised not to see it.
    #[must_use]
    pub const fn is_kept_back(self) -> bool {
        matches!(self, Self::Withheld | Self::OptedOut | Self::MaskedV1 | Self::MaskedV2 | Self::Placeholder | Self::Gated | Self::Leak)
    }

    /// What it is where a service hides the person and this shows it all the same.
    #[must_use]
    pub const fn leaking(self) -> Self {
        match self {
            Self::Gated | Self::Unknown | Self::OptedIn | Self::Public => Self::Leak,
            other => other,
        }
    }
}

/// Who sees each element of a contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exposure([Seen; Element::ALL.len()]);

impl Exposure {
    /// An exposure, element by element.
    pub fn of(seen: impl Fn(Element) -> Seen) -> Self {
        let mut out = Self::default();
        for (slot, element) in out.0.iter_mut().zip(Element::ALL) {
            *slot = seen(*element);
        }
        out
    }

    /// Who sees `element`.
    #[must_use]
    pub fn get(&self, element: Element) -> Seen {
        self.0.get(element.at()).copied().unwrap_or_default()
    }

    /// Each element with who sees it.
    pub fn iter(&self) -> impl Iterator<Item = (Element, Seen)> {
        Element::ALL.iter().copied().zip(self.0)
    }

    /// The most visible of both, element by element.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self::of(|element| self.get(element).max(other.get(element)))
    }

    /// The same, with each state turned into another.
    #[must_use]
    pub fn map(&self, turn: impl Fn(Seen) -> Seen) -> Self {
        Self::of(|element| turn(self.get(element)))
    }

    /// Whether there is nothing at all.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0.iter().all(|seen| *seen == Seen::Absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_stand_in_the_order_of_their_visibility_and_are_called_as_they_are_written() {
        assert!(Seen::ALL.is_sorted());
        for seen in Seen::ALL {
            assert_eq!(serde_json::to_value(seen).expect("a word"), seen.as_str());
            assert!(!(seen.is_kept_back() && matches!(seen, Seen::OptedIn | Seen::Public)), "{seen:?}");
            assert_eq!(seen.leaking().leaking(), seen.leaking());
        }
    }

    #[test]
    fn of_two_the_more_visible_one_counts() {
        let one = Exposure::of(|e| if e == Element::Email { Seen::Public } else { Seen::Withheld });
        let other = Exposure::of(|e| if e == Element::Fax { Seen::Absent } else { Seen::Gated });
        let both = one.or(&other);
        assert_eq!(both, other.or(&one));
        assert_eq!(
            (both.get(Element::Email), both.get(Element::Name), both.get(Element::Fax)),
            (Seen::Public, Seen::Gated, Seen::Withheld)
        );
        assert!(Exposure::default().is_absent() && !both.is_absent());
    }
}
