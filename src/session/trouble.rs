//! What a pool tells about a registry that makes trouble, and how long it waits before it tries again.

use super::exchange::Loss;
use crate::base::{Blame, Exit, Problem, RegistryId, escape_controls};
use crate::model::ResultCode;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use std::time::Duration;

/// The wait after a first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Seconds by which two clocks may differ without a word.
const CLOCK_TOLERANCE: i64 = 30;

/// Spreads waits, so that clients which lost their sessions together do not come back together.
#[derive(Debug)]
pub(super) struct Jitter(Xoshiro256PlusPlus);

impl Jitter {
    /// The same seed gives the same waits.
    pub(super) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// The wait after the `nth` failure in a row, from 1: doubling up to `cap`, of which between a half and the whole.
    pub(super) fn wait(&mut self, nth: u8, cap: Duration) -> Duration {
        let whole = FIRST_WAIT.saturating_mul(1 << u32::from(nth.saturating_sub(1).min(16))).min(cap);
        let share = f64::from(self.0.next_u32()) / f64::from(u32::MAX);
        whole.mul_f64(0.5 + share / 2.0)
    }
}

/// A problem at `registry`, on its side.
fn theirs(registry: &RegistryId, id: &str, what: String, remedy: &str) -> Box<Problem> {
    Problem::new(id, Blame::Registry, what, remedy).object(registry.as_str())
}

/// Code and words of a result. The words are the registry's own and may not speak of a person: results of a session never do.
fn words(code: ResultCode, msg: &str) -> String {
    let msg: String = escape_controls(msg).chars().take(200).collect();
    format!("code {} \"{msg}\"", code.0)
}

/// The login was refused.
pub(super) fn login_refused(registry: &RegistryId, code: ResultCode, msg: &str) -> Box<Problem> {
    let what = format!("the registry refused the login: {}", words(code, msg));
    theirs(registry, "E-session-001", what, "check user, password and client certificate by hand; it is not tried again by itself")
        .exit(Exit::Refused)
}

/// Every login that was allowed was tried, and the line was lost.
pub(super) fn no_more_logins(registry: &RegistryId) -> Box<Problem> {
    let what = "the line was lost, and no further login may be tried";
    Problem::new("E-session-016", Blame::Network, what, "run the same command again").object(registry.as_str()).exit(Exit::Unreachable)
}

/// The registry refused our certificate after the handshake.
pub(super) fn certificate_refused(registry: &RegistryId, alert: &str) -> Box<Problem> {
    let what = format!("the registry refused our certificate (TLS alert: {alert})");
    let remedy = "check that the client certificate is the one the registry knows, and that it has not expired";
    theirs(registry, "E-tls-004", what, remedy).exit(Exit::Refused)
}

/// Too many sessions.
pub(super) fn session_limit(registry: &RegistryId, code: ResultCode, msg: &str) -> Box<Problem> {
    let what = format!("the registry takes no more sessions: {}", words(code, msg));
    theirs(registry, "E-session-004", what, "lower this registry's share of sessions, or end other clients of the account")
}

/// No session came about.
pub(super) fn no_session(registry: &RegistryId, loss: &Loss) -> Box<Problem> {
    let what = format!("no session came about: {loss}");
    theirs(registry, "E-session-005", what, "a registry closes like that where a limit is met; otherwise ask it, or try later")
        .exit(Exit::Unreachable)
}

/// Sessions are lost one after the other.
pub(super) fn keeps_failing(registry: &RegistryId, loss: &Loss) -> Box<Problem> {
    let what = format!("sessions are lost one after the other without an answer, the last one because: {loss}");
    theirs(registry, "E-session-006", what, "try later; what was read is kept").exit(Exit::Unreachable)
}

/// The same systemic code again and again.
pub(super) fn breaker(registry: &RegistryId, code: ResultCode, msg: &str) -> Box<Problem> {
    let what = format!("the registry answers everything with {}", words(code, msg));
    theirs(registry, "E-session-007", what, "ask the registry; the other registries went on")
}

