//! Values by their kinds: such as are right, and such as are not.

use privet::policy::{Check, Property, PropertyKind};

/// Values that each check takes, and such as it refuses.
pub(super) fn vectors(check: Check) -> (Vec<String>, Vec<String>) {
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let digits = |n: usize| "1".repeat(n);
    match check {
        Check::Country => (texts(&["IT", "AQ", "DE", "NZ"]), texts(&["XX", "UK", "EU", "ZZ", "AA", "it", "ITA", "I", "99"])),
        Check::Phone => {
            let good = ["+1.7035555", "+7.4951234", "+39.0212345", "+352.12345", "+886.212345", "+998.1", "+20.1", "+258.1"];
            let bad = ["+0.1", "+999.1", "+259.1", "+384.1", "+01.5", "+2.1", "+210.1", "+28.1", "+37.1", "+59.1", "+969.1", "+991.1"];
            let mut good = texts(&good);
            let mut bad = texts(&bad);
            good.extend([format!("+39.{}", digits(13)), format!("+352.{}", digits(12))]);
            bad.extend([format!("+39.{}", digits(14)), format!("+352.{}", digits(13)), format!("+1.{}", digits(15))]);
            (good, bad)
        }
        Check::Email => {
            let good = ["a@example.org", "a.b+c@m\u{fc}ller.example", "o'hara@xn--mller-kva.example", "x@a-b.co.uk", "A@EXAMPLE.ORG"];
            let bad = [
                "a",
                "@example.org",
                "a@",
                "a@b",
                "a@@b.de",
                "a b@c.de",
                ".a@c.de",
                "a.@c.de",
                "a..b@c.de",
                "\u{e4}@c.de",
                "a@c..de",
                "a@-c.de",
                "a@c-.de",
                "a@1.2.3.4",
                "a@c.de.",
                "a@c_d.de",
                "a,b@c.de",
                "a;b@c.de",
                "(a)@c.de",
                "a:b@c.de",
                "a@b@c.de",
                "a@ab--c.de",
                "a@[c.de]",
                "\"a\"@c.de",
            ];
            let (mut good, mut bad) = (texts(&good), texts(&bad));
            let label = |n: usize| "d".repeat(n);
            good.extend([format!("{}@c.de", "a".repeat(64)), format!("a@{}.de", label(63))]);
            bad.extend([format!("{}@c.de", "a".repeat(65)), format!("a@{}.de", label(64))]);
            // 254 octets and one more.
            let long = format!("{}.{}.{}", label(63), label(63), label(63));
            good.push(format!("{}@{long}", "a".repeat(62)));
            bad.push(format!("{}@{long}", "a".repeat(63)));
            (good, bad)
        }
        Check::CodiceFiscale => {
            let bad = [
                "RSSMRA80A01H501V",
                "RSSMRA80A01H501",
                "RSSMRA80A01H501UU",
                "RSSMRA80F01H501U",
                "1SSMRA80A01H501U",
                "RSSMRAA0A01H501U",
                "rssmra80a01h501u",
                "111111111111111A",
                "RSSMR180A01H501P",
                "RSSMRA80A011501N",
            ];
            (texts(&["RSSMRA80A01H501U", "MRTMTT91D08F205J", "MLLSNT82P65Z404U"]), texts(&bad))
        }
        Check::PartitaIva => {
            let good = "00743110157";
            let last = |n: u8| format!("0074311015{n}");
            (vec![good.to_owned()], (0..10).filter(|n| *n != 7).map(last).chain(texts(&["0074311015", "0074311015a"])).collect())
        }
        Check::NoDummy => (
            texts(&["3M", "Nonesuch Ltd", "Rossi Srl", "Na Zdorovie", "x-ray"]),
            texts(&[
                "-",
                "--",
                "n/a",
                "N/A.",
                "none",
                "None.",
                "xxx",
                "000",
                "_",
                "null",
                "nil",
                "privat",
                "unknown",
                "not applicable",
                ".",
            ]),
        ),
    }
}

/// A value for a field that has none.
pub(super) fn sample(field: &str) -> String {
    match field {
        "sp" => "MI",
        "pc" => "20121",
        "cc" | "nationalityCode" | "countryOfCitizenship" => "IT",
        "voice" | "fax" => "+39.0212345",
        "email" | "whoisEmail" => "mario@example.org",
        "uri-template" => "https://example.org/ask",
        "regCode" => "00743110157",
        "entityType" => "7",
        _ => "Rossi Srl",
    }
    .to_owned()
}

/// Texts of a property's kind and of others, each with whether it is one of them.
pub(super) fn texts_of(property: &Property) -> Vec<(String, Option<bool>)> {
    let (mut good, mut bad): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    match property.kind {
        // 1 and 0 are other words for these on the line, and so no case.
        PropertyKind::Boolean => (good, bad) = (texts(&["true", "false"]), texts(&["TRUE", "yes", "no", "2", "truefalse"])),
        PropertyKind::Integer => {
            let (min, max) = property.bounds.map_or((0, None), |b| (b.min, b.max));
            good.extend([min.to_string(), max.unwrap_or(min).to_string()]);
            bad.extend(min.checked_sub(1).into_iter().chain(max.map(|max| max + 1)).map(|n| n.to_string()));
            bad.extend(texts(&["x", "+3", "-1", "1.5"]));
        }
        PropertyKind::Text => {
            if let Some(bounds) = property.bounds {
                good.extend(bounds.max.map(|max| "x".repeat(max as usize)));
                bad.extend(bounds.max.map(|max| "x".repeat(max as usize + 1)));
                good.push("x".repeat(bounds.min.max(1) as usize));
            }
            good.push("Some text".to_owned());
        }
        PropertyKind::Choice => {
            good.clone_from(&property.choices);
            bad = property
                .choices
                .iter()
                .take(2)
                .flat_map(|choice| [format!("{choice}x"), choice.to_uppercase(), choice.to_lowercase()])
                .collect();
            bad.push("nonesuch".to_owned());
            bad.retain(|text| !property.choices.contains(text));
        }
        PropertyKind::Country => (good, bad) = (texts(&["IT", "it", "AQ"]), texts(&["XX", "ITA", "I", "12"])),
        PropertyKind::Date => (good, bad) = (texts(&["2026-01-31"]), texts(&["2026-02-30", "tomorrow"])),
    }
    if let Some(pattern) = &property.pattern {
        bad.extend(good.extract_if(.., |text| !pattern.matches(text)));
    }
    good.into_iter().map(|text| (text, Some(true))).chain(bad.into_iter().map(|text| (text, Some(false)))).collect()
}
