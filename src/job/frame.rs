//! `frame decode`: what is in a frame, as the types see it.

use super::Ended;
use crate::base::{Blame, Exit, Problem, Result};
use crate::protocol::epp;
use crate::protocol::frame::{DEFAULT_CAP, Framer as _, LengthPrefix};

/// The dialects whose frames can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// EPP (RFC 5730).
    Epp,
}

/// Decodes one frame; personal data are masked unless `unmasked`.
///
/// # Errors
/// `E-frame-001` (exit 2) where it is no frame at all.
pub fn frame_decode(bytes: &[u8], dialect: Dialect, length_prefixed: bool, unmasked: bool) -> Result<Ended> {
    let no_frame = |why: String| {
        let remedy = "give one whole frame; `--length-prefixed` where four bytes of length stand before it";
        Problem::new("E-frame-001", Blame::Input, format!("this is not a frame: {why}"), remedy).exit(Exit::Usage)
    };
    let mut framer = LengthPrefix::epp(DEFAULT_CAP);
    let frame = if length_prefixed {
        framer.push(bytes);
        match framer.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => return Err(no_frame("it is shorter than its length says".to_owned())),
            Err(bad) => return Err(no_frame(bad.to_string())),
        }
    } else {
        bytes
    };
    let json = match dialect {
        Dialect::Epp => epp::frame_json(frame, unmasked).map_err(|e| no_frame(e.to_string()))?,
    };
    Ok(Ended { exits: vec![Exit::Done], text: format!("{json:#}"), json, problems: Vec::new() })
}
