//! What is done to a bucket. Who calls waits: one thread of ours serves the line.

use super::ObjectsPlace;
use crate::base::{Blame, Exit, Problem, Result, Secret, StopToken, escape_controls};
use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{Error, MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// The bytes of one part of an object; smaller ones go in one piece. S3 takes ten thousand parts: objects up to 80 GB.
const PART: usize = 8 << 20;
/// Objects that are put side by side, each part by part: with [`PART`] they bound what is in memory.
const AT_ONCE: usize = 4;
/// Keys that are removed with one list of them.
const MOST_KEYS: usize = 5_000_000;
/// The most of a server's own words that is told.
const WORDS: usize = 300;

/// A file, and the key that it is put under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Put {
    /// The file.
    pub file: PathBuf,
    /// The key, below the place's prefix.
    pub key: String,
}

/// An object that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct There {
    /// Its bytes.
    pub bytes: u64,
    /// When it was put, in seconds of Unix time by the server's clock.
    pub since: i64,
}

/// A place of objects, and the one thread of ours that serves the line to it.
pub struct Bucket {
    place: ObjectsPlace,
    server: Arc<AmazonS3>,
    runtime: Runtime,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bucket({})", self.place.shown())
    }
}

impl Bucket {
    /// The bucket at `place`, for whoever logs in with `key`: an id, and the secret to it. Nothing is said to the server yet.
    ///
    /// # Errors
    /// `E-objects-001` where the `authorities` cannot be used, or this process may not wait.
    pub fn new(place: &ObjectsPlace, key: (&str, &Secret), authorities: Option<&[u8]>) -> Result<Self> {
        let unusable = |what: String| Problem::new("E-objects-001", Blame::Operator, what, "correct the table [objects]");
        let server = place.server(key, authorities).map_err(|e| unusable(format!("the object storage cannot be used: {}", told(&e))))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| unusable(format!("cannot wait for the object storage: {e}")))?;
        Ok(Self { place: place.clone(), server: Arc::new(server), runtime })
    }

    /// The keys below the prefix, with what is there.
    ///
    /// # Errors
    /// `E-objects-002` where the server cannot be reached, `-003` where it refuses, `-004` where there are more than are looked at.
    pub fn list(&self) -> Result<BTreeMap<String, There>> {
        use futures_util::TryStreamExt as _;
        let below = Some(self.place.prefix()).filter(|prefix| !prefix.is_empty()).map(Key::from);
        self.runtime.block_on(async {
            let mut all = BTreeMap::new();
            let mut listed = self.server.list(below.as_ref());
            while let Some(one) = listed.try_next().await.map_err(|e| self.failed(None, &e))? {
                if all.len() == MOST_KEYS {
                    let what = format!("there are more than {MOST_KEYS} objects at {}", self.place.shown());
                    return Err(Problem::new("E-objects-004", Blame::Operator, what, "name a prefix of our own").exit(Exit::ReportFailed));
                }
                if let Some(key) = self.own(one.location.as_ref()) {
                    all.insert(key.to_owned(), There { bytes: one.size, since: one.last_modified.timestamp() });
                }
            }
            Ok(all)
        })
    }

    /// Whether the server lets us in and has the bucket: asks for the first of its keys.
    ///
    /// # Errors
    /// As [`Bucket::list`].
    pub fn look(&self) -> Result<()> {
        use futures_util::TryStreamExt as _;
        let below = Key::from(self.place.prefix());
        self.runtime.block_on(async { self.server.list(Some(&below)).try_next().await }).map_err(|e| self.failed(None, &e)).map(drop)
    }

    /// Puts the files, some side by side; gives their bytes. What is there under such a key is overwritten.
    ///
    /// # Errors
    /// As [`Bucket::list`]; `E-objects-005` where a file cannot be read, `E-objects-008` where its name cannot be a key; `E-objects-006`
    /// (exit 40) when the operator stops. Whatever it is, no upload is left half done.
    pub fn put(&self, files: &[Put], stop: &StopToken) -> Result<u64> {
        self.runtime.block_on(async {
            let (mut under_way, mut bytes, mut failed) = (JoinSet::new(), 0, None);
            let mut left = files.iter();
            loop {
                while under_way.len() < AT_ONCE && failed.is_none() && !stop.is_stopped() {
                    let Some(one) = left.next() else { break };
                    match self.key(&one.key) {
                        Ok(key) => {
                            let (server, file) = (Arc::clone(&self.server), one.file.clone());
                            drop(under_way.spawn(async move { put(&server, &file, &key).await.map_err(|why| (file, key, why)) }));
                        }
                        Err(problem) => failed = Some(problem),
                    }
                }
                match under_way.join_next().await.map(|ended| self.ended(ended)) {
                    None => break,
                    Some(Ok(more)) => bytes += more,
                    Some(Err(problem)) => failed = failed.or(Some(problem)),
                }
            }
            match failed {
                Some(problem) => Err(problem),
                None if left.len() > 0 => {
                    let problem = Problem::new("E-objects-006", Blame::Operator, "stopped while objects were put", "run it again");
                    Err(problem.exit(Exit::Stopped))
                }
                None => Ok(bytes),
            }
        })
    }

    /// Puts `bytes` under `key`.
    ///
    /// # Errors
    /// As [`Bucket::put`].
    pub fn put_bytes(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let at = self.key(key)?;
        self.runtime.block_on(self.server.put(&at, PutPayload::from(bytes))).map_err(|e| self.failed(Some(&at), &e)).map(drop)
    }

    /// Removes the `keys`, a thousand with one request. One that is not there is no fault.
    ///
    /// # Errors
    /// As [`Bucket::put`].
    pub fn remove(&self, keys: &[String]) -> Result<()> {
        use futures_util::{StreamExt as _, TryStreamExt as _, stream};
        let keys = keys.iter().map(|key| self.key(key)).collect::<Result<Vec<Key>>>()?;
        self.runtime.block_on(async {
            let mut removed = self.server.delete_stream(stream::iter(keys.into_iter().map(Ok)).boxed());
            while removed.try_next().await.map_err(|e| self.failed(None, &e))?.is_some() {}
            Ok(())
        })
    }

    /// The whole key, byte for byte.
    fn key(&self, key: &str) -> Result<Key> {
        let slash = if self.place.prefix().is_empty() { "" } else { "/" };
        Key::parse(format!("{}{slash}{key}", self.place.prefix())).map_err(|e| {
            let what = format!("this cannot be the name of an object: {}", escape_controls(&e.to_string()));
            Problem::new("E-objects-008", Blame::Operator, what, "give the file another name").object(key).exit(Exit::ReportFailed)
        })
    }

    /// The key below the prefix; nothing where it stands elsewhere.
    fn own<'k>(&self, key: &'k str) -> Option<&'k str> {
        match self.place.prefix() {
            "" => Some(key),
            prefix => key.strip_prefix(prefix)?.strip_prefix('/'),
        }
    }

    /// What came of a task that put a file.
    fn ended(&self, ended: Result<Result<u64, (PathBuf, Key, NotPut)>, tokio::task::JoinError>) -> Result<u64> {
        match ended {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err((file, _, NotPut::File(error)))) => Err(Problem::storage("E-objects-005", &file, "read", &error)),
            Ok(Err((_, key, NotPut::Server(error)))) => Err(self.failed(Some(&key), &error)),
            Err(lost) => Err(Problem::new("E-objects-007", Blame::Us, format!("a task was lost: {lost}"), "report this as a bug")),
        }
    }

    /// What a server's failure is, and what to do.
    fn failed(&self, key: Option<&Key>, error: &Error) -> Box<Problem> {
        let (place, said) = (self.place.shown(), told(error));
        let short: String = said.chars().take(WORDS).collect();
        let problem = match refusal(error, &said) {
            Some(Refusal::Us) => {
                let remedy = "see that `key_id` and `key` of [objects] are right, and may list, put and delete there";
                Problem::new("E-objects-003", Blame::Operator, format!("{place} refuses us: {short}"), remedy)
            }
            Some(Refusal::Bucket) => {
                let remedy = "make the bucket, or correct `url` of [objects]";
                Problem::new("E-objects-003", Blame::Operator, format!("{place} is not there: {short}"), remedy)
            }
            Some(Refusal::Request) => {
                let remedy = "see whether `region`, `encryption` and `kms_key` of [objects] are what that server has";
                Problem::new("E-objects-003", Blame::Operator, format!("{place} does not take what it is asked: {short}"), remedy)
            }
            None => {
                let remedy = "see to the server and the line to it, then `privet archive` puts what is not there yet";
                Problem::new("E-objects-002", Blame::Network, format!("{place} did not do it: {short}"), remedy)
            }
        };
        let problem = problem.exit(Exit::ReportFailed);
        if let Some(key) = key { problem.object(key.to_string()) } else { problem }
    }
}