/// A code that stops a registry.
pub(super) fn stopping(registry: &RegistryId, code: ResultCode, msg: &str) -> Box<Problem> {
    let exit = if matches!(code.0, 2200 | 2501) { Exit::Refused } else { Exit::SomeFailed };
    let what = format!("the registry stopped us: {}", words(code, msg));
    theirs(registry, "E-session-009", what, "settle this with the registry before the next run").exit(exit)
}

/// What is left of the day's quota is kept for applying.
pub(super) fn quota_kept(registry: &RegistryId) -> Box<Problem> {
    let what = "the part of the day's quota that reading may use is used up; the rest is kept for applying";
    let remedy = "spread the pull over several days with `pull --budget`, or lower this registry's `quota_reserve`";
    Problem::new("E-session-015", Blame::Operator, what, remedy).object(registry.as_str())
}

/// Too many of the objects asked for are not this account's.
pub(super) fn not_ours(registry: &RegistryId, refused: u64, answers: u64) -> Box<Problem> {
    let what = format!("{refused} of {answers} answers say that the object is not this account's (code 2201)");
    theirs(registry, "E-session-014", what, "see whether these records belong to this account, and whether the right account logs in")
}

/// Logged in, and yet not.
pub(super) fn not_logged_in(registry: &RegistryId, code: ResultCode, msg: &str) -> Box<Problem> {
    let what = format!("after each login the registry holds us for not logged in: {}", words(code, msg));
    theirs(registry, "E-session-010", what, "see whether another client of the account ends our sessions")
}

/// More names in a check than the registry takes: a bug of the asker.
pub(super) fn too_many_names(registry: &RegistryId, names: usize, most: u16) -> Box<Problem> {
    let what = format!("{names} names in one check, where the registry takes {most}");
    Problem::new("E-session-011", Blame::Us, what, "please report this").object(registry.as_str())
}

/// An operation that the registry said it does not offer.
pub(super) fn switched_off(registry: &RegistryId, name: &str, code: ResultCode) -> Box<Problem> {
    let what = format!("{name} is not offered here, said the registry with code {}; no further one was sent", code.0);
    theirs(registry, "E-session-012", what, "correct the registry's profile")
}

/// The registry's clock is ahead of ours by `offset` seconds, where that is worth a word.
pub(super) fn clock_differs(registry: &RegistryId, offset: i64) -> Option<Box<Problem>> {
    (offset.abs() > CLOCK_TOLERANCE).then(|| {
        let way = if offset > 0 { "ahead of" } else { "behind" };
        let what = format!("the registry's clock is {} s {way} this machine's", offset.abs());
        theirs(registry, "E-session-013", what, "check this machine's time service; dates in reports are this machine's")
    })
}

/// An answer was about another object than asked for: somebody's data came to the wrong question.
pub(super) fn other_object(registry: &RegistryId, command: &str) -> Box<Problem> {
    let what = format!("the answer to a {command} is about another object than asked for; it was not used and the session was closed");
    theirs(registry, "E-session-008", what, "report it to the registry: answers are mixed up between commands")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_repeat_with_their_seed() {
        let cap = Duration::from_mins(1);
        let waits = |seed| {
            let mut jitter = Jitter::new(seed);
            (1..=12).map(|n| jitter.wait(n, cap)).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        for (n, wait) in waits(7).into_iter().enumerate() {
            let whole = Duration::from_secs(1 << n).min(cap);
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
        }
    }

    #[test]
    fn clocks_that_agree_are_no_problem() {
        let registry = RegistryId::new("one");
        assert!(clock_differs(&registry, -30).is_none());
        let problem = clock_differs(&registry, -600).expect("ten minutes");
        assert!(problem.what.contains("600 s behind"));
    }
}
