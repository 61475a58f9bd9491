//! An item of the retention report, what it stands at, and its cells.

use crate::compliance::retention::{Kind, Resolution, Situation, State};
use crate::report::erased::{ErasedRow, ErasedState, Reread};
use crate::report::table::Cell;
use jiff::civil::Date;

/// The store of what a registry holds.
const REGISTRY: &str = "registry";

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
    /// Whether the key of whoever it is of is gone, so that nobody can tell any more whose it was.
    pub anonymised: bool,
}

impl RetentionRow<'_> {
    /// Its cells, in `state` on `today`, as which it stands at `standing`.
    pub(super) fn cells(&self, today: Date, state: State, standing: Standing) -> Vec<Cell> {
        let found = self.resolution;
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
            Standing::Is(Situation::Active | Situation::Retained) | Standing::Erased | Standing::Anonymised => "none",
            Standing::Executing => "reconcile the plan",
            Standing::Residual => "erase once nothing names it",
        };
        let evidence = begun.map(|(_, event)| evidence(event, self));
        let days = match state {
            _ if standing.is_over() => None,
            State::Overdue(days) => Some(-days),
            State::Retained(until) | State::Due(until) => days_between(today, until),
            _ => None,
        };
        vec![
            self.subject.clone().into(),
            self.person.into(),
            self.country.into(),
            self.registry.into(),
            self.object.into(),
            self.cluster.into(),
            joined(self.elements.iter().copied()),
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
            self.hold.clone().into(),
            joined(self.stores.iter().copied()),
            action.into(),
            self.role.into(),
            evidence.into(),
        ]
        .into_iter()
        .chain(erased(self.erasure))
        .collect()
    }
}

/// The state of an item, with what a plan of erasure made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// By the rules alone.
    Is(Situation),
    /// It is to go, and its deletion is under way.
    Executing,
    /// It is to go, and the registry keeps it, since something names it.
    Residual,
    /// It is gone.
    Erased,
    /// It is there, and of nobody any more.
    Anonymised,
}

impl Standing {
    /// What an item that the rules find in `situation` stands at. What somebody uses again, or a rule or a hold keeps, is not to go; what is
    /// left in the records alone is not at the registry any more, and still to be erased here.
    pub(super) fn of(situation: Situation, row: &RetentionRow<'_>) -> Self {
        let goes = matches!(situation, Situation::Due | Situation::Overdue) && row.stores.contains(&REGISTRY);
        match row.erasure.map(|erasure| (erasure.state, erasure.at)) {
            _ if row.anonymised => Self::Anonymised,
            Some((ErasedState::Open, Some(_))) if goes => Self::Executing,
            Some((ErasedState::Residual, _)) if goes => Self::Residual,
            Some((ErasedState::Erased, _)) if row.stores.is_empty() => Self::Erased,
            _ => Self::Is(situation),
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Is(situation) => situation.as_str(),
            Self::Executing => "executing",
            Self::Residual => "residual",
            Self::Erased => "erased",
            Self::Anonymised => "anonymised",
        }
    }

    /// Whether nothing is to be done about it, now or later.
    pub(super) const fn is_over(self) -> bool {
        matches!(self, Self::Erased | Self::Anonymised)
    }

    /// How soon somebody should look: what is left behind what is overdue and unclear, and what is gone last.
    pub(super) fn rank(self) -> u32 {
        match self {
            Self::Is(situation) => situation.rank(),
            Self::Executing | Self::Residual => Situation::Due.rank(),
            Self::Erased | Self::Anonymised => Situation::Active.rank() + 1,
        }
    }

    /// Its place among the columns of states.
    pub(super) fn place(self) -> usize {
        let all = Situation::ALL.len();
        match self {
            Self::Is(situation) => Situation::ALL.iter().position(|one| *one == situation).unwrap_or_default(),
            Self::Executing => all,
            Self::Residual => all + 1,
            Self::Erased => all + 2,
            Self::Anonymised => all + 3,
        }
    }
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

pub(super) fn joined<'a>(all: impl IntoIterator<Item = &'a str>) -> Cell {
    let all = all.into_iter().collect::<Vec<_>>().join(" ");
    if all.is_empty() { Cell::Empty } else { Cell::Text(all) }
}

pub(super) fn date(day: Option<Date>) -> Cell {
    day.map(|day| day.to_string()).into()
}

fn days_between(from: Date, to: Date) -> Option<i64> {
    from.until(to).ok().map(|span| i64::from(span.get_days()))
}
