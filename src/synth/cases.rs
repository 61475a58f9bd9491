//! Planted cases of every register as tables of events, and what the registers come to by them. The reckoning of days is of its own, from the days that were planted.

use super::tables::CsvFile;
use crate::base::Result;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use std::collections::BTreeSet;
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

/// An event of a planted case: the case and what happened, whose it is among the people that are given, how many days ago it was, and its
/// further values. `@N` among these is the day that many days from today.
type Row = (&'static str, Option<usize>, i64, &'static str);

/// The planted cases of another register.
struct Table {
    register: &'static str,
    /// The columns behind those that all have.
    header: &'static str,
    rows: &'static [Row],
    /// The state of each case.
    states: &'static [(&'static str, &'static str)],
    /// The deadlines: case, name, how many days from today its last day is, and how it stands.
    deadlines: &'static [(&'static str, &'static str, i64, &'static str)],
}

/// Whose data a hold keeps, among the people: see [`super::former::KEPT`].
const KEPT: usize = 0;

const TABLES: [Table; 13] = [
    Table {
        register: "disclosure",
        header: "ground,requester,requester_kind,reasons,substantiation,disclaimer,released,by",
        rows: &[
            ("d-1,requested", None, 20, "public-authority,A court,authority,an order,the order,v1,,"),
            ("d-1,granted", None, 18, ",,,,,,,u-7"),
            ("d-1,released", None, 17, ",,,,,,name,"),
            ("d-2,requested", None, 2, ",Somebody,person,curiosity,,,,"),
            ("d-3,requested", None, 9, ",A rival,organisation,a list,,,,"),
        ],
        states: &[("d-1", "released"), ("d-2", "requested"), ("d-3", "requested")],
        deadlines: &[("d-1", "answer", -17, "met"), ("d-2", "answer", 1, "open"), ("d-3", "answer", -6, "overdue")],
    },
    Table {
        register: "breach",
        header: "detected_by,role,facts,risk,authority_reference,by,why,candidate,aware",
        rows: &[
            ("b-1,raised", None, 12, "tool,controller,,,,,,mask-missing,"),
            ("b-1,dismissed", None, 11, ",,,,,u-7,the registry mended it,,"),
            ("b-2,raised", None, 1, "tool,controller,,,,,,withheld-field-public,"),
            ("b-3,reported", None, 30, "staff,controller,a letter went astray,,,,,,@-30"),
            ("b-3,authority-told", None, 29, ",,,,ref-1,,,,"),
            ("b-4,reported", None, 8, "staff,controller,a list was mailed,,,,,,@-8"),
        ],
        states: &[("b-1", "dismissed"), ("b-2", "candidate"), ("b-3", "open"), ("b-4", "open")],
        deadlines: &[("b-3", "authority", -27, "met"), ("b-4", "authority", -5, "overdue")],
    },
    Table {
        register: "recipient",
        header: "party,category,country,mechanism,evidence,at_registry,on_behalf_of",
        rows: &[
            ("p-1,planned", None, 400, "eurid,registry,BE,not-needed,,,"),
            ("p-2,planned", None, 400, "nz,registry,NZ,adequacy,decision-2013-65,,"),
            ("p-3,planned", None, 400, "escrow,escrow,DE,not-needed,,,"),
            // The registry's own processor is a recipient there, and nowhere else.
            ("p-4,planned", None, 400, "checker,verification,BE,not-needed,,eurid,eurid"),
        ],
        states: &[("p-1", "planned"), ("p-2", "planned"), ("p-3", "planned"), ("p-4", "planned")],
        deadlines: &[],
    },
    Table {
        register: "hold",
        header: "reason,owner,review,reference",
        rows: &[
            ("h-1,placed", Some(KEPT), 40, "litigation,u-3,@140,case-9"),
            ("h-2,placed", Some(7), 90, "tax,u-3,@-20,"),
            // What is lifted keeps nothing.
            ("h-2,lifted", Some(7), 30, ",,,"),
        ],
        states: &[("h-1", "held"), ("h-2", "lifted")],
        deadlines: &[("h-1", "review", 140, "open")],
    },
    Table {
        register: "withholding",
        header: "process,items,refusal",
        rows: &[
            ("w-1,requested", Some(8), 200, "irpo,street;voice,"),
            ("w-1,withheld", Some(8), 199, ",,"),
            ("w-2,requested", Some(9), 300, "nz-2016,street,"),
            ("w-2,refused", Some(9), 295, ",,not-proven"),
        ],
        states: &[("w-1", "withheld"), ("w-2", "refused")],
        deadlines: &[],
    },
    Table {
        register: "contract",
        header: "party,kind,role,agreement,version,sub_processors,expires",
        rows: &[
            ("c-1,signed", None, 700, "eurid,registry,controller,a-1,5.0,,@300"),
            // It has expired, and covers nothing any more.
            ("c-2,signed", None, 700, "escrow,escrow,processor,a-2,2.1,none,@-30"),
        ],
        states: &[("c-1", "in-force"), ("c-2", "in-force")],
        deadlines: &[("c-1", "expiry", 300, "open"), ("c-2", "expiry", -30, "overdue")],
    },
    Table {
        register: "notice",
        header: "notice,version,language,channel",
        rows: &[
            ("n-1,shown", Some(10), 500, "privacy,3,en,page"),
            ("n-1,superseded", Some(10), 100, ",,,"),
            ("n-2,shown", Some(11), 90, "privacy,4,de,email"),
        ],
        states: &[("n-1", "outdated"), ("n-2", "shown")],
        deadlines: &[],
    },
    Table {
        register: "policy",
        header: "document,version,owner,review",
        rows: &[
            ("y-1,adopted", None, 300, "retention-policy,2,u-1,@65"),
            ("y-2,adopted", None, 800, "access-policy,1,u-1,@-70"),
            ("y-3,drafted", None, 9, "incident-policy,,,"),
        ],
        states: &[("y-1", "in-force"), ("y-2", "in-force"), ("y-3", "draft")],
        deadlines: &[("y-1", "review", 65, "open"), ("y-2", "review", -70, "overdue")],
    },
    Table {
        register: "training",
        header: "course,trained,next",
        rows: &[("t-1,held", None, 200, "privacy-basics,12,@165"), ("t-2,held", None, 500, "incidents,4,@-135")],
        states: &[("t-1", "held"), ("t-2", "held")],
        deadlines: &[("t-1", "next", 165, "open"), ("t-2", "next", -135, "overdue")],
    },
    Table {
        register: "verification",
        header: "claim,method,reference,result,due,valid_until,by",
        rows: &[
            ("v-1,required", Some(12), 60, "email,,,,@-40,,"),
            ("v-1,verified", Some(12), 50, "email,reachability,a-1,match,,@300,u-2"),
            ("v-2,required", Some(13), 40, "name,,,,@-10,,"),
            ("v-2,asked", Some(13), 39, ",document,,,,,"),
            ("v-2,failed", Some(13), 30, ",,,no-match,,,"),
        ],
        states: &[("v-1", "verified"), ("v-2", "quarantined")],
        deadlines: &[("v-1", "validity", 300, "open"), ("v-2", "verification", -10, "overdue")],
    },
    Table {
        register: "window",
        header: "at_registry,domain,asked_by,reason,actor,relock",
        rows: &[
            ("u-1,asked", None, 9, "example-thick,u-1.example,registrant,a transfer,,"),
            ("u-2,unlocked", None, 40, "example-thick,u-2.example,registrant,a transfer,u-2,@-26"),
            ("u-3,unlocked", None, 40, "example-thick,u-3.example,registrant,a transfer,u-2,@-26"),
            ("u-3,relocked", None, 30, ",,,,u-2,"),
        ],
        states: &[("u-1", "asked"), ("u-2", "unlocked"), ("u-3", "relocked")],
        deadlines: &[("u-1", "unlock", -4, "overdue"), ("u-2", "relock", -26, "overdue")],
    },
    Table {
        register: "relay",
        header: "at_registry,domain,way,wording,sender_told,registrant_told,result,next",
        rows: &[
            ("f-1,received", None, 12, "example-thick,f-1.example,form,no-answer-promised,@-12,,,"),
            ("f-1,forwarded", None, 12, ",,,,,@-12,,"),
            // Nobody was told.
            ("f-2,received", None, 8, "example-thick,f-2.example,address,no-answer-promised,,,,"),
            ("f-2,forwarded", None, 7, ",,,,,,,"),
            ("f-3,received", None, 2, "example-thick,f-3.example,form,answer-promised,@-2,,,"),
            ("f-4,tested", None, 60, "example-thick,f-4.example,form,,,,delivered,@120"),
            ("f-5,tested", None, 90, "example-thick,f-5.example,address,,,,bounced,@-60"),
        ],
        states: &[("f-1", "forwarded"), ("f-2", "forwarded"), ("f-3", "received"), ("f-4", "path"), ("f-5", "path")],
        deadlines: &[("f-4", "next", 120, "open"), ("f-5", "next", -60, "overdue")],
    },
    Table {
        register: "officer",
        header: "decision,by,officer,authority_told,review",
        rows: &[("o-1,decided", None, 600, "appointed,u-1,The officer,@-598,@130")],
        states: &[("o-1", "decided")],
        deadlines: &[("o-1", "review", 130, "open")],
    },
];

