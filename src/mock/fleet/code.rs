//! Indices as short codes: shuffled by a keyed bijection, so that neighbours do not look alike, and written in base 32 with a check.

use super::draw::Draw;

/// Bits of an index.
const BITS: u32 = 35;
/// One above the largest index.
pub(super) const END: u64 = 1 << BITS;
const MASK: u64 = END - 1;
/// Base 32 without the letters that are read as digits (I, L, O, U).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code in base 32, without its check: 7 × 5 = 35 bits.
const DIGITS: u32 = 7;

const ODD: u64 = 0x2_9E37_79B9_u64 | 1;
const INVERSE: u64 = inverse(ODD);

/// The inverse of odd `a` modulo 2^64, by Newton's iteration: each step doubles the bits that are right.
const fn inverse(a: u64) -> u64 {
    let mut x = a;
    let mut step = 0;
    while step < 6 {
        x = x.wrapping_mul(2_u64.wrapping_sub(a.wrapping_mul(x)));
        step += 1;
    }
    x
}

/// A bijection of the indices below [`END`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Shuffle {
    key: u64,
}

impl Shuffle {
    /// The bijection of `seed` for `purpose`.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        Self { key: Draw::new(seed, purpose, 0).bits() & MASK }
    }

    /// Where `index` goes.
    pub(super) const fn forward(self, index: u64) -> u64 {
        // A shift by more than half the width undoes itself; a product with an odd number is undone by its inverse.
        let mut x = (index ^ self.key) & MASK;
        x = x.wrapping_mul(ODD) & MASK;
        x ^= x >> 18;
        x.wrapping_mul(ODD) & MASK
    }

    /// Where `code` came from.
    pub(super) const fn back(self, code: u64) -> u64 {
        let mut x = code.wrapping_mul(INVERSE) & MASK;
        x ^= x >> 18;
        x = x.wrapping_mul(INVERSE) & MASK;
        x ^ self.key
    }
}

/// `code` in base 32, upper case: seven digits and a check.
pub(super) fn write(code: u64) -> String {
    let digit = |value: u64| char::from(*ALPHABET.get(usize::try_from(value & 31).unwrap_or_default()).unwrap_or(&b'0'));
    let digits = (0..DIGITS).rev().map(|place| code >> (5 * place));
    digits.chain([check(code)]).map(digit).collect()
}

/// The code in `text`, in upper or lower case, or nothing where it is none or its check is wrong.
pub(super) fn read(text: &str) -> Option<u64> {
    let (digits, check_digit) = text.split_at_checked(DIGITS as usize)?;
    let value = |c: u8| ALPHABET.iter().position(|a| *a == c.to_ascii_uppercase()).map(|v| v as u64);
    let code = digits.bytes().try_fold(0, |code, c| Some((code << 5) | value(c)?))?;
    let [given] = check_digit.as_bytes() else { return None };
    (value(*given)? == check(code)).then_some(code)
}

/// A check that tells every single wrong digit: each digit is weighted with an odd number.
fn check(code: u64) -> u64 {
    (0..DIGITS).map(|place| ((code >> (5 * place)) & 31) * u64::from(2 * place + 1)).sum::<u64>() & 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn codes_go_both_ways(seed: u64, index in 0..END) {
            let shuffle = Shuffle::new(seed, "test");
            let code = shuffle.forward(index);
            prop_assert!(code < END);
            prop_assert_eq!(shuffle.back(code), index);
            prop_assert_eq!(read(&write(code)), Some(code));
            prop_assert_eq!(read(&write(code).to_lowercase()), Some(code));
        }

        #[test]
        fn one_wrong_digit_is_told(code in 0..END, place in 0..8_usize, digit in 0..32_usize) {
            let mut bytes = write(code).into_bytes();
            prop_assume!(bytes[place] != ALPHABET[digit]);
            bytes[place] = ALPHABET[digit];
            prop_assert_eq!(read(&String::from_utf8(bytes).expect("ascii")), None);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,12}") {
            let _code = read(&text);
        }
    }
}
