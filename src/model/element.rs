//! The kinds of data that a contact consists of.

use std::fmt;

/// A kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Element {
    /// First and last name.
    Name,
    /// The organisation.
    Organisation,
    /// The street.
    Street,
    /// The city.
    City,
    /// The state or province.
    State,
    /// The postal code.
    PostalCode,
    /// The country.
    Country,
    /// The telephone number.
    Voice,
    /// The facsimile number.
    Fax,
    /// The e-mail address.
    Email,
}

impl Element {
    /// Every word.
    pub const ALL: &'static [Self] = &[
        Self::Name,
        Self::Organisation,
        Self::Street,
        Self::City,
        Self::State,
        Self::PostalCode,
        Self::Country,
        Self::Voice,
        Self::Fax,
        Self::Email,
    ];

    /// The position in [`Self::ALL`].
    #[must_use]
    pub const fn at(self) -> usize {
        self as usize
    }

    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Organisation => "organisation",
            Self::Street => "street",
            Self::City => "city",
            Self::State => "state",
            Self::PostalCode => "postal-code",
            Self::Country => "country",
            Self::Voice => "voice",
            Self::Fax => "fax",
            Self::Email => "email",
        }
    }

    /// The name of the field in profiles (RFC 5733 §4).
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Organisation => "org",
            Self::Street => "street",
            Self::City => "city",
            Self::State => "sp",
            Self::PostalCode => "pc",
            Self::Country => "cc",
            Self::Voice => "voice",
            Self::Fax => "fax",
            Self::Email => "email",
        }
    }

    /// The word that `text` is.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
