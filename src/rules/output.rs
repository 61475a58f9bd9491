//! Findings into tables, sorted, with little memory: what does not fit waits in sorted runs on disk.

use super::junit::{Case, Junit};
use crate::base::{AtomicFile, Blame, Exit, Personal, Problem, Result, create_private_dir, remove_tree, revealed};
use crate::dataset::{Cell, ColumnType, TableWriter};
use crate::model::{Answer, Confidence, Finding, FindingSeverity, ObjectKind};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Findings that are kept in memory before they are written as a sorted run.
const RUN: usize = 100_000;

/// What stands for a suggestion that is not shown.
const HIDDEN: &str = "•••";

/// The columns of the tables.
const COLUMNS: [&str; 16] = [
    "registry",
    "object",
    "id",
    "field",
    "position",
    "code_point",
    "character",
    "rule",
    "severity",
    "what",
    "suggestion",
    "answer",
    "answer_confidence",
    "answer_how",
    "source",
    "confidence",
];

/// How often one rule was broken at one registry.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RuleCount {
    /// The registry.
    pub registry: String,
    /// The rule.
    pub rule: String,
    /// Whether that is an error or a warning.
    pub severity: FindingSeverity,
    /// How often.
    pub findings: u64,
    /// In how many objects; an object counts once for each rule.
    pub objects: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FindingsSummary {
    /// Objects looked at.
    pub objects: u64,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// By registry, rule and severity.
    pub rules: Vec<RuleCount>,
}

/// What `findings.json` holds.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct FindingsTable {
    /// Every finding: by registry, object, id, field, position and rule.
    pub findings: Vec<Finding>,
    /// The counts.
    pub summary: FindingsSummary,
}

/// A finding as it lies in a run.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Line {
    registry: Box<str>,
    object: ObjectKind,
    id: Box<str>,
    field: Box<str>,
    position: Option<u32>,
    rule: Box<str>,
    severity: FindingSeverity,
    what: Box<str>,
    code_point: Option<Box<str>>,
    character: Option<Box<str>>,
    suggestion: Option<Box<str>>,
    answer: Option<(Box<str>, Box<str>, Confidence)>,
    source: Box<str>,
    confidence: Confidence,
}

impl Line {
    fn of(f: Finding, show: bool) -> Self {
        let shown = |s: Personal| if show { s.into_revealed().into() } else { HIDDEN.into() };
        Self {
            registry: f.registry,
            object: f.object,
            id: f.id,
            field: f.field,
            position: f.position,
            rule: f.rule,
            severity: f.severity,
            what: f.what,
            code_point: f.code_point,
            character: f.character,
            suggestion: f.suggestion.map(shown),
            answer: f.answer.map(|a| (a.code, a.how, a.confidence)),
            source: f.source,
            confidence: f.confidence,
        }
    }

    fn finding(&self) -> Finding {
        Finding {
            rule: self.rule.clone(),
            severity: self.severity,
            registry: self.registry.clone(),
            object: self.object,
            id: self.id.clone(),
            field: self.field.clone(),
            position: self.position,
            code_point: self.code_point.clone(),
            character: self.character.clone(),
            what: self.what.clone(),
            answer: self.answer.clone().map(|(code, how, confidence)| Answer { code, how, confidence }),
            suggestion: self.suggestion.as_deref().map(Personal::new),
            source: self.source.clone(),
            confidence: self.confidence,
        }
    }

