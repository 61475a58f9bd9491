//! Result codes and what the client does about them: by code and by state, for every code there is or may be.

use crate::base::Personal;
use crate::model::{Class, Command, Response, ResultCode};

/// Where in a session's life an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// In answer to a login, or in place of a greeting.
    Login,
    /// In a session that is logged in.
    Live,
    /// In answer to a logout.
    Logout,
}

/// What kind of command was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Hello, login, logout, poll: commands of the session.
    Session,
    /// A command that changes nothing.
    Query,
    /// A command that changes an object.
    Transform,
}

impl Kind {
    /// The kind of `command`.
    #[must_use]
    pub const fn of(command: &Command) -> Self {
        match command {
            Command::Query(_) => Self::Query,
            Command::Transform(_) => Self::Transform,
            _ => Self::Session,
        }
    }
}

/// What is known of a command's effect on the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// None.
    None,
    /// It took place, as the registry claims.
    Done,
    /// It comes later, if it comes.
    Later,
    /// Nobody knows.
    Unknown,
}

/// How far a [`Class::Stop`] or an "unsupported" reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This command alone.
    Item,
    /// Every command of this name.
    Operation,
    /// Every command on this kind of object.
    Object,
    /// The registry.
    Registry,
}

/// What a result code asks of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// The action.
    pub class: Class,
    /// The effect on the object.
    pub effect: Effect,
    /// What else need not be tried.
    pub scope: Scope,
    /// Whether the session is over with this answer.
    pub closes: bool,
    /// Whether a limit of the registry was reached: fewer sessions, and a pause.
    pub limit: bool,
    /// After how many equal codes in a row the registry stops; nothing where the code speaks of one object alone.
    pub breaker: Option<u8>,
}

/// Equal systemic codes in a row after which a registry stops, unless a code says otherwise.
const BREAKER: u8 = 5;

/// Words of a registry which tells an expired session by an authorisation error and keeps the socket open.
const SESSION_TIMEOUT: &str = "session timeout";

/// What `response` means, by its code and its words, as [`classify`] has it. The standard fixes a code's message (RFC 5730 §3), so that
/// a registry's own words may stand in a reason instead.
#[must_use]
pub fn judge(response: &Response, at: At, kind: Kind, limit_words: &[String]) -> Verdict {
    let code = response.code();
    if code.is_success() {
        return classify(code, response.msg(), at, kind, limit_words);
    }
    let told = response.results.iter().filter(|result| result.code == code);
    let reasons = told.flat_map(|result| &result.ext_values).filter_map(|value| value.reason.as_ref());
    // They may quote a person: they are looked at here and go nowhere.
    let words: Vec<&str> = std::iter::once(response.msg()).chain(reasons.map(Personal::reveal)).collect();
    classify(code, &words.join("\n"), at, kind, limit_words)
}