/// The registers of which there are tables, by name.
pub const CASES: [&str; 14] = [
    "request",
    "disclosure",
    "breach",
    "recipient",
    "hold",
    "withholding",
    "contract",
    "notice",
    "policy",
    "training",
    "verification",
    "window",
    "relay",
    "officer",
];

/// Writes `records/cases-REGISTER.csv`, `truth/registers.csv` and `truth/deadlines.csv` below `out`, as of `today`; the cases are those
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
    // The first of them is another table's.
    for (one, (registry, handle)) in REQUESTS.iter().zip(people.iter().skip(1)) {
        for (days, event, [kind, extension, refusal]) in one.events {
            requests.push([one.case, event, &ago(*days).to_string(), registry, handle, kind, extension, refusal])?;
        }
        states.push(["request", one.case, one.state])?;
        let received = one.events.first().map_or(today, |(days, ..)| ago(*days));
        deadlines.push(["request", one.case, "answer", &end_of(received, one.months).to_string(), one.standing])?;
        cases += 1;
    }
    requests.finish()?;
    for table in &TABLES {
        let is_there = |row: &&Row| row.1.is_none_or(|whose| people.len() > whose);
        let case = |row: &Row| row.0.split(',').next().unwrap_or_default();
        let known: BTreeSet<&str> = table.rows.iter().filter(is_there).map(case).collect();
        table.write(out, today, people)?;
        for (case, state) in table.states.iter().filter(|(case, _)| known.contains(case)) {
            states.push([table.register, case, state])?;
            cases += 1;
        }
        for (case, deadline, days, standing) in table.deadlines.iter().filter(|(case, ..)| known.contains(case)) {
            deadlines.push([table.register, case, deadline, &ago(-days).to_string(), standing])?;
        }
    }
    states.finish()?;
    deadlines.finish()?;
    Ok(cases)
}