/// What a server will not do again either.
enum Refusal {
    /// It does not know us, or we may not.
    Us,
    /// There is no such bucket.
    Bucket,
    /// It has no such region, key or encryption.
    Request,
}

/// What a server refuses by that `error`, of which it `said` so much. What fails while keys are listed or removed has no kind of its own in
/// the crate: its status stands in its words alone.
fn refusal(error: &Error, said: &str) -> Option<Refusal> {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match error {
        Error::Unauthenticated { .. } | Error::PermissionDenied { .. } => Some(Refusal::Us),
        Error::NotFound { .. } => Some(Refusal::Bucket),
        _ if says(&["status code: 401", "status code: 403", "AccessDenied"]) => Some(Refusal::Us),
        _ if says(&["status code: 404", "NoSuchBucket"]) => Some(Refusal::Bucket),
        _ if says(&["status code: 400", "status code: 301", "status code: 501", "configured region"]) => Some(Refusal::Request),
        _ => None,
    }
}

/// Why a file was not put.
enum NotPut {
    File(std::io::Error),
    Server(Error),
}

/// Puts one file, in parts where it is large; gives its bytes.
async fn put(server: &AmazonS3, file: &Path, key: &Key) -> Result<u64, NotPut> {
    let mut open = File::open(file).map_err(NotPut::File)?;
    let first = part(&mut open)?;
    if first.len() < PART {
        let bytes = first.len() as u64;
        server.put(key, PutPayload::from(first)).await.map_err(NotPut::Server)?;
        return Ok(bytes);
    }
    let mut upload = server.put_multipart(key).await.map_err(NotPut::Server)?;
    let ended = parts(&mut *upload, first, &mut open).await;
    if ended.is_err() {
        // Parts that were sent stand in the bucket, in no list and paid for. Why it failed is told; that it cannot be undone either
        // follows from the same.
        let _not_undone = upload.abort().await;
    }
    ended
}

/// Puts a file part by part, the `first` of which was read.
async fn parts(upload: &mut dyn MultipartUpload, first: Vec<u8>, file: &mut File) -> Result<u64, NotPut> {
    let (mut bytes, mut next) = (0, first);
    while !next.is_empty() {
        bytes += next.len() as u64;
        upload.put_part(next.into()).await.map_err(NotPut::Server)?;
        next = part(file)?;
    }
    upload.complete().await.map_err(NotPut::Server)?;
    Ok(bytes)
}

/// The next bytes of a file, [`PART`] of them or those that are left.
fn part(file: &mut File) -> Result<Vec<u8>, NotPut> {
    let mut bytes = Vec::new();
    file.take(PART as u64).read_to_end(&mut bytes).map_err(NotPut::File)?;
    Ok(bytes)
}

/// A server's failure in a line: keys of objects and its own words.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    escape_controls(&text)
}
