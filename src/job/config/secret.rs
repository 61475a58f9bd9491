//! Secrets and where they are kept: never in the configuration itself.

use crate::base::{Blame, Problem, Result, Secret, Timestamp};
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The most bytes a secret's file may have.
const CAP: u64 = 4096;

/// What a secret's file may allow nobody but its owner.
const OWNER: u32 = 0o077;

/// The same of a file that the service manager made. Where it belongs to root, systemd lets the unit's user read it by an access list,
/// and the group's bits of the mode are then that list's mask (acl(5)): 0440, and no group may read it.
const MANAGED: u32 = 0o037;

/// Where a secret is kept.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// In a file that only its owner may read.
    File(PathBuf),
    /// In a systemd credential: its file, where `$CREDENTIALS_DIRECTORY` was set.
    Credential {
        /// The credential's name.
        name: String,
        /// Its file.
        path: Option<PathBuf>,
    },
    /// In the environment, which every child process inherits; taken from it when the configuration was read.
    Environment {
        /// The variable's name.
        name: String,
        /// What it held.
        value: Option<Secret>,
    },
}

/// A secret, and what the operator should know about how it was kept.
#[derive(Clone, Debug)]
pub struct SecretRead {
    /// The secret.
    pub secret: Secret,
    /// A newline trimmed off its end, for one.
    pub warnings: Vec<Problem>,
}

impl SecretSource {
    /// Reads the secret.
    ///
    /// # Errors
    /// `E-config-006`: missing, empty, a symbolic link, no plain file, readable by others, not UTF-8, too large.
    pub fn read(&self) -> Result<SecretRead> {
        match self {
            Self::File(path) => read_file(path, OWNER),
            Self::Credential { path: Some(path), .. } => read_file(path, MANAGED),
            Self::Credential { name, path: None } => {
                let what = format!("the credential `{name}` cannot be found: $CREDENTIALS_DIRECTORY is not set");
                Err(problem(what, "start this as a systemd unit with LoadCredential=, or name a file instead"))
            }
            Self::Environment { value: Some(secret), .. } if !secret.reveal().is_empty() => {
                Ok(SecretRead { secret: secret.clone(), warnings: Vec::new() })
            }
            Self::Environment { name, .. } => {
                Err(problem(format!("the variable `{name}` is not set or empty"), "set it, or better keep the secret in a file"))
            }
        }
    }

    /// Its file, where it is kept in one of the operator's own.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        if let Self::File(path) = self { Some(path) } else { None }
    }

    /// When the secret was last changed, where it is kept in a file of the operator's own. A credential is copied at each start, so that
    /// its file does not tell.
    #[must_use]
    pub fn changed(&self) -> Option<Timestamp> {
        let Self::File(path) = self else { return None };
        Timestamp::try_from(path.metadata().ok()?.modified().ok()?).ok()
    }

    /// Reads a secret that is no line of text, such as a key's file.
    ///
    /// # Errors
    /// `E-config-006`: missing, a symbolic link, no plain file, readable by others, too large, or kept in the environment.
    pub fn read_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        match self {
            Self::File(path) => read_bytes(path, OWNER),
            Self::Credential { path: Some(path), .. } => read_bytes(path, MANAGED),
            Self::Credential { path: None, .. } | Self::Environment { .. } => {
                self.read().map(|read| Zeroizing::new(read.secret.reveal().into()))
            }
        }
    }
}

/// Reads a secret's file, which holds it as its only line.
fn read_file(path: &Path, others: u32) -> Result<SecretRead> {
    let at = |p: Box<Problem>| p.file(path);
    let bytes = read_bytes(path, others)?;
    let text = std::str::from_utf8(&bytes).map_err(|e| {
        at(problem(format!("the secret's file is not UTF-8 at byte {}", e.valid_up_to()), "it must hold the secret alone, on one line"))
    })?;
    let secret = text.strip_suffix('\n').map_or(text, |t| t.strip_suffix('\r').unwrap_or(t));
    if secret.is_empty() {
        return Err(at(problem("the secret's file is empty", "put the secret in it, as its only line")));
    }
    if secret.contains(['\n', '\r']) {
        return Err(at(problem("the secret's file has several lines", "it must hold the secret alone, on one line")));
    }
    let mut warnings = Vec::new();
    if secret.len() != text.len() {
        warnings.push(*at(problem("a newline at the end of the secret's file was trimmed", "")));
    }
    Ok(SecretRead { secret: Secret::new(secret), warnings })
}

/// The bytes of a secret's file, which has none of the bits `others` in its mode, read without following a link, and without waiting on
/// a pipe.
fn read_bytes(path: &Path, others: u32) -> Result<Zeroizing<Vec<u8>>> {
    let at = |p: Box<Problem>| p.file(path);
    let mut options = std::fs::OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let opened: std::io::Result<File> = options.read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|e| {
        at(if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            problem("the secret's file is a symbolic link", "name the file itself, with mode 0600 or 0400")
        } else if e.kind() == ErrorKind::NotFound {
            problem("the secret's file is missing", "make it with mode 0600 and the secret as its only line")
        } else {
            problem(format!("the secret's file cannot be read: {e}"), "it must belong to this user, with mode 0600 or 0400")
        })
    })?;
    let meta = file.metadata().map_err(|e| at(problem(format!("the secret's file cannot be looked at: {e}"), "check the path")))?;
    if !meta.is_file() {
        return Err(at(problem("the secret's place is no plain file", "name a plain file with mode 0600 or 0400")));
    }
    let mode = meta.mode() & 0o7777;
    if mode & others != 0 {
        return Err(at(problem(
            format!("the secret's file has mode {mode:04o}: others may read it; wanted is 0600 or 0400"),
            "chmod 0600",
        )));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    let read = file.take(CAP + 1).read_to_end(&mut bytes);
    read.map_err(|e| at(problem(format!("the secret's file cannot be read: {e}"), "check the disk")))?;
    if bytes.len() as u64 > CAP {
        return Err(at(problem(format!("the secret's file has more than {CAP} bytes"), "it must hold the secret alone, on one line")));
    }
    Ok(bytes)
}

/// A problem with a secret; it never says what the secret is.
fn problem(what: impl Into<String>, remedy: &str) -> Box<Problem> {
    Problem::new("E-config-006", Blame::Operator, what, remedy)
}
