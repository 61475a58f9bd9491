//! Findings as the XML of `JUnit`, which build servers read: a suite for each registry, a case for each finding.

use super::output::RuleCount;
use crate::base::{AtomicFile, Blame, Exit, Problem, Result, escape_controls};
use crate::model::FindingSeverity;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// The most findings that are cases, errors before warnings: a build server holds all of them in memory and shows a page of them.
pub(super) const CASES: u64 = 10_000;

/// A finding as a case has it.
pub(super) struct Case<'a> {
    pub(super) registry: &'a str,
    /// What the object is, and its id.
    pub(super) object: (&'a str, &'a str),
    pub(super) field: &'a str,
    /// The character at fault, from 1.
    pub(super) position: Option<u32>,
    pub(super) rule: &'a str,
    pub(super) severity: FindingSeverity,
    pub(super) what: &'a str,
    /// What the registry would answer.
    pub(super) answer: Option<&'a str>,
    pub(super) source: &'a str,
}

/// A suite's findings.
#[derive(Debug, Default)]
struct Suite {
    errors: Room,
    warnings: Room,
}

/// The findings of one severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Room {
    /// Those that become cases.
    cases: u64,
    /// Those that do not.
    rest: u64,
}

/// Writes cases, which come sorted by registry. Suggestions are no part of them, so that there is nothing personal in the file.
pub(super) struct Junit {
    out: Writer<BufWriter<AtomicFile>>,
    path: PathBuf,
    /// The suites that are still to be begun.
    to_come: BTreeMap<String, Suite>,
    /// The suite that is open, by its name.
    open: Option<(String, Suite)>,
}

impl Junit {
    /// Begins the file. `judged` names the registries whose objects were judged, whether or not something was found; `rules` counts what
    /// was.
    ///
    /// # Errors
    /// As [`AtomicFile`].
    pub(super) fn create(path: &Path, judged: &BTreeSet<Box<str>>, rules: &[RuleCount]) -> Result<Self> {
        let to_come = suites(judged, rules);
        let out = Writer::new_with_indent(BufWriter::with_capacity(1 << 18, AtomicFile::create(path)?), b' ', 1);
        let mut junit = Self { out, path: path.to_owned(), to_come, open: None };
        let cases: u64 = junit.to_come.values().map(Suite::tests).sum();
        let failures: u64 = junit.to_come.values().map(Suite::failures).sum();
        let (cases, failures) = (cases.to_string(), failures.to_string());
        let attributes = [("name", "privet"), ("tests", cases.as_str()), ("failures", failures.as_str()), ("errors", "0")];
        junit.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        junit.write(Event::Start(BytesStart::new("testsuites").with_attributes(attributes)))?;
        Ok(junit)
    }

    /// Writes a case, where there is room for it.
    ///
    /// # Errors
    /// `E-file-002` where it cannot be written.
    pub(super) fn push(&mut self, case: &Case<'_>) -> Result<()> {
        if self.open.as_ref().is_none_or(|(name, _)| name != case.registry) {
            self.begin_until(Some(case.registry))?;
        }
        let Some((_, suite)) = &mut self.open else { return Ok(()) };
        let left = match case.severity {
            FindingSeverity::Error => &mut suite.errors.cases,
            FindingSeverity::Warning => &mut suite.warnings.cases,
        };
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        let (kind, id) = case.object;
        let at = case.position.map_or_else(String::new, |n| format!(" at {n}"));
        let name = legal(&format!("{} {id} {}{at}", case.rule, case.field));
        let class = legal(&format!("{}.{kind}", named(case.registry)));
        let message = legal(case.what);
        let answer = case.answer.map_or_else(String::new, |code| format!("\nThe registry would answer {code}."));
        let text = legal_lines(&format!("{}: {}{answer}\nSource: {}", case.rule, case.what, case.source));
        let failure = BytesStart::new("failure").with_attributes([("type", case.severity.as_str()), ("message", message.as_str())]);
        self.write(Event::Start(BytesStart::new("testcase").with_attributes([("name", name.as_str()), ("classname", class.as_str())])))?;
        self.write(Event::Start(failure))?;
        self.write(Event::Text(BytesText::new(&text)))?;
        self.write(Event::End(BytesEnd::new("failure")))?;
        self.write(Event::End(BytesEnd::new("testcase")))
    }

    /// Ends the file and puts it in place.
    ///
    /// # Errors
    /// As [`AtomicFile`].
    pub(super) fn finish(mut self) -> Result<()> {
        self.begin_until(None)?;
        self.write(Event::End(BytesEnd::new("testsuites")))?;
        let unwritten = |path: &Path, e: &std::io::Error| Problem::storage("E-file-002", path, "write", e);
        let file = self.out.into_inner().into_inner().map_err(|e| unwritten(&self.path, e.error()))?;
        file.commit()
    }

