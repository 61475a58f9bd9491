//! The outbox: files of messages that wait for somebody to send them. They are meant to be read, and private to the user that Privet runs
//! as. What was sent, or is of somebody who was erased, does not stay there.

use super::letters::LanguageBy;
use crate::base::{Digest, RegistryId, Result, Timestamp, create_private_dir, read_capped, remove_tree, write_atomic};
use crate::compliance::asking::{Messages, Wording};
use crate::compliance::{Element, Ledger, Subject, Token};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file of reminders.
const REMINDERS: &str = "reminders.ndjson";
/// The most bytes of a file of the outbox that is looked through.
const MAX_FILE: u64 = 4 << 30;

/// A message to be sent, a line of a file in the outbox. It has what a person is called and reached at, and is meant to.
#[derive(Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ConsentMessage {
    /// The id of this shape.
    pub(super) schema: &'static str,
    /// The version of this shape.
    pub(super) schema_version: u32,
    /// Its id, by which `consent sent` tells that it was sent.
    pub(super) message: Token,
    /// The subject's id.
    #[schemars(with = "String")]
    pub(super) subject: Subject,
    /// Who is given the data.
    pub(super) provider: Token,
    /// The groups of data, each with what consent is asked for.
    pub(super) groups: BTreeMap<Token, Vec<Element>>,
    /// The orders because of which it is sent.
    pub(super) orders: Vec<String>,
    /// The brand.
    pub(super) brand: Token,
    /// The language.
    pub(super) language: Token,
    /// By which rule that was chosen.
    pub(super) language_by: LanguageBy,
    /// The template.
    pub(super) template: Wording,
    /// The registrant's own address, and no other.
    pub(super) to: String,
    /// The subject line.
    pub(super) subject_line: String,
    /// The text.
    pub(super) body: String,
    /// When it was made.
    pub(super) created: Timestamp,
}

impl ConsentMessage {
    pub(super) const SCHEMA: &'static str = "privet/consent-message";
    pub(super) const VERSION: u32 = 1;
}

/// A reminder to be sent, a line of the outbox's file of reminders. It has what a person is called and reached at, and is meant to.
#[derive(Clone, serde::Serialize, schemars::JsonSchema)]
pub struct TransferReminder {
    /// The id of this shape.
    pub(super) schema: &'static str,
    /// The version of this shape.
    pub(super) schema_version: u32,
    /// Its id, which is the same every day, so that whoever sends it sends it once.
    pub(super) message: Token,
    /// The subject's id, where the ledger has one.
    #[schemars(with = "Option<String>")]
    pub(super) subject: Option<Subject>,
    /// Where the domain was ours.
    #[schemars(with = "String")]
    pub(super) registry: RegistryId,
    /// The domain.
    pub(super) domain: String,
    /// The brand.
    pub(super) brand: Token,
    /// The language.
    pub(super) language: Token,
    /// By which rule that was chosen.
    pub(super) language_by: LanguageBy,
    /// The template.
    pub(super) template: Wording,
    /// The registrant's own address, and no other.
    pub(super) to: String,
    /// The subject line.
    pub(super) subject_line: String,
    /// The text.
    pub(super) body: String,
    /// When it was made for the first time.
    pub(super) created: Timestamp,
}

impl TransferReminder {
    pub(super) const SCHEMA: &'static str = "privet/transfer-reminder";
    pub(super) const VERSION: u32 = 1;
}

/// What is looked at of a line.
#[derive(Deserialize)]
struct Named {
    message: Token,
    subject: Option<Subject>,
    created: Timestamp,
}

/// The folder.
pub(super) struct Outbox {
    dir: PathBuf,
}

impl Outbox {
    /// The outbox of a state directory, which is made where it is not there.
    ///
    /// # Errors
    /// `E-file-003`.
    pub(super) fn open(state: &Path) -> Result<Self> {
        let dir = state.join("outbox");
        create_private_dir(&dir)?;
        Ok(Self { dir })
    }

