//! `password`: gives an account of ours alone a new password, without ever being locked out of it.
//!
//! The new password is on disk before it is sent, beside the old one. Where the answer to the login that brings it is lost, the new one is
//! tried once, then the old one once, and nothing after that: registries lock an account after a few wrong logins. The new one takes the
//! old one's place only after a login with it alone.

use super::config::{Loaded, RegistryConfig, SecretSource};
use super::probe::Probe;
use super::pulling::{endpoint, runtime, setup_with};
use super::{Context, Ended};
use crate::base::{
    Blame, Entropy, Exit, Problem, Problems, RegistryId, Result, RunId, Secret, StateDir, SystemEntropy, remove_tree, write_atomic,
};
use crate::session::{Account, ReadPool};
use crate::transport::run;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Characters of a new password: the most that a registry without login security takes (RFC 5730 §4.1, pwType).
const LENGTH: usize = 16;
/// What it is made of: each kind stands in it at least once, as many registries want.
const KINDS: [&[u8]; 3] = [b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"abcdefghijkmnopqrstuvwxyz", b"23456789"];
/// The number of the problem that a login was refused; a line that could not be had tells nothing of a password.
const REFUSED: &str = "E-session-001";

/// What `password` prints with `--format json`.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct PasswordChanged {
    /// The registry.
    pub registry: RegistryId,
    /// Whether the account has the new password.
    pub changed: bool,
    /// The file with the password that holds.
    pub file: String,
    /// Whether this went on with a change that was cut off.
    pub resumed: bool,
}

/// What one login came to.
enum Tried {
    /// It was taken.
    In,
    /// It was refused.
    Refused(Problem),
    /// Nobody knows.
    Unknown(Problem),
}

/// `password`: a new password for the account at `registry`.
///
/// # Errors
/// `E-password-001` (exit 2) where the account is shared, `E-password-002` (exit 2) where the password is not kept in a file; `E-rri-007` (exit
/// 2) where the registry has no such command; `E-password-003` (exit 50) where the old one holds still; `E-password-004` (exit 34) where neither
/// is taken, `E-password-005` (exit 51) where nobody knows which holds: both are kept; `E-lock-001`.
pub fn password(loaded: &Loaded, registry: &str, ctx: &Context) -> Result<Ended, Problems> {
    let (id, account) = loaded.config.registry(registry)?;
    let operator = |id_: &str, what: &str, remedy: &str| Problem::new(id_, Blame::Operator, what, remedy).object(id.as_str());
    if !account.exclusive {
        let what = "others use this account too, for all that is known: they would be locked out";
        return Err(operator("E-password-001", what, "where it is ours alone, say so: account = \"exclusive\"").into());
    }
    let Some(file) = account.password.file() else {
        let what = "the password is kept where this cannot put a new one";
        return Err(operator("E-password-002", what, "keep it in a file of this user's: password = { file = \"…\" }").into());
    };
    let state = StateDir::open(&loaded.config.state)?;
    let _lock = state.lock("password")?;
    let change = Change { loaded, id, account, file, next: next_of(file), ctx };
    let resumed = change.next.exists();
    let changed = if resumed { change.settle()? } else { change.make()? };
    let file = file.display().to_string();
    let report = PasswordChanged { registry: id.clone(), changed, file, resumed };
    let text = if changed {
        format!("{id}: the password was changed, and a login with the new one was taken. It stands in {}.", report.file)
    } else {
        format!("{id}: the change that was cut off had not reached the registry: the password is the one that it was. Run this again.")
    };
    let exits = vec![if changed { Exit::Done } else { Exit::SomeFailed }];
    Ok(Ended { exits, json: serde_json::to_value(&report).unwrap_or_default(), text, problems: Vec::new() })
}

/// The file of a password that is about to be the one of `file`.
fn next_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

/// That a change of the registry's password was cut off, where one was: which password holds is not known, and a wrong one is not to be
/// tried by the way.
pub(super) fn cut_off(id: &RegistryId, account: &RegistryConfig) -> Result<()> {
    let Some(next) = account.password.file().map(next_of).filter(|next| next.exists()) else { return Ok(()) };
    let what = "a change of the password was cut off, so that nobody knows which one holds";
    let remedy = format!("settle it: privet password {id}");
    Err(Problem::new("E-password-006", Blame::Operator, what, remedy).object(id.as_str()).file(&next).exit(Exit::Refused))
}

/// A change under way.
struct Change<'a> {
    loaded: &'a Loaded,
    id: &'a RegistryId,
    account: &'a RegistryConfig,
    file: &'a Path,
    next: PathBuf,
    ctx: &'a Context,
}

