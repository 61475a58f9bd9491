//! The report on consent to what is given to providers: who was asked and what came of it, what orders do meanwhile, and what is amiss.
//! Numbers of orders, handles and ids of subjects stand in it, and nobody's data.

use super::document::{Block, Document, Folder, Making, Mood, Section};
use super::funnel::{Funnel, Step};
use super::sheet::Sheet;
use super::svg::Picture;
use super::table::{Cell, Shape};
use super::tables::{int, text};
use super::verdict::{count, grouped};
use crate::base::Result;
use crate::model::FindingSeverity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Fewer people than this are not told: somebody might know them.
pub const FEW: u64 = 5;

/// A numbered rule, and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentRule {
    /// Its stable number.
    pub id: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// How bad it is.
    pub severity: FindingSeverity,
    /// What it rests on.
    pub source: &'static str,
}

/// Something that is amiss.
#[derive(Clone, Debug)]
pub struct ConsentFinding<'a> {
    /// The rule.
    pub rule: ConsentRule,
    /// What the object is: `contact`, `order`, `message` or `subject`.
    pub object: &'static str,
    /// Its id.
    pub id: &'a str,
    /// The registry, where there is one.
    pub registry: Option<&'a str>,
    /// The provider.
    pub provider: Option<&'a str>,
    /// The group of data.
    pub group: Option<&'a str>,
    /// What is amiss, in words that name nobody.
    pub what: String,
}

/// What an order does.
#[derive(Clone, Debug)]
pub struct ConsentOrder<'a> {
    /// Its place: new ones before decided ones, those that wait before those that do not.
    pub rank: u32,
    /// Its number.
    pub order: &'a str,
    /// Its registry.
    pub registry: &'a str,
    /// What stands behind the first dot of its name.
    pub tld: &'a str,
    /// What was ordered.
    pub kind: &'static str,
    /// When.
    pub at: String,
    /// Through whom.
    pub provider: Option<&'a str>,
    /// How such names are registered.
    pub process: Option<&'static str>,
    /// The group of its data.
    pub group: Option<String>,
    /// How the consent stands.
    pub state: &'static str,
    /// The events that say so.
    pub evidence: String,
    /// What it does meanwhile.
    pub course: &'static str,
    /// Whether somebody is asked, or why not.
    pub asked: &'static str,
    /// The last day on which it waits.
    pub waits_until: Option<String>,
    /// Whose duty it is to inform the registrant: `yours`, `the provider's` or `not known` (MON-12).
    pub duty: &'static str,
    /// The handle, where its data are to be erased, with whether the contact is used otherwise.
    pub erase: Option<(&'a str, bool)>,
}

/// How many people were asked for something, and what they said. Each is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsentFunnel {
    /// Who was asked.
    pub asked: u64,
    /// Who gave it, and it holds.
    pub given: u64,
    /// Who refused.
    pub refused: u64,
    /// Who took it back.
    pub withdrawn: u64,
    /// Whose consent was for a time that is over.
    pub expired: u64,
    /// The median of the hours until the answer; nothing where fewer than [`FEW`] answered.
    pub hours: Option<u64>,
}

impl ConsentFunnel {
    /// Who answered.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.given.saturating_add(self.refused).saturating_add(self.withdrawn).saturating_add(self.expired)
    }

    /// Whether every part of it is of nobody, or of enough people to be told. Where one is not, the others would give it away.
    fn can_be_told(&self) -> bool {
        let parts = [self.given, self.refused, self.withdrawn, self.expired, self.asked.saturating_sub(self.answered())];
        parts.into_iter().all(|n| n == 0 || n >= FEW)
    }

    /// Its figures: asked, answered, given, refused, withdrawn, expired, hours; nothing where one is not told.
    fn figures(&self) -> [Option<u64>; 7] {
        let all = [self.asked, self.answered(), self.given, self.refused, self.withdrawn, self.expired];
        let is_few = self.asked > 0 && self.asked < FEW;
        let [asked, answered, given, refused, withdrawn, expired] = if is_few {
            [None; 6]
        } else if self.can_be_told() {
            all.map(Some)
        } else {
            [Some(self.asked), None, None, None, None, None]
        };
        [asked, answered, given, refused, withdrawn, expired, self.hours.filter(|_| answered.is_some())]
    }
}

