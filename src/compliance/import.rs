//! Events from CSV, NDJSON or Parquet: one a row. [`read`] and [`Import`] serve every ledger; the rest is consent's, whose columns are
//! [`COLUMNS`].
//!
//! `event` and `at` are always there; a column that a file lacks is empty. The subject is named in one of three ways: `registry` and
//! `handle` of a contact in the local records; `first`, `last`, `organisation`, `country` and `email`; or the id by which an export
//! named it. `purpose` may be empty for restrictions and objections alone, which are then of all purposes. `elements` are joined by
//! `;`. Without `record_id` an event's id follows from what it tells, so that the same row is the same event.

use super::draft::{Draft, IDS};
use super::fingerprint::Fingerprint;
use super::values::{Doubt, Ids, Who};
use crate::base::{Blame, Exit, Personal, Problem, Problems, RegistryId, Result};
use crate::dataset::{Records, Source, bucket_of, each_row};
use crate::model::ObjectKind;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The columns. `record_id`, `terms`, `notice` and its details are tokens; what the words are stands at [`super::Record`].
pub const COLUMNS: [&str; 24] = [
    "record_id",
    "registry",
    "handle",
    "first",
    "last",
    "organisation",
    "country",
    "email",
    "subject",
    "purpose",
    "elements",
    "provider",
    "group",
    "event",
    "at",
    "expires",
    "terms",
    "notice",
    "notice_version",
    "notice_language",
    "notice_digest",
    "method",
    "by",
    "message_id",
];

/// Columns that every table has.
const ALWAYS: [&str; 2] = ["event", "at"];

/// The most events of one import, which are all in memory at once.
const MAX_ROWS: u64 = 5_000_000;

/// Problems of files that are of one row alone.
const OF_ROWS: [&str; 3] = ["E-csv-001", "E-ndjson-003", "E-ndjson-004"];

/// What an import takes in.
pub trait Imported {
    /// What can be wrong with its rows.
    fn ids() -> &'static Ids;

    /// Whom it is of, where that is said.
    fn who(&self) -> Option<&Who>;

    /// Says whom it is of.
    fn belongs_to(&mut self, who: Who);
}

impl Imported for Draft {
    fn ids() -> &'static Ids {
        &IDS
    }

    fn who(&self) -> Option<&Who> {
        Some(&self.who)
    }

    fn belongs_to(&mut self, who: Who) {
        self.who = who;
    }
}

/// The events of some files.
#[derive(Debug)]
pub struct Import<D = Draft> {
    /// Those that are good so far, with the file and the line each stands in.
    pub drafts: Vec<(D, usize, u64)>,
    /// The files, by their names.
    pub files: Vec<PathBuf>,
    /// Rows that were read.
    pub rows: u64,
    /// Rows that are no events.
    pub bad: u64,
    /// What is wrong with them, as far as it is told.
    pub problems: Problems,
    /// Whether a file could not be read to its end: none of its rows may be taken then, as those that are missing may take back what
    /// these grant.
    pub cut: bool,
}

impl<D> Default for Import<D> {
    fn default() -> Self {
        Self { drafts: Vec::new(), files: Vec::new(), rows: 0, bad: 0, problems: Problems::default(), cut: false }
    }
}

/// Reads the events of consent in `source`. A column that it has no constant for may be absent, as in files.
#[must_use]
pub fn import(source: &Source) -> Import {
    read(source, &COLUMNS, &ALWAYS, Draft::read)
}

