//! The sheets of oversight: accuracy, withholding, the lines, the use of data, and what asks for an impact assessment. They hold handles
//! and numbers, and nothing of a person.

mod rows;
mod shapes;

use super::document::{Block, Document, Folder, Making, Mood, Section};
use super::sheet::Sheet;
use super::table::Cell;
use super::verdict::{count, masked};
use crate::base::Result;
use crate::compliance::oversight::{Accuracy, Criterion, Met, OversightPack, ScoreRule};
use crate::model::FindingSeverity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rows::AccuracySummary;
pub use rows::{AmissRow, AtRiskRow, LineRow, NoticeRow, OversightSummary, UseRow, WithheldRow};
pub(super) use shapes::SHAPES;
use shapes::{ACCURACY, AMISS, AT_RISK, CRITERIA, FINDINGS, LINES, NOTICES, SCORES, SEVERITIES, USED, WITHHELD};

/// The sheets under way.
pub struct OversightBook<'a> {
    folder: Folder<'a>,
    pack: &'a OversightPack,
    /// Counts of people below this are not told.
    small: u64,
    amiss: Sheet,
    at_risk: Sheet,
    withheld: Sheet,
    notices: Sheet,
    lines: Sheet,
    used: Sheet,
    summary: OversightSummary,
}

impl std::fmt::Debug for OversightBook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OversightBook")
    }
}

