//! What differs between the languages that sessions speak.

use super::ration::QuotaNews;
use super::result::{self, At, Kind, Verdict};
use crate::base::{ClTrid, Result};
use crate::model::{Command, Greeting, Query, ResData, Response};
use crate::protocol::tape::Tape;

/// A frame's content, in the terms all dialects share.
#[derive(Clone, Debug)]
pub enum Said {
    /// A greeting.
    Greeting(Box<Greeting>),
    /// An answer.
    Answer(Box<Response>),
}

/// How answers find their question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// By our transaction identifier.
    ById,
    /// By their order. Such a session has one command in flight, and an answer must name the object that was asked for.
    InOrder,
}

/// Whether an answer is about the object that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// It is.
    Same,
    /// It names no object.
    Silent,
    /// It is about another one.
    Other,
}

/// What a greeting and a profile say differently. Neither is an error; both are worth a line in the morning.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Drift {
    /// Services the registry announces and the profile does not name.
    pub announced_not_enabled: Vec<String>,
    /// Services the profile names and the registry does not announce.
    pub enabled_not_announced: Vec<String>,
}

/// What a login consists of.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The login.
    pub login: Command,
    /// Where greeting and profile differ.
    pub drift: Drift,
}

/// A language. It keeps no state of a session, so that one value serves a whole pool.
pub trait Dialect: Send + Sync {
    /// Whether the registry speaks first.
    fn is_greeted(&self) -> bool;

    /// Whether the line carries exchanges in turns, each begun by us, as POSTs do. A greeting is asked for there, there is one command
    /// in flight, and an exchange that fails does not end the session.
    fn takes_turns(&self) -> bool {
        false
    }

    /// The login, given the greeting where there is one.
    ///
    /// # Errors
    /// What forbids to log in at all: nothing is sent then.
    fn login(&self, greeting: Option<&Greeting>) -> Result<Agreed>;

    /// What keeps an idle session alive. No proof of a login.
    fn keep_alive(&self) -> Command;

    /// How answers find their question.
    fn matching(&self) -> Matching;

    /// Appends the payload of a frame, in a session whose login named the extensions `agreed`.
    ///
    /// # Errors
    /// Where the language, or what was agreed on, cannot carry the command.
    fn encode(&self, command: &Command, cl_trid: Option<&ClTrid>, agreed: &[Box<str>], out: &mut Vec<u8>) -> Result<()>;

    /// Reads a frame.
    ///
    /// # Errors
    /// Why it is neither a greeting nor an answer.
    fn read(&self, tape: &Tape) -> Result<Said, String>;

    /// Whether `command` is sent with our identifier.
    fn identifies(&self, _command: &Command) -> bool {
        self.matching() == Matching::ById
    }

    /// What must be read before `command` can be put together, in a language that replaces objects as a whole.
    fn reads_first(&self, _command: &Command) -> Option<Query> {
        None
    }

    /// The command to send for `command`, given the answer to what [`Dialect::reads_first`] asks.
    ///
    /// # Errors
    /// Why it cannot be put together without losing something.
    fn complete(&self, command: &Command, _read: &Response) -> Result<Command> {
        Ok(command.clone())
    }

    /// What an answer tells of the account's quota of the day.
    fn quota(&self, _response: &Response) -> Option<QuotaNews> {
        None
    }

    /// The command's name in the evidence.
    fn command_name(&self, command: &Command) -> &'static str;

    /// The names of the elements in a frame, for the evidence.
    fn element_names(&self, tape: &Tape) -> String;

    /// What a result asks of us.
    fn classify(&self, response: &Response, at: At, kind: Kind) -> Verdict {
        result::judge(response, at, kind, &[])
    }

    /// Whether `response` is about the object that `command` asks for.
    fn identity(&self, command: &Command, response: &Response) -> Identity {
        identity(command, response)
    }
}

/// [`Dialect::identity`] for every language whose answers are read into [`ResData`].
fn identity(command: &Command, response: &Response) -> Identity {
    let Command::Query(query) = command else { return Identity::Silent };
    let answers = response.data.iter().map(|data| match (query, data) {
        (Query::ContactInfo { id, .. }, ResData::Contact(contact)) => same_handle(id.as_str(), contact.id.as_str()),
        (Query::DomainInfo { name, .. } | Query::DomainContacts { name, .. }, ResData::Domain(domain)) => {
            same_name(name.as_str(), domain.name.as_str())
        }
        (Query::HostInfo(name), ResData::Host(host)) => same_name(name.as_str(), host.name.as_str()),
        (Query::HitPoints, ResData::HitPoints(_)) => Identity::Same,
        (Query::ContactTransfer { id, .. }, ResData::ContactTransfer(data)) => same_handle(id.as_str(), &data.id),
        (Query::DomainTransfer { name, .. }, ResData::DomainTransfer(data)) => same_name(name.as_str(), &data.id),
        (Query::ContactCheck(ids), ResData::ContactCheck(items)) => {
            all(items.iter().all(|i| ids.iter().any(|id| same_handle(id.as_str(), &i.id) == Identity::Same)))
        }
        (Query::DomainCheck(names), ResData::DomainCheck(items)) => {
            all(items.iter().all(|i| names.iter().any(|name| same_name(name.as_str(), &i.id) == Identity::Same)))
        }
        // A known element that could not be read names nothing; neither does what no type knows.
        (_, ResData::Unreadable { .. }) => Identity::Silent,
        // An object of another kind than asked for.
        _ => Identity::Other,
    });
    answers.fold(Identity::Silent, |all, one| match (all, one) {
        (Identity::Other, _) | (_, Identity::Other) => Identity::Other,
        (Identity::Same, _) | (_, Identity::Same) => Identity::Same,
        _ => Identity::Silent,
    })
}

/// A condition as an identity.
const fn all(holds: bool) -> Identity {
    if holds { Identity::Same } else { Identity::Other }
}

/// Handles are compared without case: registries store them in upper case.
fn same_handle(asked: &str, answered: &str) -> Identity {
    all(asked.eq_ignore_ascii_case(answered.trim()))
}

/// Names are compared as A-labels, since a registry may answer with U-labels or a final dot.
fn same_name(asked: &str, answered: &str) -> Identity {
    let answered = answered.trim().trim_end_matches('.');
    let same = asked.eq_ignore_ascii_case(answered)
        || (!answered.is_ascii() && idna::domain_to_ascii(answered).is_ok_and(|ascii| ascii.eq_ignore_ascii_case(asked)));
    all(same)
}