    /// Ends the open suite, and begins those that come before `registry` and that one itself; all, where none is named.
    fn begin_until(&mut self, registry: Option<&str>) -> Result<()> {
        if self.open.take().is_some() {
            self.write(Event::End(BytesEnd::new("testsuite")))?;
        }
        while let Some((name, suite)) = self.to_come.pop_first() {
            self.begin(&name, &suite)?;
            if registry == Some(name.as_str()) {
                self.open = Some((name, suite));
                break;
            }
            self.write(Event::End(BytesEnd::new("testsuite")))?;
        }
        Ok(())
    }

    /// Begins a suite. Its first case says that the registry's objects were judged, so that a suite without findings has one that passed.
    fn begin(&mut self, registry: &str, suite: &Suite) -> Result<()> {
        let name = legal(named(registry));
        let (tests, failures) = (suite.tests().to_string(), suite.failures().to_string());
        let counts = [("name", name.as_str()), ("tests", &tests), ("failures", &failures), ("errors", "0"), ("skipped", "0")];
        self.write(Event::Start(BytesStart::new("testsuite").with_attributes(counts)))?;
        let judged = [("name", "judged by the rules of its profile"), ("classname", name.as_str())];
        let more = suite.errors.rest + suite.warnings.rest;
        if more == 0 {
            return self.write(Event::Empty(BytesStart::new("testcase").with_attributes(judged)));
        }
        let text = format!("{} errors and {} warnings more stand in findings.csv", suite.errors.rest, suite.warnings.rest);
        self.write(Event::Start(BytesStart::new("testcase").with_attributes(judged)))?;
        self.write(Event::Start(BytesStart::new("system-out")))?;
        self.write(Event::Text(BytesText::new(&text)))?;
        self.write(Event::End(BytesEnd::new("system-out")))?;
        self.write(Event::End(BytesEnd::new("testcase")))
    }

    fn write(&mut self, event: Event<'_>) -> Result<()> {
        self.out.write_event(event).map_err(|e| {
            let what = format!("cannot write: {e}");
            Problem::new("E-file-002", Blame::Operator, what, "check free space").file(&self.path).exit(Exit::Storage)
        })
    }
}

impl Suite {
    const fn failures(&self) -> u64 {
        self.errors.cases + self.warnings.cases
    }

    /// The findings, and the case that says what was judged.
    const fn tests(&self) -> u64 {
        self.failures() + 1
    }
}

/// The suites by registry, with the room that each has: errors first, registry by registry, then warnings.
fn suites(judged: &BTreeSet<Box<str>>, rules: &[RuleCount]) -> BTreeMap<String, Suite> {
    let mut all: BTreeMap<String, Suite> = judged.iter().map(|name| (name.to_string(), Suite::default())).collect();
    for count in rules {
        let suite = all.entry(count.registry.clone()).or_default();
        let slot = match count.severity {
            FindingSeverity::Error => &mut suite.errors.rest,
            FindingSeverity::Warning => &mut suite.warnings.rest,
        };
        *slot += count.findings;
    }
    let mut room = CASES;
    let mut give = |of: &mut Room| {
        of.cases = room.min(of.rest);
        of.rest -= of.cases;
        room -= of.cases;
    };
    for suite in all.values_mut() {
        give(&mut suite.errors);
    }
    for suite in all.values_mut() {
        give(&mut suite.warnings);
    }
    all
}

/// What a registry is called where nobody knows which it is.
fn named(registry: &str) -> &str {
    if registry.is_empty() { "unknown" } else { registry }
}

/// `text` without what XML 1.0 cannot carry, and without line breaks, which an attribute does not keep.
fn legal(text: &str) -> String {
    escape_controls(text).replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}

/// As [`legal`], line by line.
fn legal_lines(text: &str) -> String {
    text.lines().map(legal).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(registry: &str, severity: FindingSeverity, findings: u64) -> RuleCount {
        RuleCount { registry: registry.to_owned(), rule: "R-addr-001".to_owned(), severity, findings, objects: findings }
    }

    #[test]
    fn errors_have_room_before_warnings_whichever_registry_comes_first() {
        let judged = BTreeSet::from(["a".into(), "b".into(), "c".into()]);
        let rules = [
            count("a", FindingSeverity::Warning, CASES),
            count("b", FindingSeverity::Error, CASES - 3),
            count("b", FindingSeverity::Warning, 5),
        ];
        let all = suites(&judged, &rules);
        let room = |cases, rest| Room { cases, rest };
        assert_eq!((all["a"].warnings, all["b"].errors, all["b"].warnings), (room(3, CASES - 3), room(CASES - 3, 0), room(0, 5)));
        assert_eq!((all["c"].tests(), all["c"].failures()), (1, 0));
    }

    #[test]
    fn what_xml_cannot_carry_is_escaped() {
        assert_eq!(legal("a\u{0}b\nc\u{FFFF}"), "a\\u{0}b\\u{a}c\u{FFFD}");
        assert_eq!(legal_lines("a\u{1b}\nb"), "a\\u{1b}\nb");
    }
}
