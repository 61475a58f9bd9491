//! DENIC's RRI as a dialect: the client speaks first, answers come in order, and codes have eleven digits.

use super::dialect::{Agreed, Dialect, Drift, Matching, Said};
use super::epp::Account;
use super::ration::QuotaNews;
use super::result::{self, At, Effect, Kind, Scope, Verdict};
use crate::base::{Blame, ClTrid, Exit, Personal, Problem, Result, Secret, hex};
use crate::model::{Class, Command, Extension, Greeting, Login, Query, Response, RriAnswer};
use crate::policy::Profile;
use crate::protocol::epp;
use crate::protocol::rri::{self, Meaning};
use crate::protocol::tape::Tape;
use md5::{Digest as _, Md5};

/// Answers in a row that blame our requests, after which the registry stops.
const OURS: u8 = 3;
/// Answers in a row that tell of a technical failure, after which the registry stops.
const TECHNICAL: u8 = 5;

/// RRI with one account. The framer that belongs to it counts the payload alone.
#[derive(Debug)]
pub struct RriDialect {
    account: Account,
    /// Whether the password goes into the login as its MD5.
    is_hashed: bool,
}

impl RriDialect {
    /// RRI for `account`, with the deviations of `profile`.
    #[must_use]
    pub const fn new(account: Account, profile: &Profile) -> Self {
        Self { account, is_hashed: profile.quirks.password_md5 }
    }

    /// The password as it goes into the login.
    fn password(&self) -> Secret {
        if self.is_hashed {
            Secret::new(hex(&Md5::digest(self.account.password.reveal().as_bytes())))
        } else {
            self.account.password.clone()
        }
    }
}

impl Dialect for RriDialect {
    fn is_greeted(&self) -> bool {
        false
    }

    fn login(&self, _greeting: Option<&Greeting>) -> Result<Agreed> {
        if self.account.new_password.is_some() {
            let what = "RRI cannot change the password at a login";
            let remedy = "change it with the registry, then set it as the password";
            return Err(Problem::new("E-rri-007", Blame::Operator, what, remedy).field("new_password").exit(Exit::Usage));
        }
        let login = Login::plain(self.account.client.clone(), self.password());
        Ok(Agreed { login: Command::Login(Box::new(login)), drift: Drift::default() })
    }

    fn keep_alive(&self) -> Command {
        Command::PollRequest
    }

    fn matching(&self) -> Matching {
        Matching::InOrder
    }

    /// The registry refuses an identifier where nothing is changed.
    fn identifies(&self, command: &Command) -> bool {
        matches!(command, Command::Transform(_) | Command::PollAck { .. })
    }

    fn reads_first(&self, command: &Command) -> Option<Query> {
        rri::reads_first(command)
    }

    fn complete(&self, command: &Command, read: &Response) -> Result<Command> {
        rri::complete(command, own(read).unwrap_or(&RriAnswer::default()))
    }

    fn quota(&self, response: &Response) -> Option<QuotaNews> {
        let mut told = own(response)?.messages.iter().filter_map(|message| {
            match rri::meaning(message.code?) {
                // The text tells the share where no argument does.
                Meaning::QuotaShare => {
                    let argument = message.argument.as_ref().map(Personal::reveal);
                    Some(QuotaNews::Share(argument.and_then(percent).or_else(|| percent(&message.text))))
                }
                Meaning::QuotaExhausted => Some(QuotaNews::Exhausted),
                _ => None,
            }
        });
        told.next_back()
    }

    fn encode(&self, command: &Command, cl_trid: Option<&ClTrid>, _agreed: &[Box<str>], out: &mut Vec<u8>) -> Result<()> {
        rri::encode(command, cl_trid, out)
    }

    fn read(&self, tape: &Tape) -> Result<Said, String> {
        rri::decode(tape).map(|response| Said::Answer(Box::new(response))).map_err(|e| e.to_string())
    }

    fn command_name(&self, command: &Command) -> &'static str {
        rri::command_name(command)
    }

    fn element_names(&self, tape: &Tape) -> String {
        epp::element_names(tape)
    }

    fn classify(&self, response: &Response, at: At, kind: Kind) -> Verdict {
        match own(response) {
            Some(own) if !response.code().is_success() => verdict(own, at, kind),
            _ => result::judge(response, at, kind, &[]),
        }
    }
}

/// What of an answer only this language has.
fn own(response: &Response) -> Option<&RriAnswer> {
    response.extensions.iter().find_map(|e| if let Extension::Rri(own) = e { Some(&**own) } else { None })
}

/// The first number from 0 to 100 in `text`.
fn percent(text: &str) -> Option<u8> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).find(|n| *n <= 100)
}

/// What a failure asks of us: of several messages the one that reaches farthest.
fn verdict(own: &RriAnswer, at: At, kind: Kind) -> Verdict {
    let is_exception = &*own.result == "exception";
    let contradicts = &*own.result == "success";
    let codes = own.messages.iter().filter(|m| &*m.level == "error").filter_map(|m| m.code);
    let worst = codes.map(rri::meaning).max_by_key(|meaning| reach(*meaning));
    let meaning = match worst {
        // A success with an error in it: only the object tells.
        _ if contradicts => Meaning::Technical,
        Some(meaning @ (Meaning::AccessLimit | Meaning::QuotaExhausted | Meaning::NotLoggedIn | Meaning::Ours)) => meaning,
        Some(_) | None if is_exception => Meaning::Technical,
        Some(meaning) => meaning,
        None => Meaning::Technical,
    };
    let plain = Verdict { class: Class::Item, effect: Effect::None, scope: Scope::Item, closes: false, limit: false, breaker: None };
    let transform = kind == Kind::Transform;
    match meaning {
        Meaning::AccessLimit => Verdict { class: Class::Again, limit: true, ..plain },
        _ if at == At::Login && meaning != Meaning::Technical => Verdict { class: Class::Stop, scope: Scope::Registry, ..plain },
        Meaning::QuotaExhausted => Verdict { class: Class::Stop, scope: Scope::Registry, ..plain },
        Meaning::NotLoggedIn => Verdict { class: Class::New, closes: true, ..plain },
        Meaning::Ours => Verdict { breaker: Some(OURS), ..plain },
        Meaning::Later => Verdict { class: if transform { Class::Read } else { Class::Again }, breaker: Some(TECHNICAL), ..plain },
        Meaning::Technical => Verdict { class: Class::Read, effect: Effect::Unknown, breaker: Some(TECHNICAL), ..plain },
        Meaning::Missing | Meaning::State | Meaning::Refused if transform => Verdict { class: Class::Read, ..plain },
        Meaning::NotAllowed | Meaning::Missing | Meaning::State | Meaning::Refused | Meaning::Information | Meaning::QuotaShare => plain,
    }
}

/// How far a meaning reaches, the registry farthest.
const fn reach(meaning: Meaning) -> u8 {
    match meaning {
        Meaning::Information | Meaning::QuotaShare => 0,
        Meaning::Refused | Meaning::State | Meaning::Missing | Meaning::NotAllowed => 1,
        Meaning::Later => 2,
        Meaning::Technical => 3,
        Meaning::Ours => 4,
        Meaning::AccessLimit => 5,
        Meaning::NotLoggedIn => 6,
        Meaning::QuotaExhausted => 7,
    }
}
