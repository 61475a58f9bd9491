//! Changes on disk: the commands that took effect, one JSON line each, carried out again at the next start.

use super::core::Commit;
use super::later::Deed;
use super::registry::{Registry, Rules};
use crate::base::{Blame, Problem, Result, Timestamp};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// One change of the overlay.
#[derive(serde::Serialize, serde::Deserialize)]
struct Stored {
    /// Its number, from 1.
    seq: u64,
    /// When it took effect.
    at: Timestamp,
    /// The account whose command it is, where that is not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Box<str>>,
    /// The command's frame; empty for what is no command.
    frame: String,
    /// What it records.
    #[serde(default, skip_serializing_if = "Deed::is_command")]
    deed: Deed,
}

/// One line of the commit log: a change that took effect.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Committed<'a> {
    /// Its number, from 1.
    seq: u64,
    /// The client's transaction identifier, where the command had one.
    #[serde(rename = "clTRID")]
    cl_trid: Option<&'a str>,
    /// The object's id.
    object: &'a str,
    /// The object before the change.
    before: &'a serde_json::Value,
    /// The object after it.
    after: &'a serde_json::Value,
}

/// The overlay and the commit log, open for more. Both are private and hold personal data.
#[derive(Debug)]
pub(super) struct Journal {
    seq: u64,
    /// Our account.
    user: Box<str>,
    overlay: (File, PathBuf),
    log: Option<(File, PathBuf)>,
}

impl Journal {
    /// Opens the overlay at `path`, carries its changes out on `registry`, and drops a last line that a killed process left half.
    ///
    /// # Errors
    /// `E-mock-020` where a file cannot be used, `E-mock-021` where a line cannot be carried out.
    pub(super) fn open(path: &Path, log: Option<&Path>, registry: &mut Registry) -> Result<Self> {
        let mut file = append(path)?;
        let mut reader = BufReader::new(&file);
        let (mut seq, mut whole, mut line) = (0, 0_u64, Vec::new());
        // What once took effect does so again, whatever rules are in force now.
        let rules = registry.set_rules(Rules::LENIENT);
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(|e| Problem::storage("E-mock-020", path, "read", &e))?;
            if read == 0 || line.last() != Some(&b'\n') {
                break;
            }
            seq += 1;
            replay(&line, registry).map_err(|why| {
                let remedy = "start this registry with the fleet it was made with, or remove its overlay";
                Problem::new("E-mock-021", Blame::Operator, why, remedy).file(path).line(seq)
            })?;
            whole += read as u64;
        }
        registry.set_rules(rules);
        let cut = file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(|e| Problem::storage("E-mock-020", path, "cut a half line off", &e))?;
        let log = log.map(|path| append(path).map(|file| (file, path.to_owned()))).transpose()?;
        Ok(Self { seq, user: registry.user.clone(), overlay: (file, path.to_owned()), log })
    }

    /// Puts a change on disk. It must be there before its answer leaves.
    ///
    /// # Errors
    /// `E-mock-020`.
    pub(super) fn append(&mut self, commit: &Commit) -> Result<()> {
        self.seq += 1;
        if commit.deed != Deed::Repeated {
            let by = (commit.by != self.user).then(|| commit.by.clone());
            let row = Stored { seq: self.seq, at: commit.at, by, frame: commit.frame.clone(), deed: commit.deed.clone() };
            write(&mut self.overlay, &row)?;
        }
        let (Some(log), Some(change)) = (&mut self.log, &commit.change) else { return Ok(()) };
        let line = Committed {
            seq: self.seq,
            cl_trid: commit.cl_trid.as_deref(),
            object: &change.object,
            before: &change.before,
            after: &change.after,
        };
        write(log, &line)
    }
}

/// Carries what `line` records out again.
fn replay(line: &[u8], registry: &mut Registry) -> Result<(), String> {
    let line: Stored = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let by = line.by.unwrap_or_else(|| registry.user.clone());
    match line.deed {
        Deed::Command | Deed::Repeated => registry.execute(&line.frame, &by, line.at).map(drop),
        Deed::Pended(object, pending) => registry.pend(&object, pending).then_some(()).ok_or_else(|| format!("there is no {object}")),
        Deed::Decided(object) => registry.decide(&object, line.at).map(drop).ok_or_else(|| format!("nothing is pending about {object}")),
    }
}

fn append(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    opened.map_err(|e| Problem::storage("E-mock-020", path, "open", &e))
}

fn write((file, path): &mut (File, PathBuf), line: &impl serde::Serialize) -> Result<()> {
    let mut bytes = serde_json::to_vec(line).map_err(|e| Problem::new("E-mock-022", Blame::Us, e.to_string(), "report this"))?;
    bytes.push(b'\n');
    file.write_all(&bytes).map_err(|e| Problem::storage("E-mock-020", path, "append", &e))
}
