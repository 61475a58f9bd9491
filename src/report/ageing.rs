//! Requests of data subjects by age: how long each has been open, whether its time is over, and how far requests got.

use super::document::{Block, Folder, Making, Section};
use super::funnel::{Funnel, Step};
use super::svg::{Bar, Bars, Picture};
use super::table::{Cell, Shape};
use super::tables::{int, text};
use super::verdict::grouped;
use crate::base::{Result, Timestamp};
use crate::compliance::register::{Case, Met};

/// The register that holds them.
pub(super) const REGISTER: &str = "request";
/// Bands of how long a request has been open, in whole days.
const BANDS: [(i64, &str); 6] = [
    (7, "up to 7 days"),
    (14, "8 to 14 days"),
    (30, "15 to 30 days"),
    (60, "31 to 60 days"),
    (90, "61 to 90 days"),
    (i64::MAX, "over 90 days"),
];
/// Seconds of a day.
const DAY: i64 = 86_400;

/// The section on `cases`, requests all of them, with its tables in `folder`.
///
/// # Errors
/// As the writer of files.
pub(super) fn section(folder: &mut Folder<'_>, making: &Making, cases: &[Case]) -> Result<Section> {
    let bands = bands(cases, making.at);
    let steps = steps(cases);
    let mut open: Vec<(&Case, i64)> = cases.iter().filter(|case| case.open).map(|case| (case, age(case, making.at))).collect();
    open.sort_by_key(|(case, age)| (std::cmp::Reverse(*age), case.case.clone()));
    let requests = folder.table(&REQUESTS, open.into_iter().map(|(case, age)| request(case, age)))?;
    let ages = BANDS.iter().zip(bands).map(|((_, name), [timely, late])| vec![Cell::from(*name), timely.into(), late.into()]);
    let ages = folder.table(&AGES, ages)?;
    let passed = steps.iter().map(|step| vec![Cell::from(step.label.as_str()), step.count.into(), step.line.as_str().into()]);
    let passed = folder.table(&STEPS, passed)?;
    let mut blocks = Vec::new();
    // Where no request came at all, the tables say so.
    if cases.is_empty() {
        blocks.push(ages);
    } else {
        let late: u64 = bands.iter().map(|[_, late]| late).sum();
        blocks.push(Block::Chart(Picture::Bars(by_age(bands))));
        blocks.push(Block::Note(match late {
            0 => "No open request is over its time.".to_owned(),
            _ => format!("Open requests that are over their time: {}. They stand first under deadlines.", grouped(late)),
        }));
        blocks.push(ages);
        let told: Vec<String> = steps.iter().map(|step| format!("{} {}", step.label.to_lowercase(), grouped(step.count))).collect();
        blocks.push(Block::Chart(Picture::Funnel(Funnel {
            id: "requests-steps".to_owned(),
            title: "How far requests got".to_owned(),
            desc: format!("{}.", told.join(", ")),
            steps,
        })));
    }
    blocks.extend([passed, requests]);
    Ok(Section { id: "requests", heading: "Requests of data subjects, by age".to_owned(), blocks })
}

/// Whole days for which a case has been open.
fn age(case: &Case, at: Timestamp) -> i64 {
    case.opened.map_or(0, |opened| days(opened, at))
}

fn days(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).max(0) / DAY
}

/// Open requests by age: those within their time, and those over it.
fn bands(cases: &[Case], at: Timestamp) -> [[u64; 2]; BANDS.len()] {
    let mut out = [[0; 2]; BANDS.len()];
    for case in cases.iter().filter(|case| case.open) {
        let age = age(case, at);
        let band = BANDS.iter().position(|(most, _)| age <= *most).and_then(|at| out.get_mut(at));
        if let Some(n) = band.and_then(|band| band.get_mut(usize::from(case.overdue().is_some()))) {
            *n += 1;
        }
    }
    out
}