    /// Writes messages into a file of their own, named by what they are; nothing where there are none.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn put(&self, letters: &[ConsentMessage]) -> Result<Option<(Token, PathBuf)>> {
        let (mut bytes, mut ids) = (Vec::new(), String::new());
        for letter in letters {
            ids.push_str(letter.message.as_str());
            ids.push('\n');
            bytes.extend(serde_json::to_vec(letter).unwrap_or_default());
            bytes.push(b'\n');
        }
        let name = format!("asks-{}.ndjson", Digest::of(ids.as_bytes()).short());
        let Some(token) = Token::read(&name).filter(|_| !letters.is_empty()) else { return Ok(None) };
        let path = self.dir.join(&name);
        write_atomic(&path, &bytes)?;
        Ok(Some((token, path)))
    }

    /// When each reminder that waits there was made first.
    ///
    /// # Errors
    /// `E-file-006` where they cannot be read.
    pub(super) fn reminded(&self) -> Result<BTreeMap<Token, Timestamp>> {
        let path = self.dir.join(REMINDERS);
        let bytes = if path.exists() { read_capped(&path, MAX_FILE)? } else { Vec::new() };
        let named = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Named>(line).ok());
        Ok(named.map(|named| (named.message, named.created)).collect())
    }

    /// Puts these reminders into the place of those that wait there. Where they are, when there are any.
    ///
    /// # Errors
    /// As the writer of files.
    pub(super) fn remind(&self, letters: &[TransferReminder]) -> Result<Option<PathBuf>> {
        let path = self.dir.join(REMINDERS);
        if letters.is_empty() {
            return remove_tree(&path).map(|()| None);
        }
        let mut bytes = Vec::new();
        for letter in letters {
            bytes.extend(serde_json::to_vec(letter).unwrap_or_default());
            bytes.push(b'\n');
        }
        write_atomic(&path, &bytes)?;
        Ok(Some(path))
    }

    /// How many messages to `subjects` wait there.
    ///
    /// # Errors
    /// `E-file-005`, `E-file-006` where a file cannot be read.
    pub(super) fn waiting(&self, subjects: &[Subject]) -> Result<u64> {
        let mut count = 0;
        for path in self.files()? {
            let bytes = read_capped(&path, MAX_FILE)?;
            let named = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Named>(line).ok());
            count += named.filter(|named| named.subject.is_some_and(|subject| subjects.contains(&subject))).count() as u64;
        }
        Ok(count)
    }

    /// The files with messages, in the order of their names.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(&self.dir).map_err(|e| crate::base::Problem::storage("E-file-005", &self.dir, "read", &e))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "ndjson"));
        files.sort();
        Ok(files)
    }

    /// Removes what does not belong there any more: messages that were sent, those of subjects that were erased, and those that the book
    /// does not know, which an ask that was cut short left. How many were removed.
    ///
    /// # Errors
    /// `E-file-…`, `E-store-…` (exit 33).
    pub(super) fn tidy(&self, messages: &Messages, ledger: &mut Ledger<'_>) -> Result<u64> {
        let mut removed = 0;
        for path in self.files()?.into_iter().filter(|path| !path.ends_with(REMINDERS)) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let bytes = read_capped(&path, MAX_FILE)?;
            let (mut kept, mut gone) = (Vec::new(), 0);
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let named: Option<Named> = serde_json::from_slice(line).ok();
                let is_open = match named {
                    Some(Named { message, subject: Some(subject), .. }) => {
                        let is_ours = messages.made(&message).is_some_and(|made| made.file.as_str() == name);
                        is_ours && !messages.is_sent(&message) && ledger.key(subject)?.is_some()
                    }
                    _ => false,
                };
                if is_open {
                    kept.extend_from_slice(line);
                } else {
                    gone += 1;
                }
            }
            if kept.is_empty() {
                remove_tree(&path)?;
            } else if gone > 0 {
                write_atomic(&path, &kept)?;
            }
            removed += gone;
        }
        Ok(removed)
    }
}
