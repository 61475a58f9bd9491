//! The retention report: what is kept of whom, by which rule, until when, and what must go.

use super::area::Area;
use super::document::{Block, Document, Folder, Making, Mood, Section};
use super::erased::{ErasedRow, ErasedState, Reread};
use super::sheet::{Sheet, TableForms};
use super::svg::Picture;
use super::table::{Cell, Shape};
use super::tables::{int, text};
use super::verdict::{count, grouped};
use crate::base::{Result, RunId, Timestamp};
use crate::compliance::retention::{Kind, Resolution, RulePack, Situation, State};
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The store of what a registry holds.
const REGISTRY: &str = "registry";
/// Days of the calendar that lies ahead.
const AHEAD: i64 = 90;
/// Months of the horizon.
const HORIZON: i32 = 24;
/// The oldest ones that are told one by one.
const OLDEST: usize = 20;
/// Bands of how long something is overdue, in days.
const BANDS: [(i64, &str); 4] = [(7, "1 to 7 days"), (30, "8 to 30 days"), (90, "31 to 90 days"), (i64::MAX, "over 90 days")];

/// One item and where it lies.
#[derive(Clone, Debug)]
pub struct RetentionRow<'a> {
    /// The subject's pseudonym; nothing for what is of nobody alone.
    pub subject: Option<String>,
    /// `natural` or `legal`, by whether an organisation is named; nothing for what is no person's.
    pub person: Option<&'static str>,
    /// The subject's country.
    pub country: Option<&'a str>,
    /// The registry; nothing for the tool's own.
    pub registry: Option<&'a str>,
    /// The handle, the snapshot or the run.
    pub object: &'a str,
    /// The cluster of data.
    pub cluster: &'a str,
    /// The kinds of data that are held.
    pub elements: Vec<&'static str>,
    /// Where they are held.
    pub stores: Vec<&'static str>,
    /// Whose hold it is, where one stands.
    pub hold: Option<String>,
    /// What the rules come to.
    pub resolution: &'a Resolution<'a>,
    /// What those in force come to, where the report asks what if others were.
    pub in_force: Option<&'a Resolution<'a>>,
    /// Whether the registrar is controller or processor of it; nothing for the tool's own.
    pub role: Option<&'static str>,
    /// What a plan of erasure came to for it, where there was one.
    pub erasure: Option<&'a ErasedRow>,
}

/// The state of an item, with what a plan of erasure made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// By the rules alone.
    Is(Situation),
    /// It is to go, and its deletion is under way.
    Executing,
    /// It is to go, and the registry keeps it, since something names it.
    Residual,
    /// It is gone.
    Erased,
}

impl Standing {
    /// What an item that the rules find in `situation` stands at. What somebody uses again, or a rule or a hold keeps, is not to go; what is
    /// left in the records alone is not at the registry any more, and still to be erased here.
    fn of(situation: Situation, row: &RetentionRow<'_>) -> Self {
        let goes = matches!(situation, Situation::Due | Situation::Overdue) && row.stores.contains(&REGISTRY);
        match row.erasure.map(|erasure| (erasure.state, erasure.at)) {
            Some((ErasedState::Open, Some(_))) if goes => Self::Executing,
            Some((ErasedState::Residual, _)) if goes => Self::Residual,
            Some((ErasedState::Erased, _)) if row.stores.is_empty() => Self::Erased,
            _ => Self::Is(situation),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Is(situation) => situation.as_str(),
            Self::Executing => "executing",
            Self::Residual => "residual",
            Self::Erased => "erased",
        }
    }

    /// How soon somebody should look: what is left behind what is overdue and unclear, and what is gone last.
    fn rank(self) -> u32 {
        match self {
            Self::Is(situation) => situation.rank(),
            Self::Executing | Self::Residual => Situation::Due.rank(),
            Self::Erased => Situation::Active.rank() + 1,
        }
    }

