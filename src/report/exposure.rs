//! The report on exposure: what of registrants the public sees, by whom it was decided, and where that is not what was promised. It holds
//! handles and names of domains, and no value of anybody's.

use super::document::{Block, Document, Folder, Making, Mood, Section};
use super::heat::{Heat, HeatRow};
use super::sheet::Sheet;
use super::svg::{Bar, Bars, Picture};
use super::table::{Cell, Shape};
use super::tables::{int, text};
use super::verdict::{count, grouped, masked};
use crate::base::Result;
use crate::compliance::exposure::{Exposure, Seen};
use crate::model::{Element, FindingSeverity};
use crate::policy::{DomainRole, SpecialKind};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The tables, as files and schemas.
pub(super) const SHAPES: [&Shape; 8] = [&EXPOSURE, &SUMMARY, &HEAT, &FINDINGS, &CANDIDATES, &MINIMISATION, &SPECIAL, &REGISTRIES];

/// Each role of each domain, element by element.
const EXPOSURE: Shape = Shape {
    name: "exposure",
    title: "Each role of each domain",
    heads: &[
        text("domain", "Domain"),
        text("tld", "Zone"),
        text("registry", "Registry"),
        text("stage", "When"),
        text("role", "Role"),
        text("handles", "Contacts"),
        text("name", "Name"),
        text("organisation", "Organisation"),
        text("street", "Street"),
        text("city", "City"),
        text("state", "State"),
        text("postal-code", "Postal code"),
        text("country", "Country"),
        text("voice", "Telephone"),
        text("fax", "Facsimile"),
        text("email", "E-mail"),
    ],
};

/// The same, counted.
const SUMMARY: Shape = Shape {
    name: "exposure-summary",
    title: "How often an element of a role is seen by whom",
    heads: &[
        text("tld", "Zone"),
        text("registry", "Registry"),
        text("stage", "When"),
        text("role", "Role"),
        text("element", "Element"),
        text("state", "Seen by"),
        int("count", "Roles"),
    ],
};

/// The figures of the heat map.
const HEAT: Shape = Shape {
    name: "exposure-heat",
    title: "Zones and elements, counted over all roles",
    heads: &[
        text("tld", "Zone"),
        text("element", "Element"),
        text("stage", "When"),
        int("withheld", "Kept back"),
        int("gated", "On request"),
        int("by_rule", "Public by rule"),
        int("opted_in", "Public by own word"),
        int("leak", "Leak"),
        int("unknown", "Not known"),
    ],
};

/// Findings by rule.
const FINDINGS: Shape = Shape {
    name: "exposure-findings",
    title: "Findings by rule; each stands in findings.csv",
    heads: &[
        text("rule", "Rule"),
        text("registry", "Registry"),
        text("severity", "Severity"),
        text("what", "What it is about"),
        int("findings", "Findings"),
        int("objects", "Objects"),
    ],
};

/// Contacts that a heuristic suspects.
const CANDIDATES: Shape = Shape {
    name: "exposure-candidates",
    title: "Contacts for somebody to look at: a heuristic suspects them",
    heads: &[
        text("handle", "Contact"),
        text("registry", "Registry"),
        text("rule", "Rule"),
        text("field", "Field"),
        text("offered", "Offered another address on"),
    ],
};

/// What is held without need.
const MINIMISATION: Shape = Shape {
    name: "exposure-minimisation",
    title: "Elements that contacts hold, and how many need not",
    heads: &[
        text("element", "Element"),
        text("registry", "Registry"),
        text("roles", "Roles of the contacts"),
        int("held", "Held"),
        int("needless", "Without need"),
    ],
};

/// Specially protected data.
const SPECIAL: Shape = Shape {
    name: "exposure-special",
    title: "Contacts that hold, or seem to hold, specially protected data",
    heads: &[text("kind", "Article"), text("registry", "Registry"), text("found_in", "Found in"), text("contacts", "Contacts")],
};

/// What was looked at.
const REGISTRIES: Shape = Shape {
    name: "exposure-registries",
    title: "What was looked at",
    heads: &[
        text("registry", "Registry"),
        int("domains", "Domains"),
        int("contacts", "Contacts"),
        int("answers", "RDAP answers"),
        text("publication", "Who decides"),
    ],
};

