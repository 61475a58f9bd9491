//! Every frame that a registry heard and said, one JSON line each. Private, since frames hold passwords and personal data.

use crate::base::{Problem, Result, Timestamp, create_private_dir, hex};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// An open transcript.
pub(super) struct Transcript {
    file: File,
}

/// One line of it.
#[derive(serde::Serialize)]
struct Line<'a> {
    connection: u64,
    /// `in` or `out`; what goes out has its length header.
    direction: &'static str,
    at: Timestamp,
    bytes: usize,
    /// The frame, where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<&'a str>,
    /// The frame in hexadecimal digits, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

impl Transcript {
    /// Opens `dir/transcript.ndjson` for more.
    ///
    /// # Errors
    /// `E-mock-041` where it cannot be opened.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        create_private_dir(dir)?;
        let path = dir.join("transcript.ndjson");
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        Ok(Self { file: file.map_err(|e| Problem::storage("E-mock-041", &path, "open", &e))? })
    }

    /// Keeps a frame. One that cannot be kept is told, and serving goes on.
    pub(super) fn keep(&mut self, connection: u64, direction: &'static str, at: Timestamp, frame: &[u8]) {
        let text = std::str::from_utf8(frame).ok();
        let hex = text.is_none().then(|| hex(frame));
        let line = Line { connection, direction, at, bytes: frame.len(), frame: text, hex };
        let kept = serde_json::to_vec(&line).map_err(std::io::Error::from).and_then(|mut bytes| {
            bytes.push(b'\n');
            self.file.write_all(&bytes)
        });
        if let Err(e) = kept {
            tracing::warn!(error = %e, "a frame is missing in the transcript");
        }
    }
}
