//! National identification numbers by their own check digits.

use crate::model::italian::codice_fiscale;
use jiff::civil::Date;

/// A scheme whose form and check digits are so narrow that a number which fits is one, whatever stands beside it.
pub(super) fn is_certain(token: &str) -> bool {
    codice_fiscale(token).is_ok() || is_dni(token) || is_nir(token) || is_dashed_personnummer(token)
}

/// A scheme that many other numbers fit: it takes a word beside it to be one.
pub(super) fn is_likely(token: &str) -> bool {
    let Some(digits) = digits(token) else { return false };
    match digits.len() {
        9 => is_bsn(&digits),
        10 => is_egn(&digits) || is_luhn_date(&digits),
        11 => is_pesel(&digits) || is_belgian(&digits) || is_steuer_id(&digits),
        13 => is_cnp(&digits),
        _ => false,
    }
}

/// Whether a token could be the number of an identity document: 6 to 10 letters and digits, four digits among them.
pub(super) fn is_document(token: &str) -> bool {
    (6..=10).contains(&token.len())
        && token.bytes().all(|b| b.is_ascii_alphanumeric())
        && token.bytes().filter(u8::is_ascii_digit).count() >= 4
}

/// The digits of a token that has nothing else but what separates them.
fn digits(token: &str) -> Option<Vec<u32>> {
    let kept = token.chars().filter(|c| !matches!(c, '-' | '.' | '/'));
    kept.map(|c| c.to_digit(10)).collect::<Option<Vec<u32>>>().filter(|digits| !digits.is_empty())
}

fn weighed(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn number(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(*digit))
}

/// Whether three numbers of two digits are a day of any century.
fn is_day(year: u64, month: u64, day: u64) -> bool {
    let part = |n: u64| i8::try_from(n).ok();
    let year = i16::try_from(2000 + year).ok();
    year.zip(part(month)).zip(part(day)).is_some_and(|((year, month), day)| Date::new(year, month, day).is_ok())
}

fn at(digits: &[u32], from: usize, length: usize) -> u64 {
    number(digits.get(from..from + length).unwrap_or_default())
}

/// Spain's DNI and NIE: eight digits, or one letter of X, Y, Z and seven, and the letter that their remainder by 23 asks for.
fn is_dni(token: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let token = token.replace('-', "").to_ascii_uppercase();
    let Some((body, last)) = token.is_ascii().then(|| token.split_at_checked(8)).flatten().filter(|(_, last)| last.len() == 1) else {
        return false;
    };
    let body: String = body
        .chars()
        .enumerate()
        .map(|(n, c)| match (n, c) {
            (0, 'X') => '0',
            (0, 'Y') => '1',
            (0, 'Z') => '2',
            _ => c,
        })
        .collect();
    let number: Option<usize> = body.bytes().all(|b| b.is_ascii_digit()).then(|| body.parse().ok()).flatten();
    number.and_then(|number| LETTERS.get(number % 23)).is_some_and(|letter| last.as_bytes() == [*letter])
}

/// France's NIR: fifteen digits, the last two of which make the others a multiple of 97; Corsica is 2A and 2B.
fn is_nir(token: &str) -> bool {
    let token = token.to_ascii_uppercase();
    let plain = match (token.get(5..7), token.get(..5).zip(token.get(7..))) {
        (Some("2A"), Some((before, after))) => format!("{before}19{after}"),
        (Some("2B"), Some((before, after))) => format!("{before}18{after}"),
        _ => token,
    };
    let Some(digits) = digits(&plain).filter(|digits| digits.len() == 15) else { return false };
    let month = at(&digits, 3, 2);
    let is_month = (1..=12).contains(&month) || (20..=42).contains(&month) || month >= 50;
    matches!(digits.first(), Some(1 | 2)) && is_month && at(&digits, 13, 2) == 97 - at(&digits, 0, 13) % 97
}

/// Sweden's personnummer with its sign before the last four digits: the sign and a day make it one.
fn is_dashed_personnummer(token: &str) -> bool {
    let parts = token.split_once('-').filter(|(day, rest)| matches!(day.len(), 6 | 8) && rest.len() == 4);
    let Some(digits) = parts.and_then(|(day, rest)| digits(&format!("{}{rest}", day.get(day.len() - 6..)?))) else { return false };
    is_luhn_date(&digits)
}

