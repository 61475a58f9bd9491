//! The form in which two values are the same though they are written differently.

use crate::dataset::Kind;
use crate::model::{Date, Properties};
use std::borrow::Cow;
use std::net::IpAddr;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// `value` in the form that values of its kind are compared in.
#[must_use]
pub fn normalise(kind: Kind, value: &str) -> Cow<'_, str> {
    match kind {
        Kind::Text | Kind::Handle => words(value),
        Kind::Country => Cow::Owned(words(value).to_ascii_uppercase()),
        Kind::Phone => Cow::Owned(phone(value)),
        Kind::Email => Cow::Owned(email(value)),
        Kind::Handles => Cow::Owned(sorted(value, |handle| Some(words(handle).into_owned()))),
        Kind::Statuses => Cow::Owned(sorted(value, |status| (!is_computed(status)).then(|| status.trim().to_owned()))),
        Kind::Disclose => Cow::Owned(disclose(value)),
        Kind::NameServers => Cow::Owned(sorted(value, |server| Some(name_server(server)))),
        Kind::Day => Cow::Owned(day(value)),
        Kind::Properties => Cow::Owned(properties(value)),
    }
}

/// Whether values of that kind which are normally the same are no difference at all, not even a cosmetic one: what differs then is how
/// a registry orders or prints, not what somebody wrote.
pub(super) const fn is_quiet(kind: Kind) -> bool {
    matches!(kind, Kind::Handles | Kind::Statuses | Kind::Disclose | Kind::Day | Kind::Properties)
}

/// Whether a registry computes that status by itself, so that no record of ours states it: RFC 5731 §2.3 and RFC 5733 §2.2 call those
/// that somebody sets `client…` and `server…`; the others, also a registry's own such as `connect`, follow from something else.
fn is_computed(status: &str) -> bool {
    let status = status.trim();
    !status.starts_with("client") && !status.starts_with("server")
}

/// NFC (UAX #15), with every run of white space as one blank and none at the ends.
fn words(value: &str) -> Cow<'_, str> {
    let plain = value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') && !value.contains("  ") && value.trim_ascii() == value;
    if plain {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    for word in value.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        if is_nfc(word) { out.push_str(word) } else { out.extend(word.nfc()) }
    }
    Cow::Owned(out)
}

/// The digits behind a `+`; separators, and a trunk zero in parentheses, mean nothing.
fn phone(value: &str) -> String {
    let value = value.replace("(0)", "");
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let international = value.trim_start().starts_with('+');
    match digits.strip_prefix("00").filter(|_| !international) {
        Some(rest) => format!("+{rest}"),
        None if international => format!("+{digits}"),
        None => digits,
    }
}

/// The local part as it is (RFC 5321 §2.4: case may matter), the domain as A-labels in lower case.
fn email(value: &str) -> String {
    let value = words(value);
    match value.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", host(domain)),
        None => value.into_owned(),
    }
}

fn host(name: &str) -> String {
    let name = name.trim().trim_end_matches('.');
    idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_lowercase())
}

/// A name server and its addresses, each in its one text.
fn name_server(server: &str) -> String {
    let (name, addrs) = server.split_once('=').unwrap_or((server, ""));
    let mut addrs: Vec<String> = addrs
        .split(',')
        .map(str::trim)
        .filter(|a| !a.is_empty())
        .map(|a| a.parse::<IpAddr>().map_or_else(|_| a.to_owned(), |ip| ip.to_string()))
        .collect();
    addrs.sort_unstable();
    addrs.dedup();
    if addrs.is_empty() { host(name) } else { format!("{}={}", host(name), addrs.join(",")) }
}

fn disclose(value: &str) -> String {
    let Some((flag, names)) = value.trim().split_once(':') else { return value.to_owned() };
    let mut names: Vec<&str> = names.split(',').map(str::trim).filter(|n| !n.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    format!("{flag}:{}", names.join(","))
}

fn day(value: &str) -> String {
    Date::read(value).at.map_or_else(|| value.trim().to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Properties in their one text; what is none stays as it is, so that it is seen.
fn properties(value: &str) -> String {
    Properties::read(value).map_or_else(|_| value.to_owned(), |all| all.to_text())
}

/// The parts of a joined value, each through `part`, sorted and each once.
fn sorted(value: &str, part: impl Fn(&str) -> Option<String>) -> String {
    let mut parts: Vec<String> = value.split(';').filter_map(part).filter(|p| !p.is_empty()).collect();
    parts.sort_unstable();
    parts.dedup();
    parts.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_written_differently() {
        for (kind, one, other) in [
            (Kind::Text, "Zoe\u{308}  K\u{a0}", "Zoë K"),
            (Kind::Phone, "+49 30 123", "+49.30123"),
            (Kind::Phone, "0049-30/123", "+49.30123"),
            (Kind::Phone, "+49 (0)30 123", "+49.30123"),
            (Kind::Email, "Ada@BÜCHER.example", "Ada@xn--bcher-kva.example"),
            (Kind::Email, "a@Example.ORG.", "a@example.org"),
            (Kind::Country, "de", "DE"),
            (Kind::Handles, "B;A;A", "A;B"),
            (Kind::Statuses, "ok;linked", ""),
            (Kind::Statuses, "clientHold;inactive;clientDeleteProhibited", "clientDeleteProhibited;clientHold"),
            (Kind::Disclose, "0:voice,email", "0:email,voice"),
            (Kind::NameServers, "NS2.Example.;ns1.example=192.0.2.1,2001:DB8::1", "ns1.example=2001:db8::1,192.0.2.1;ns2.example"),
            (Kind::Day, "2027-01-31T23:59:59.0Z", "2027-01-31"),
        ] {
            assert_eq!(normalise(kind, one), normalise(kind, other), "{kind:?} {one}");
        }
    }

    #[test]
    fn what_differs_stays_different() {
        for (kind, one, other) in [
            (Kind::Text, "Zoë", "Zoe"),
            (Kind::Text, "AB", "A B"),
            (Kind::Phone, "+49.30123", "+49.30124"),
            (Kind::Phone, "030123", "+49.30123"),
            (Kind::Email, "Ada@example.org", "ada@example.org"),
            (Kind::Statuses, "clientHold", "serverHold"),
            (Kind::Disclose, "1:email", "0:email"),
            (Kind::NameServers, "ns1.example", "ns1.example=192.0.2.1"),
            (Kind::Day, "2027-01-31", "2027-02-01"),
            (Kind::Handle, "C-1", "c-1"),
        ] {
            assert_ne!(normalise(kind, one), normalise(kind, other), "{kind:?} {one}");
        }
    }
}