/// What `code` with the words `msg` means for a command of `kind` at that point. Total: a code nobody has heard of is judged by its
/// first digit, and by its second whether the connection closes. `limit_words` (lower case) tell which policy refusals are a throttle.
#[must_use]
pub fn classify(code: ResultCode, msg: &str, at: At, kind: Kind, limit_words: &[String]) -> Verdict {
    let transform = kind == Kind::Transform;
    let plain =
        Verdict { class: Class::Item, effect: Effect::None, scope: Scope::Item, closes: code.closes(), limit: false, breaker: None };
    // What only a transform can need: to look at the object again.
    let look = Verdict { class: if transform { Class::Read } else { Class::Item }, ..plain };
    let stop = Verdict { class: Class::Stop, scope: Scope::Registry, ..plain };
    match code.0 {
        1001 => Verdict { class: Class::Wait, effect: Effect::Later, ..plain },
        1500 if at == At::Logout => Verdict { class: Class::Ok, effect: Effect::Done, ..plain },
        // A registry that shuts down rewrites 1000 to 1500: done or not, only the object tells.
        1500 => Verdict { class: Class::Read, effect: Effect::Unknown, ..plain },
        1000..=1999 => Verdict { class: Class::Ok, effect: Effect::Done, ..plain },
        2000 => Verdict { scope: Scope::Operation, breaker: Some(1), ..plain },
        2001 => Verdict { breaker: Some(3), ..plain },
        2002 => Verdict { class: Class::New, closes: true, ..plain },
        2101 | 2102 => Verdict { scope: Scope::Operation, ..plain },
        2103 => Verdict { scope: Scope::Operation, ..stop },
        2100 | 2104 | 2200 | 2501 => stop,
        2201 if at == At::Login => stop,
        2201 if contains(msg, SESSION_TIMEOUT) => Verdict { class: Class::New, closes: true, ..plain },
        2302 | 2304 | 2306 => look,
        2307 => Verdict { scope: Scope::Object, ..stop },
        2308 if limit_words.iter().any(|w| contains(msg, w)) => Verdict { class: Class::Again, limit: true, ..plain },
        2400 => {
            Verdict { class: if transform { Class::Read } else { Class::Again }, effect: Effect::Unknown, breaker: Some(BREAKER), ..plain }
        }
        2500 => {
            Verdict { class: if transform { Class::Read } else { Class::New }, effect: Effect::Unknown, breaker: Some(BREAKER), ..plain }
        }
        // At login the connection is lost; in a live session one registry throttles with it and keeps the socket open.
        2502 => Verdict { class: if at == At::Login { Class::New } else { Class::Again }, closes: at == At::Login, limit: true, ..plain },
        other if other / 1000 != 2 => Verdict { effect: Effect::Unknown, ..look },
        _ if code.closes() => Verdict { class: Class::New, ..plain },
        _ => plain,
    }
}

/// Whether `msg` holds `words` (given in lower case), whatever the case.
fn contains(msg: &str, words: &str) -> bool {
    !words.is_empty() && msg.to_lowercase().contains(words)
}

/// Counts equal systemic codes in a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    code: Option<ResultCode>,
    count: u8,
}

impl Breaker {
    /// Takes note of an answer. True when the registry has to stop.
    pub fn trips(&mut self, code: ResultCode, verdict: Verdict) -> bool {
        let Some(limit) = verdict.breaker else {
            *self = Self::default();
            return false;
        };
        if self.code == Some(code) {
            self.count = self.count.saturating_add(1);
        } else {
            *self = Self { code: Some(code), count: 1 };
        }
        self.count >= limit
    }
}

/// Counts answers about objects that are not this account's: too many of them, and the records or the account are the wrong ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Foreign {
    pub(super) answers: u64,
    pub(super) refused: u64,
}

impl Foreign {
    /// Refusals that may be chance, whatever their share.
    const FEW: u64 = 50;
    /// One answer in so many may be a refusal: a twentieth, that is 5 %.
    const SHARE: u64 = 20;

    /// Takes note of an answer. True when the registry has to stop.
    pub(super) fn trips(&mut self, code: ResultCode, verdict: Verdict) -> bool {
        self.answers += 1;
        let refused = code == ResultCode::AUTHORIZATION && verdict.class == Class::Item;
        self.refused += u64::from(refused);
        refused && self.refused > Self::FEW && self.refused * Self::SHARE > self.answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ExtValue, ResultItem};

    fn of(code: u16, at: At, kind: Kind) -> Verdict {
        classify(ResultCode(code), "", at, kind, &[])
    }

