//! The forms of postal codes by country.

/// Forms by country, of the addressing guides that the Universal Postal Union publishes, as of 2025: `9` is a digit, `A` a letter, `*`
/// either, a blank may be left out, and everything else is itself. A country that is not here has no codes, or forms that are not sure.
const FORMS: &[(&str, &[&str])] = &[
    ("AD", &["AD999"]),
    ("AL", &["9999"]),
    ("AM", &["9999"]),
    ("AR", &["9999", "A9999AAA"]),
    ("AT", &["9999"]),
    ("AU", &["9999"]),
    ("AZ", &["AZ 9999"]),
    ("BA", &["99999"]),
    ("BD", &["9999"]),
    ("BE", &["9999"]),
    ("BG", &["9999"]),
    ("BR", &["99999-999", "99999999"]),
    ("BY", &["999999"]),
    ("CA", &["A9A 9A9"]),
    ("CH", &["9999"]),
    ("CL", &["9999999", "999-9999"]),
    ("CN", &["999999"]),
    ("CO", &["999999"]),
    ("CR", &["99999"]),
    ("CY", &["9999"]),
    ("CZ", &["999 99"]),
    ("DE", &["99999"]),
    ("DK", &["9999", "DK-9999"]),
    ("DO", &["99999"]),
    ("DZ", &["99999"]),
    ("EE", &["99999"]),
    ("EG", &["99999"]),
    ("ES", &["99999"]),
    ("FI", &["99999", "FI-99999"]),
    ("FO", &["999"]),
    ("FR", &["99999"]),
    ("GE", &["9999"]),
    ("GF", &["973 99"]),
    ("GL", &["39 99"]),
    ("GP", &["971 99"]),
    ("GB", &["A9 9AA", "A99 9AA", "A9A 9AA", "AA9 9AA", "AA99 9AA", "AA9A 9AA", "GIR 0AA"]),
    ("GR", &["999 99"]),
    ("GT", &["99999"]),
    ("HR", &["99999"]),
    ("HU", &["9999"]),
    ("ID", &["99999"]),
    ("IE", &["A99 ****", "D6W ****"]),
    ("IL", &["9999999", "99999"]),
    ("IN", &["999 999"]),
    ("IS", &["999"]),
    ("IT", &["99999"]),
    ("JP", &["999-9999", "9999999"]),
    ("KR", &["99999"]),
    ("KZ", &["999999", "A99*9*9"]),
    ("LI", &["9999"]),
    ("LK", &["99999"]),
    ("LT", &["99999", "LT-99999"]),
    ("LU", &["9999", "L-9999"]),
    ("LV", &["9999", "LV-9999"]),
    ("MA", &["99999"]),
    ("MC", &["980 99"]),
    ("MD", &["9999", "MD-9999", "MD9999"]),
    ("ME", &["99999"]),
    ("MK", &["9999"]),
    ("MQ", &["972 99"]),
    ("MT", &["AAA 9999"]),
    ("MX", &["99999"]),
    ("MY", &["99999"]),
    ("NL", &["9999 AA"]),
    ("NO", &["9999"]),
    ("NZ", &["9999"]),
    ("PH", &["9999"]),
    ("PK", &["99999"]),
    ("PL", &["99-999"]),
    ("PM", &["97500"]),
    ("PT", &["9999-999"]),
    ("RE", &["974 99"]),
    ("RO", &["999999"]),
    ("RS", &["99999", "999999"]),
    ("RU", &["999999"]),
    ("SE", &["999 99", "SE-999 99"]),
    ("SG", &["999999"]),
    ("SI", &["9999", "SI-9999"]),
    ("SK", &["999 99"]),
    ("SM", &["4789 9"]),
    ("TH", &["99999"]),
    ("TN", &["9999"]),
    ("TR", &["99999"]),
    ("TW", &["999", "99999", "999999", "999-99", "999-999"]),
    ("UA", &["99999"]),
    ("US", &["99999", "99999-9999"]),
    ("UY", &["99999"]),
    ("VA", &["00120"]),
    ("VN", &["99999", "999999"]),
    ("WF", &["986 99"]),
    ("YT", &["976 99"]),
    ("ZA", &["9999"]),
];

/// Whether a postal code has a form of its country's; nothing is said of a country that is not known.
pub(super) fn fits(country: &str, code: &str) -> Option<bool> {
    let (_, forms) = FORMS.iter().find(|(known, _)| *known == country)?;
    Some(forms.iter().any(|form| has_form(code, form)))
}

/// The forms of a country's codes, for a message.
pub(super) fn forms(country: &str) -> String {
    FORMS.iter().find(|(known, _)| *known == country).map_or_else(String::new, |(_, forms)| forms.join("`, `"))
}

fn has_form(code: &str, form: &str) -> bool {
    let mut rest = code.bytes();
    for wanted in form.bytes() {
        let mut ahead = rest.clone();
        let next = ahead.next();
        let is = match wanted {
            b' ' if next != Some(b' ') => continue,
            b'9' => next.is_some_and(|b| b.is_ascii_digit()),
            b'A' => next.is_some_and(|b| b.is_ascii_alphabetic()),
            b'*' => next.is_some_and(|b| b.is_ascii_alphanumeric()),
            other => next == Some(other),
        };
        if !is {
            return false;
        }
        rest = ahead;
    }
    rest.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_many_countries() {
        for (country, code, is) in [
            ("DE", "50667", true),
            ("DE", "5066", false),
            ("DE", "D-50667", false),
            ("NL", "1012 AB", true),
            ("NL", "1012AB", true),
            ("NL", "1012  AB", false),
            ("GB", "SW1A 1AA", true),
            ("GB", "M1 1AE", true),
            ("GB", "12345", false),
            ("IE", "D02 X285", true),
            ("US", "20190", true),
            ("US", "20190-1234", true),
            ("US", "20190-", false),
            ("PL", "90-001", true),
            ("PL", "90001", false),
            ("CA", "K1A 0B1", true),
            ("SE", "SE-114 55", true),
            ("IT", "00184", true),
            ("IT", "0018４", false),
        ] {
            assert_eq!(fits(country, code), Some(is), "{country} {code}");
        }
        assert_eq!(fits("HK", "999077"), None);
    }

    #[test]
    fn every_country_stands_once_and_is_one() {
        let mut seen = std::collections::BTreeSet::new();
        for (country, forms) in FORMS {
            assert!(seen.insert(country) && !forms.is_empty(), "{country}");
            assert!(iso3166::Country::from_alpha2(country).is_some(), "{country}");
        }
    }
}