    fn case(&self) -> Case<'_> {
        Case {
            registry: &self.registry,
            object: (self.object.as_str(), &self.id),
            field: &self.field,
            position: self.position,
            rule: &self.rule,
            severity: self.severity,
            what: &self.what,
            answer: self.answer.as_ref().map(|(code, ..)| &**code),
            source: &self.source,
        }
    }

    /// As [`Finding::order`].
    fn order(&self, other: &Self) -> Ordering {
        fn key(f: &Line) -> (&str, ObjectKind, &str, &str, Option<u32>, &str, FindingSeverity, &str) {
            (&f.registry, f.object, &f.id, &f.field, f.position, &f.rule, f.severity, &f.what)
        }
        key(self).cmp(&key(other))
    }

    /// Its cells, of which the position's text is the caller's.
    fn row<'a>(&'a self, position: &'a str) -> [Option<&'a str>; COLUMNS.len()] {
        let answer = self.answer.as_ref();
        [
            Some(&self.registry),
            Some(self.object.as_str()),
            Some(&self.id),
            Some(&self.field),
            self.position.map(|_| position),
            self.code_point.as_deref(),
            self.character.as_deref(),
            Some(&self.rule),
            Some(self.severity.as_str()),
            Some(&self.what),
            self.suggestion.as_deref(),
            answer.map(|(code, ..)| &**code),
            answer.map(|(.., confidence)| confidence.as_str()),
            answer.map(|(_, how, _)| &**how),
            Some(&self.source),
            Some(self.confidence.as_str()),
        ]
    }
}

/// What is counted by: registry, rule, severity.
type Key = (Box<str>, Box<str>, FindingSeverity);

/// Gathers findings for a directory, and writes them sorted.
#[derive(Debug)]
pub struct Findings {
    out: PathBuf,
    show: bool,
    /// How many of the first are handed back.
    first: usize,
    lines: Vec<Line>,
    runs: Vec<PathBuf>,
    /// Findings, and objects that have one.
    counts: BTreeMap<Key, (u64, u64)>,
    objects: u64,
    /// Registries whose objects were judged, whether or not something was found.
    judged: BTreeSet<Box<str>>,
    /// Whether they are written for build servers, too.
    junit: bool,
}

impl Findings {
    /// Begins to gather for the directory `out`. Suggestions are personal data, and masked unless `show_suggestions`; the `first` so many
    /// findings in order are handed back in the end.
    ///
    /// # Errors
    /// `E-file-…` where the directory cannot be made.
    pub fn begin(out: &Path, show_suggestions: bool, first: usize) -> Result<Self> {
        create_private_dir(out)?;
        remove_tree(&out.join(".findings.tmp"))?;
        let (lines, runs, counts) = (Vec::new(), Vec::new(), BTreeMap::new());
        let (show, judged) = (show_suggestions, BTreeSet::new());
        Ok(Self { out: out.to_owned(), show, first, lines, runs, counts, objects: 0, judged, junit: false })
    }

    /// The same, written for build servers too.
    #[must_use]
    pub const fn with_junit(mut self) -> Self {
        self.junit = true;
        self
    }

    /// Takes note that the objects of a registry are judged: where nothing is found, that is a suite of [`Findings::with_junit`] too.
    pub fn judged(&mut self, registry: &str) {
        self.judged.insert(registry.into());
    }

    /// Adds what was found in some objects, all of one object one after another, and how many objects that were.
    ///
    /// # Errors
    /// `E-file-002` where a run cannot be written.
    pub fn absorb(&mut self, findings: Vec<Finding>, objects: u64) -> Result<()> {
        self.objects += objects;
        let mut last: Option<(ObjectKind, Box<str>, Box<str>)> = None;
        let mut told: Vec<Box<str>> = Vec::new();
        for finding in findings {
            if last.as_ref().is_none_or(|(kind, id, registry)| (*kind, id, registry) != (finding.object, &finding.id, &finding.registry)) {
                last = Some((finding.object, finding.id.clone(), finding.registry.clone()));
                told.clear();
            }
            let count = self.counts.entry((finding.registry.clone(), finding.rule.clone(), finding.severity)).or_default();
            count.0 += 1;
            if !told.contains(&finding.rule) {
                count.1 += 1;
                told.push(finding.rule.clone());
            }
            self.lines.push(Line::of(finding, self.show));
        }
        if self.lines.len() >= RUN { self.spill() } else { Ok(()) }
    }

