//! Italian registration codes: the codice fiscale of a person (Ministerial Decree of 23 December 1976) and the partita IVA of a
//! business (Law 633/1972, Art. 35), with their check characters.

use super::draw::Draw;

/// Worth of the characters at odd places of a codice fiscale: of 0 to 9, which A to J share, and of K to Z.
const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
/// Letters for the months of birth.
const MONTHS: &[u8] = b"ABCDEHLMPRST";
/// Consonants, of which a person's name leaves six.
const CONSONANTS: &[u8] = b"BCDFGLMNPRSTVZ";

/// A well-formed codice fiscale.
pub(super) fn codice_fiscale(draw: &mut Draw) -> String {
    let letter = |draw: &mut Draw, from: &'static [u8]| char::from(draw.pick(from).copied().unwrap_or(b'X'));
    let name: String = (0..6).map(|_| letter(draw, CONSONANTS)).collect();
    let (year, month, day) = (draw.below(100), letter(draw, MONTHS), draw.below(28) + 1);
    let body = format!("{name}{year:02}{month}{day:02}Z9{:02}", draw.below(100));
    match check_character(&body) {
        Some(check) => format!("{body}{check}"),
        None => body,
    }
}

/// The check character of the first fifteen characters of a codice fiscale; nothing where one is no digit and no capital letter.
pub(in crate::mock) fn check_character(body: &str) -> Option<char> {
    let sum = body.bytes().take(15).enumerate().try_fold(0, |sum, (n, byte)| {
        let place = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A',
            _ => return None,
        };
        // Places count from 1: the first one is odd.
        Some(sum + if n % 2 == 0 { *ODD.get(usize::from(place))? } else { u32::from(place) })
    })?;
    char::from_u32(u32::from(b'A') + sum % 26)
}

/// A well-formed partita IVA.
pub(super) fn partita_iva(draw: &mut Draw) -> String {
    let body = format!("{:07}999", draw.below(10_000_000));
    match check_digit(&body) {
        Some(check) => format!("{body}{check}"),
        None => body,
    }
}

/// The check digit of the first ten digits of a partita IVA: Luhn's.
pub(in crate::mock) fn check_digit(body: &str) -> Option<u32> {
    let sum = body.chars().take(10).enumerate().try_fold(0, |sum, (n, c)| {
        let digit = c.to_digit(10)?;
        Some(sum + if n % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
    })?;
    Some((10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_are_those_of_published_examples() {
        // Examples that encyclopaedias give, and the number of Italy's revenue agency itself.
        assert_eq!(check_character("MRTMTT25D09F205"), Some('Z'));
        assert_eq!(check_character("RSSMRA80A01H501"), Some('U'));
        assert_eq!(check_digit("0636339100"), Some(1));
        assert_eq!(check_character("rssmra80a01h501"), None);
    }
}
