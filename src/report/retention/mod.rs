//! The retention report: what is kept of whom, by which rule, until when, and what must go.

mod row;
mod shapes;

use super::area::Area;
use super::document::{Block, Document, Folder, Making, Mood, Section};
use super::sheet::{Sheet, TableForms};
use super::svg::Picture;
use super::table::Cell;
use super::verdict::{count, grouped};
use crate::base::{Result, RunId, Timestamp};
use crate::compliance::retention::{Kind, Resolution, RulePack, Situation, State};
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use row::RetentionRow;
use row::{Standing, date, joined};
pub(super) use shapes::SHAPES;
use shapes::{BY_AGE, BY_CLUSTER, BY_REGISTRY, CALENDAR, CONFLICTS, HORIZON_TABLE, MOVES, OLDEST_TABLE, ROWS, RULES, STATES};

/// Days of the calendar that lies ahead.
const AHEAD: i64 = 90;
/// Months of the horizon.
const HORIZON: i32 = 24;
/// The oldest ones that are told one by one.
const OLDEST: usize = 20;
/// Bands of how long something is overdue, in days.
const BANDS: [(i64, &str); 4] = [(7, "1 to 7 days"), (30, "8 to 30 days"), (90, "31 to 90 days"), (i64::MAX, "over 90 days")];

/// What `report retention` comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct RetentionSummary {
    /// The rule pack: its id, its day and its digest.
    pub rules: String,
    /// Items by state.
    pub states: BTreeMap<String, u64>,
    /// Of those overdue, how many for how long.
    pub overdue: BTreeMap<String, u64>,
    /// The longest that one is overdue, in days.
    pub oldest_days: i64,
    /// How many items would be in another state by these rules than by those in force, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<u64>,
}

/// A retention report that grows.
#[derive(Debug)]
pub struct RetentionReport<'a> {
    folder: Folder<'a>,
    pack: &'a RulePack,
    today: Date,
    rows: Option<Sheet>,
    /// By cluster and by registry, how many are in which state.
    clusters: BTreeMap<(String, Standing), u64>,
    registries: BTreeMap<(String, Standing), u64>,
    /// By day, how many are to be gone.
    ahead: BTreeMap<Date, u64>,
    /// By month from now, how many are retained, due and overdue, were nothing erased.
    horizon: BTreeMap<i32, [u64; 3]>,
    /// By cluster and by both states, how many would move, where that was asked.
    moves: Option<BTreeMap<(String, Situation, Situation), u64>>,
    conflicts: Vec<Vec<Cell>>,
    oldest: BTreeMap<(i64, u64), Vec<Cell>>,
    bands: [u64; BANDS.len()],
    items: u64,
}