/// When an exposure holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// As the registry holds it.
    Now,
    /// Once the plan is applied.
    Planned,
}

impl Stage {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Planned => "planned",
        }
    }
}

/// How many elements of roles of domains are seen so.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ExposureCount {
    /// Now, or once the plan is applied.
    pub stage: Stage,
    /// The state.
    pub seen: Seen,
    /// How many.
    pub elements: u64,
}

/// What was looked at of a registry.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RegistryExposure {
    /// The registry.
    pub registry: String,
    /// Its contacts.
    pub contacts: u64,
    /// The domains that it holds for us.
    pub domains: u64,
    /// Those of them about which there is an RDAP answer.
    pub answers: u64,
    /// What decides there how much is public, as its profile has it.
    pub publication: String,
}

/// How often a rule was broken at a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleLine {
    /// The rule.
    pub rule: String,
    /// The registry.
    pub registry: String,
    /// Whether that is an error or a warning.
    pub severity: FindingSeverity,
    /// What the rule is about.
    pub what: &'static str,
    /// How often.
    pub findings: u64,
    /// In how many objects.
    pub objects: u64,
}

/// What stands where in a role: now or planned, the registry, the domain, the role and its handles.
#[derive(Clone, Copy, Debug)]
pub struct RoleOf<'a> {
    /// Now, or once the plan is applied.
    pub stage: Stage,
    /// The registry.
    pub registry: &'a str,
    /// The domain.
    pub domain: &'a str,
    /// The role.
    pub role: DomainRole,
    /// The contacts in it, joined by `;`.
    pub handles: &'a str,
}

/// A zone and an element, and when.
type Place = (Box<str>, Element, Stage);

/// A zone, a registry, when, a role, an element, and who sees it.
type Counted = (Box<str>, Box<str>, Stage, DomainRole, Element, Seen);

/// The report while its tables grow: memory holds the counts, and the rows for the page.
#[derive(Debug)]
pub struct ExposureBook<'a> {
    folder: Folder<'a>,
    roles: Sheet,
    candidates: Sheet,
    needless: Sheet,
    special: Sheet,
    counts: BTreeMap<Counted, u64>,
    /// Counts of people below this are not told of what is specially protected.
    small: u64,
}