    /// Writes `findings.{csv,json,parquet}` and, where that is wanted, `findings.junit.xml`; returns the counts and the first findings in order.
    ///
    /// # Errors
    /// `E-file-…` where a file cannot be written or a run cannot be read again.
    pub fn finish(mut self) -> Result<(FindingsSummary, Vec<Finding>)> {
        let summary = self.summary();
        let mut sinks = Sinks::create(&self.out)?;
        if self.junit {
            sinks.junit = Some(Junit::create(&self.out.join("findings.junit.xml"), &self.judged, &summary.rules)?);
        }
        let mut first = Vec::new();
        let (show, wanted) = (self.show, self.first);
        let mut write = |line: &Line| {
            if first.len() < wanted {
                first.push(line.finding());
            }
            sinks.write(line, show)
        };
        if self.runs.is_empty() {
            self.lines.sort_by(Line::order);
            self.lines.iter().try_for_each(&mut write)?;
        } else {
            self.spill()?;
            merge(&self.runs, &mut write)?;
        }
        sinks.finish(&summary)?;
        remove_tree(&self.out.join(".findings.tmp"))?;
        Ok((summary, first))
    }

    fn summary(&self) -> FindingsSummary {
        let total = |of: FindingSeverity| self.counts.iter().filter(|((.., severity), _)| *severity == of).map(|(_, (n, _))| n).sum();
        let one = |((registry, rule, severity), (findings, objects)): (&Key, &(u64, u64))| RuleCount {
            registry: registry.to_string(),
            rule: rule.to_string(),
            severity: *severity,
            findings: *findings,
            objects: *objects,
        };
        let (errors, warnings) = (total(FindingSeverity::Error), total(FindingSeverity::Warning));
        FindingsSummary { objects: self.objects, errors, warnings, rules: self.counts.iter().map(one).collect() }
    }

    /// Writes what is in memory as one sorted run.
    fn spill(&mut self) -> Result<()> {
        let dir = self.out.join(".findings.tmp");
        create_private_dir(&dir)?;
        let path = dir.join(format!("run-{:04}", self.runs.len()));
        let failed = |e: std::io::Error| Problem::storage("E-file-002", &path, "write", &e);
        self.lines.sort_by(Line::order);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let mut file = BufWriter::with_capacity(1 << 18, opened.map_err(failed)?);
        for line in self.lines.drain(..) {
            let bytes = postcard::to_stdvec(&line).unwrap_or_default();
            let length = u32::try_from(bytes.len()).unwrap_or_default().to_le_bytes();
            file.write_all(&length).and_then(|()| file.write_all(&bytes)).map_err(failed)?;
        }
        file.flush().map_err(failed)?;
        self.runs.push(path);
        Ok(())
    }
}

/// Hands the lines of sorted runs to `write`, in order.
fn merge(runs: &[PathBuf], mut write: impl FnMut(&Line) -> Result<()>) -> Result<()> {
    let mut inputs = runs.iter().map(|path| Run::open(path)).collect::<Result<Vec<_>>>()?;
    loop {
        let heads = inputs.iter_mut().filter(|run| run.head.is_some());
        let least = heads.min_by(|one, other| match (&one.head, &other.head) {
            (Some(one), Some(other)) => one.order(other),
            _ => Ordering::Equal,
        });
        let Some(run) = least else { return Ok(()) };
        if let Some(line) = run.head.take() {
            write(&line)?;
        }
        run.advance()?;
    }
}

/// A sorted run that is read from its start.
struct Run {
    path: PathBuf,
    input: BufReader<File>,
    head: Option<Line>,
}

impl Run {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Problem::storage("E-file-005", path, "read", &e))?;
        let mut run = Self { path: path.to_owned(), input: BufReader::with_capacity(1 << 18, file), head: None };
        run.advance()?;
        Ok(run)
    }

    fn advance(&mut self) -> Result<()> {
        let failed = |e: std::io::Error| Problem::storage("E-file-005", &self.path, "read", &e);
        let mut length = [0; 4];
        match self.input.read_exact(&mut length) {
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                self.head = None;
                return Ok(());
            }
            read => read.map_err(failed)?,
        }
        let mut record = Vec::new();
        self.input.by_ref().take(u64::from(u32::from_le_bytes(length))).read_to_end(&mut record).map_err(failed)?;
        let torn = |e: postcard::Error| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, e));
        self.head = Some(postcard::from_bytes(&record).map_err(torn)?);
        Ok(())
    }
}

