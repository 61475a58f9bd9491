//! Frames out of bytes, however the bytes arrive.

use std::collections::VecDeque;
use std::fmt;

/// The largest frame that is read, header included. Real answers stay below 1 MiB; a registry's queue messages may carry more.
pub const DEFAULT_CAP: usize = 10 * 1024 * 1024;

/// How frames are told apart on a line.
pub trait Framer {
    /// Takes bytes off the line.
    fn push(&mut self, bytes: &[u8]);

    /// Hands the next whole frame, without its header, to `read`, or nothing where it is not complete.
    ///
    /// # Errors
    /// A header that no honest peer sends; the line is dead from then on.
    fn next_frame(&mut self) -> Result<Option<&[u8]>, BadFrame>;

    /// Whether bytes of an unfinished frame are waiting.
    fn is_inside(&self) -> bool;

    /// Appends `payload` as one frame to `out`.
    fn enclose(&self, payload: &[u8], out: &mut Vec<u8>);
}

/// A header that no honest peer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFrame {
    /// The length leaves no room for a payload.
    TooShort {
        /// The length in the header.
        length: u32,
    },
    /// The length is over the cap; nothing was allocated for it.
    TooLong {
        /// The length in the header.
        length: u32,
        /// The cap.
        cap: usize,
    },
}

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { length } => write!(f, "a frame header states {length} bytes, too few to hold anything"),
            // The header of a TLS alert or handshake record, read as a length: one side speaks TLS and the other does not.
            Self::TooLong { length, .. } if matches!(length >> 24, 0x15 | 0x16) => {
                f.write_str("a TLS record stands where a frame should: plain text met TLS")
            }
            Self::TooLong { length, cap } => write!(f, "a frame header states {length} bytes, the cap is {cap}"),
        }
    }
}

impl std::error::Error for BadFrame {}

/// Frames behind a 4-byte big-endian length (RFC 5734 §4, where the length counts itself; elsewhere it may not).
///
/// Bytes are kept from the first one of the oldest unfinished frame on; `start` is where that frame begins:
///
/// ```text
///   buffer  | handed out | header | payload …      | next frame …
///           0            start    start+4
/// ```
#[derive(Debug)]
pub struct LengthPrefix {
    buffer: Vec<u8>,
    start: usize,
    cap: usize,
    /// 4 where the length counts its own bytes, otherwise 0.
    counted: usize,
}

/// Bytes in a length header.
const HEADER: usize = 4;

impl LengthPrefix {
    /// EPP's framing: the length counts its own four bytes.
    #[must_use]
    pub const fn epp(cap: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, cap, counted: HEADER }
    }

    /// Framing where the length is the payload's alone.
    #[must_use]
    pub const fn payload_only(cap: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, cap, counted: 0 }
    }
}

impl Framer for LengthPrefix {
    fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn next_frame(&mut self) -> Result<Option<&[u8]>, BadFrame> {
        let Some(header) = self.buffer.get(self.start..).and_then(|rest| rest.first_chunk::<HEADER>()) else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*header);
        let whole = usize::try_from(length).unwrap_or(usize::MAX);
        if whole > self.cap {
            return Err(BadFrame::TooLong { length, cap: self.cap });
        }
        let payload = whole.checked_sub(self.counted).filter(|n| *n > 0).ok_or(BadFrame::TooShort { length })?;
        let from = self.start.saturating_add(HEADER);
        let to = from.saturating_add(payload);
        if self.buffer.len() < to {
            return Ok(None);
        }
        self.start = to;
        Ok(self.buffer.get(from..to))
    }

    fn is_inside(&self) -> bool {
        self.buffer.len() > self.start
    }

    fn enclose(&self, payload: &[u8], out: &mut Vec<u8>) {
        let length = u32::try_from(payload.len().saturating_add(self.counted)).unwrap_or(u32::MAX);
        out.reserve(HEADER + payload.len());
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(payload);
    }
}

/// No framing: what is pushed at once is a frame, for lines that carry documents one by one, as POSTs do.
#[derive(Debug, Default)]
pub struct Whole {
    documents: VecDeque<Vec<u8>>,
    /// The one that was handed out last.
    current: Vec<u8>,
}

impl Framer for Whole {
    fn push(&mut self, bytes: &[u8]) {
        self.documents.push_back(bytes.to_vec());
    }

    fn next_frame(&mut self) -> Result<Option<&[u8]>, BadFrame> {
        let Some(next) = self.documents.pop_front() else { return Ok(None) };
        self.current = next;
        Ok(Some(&self.current))
    }

    fn is_inside(&self) -> bool {
        false
    }

    fn enclose(&self, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(framer: &mut LengthPrefix) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        while let Some(frame) = framer.next_frame().expect("honest frames") {
            out.push(frame.to_vec());
        }
        out
    }

    #[test]
    fn two_frames_cut_at_every_byte_come_out_the_same() {
        for make in [LengthPrefix::epp, LengthPrefix::payload_only] {
            let mut line = Vec::new();
            make(64).enclose(b"<epp/>", &mut line);
            make(64).enclose("<é/>".as_bytes(), &mut line);
            for cut in 0..=line.len() {
                let mut framer = make(64);
                let mut got = Vec::new();
                for part in [&line[..cut], &line[cut..]] {
                    framer.push(part);
                    got.extend(frames(&mut framer));
                }
                assert_eq!(got, [b"<epp/>".to_vec(), "<é/>".as_bytes().to_vec()], "cut at {cut}");
                assert!(!framer.is_inside());
            }
            let mut framer = make(64);
            let mut got = Vec::new();
            for byte in &line {
                framer.push(&[*byte]);
                got.extend(frames(&mut framer));
            }
            assert_eq!(got.len(), 2);
        }
    }

    /// faults.md §5 row 15.
    #[test]
    fn row_15_lengths_0_1_and_4_are_refused() {
        for length in [0_u32, 1, 4] {
            let mut framer = LengthPrefix::epp(DEFAULT_CAP);
            framer.push(&length.to_be_bytes());
            assert_eq!(framer.next_frame(), Err(BadFrame::TooShort { length }));
        }
    }

    /// faults.md §5 row 16: refused on the header alone, before anything is allocated for it.
    #[test]
    fn row_16_a_length_over_the_cap_is_refused_before_allocation() {
        for length in [1 << 30, u32::MAX - 1] {
            let mut framer = LengthPrefix::epp(DEFAULT_CAP);
            framer.push(&length.to_be_bytes());
            assert_eq!(framer.next_frame(), Err(BadFrame::TooLong { length, cap: DEFAULT_CAP }));
            assert!(framer.buffer.capacity() < 64);
        }
        let tls_alert = 0x1503_0300;
        assert!(BadFrame::TooLong { length: tls_alert, cap: 1 }.to_string().contains("TLS"));
    }

    #[test]
    fn what_is_pushed_at_once_is_a_frame_where_there_is_no_framing() {
        let mut framer = Whole::default();
        framer.push(b"<a/>");
        framer.push(b"");
        framer.push(b"<b/>");
        let mut got = Vec::new();
        while let Some(frame) = framer.next_frame().expect("any bytes are a frame") {
            got.push(frame.to_vec());
        }
        assert_eq!(got, [b"<a/>".to_vec(), Vec::new(), b"<b/>".to_vec()]);
        let mut out = Vec::new();
        framer.enclose(b"<c/>", &mut out);
        assert_eq!((out.as_slice(), framer.is_inside()), (b"<c/>".as_slice(), false));
    }
}