impl<'a> ExposureBook<'a> {
    /// Begins the report in `dir`. Of specially protected data, counts of people below `small` are not told.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn begin(dir: &'a std::path::Path, making: &'a Making, small: u64) -> Result<Self> {
        let folder = Folder::open(dir, making)?;
        let (roles, candidates) = (folder.sheet(&EXPOSURE)?, folder.sheet(&CANDIDATES)?);
        let (needless, special) = (folder.sheet(&MINIMISATION)?, folder.sheet(&SPECIAL)?);
        Ok(Self { folder, roles, candidates, needless, special, counts: BTreeMap::new(), small })
    }

    /// Counts of people below this are not told of what is specially protected.
    #[must_use]
    pub const fn small(&self) -> u64 {
        self.small
    }

    /// Adds a role of a domain.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn role(&mut self, of: RoleOf<'_>, exposure: &Exposure) -> Result<()> {
        let RoleOf { stage, registry, domain, role, handles } = of;
        let tld = domain.split_once('.').map_or("", |(_, zone)| zone);
        let head = [domain, tld, registry, stage.as_str(), role.as_str(), handles];
        let cells = head.into_iter().chain(exposure.iter().map(|(_, seen)| seen.as_str())).map(Cell::from);
        // What leaks now is read first, then what would leak still, then what is public.
        let has = |wanted: Seen| exposure.iter().any(|(_, seen)| seen == wanted);
        let rank = match (has(Seen::Leak), stage) {
            (true, Stage::Now) => 0,
            (true, Stage::Planned) => 1,
            (false, _) if has(Seen::OptedIn) => 2,
            (false, _) => 3,
        };
        self.roles.push(rank, cells.collect())?;
        for (element, seen) in exposure.iter().filter(|(_, seen)| *seen != Seen::Absent) {
            *self.counts.entry((tld.into(), registry.into(), stage, role, element, seen)).or_default() += 1;
        }
        Ok(())
    }

    /// Adds a contact that a heuristic suspects; `offered`: the day on which its person was last offered an address that does not say who
    /// it is.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn candidate(&mut self, registry: &str, handle: &str, rule: &str, field: &str, offered: Option<Date>) -> Result<()> {
        let words = [handle, registry, rule, field].map(Cell::from);
        self.candidates.push(0, words.into_iter().chain([offered.map(|day| day.to_string()).unwrap_or_default().into()]).collect())
    }

    /// Adds how many contacts hold an element, and how many of them without need.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn needless(&mut self, registry: &str, roles: &str, element: Element, (held, needless): (u64, u64)) -> Result<()> {
        let words = [element.as_str(), registry, roles].map(Cell::from);
        self.needless.push(u32::from(needless == 0), words.into_iter().chain([held.into(), needless.into()]).collect())
    }

    /// Adds how many contacts hold specially protected data of a kind.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn special(&mut self, registry: &str, kind: SpecialKind, found_in: &str, contacts: u64) -> Result<()> {
        let words = [kind.as_str(), registry, found_in].map(Cell::from);
        self.special.push(0, words.into_iter().chain([masked(contacts, self.small).into()]).collect())
    }

    /// Puts the tables and the page in place; how many elements stand how, and the files.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn finish(self, registries: &[RegistryExposure], rules: &[RuleLine]) -> Result<(Vec<ExposureCount>, Vec<PathBuf>)> {
        let Self { mut folder, roles, candidates, needless, special, counts, .. } = self;
        let mut totals: BTreeMap<(Stage, Seen), u64> = BTreeMap::new();
        let mut heat: BTreeMap<Place, [u64; 6]> = BTreeMap::new();
        for ((tld, _, stage, _, element, seen), count) in &counts {
            *totals.entry((*stage, *seen)).or_default() += count;
            if let Some(slot) = heat.entry((tld.clone(), *element, *stage)).or_default().get_mut(group(*seen)) {
                *slot += count;
            }
        }
        let totals: Vec<ExposureCount> =
            totals.into_iter().map(|((stage, seen), elements)| ExposureCount { stage, seen, elements }).collect();
        let looked = folder.table(&REGISTRIES, registries.iter().map(looked_at))?;
        let heated = folder.table(&HEAT, heat.iter().map(heat_row))?;
        let summary = folder.table(&SUMMARY, counts.iter().map(count_row))?;
        let mut broken: Vec<&RuleLine> = rules.iter().collect();
        broken.sort_by_key(|line| (line.severity, line.rule.clone(), line.registry.clone()));
        let found = folder.table(&FINDINGS, broken.into_iter().map(rule_row))?;
        let (roles, candidates) = (folder.end(roles)?, folder.end(candidates)?);
        let (needless, special) = (folder.end(needless)?, folder.end(special)?);
        let charts = charts(&heat);
        let note = |text: &str| Block::Note(text.to_owned());
        let section = |id, heading: &str, blocks| Section { id, heading: heading.to_owned(), blocks };
        let mut elements = vec![note(SEEN)];
        elements.extend(maps(&heat).into_iter().map(|map| Block::Chart(Picture::Heat(map))));
        elements.extend(charts.into_iter().map(|bars| Block::Chart(Picture::Bars(bars))));
        elements.extend([heated, summary]);
        let sections = vec![
            section("findings", "What somebody should act on", vec![found]),
            section("elements", "What the public sees, by zone and element", elements),
            section("roles", "Domains and roles", vec![note("Roles that leak stand first."), roles]),
            section("minimisation", "What is held without need", vec![needless]),
            section("special", "Specially protected data", vec![note(HEURISTIC), special, candidates]),
            section("registries", "What was looked at", vec![looked]),
        ];
        let document = document(registries, rules, &totals, sections);
        Ok((totals, folder.finish(&document)?))
    }
}

/// What the states mean.
const SEEN: &str = "`public` and `opted-in` are seen by everybody, by the registry's rule or by the contact's own word; `gated` by whoever \
                    shows a legitimate interest; `withheld` and `opted-out` by nobody, for the same two reasons; behind `masked-v1` and \
                    `masked-v2` the provider's data are seen; a `placeholder` says only that something is withheld; a `leak` is shown \
                    though a service hides it; of what is `unknown` no rule was read. Each rule has its source in the registry's profile.";

