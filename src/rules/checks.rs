//! What code says of a value where no pattern can: [`Check`] by its name in profiles.

use super::phone;
use crate::model::italian;
use crate::policy::Check;

/// What a check found.
pub(super) struct Fault {
    /// What is wrong.
    pub(super) what: String,
    /// What could stand instead.
    pub(super) suggestion: Option<String>,
}

impl From<String> for Fault {
    fn from(what: String) -> Self {
        Self { what, suggestion: None }
    }
}

/// Runs a check on a value in NFC.
pub(super) fn run(check: Check, value: &str) -> Result<(), Fault> {
    match check {
        Check::Country => country(value),
        Check::Phone => phone::number(value).map_err(Fault::from),
        Check::Email => email(value),
        Check::CodiceFiscale => italian::codice_fiscale(value).map_err(Fault::from),
        Check::PartitaIva => italian::partita_iva(value).map_err(Fault::from),
        Check::NoDummy => no_dummy(value),
    }
}

/// The number of the rule that a check is, for a field of the address and for a property.
pub(super) const fn rule(check: Check, property: bool) -> &'static str {
    match (check, property) {
        (Check::Country, false) => "R-addr-008",
        (Check::Phone, false) => "R-addr-011",
        (Check::Email, false) => "R-addr-012",
        (Check::Country | Check::Phone | Check::Email, true) => "R-prop-003",
        (Check::CodiceFiscale, _) => "R-prop-005",
        (Check::PartitaIva, _) => "R-prop-006",
        (Check::NoDummy, _) => "R-prop-010",
    }
}

/// A country of ISO 3166-1 (the list of 27 October 2023).
fn country(value: &str) -> Result<(), Fault> {
    if is_country(value) {
        return Ok(());
    }
    let upper = value.trim().to_ascii_uppercase();
    let meant = match upper.as_str() {
        "UK" => "GB",
        "EL" => "GR",
        other => other,
    };
    let suggestion = is_country(meant).then(|| meant.to_owned());
    Err(Fault { what: "is no country of ISO 3166-1".to_owned(), suggestion })
}

/// Whether `value` is a country's two capital letters. The crate leaves out Antarctica, which the standard has.
fn is_country(value: &str) -> bool {
    value == "AQ" || iso3166::Country::from_alpha2(value).is_some()
}

/// Whether `value` is one, in whatever case.
pub(super) fn is_country_in_any_case(value: &str) -> bool {
    is_country(&value.to_ascii_uppercase())
}

/// `local@domain` with a local part of plain words (RFC 5322 dot-atom, at most 64 octets) and a domain that maps to A-labels.
fn email(value: &str) -> Result<(), Fault> {
    let no = |what: &str| Err(Fault::from(what.to_owned()));
    let Some((local, domain)) = value.rsplit_once('@') else { return no("is no e-mail address: there is no `@`") };
    if local.len() > 64 {
        return no("has more than 64 octets before the `@` (RFC 5321 §4.5.3.1.1)");
    }
    if value.len() > 254 {
        return no("is longer than 254 octets (RFC 5321 §4.5.3.1.3)");
    }
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    if local.is_empty() || !local.bytes().all(atom) || local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return no("has no plain word before the `@` (RFC 5322 §3.2.3)");
    }
    if host_name(domain).is_some() {
        return Ok(());
    }
    let trimmed = domain.trim().trim_end_matches('.');
    let suggestion = host_name(trimmed).map(|_| format!("{local}@{trimmed}"));
    Err(Fault { what: "has no domain name behind the `@`".to_owned(), suggestion })
}

/// The A-labels of a host name of at least two labels, of which the last is no number; nothing where it is none.
pub(super) fn host_name(name: &str) -> Option<std::borrow::Cow<'_, str>> {
    let label = |l: &str| {
        let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = l.as_bytes();
        bytes.len() <= 63
            && ends(bytes.first())
            && ends(bytes.last())
            && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
            && bytes.get(2..4) != Some(b"--")
    };
    let last = |name: &str| name.rsplit_once('.').is_some_and(|(_, last)| !last.bytes().all(|b| b.is_ascii_digit()));
    // Most names are plain, and need no mapping.
    let plain = name.len() <= 253 && name.split('.').all(label);
    if plain {
        return last(name).then_some(std::borrow::Cow::Borrowed(name));
    }
    let mapped = idna::domain_to_ascii_strict(name).ok().filter(|a| a.len() <= 253 && last(a) && !a.ends_with('.'))?;
    Some(std::borrow::Cow::Owned(mapped))
}

/// Words that fill a field and name nothing, in lower case and without what is neither letter nor digit.
const DUMMIES: [&str; 13] =
    ["", "na", "none", "nil", "null", "no", "nein", "nessuno", "keine", "privat", "private", "notapplicable", "unknown"];

fn no_dummy(value: &str) -> Result<(), Fault> {
    let said: String = value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let dummy = DUMMIES.contains(&said.as_str()) || said.chars().all(|c| matches!(c, '0' | 'x'));
    if dummy { Err(Fault::from("names no organisation; leave the field empty for a person".to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses() {
        for good in ["a@example.org", "a.b+c@müller.example", "o'hara@xn--mller-kva.example", "x@a-b.co.uk", "A@EXAMPLE.ORG"] {
            assert!(email(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "@example.org",
            "a@",
            "a@b",
            "a@@b.de",
            "a b@c.de",
            ".a@c.de",
            "a.@c.de",
            "a..b@c.de",
            "ä@c.de",
            "a@c..de",
            "a@-c.de",
            "a@1.2.3.4",
            "a@c.de.",
            "a@c_d.de",
        ] {
            assert!(email(bad).is_err(), "{bad}");
        }
        assert!(email(&format!("{}@c.de", "a".repeat(65))).is_err());
        assert_eq!(email("a@c.de.").err().and_then(|f| f.suggestion).as_deref(), Some("a@c.de"));
    }

    #[test]
    fn countries_and_what_was_meant() {
        assert!(country("DE").is_ok() && country("XX").is_err() && country("").is_err());
        for (said, meant) in [("UK", "GB"), ("EL", "GR"), ("de", "DE"), (" fr", "FR")] {
            assert_eq!(country(said).err().and_then(|f| f.suggestion).as_deref(), Some(meant), "{said}");
        }
        let letters = || 'A'..='Z';
        let all = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))).filter(|code| country(code).is_ok());
        assert_eq!(all.count(), 249);
    }

    #[test]
    fn dummies() {
        for dummy in ["-", "n/a", "N/A.", "  ", "--", "none", "xxx", "000", "_"] {
            assert!(no_dummy(dummy).is_err(), "{dummy}");
        }
        for name in ["3M", "Nonesuch Ltd", "X", "北京"] {
            assert_eq!(no_dummy(name).is_ok(), name != "X", "{name}");
        }
    }
}