/// The files findings are written to.
struct Sinks {
    parquet: TableWriter,
    csv: csv::Writer<AtomicFile>,
    csv_path: PathBuf,
    json: BufWriter<AtomicFile>,
    json_path: PathBuf,
    junit: Option<Junit>,
    /// Whether a finding stands in the JSON already.
    begun: bool,
}

impl Sinks {
    fn create(out: &Path) -> Result<Self> {
        let parquet = TableWriter::create(&out.join("findings.parquet"), &COLUMNS.map(|name| (name, ColumnType::Text)))?;
        let (csv_path, json_path) = (out.join("findings.csv"), out.join("findings.json"));
        let mut csv = csv::Writer::from_writer(AtomicFile::create(&csv_path)?);
        csv.write_record(COLUMNS).map_err(|e| unwritten(&csv_path, &e))?;
        let mut json = BufWriter::new(AtomicFile::create(&json_path)?);
        json.write_all(b"{\n  \"findings\": [").map_err(|e| Problem::storage("E-file-002", &json_path, "write", &e))?;
        Ok(Self { parquet, csv, csv_path, json, json_path, junit: None, begun: false })
    }

    fn write(&mut self, line: &Line, show: bool) -> Result<()> {
        let position = line.position.map_or_else(String::new, |n| n.to_string());
        let row = line.row(&position);
        self.parquet.push(row.map(Cell::Text))?;
        self.csv.write_record(row.map(Option::unwrap_or_default)).map_err(|e| unwritten(&self.csv_path, &e))?;
        if let Some(junit) = &mut self.junit {
            junit.push(&line.case())?;
        }
        let finding = line.finding();
        let text = || serde_json::to_string(&finding).unwrap_or_default();
        let text = if show { revealed(text) } else { text() };
        let between = if std::mem::replace(&mut self.begun, true) { ",\n    " } else { "\n    " };
        let written = self.json.write_all(between.as_bytes()).and_then(|()| self.json.write_all(text.as_bytes()));
        written.map_err(|e| Problem::storage("E-file-002", &self.json_path, "write", &e))
    }

    fn finish(mut self, summary: &FindingsSummary) -> Result<()> {
        self.parquet.finish()?;
        if let Some(junit) = self.junit {
            junit.finish()?;
        }
        let failed = |path: &Path, e: &std::io::Error| Problem::storage("E-file-002", path, "write", e);
        let csv = self.csv.into_inner().map_err(|e| failed(&self.csv_path, e.error()))?;
        csv.commit()?;
        let end = format!("\n  ],\n  \"summary\": {}\n}}\n", serde_json::to_string(summary).unwrap_or_default());
        self.json.write_all(end.as_bytes()).map_err(|e| failed(&self.json_path, &e))?;
        let json = self.json.into_inner().map_err(|e| failed(&self.json_path, e.error()))?;
        json.commit()
    }
}