fn by_age(bands: [[u64; 2]; BANDS.len()]) -> Bars {
    let [timely, late] = bands.iter().fold([0; 2], |[a, b], [timely, late]| [a + timely, b + late]);
    let told = |[timely, late]: [u64; 2]| match late {
        0 => grouped(timely),
        _ if timely == 0 => format!("{} overdue", grouped(late)),
        _ => format!("{}, {} overdue", grouped(timely + late), grouped(late)),
    };
    Bars {
        id: "requests-ages".to_owned(),
        title: "Open requests by age".to_owned(),
        desc: format!("{} within their time, {} over it.", grouped(timely), grouped(late)),
        series: vec!["within its time", "overdue"],
        rows: BANDS
            .iter()
            .zip(bands)
            .map(|((_, name), band)| Bar {
                label: (*name).to_owned(),
                parts: band.map(|n| n as f64).to_vec(),
                note: told(band),
                mark: None,
            })
            .collect(),
        full: 0.0,
        ticks: Vec::new(),
        mark: None,
    }
}

/// How many requests came, were taken up, ended, and ended with an answer; each step is some of the one before.
fn steps(cases: &[Case]) -> Vec<Step> {
    let of = |test: &dyn Fn(&&Case) -> bool| cases.iter().filter(|case| case.state.is_some()).filter(test).count() as u64;
    // A case that an answer left as it stands tells how long that took; one that went on afterwards does not.
    let answered = |case: &&Case| case.state == Some("answered");
    let mut took: Vec<i64> = cases
        .iter()
        .filter(answered)
        .filter_map(|case| Some(days(case.opened?, case.last.as_ref().filter(|last| last.event == "answered")?.at)))
        .collect();
    took.sort_unstable();
    let median = took.get(took.len() / 2).filter(|_| !took.is_empty());
    let line = match (median, took.last()) {
        (Some(median), Some(longest)) => {
            let word = if *median == 1 { "day" } else { "days" };
            format!("half of them within {median} {word}, the slowest after {longest}")
        }
        _ => String::new(),
    };
    let step = |label: &str, count: u64, line: String| Step { label: label.to_owned(), count, line };
    vec![
        step("Received", of(&|_| true), String::new()),
        step("Taken up", of(&|case| case.state != Some("new")), String::new()),
        step("Ended", of(&|case| case.state != Some("new") && !case.open), "answered, refused or withdrawn".to_owned()),
        step("Answered", of(&answered), line),
    ]
}

fn request(case: &Case, age: i64) -> Vec<Cell> {
    // The deadline that ends first of those that are not met.
    let next = case.deadlines.iter().filter(|one| matches!(one.standing, Met::Open | Met::Overdue)).min_by_key(|one| one.until);
    vec![
        case.case.to_string().into(),
        case.values.get("type").map(String::as_str).into(),
        case.state.into(),
        case.opened.map(|at| at.to_string()).into(),
        age.into(),
        next.map(|one| one.due.to_string()).into(),
        next.map(|one| one.standing.as_str()).into(),
        next.map(|one| if one.standing == Met::Overdue { -one.days } else { one.days }).into(),
    ]
}

const AGES: Shape = Shape {
    name: "registers-ages",
    title: "Open requests by age",
    heads: &[text("age", "Open for"), int("timely", "Within its time"), int("overdue", "Overdue")],
};

const STEPS: Shape = Shape {
    name: "registers-steps",
    title: "How far requests got",
    heads: &[text("step", "Step"), int("requests", "Requests"), text("took", "Note")],
};

const REQUESTS: Shape = Shape {
    name: "registers-requests",
    title: "Open requests, the oldest first",
    heads: &[
        text("case", "Case"),
        text("type", "Asked for"),
        text("state", "State"),
        text("opened", "Opened"),
        int("age", "Open, in days"),
        text("due", "Due"),
        text("standing", "Standing"),
        int("days_left", "Days left"),
    ],
};