    #[test]
    fn the_table_of_codes() {
        use Class::{Again, Item, New, Ok, Read, Stop, Wait};
        use Effect::{Done, Later, None, Unknown};
        // Code, class for a query, class for a transform, effect, whether the session ends.
        let table = [
            (1000, Ok, Ok, Done, false),
            (1001, Wait, Wait, Later, false),
            (1100, Ok, Ok, Done, false),
            (1300, Ok, Ok, Done, false),
            (1301, Ok, Ok, Done, false),
            (1500, Read, Read, Unknown, true),
            (1501, Ok, Ok, Done, true),
            (2000, Item, Item, None, false),
            (2001, Item, Item, None, false),
            (2002, New, New, None, true),
            (2003, Item, Item, None, false),
            (2004, Item, Item, None, false),
            (2005, Item, Item, None, false),
            (2100, Stop, Stop, None, false),
            (2101, Item, Item, None, false),
            (2102, Item, Item, None, false),
            (2103, Stop, Stop, None, false),
            (2104, Stop, Stop, None, false),
            (2105, Item, Item, None, false),
            (2106, Item, Item, None, false),
            (2200, Stop, Stop, None, false),
            (2201, Item, Item, None, false),
            (2202, Item, Item, None, false),
            (2300, Item, Item, None, false),
            (2301, Item, Item, None, false),
            (2302, Item, Read, None, false),
            (2303, Item, Item, None, false),
            (2304, Item, Read, None, false),
            (2305, Item, Item, None, false),
            (2306, Item, Read, None, false),
            (2307, Stop, Stop, None, false),
            (2308, Item, Item, None, false),
            (2400, Again, Read, Unknown, false),
            (2500, New, Read, Unknown, true),
            (2501, Stop, Stop, None, true),
            (2502, Again, Again, None, false),
            (2503, New, New, None, true),
            (2999, Item, Item, None, false),
            (0, Item, Read, Unknown, false),
            (3000, Item, Read, Unknown, false),
        ];
        for (code, query, transform, effect, closes) in table {
            let q = of(code, At::Live, Kind::Query);
            let t = of(code, At::Live, Kind::Transform);
            assert_eq!((q.class, t.class, t.effect, q.closes), (query, transform, effect, closes), "code {code}");
        }
    }

    #[test]
    fn the_state_decides_too() {
        assert_eq!(of(2201, At::Login, Kind::Session).class, Class::Stop);
        let timeout = classify(ResultCode(2201), "Session Timeout", At::Live, Kind::Query, &[]);
        assert_eq!((timeout.class, timeout.closes), (Class::New, true));
        let refused = of(2502, At::Login, Kind::Session);
        assert!(refused.closes && refused.limit && refused.class == Class::New);
        assert_eq!(of(1500, At::Logout, Kind::Session).class, Class::Ok);
        let quota = [ResultItem {
            code: ResultCode(2308),
            msg: "Data management policy violation".into(),
            lang: None,
            values: Vec::new(),
            ext_values: vec![ExtValue {
                value: Personal::new(""),
                offender: None,
                code: None,
                reason: Some(Personal::new("Quota exceeded")),
                lang: None,
            }],
        }];
        let response = Response { results: quota.to_vec(), ..Response::default() };
        let words = ["quota".to_owned()];
        assert_eq!(judge(&response, At::Live, Kind::Query, &words).class, Class::Again, "a reason's words count as well");
        assert_eq!(classify(ResultCode(2308), "Quota exceeded", At::Live, Kind::Query, &words).class, Class::Again);
    }

    #[test]
    fn how_far_a_refusal_reaches() {
        assert_eq!(of(2307, At::Live, Kind::Query).scope, Scope::Object);
        assert_eq!(of(2101, At::Live, Kind::Query).scope, Scope::Operation);
        assert_eq!(of(2103, At::Live, Kind::Transform).scope, Scope::Operation);
        assert_eq!(of(2104, At::Live, Kind::Transform).scope, Scope::Registry);
    }

    #[test]
    fn every_code_has_a_verdict_that_agrees_with_its_first_digit() {
        for code in 0..=u16::MAX {
            for kind in [Kind::Session, Kind::Query, Kind::Transform] {
                let verdict = of(code, At::Live, kind);
                if code / 1000 == 2 {
                    assert_ne!(verdict.effect, Effect::Done, "code {code}");
                }
                let throttle_on_an_open_socket = code == 2502;
                assert!(verdict.closes || !ResultCode(code).closes() || throttle_on_an_open_socket, "code {code}");
            }
        }
    }

    #[test]
    fn the_breaker_counts_equal_systemic_codes_in_a_row() {
        let mut breaker = Breaker::default();
        let failed = of(2400, At::Live, Kind::Query);
        for n in 1..5 {
            assert!(!breaker.trips(ResultCode(2400), failed), "{n} are too few");
        }
        assert!(breaker.trips(ResultCode(2400), failed));
        let mut breaker = Breaker::default();
        for _ in 0..20 {
            assert!(!breaker.trips(ResultCode(2400), failed));
            assert!(!breaker.trips(ResultCode(2303), of(2303, At::Live, Kind::Query)), "one missing object says nothing of the rest");
        }
        assert!(Breaker::default().trips(ResultCode(2000), of(2000, At::Live, Kind::Query)));
    }
}