/// Ten digits that begin with a day and end with a Luhn digit.
fn is_luhn_date(digits: &[u32]) -> bool {
    let doubled = |(n, digit): (usize, &u32)| match (n % 2 == 0, digit * 2) {
        (true, twice) if twice > 9 => twice - 9,
        (true, twice) => twice,
        (false, _) => *digit,
    };
    let sum: u32 = digits.iter().enumerate().map(doubled).sum();
    digits.len() == 10 && sum.is_multiple_of(10) && is_day(at(digits, 0, 2), at(digits, 2, 2), at(digits, 4, 2))
}

/// The Netherlands' BSN: the weighed sum is a multiple of 11.
fn is_bsn(digits: &[u32]) -> bool {
    let sum = weighed(digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    let last = digits.last().copied().unwrap_or_default();
    sum >= last && (sum - last).is_multiple_of(11) && number(digits) > 0
}

/// Bulgaria's EGN: a day, the century in its month, and a check digit.
fn is_egn(digits: &[u32]) -> bool {
    let check = weighed(digits, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10;
    digits.last() == Some(&check) && is_day(at(digits, 0, 2), at(digits, 2, 2) % 20, at(digits, 4, 2))
}

/// Poland's PESEL: a day, the century in its month, and a check digit.
fn is_pesel(digits: &[u32]) -> bool {
    let check = (10 - weighed(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10) % 10;
    digits.last() == Some(&check) && is_day(at(digits, 0, 2), at(digits, 2, 2) % 20, at(digits, 4, 2))
}

/// Belgium's national number: a day, and two digits that make the rest a multiple of 97, of births since 2000 with a 2 before it.
fn is_belgian(digits: &[u32]) -> bool {
    let (body, check) = (at(digits, 0, 9), at(digits, 9, 2));
    let fits = |body: u64| check == 97 - body % 97;
    is_day(at(digits, 0, 2), at(digits, 2, 2), at(digits, 4, 2)) && (fits(body) || fits(2_000_000_000 + body))
}

/// Germany's tax number of persons (ISO 7064, MOD 11,10): it does not begin with 0.
fn is_steuer_id(digits: &[u32]) -> bool {
    let Some((last, body)) = digits.split_last() else { return false };
    let product = body.iter().fold(10, |product, digit| match (digit + product) % 10 {
        0 => 20 % 11,
        sum => sum * 2 % 11,
    });
    let check = (11 - product) % 10;
    body.first() != Some(&0) && *last == check
}

/// Romania's CNP: sex and century, a day, and a check digit.
fn is_cnp(digits: &[u32]) -> bool {
    let check = match weighed(digits, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11 {
        10 => 1,
        rest => rest,
    };
    digits.first() != Some(&0) && digits.last() == Some(&check) && is_day(at(digits, 1, 2), at(digits, 3, 2), at(digits, 5, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Invented numbers, each with check digits that fit, as public descriptions of the schemes give them as examples.
    const CERTAIN: [&str; 6] = ["RSSMRA80A01H501U", "12345678Z", "X1234567L", "255081416802538", "811228-9874", "19811228-9874"];
    const LIKELY: [&str; 7] = ["111222333", "7523169263", "8112289874", "44051401359", "85073003328", "86095742719", "1800101221144"];

    #[test]
    fn numbers_that_fit_their_scheme_are_known_and_one_other_digit_makes_them_none() {
        for good in CERTAIN {
            assert!(is_certain(good), "{good}");
        }
        for good in LIKELY {
            assert!(is_likely(good), "{good}");
            assert!(!is_certain(good), "{good}");
        }
        for (good, known) in CERTAIN.map(|n| (n, is_certain as fn(&str) -> bool)).into_iter().chain(LIKELY.map(|n| (n, is_likely as _))) {
            let (at, _) = good.char_indices().rev().find(|(_, c)| c.is_ascii_digit()).expect("a digit");
            let with = |digit: u8| format!("{}{}{}", &good[..at], char::from(b'0' + digit), &good[at + 1..]);
            // Of the schemes with as many digits another one may take it.
            let fitting = (0..10).map(with).filter(|changed| known(changed)).count();
            assert!((1..=3).contains(&fitting), "{good}: {fitting}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", "é", "1234", "ABCDEFGHIJKLMNOP", "12345678", "000000000", "+49.5551234567", "99999999999999999999"] {
            assert!(!is_certain(text) && !is_likely(text), "{text}");
        }
        assert!(is_document("C01X00T47") && !is_document("Bahnhof") && !is_document("12345") && !is_document("12-345-67"));
    }
}