/// What `report consent` comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ConsentSummary {
    /// Orders by what they do.
    pub courses: BTreeMap<String, u64>,
    /// Subjects that were asked; nothing where they are fewer than five.
    pub asked: Option<u64>,
    /// Those of them that answered; this and what follows is left out where a part is of fewer than five.
    pub answered: Option<u64>,
    /// That gave their consent.
    pub given: Option<u64>,
    /// That refused it.
    pub refused: Option<u64>,
    /// That took it back.
    pub withdrawn: Option<u64>,
    /// The median of the hours until an answer.
    pub median_hours: Option<u64>,
    /// How many days ago the oldest withdrawal was of which data are still where they were.
    pub oldest_withdrawal_days: Option<i64>,
    /// Orders whose data are to be erased.
    pub erasures: u64,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings by rule.
    pub rules: BTreeMap<String, u64>,
}

/// A report on consent that grows.
#[derive(Debug)]
pub struct ConsentBook<'a> {
    folder: Folder<'a>,
    findings: Option<Sheet>,
    orders: Option<Sheet>,
    erasures: Option<Sheet>,
    rules: BTreeMap<&'static str, (ConsentRule, u64)>,
    summary: ConsentSummary,
}

impl<'a> ConsentBook<'a> {
    /// Begins the report in `dir`.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn begin(dir: &'a Path, making: &'a Making) -> Result<Self> {
        let folder = Folder::open(dir, making)?;
        let (findings, orders) = (Some(folder.sheet(&FINDINGS)?), Some(folder.sheet(&ORDERS)?));
        let erasures = Some(folder.sheet(&ERASURES)?);
        Ok(Self { folder, findings, orders, erasures, rules: BTreeMap::new(), summary: ConsentSummary::default() })
    }

    /// Adds something that is amiss.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn finding(&mut self, found: &ConsentFinding<'_>) -> Result<()> {
        let ConsentRule { id, about, severity, source } = found.rule;
        self.rules.entry(id).or_insert((found.rule, 0)).1 += 1;
        let is_error = severity == FindingSeverity::Error;
        *if is_error { &mut self.summary.errors } else { &mut self.summary.warnings } += 1;
        let row = vec![
            id.into(),
            severity.as_str().into(),
            about.into(),
            found.registry.into(),
            found.object.into(),
            found.id.into(),
            found.provider.into(),
            found.group.into(),
            found.what.as_str().into(),
            source.into(),
        ];
        self.findings.as_mut().map_or(Ok(()), |sheet| sheet.push(u32::from(!is_error), row))
    }

    /// Adds an order.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn order(&mut self, order: &ConsentOrder<'_>) -> Result<()> {
        *self.summary.courses.entry(order.course.to_owned()).or_default() += 1;
        let row = vec![
            order.order.into(),
            order.registry.into(),
            order.tld.into(),
            order.kind.into(),
            order.at.as_str().into(),
            order.provider.into(),
            order.process.into(),
            order.group.clone().into(),
            order.state.into(),
            order.evidence.as_str().into(),
            order.course.into(),
            order.asked.into(),
            order.waits_until.clone().into(),
            order.duty.into(),
        ];
        if let Some(sheet) = &mut self.orders {
            sheet.push(order.rank, row)?;
        }
        let Some((handle, is_used)) = order.erase else { return Ok(()) };
        self.summary.erasures += 1;
        let used = if is_used { "yes: erase what is the order's alone" } else { "no" };
        let row = vec![
            order.order.into(),
            order.registry.into(),
            handle.into(),
            order.waits_until.clone().into(),
            order.state.into(),
            used.into(),
        ];
        self.erasures.as_mut().map_or(Ok(()), |sheet| sheet.push(0, row))
    }

    /// Writes the report: what came of asking, of all, by provider and group, and by country, and the oldest withdrawal that is still
    /// open, in days. What it comes to, and the files.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn finish(
        mut self,
        all: &ConsentFunnel,
        groups: &BTreeMap<(String, String), ConsentFunnel>,
        countries: &BTreeMap<String, ConsentFunnel>,
        oldest: Option<i64>,
        notes: Vec<String>,
    ) -> Result<(ConsentSummary, Vec<PathBuf>)> {
        let [asked, answered, given, refused, withdrawn, _, hours] = all.figures();
        self.summary = ConsentSummary {
            asked,
            answered,
            given,
            refused,
            withdrawn,
            median_hours: hours,
            oldest_withdrawal_days: oldest,
            rules: self.rules.iter().map(|(id, (_, n))| ((*id).to_owned(), *n)).collect(),
            ..std::mem::take(&mut self.summary)
        };
        let cells = |funnel: &ConsentFunnel| funnel.figures().map(Cell::from);
        let by_group = groups.iter().map(|((provider, group), funnel)| {
            [Cell::from(provider.as_str()), group.as_str().into()].into_iter().chain(cells(funnel)).collect()
        });
        let by_group = self.folder.table(&GROUPS, by_group.collect::<Vec<Vec<Cell>>>())?;
        let told = together(countries);
        let by_country = told.iter().map(|(country, funnel)| [Cell::from(country.as_str())].into_iter().chain(cells(funnel)).collect());
        let by_country = self.folder.table(&COUNTRIES, by_country.collect::<Vec<Vec<Cell>>>())?;
        let rules = std::mem::take(&mut self.rules);
        let rules = rules
            .into_values()
            .map(|(rule, n)| vec![rule.id.into(), rule.severity.as_str().into(), rule.about.into(), n.into(), rule.source.into()]);
        let rules = self.folder.table(&RULES, rules)?;
        let mut end = |sheet: Option<Sheet>| sheet.map(|sheet| self.folder.end(sheet)).transpose();
        let (findings, orders, erasures) = (end(self.findings.take())?, end(self.orders.take())?, end(self.erasures.take())?);
        let document = document(&self.summary, all, notes, Tables { by_group, by_country, rules, findings, orders, erasures });
        let files = self.folder.finish(&document)?;
        Ok((self.summary, files))
    }
}