/// The tables of this section.
pub(super) const SHAPES: [&Shape; 3] = [&AGES, &STEPS, &REQUESTS];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::register::{Amiss, Deadline, Last};
    use crate::model::Confidence;

    const AT: &str = "2026-11-22T12:00:00Z";

    fn deadline(standing: Met) -> Deadline {
        Deadline {
            name: "answer",
            from: AT.parse().unwrap(),
            due: "2026-11-20".parse().unwrap(),
            until: AT.parse().unwrap(),
            standing,
            days: 2,
            extended: false,
            source: "GDPR Art. 12(3)",
            confidence: Confidence::Seen,
        }
    }

    fn case(state: &'static str, opened: &str, last: Option<(&'static str, &str)>, standing: Met) -> Case {
        Case {
            register: REGISTER,
            case: crate::compliance::Token::read("C-1").unwrap(),
            state: Some(state),
            open: ["new", "identity-check", "in-progress", "extended"].contains(&state),
            subject: None,
            opened: Some(opened.parse().unwrap()),
            last: last.map(|(event, at)| Last { event, at: at.parse().unwrap() }),
            events: 1,
            values: [("type", "access".to_owned())].into(),
            texts: Vec::new(),
            apart: 0,
            settled: None,
            deadlines: vec![deadline(standing)],
            missing: Vec::new(),
            amiss: Vec::<Amiss>::new(),
            irregular: Vec::new(),
        }
    }

    fn some() -> Vec<Case> {
        vec![
            case("new", "2026-11-22T11:00:00Z", None, Met::Open),
            case("in-progress", "2026-11-14T12:00:00Z", None, Met::Open),
            case("extended", "2026-08-01T12:00:00Z", None, Met::Overdue),
            case("answered", "2026-11-01T12:00:00Z", Some(("answered", "2026-11-04T13:00:00Z")), Met::Met),
            case("answered", "2026-11-01T12:00:00Z", Some(("answered", "2026-11-11T11:00:00Z")), Met::Met),
            case("answered", "2026-01-01T12:00:00Z", Some(("recipients-told", "2026-11-11T11:00:00Z")), Met::Met),
            case("withdrawn", "2026-11-01T12:00:00Z", None, Met::Met),
        ]
    }

    #[test]
    fn open_requests_stand_in_the_band_of_their_age_and_closed_ones_in_none() {
        let found = bands(&some(), AT.parse().unwrap());
        assert_eq!(found, [[1, 0], [1, 0], [0, 0], [0, 0], [0, 0], [0, 1]]);
        // The seventh day is the last one of its band.
        let edge = |opened: &str| bands(&[case("new", opened, None, Met::Open)], AT.parse().unwrap());
        assert_eq!(edge("2026-11-14T12:00:01Z")[0], [1, 0]);
        assert_eq!(edge("2026-11-14T12:00:00Z")[1], [1, 0]);
        let chart = by_age(found);
        assert_eq!(chart.desc, "2 within their time, 1 over it.");
        assert_eq!(chart.rows.last().unwrap().note, "1 overdue");
    }

    #[test]
    fn every_step_is_some_of_the_one_before() {
        let told: Vec<_> = steps(&some()).into_iter().map(|step| (step.label, step.count, step.line)).collect();
        let wanted = [("Received", 7, ""), ("Taken up", 6, ""), ("Ended", 4, "answered, refused or withdrawn")];
        assert_eq!(told[..3], wanted.map(|(label, n, line)| (label.to_owned(), n, line.to_owned())));
        assert_eq!(told[3], ("Answered".to_owned(), 3, "half of them within 9 days, the slowest after 9".to_owned()));
        assert!(steps(&[]).iter().all(|step| step.count == 0));
    }

    #[test]
    fn a_request_tells_its_age_and_the_days_that_are_left() {
        let row = request(&some()[2], 113);
        assert_eq!(row[4..], [113_i64.into(), "2026-11-20".into(), "overdue".into(), (-2_i64).into()]);
    }
}