impl<'a> OversightBook<'a> {
    /// Begins the sheets in `dir`. Of what is withheld and why, counts of people below `small` are not told.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn begin(dir: &'a Path, making: &'a Making, pack: &'a OversightPack, small: u64) -> Result<Self> {
        let folder = Folder::open(dir, making)?;
        let (amiss, withheld, notices) = (folder.sheet(&AMISS)?, folder.sheet(&WITHHELD)?, folder.sheet(&NOTICES)?);
        let (lines, used, at_risk) = (folder.sheet(&LINES)?, folder.sheet(&USED)?, folder.sheet(&AT_RISK)?);
        Ok(Self { folder, pack, small, amiss, at_risk, withheld, notices, lines, used, summary: OversightSummary::default() })
    }

    fn find(&mut self, rule: &str) {
        *self.summary.findings.entry(rule.to_owned()).or_default() += 1;
    }

    /// Tells how right a registry's data are.
    pub fn accuracy(&mut self, registry: &str, sum: &Accuracy) {
        let Accuracy { registrants, complete, valid, verified, refuted, undeliverable, current, .. } = *sum;
        let registry = registry.to_owned();
        self.summary.accuracy.push(AccuracySummary {
            registry,
            registrants,
            complete,
            valid,
            verified,
            refuted,
            undeliverable,
            current,
            score: sum.score(),
        });
    }

    /// Tells of a registrant's data that are not right.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn amiss(&mut self, row: &AmissRow<'_>) -> Result<()> {
        self.find(row.rule);
        let rank = u32::from(row.rule != "R-accuracy-003");
        self.amiss.push(rank, vec![row.registry.into(), row.handle.into(), row.rule.into(), row.what.into(), row.verification.into()])
    }

    /// Tells of a registrant who may lose names. What is amiss is told by [`Self::amiss`].
    ///
    /// # Errors
    /// As the writer of files.
    pub fn at_risk(&mut self, row: &AtRiskRow<'_>) -> Result<()> {
        self.summary.at_risk += 1;
        let cells = vec![
            row.registry.into(),
            row.handle.into(),
            row.rule.into(),
            row.what.into(),
            row.names.into(),
            Cell::from(row.changed_days),
            row.source.into(),
            row.confidence.as_str().into(),
        ];
        self.at_risk.push(u32::from(row.rule != "R-accuracy-003"), cells)
    }

    /// Tells how much is withheld.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn withheld(&mut self, row: WithheldRow<'_>) -> Result<()> {
        if let Some((rule, _)) = row.amiss {
            self.find(rule);
        }
        let (rule, why) = row.amiss.unzip();
        let cells = vec![
            row.registry.into(),
            row.means.into(),
            row.whom.into(),
            masked(row.count, self.small).into(),
            Cell::from(rule),
            Cell::from(why),
        ];
        self.withheld.push(u32::from(rule.is_none()), cells)
    }

    /// Tells how many registrants were shown a notice.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn notices(&mut self, row: &NoticeRow<'_>) -> Result<()> {
        let rule = (row.bare() > 0).then_some("R-oversight-004");
        if let Some(rule) = rule {
            self.find(rule);
        }
        let counts = [row.registrants, row.shown, row.outdated, row.bare()].map(Cell::from);
        let cells = std::iter::once(Cell::from(row.registry)).chain(counts).chain([Cell::from(rule)]).collect();
        self.notices.push(u32::from(rule.is_none()), cells)
    }

    /// Tells how a line is secured.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn line(&mut self, row: &LineRow<'_>) -> Result<()> {
        for (rule, _) in &row.amiss {
            self.find(rule);
        }
        let days = |days: Option<i32>| Cell::from(days.map(i64::from));
        let rules: Vec<&str> = row.amiss.iter().map(|(rule, _)| *rule).collect();
        let why: Vec<&str> = row.amiss.iter().map(|(_, why)| &**why).collect();
        let joined = |all: Vec<&str>, by: &str| Some(all.join(by)).filter(|text| !text.is_empty());
        let cells = vec![
            row.registry.into(),
            row.version.into(),
            row.cipher.into(),
            days(row.registry_days),
            days(row.own_days),
            days(row.password_days),
            joined(rules, " ").into(),
            joined(why, "; ").into(),
        ];
        self.lines.push(u32::from(row.amiss.is_empty()), cells)
    }

    /// Tells which data a product uses.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn used(&mut self, row: &UseRow<'_>) -> Result<()> {
        if row.basis == "none" {
            self.find("R-oversight-002");
        }
        let cells = vec![row.registry.into(), row.zone.into(), row.product.into(), row.element.into(), row.basis.into(), row.held.into()];
        self.used.push(u32::from(row.basis != "none"), cells)
    }

    /// Ends the sheets with the `criteria` of an impact assessment: whether one is to be made, what was decided, and who looked at it; and
    /// with what is amiss in the `registers`, by rule. What it came to, and the files.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn finish(
        mut self,
        criteria: &[Criterion],
        (is_needed, decision, reviewer): (bool, Option<&str>, Option<&str>),
        registers: &BTreeMap<String, u64>,
    ) -> Result<(OversightSummary, Vec<PathBuf>)> {
        let is_undecided = is_needed && decision.is_none();
        if is_undecided {
            self.find("R-oversight-003");
        }
        for (rule, n) in registers {
            *self.summary.findings.entry(rule.clone()).or_default() += n;
        }
        self.summary.criteria_met = criteria.iter().filter(|one| one.met == Met::Yes).count() as u64;
        (self.summary.assessment_needed, self.summary.assessment) = (is_needed, decision.map(ToOwned::to_owned));
        let Self { mut folder, pack, amiss, at_risk, withheld, notices, lines, used, mut summary, .. } = self;
        let accuracy = folder.table(&ACCURACY, summary.accuracy.iter().map(accuracy_cells))?;
        let (amiss, withheld, notices) = (folder.end(amiss)?, folder.end(withheld)?, folder.end(notices)?);
        let (lines, used, at_risk) = (folder.end(lines)?, folder.end(used)?, folder.end(at_risk)?);
        let criterion = |one: &Criterion| -> Vec<Cell> {
            vec![(&*one.id).into(), (&*one.what).into(), one.met.as_str().into(), one.status.into(), one.evidence.as_str().into()]
        };
        let criteria_table = folder.table(&CRITERIA, criteria.iter().map(criterion))?;
        let mut by_severity: BTreeMap<FindingSeverity, (u64, u64)> = BTreeMap::new();
        for (rule, n) in &summary.findings {
            let (rules, things) = by_severity.entry(pack.severity(rule)).or_default();
            *rules += 1;
            *things += n;
        }
        let of = |severity| by_severity.get(&severity).copied().unwrap_or_default();
        (summary.errors, summary.warnings) = (of(FindingSeverity::Error).1, of(FindingSeverity::Warning).1);
        let totals = [FindingSeverity::Error, FindingSeverity::Warning]
            .map(|severity| vec![severity.as_str().into(), of(severity).0.into(), of(severity).1.into()]);
        let totals = folder.table(&SEVERITIES, totals)?;
        let mut told: Vec<(FindingSeverity, &String, u64)> =
            summary.findings.iter().map(|(rule, n)| (pack.severity(rule), rule, *n)).collect();
        told.sort_unstable();
        let finding = |(severity, rule, n): (FindingSeverity, &String, u64)| vec![rule.as_str().into(), severity.as_str().into(), n.into()];
        let findings = folder.table(&FINDINGS, told.into_iter().map(finding))?;
        let scores = folder.table(&SCORES, pack.scores.iter().map(score_cells))?;
        let total = summary.errors + summary.warnings;
        let decided = decision.map_or_else(
            || "Nobody decided on it: privet.toml, `oversight.assessment`.".to_owned(),
            |decision| format!("Decided: {decision}, by {}.", reviewer.unwrap_or("nobody who is named")),
        );
        let needed = if is_needed { "An assessment is to be made (GDPR Art. 35)." } else { "Nothing asks for an assessment so far." };
        let section = |id, heading: &str, note: String, blocks: Vec<Block>| Section {
            id,
            heading: heading.to_owned(),
            blocks: std::iter::once(Block::Note(note)).chain(blocks).collect(),
        };
        let days = pack.accuracy.confirmed_days;
        let document = Document {
            name: "oversight",
            title: "report on oversight".to_owned(),
            verdict: format!(
                "{} amiss by {}, {} of them; {} of {} criteria of an impact assessment are met.",
                count(total, "thing is", "things are"),
                count(summary.findings.len() as u64, "rule", "rules"),
                count(summary.errors, "error", "errors"),
                summary.criteria_met,
                criteria.len()
            ),
            next: match (summary.errors > 0, total) {
                (true, _) => (Mood::Bad, "See to the errors first.".to_owned()),
                (false, 0) => (Mood::Good, "Nothing is amiss.".to_owned()),
                (false, _) => (Mood::Warn, "Each line says what is amiss, and by which rule.".to_owned()),
            },
            basis: vec![("Pack".to_owned(), format!("oversight of {}", pack.dated))],
            figures: summary.accuracy.iter().filter_map(|one| Some((format!("Accurate, {}", one.registry), format!("{} %", one.score?)))).collect(),
            sections: vec![
                section(
                    "findings",
                    "Open findings by severity",
                    "Of these sheets, and of the registers.".to_owned(),
                    vec![totals, findings],
                ),
                section(
                    "accuracy",
                    "Accuracy",
                    format!(
                        "A registrant's data are accurate where the minimum is whole, the registry would take them, no verification failed, \
                         and they were confirmed or changed within {days} days ({}).",
                        pack.accuracy.citation
                    ),
                    vec![accuracy, amiss],
                ),
                section(
                    "at-risk",
                    "At risk of losing names",
                    "Registrants whose verification failed or to whom mail came back, where a registration may be ended for that.".to_owned(),
                    vec![at_risk],
                ),
                section("withholding", "Withholding", "What is withheld, by which means, and of whom.".to_owned(), vec![withheld]),
                section(
                    "notices",
                    "Notices",
                    "Who was shown what is done with their data, by the register of notices (GDPR Art. 13 and 14).".to_owned(),
                    vec![notices],
                ),
                section(
                    "security",
                    "Security of the lines",
                    format!("As the newest run observed them ({}). Nothing tells the age of a password that stands in no file.", pack.security.citation),
                    vec![lines],
                ),
                section(
                    "use",
                    "Data use by product",
                    "Which data of registrants a registry holds for what was sold: on the contract where the registry or a purpose needs them, \
                     on nothing where neither does."
                        .to_owned(),
                    vec![used],
                ),
                section(
                    "scores",
                    "What is scored",
                    "What judges people, of whom, by what, and what comes of it. How good the suspicions are stands in README.".to_owned(),
                    vec![scores],
                ),
                section("assessment", "Impact assessment", format!("{needed} {decided} ({})", pack.dpia.citation), vec![criteria_table]),
            ],
            holds: "This page holds handles of contacts, and no other personal data.".to_owned(),
            sheets: Vec::new(),
        };
        let files = folder.finish(&document)?;
        Ok((summary, files))
    }
}

fn accuracy_cells(one: &AccuracySummary) -> Vec<Cell> {
    let counts = [one.registrants, one.complete, one.valid, one.verified, one.refuted, one.undeliverable, one.current].map(Cell::from);
    std::iter::once(Cell::from(one.registry.as_str())).chain(counts).chain([Cell::from(one.score)]).collect()
}

fn score_cells(one: &ScoreRule) -> Vec<Cell> {
    let rules = Some(one.rules.join(" ")).filter(|rules| !rules.is_empty());
    vec![(&*one.name).into(), (&*one.whom).into(), one.inputs.join("; ").into(), rules.into(), one.effect.as_str().into()]
}
