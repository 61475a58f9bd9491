//! Values that mask themselves: secrets, and personal data.

use compact_str::CompactString;
use secrecy::{ExposeSecret as _, SecretString};
use std::cell::Cell;
use std::fmt;

/// A password, an authInfo or a key. Printed or serialised it is a mask, it cannot be compared, and it is wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes `value` as a secret.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The secret itself, for the one place that puts it on the line.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A personal datum (GDPR Art. 4(1)): a name, a street, a phone number, an e-mail address …
///
/// `Debug`, `Display` and `Serialize` show a mask; [`Personal::reveal`] and [`revealed`] are what a reviewer searches for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Personal(CompactString);

thread_local! {
    /// Whether this thread is inside [`revealed`].
    static REVEALING: Cell<bool> = const { Cell::new(false) };
}

/// Runs `serialise` with every [`Personal`] that it serialises in clear: for `frame --unmasked` and for tests.
pub fn revealed<T>(serialise: impl FnOnce() -> T) -> T {
    let before = REVEALING.replace(true);
    let out = serialise();
    REVEALING.set(before);
    out
}

/// In JSON, masked or shown, it is a text.
macro_rules! schema_of_text {
    ($($name:ident),*) => {$(
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }

            fn inline_schema() -> bool {
                true
            }
        }
    )*};
}

schema_of_text!(Personal, Secret);

impl serde::Serialize for Personal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if REVEALING.get() { serializer.serialize_str(&self.0) } else { serializer.collect_str(self) }
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[secret]")
    }
}

impl Personal {
    /// Takes `value` as a personal datum.
    #[must_use]
    pub fn new(value: impl Into<CompactString>) -> Self {
        Self(value.into())
    }

    /// The datum itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The datum itself, by value.
    #[must_use]
    pub fn into_revealed(self) -> String {
        self.0.into_string()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Personal {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl fmt::Display for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { f.write_str("•••") }
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// `text` with every control and every bidirectional control written as `\u{..}`, safe for a terminal or a plain log (CWE-150).
#[must_use]
pub fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let bidi = matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || bidi {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_display_tells() {
        let name = Personal::new("Ada Lovelace");
        let password = Secret::new("correct horse");
        assert_eq!(format!("{name} {name:?} {password:?}"), "••• \"•••\" [secret]");
    }

    #[test]
    fn controls_are_written_out() {
        assert_eq!(escape_controls("a\u{1b}[31m\u{202e}b\n"), "a\\u{1b}[31m\\u{202e}b\\u{a}");
    }
}
