//! Rows that wait on disk for their partners, in one bucket for each batch that holds partners.

use crate::base::{Problem, Result, create_private_dir, remove_tree};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Buckets in a directory of their own. They hold personal data: only the owner may read them, and they are
/// removed however the comparison ends.
pub(super) struct Buckets {
    dir: PathBuf,
    /// Whether each bucket holds anything. No file stays open, since there may be thousands of them.
    used: Vec<Mutex<bool>>,
}

/// Rows for one bucket, gathered in memory. Each is the number of its partner, the length of its values, and these:
///
/// ```text
///   partner (4 bytes) | length (4 bytes) | values …
/// ```
#[derive(Default)]
pub(super) struct Waiting(Vec<u8>);

/// Bytes in front of a row's values.
const HEADER: usize = 8;

impl Waiting {
    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a row whose partner is `partner`.
    ///
    /// # Errors
    /// `E-diff-003` where its values have more than four thousand million bytes.
    pub(super) fn push(&mut self, partner: u32, values: &[Option<&str>]) -> Result<()> {
        let start = self.0.len();
        self.0.extend_from_slice(&partner.to_le_bytes());
        self.0.extend_from_slice(&[0; HEADER - 4]);
        self.0 = postcard::to_extend(values, std::mem::take(&mut self.0)).map_err(|_| lost())?;
        let length = u32::try_from(self.0.len() - start - HEADER).map_err(|_| lost())?;
        let room = self.0.get_mut(start + 4..start + HEADER).ok_or_else(lost)?;
        room.copy_from_slice(&length.to_le_bytes());
        Ok(())
    }
}

impl Buckets {
    /// Makes room for `count` buckets in `dir`, where nothing of an earlier comparison stays.
    ///
    /// # Errors
    /// `E-file-…` where the directory cannot be made.
    pub(super) fn begin(dir: &Path, count: usize) -> Result<Self> {
        remove_tree(dir)?;
        create_private_dir(dir)?;
        Ok(Self { dir: dir.to_owned(), used: std::iter::repeat_with(Mutex::default).take(count).collect() })
    }

    /// Puts rows into bucket `n`.
    ///
    /// # Errors
    /// `E-file-002` where they cannot be written.
    pub(super) fn put(&self, n: usize, rows: &Waiting) -> Result<()> {
        let Some(used) = self.used.get(n) else { return Err(lost()) };
        let path = self.path(n);
        let failed = |e: std::io::Error| Problem::storage("E-file-002", &path, "write", &e);
        let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(&rows.0)).map_err(failed)?;
        *used = true;
        Ok(())
    }

    /// Takes everything out of bucket `n`, as bytes for [`each`].
    ///
    /// # Errors
    /// `E-file-005` where it cannot be read.
    pub(super) fn take(&self, n: usize) -> Result<Vec<u8>> {
        let used = self.used.get(n).map(|used| std::mem::take(&mut *used.lock().unwrap_or_else(PoisonError::into_inner)));
        if used != Some(true) {
            return Ok(Vec::new());
        }
        let path = self.path(n);
        std::fs::read(&path).map_err(|e| Problem::storage("E-file-005", &path, "read", &e))
    }

    fn path(&self, n: usize) -> PathBuf {
        self.dir.join(format!("bucket-{n:06}"))
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        if let Err(problem) = remove_tree(&self.dir) {
            tracing::warn!(%problem, "rows of a comparison stay on disk until the next one");
        }
    }
}

/// Gives the rows in what [`Buckets::take`] gave, each with the number of its partner, in the order of the partners: these lie in
/// many columns, the rows here each in one place.
///
/// # Errors
/// `E-diff-003` where the bytes are not what was written.
pub(super) fn each<'b>(bytes: &'b [u8], mut give: impl FnMut(u32, &[Option<&'b str>])) -> Result<()> {
    let mut rows = Vec::new();
    let mut rest = bytes;
    while let Some((header, behind)) = rest.split_first_chunk::<HEADER>() {
        let [a, b, c, d, length @ ..] = *header;
        let (values, behind) = behind.split_at_checked(u32::from_le_bytes(length) as usize).ok_or_else(lost)?;
        rows.push((u32::from_le_bytes([a, b, c, d]), values));
        rest = behind;
    }
    rows.sort_unstable_by_key(|(partner, _)| *partner);
    for (partner, values) in rows {
        let values: Vec<Option<&str>> = postcard::from_bytes(values).map_err(|_| lost())?;
        give(partner, &values);
    }
    if rest.is_empty() { Ok(()) } else { Err(lost()) }
}

fn lost() -> Box<Problem> {
    Problem::new("E-diff-003", crate::base::Blame::Us, "a row on its way through the disk was lost", "report this")
}
