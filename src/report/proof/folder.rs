//! The files of a run's folder, which may come from anywhere: no link is followed, and nothing is opened by a name that a proof says.

use crate::base::{Blame, Exit, Problem, Result, escape_controls, hex};
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The file with the proof of its folder.
pub const PROOF: &str = "proof.json";
/// The file with the redactions of its folder, one a line.
pub const REDACTIONS: &str = "redactions.ndjson";
/// The file with the commitments to the rows about people; it is signed like any other.
pub const COMMITMENTS: &str = "commitments.csv";
/// The most files of a folder: a run leaves some hundred.
pub const MAX_FILES: usize = 10_000;
/// How deep files may lie in it: a run's lie at most two folders deep.
const MAX_DEPTH: usize = 8;
/// The most bytes of a file: differences of ten million objects have some ten gigabytes.
pub const MAX_FILE: u64 = 1 << 36;
/// The longest path of a file within it, in bytes.
const MAX_NAME: usize = 1024;

/// What stands under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file: its SHA-256 in hexadecimal.
    File(String),
    /// Something that is no plain file: a link, a pipe …
    Strange,
    /// A file that could not be read, and why.
    Unreadable(String),
}

/// Every file below `dir` by its path within it, without the proof's own.
///
/// # Errors
/// `E-proof-010` (exit 32) where the folder cannot be listed, or has more than a run's.
pub fn files(dir: &Path) -> Result<BTreeMap<String, Found>> {
    let mut out = BTreeMap::new();
    let mut waiting = vec![(dir.to_owned(), String::new(), 0)];
    let mut seen = 0;
    while let Some((folder, prefix, depth)) = waiting.pop() {
        let listed = std::fs::read_dir(&folder).map_err(|e| refused(&folder, format!("the folder cannot be listed: {e}")))?;
        for entry in listed {
            let entry = entry.map_err(|e| refused(&folder, format!("the folder cannot be listed: {e}")))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if name == PROOF || name == REDACTIONS {
                continue;
            }
            seen += 1;
            if name.len() > MAX_NAME || seen > MAX_FILES {
                return Err(refused(dir, format!("there are more than {MAX_FILES} files, or a path of over {MAX_NAME} bytes")));
            }
            // Of the entry itself: a link is not followed.
            let kind = entry.file_type().map_err(|e| refused(&entry.path(), format!("it cannot be looked at: {e}")))?;
            if kind.is_dir() {
                if depth == MAX_DEPTH {
                    return Err(refused(dir, format!("folders lie deeper than {MAX_DEPTH}")));
                }
                waiting.push((entry.path(), format!("{name}/"), depth + 1));
            } else if kind.is_file() && entry.file_name().to_str().is_some() {
                out.insert(name, digest(&entry.path()));
            } else {
                out.insert(name, Found::Strange);
            }
        }
    }
    Ok(out)
}

/// The digest of one file.
#[must_use]
pub fn digest(path: &Path) -> Found {
    let file = match open(path) {
        Ok(Some(file)) => file,
        Ok(None) => return Found::Strange,
        Err(e) => return Found::Unreadable(e.to_string()),
    };
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    let mut file = file.take(MAX_FILE + 1);
    let mut all = 0;
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Found::File(hex(&hasher.finalize())),
            Ok(read) => {
                all += read as u64;
                if all > MAX_FILE {
                    return Found::Unreadable(format!("it has more than {MAX_FILE} bytes"));
                }
                hasher.update(piece.get(..read).unwrap_or_default());
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Found::Unreadable(e.to_string()),
        }
    }
}

/// The bytes of a plain file of at most `cap`; nothing where it is not there.
///
/// # Errors
/// `E-proof-011` (exit 32) where it is there and cannot be read, is no plain file or is larger.
pub fn read(path: &Path, cap: u64) -> Result<Option<Vec<u8>>> {
    let broken = |what: String| {
        let remedy = "give the folder as the run left it; a proof that was lost can be made again by nobody";
        Problem::new("E-proof-011", Blame::Input, what, remedy).file(path)
    };
    let file = match open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(broken(format!("cannot read: {e}"))),
        Ok(None) => return Err(broken("this is no plain file".to_owned())),
        Ok(Some(file)) => file,
    };
    let mut bytes = Vec::new();
    file.take(cap + 1).read_to_end(&mut bytes).map_err(|e| broken(format!("cannot read: {e}")))?;
    if bytes.len() as u64 > cap {
        return Err(broken(format!("the file is larger than {cap} bytes")));
    }
    Ok(Some(bytes))
}

/// Opens a plain file without following a link and without waiting on a pipe; nothing where it is no plain file.
pub(super) fn open(path: &Path) -> std::io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = match opened {
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => return Ok(None),
        opened => opened?,
    };
    Ok(file.metadata()?.is_file().then_some(file))
}

fn refused(path: &Path, what: String) -> Box<Problem> {
    let problem = Problem::new("E-proof-010", Blame::Input, what, "give the folder of one run");
    problem.object(escape_controls(&path.display().to_string())).exit(Exit::InputIncomplete)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{create_private_dir, write_atomic};

    #[test]
    fn files_are_found_wherever_they_lie_and_links_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        write_atomic(&outside.path().join("secret"), b"x").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        create_private_dir(&at("b/c")).unwrap();
        for name in ["a", "b/c/d", PROOF, REDACTIONS, "b/proof.json"] {
            write_atomic(&at(name), b"abc").unwrap();
        }
        std::os::unix::fs::symlink(outside.path(), at("folder")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), at("link")).unwrap();
        let abc = Found::File("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned());
        let wanted =
            [("a", abc.clone()), ("b/c/d", abc.clone()), ("b/proof.json", abc), ("folder", Found::Strange), ("link", Found::Strange)];
        assert_eq!(files(dir.path()).unwrap(), wanted.map(|(name, found)| (name.to_owned(), found)).into());
        assert_eq!(digest(&at("link")), Found::Strange);
        assert!(read(&at("link"), 10).is_err() && read(&at("b"), 10).is_err() && read(&at("a"), 2).is_err());
        assert_eq!((read(&at("a"), 3).unwrap(), read(&at("none"), 3).unwrap()), (Some(b"abc".to_vec()), None));
    }

    #[test]
    fn a_folder_without_end_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let deep = (0..=MAX_DEPTH).fold(dir.path().to_owned(), |path, _| path.join("d"));
        create_private_dir(&deep).unwrap();
        let problem = files(dir.path()).unwrap_err();
        assert_eq!((problem.id.as_str(), problem.exit), ("E-proof-010", Exit::InputIncomplete));
        assert!(files(&dir.path().join("none")).is_err());
    }
}
