//! Mistakes that clients make, each planted around the real code, to show that the checker sees them.

use super::process::Asked;
use crate::model::{Class, Response, ResultCode, ResultItem};
use crate::protocol::frame::{Framer as _, LengthPrefix};
use crate::session::{At, Kind, Outcome, classify};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bug {
    /// A command whose answer was lost is taken for one that was never sent.
    BlindResend,
    /// A command leaves before the row that says so is on disk.
    JournalAfterSend,
    /// The connection is kept after an answer did not come in time.
    SocketKept,
    /// The next answer is taken for the answer, whatever identifier it carries.
    MatchWithoutId,
    /// 2400 is taken to mean that nothing happened.
    FailedMeansUndone,
    /// 1001 is taken to mean that it is done.
    PendingMeansDone,
    /// A row of the journal that cannot be read is left out.
    BadRowSkipped,
    /// An answer that cannot be read is taken for an object that is not there.
    UnreadableMeansAbsent,
    /// A password that was refused is tried again.
    PasswordTriedAgain,
    /// Consent is looked at when the plan is made, and not again.
    ConsentPlannedOnly,
    /// A frame's length counts characters.
    CharactersAsLength,
    /// A message is acknowledged before it is on disk.
    AckBeforeStore,
}

impl Bug {
    /// Every mistake.
    pub const ALL: [Self; 12] = [
        Self::BlindResend,
        Self::JournalAfterSend,
        Self::SocketKept,
        Self::MatchWithoutId,
        Self::FailedMeansUndone,
        Self::PendingMeansDone,
        Self::BadRowSkipped,
        Self::UnreadableMeansAbsent,
        Self::PasswordTriedAgain,
        Self::ConsentPlannedOnly,
        Self::CharactersAsLength,
        Self::AckBeforeStore,
    ];

    /// The word that a client with this mistake breaks.
    #[must_use]
    pub const fn breaks(self) -> &'static str {
        match self {
            Self::ConsentPlannedOnly | Self::CharactersAsLength => "I1",
            Self::BlindResend => "I2",
            Self::MatchWithoutId | Self::UnreadableMeansAbsent => "I3",
            Self::FailedMeansUndone | Self::PendingMeansDone | Self::AckBeforeStore => "I4",
            Self::JournalAfterSend | Self::BadRowSkipped => "I5",
            Self::PasswordTriedAgain => "I7",
            Self::SocketKept => "I8",
        }
    }

    /// What the client with this mistake makes of an outcome.
    pub(super) fn misread(self, asked: Asked, outcome: Outcome) -> Outcome {
        match (self, asked, outcome) {
            (Self::BlindResend, Asked::Command, Outcome::Unknown { why, .. }) => Outcome::NeverSent { why },
            (Self::FailedMeansUndone, Asked::Command, Outcome::Answer { response, mut verdict, facts, frame })
                if response.code() == ResultCode::FAILED =>
            {
                verdict.class = Class::Item;
                Outcome::Answer { response, verdict, facts, frame }
            }
            (Self::PendingMeansDone, Asked::Command, Outcome::Answer { response, mut verdict, facts, frame })
                if response.code() == ResultCode::PENDING =>
            {
                verdict.class = Class::Ok;
                Outcome::Answer { response, verdict, facts, frame }
            }
            (Self::UnreadableMeansAbsent, Asked::Question, Outcome::Unreadable { facts, .. }) => {
                let code = ResultCode::DOES_NOT_EXIST;
                let item = ResultItem { code, msg: "".into(), lang: None, values: Vec::new(), ext_values: Vec::new() };
                let response = Box::new(Response { results: vec![item], ..Response::default() });
                Outcome::Answer { response, verdict: classify(code, "", At::Live, Kind::Query, &[]), facts, frame: None }
            }
            (_, _, outcome) => outcome,
        }
    }

    /// The frames in `bytes` as the client with this mistake puts them on the line.
    pub(super) fn misframe(self, bytes: Vec<u8>) -> Vec<u8> {
        if self != Self::CharactersAsLength {
            return bytes;
        }
        let mut framer = LengthPrefix::epp(usize::MAX);
        framer.push(&bytes);
        let mut out = Vec::with_capacity(bytes.len());
        while let Ok(Some(frame)) = framer.next_frame() {
            let characters = String::from_utf8_lossy(frame).chars().count();
            out.extend_from_slice(&u32::try_from(characters + 4).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(frame);
        }
        out
    }
}
