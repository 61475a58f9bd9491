//! What a run in progress has observed, on disk: files of checked frames that only grow.
//!
//! A frame is a length, a checksum and a record in postcard. A cut or damaged frame ends what a file holds: whatever stood there was
//! never confirmed by a sync, or is asked for again.

use super::rows::{Facts, Row};
use crate::base::{Problem, Result};
use crate::model::ObjectKind;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The most bytes one record may have: answers are capped far below.
const MAX_RECORD: u32 = 64 << 20;

/// Bytes that wait in memory before they are written.
const BUFFER: usize = 64 * 1024;

/// What became of an object that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The registry told its contents.
    Ok,
    /// The registry does not know it (result code 2303).
    Missing,
    /// An answer came that could not be read.
    Unreadable,
    /// The registry refuses to tell us (result code 2201).
    Refused,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Missing, Self::Unreadable, Self::Refused];

    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// One record of the spool.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) enum Record {
    /// An object was observed.
    Object {
        /// What it is.
        kind: ObjectKind,
        /// Its id, as it was asked for.
        id: Box<str>,
        /// What became of it.
        state: State,
        /// Its contents.
        row: Option<Row>,
        /// What else the registry told of it.
        facts: Facts,
        /// When, in microseconds of the UTC calendar's epoch.
        observed_at: i64,
        /// In which exchange.
        exchange: u64,
        /// Elements in the answer that no type knew.
        unknown: u32,
    },
    /// An exchange took place.
    Exchange(Box<ExchangeRow>),
}

/// The facts of an exchange as they are kept.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct ExchangeRow {
    pub(super) id: u64,
    /// The hash of the object it was about, beside which it is kept.
    pub(super) place: u64,
    pub(super) session: u32,
    pub(super) command: Box<str>,
    pub(super) cl_trid: Option<Box<str>>,
    pub(super) sv_trid: Option<Box<str>>,
    pub(super) code: Option<u16>,
    /// Microseconds of the UTC calendar's epoch.
    pub(super) sent: i64,
    /// Microseconds of the UTC calendar's epoch.
    pub(super) received: i64,
    pub(super) bytes_out: u32,
    pub(super) bytes_in: u32,
    pub(super) digest: Option<Box<str>>,
    pub(super) elements: Box<str>,
}

/// One file of the spool.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    dirty: bool,
}

impl Segment {
    /// Opens the file at `path` for appending, first cutting off what is no whole frame.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let mut file = opened.map_err(|e| Problem::storage("E-spool-001", path, "open the spool", &e))?;
        let mut frames = Frames::over(&file, path)?;
        let whole = loop {
            match frames.next_bytes() {
                Some(read) => drop(read?),
                None => break frames.whole,
            }
        };
        let cut = file.set_len(whole).and_then(|()| file.seek(SeekFrom::Start(whole)));
        cut.map_err(|e| Problem::storage("E-spool-001", path, "cut the spool's torn end", &e))?;
        Ok(Self { path: path.to_owned(), file, buffer: Vec::with_capacity(BUFFER), dirty: false })
    }

    /// Appends `record`; it lasts from the next sync on.
    pub(super) fn append(&mut self, record: &impl serde::Serialize) -> Result<()> {
        let bytes = postcard::to_stdvec(record).unwrap_or_default();
        let length = u32::try_from(bytes.len()).ok().filter(|n| (1..=MAX_RECORD).contains(n));
        let Some(length) = length else {
            let what = "an observed object is too large to be kept";
            return Err(Problem::new("E-spool-002", crate::base::Blame::Registry, what, "tell the registry").file(&self.path));
        };
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(&xxhash_rust::xxh3::xxh3_64(&bytes).to_le_bytes());
        self.buffer.extend_from_slice(&bytes);
        self.dirty = true;
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Hands what waits to the kernel, so that a reader of the file sees it.
    pub(super) fn flush(&mut self) -> Result<()> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|e| Problem::storage("E-spool-001", &self.path, "write the spool", &e))
    }

    /// Makes everything appended so far durable.
    pub(super) fn sync(&mut self) -> Result<()> {
        if !self.dirty {
            return Ok(());
        }
        self.flush()?;
        self.dirty = false;
        self.file.sync_data().map_err(|e| Problem::storage("E-spool-001", &self.path, "sync the spool", &e))
    }

    /// Reads the records from the first on.
    pub(super) fn records<T>(&mut self) -> Result<Records<T>> {
        self.flush()?;
        let file = File::open(&self.path).map_err(|e| Problem::storage("E-spool-001", &self.path, "read the spool", &e))?;
        Ok(Records { frames: Frames::over(&file, &self.path)?, path: self.path.clone(), of: PhantomData })
    }
}

/// The records of one file, one at a time.
#[derive(Debug)]
pub(super) struct Records<T> {
    frames: Frames,
    path: PathBuf,
    of: PhantomData<T>,
}

impl<T: serde::de::DeserializeOwned> Iterator for Records<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = match self.frames.next_bytes()? {
            Ok(bytes) => bytes,
            Err(e) => return Some(Err(e)),
        };
        Some(postcard::from_bytes(&bytes).map_err(|_| {
            let what = "the spool was written by another version of this program";
            let remedy = "finish the run with that version, or remove the directory to pull anew";
            Problem::new("E-spool-003", crate::base::Blame::Operator, what, remedy).file(&self.path).exit(crate::base::Exit::Storage)
        }))
    }
}

/// The whole frames of a file.
#[derive(Debug)]
struct Frames {
    input: BufReader<File>,
    path: PathBuf,
    /// Bytes of whole frames read so far.
    whole: u64,
}

impl Frames {
    fn over(file: &File, path: &Path) -> Result<Self> {
        let mut file = file.try_clone().map_err(|e| Problem::storage("E-spool-001", path, "read the spool", &e))?;
        file.rewind().map_err(|e| Problem::storage("E-spool-001", path, "read the spool", &e))?;
        Ok(Self { input: BufReader::with_capacity(BUFFER, file), path: path.to_owned(), whole: 0 })
    }

    /// The next whole frame, or nothing where the rest is torn.
    fn next_bytes(&mut self) -> Option<Result<Vec<u8>>> {
        let mut head = [0_u8; 12];
        let mut bytes = Vec::new();
        let read = self.input.read_exact(&mut head).and_then(|()| {
            let length = head.first_chunk::<4>().map_or(0, |n| u32::from_le_bytes(*n));
            // A torn length must not make us reserve gigabytes: what is not there is not read.
            let wanted = u64::from(if length > MAX_RECORD { 0 } else { length });
            self.input.by_ref().take(wanted).read_to_end(&mut bytes)?;
            if wanted == 0 || bytes.len() as u64 != wanted { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
        });
        let sum = head.last_chunk::<8>().map_or(0, |n| u64::from_le_bytes(*n));
        match read {
            Ok(()) if xxhash_rust::xxh3::xxh3_64(&bytes) == sum => {
                self.whole += head.len() as u64 + bytes.len() as u64;
                Some(Ok(bytes))
            }
            Ok(()) => None,
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => None,
            Err(e) => Some(Err(Problem::storage("E-spool-001", &self.path, "read the spool", &e))),
        }
    }
}