/// Countries of few people as one.
fn together(countries: &BTreeMap<String, ConsentFunnel>) -> Vec<(String, ConsentFunnel)> {
    let (told, few): (Vec<_>, Vec<_>) = countries.iter().partition(|(_, funnel)| funnel.asked >= FEW);
    let mut out: Vec<(String, ConsentFunnel)> = told.into_iter().map(|(country, funnel)| (country.clone(), *funnel)).collect();
    let other = few.iter().fold(ConsentFunnel::default(), |sum, (_, one)| ConsentFunnel {
        asked: sum.asked + one.asked,
        given: sum.given + one.given,
        refused: sum.refused + one.refused,
        withdrawn: sum.withdrawn + one.withdrawn,
        expired: sum.expired + one.expired,
        hours: None,
    });
    out.extend((!few.is_empty()).then(|| ("others".to_owned(), other)));
    out
}

/// The tables of the page.
struct Tables {
    by_group: Block,
    by_country: Block,
    rules: Block,
    findings: Option<Block>,
    orders: Option<Block>,
    erasures: Option<Block>,
}

fn document(summary: &ConsentSummary, all: &ConsentFunnel, notes: Vec<String>, tables: Tables) -> Document {
    let section = |id, heading: &str, blocks: Vec<Block>| Section { id, heading: heading.to_owned(), blocks };
    let note = |text: &str| Block::Note(text.to_owned());
    let figure = |n: Option<u64>| n.map_or_else(|| "fewer than 5 somewhere".to_owned(), grouped);
    let mut asking = vec![note(
        "Each subject is counted once. Where a part is of fewer than five people, only the whole is told, and of a whole that is smaller, \
         nothing.",
    )];
    asking.extend(funnel(all).map(|funnel| Block::Chart(Picture::Funnel(funnel))));
    asking.extend([tables.by_group, tables.by_country]);
    let waiting = summary.courses.get("waits").copied().unwrap_or_default();
    let blocked = summary.courses.get("blocked").copied().unwrap_or_default();
    Document {
        name: "consent",
        title: "report on consent".to_owned(),
        verdict: format!(
            "{} and {}; {} for consent, {} blocked.",
            count(summary.errors, "error", "errors"),
            count(summary.warnings, "warning", "warnings"),
            count(waiting, "order waits", "orders wait"),
            count(blocked, "is", "are"),
        ),
        next: match (summary.errors, summary.warnings) {
            (0, 0) => (Mood::Good, "Nothing is amiss.".to_owned()),
            (0, _) => (Mood::Warn, "Look at the findings: each line says by which rule.".to_owned()),
            _ => (Mood::Bad, "Act on the errors first: data that are given without a basis, and withdrawals that are still open.".to_owned()),
        },
        basis: Vec::new(),
        figures: vec![
            ("Asked".to_owned(), figure(summary.asked)),
            ("Answered".to_owned(), figure(summary.answered)),
            ("Given".to_owned(), figure(summary.given)),
            ("Median hours to an answer".to_owned(), summary.median_hours.map_or_else(|| "not told".to_owned(), grouped)),
            (
                "Oldest open withdrawal".to_owned(),
                summary.oldest_withdrawal_days.map_or_else(|| "none".to_owned(), |days| format!("{days} days")),
            ),
        ],
        sections: vec![
            section(
                "findings",
                "What is amiss",
                notes
                    .into_iter()
                    .map(Block::Note)
                    .chain([note(
                        "Whether a registry shows what consent to publication says stands in `privet report exposure`, by R-exposure-005 and \
                         R-exposure-006.",
                    )])
                    .chain([tables.rules])
                    .chain(tables.findings)
                    .collect(),
            ),
            section("asking", "Who was asked, and what came of it", asking),
            section(
                "orders",
                "Orders",
                vec![note("New ones before decided ones; of each, those that wait before those that do not. Where the provider informs, it is for it to say whose data go where.")]
                    .into_iter()
                    .chain(tables.orders)
                    .collect(),
            ),
            section(
                "erasure",
                "To be erased",
                vec![note("Orders that lapsed for want of consent. `privet subject erase` erases a person whom nothing else needs.")]
                    .into_iter()
                    .chain(tables.erasures)
                    .collect(),
            ),
        ],
        holds: "This page holds numbers of orders, handles and ids of subjects, and no names, addresses or messages.".to_owned(),
        sheets: Vec::new(),
    }
}

