//! Country codes of telephone numbers.

/// The assigned country codes (ITU-T E.164, list of assigned codes as of December 2023, with those of networks and services).
const ASSIGNED: &[(u16, u16)] = &[
    (1, 1),
    (7, 7),
    (20, 20),
    (27, 27),
    (30, 34),
    (36, 36),
    (39, 41),
    (43, 49),
    (51, 58),
    (60, 66),
    (81, 82),
    (84, 84),
    (86, 86),
    (90, 95),
    (98, 98),
    (211, 213),
    (216, 216),
    (218, 218),
    (220, 258),
    (260, 269),
    (290, 291),
    (297, 299),
    (350, 359),
    (370, 383),
    (385, 387),
    (389, 389),
    (420, 421),
    (423, 423),
    (500, 509),
    (590, 599),
    (670, 670),
    (672, 683),
    (685, 692),
    (800, 800),
    (808, 808),
    (850, 850),
    (852, 853),
    (855, 856),
    (870, 870),
    (878, 878),
    (880, 883),
    (886, 886),
    (888, 888),
    (960, 968),
    (970, 977),
    (979, 979),
    (992, 996),
    (998, 998),
];

/// The most digits of a number, country code and all (E.164 §6.2.1).
const MOST_DIGITS: usize = 15;

/// What is wrong with a number of the form `+CC.N…`, if anything. A number of another form is another rule's.
pub(super) fn number(value: &str) -> Result<(), String> {
    let Some((code, rest)) = value.strip_prefix('+').and_then(|rest| rest.split_once('.')) else { return Ok(()) };
    let subscriber = rest.split_once('x').map_or(rest, |(number, _extension)| number);
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let many = digits(code) + digits(subscriber);
    if many > MOST_DIGITS {
        return Err(format!("{many} digits; a telephone number has at most {MOST_DIGITS}"));
    }
    let assigned =
        code.parse::<u16>().is_ok_and(|n| !code.starts_with('0') && ASSIGNED.iter().any(|(from, to)| (*from..=*to).contains(&n)));
    if assigned { Ok(()) } else { Err("no country or service has this country code".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_are_assigned_pass() {
        for good in ["+1.7035555555", "+39.0123456", "+886.212345678", "+49.6927235x290", "+999", "0049 30"] {
            assert_eq!(number(good), Ok(()), "{good}");
        }
        for bad in ["+0.1", "+999.1", "+259.1", "+384.1", "+01.5", "+.5", "+49.1234567890123456"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
