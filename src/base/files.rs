//! The one writer of files. Everything Privet leaves on disk is private (0600 in 0700), metrics aside, and put in place whole.

use super::{Blame, Exit, Problem, Result};
use rustix::fs::{Access, FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A file that appears under its name only when [`AtomicFile::commit`] has made it durable; dropped before that, it leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    out: BufWriter<File>,
    temporary: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl AtomicFile {
    /// Opens a temporary neighbour of `target`, mode 0600.
    ///
    /// # Errors
    /// `E-file-001` where it cannot be opened.
    pub fn create(target: &Path) -> Result<Self> {
        let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let temporary = target.with_file_name(format!(".{name}.tmp"));
        // A neighbour left by a killed run is ours to replace: the state directory's lock keeps living runs apart.
        let opened = remove_if_there(&temporary)
            .and_then(|()| OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(nofollow()).open(&temporary));
        let file = opened.map_err(|e| Problem::storage("E-file-001", target, "write", &e))?;
        Ok(Self { out: BufWriter::with_capacity(256 * 1024, file), temporary, target: target.to_owned(), committed: false })
    }

    /// Makes the content durable and puts it in place.
    ///
    /// # Errors
    /// `E-file-002` where any step fails; the target is then as it was.
    pub fn commit(mut self) -> Result<()> {
        let done = self
            .out
            .flush()
            .and_then(|()| self.out.get_ref().sync_all())
            .and_then(|()| rename(&self.temporary, &self.target))
            .and_then(|()| sync_parent(&self.target));
        self.committed = done.is_ok();
        done.map_err(|e| Problem::storage("E-file-002", &self.target, "put the file in place", &e))
    }

    /// Where it will stand.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.target
    }

    /// Where its bytes are until then, as far as they are flushed.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            let _left_behind = remove_if_there(&self.temporary);
        }
    }
}

/// Writes `bytes` to `target`, whole or not at all.
///
/// # Errors
/// As [`AtomicFile`].
pub fn write_atomic(target: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(target)?;
    file.write_all(bytes).map_err(|e| Problem::storage("E-file-002", target, "write", &e))?;
    file.commit()
}

/// As [`write_atomic`], for other users of this machine to read (mode 0644): what holds neither personal data nor secrets.
///
/// # Errors
/// As [`AtomicFile`].
pub fn write_public(target: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(target)?;
    let opened = file.out.get_ref().set_permissions(fs::Permissions::from_mode(0o644));
    opened.and_then(|()| file.write_all(bytes)).map_err(|e| Problem::storage("E-file-002", target, "write", &e))?;
    file.commit()
}

/// Whether this user may write to the directory `path` or, where it is not there yet, to the one in which it would be made.
///
/// # Errors
/// `E-file-003` where not.
pub fn may_write(path: &Path) -> Result<()> {
    let there = path.ancestors().find(|dir| dir.exists()).filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let allowed = rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from);
    let is_dir = if there.is_dir() { allowed } else { Err(io::Error::from(io::ErrorKind::NotADirectory)) };
    is_dir.map_err(|e| Problem::storage("E-file-003", path, "write to the directory", &e))
}

/// Makes `path` and its missing parents, mode 0700.
///
/// # Errors
/// `E-file-003` where one cannot be made.
pub fn create_private_dir(path: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| Problem::storage("E-file-003", path, "make the directory", &e))
}

/// Removes `path` and what is below it; a path that is not there is fine.
///
/// # Errors
/// `E-file-004` where something cannot be removed.
#[expect(clippy::disallowed_methods, reason = "the one writer of files")]
pub fn remove_tree(path: &Path) -> Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    };
    gone.map_err(|e| Problem::storage("E-file-004", path, "remove", &e))
}

/// Puts the finished directory `from` in place as `to`, whole; both stand on one file system, and `to` is not there yet.
///
/// # Errors
/// `E-file-002` where it cannot be moved; it is then where it was.
pub fn place_tree(from: &Path, to: &Path) -> Result<()> {
    let synced = File::open(from).and_then(|dir| dir.sync_all());
    let placed = synced.and_then(|()| rename(from, to)).and_then(|()| sync_parent(to));
    placed.map_err(|e| Problem::storage("E-file-002", to, "put the directory in place", &e))
}

