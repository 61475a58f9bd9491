//! The book of messages: which were made for whom to ask for what, and which of them were sent. Privet sends none itself.
//!
//! It is a stream of the store, a chain like the ledger's, and nothing of a person stands in it: a recipient is a digest under the
//! subject's own key. The messages themselves lie in the outbox until they were sent.

use super::matrix::Group;
use crate::base::{Blame, Digest, Exit, ObjectKey, Problem, Result, Timestamp, ValueDigest};
use crate::compliance::record::{Element, Token};
use crate::compliance::subjects::Subject;
use crate::store::{Append, Batch, Head, Store, StreamName, read};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The stream.
const STREAM: &str = "asking";
/// The version of the rows.
const VERSION: u8 = 1;
/// What a recipient's address is the digest of.
const TO: &str = "message/to";
/// What the id of a message as it was sent is the digest of.
const SOURCE: &str = "message/source";

/// By which template a message was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// The template.
    pub id: Token,
    /// Its version.
    pub version: Token,
    /// The SHA-256 of its file, in hexadecimal.
    pub digest: Token,
}

/// A message that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Its id.
    pub message: Token,
    /// Who is asked.
    pub subject: Subject,
    /// For which provider.
    pub provider: Token,
    /// For which groups, each with the kinds of data that consent is asked for.
    pub groups: BTreeMap<Token, Vec<Element>>,
    /// Under which brand.
    pub brand: Token,
    /// In which language.
    pub language: Token,
    /// By which template.
    pub template: Wording,
    /// The digest of the recipient's address under the subject's key.
    pub to: ValueDigest,
    /// By which way the subject takes back what it gives, and has the message sent again, where the brand has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdraw: Option<Token>,
    /// The file in the outbox.
    pub file: Token,
    /// When it was made.
    pub created: Timestamp,
}

/// That a message was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    /// Which.
    pub message: Token,
    /// When.
    pub at: Timestamp,
    /// Whether it went to the registrant's own address.
    pub own: bool,
    /// The digest of the id that it was sent by, under the subject's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ValueDigest>,
    /// When the book took it.
    pub recorded: Timestamp,
}

/// A row of the book.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Entry {
    /// A message was made.
    Made(Asked),
    /// One was sent.
    Sent(Confirmed),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    v: u8,
    row: Entry,
}

/// The book.
#[derive(Clone, Debug)]
pub struct Messages {
    stream: StreamName,
    head: Head,
    made: BTreeMap<Token, Asked>,
    /// By message, in the order in which it was told.
    sent: BTreeMap<Token, Vec<Confirmed>>,
}

impl Messages {
    /// The book in `store`; its chain is held against its hashes.
    ///
    /// # Errors
    /// `E-store-003` where the chain is broken, `E-asking-001` where a row is none of ours (both exit 33); `E-store-006`.
    pub fn open(store: &mut dyn Store) -> Result<Self> {
        let stream = StreamName::new(STREAM)?;
        let (mut made, mut sent) = (BTreeMap::new(), BTreeMap::<Token, Vec<Confirmed>>::new());
        let head = read(store, &stream, |number, row| {
            let line: Result<Line, String> = serde_json::from_slice(row).map_err(|e| e.to_string());
            let line = line.and_then(|line| if line.v == VERSION { Ok(line) } else { Err(format!("it has version {}", line.v)) });
            let line = line.map_err(|why| {
                let what = format!("row {number} of the book of messages cannot be read: {why}");
                Problem::new("E-asking-001", Blame::Operator, what, "use the version of this program that wrote it").exit(Exit::Storage)
            })?;
            match line.row {
                Entry::Made(asked) => drop(made.insert(asked.message.clone(), asked)),
                Entry::Sent(confirmed) => sent.entry(confirmed.message.clone()).or_default().push(confirmed),
            }
            Ok(())
        })?;
        Ok(Self { stream, head, made, sent })
    }

    /// The message of that id.
    #[must_use]
    pub fn made(&self, message: &Token) -> Option<&Asked> {
        self.made.get(message)
    }

    /// Every message, by id.
    pub fn all(&self) -> impl Iterator<Item = &Asked> {
        self.made.values()
    }

    /// What was sent, by message.
    pub fn sent(&self) -> impl Iterator<Item = &Confirmed> {
        self.sent.values().flatten()
    }

    /// When and where a message was sent, in the order in which that was told.
    #[must_use]
    pub fn sent_of(&self, message: &Token) -> &[Confirmed] {
        self.sent.get(message).map_or(&[], Vec::as_slice)
    }

    /// Whether a message was sent to its registrant.
    #[must_use]
    pub fn is_sent(&self, message: &Token) -> bool {
        self.sent_of(message).iter().any(|confirmed| confirmed.own)
    }

    /// Adds messages that were made.
    ///
    /// # Errors
    /// `E-store-…`; nothing was added then.
    pub fn add(&mut self, store: &mut dyn Store, asked: Vec<Asked>) -> Result<()> {
        self.append(store, asked.iter().cloned().map(Entry::Made))?;
        self.made.extend(asked.into_iter().map(|asked| (asked.message.clone(), asked)));
        Ok(())
    }

    /// Adds what was sent.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn confirm(&mut self, store: &mut dyn Store, confirmed: Vec<Confirmed>) -> Result<()> {
        self.append(store, confirmed.iter().cloned().map(Entry::Sent))?;
        for one in confirmed {
            self.sent.entry(one.message.clone()).or_default().push(one);
        }
        Ok(())
    }

    fn append(&mut self, store: &mut dyn Store, entries: impl Iterator<Item = Entry>) -> Result<()> {
        let bytes = |row| Box::from(serde_json::to_vec(&Line { v: VERSION, row }).unwrap_or_default());
        let rows: Vec<Box<[u8]>> = entries.map(bytes).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let append = Append { stream: self.stream.clone(), expected: self.head.rows, rows: rows.clone() };
        store.commit(&Batch { appends: vec![append], cells: Vec::new() })?;
        self.head = rows.iter().fold(self.head, |head, row| head.after(row));
        Ok(())
    }
}

/// The id of the message to a subject for those groups of a provider, whose window began with `first`: the same message has the same id.
#[must_use]
pub fn message_id<'g>(subject: Subject, provider: &str, groups: impl IntoIterator<Item = &'g Group>, first: Timestamp) -> Option<Token> {
    let groups: Vec<&str> = groups.into_iter().map(Group::as_str).collect();
    // As JSON no part can run into the next.
    let bytes = serde_json::to_vec(&("message/1", subject, provider, groups, first)).unwrap_or_default();
    Token::read(&format!("m-{}", Digest::of(&bytes).short()))
}

/// The digest of an address under its subject's key, however the address is written.
#[must_use]
pub fn recipient(key: &ObjectKey, address: &str) -> ValueDigest {
    key.digest(TO, crate::compliance::fingerprint::mailbox(address).as_bytes())
}

/// The digest of the id that a message was sent by, under its subject's key.
#[must_use]
pub fn source(key: &ObjectKey, id: &str) -> ValueDigest {
    key.digest(SOURCE, id.as_bytes())
}
