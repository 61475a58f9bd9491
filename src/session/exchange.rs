//! One exchange: what was asked, and how it ended.

use super::ration::Spent;
use super::result::Verdict;
use crate::base::{ClTrid, Clock, Moment, Problem, Timestamp};
use crate::model::{Command, ExchangeFacts, Response, ResultCode};
use crate::protocol::frame::BadFrame;
use std::fmt;

/// The present on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// On the clock that deadlines live on.
    pub at: Moment,
    /// On the calendar, for the evidence.
    pub wall: Timestamp,
}

impl Now {
    /// The present as `clock` tells it.
    #[must_use]
    pub fn of(clock: &dyn Clock) -> Self {
        Self { at: clock.moment(), wall: clock.wall() }
    }
}

/// A command on its way, with the asker's ticket.
#[derive(Clone, Debug)]
pub struct Job {
    /// Whatever number the asker knows it by.
    pub ticket: u64,
    /// The command.
    pub command: Command,
    /// How often it was handed to a line and no answer came that settles it.
    pub attempts: u8,
    /// Whether it is asked with nothing else in flight, since a frame came whose owner could not be told.
    pub alone: bool,
    /// What is to follow, put together from the answer to `command`.
    pub then: Option<Box<Command>>,
    /// The transaction identifier that the command itself is to have, where the asker chose one.
    pub trid: Option<ClTrid>,
}

impl Job {
    /// `command` for its first attempt.
    #[must_use]
    pub const fn new(ticket: u64, command: Command) -> Self {
        Self { ticket, command, attempts: 0, alone: false, then: None, trid: None }
    }

    /// Whether it may be asked again where no answer came: it changes nothing, and nothing that does follows from it.
    #[must_use]
    pub const fn repeats(&self) -> bool {
        !matches!(self.command, Command::Transform(_)) && self.then.is_none()
    }
}

/// How a connection came to its end, as the driver saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer closed, with or without TLS's own goodbye.
    Eof {
        /// Whether `close_notify` came first.
        clean: bool,
    },
    /// The peer sent a TLS alert.
    Alert {
        /// Its name in RFC 8446 §6, in words.
        name: String,
        /// Whether it speaks of our certificate.
        certificate: bool,
    },
    /// The connection failed: reset, timed out, unreachable, no TLS at all …
    Broken(String),
    /// What came in HTTP is no answer of EPP's: a redirect, a page, an error of a server in between …
    Http(String),
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eof { clean: true } => f.write_str("the registry closed the connection"),
            Self::Eof { clean: false } => f.write_str("the registry closed the connection without TLS's close_notify"),
            Self::Alert { name, certificate: true } => write!(f, "the registry refused our certificate (TLS alert: {name})"),
            Self::Alert { name, .. } => write!(f, "the registry sent the TLS alert {name}"),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::Http(why) => f.write_str(why),
        }
    }
}

/// Why a session was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The connection ended.
    Closed(CloseReason),
    /// The greeting was not complete in time.
    NoGreeting,
    /// An answer was not complete in time.
    Deadline,
    /// A header that no honest peer sends.
    BadFrame(BadFrame),
    /// A frame that is no answer, and why.
    Garbage(String),
    /// A frame that belongs to no command in flight, with its code.
    Ownerless(ResultCode),
    /// An answer without an identifier where it could belong to several commands, or claims success.
    Unidentified(ResultCode),
    /// An answer about another object than asked; the identifier of the object asked for.
    OtherObject(String),
    /// The registry said that it closes, or that we are not logged in.
    Told(ResultCode),
    /// The operator stopped the run.
    Stopped,
    /// What may be asked is used up.
    Rationed(Spent),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(reason) => reason.fmt(f),
            Self::NoGreeting => f.write_str("no whole greeting came in time"),
            Self::Deadline => f.write_str("no whole answer came in time"),
            Self::BadFrame(bad) => bad.fmt(f),
            Self::Garbage(why) => write!(f, "a frame that is no answer: {why}"),
            Self::Ownerless(code) => write!(f, "a frame (code {}) that answers nothing in flight", code.0),
            Self::Unidentified(code) => write!(f, "an answer (code {}) without our transaction identifier", code.0),
            Self::OtherObject(asked) => write!(f, "the answer to {asked} is about another object"),
            Self::Told(code) => write!(f, "the registry ended the session with code {}", code.0),
            Self::Stopped => f.write_str("the run was stopped"),
            Self::Rationed(Spent::Budget) => f.write_str("the budget is used up"),
            Self::Rationed(Spent::Until) => f.write_str("the time to end at has come"),
            Self::Rationed(Spent::Quota) => f.write_str("what is left of the day's quota is kept"),
        }
    }
}

/// A frame as it came, kept to be sealed: it may hold personal data, so that it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct RawFrame(Vec<u8>);

impl RawFrame {
    /// Keeps `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes, for the one place that seals them.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[frame of {} bytes]", self.0.len())
    }
}

/// How an exchange ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// An answer came. What no type knew stands in `response.unknown`.
    Answer {
        /// The answer.
        response: Box<Response>,
        /// What its code asks of us.
        verdict: Verdict,
        /// The evidence.
        facts: Box<ExchangeFacts>,
        /// The frame itself, where it holds a message of the account's queue.
        frame: Option<RawFrame>,
    },
    /// A frame came that is no answer.
    Unreadable {
        /// Why.
        why: String,
        /// The frame, to be sealed.
        frame: RawFrame,
        /// The evidence.
        facts: Box<ExchangeFacts>,
    },
    /// Bytes of the command were handed to the line and no answer came.
    Unknown {
        /// Why.
        why: Loss,
        /// The evidence.
        facts: Box<ExchangeFacts>,
    },
    /// Not one byte of the command was handed to the line.
    NeverSent {
        /// Why.
        why: Loss,
    },
    /// The command cannot be sent, or need not be.
    Refused(Box<Problem>),
}

/// Why a session could not be opened.
#[derive(Clone, Debug)]
pub enum Barred {
    /// The registry refused the login, or spoke a result instead of a greeting.
    Refused {
        /// The code.
        code: ResultCode,
        /// The registry's words.
        msg: String,
        /// What the code means at a login.
        verdict: Verdict,
    },
    /// The line was lost on the way.
    Lost(Loss),
    /// We cannot log in: the greeting or the configuration forbid it.
    Problem(Box<Problem>),
}

/// How a session ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// As we wanted.
    Left,
    /// Before it was logged in.
    Barred(Barred),
    /// In the middle of its life.
    Lost(Loss),
}