/// The picture of what came of asking; nothing where it would give somebody away.
fn funnel(all: &ConsentFunnel) -> Option<Funnel> {
    let [asked, answered, given, _, withdrawn, _, hours] = all.figures();
    let (asked, answered, given, withdrawn) = (asked?, answered?, given?, withdrawn?);
    let step = |label: &str, count: u64, line: String| Step { label: label.to_owned(), count, line };
    let waited = hours.map_or_else(String::new, |hours| format!("half of them within {}", count(hours, "hour", "hours")));
    let told = [asked, answered, given].map(grouped);
    let [a, b, c] = &told;
    (all.asked > 0).then(|| Funnel {
        id: "funnel".to_owned(),
        title: "Subjects that were asked, and what came of it".to_owned(),
        desc: format!(
            "{a} asked, {b} answered, {c} gave their consent, which holds; {} took it back. The tables below have each group and each country.",
            grouped(withdrawn)
        ),
        steps: vec![
            step("asked", asked, String::new()),
            step("answered", answered, waited),
            step("gave their consent, which holds", given, String::new()),
        ],
    })
}

const FINDINGS: Shape = Shape {
    name: "consent-findings",
    title: "What is amiss, errors first",
    heads: &[
        text("rule", "Rule"),
        text("severity", "Severity"),
        text("about", "About"),
        text("registry", "Registry"),
        text("object", "Object"),
        text("id", "Id"),
        text("provider", "Provider"),
        text("group", "Group"),
        text("what", "What"),
        text("source", "By"),
    ],
};