impl Table {
    /// Writes the events of those that are there.
    fn write(&self, out: &Path, today: Date, people: &[(String, String)]) -> Result<()> {
        let has_people = self.rows.iter().any(|row| row.1.is_some());
        let whose: &[&str] = if has_people { &["registry", "handle"] } else { &[] };
        let mut file = CsvFile::create(&out.join(format!("records/cases-{}.csv", self.register)))?;
        file.push(["case", "event", "at"].iter().chain(whose).copied().chain(self.header.split(',')))?;
        for (begin, whose, days, rest) in self.rows {
            let person = match whose.map(|whose| people.get(whose)) {
                None => None,
                Some(Some(person)) => Some(person),
                Some(None) => continue,
            };
            let at = today.saturating_sub(days.days()).to_string();
            let rest: Vec<String> = rest.split(',').map(|value| dated(value, today)).collect();
            let person = person.iter().flat_map(|(registry, handle)| [registry.as_str(), handle.as_str()]);
            file.push(begin.split(',').chain([at.as_str()]).chain(person).chain(rest.iter().map(String::as_str)))?;
        }
        file.finish()
    }
}

/// A value, with the day that it means.
fn dated(value: &str, today: Date) -> String {
    let days = value.strip_prefix('@').and_then(|days| days.parse::<i64>().ok());
    days.map_or_else(|| value.to_owned(), |days| today.saturating_add(days.days()).to_string())
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