    /// Its place among the columns of states.
    fn place(self) -> usize {
        let all = Situation::ALL.len();
        match self {
            Self::Is(situation) => Situation::ALL.iter().position(|one| *one == situation).unwrap_or_default(),
            Self::Executing => all,
            Self::Residual => all + 1,
            Self::Erased => all + 2,
        }
    }
}

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
        if standing == Standing::Erased {
            let cells = self.cells(row, state, standing);
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
        let cells = self.cells(row, state, standing);
        self.rows.as_mut().map_or(Ok(()), |sheet| sheet.push(standing.rank(), cells))
    }

    fn cells(&self, row: &RetentionRow<'_>, state: State, standing: Standing) -> Vec<Cell> {
        let found = row.resolution;
        let ids = |kind: Kind| {
            let bounds = if kind == Kind::Min { &found.min } else { &found.max };
            joined(bounds.iter().map(|bound| &*bound.rule.id))
        };
        let begun =
            found.min.iter().chain(&found.max).map(|bound| (bound.start, bound.rule.start.as_deref().unwrap_or("a fixed day"))).max();
        let basis = found.basis();
        let action = match standing {
            Standing::Is(Situation::Due | Situation::Overdue) => "erase",
            Standing::Is(Situation::Conflict) => "decide: two rules exclude each other",
            Standing::Is(Situation::UnknownStart) => "find out when it ended",
            Standing::Is(Situation::Unruled) => "write a rule, or erase",
            Standing::Is(Situation::Hold) => "review the hold",
            Standing::Is(Situation::Active | Situation::Retained) | Standing::Erased => "none",
            Standing::Executing => "reconcile the plan",
            Standing::Residual => "erase once nothing names it",
        };
        let evidence = begun.map(|(_, event)| evidence(event, row));
        let days = match state {
            _ if standing == Standing::Erased => None,
            State::Overdue(days) => Some(-days),
            State::Retained(until) | State::Due(until) => days_between(self.today, until),
            _ => None,
        };
        vec![
            row.subject.clone().into(),
            row.person.into(),
            row.country.into(),
            row.registry.into(),
            row.object.into(),
            row.cluster.into(),
            joined(row.elements.iter().copied()),
            basis.map(|rule| rule.basis.as_str()).into(),
            begun.map(|(_, event)| event).into(),
            date(begun.map(|(day, _)| day)),
            ids(Kind::Min),
            ids(Kind::Max),
            joined(found.uncounted.iter().map(|rule| &*rule.id)),
            date(found.keep_until),
            date(found.must_go_by),
            standing.as_str().into(),
            days.into(),
            row.hold.clone().into(),
            joined(row.stores.iter().copied()),
            action.into(),
            row.role.into(),
            evidence.into(),
        ]
        .into_iter()
        .chain(erased(row.erasure))
        .collect()
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
                         the evidence of each."
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

/// What tells when the period of an item began.
fn evidence(event: &str, row: &RetentionRow<'_>) -> String {
    match event {
        // What the tool left tells it by its own name.
        _ if row.registry.is_none() => row.object.to_owned(),
        "a fixed day" => "the rule itself".to_owned(),
        "consent-withdrawn" => "the consent ledger, by the subject's pseudonym".to_owned(),
        _ => "the services table of the records".to_owned(),
    }
}

/// What a plan of erasure came to, in cells; empty ones where there was none.
fn erased(erasure: Option<&ErasedRow>) -> [Cell; 6] {
    let Some(row) = erasure else { return [const { Cell::Empty }; 6] };
    let is_done = matches!(row.state, ErasedState::Erased | ErasedState::Keyed | ErasedState::Back);
    let read = match row.reread {
        Reread::Absent(at) | Reread::There(at) => Some(at),
        Reread::Not => None,
    };
    let is_left = row.state != ErasedState::Erased;
    [
        row.at.filter(|_| is_done).map(|at| at.to_string()).into(),
        row.state.method().into(),
        row.response().into(),
        row.residual().filter(|_| is_left).into(),
        read.map(|at| at.to_string()).into(),
        row.evidence().to_string().into(),
    ]
}

fn joined<'a>(all: impl IntoIterator<Item = &'a str>) -> Cell {
    let all = all.into_iter().collect::<Vec<_>>().join(" ");
    if all.is_empty() { Cell::Empty } else { Cell::Text(all) }
}

fn date(day: Option<Date>) -> Cell {
    day.map(|day| day.to_string()).into()
}