const RULES: Shape = Shape {
    name: "consent-rules",
    title: "Findings by rule",
    heads: &[text("rule", "Rule"), text("severity", "Severity"), text("about", "About"), int("findings", "Findings"), text("source", "By")],
};

const ORDERS: Shape = Shape {
    name: "consent-orders",
    title: "What orders do",
    heads: &[
        text("order", "Order"),
        text("registry", "Registry"),
        text("tld", "TLD"),
        text("kind", "Kind"),
        text("ordered_at", "Ordered"),
        text("provider", "Provider"),
        text("process", "Process"),
        text("group", "Group"),
        text("state", "Consent"),
        text("evidence", "By the events"),
        text("course", "Meanwhile"),
        text("asked", "Asked"),
        text("waits_until", "Waits until the end of"),
        text("duty", "To inform is"),
    ],
};

const ERASURES: Shape = Shape {
    name: "consent-erasure",
    title: "Orders whose data are to be erased",
    heads: &[
        text("order", "Order"),
        text("registry", "Registry"),
        text("handle", "Handle"),
        text("waited_until", "Waited until the end of"),
        text("state", "Consent"),
        text("used", "Used otherwise"),
    ],
};

const GROUPS: Shape = Shape {
    name: "consent-funnel",
    title: "What came of asking, by provider and group of data",
    heads: &[
        text("provider", "Provider"),
        text("group", "Group"),
        int("asked", "Asked"),
        int("answered", "Answered"),
        int("given", "Given"),
        int("refused", "Refused"),
        int("withdrawn", "Withdrawn"),
        int("expired", "Expired"),
        int("median_hours", "Median hours"),
    ],
};

const COUNTRIES: Shape = Shape {
    name: "consent-countries",
    title: "What came of asking, by country",
    heads: &[
        text("country", "Country"),
        int("asked", "Asked"),
        int("answered", "Answered"),
        int("given", "Given"),
        int("refused", "Refused"),
        int("withdrawn", "Withdrawn"),
        int("expired", "Expired"),
        int("median_hours", "Median hours"),
    ],
};

/// Every table of this report that is written to files.
pub(super) const SHAPES: [&Shape; 6] = [&FINDINGS, &RULES, &ORDERS, &ERASURES, &GROUPS, &COUNTRIES];

#[cfg(test)]
mod tests {
    use super::*;

    fn of(asked: u64, given: u64, refused: u64, withdrawn: u64) -> ConsentFunnel {
        ConsentFunnel { asked, given, refused, withdrawn, expired: 0, hours: Some(7) }
    }

    #[test]
    fn fewer_than_five_are_not_told_nor_can_they_be_worked_out() {
        assert_eq!(of(0, 0, 0, 0).figures(), [Some(0), Some(0), Some(0), Some(0), Some(0), Some(0), Some(7)]);
        assert_eq!(of(4, 4, 0, 0).figures(), [None; 7]);
        assert_eq!(of(20, 10, 5, 5).figures(), [Some(20), Some(20), Some(10), Some(5), Some(5), Some(0), Some(7)]);
        // One refusal: with what was asked and given, it could be worked out.
        assert_eq!(of(20, 14, 1, 5).figures(), [Some(20), None, None, None, None, None, None]);
        // Three that have not answered.
        assert_eq!(of(20, 12, 5, 0).figures(), [Some(20), None, None, None, None, None, None]);
        assert!(funnel(&of(20, 14, 1, 5)).is_none() && funnel(&of(20, 10, 5, 5)).is_some() && funnel(&of(0, 0, 0, 0)).is_none());
    }

    #[test]
    fn countries_of_few_people_are_one() {
        let of = |n| ConsentFunnel { asked: n, given: n, ..ConsentFunnel::default() };
        let all = BTreeMap::from([("DE".to_owned(), of(9)), ("FR".to_owned(), of(4)), ("IT".to_owned(), of(3))]);
        assert_eq!(together(&all), [("DE".to_owned(), of(9)), ("others".to_owned(), of(7))]);
    }
}
