//! The row of a step exactly as this program writes it, read from left to right. Opening the journal of a long run reads millions of
//! them; what differs in any way, or tells why a step failed, is left to serde.

use super::entry::StepRow;
use super::state::StepState;
use crate::base::{ObjectRef, ValueDigest};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};

/// The step of a row in canonical form; nothing where it is in another form, or no step's.
pub(super) fn step(row: &[u8]) -> Option<StepRow> {
    let mut left = Left(row);
    left.skip(b"{\"is\":\"step\",\"op\":")?;
    let op = left.number()?;
    left.skip(b",\"step\":")?;
    let step = left.number()?.try_into().ok()?;
    left.skip(b",\"ref\":\"")?;
    let reference = ObjectRef::read(left.text()?)?;
    left.skip(b",\"to\":\"")?;
    let word: StrDeserializer<'_, Error> = left.text()?.into_deserializer();
    let to = StepState::deserialize(word).ok()?;
    let sends = left.skip(b",\"sends\":").map_or(Some(0), |()| left.number()?.try_into().ok())?;
    let turn = left.skip(b",\"turn\":").map_or(Some(0), |()| left.number()?.try_into().ok())?;
    left.skip(b",\"at\":\"")?;
    let at = left.text()?.parse().ok()?;
    let cltrid = left.text_of(b",\"cltrid\":\"")?.map(Into::into);
    let svtrid = left.text_of(b",\"svtrid\":\"")?.map(Into::into);
    let before = match left.text_of(b",\"before\":\"")? {
        Some(digits) => Some(ValueDigest::read(digits)?),
        None => None,
    };
    (left.0 == b"}").then_some(StepRow { op, step, reference, to, sends, turn, at, cltrid, svtrid, before, why: None })
}

/// What is left of a row.
struct Left<'r>(&'r [u8]);

impl<'r> Left<'r> {
    /// Moves over what stands here for certain.
    fn skip(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// A number of at most 18 digits, without a leading zero.
    fn number(&mut self) -> Option<u64> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(length).filter(|_| (1..=18).contains(&length))?;
        if length > 1 && digits.starts_with(b"0") {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit & 0xf)))
    }

    /// The text up to the next quotation mark, over which this moves; nothing where anything in it is escaped, or is not ASCII.
    fn text(&mut self) -> Option<&'r str> {
        let length = self.0.iter().position(|byte| matches!(byte, b'"' | b'\\') || !(b' '..=b'~').contains(byte))?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text).ok()
    }

    /// The text behind `key`, where that stands here.
    #[expect(clippy::option_option, reason = "a text that cannot be read is another thing than one that is not there")]
    fn text_of(&mut self, key: &[u8]) -> Option<Option<&'r str>> {
        self.skip(key).map_or(Some(None), |()| self.text().map(Some))
    }
}