fn days_between(from: Date, to: Date) -> Option<i64> {
    from.until(to).ok().map(|span| i64::from(span.get_days()))
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

const ROWS: Shape = Shape {
    name: "retention",
    title: "Every item, the rules that bear on it, and its state",
    heads: &[
        text("subject", "Subject"),
        text("person", "Person"),
        text("country", "Country"),
        text("registry", "Registry"),
        text("object", "Object"),
        text("cluster", "Cluster"),
        text("elements", "Elements"),
        text("basis", "Legal basis"),
        text("start_event", "Began with"),
        text("start", "On"),
        text("rules_min", "Kept by"),
        text("rules_max", "Ended by"),
        text("rules_uncounted", "Cannot be counted"),
        text("keep_until", "Keep until"),
        text("must_go_by", "Gone by"),
        text("state", "State"),
        int("days", "Days left"),
        text("hold", "Hold"),
        text("stores", "Held in"),
        text("action", "To be done"),
        text("role", "Role"),
        text("evidence", "Beginning known from"),
        text("executed_at", "Erased on"),
        text("method", "Method"),
        text("response", "Registry's answer"),
        text("residual", "Why data are left"),
        text("verified_at", "Read again on"),
        text("evidence_hash", "Digest of the evidence"),
    ],
};

const STATES: [super::table::Head; 11] = [
    int("overdue", "Overdue"),
    int("conflict", "Conflict"),
    int("unknown_start", "Unknown start"),
    int("unruled", "Without a rule"),
    int("due", "Due"),
    int("hold", "On hold"),
    int("retained", "Retained"),
    int("active", "In use"),
    int("executing", "Under way"),
    int("residual", "Left behind"),
    int("erased", "Erased"),
];

const BY_CLUSTER: Shape = Shape {
    name: "retention-by-cluster",
    title: "Items by cluster and state",
    heads: &[
        text("cluster", "Cluster"),
        STATES[0],
        STATES[1],
        STATES[2],
        STATES[3],
        STATES[4],
        STATES[5],
        STATES[6],
        STATES[7],
        STATES[8],
        STATES[9],
        STATES[10],
    ],
};

const BY_REGISTRY: Shape = Shape {
    name: "retention-by-registry",
    title: "Items by registry and state",
    heads: &[
        text("registry", "Registry"),
        STATES[0],
        STATES[1],
        STATES[2],
        STATES[3],
        STATES[4],
        STATES[5],
        STATES[6],
        STATES[7],
        STATES[8],
        STATES[9],
        STATES[10],
    ],
};

const BY_AGE: Shape =
    Shape { name: "retention-overdue", title: "Overdue items by age", heads: &[text("overdue", "Overdue for"), int("items", "Items")] };

const HORIZON_TABLE: Shape = Shape {
    name: "retention-horizon",
    title: "Retained, due and overdue by month, were nothing erased",
    heads: &[text("month", "Month"), int("retained", "Retained"), int("due", "Due"), int("overdue", "Overdue")],
};

const CALENDAR: Shape =
    Shape { name: "retention-calendar", title: "Items to be gone, by day", heads: &[text("by", "Gone by"), int("items", "Items")] };

const OLDEST_TABLE: Shape = Shape {
    name: "retention-oldest",
    title: "The items that are overdue for longest",
    heads: &[
        text("registry", "Registry"),
        text("object", "Object"),
        text("cluster", "Cluster"),
        text("must_go_by", "Gone by"),
        int("days", "Days overdue"),
    ],
};

const CONFLICTS: Shape = Shape {
    name: "retention-conflicts",
    title: "Rules that exclude each other",
    heads: &[
        text("registry", "Registry"),
        text("object", "Object"),
        text("cluster", "Cluster"),
        text("keeps", "Keeps"),
        text("keeps_citation", "By"),
        text("ends", "Ends"),
        text("ends_citation", "By"),
        text("wins", "Comes first"),
    ],
};

const RULES: Shape = Shape {
    name: "retention-rules",
    title: "The rules that were applied, with their sources",
    heads: &[
        text("rule", "Rule"),
        text("clusters", "Clusters"),
        text("scopes", "Registries"),
        text("start", "Begins with"),
        text("period", "Period"),
        text("grace", "Grace"),
        text("kind", "Data are to"),
        text("basis", "Legal basis"),
        text("citation", "Written in"),
        text("confidence", "Confidence"),
    ],
};

const MOVES: Shape = Shape {
    name: "retention-moves",
    title: "Items that would be in another state",
    heads: &[text("cluster", "Cluster"), text("now", "Now"), text("then", "Then"), int("items", "Items")],
};

/// Every table of this report.
pub(super) const SHAPES: [&Shape; 10] =
    [&MOVES, &ROWS, &RULES, &BY_CLUSTER, &BY_REGISTRY, &BY_AGE, &HORIZON_TABLE, &CALENDAR, &OLDEST_TABLE, &CONFLICTS];
