//! The check characters of Italy's two fiscal numbers.

/// The letters that stand for the digits 0 to 9 where two persons would have the same codice fiscale (omocodia).
const FOR_DIGITS: &[u8; 10] = b"LMNPQRSTUV";

/// The positions, from 0, at which digits may be replaced by letters.
const REPLACEABLE: [usize; 7] = [6, 7, 9, 10, 12, 13, 14];

/// The values of 0 to 9 and A to Z at odd positions (decree of 23 December 1976, art. 6).
const ODD: [u32; 36] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/// Whether this is a codice fiscale of sixteen characters.
///
/// # Errors
/// What is wrong with it, without a character of it.
pub fn codice_fiscale(value: &str) -> Result<(), String> {
    let bytes: Vec<u8> = value.bytes().map(|b| b.to_ascii_uppercase()).collect();
    let Some((last, body)) = bytes.split_last().filter(|(_, body)| body.len() == 15) else {
        return Err(format!("a codice fiscale has 16 characters, this one {}", value.chars().count()));
    };
    let digit = |b: &u8| b.is_ascii_digit() || FOR_DIGITS.contains(b);
    let fits = |(at, b): (usize, &u8)| if REPLACEABLE.contains(&at) { digit(b) } else { is_letter_or_day(at, *b) };
    if let Some(at) = body.iter().enumerate().position(|pair| !fits(pair)) {
        return Err(format!("character {} of a codice fiscale cannot be this one", at + 1));
    }
    let value_of = |b: u8| if b.is_ascii_digit() { u32::from(b - b'0') } else { u32::from(b.saturating_sub(b'A')) };
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(at, b)| {
            // Positions count from 1, so that the even ones here are the odd ones of the decree.
            let index = if b.is_ascii_digit() { value_of(*b) } else { value_of(*b) + 10 };
            if at % 2 == 0 { ODD.get(index as usize).copied().unwrap_or_default() } else { value_of(*b) }
        })
        .sum();
    if value_of(*last) == sum % 26 && last.is_ascii_uppercase() {
        Ok(())
    } else {
        Err("the check character at its end does not fit the others".to_owned())
    }
}

/// Whether `b` can stand at a position where no digit is replaced: letters, as the month at 8 and the place's first letter at 11.
fn is_letter_or_day(at: usize, b: u8) -> bool {
    match at {
        8 => b"ABCDEHLMPRST".contains(&b),
        _ => b.is_ascii_uppercase(),
    }
}

/// Whether this is a partita IVA of eleven digits, the last of which is a Luhn digit.
///
/// # Errors
/// What is wrong with it, without a digit of it.
pub fn partita_iva(value: &str) -> Result<(), String> {
    let digits: Option<Vec<u32>> = value.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|d| d.len() == 11) else {
        return Err(format!("a partita IVA has 11 digits, this one {} characters", value.chars().count()));
    };
    let doubled = |d: u32| if d > 4 { 2 * d - 9 } else { 2 * d };
    let sum: u32 = digits.iter().enumerate().map(|(at, d)| if at % 2 == 1 { doubled(*d) } else { *d }).sum();
    if sum.is_multiple_of(10) { Ok(()) } else { Err("the check digit at its end does not fit the others".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codici_fiscali_with_and_without_replaced_digits() {
        for good in ["RSSMRA80A01H501U", "MRTMTT91D08F205J", "MLLSNT82P65Z404U", "rssmra80a01h501u"] {
            assert_eq!(codice_fiscale(good), Ok(()), "{good}");
        }
        // The same person with the last digit replaced: its check character is another.
        let replaced = |last: char| format!("RSSMRA80A01H50M{last}");
        let fits: Vec<char> = ('A'..='Z').filter(|c| codice_fiscale(&replaced(*c)).is_ok()).collect();
        assert_eq!(fits.len(), 1);
        for bad in [
            "RSSMRA80A01H501V",
            "RSSMRA80A01H501",
            "RSSMRA80A01H501UU",
            "RSSMRA80F01H501U",
            "1SSMRA80A01H501U",
            "RSSMRAA0A01H501U",
            "RSSMRA80A01H501é",
            "",
        ] {
            assert!(codice_fiscale(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_changed_digit_of_a_partita_iva_is_seen() {
        let good = "00743110157";
        assert_eq!(partita_iva(good), Ok(()));
        for at in 0..11 {
            for digit in '0'..='9' {
                let changed: String = good.chars().enumerate().map(|(n, c)| if n == at { digit } else { c }).collect();
                assert_eq!(partita_iva(&changed).is_ok(), changed == good, "{changed}");
            }
        }
        assert!(partita_iva("0074311015").is_err() && partita_iva("0074311015a").is_err());
    }
}