impl<'a> RetentionReport<'a> {
    /// Begins the report in `dir`.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn begin(dir: &'a Path, making: &'a Making, pack: &'a RulePack, today: Date) -> Result<Self> {
        let folder = Folder::open(dir, making)?;
        let rows = Some(folder.sheet(&ROWS)?);
        Ok(Self {
            folder,
            pack,
            today,
            rows,
            clusters: BTreeMap::new(),
            registries: BTreeMap::new(),
            ahead: BTreeMap::new(),
            horizon: BTreeMap::new(),
            moves: None,
            conflicts: Vec::new(),
            oldest: BTreeMap::new(),
            bands: [0; BANDS.len()],
            items: 0,
        })
    }

    /// Adds an item.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn add(&mut self, row: &RetentionRow<'_>) -> Result<()> {
        let found = row.resolution;
        let state = found.state(self.today);
        let situation = state.situation();
        let standing = Standing::of(situation, row);
        self.items += 1;
        *self.clusters.entry((row.cluster.to_owned(), standing)).or_default() += 1;
        *self.registries.entry((row.registry.unwrap_or("(own)").to_owned(), standing)).or_default() += 1;
        if standing.is_over() {
            let cells = row.cells(self.today, state, standing);
            return self.rows.as_mut().map_or(Ok(()), |sheet| sheet.push(standing.rank(), cells));
        }
        self.look_ahead(found, state);
        if let Some(in_force) = row.in_force {
            let moves = self.moves.get_or_insert_default();
            let now = in_force.state(self.today).situation();
            if now != situation {
                *moves.entry((row.cluster.to_owned(), now, situation)).or_default() += 1;
            }
        }
        let named = || [Cell::from(row.registry), row.object.into(), row.cluster.into()];
        if let (State::Overdue(days), Standing::Is(_)) = (state, standing) {
            if let Some(band) = BANDS.iter().position(|(most, _)| days <= *most).and_then(|at| self.bands.get_mut(at)) {
                *band += 1;
            }
            // The oldest have the smallest key.
            self.oldest.insert((-days, self.items), named().into_iter().chain([date(found.must_go_by), days.into()]).collect());
            if self.oldest.len() > OLDEST {
                self.oldest.pop_last();
            }
        }
        if let Some(conflict) = found.conflict.filter(|_| self.conflicts.len() < super::sheet::SHOWN) {
            let rule = |rule: &crate::compliance::retention::Rule| [Cell::from(&*rule.id), Cell::from(&*rule.citation)];
            let told = rule(conflict.keeps).into_iter().chain(rule(conflict.ends)).chain([Cell::from(&*conflict.wins.id)]);
            self.conflicts.push(named().into_iter().chain(told).collect());
        }
        let cells = row.cells(self.today, state, standing);
        self.rows.as_mut().map_or(Ok(()), |sheet| sheet.push(standing.rank(), cells))
    }

    /// Counts an item in the calendar and in the horizon.
    fn look_ahead(&mut self, found: &Resolution<'_>, state: State) {
        let last = self.today.saturating_add(AHEAD.days());
        if let Some(by) = found.must_go_by.filter(|by| *by >= self.today && *by <= last && !matches!(state, State::Hold)) {
            *self.ahead.entry(by).or_default() += 1;
        }
        if matches!(state, State::Hold | State::Conflict | State::UnknownStart | State::Unruled | State::Active) {
            return;
        }
        for month in 0..=HORIZON {
            let at = crate::compliance::calendar::months_after(self.today, month);
            let slot = match found.state(at) {
                State::Retained(_) => 0,
                State::Due(_) => 1,
                State::Overdue(_) => 2,
                _ => continue,
            };
            if let Some(n) = self.horizon.entry(month).or_default().get_mut(slot) {
                *n += 1;
            }
        }
    }

    /// Writes what is left and the page; what it came to, and the files.
    ///
    /// # Errors
    /// As the writer of files.
    pub fn finish(mut self) -> Result<(RetentionSummary, Vec<PathBuf>)> {
        let summary = self.summary();
        let of = |situation: Situation| summary.states.get(situation.as_str()).copied().unwrap_or_default();
        let overdue = of(Situation::Overdue);
        let open = overdue + of(Situation::Conflict) + of(Situation::UnknownStart) + of(Situation::Unruled);
        let next = match (overdue, open) {
            (0, 0) => (Mood::Good, "Nothing is overdue, and every item has a rule that can be counted.".to_owned()),
            (0, _) => (
                Mood::Warn,
                "See the states `conflict`, `unknown_start` and `unruled`: of these nobody can say when they must go.".to_owned(),
            ),
            _ => (Mood::Bad, "Erase what is overdue, or record the hold or the rule that keeps it.".to_owned()),
        };
        let verdict = format!(
            "{} overdue, {} due, {} retained, {} in use; of {} nobody can say.",
            count(overdue, "item", "items"),
            grouped(of(Situation::Due)),
            grouped(of(Situation::Retained)),
            grouped(of(Situation::Active)),
            grouped(open - overdue),
        );
        let sections = self.sections()?;
        let Self { folder, pack, items, .. } = self;
        let document = Document {
            name: "retention",
            title: "retention report".to_owned(),
            verdict,
            next,
            basis: vec![("Rules".to_owned(), format!("{} of {}, {}", pack.id, pack.dated, pack.digest.short()))],
            figures: vec![
                ("Items".to_owned(), grouped(items)),
                ("Overdue".to_owned(), grouped(overdue)),
                ("Days of the oldest".to_owned(), grouped(summary.oldest_days.unsigned_abs())),
                ("Due".to_owned(), grouped(of(Situation::Due))),
                ("On hold".to_owned(), grouped(of(Situation::Hold))),
            ],
            sections,
            holds: "This page holds handles and pseudonyms, and no other personal data.".to_owned(),
            sheets: Vec::new(),
        };
        let files = folder.finish(&document)?;
        Ok((summary, files))
    }

    fn summary(&self) -> RetentionSummary {
        let mut states: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, standing), n) in &self.clusters {
            *states.entry(standing.as_str().to_owned()).or_default() += n;
        }
        let overdue = BANDS.iter().zip(self.bands).map(|((_, name), n)| ((*name).to_owned(), n)).collect();
        let oldest_days = self.oldest.first_key_value().map_or(0, |((days, _), _)| -days);
        let moved = self.moves.as_ref().map(|moves| moves.values().sum());
        RetentionSummary {
            rules: format!("{} {} {}", self.pack.id, self.pack.dated, self.pack.digest),
            states,
            overdue,
            oldest_days,
            moved,
        }
    }

    fn sections(&mut self) -> Result<Vec<Section>> {
        let matrix = |counts: &BTreeMap<(String, Standing), u64>| {
            let mut lines: BTreeMap<String, [u64; STATES.len()]> = BTreeMap::new();
            for ((name, standing), n) in counts {
                if let Some(slot) = lines.entry(name.clone()).or_default().get_mut(standing.place()) {
                    *slot += n;
                }
            }
            lines
                .into_iter()
                .map(|(name, ns)| [Cell::from(name)].into_iter().chain(ns.map(Cell::from)).collect())
                .collect::<Vec<Vec<Cell>>>()
        };
        let (clusters, registries) = (matrix(&self.clusters), matrix(&self.registries));
        let by_cluster = self.folder.table(&BY_CLUSTER, clusters)?;
        let by_registry = self.folder.table(&BY_REGISTRY, registries)?;
        let bands: Vec<_> = BANDS.iter().zip(self.bands).map(|((_, name), n)| vec![Cell::from(*name), n.into()]).collect();
        let by_age = self.folder.table(&BY_AGE, bands)?;
        let horizon: Vec<_> = self.horizon.iter().map(|(month, ns)| (month_of(self.today, *month), *ns)).collect();
        let months = horizon.iter().map(|(month, [kept, due, over])| {
            [Cell::from(month.as_str())].into_iter().chain([*kept, *due, *over].map(Cell::from)).collect()
        });
        let table = self.folder.table(&HORIZON_TABLE, months)?;
        let ahead = std::mem::take(&mut self.ahead);
        let calendar = self.folder.table(&CALENDAR, ahead.into_iter().map(|(day, n)| vec![day.to_string().into(), n.into()]))?;
        let oldest = self.folder.table(&OLDEST_TABLE, std::mem::take(&mut self.oldest).into_values())?;
        let conflicts = self.folder.table(&CONFLICTS, std::mem::take(&mut self.conflicts))?;
        let rules = self.pack.rules().iter().map(|rule| {
            let scopes = if rule.scopes.is_empty() { "all".into() } else { joined(rule.scopes.iter().map(|scope| &**scope)) };
            vec![
                Cell::from(&*rule.id),
                joined(rule.clusters.iter().map(|cluster| &**cluster)),
                scopes,
                rule.start.as_deref().map_or_else(|| rule.on.map(|day| day.to_string()).unwrap_or_default(), str::to_owned).into(),
                rule.period.to_string().into(),
                (!rule.grace.is_zero()).then(|| rule.grace.to_string()).into(),
                if rule.kind == Kind::Min { "keep" } else { "be gone by" }.into(),
                rule.basis.as_str().into(),
                rule.citation.as_ref().into(),
                rule.confidence.as_str().into(),
            ]
        });
        let rules = self.folder.table(&RULES, rules.collect::<Vec<_>>())?;
        let rows = self.rows.take().map(|sheet| self.folder.end(sheet)).transpose()?;
        let moves = self.moves.take().map(|moves| {
            let row = |((cluster, now, then), n)| -> Vec<Cell> {
                let (now, then): (Situation, Situation) = (now, then);
                vec![Cell::Text(cluster), now.as_str().into(), then.as_str().into(), Cell::from(n)]
            };
            self.folder.table(&MOVES, moves.into_iter().map(row))
        });
        let section = |id, heading: &str, blocks| Section { id, heading: heading.to_owned(), blocks };
        let asked = moves.transpose()?.map(|moves| {
            let note = "Items that would be in another state by these rules than by those in force.".to_owned();
            section("moves", "What if", vec![Block::Note(note), moves])
        });
        let mut all: Vec<Section> = asked.into_iter().collect();
        all.extend([
            section(
                "states",
                "States",
                vec![
                    Block::Note(
                        "What is `executing`, `residual` or `erased` is so by the journals of plans of erasure: `privet report erasure` has \
                         the evidence of each. What is `anonymised` is of subjects whose key is gone: nobody can tell who they were."
                            .to_owned(),
                    ),
                    by_cluster,
                    by_registry,
                    by_age,
                ],
            ),
            section(
                "horizon",
                "The next two years",
                vec![
                    Block::Note(
                        "What would be retained, due and overdue at the end of each month, were nothing erased until then.".to_owned(),
                    ),
                    Block::Chart(Picture::Area(picture(&horizon))),
                    table,
                ],
            ),
            section("calendar", "The next 90 days", vec![Block::Note("How many items must be gone by which day.".to_owned()), calendar]),
            section("oldest", "The oldest overdue", vec![oldest]),
            section(
                "conflicts",
                "Conflicts",
                vec![
                    Block::Note(
                        "One rule keeps for longer than another lets. Law comes before registry, registry before house.".to_owned(),
                    ),
                    conflicts,
                ],
            ),
            section(
                "items",
                "Items",
                vec![Block::Note("The worst first: overdue, conflicts, those nobody can count, those without a rule.".to_owned())]
                    .into_iter()
                    .chain(rows)
                    .collect(),
            ),
            section("rules", "Rules", vec![rules]),
        ]);
        Ok(all)
    }
}

/// Makes what a report states of itself.
#[must_use]
pub fn making(run_id: RunId, tool_version: &str, at: Timestamp, forms: TableForms) -> Making {
    Making { run_id, tool_version: tool_version.to_owned(), at, forms }
}

fn month_of(today: Date, month: i32) -> String {
    crate::compliance::calendar::months_after(today, month).strftime("%Y-%m").to_string()
}

/// The horizon, month by month.
fn picture(horizon: &[(String, [u64; 3])]) -> Area {
    let told = |(month, [kept, due, over]): &(String, [u64; 3])| {
        format!("{month}: {} retained, {} due, {} overdue", grouped(*kept), grouped(*due), grouped(*over))
    };
    let ends: Vec<String> = horizon.first().into_iter().chain(horizon.last().filter(|_| horizon.len() > 1)).map(told).collect();
    Area {
        id: "horizon-chart".to_owned(),
        title: "Items retained, due and overdue over two years, were nothing erased".to_owned(),
        desc: format!("{}. The table below has each month.", ends.join("; ")),
        series: vec!["retained", "due", "overdue"],
        points: horizon.iter().map(|(month, ns)| (month.clone(), ns.to_vec())).collect(),
    }
}
