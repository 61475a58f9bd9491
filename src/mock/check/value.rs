//! What single values say: whether they can be, beyond what a pattern can judge.

use crate::mock::fleet::italian;
use crate::policy::Check;
use std::net::IpAddr;

/// What this registry's own code finds of a value that no pattern can judge.
pub(super) fn passes(check: Check, value: &str) -> bool {
    match check {
        Check::Country => value.len() == 2 && (value == "AQ" || iso3166::Country::from_alpha2(value).is_some()),
        Check::Phone => is_dialled(value),
        Check::Email => is_mailbox(value),
        Check::CodiceFiscale => is_codice_fiscale(value),
        Check::PartitaIva => {
            let check = italian::check_digit(value).and_then(|digit| char::from_digit(digit, 10));
            value.len() == 11 && check.is_some_and(|check| value.ends_with(check))
        }
        Check::NoDummy => !is_dummy(value),
    }
}

/// Whether a number, if it has the form `+CC.N`, has a country code that is assigned and 15 digits at most (ITU-T E.164, as of 2023).
fn is_dialled(value: &str) -> bool {
    let Some((code, rest)) = value.strip_prefix('+').and_then(|number| number.split_once('.')) else { return true };
    let number = rest.split('x').next().unwrap_or_default();
    let digits = code.bytes().chain(number.bytes()).filter(u8::is_ascii_digit).count();
    // Two digits are a code, or begin one: then these may be the third.
    let third = match code.get(..2) {
        _ if matches!(code, "1" | "7") => return digits <= 15,
        Some("21") => "12368",
        Some("22" | "23" | "24" | "26" | "35" | "37" | "50" | "59") => "0123456789",
        Some("25" | "96") => "012345678",
        Some("29") => "01789",
        Some("38") => "01235679",
        Some("42") => "013",
        Some("67") => "023456789",
        Some("68") => "012356789",
        Some("69") => "012",
        Some("80" | "87") => "08",
        Some("85") => "02356",
        Some("88") => "012368",
        Some("97") => "012345679",
        Some("99") => "234568",
        Some(two) => {
            let begins =
                matches!(two.as_bytes(), [b'2', b'0' | b'7'] | [b'3', b'0'..=b'4' | b'6' | b'9'] | [b'4', b'0' | b'1' | b'3'..=b'9'])
                    || matches!(two.as_bytes(), [b'5', b'1'..=b'8'] | [b'6', b'0'..=b'6'] | [b'8', b'1' | b'2' | b'4' | b'6'])
                    || matches!(two.as_bytes(), [b'9', b'0'..=b'5' | b'8']);
            return begins && code.len() == 2 && digits <= 15;
        }
        None => return false,
    };
    let is_assigned = code.len() == 3 && code.chars().nth(2).is_some_and(|digit| third.contains(digit));
    is_assigned && digits <= 15
}

/// Whether a codice fiscale is built as the decree says: `A` letters, `0` digits or the letters in their place, `M` the month's letter.
fn is_codice_fiscale(value: &str) -> bool {
    const BUILD: &str = "AAAAAA00M00A000A";
    let fits = |(kind, c): (char, char)| match kind {
        '0' => c.is_ascii_digit() || "LMNPQRSTUV".contains(c),
        'M' => "ABCDEHLMPRST".contains(c),
        _ => c.is_ascii_uppercase(),
    };
    let value = value.to_ascii_uppercase();
    value.chars().count() == BUILD.len()
        && BUILD.chars().zip(value.chars()).all(fits)
        && italian::check_character(&value).is_some_and(|check| value.ends_with(check))
}

/// Whether a text names nothing: no letters and digits but those of a word that says so, or zeros and crosses.
fn is_dummy(value: &str) -> bool {
    let said: String = value.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let says_so = matches!(&*said, "na" | "none" | "nil" | "null" | "no" | "nein" | "nessuno" | "keine")
        || matches!(&*said, "privat" | "private" | "notapplicable" | "unknown");
    says_so || said.trim_matches(['0', 'x']).is_empty()
}

/// Whether a plain word stands before the last `@` (RFC 5322 §3.2.3), and a host's name behind it.
fn is_mailbox(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else { return false };
    let is_atom = |c: char| c.is_ascii_graphic() && !"\"(),:;<>@[\\]".contains(c);
    let words = local.len() <= 64 && local.split('.').all(|word| !word.is_empty() && word.chars().all(is_atom));
    words && is_host(domain) && value.len() <= 254
}

/// Whether a name has two labels at least, each of letters, digits and inner hyphens once it is mapped (RFC 5891), and ends in no number.
pub(in crate::mock) fn is_host(name: &str) -> bool {
    idna::domain_to_ascii_strict(name).is_ok_and(|ascii| {
        let last = ascii.rsplit_once('.').map(|(_, last)| last);
        ascii.len() <= 253 && last.is_some_and(|last| !last.is_empty() && last.bytes().any(|b| !b.is_ascii_digit()))
    })
}

/// Whether an address is none of those that reach nobody in public (RFC 6890 and its registries, 2025).
pub(super) fn is_public(text: &str) -> bool {
    // Blocks that are set aside, with the length of their prefix.
    const ASIDE: [([u8; 4], u32); 16] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
        ([255, 255, 255, 255], 32),
    ];
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let within = |(block, length): ([u8; 4], u32)| (u32::from(ip) ^ u32::from_be_bytes(block)) >> (32 - length) == 0;
            !ASIDE.into_iter().any(within)
        }
        Ok(IpAddr::V6(ip)) => {
            let bits = u128::from(ip);
            let begins = |top: u128, length: u32| bits >> (128 - length) == top;
            let aside = begins(0x2001_0000 >> 9, 23) || begins(0x2001_0db8, 32) || begins(0x2002, 16) || begins(0x3fff_0000 >> 12, 20);
            begins(0b001, 3) && !aside
        }
        Err(_) => false,
    }
}
