//! Changes on disk: the commands that took effect, one JSON line each, carried out again at the next start.

use super::core::Commit;
use super::decode::decode;
use super::registry::{Registry, Rules};
use super::rri;
use crate::base::{Blame, Problem, Result, Timestamp};
use crate::policy::Line;
use crate::protocol::tape::Tape;
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
    /// The command's frame.
    frame: String,
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
        let mut tape = Tape::new();
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
            replay(&line, &mut tape, registry).map_err(|why| {
                let remedy = "start this registry with the fleet it was made with, or remove its overlay";
                Problem::new("E-mock-021", Blame::Operator, why, remedy).file(path).line(seq)
            })?;
            whole += read as u64;
        }
        registry.set_rules(rules);
        let cut = file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(|e| Problem::storage("E-mock-020", path, "cut a half line off", &e))?;
        let log = log.map(|path| append(path).map(|file| (file, path.to_owned()))).transpose()?;
        Ok(Self { seq, overlay: (file, path.to_owned()), log })
    }

    /// Puts a change on disk. It must be there before its answer leaves.
    ///
    /// # Errors
    /// `E-mock-020`.
    pub(super) fn append(&mut self, commit: &Commit) -> Result<()> {
        self.seq += 1;
        write(&mut self.overlay, &Stored { seq: self.seq, at: commit.at, frame: commit.frame.clone() })?;
        let Some(log) = &mut self.log else { return Ok(()) };
        let change = &commit.change;
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

/// Carries the command in `line` out again.
fn replay(line: &[u8], tape: &mut Tape, registry: &mut Registry) -> Result<(), String> {
    let line: Stored = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    if registry.profile.line.value == Line::Rri {
        return rri::replay(registry, line.frame.as_bytes(), line.at);
    }
    tape.read(line.frame.as_bytes()).map_err(|e| e.to_string())?;
    let request = decode(tape).map_err(|refused| format!("a command that is refused with {}", refused.refusal.code))?;
    let done = registry.apply(&request.command, line.at);
    done.map(drop).map_err(|refusal| format!("a command that is refused with {}: {}", refusal.code, refusal.reason))
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