/// Reads a file of at most `cap` bytes.
///
/// # Errors
/// `E-file-005` where it cannot be read, `E-file-006` where it is larger.
pub fn read_capped(path: &Path, cap: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(cap.saturating_add(1)).read_to_end(&mut bytes));
    read.map_err(|e| {
        Problem::new("E-file-005", Blame::Operator, format!("cannot read: {e}"), "check the path, its owner and its mode").file(path)
    })?;
    if bytes.len() as u64 > cap {
        let what = format!("the file is larger than {cap} bytes");
        return Err(Problem::new("E-file-006", Blame::Input, what, "this is not the file that belongs here").file(path).exit(Exit::Usage));
    }
    Ok(bytes)
}

/// The directory that holds everything of one installation.
#[derive(Clone, Debug)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Opens the state directory at `root`, making it where it is missing.
    ///
    /// # Errors
    /// `E-file-003` where it cannot be made; `E-file-007` where others may write to it.
    pub fn open(root: &Path) -> Result<Self> {
        create_private_dir(root)?;
        Self::judge(root)?;
        Ok(Self { root: root.to_owned() })
    }

    /// Judges the state directory at `root` without making or changing anything; where there is none yet, whether one can be made.
    ///
    /// # Errors
    /// `E-file-003` where this user may not write there; `E-file-007` where others may.
    pub fn look(root: &Path) -> Result<()> {
        may_write(root)?;
        if root.exists() { Self::judge(root) } else { Ok(()) }
    }

    fn judge(root: &Path) -> Result<()> {
        let meta = fs::metadata(root).map_err(|e| Problem::storage("E-file-003", root, "look at the directory", &e))?;
        let mode = meta.permissions().mode() & 0o7777;
        let uid = rustix::process::geteuid().as_raw();
        if mode & 0o022 != 0 || (meta.uid() != uid && uid != 0) {
            let what = format!("the state directory has mode {mode:04o} and owner {} (this is user {uid})", meta.uid());
            return Err(Problem::new("E-file-007", Blame::Operator, what, "chown it to this user and chmod 0700").file(root));
        }
        Ok(())
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes the lock that keeps two runs apart. The kernel frees it with the process, however that ends.
    ///
    /// # Errors
    /// `E-lock-001` (exit 30) where another process holds it.
    pub fn lock(&self, note: &str) -> Result<Lock> {
        self.lock_file("lock", note)
    }

    /// Takes the lock that keeps two writers of the ledgers apart. A run does not hold it: what a person says counts at once.
    ///
    /// # Errors
    /// As [`StateDir::lock`].
    pub fn lock_ledgers(&self, note: &str) -> Result<Lock> {
        self.lock_file("ledgers.lock", note)
    }

    /// Takes the lock of one of the places into which queries are written: two processes may read records at a time.
    ///
    /// # Errors
    /// As [`StateDir::lock`].
    pub fn lock_queried(&self, place: u8) -> Result<Lock> {
        self.lock_file(&format!("queried-{place}.lock"), &format!("queries, process {}", std::process::id()))
    }

    fn lock_file(&self, name: &str, note: &str) -> Result<Lock> {
        let path = self.root.join(name);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = opened.map_err(|e| Problem::storage("E-file-001", &path, "open the lock", &e))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            let _unreadable = Read::by_ref(&mut file).take(512).read_to_string(&mut holder);
            let what = format!("another run holds the lock ({})", holder.trim());
            let remedy = "wait for it to end; the lock frees itself with that process";
            return Err(Problem::new("E-lock-001", Blame::Operator, what, remedy).file(&path).exit(Exit::Locked));
        }
        let written = file.set_len(0).and_then(|()| writeln!(file, "{note}"));
        written.map_err(|e| Problem::storage("E-file-002", &path, "write the lock's note", &e))?;
        Ok(Lock { _file: file })
    }
}

/// The held lock of a [`StateDir`]; dropping it frees it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

#[expect(clippy::disallowed_methods, reason = "the one writer of files")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

#[expect(clippy::disallowed_methods, reason = "the one writer of files")]
fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Syncs the directory entry of `path`: without it a power cut may lose a file whose content was synced.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(parent)?.sync_all()
}

/// `O_NOFOLLOW`, as the standard library wants it.
#[expect(clippy::cast_possible_wrap, reason = "open(2) flags fit")]
fn nofollow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits() as i32
}
