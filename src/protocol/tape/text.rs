//! Bytes to text, and the few things of XML that stand inside a piece of it.

use super::Malformed;

/// Bytes of an XML declaration within which an encoding is looked for.
const LONGEST_DECLARATION: usize = 200;

/// Positions are stored in 31 bits. Framers stop far below.
const MOST_BYTES: usize = 1 << 30;

/// The text of `frame`: UTF-8, or UTF-16 behind its byte order mark; without padding and byte order mark. Tells whether a carriage
/// return stands in it.
pub(super) fn decode(frame: &[u8], into: &mut String) -> Result<bool, Malformed> {
    into.clear();
    if frame.len() > MOST_BYTES {
        return Err(Malformed { why: "larger than any frame", at: 0 });
    }
    let fail = |why, at| Err(Malformed { why, at });
    match frame {
        [0xFE, 0xFF, units @ ..] => utf16(units, u16::from_be_bytes, into)?,
        [0xFF, 0xFE, units @ ..] => utf16(units, u16::from_le_bytes, into)?,
        _ => {
            let bytes = frame.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(frame).trim_ascii();
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    into.reserve_exact(text.len());
                    into.push_str(text);
                }
                Err(e) => return fail("not UTF-8", e.valid_up_to()),
            }
            if let Some(encoding) = declared_encoding(into)
                && !["utf-8", "utf8", "us-ascii"].iter().any(|known| encoding.eq_ignore_ascii_case(known))
            {
                return fail("an encoding other than UTF-8 is declared", 0);
            }
        }
    }
    // Blocks without an early end inside are compared many bytes at a time.
    // Without branches, so that the compiler looks at many bytes at a time.
    #[expect(clippy::needless_bitwise_bool, reason = "a branch for each byte would take the vectors away")]
    let in_block = |block: &[u8]| block.iter().fold((false, false), |(nul, cr), b| (nul | (*b == 0), cr | (*b == b'\r')));
    let (nul, returns) = into.as_bytes().chunks(256).map(in_block).fold((false, false), |a, b| (a.0 | b.0, a.1 | b.1));
    if nul {
        return fail("a NUL", into.find('\0').unwrap_or_default());
    }
    Ok(returns)
}

/// Decodes UTF-16.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, into: &mut String) -> Result<(), Malformed> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    for (at, c) in char::decode_utf16(units).enumerate() {
        into.push(c.map_err(|_| Malformed { why: "not UTF-16", at: at * 2 })?);
    }
    if bytes.len().is_multiple_of(2) { Ok(()) } else { Err(Malformed { why: "not UTF-16", at: bytes.len() }) }
}

/// The encoding that an XML declaration states.
fn declared_encoding(text: &str) -> Option<&str> {
    let behind = text.strip_prefix("<?xml")?;
    let longest = behind.len().min(LONGEST_DECLARATION);
    let end = behind.bytes().take(longest).position(|b| b == b'>').unwrap_or(longest);
    let (_, rest) = behind.get(..end)?.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

/// The character a reference means: only the five of XML and numbers. Nothing else is ever defined, since a DOCTYPE is refused.
pub(super) fn resolve(name: &str) -> Result<char, &'static str> {
    // `from_str_radix` alone would take a sign.
    let plain = |digits: &&str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    let number = |digits: &str, radix| {
        Some(digits)
            .filter(plain)
            .and_then(|digits| u32::from_str_radix(digits, radix).ok())
            .and_then(char::from_u32)
            .filter(|c| *c != '\0')
    };
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match name.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix('x') {
                Some(hex) => number(hex, 16).ok_or("a reference to no character"),
                None => number(digits, 10).ok_or("a reference to no character"),
            },
            None => Err("an entity that nobody declared"),
        },
    }
}

/// Splits a name at its colon.
pub(super) fn split(name: &str) -> (Option<&str>, &str) {
    match name.bytes().position(|b| b == b':').and_then(|colon| name.split_at_checked(colon)) {
        Some((prefix, rest)) => (Some(prefix), rest.get(1..).unwrap_or_default()),
        None => (None, name),
    }
}

/// Whether an element can be named so, or its prefix. Letters beyond ASCII all pass.
#[inline]
pub(super) fn is_plain_name(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|first| NAME[usize::from(first)] & BEGIN != 0);
    begins && name.bytes().fold(BEGIN | FOLLOW, |all, byte| all & NAME[usize::from(byte)]) & FOLLOW != 0
}

/// What a name may begin with.
const BEGIN: u8 = 1;
/// What may stand in one.
const FOLLOW: u8 = 2;

/// [`BEGIN`], [`FOLLOW`], both or neither, by byte.
const NAME: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => BEGIN | FOLLOW,
            b'0'..=b'9' | b'-' | b'.' => FOLLOW,
            _ => 0,
        };
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::is_plain_name;

    #[test]
    fn a_name_begins_with_a_letter_and_has_no_colon() {
        for name in ["id", "_a-1.é", "é"] {
            assert!(is_plain_name(name), "{name}");
        }
        for wrong in ["", ":", "a:", ":a", "a:b", "1a", "-a", ".a", "a b", "a&", "a/"] {
            assert!(!is_plain_name(wrong), "{wrong}");
        }
    }
}