/// What heuristics are worth.
const HEURISTIC: &str = "What is found in `text`, and every candidate, is suspected by a heuristic and known to nobody: have a look before \
                         you act. Properties are named by the registry's profile.";

/// The document around the sections.
fn document(registries: &[RegistryExposure], rules: &[RuleLine], totals: &[ExposureCount], sections: Vec<Section>) -> Document {
    let of = |stage: Stage, wanted: &dyn Fn(Seen) -> bool| -> u64 {
        totals.iter().filter(|one| one.stage == stage && wanted(one.seen)).map(|one| one.elements).sum()
    };
    let findings = |severity: FindingSeverity| rules.iter().filter(|line| line.severity == severity).map(|line| line.findings).sum::<u64>();
    let (errors, warnings) = (findings(FindingSeverity::Error), findings(FindingSeverity::Warning));
    let (leaks, planned) = (of(Stage::Now, &|seen| seen == Seen::Leak), of(Stage::Planned, &|seen| seen == Seen::Leak));
    let has_plan = totals.iter().any(|one| one.stage == Stage::Planned);
    let domains: u64 = registries.iter().map(|registry| registry.domains).sum();
    let verdict = format!(
        "Of {}, {} of registrants whom a service hides {} shown{}.",
        count(domains, "domain", "domains"),
        count(leaks, "element", "elements"),
        if leaks == 1 { "is" } else { "are" },
        if has_plan { format!("; once the plan is applied, {}", count(planned, "is", "are")) } else { String::new() }
    );
    let next = match (errors, warnings) {
        (0, 0) => (Mood::Good, "nothing is seen that should not be, and nothing is held without need".to_owned()),
        (0, _) => (Mood::Warn, "look through the warnings: none of them shows anybody who is to be hidden".to_owned()),
        _ => (Mood::Bad, "act on the errors first: `privet plan privacy` puts masks where they are missing".to_owned()),
    };
    let figures = vec![
        ("Domains".to_owned(), grouped(domains)),
        ("Elements that leak".to_owned(), grouped(leaks)),
        ("Public by own word".to_owned(), grouped(of(Stage::Now, &|seen| seen == Seen::OptedIn))),
        ("Kept back".to_owned(), grouped(of(Stage::Now, &|seen| group(seen) == 0))),
        ("Errors".to_owned(), grouped(errors)),
        ("Warnings".to_owned(), grouped(warnings)),
    ];
    let plan = if has_plan { "as the registries hold it, and once a plan is applied to that" } else { "as the registries hold it" };
    Document {
        name: "exposure",
        title: "exposure report".to_owned(),
        verdict,
        next,
        basis: vec![("What is told".to_owned(), plan.to_owned())],
        figures,
        sections,
        holds: "This report holds handles and names of domains, and no value of a person's.".to_owned(),
        sheets: Vec::new(),
    }
}

/// Which of the heat map's columns a state belongs to.
const fn group(seen: Seen) -> usize {
    match seen {
        Seen::Absent | Seen::Withheld | Seen::OptedOut | Seen::MaskedV1 | Seen::MaskedV2 | Seen::Placeholder => 0,
        Seen::Gated => 1,
        Seen::Public => 2,
        Seen::OptedIn => 3,
        Seen::Leak => 4,
        Seen::Unknown => 5,
    }
}

fn looked_at(one: &RegistryExposure) -> Vec<Cell> {
    let RegistryExposure { registry, contacts, domains, answers, publication } = one;
    vec![registry.as_str().into(), (*domains).into(), (*contacts).into(), (*answers).into(), publication.as_str().into()]
}

fn heat_row(((tld, element, stage), counts): (&Place, &[u64; 6])) -> Vec<Cell> {
    let words = [tld, element.as_str(), stage.as_str()].map(Cell::from);
    words.into_iter().chain(counts.iter().copied().map(Cell::from)).collect()
}

fn count_row((of, count): (&Counted, &u64)) -> Vec<Cell> {
    let (tld, registry, stage, role, element, seen) = of;
    let words = [tld, registry, stage.as_str(), role.as_str(), element.as_str(), seen.as_str()].map(Cell::from);
    words.into_iter().chain([Cell::from(*count)]).collect()
}