impl Change<'_> {
    /// Changes the password.
    fn make(&self) -> Result<bool> {
        let old = self.account.password.read()?.secret;
        let new = drawn(&mut SystemEntropy::new())?;
        write_atomic(&self.next, new.reveal().as_bytes())?;
        match self.log_in(old, Some(new))? {
            Tried::In | Tried::Unknown(_) => self.settle(),
            Tried::Refused(problem) => {
                remove_tree(&self.next)?;
                let what = format!("the registry did not change the password: {}", problem.what);
                let remedy = "the old one holds, and is kept; see what the registry wants of a new one";
                Err(Problem::new("E-password-003", Blame::Registry, what, remedy).object(self.id.as_str()).exit(Exit::SomeFailed))
            }
        }
    }

    /// Finds out which password holds: the new one is tried once, then the old one once. Whether it is the new one.
    fn settle(&self) -> Result<bool> {
        let new = SecretSource::File(self.next.clone()).read()?.secret;
        match self.log_in(new.clone(), None)? {
            Tried::In => {
                write_atomic(self.file, new.reveal().as_bytes())?;
                remove_tree(&self.next)?;
                return Ok(true);
            }
            Tried::Unknown(problem) => return Err(self.unknown(&problem)),
            Tried::Refused(_) => {}
        }
        match self.log_in(self.account.password.read()?.secret, None)? {
            Tried::In => {
                remove_tree(&self.next)?;
                Ok(false)
            }
            Tried::Unknown(problem) => Err(self.unknown(&problem)),
            Tried::Refused(problem) => {
                let what = format!("neither the new password nor the old one is taken: {}", problem.what);
                let remedy =
                    "do not try again, since registries lock an account after a few wrong logins: ask the registry; both files are kept";
                Err(Problem::new("E-password-004", Blame::Registry, what, remedy)
                    .object(self.id.as_str())
                    .file(&self.next)
                    .exit(Exit::Refused))
            }
        }
    }

    /// That nobody knows which password holds.
    fn unknown(&self, problem: &Problem) -> Box<Problem> {
        let what = format!("nobody knows yet which password holds: {}", problem.what);
        let remedy = "run the same command again when the registry can be reached; both files are kept, and nothing else logs in meanwhile";
        Problem::new("E-password-005", Blame::Network, what, remedy).object(self.id.as_str()).file(&self.next).exit(Exit::Unknown)
    }

    /// One login, and no second one, whatever becomes of the line.
    fn log_in(&self, password: Secret, new_password: Option<Secret>) -> Result<Tried> {
        let (config, now) = (&self.loaded.config, self.ctx.clock.wall());
        let run_id = RunId::new(format!("{}-password", now.strftime("%Y%m%dT%H%M%SZ")));
        let account = Account { client: self.account.client_id.as_str().into(), password, new_password };
        let mut pool = ReadPool::new(setup_with(config, self.id, self.account, &run_id, 1, account));
        pool.set_logins(1);
        let endpoint = endpoint(self.account, self.ctx)?;
        let mut probe = Probe::default();
        let line = runtime()?.block_on(run(pool, endpoint, Arc::clone(&self.ctx.clock), &mut probe, self.ctx.stop.clone()))?;
        let problem = line.stopped.or_else(|| line.problems.into_iter().next()).unwrap_or_else(|| {
            *Problem::new("E-session-016", Blame::Network, "the registry did not answer", "run the same command again")
                .exit(Exit::Unreachable)
        });
        Ok(match problem {
            _ if probe.is_answered() => Tried::In,
            // Told before anything was sent: what this registry, or this configuration, cannot do.
            problem if problem.blame == Blame::Operator => return Err(Box::new(problem)),
            problem if problem.id == REFUSED => Tried::Refused(problem),
            problem => Tried::Unknown(problem),
        })
    }
}

/// A password that nobody can guess: 16 characters of 58 that are not taken for each other, over 90 bits.
fn drawn(entropy: &mut dyn Entropy) -> Result<Secret> {
    let all: Zeroizing<Vec<u8>> = Zeroizing::new(KINDS.concat());
    loop {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        while text.len() < LENGTH {
            let mut byte = Zeroizing::new([0_u8]);
            entropy.fill(&mut *byte)?;
            // Of the numbers that do not come out even none is taken: each character is as likely as any other.
            let at = usize::from(byte[0]);
            if at < 256 / all.len() * all.len()
                && let Some(character) = all.get(at % all.len())
            {
                text.push(char::from(*character));
            }
        }
        if KINDS.iter().all(|kind| text.bytes().any(|byte| kind.contains(&byte))) {
            return Ok(Secret::new(text.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededEntropy;
    use std::collections::BTreeSet;

    #[test]
    fn a_new_password_is_of_sixteen_characters_of_every_kind() {
        let mut entropy = SeededEntropy::new(1);
        let all: BTreeSet<String> = (0..500).map(|_| drawn(&mut entropy).unwrap().reveal().to_owned()).collect();
        assert_eq!(all.len(), 500, "none comes twice");
        for text in &all {
            assert!(text.len() == LENGTH && KINDS.iter().all(|kind| text.bytes().any(|byte| kind.contains(&byte))), "{text}");
        }
        let used: BTreeSet<u8> = all.iter().flat_map(|text| text.bytes()).collect();
        assert_eq!(used.len(), KINDS.iter().map(|kind| kind.len()).sum::<usize>());
    }
}