/// Reads the events of `source`, whose tables have `columns`, those in `always` for certain; `draft` makes an event of a row's values.
pub(super) fn read<D: Imported>(
    source: &Source,
    columns: &[&'static str],
    always: &[&str],
    draft: impl Fn(&[Option<&str>]) -> Result<D, Vec<Doubt>>,
) -> Import<D> {
    let files = source.names();
    let mut import = Import { files: files.clone(), ..Import::default() };
    let mut source = source.clone();
    for column in columns.iter().filter(|column| !always.contains(*column)) {
        source.constants.entry((*column).to_owned()).or_default();
    }
    let (mut problems, mut doubted) = (Problems::default(), Problems::default());
    each_row(&source, columns, &mut problems, |file, line, values| {
        import.rows += 1;
        if import.rows > MAX_ROWS {
            if !std::mem::replace(&mut import.cut, true) {
                let what = format!("these are more than {MAX_ROWS} events");
                doubted.push(Problem::new(D::ids().too_many, Blame::Input, what, "import them in several parts").file(file).line(line));
            }
            return;
        }
        match draft(values) {
            Ok(draft) => import.drafts.push((draft, files.iter().position(|known| known == file).unwrap_or_default(), line)),
            Err(doubts) => {
                import.bad += 1;
                for doubt in doubts {
                    let problem = Problem::new(doubt.id, Blame::Input, doubt.what, doubt.remedy).file(file).line(line);
                    doubted.push(problem.field(doubt.field));
                }
            }
        }
    });
    let is_of_row = |problem: &Problem| OF_ROWS.contains(&problem.id.as_str());
    import.cut |= problems.dropped() > 0 || !problems.kept().iter().all(is_of_row);
    let broken = problems.kept().iter().filter(|problem| is_of_row(problem)).count() as u64;
    (import.rows, import.bad) = (import.rows + broken, import.bad + broken);
    for problem in doubted.kept() {
        problems.push(Box::new(problem.clone()));
    }
    import.problems = problems;
    import
}

impl<D: Imported> Import<D> {
    /// One event that stands in no file.
    #[must_use]
    pub fn of(draft: D) -> Self {
        Self { drafts: vec![(draft, usize::MAX, 0)], rows: 1, ..Self::default() }
    }

    /// Whether some event names a contact of the local records.
    #[must_use]
    pub fn names_contacts(&self) -> bool {
        self.drafts.iter().any(|(draft, ..)| matches!(draft.who(), Some(Who::Contact { .. })))
    }

    /// Puts people in the place of the contacts that events name, by the local records. Events of those that are not there become bad.
    ///
    /// # Errors
    /// `E-parquet-…` where a bucket cannot be read.
    pub fn resolve(&mut self, records: &Records) -> Result<()> {
        let mut wanted: BTreeSet<(&str, u32, &str)> = BTreeSet::new();
        for (draft, ..) in &self.drafts {
            if let Some(Who::Contact { registry, handle }) = draft.who() {
                let bucket = bucket_of(&RegistryId::new(&**registry), ObjectKind::Contact, handle, records.buckets_log2());
                wanted.insert((registry, bucket, handle));
            }
        }
        let buckets: BTreeSet<(&str, u32)> = wanted.iter().map(|(registry, bucket, _)| (*registry, *bucket)).collect();
        let known: BTreeSet<&str> = records.registries().map(RegistryId::as_str).collect();
        let mut people: HashMap<(Box<str>, Box<str>), Option<Fingerprint>> = HashMap::new();
        for (registry, bucket) in buckets.into_iter().filter(|(registry, _)| known.contains(registry)) {
            for row in records.rows(&RegistryId::new(registry), ObjectKind::Contact, bucket)? {
                if wanted.contains(&(registry, bucket, row.id())) {
                    people.insert((registry.into(), row.id().into()), Fingerprint::of_row(&row));
                }
            }
        }
        let drafts = std::mem::take(&mut self.drafts);
        for (mut draft, file, line) in drafts {
            let Some(Who::Contact { registry, handle }) = draft.who() else {
                self.drafts.push((draft, file, line));
                continue;
            };
            let what = match people.get(&(registry.clone(), handle.clone())) {
                Some(Some(person)) => {
                    draft.belongs_to(Who::Person(person.clone()));
                    self.drafts.push((draft, file, line));
                    continue;
                }
                Some(None) => "the contact's record has no name or no e-mail address: nobody can be told by it",
                None => "the local records have no such contact",
            };
            let object = format!("{registry}/{handle}");
            let remedy = "see whether the contact was renamed or removed; name the subject by its parts";
            let problem = Problem::new(D::ids().no_contact, Blame::Input, what, remedy).object(object);
            self.refuse(file, line, problem);
        }
        Ok(())
    }

    /// Tells that the row at that place is bad.
    pub(super) fn refuse(&mut self, file: usize, line: u64, problem: Box<Problem>) {
        self.bad += 1;
        let problem = match self.place(file) {
            Some(path) => problem.file(path).line(line),
            None => problem,
        };
        self.problems.push(problem.exit(Exit::InputIncomplete));
    }

    fn place(&self, file: usize) -> Option<&Path> {
        self.files.get(file).map(PathBuf::as_path)
    }
}

/// An event's values in the order of [`COLUMNS`], for an export: the subject by its id, the message where its id could be opened.
pub(super) fn exported(record: &super::Record, message: Option<&Personal>) -> [String; COLUMNS.len()] {
    let notice = record.notice.as_ref();
    let token = |token: Option<&super::Token>| token.map_or_else(String::new, ToString::to_string);
    let elements: Vec<&str> = record.elements.iter().map(|element| element.as_str()).collect();
    COLUMNS.map(|column| match column {
        "record_id" => record.id.to_string(),
        "subject" => record.subject.to_string(),
        "purpose" => record.purpose.map_or_else(String::new, |purpose| purpose.to_string()),
        "elements" => elements.join(";"),
        "provider" => token(record.provider.as_ref()),
        "group" => token(record.group.as_ref()),
        "event" => record.event.to_string(),
        "at" => record.at.to_string(),
        "expires" => record.expires.map_or_else(String::new, |expires| expires.to_string()),
        "terms" => token(record.terms.as_ref()),
        "notice" => token(notice.map(|notice| &notice.id)),
        "notice_version" => token(notice.and_then(|notice| notice.version.as_ref())),
        "notice_language" => token(notice.and_then(|notice| notice.language.as_ref())),
        "notice_digest" => token(notice.and_then(|notice| notice.digest.as_ref())),
        "method" => record.method.map_or_else(String::new, |method| method.to_string()),
        "by" => record.by.map_or_else(String::new, |by| by.to_string()),
        "message_id" => message.map_or_else(String::new, |message| message.reveal().to_owned()),
        _ => String::new(),
    })
}
