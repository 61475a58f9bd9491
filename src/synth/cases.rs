//! Planted cases: requests of data subjects, disclosures, breaches and recipients as tables of events, and what the registers come to by
//! them. The reckoning of days is of its own, from the days that were planted.

use super::tables::CsvFile;
use crate::base::Result;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use std::path::Path;

/// Events of a request: how many days ago, which, and the values of its columns `type`, `extension_reason` and `refusal`.
type Events = &'static [(i64, &'static str, [&'static str; 3])];

/// A planted request.
struct Request {
    case: &'static str,
    events: Events,
    /// The state that it is in.
    state: &'static str,
    /// Months within which it is to be answered.
    months: i64,
    /// How its deadline stands.
    standing: &'static str,
}

/// The planted requests. None is near the end of its time, so that no calendar moves one from one side to the other.
const REQUESTS: [Request; 6] = [
    Request { case: "r-1", events: &[(3, "received", ["access", "", ""])], state: "new", months: 1, standing: "open" },
    Request {
        case: "r-2",
        events: &[(40, "received", ["erasure", "", ""]), (39, "identity-asked", [""; 3])],
        state: "identity-check",
        months: 1,
        standing: "overdue",
    },
    Request {
        case: "r-3",
        events: &[(60, "received", ["portability", "", ""]), (58, "identified", [""; 3]), (45, "answered", [""; 3])],
        state: "answered",
        months: 1,
        standing: "met",
    },
    Request {
        case: "r-4",
        events: &[(50, "received", ["access", "", ""]), (35, "extended", ["", "many registries", ""])],
        state: "extended",
        months: 3,
        standing: "open",
    },
    Request {
        case: "r-5",
        events: &[(90, "received", ["rectification", "", ""]), (20, "answered", [""; 3])],
        state: "answered",
        months: 1,
        standing: "late",
    },
    Request {
        case: "r-6",
        events: &[(30, "received", ["access", "", ""]), (25, "refused", ["", "", "identity-not-shown"])],
        state: "refused",
        months: 1,
        standing: "met",
    },
];

/// The other tables, without people: name, header, and rows of days ago and the text behind them; and the state of each case.
type Plain = (&'static str, &'static str, &'static [(&'static str, i64, &'static str)], &'static [(&'static str, &'static str)]);

const PLAIN: [Plain; 3] = [
    (
        "disclosure",
        "ground,requester,requester_kind,reasons,substantiation,disclaimer,released,by",
        &[
            ("d-1,requested", 20, "public-authority,A court,authority,an order,the order,v1,,"),
            ("d-1,granted", 18, ",,,,,,,u-7"),
            ("d-1,released", 17, ",,,,,,name,"),
            ("d-2,requested", 2, ",Somebody,person,curiosity,,,,"),
        ],
        &[("d-1", "released"), ("d-2", "requested")],
    ),
    (
        "breach",
        "detected_by,role,facts,risk,authority_reference,by,why,candidate",
        &[
            ("b-1,raised", 12, "tool,controller,,,,,,mask-missing"),
            ("b-1,dismissed", 11, ",,,,,u-7,the registry mended it,"),
            ("b-2,raised", 1, "tool,controller,,,,,,withheld-field-public"),
        ],
        &[("b-1", "dismissed"), ("b-2", "candidate")],
    ),
    (
        "recipient",
        "party,category,country,mechanism,evidence",
        &[
            ("p-1,planned", 400, "eurid,registry,BE,not-needed,"),
            ("p-2,planned", 400, "nz,registry,NZ,adequacy,decision-2013-65"),
            ("p-3,planned", 400, "escrow,escrow,DE,not-needed,"),
        ],
        &[("p-1", "planned"), ("p-2", "planned"), ("p-3", "planned")],
    ),
];

/// The registers of which there are tables, by name.
pub const CASES: [&str; 4] = ["request", "disclosure", "breach", "recipient"];

/// Writes `records/cases-REGISTER.csv`, `truth/registers.csv` and `truth/deadlines.csv` below `out`, as of `today`; the requests are those
/// of `people`, each a registry and a handle. How many cases there are.
pub(super) fn write(out: &Path, today: Date, people: &[(String, String)]) -> Result<u64> {
    let mut states = CsvFile::create(&out.join("truth/registers.csv"))?;
    states.push(["register", "case", "state"])?;
    let mut deadlines = CsvFile::create(&out.join("truth/deadlines.csv"))?;
    deadlines.push(["register", "case", "deadline", "due", "standing"])?;
    let ago = |days: i64| today.saturating_sub(days.days());
    let mut requests = CsvFile::create(&out.join("records/cases-request.csv"))?;
    requests.push(["case", "event", "at", "registry", "handle", "type", "extension_reason", "refusal"])?;
    let mut cases = 0;
    for (one, (registry, handle)) in REQUESTS.iter().zip(people) {
        for (days, event, [kind, extension, refusal]) in one.events {
            requests.push([one.case, event, &ago(*days).to_string(), registry, handle, kind, extension, refusal])?;
        }
        states.push(["request", one.case, one.state])?;
        let received = one.events.first().map_or(today, |(days, ..)| ago(*days));
        deadlines.push(["request", one.case, "answer", &end_of(received, one.months).to_string(), one.standing])?;
        cases += 1;
    }
    requests.finish()?;
    for (register, header, rows, ends) in PLAIN {
        let mut file = CsvFile::create(&out.join(format!("records/cases-{register}.csv")))?;
        file.push(["case", "event", "at"].into_iter().chain(header.split(',')))?;
        for (begin, days, rest) in rows {
            let day = ago(*days).to_string();
            file.push(begin.split(',').chain([day.as_str()]).chain(rest.split(',')))?;
        }
        file.finish()?;
        for (case, state) in ends {
            states.push([register, case, state])?;
            cases += 1;
        }
    }
    states.finish()?;
    deadlines.finish()?;
    Ok(cases)
}

/// The last day of a time of `months` from `start`: the day of that number, or the month's last; on a Saturday or Sunday the Monday after.
fn end_of(start: Date, months: i64) -> Date {
    let end = start.saturating_add(months.months());
    match end.weekday() {
        Weekday::Saturday => end.saturating_add(2.days()),
        Weekday::Sunday => end.saturating_add(1.days()),
        _ => end,
    }
}