fn unwritten(path: &Path, error: &csv::Error) -> Box<Problem> {
    Problem::new("E-file-002", Blame::Operator, format!("cannot write: {error}"), "check free space").file(path).exit(Exit::Storage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(n: u32) -> Finding {
        Finding {
            rule: format!("R-addr-{:03}", n % 3).into(),
            severity: if n.is_multiple_of(2) { FindingSeverity::Error } else { FindingSeverity::Warning },
            registry: "x".into(),
            object: ObjectKind::Contact,
            id: format!("C-{}", n.wrapping_mul(7919) % 50).into(),
            field: "loc.name".into(),
            position: (!n.is_multiple_of(5)).then_some(n % 11),
            code_point: None,
            character: None,
            what: format!("a,\"{n}").into(),
            answer: None,
            suggestion: Some("Ada".into()),
            source: "s".into(),
            confidence: Confidence::Guess,
        }
    }

    /// Reads the suites back: what each says of its cases is so, and together they have what was counted.
    fn junit_agrees(text: &str, summary: &FindingsSummary) {
        use quick_xml::events::Event;
        let mut reader = quick_xml::Reader::from_str(text);
        let (mut cases, mut failures) = (BTreeMap::<String, u64>::new(), BTreeMap::<(String, String), u64>::new());
        let (mut said, mut suite, mut class) = (BTreeMap::new(), String::new(), String::new());
        loop {
            let event = reader.read_event().expect("well-formed");
            let (Event::Start(start) | Event::Empty(start)) = &event else {
                if matches!(event, Event::Eof) {
                    break;
                }
                continue;
            };
            let value = |name: &str| {
                let found = start.try_get_attribute(name).expect("attributes").unwrap_or_else(|| panic!("no {name}"));
                found.normalized_value(quick_xml::XmlVersion::Explicit1_0).expect("a value").into_owned()
            };
            let number = |name: &str| value(name).parse::<u64>().expect("a number");
            match start.name().as_ref() {
                "testsuites" => assert_eq!((number("tests"), number("failures")), (302, 300)),
                "testsuite" => {
                    suite = value("name");
                    said.insert(suite.clone(), (number("tests"), number("failures")));
                }
                "testcase" => {
                    class = value("classname");
                    *cases.entry(suite.clone()).or_default() += 1;
                }
                "failure" => {
                    assert_eq!(class, format!("{suite}.contact"));
                    assert!(value("message").starts_with("a,\""), "{}", value("message"));
                    *failures.entry((suite.clone(), value("type"))).or_default() += 1;
                }
                other => panic!("an element {other}"),
            }
        }
        let of = |severity: &str| failures[&("x".to_owned(), severity.to_owned())];
        assert_eq!((of("error"), of("warning")), (summary.errors, summary.warnings));
        assert_eq!(said, BTreeMap::from([("x".to_owned(), (cases["x"], 300)), ("y".to_owned(), (cases["y"], 0))]));
    }

    fn written(spilling: bool, show: bool) -> (Vec<String>, FindingsSummary) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut all = Findings::begin(dir.path(), show, 3).expect("begun").with_junit();
        all.judged("x");
        all.judged("y");
        for n in 0..300 {
            all.absorb(vec![finding(n)], 1).expect("absorbed");
            if spilling && n % 70 == 69 {
                all.spill().expect("spilt");
            }
        }
        let (summary, first) = all.finish().expect("written");
        assert_eq!(first.len(), 3);
        assert!(!dir.path().join(".findings.tmp").exists());
        let read = |name: &str| std::fs::read(dir.path().join(name)).expect("a file");
        let junit = String::from_utf8(read("findings.junit.xml")).expect("text");
        assert!(!junit.contains("Ada"), "no suggestion, shown or not");
        junit_agrees(&junit, &summary);
        let json: serde_json::Value = serde_json::from_slice(&read("findings.json")).expect("JSON");
        assert_eq!(json["findings"].as_array().map(Vec::len), Some(300));
        assert_eq!(json["findings"][0]["suggestion"], if show { "Ada" } else { HIDDEN });
        (vec![String::from_utf8(read("findings.csv")).expect("text"), json.to_string()], summary)
    }

    #[test]
    fn runs_on_disk_merge_to_what_memory_alone_gives_and_suggestions_are_masked() {
        let (tables, summary) = written(false, false);
        assert_eq!(written(true, false), (tables.clone(), summary.clone()));
        assert!(tables.iter().all(|t| !t.contains("Ada")));
        assert!(written(false, true).0.iter().all(|t| t.contains("Ada")));
        assert_eq!((summary.objects, summary.errors, summary.warnings), (300, 150, 150));
        assert_eq!(summary.rules.iter().map(|r| r.findings).sum::<u64>(), 300);
    }
}