fn rule_row(line: &RuleLine) -> Vec<Cell> {
    let words = [&line.rule, &line.registry, line.severity.as_str(), line.what].map(Cell::from);
    words.into_iter().chain([line.findings.into(), line.objects.into()]).collect()
}

/// For each stage a chart of all zones, an element a bar.
fn charts(heat: &BTreeMap<Place, [u64; 6]>) -> Vec<Bars> {
    let one = |stage: Stage| {
        let bar = |element: Element| {
            let here = heat.iter().filter(|((_, of, when), _)| *of == element && *when == stage);
            let sums = here.fold([0_u64; 6], |mut sums, (_, counts)| {
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
                sums
            });
            let all: u64 = sums.iter().sum();
            #[expect(clippy::cast_precision_loss, reason = "a bar is some hundred pixels long")]
            let parts: Vec<f64> = sums.iter().take(5).map(|sum| if all == 0 { 0.0 } else { 100.0 * *sum as f64 / all as f64 }).collect();
            let [.., leak, _] = sums;
            let note = if leak > 0 { format!("{}, {} leak", grouped(all), grouped(leak)) } else { grouped(all) };
            (all > 0).then(|| Bar { label: element.as_str().to_owned(), parts, note, mark: None })
        };
        let title = match stage {
            Stage::Now => "Who sees each element, now",
            Stage::Planned => "Who sees each element, once the plan is applied",
        };
        Bars {
            id: format!("seen-{}", stage.as_str()),
            title: title.to_owned(),
            desc: "For each element the share of roles in which it is kept back, told on request, public by rule, public by the contact's own \
                   word, or leaks; the figure behind each bar counts the roles. The table below has the figures by zone."
                .to_owned(),
            series: vec!["kept back", "on request", "public by rule", "public by own word", "leak"],
            rows: Element::ALL.iter().filter_map(|element| bar(*element)).collect(),
            full: 100.0,
            ticks: Vec::new(),
            mark: None,
        }
    };
    [Stage::Now, Stage::Planned].map(one).into_iter().filter(|bars| !bars.rows.is_empty()).collect()
}

/// For each stage a map of zones and elements. The zones with most that leaks come first, then those with most that is public.
fn maps(heat: &BTreeMap<Place, [u64; 6]>) -> Vec<Heat> {
    let one = |stage: Stage| {
        let mut zones: BTreeMap<&str, Vec<[u64; 6]>> = BTreeMap::new();
        for ((tld, element, _), counts) in heat.iter().filter(|((.., when), _)| *when == stage) {
            let cells = zones.entry(tld).or_insert_with(|| vec![[0; 6]; Element::ALL.len()]);
            if let Some(cell) = cells.get_mut(element.at()) {
                *cell = *counts;
            }
        }
        let mut rows: Vec<HeatRow> = zones.into_iter().map(|(zone, cells)| HeatRow { label: zone.to_owned(), cells }).collect();
        let sum = |row: &HeatRow, pick: fn(&[u64; 6]) -> u64| row.cells.iter().map(pick).sum::<u64>();
        let leaks = |row: &HeatRow| sum(row, |[.., leak, _]| *leak);
        let public = |row: &HeatRow| sum(row, |[_, _, rule, own, ..]| rule + own);
        rows.sort_by_key(|row| std::cmp::Reverse((leaks(row), public(row))));
        let leaking = rows.iter().filter(|row| leaks(row) > 0).count() as u64;
        let (word, place) = match stage {
            Stage::Now => ("now", "seen-now-map"),
            Stage::Planned => ("once the plan is applied", "seen-planned-map"),
        };
        Heat {
            id: place.to_owned(),
            title: format!("The most that the public sees of any role, by zone and element, {word}"),
            desc: format!(
                "{}; in {} something leaks. Each cell has the letter of the most that is seen there. The table below has the figures.",
                count(rows.len() as u64, "zone", "zones"),
                grouped(leaking)
            ),
            columns: Element::ALL.iter().map(|element| element.as_str()).collect(),
            rows,
        }
    };
    [Stage::Now, Stage::Planned].map(one).into_iter().filter(|map| !map.rows.is_empty()).collect()
}
