//! The tables of a run report, each a plain view of the facts.

use super::facts::{LimitUse, RegistryFacts, RunFacts};
use super::table::{Cell, Head, Kind, Shape, Table};
use crate::base::{Exit, Problem, Timestamp};
use crate::dataset::Ages;
use crate::diff::{Severity, SummaryRow};
use crate::model::{ObjectKind, TlsFacts};

/// A column of text.
pub(super) const fn text(name: &'static str, title: &'static str) -> Head {
    Head { name, title, kind: Kind::Text }
}

/// A column of whole numbers.
pub(super) const fn int(name: &'static str, title: &'static str) -> Head {
    Head { name, title, kind: Kind::Int }
}

/// A column of a problem's words.
const fn words(name: &'static str, title: &'static str) -> Head {
    Head { name, title, kind: Kind::Words }
}

/// The shape of every table that is written to files.
pub(super) const SHAPES: [&Shape; 14] = [
    &REGISTRIES,
    &DIFFERENCES_BY_FIELD,
    &OBJECTS,
    &AGES,
    &SESSIONS,
    &LIMITS,
    &TLS,
    &CERTIFICATES,
    &GREETING_DRIFT,
    &UNKNOWN_NAMESPACES,
    &WARNINGS,
    &GATES,
    &OVERRIDES,
    &LOCAL_RECORDS,
];

/// Every table that is written to files, in the order of the page.
pub(super) fn all(facts: &RunFacts) -> Vec<Table> {
    vec![
        registries(facts),
        differences(facts),
        objects(facts),
        ages(facts),
        sessions(facts),
        limits(facts),
        tls(facts),
        certificates(facts),
        greetings(facts),
        namespaces(facts),
        warnings(facts),
        gates(facts),
        overrides(facts),
        records(facts),
    ]
}

/// One row a registry: what a reader wants first.
pub(super) fn registries(facts: &RunFacts) -> Table {
    let row = |r: &RegistryFacts| {
        let material = facts.differences_of(Some(&r.id), Severity::Material);
        let cosmetic = facts.differences_of(Some(&r.id), Severity::Cosmetic);
        // Where something else held, that it was done as well says nothing.
        let held = r.exits.iter().filter(|e| **e != Exit::Done || r.exits.len() == 1);
        let exits: Vec<_> = held.map(|e| e.code().to_string()).collect();
        vec![
            r.id.as_str().into(),
            r.profile.as_str().into(),
            r.endpoint.as_str().into(),
            if r.whole { "whole" } else { "incomplete" }.into(),
            r.contacts.ok.into(),
            r.domains.ok.into(),
            material.into(),
            cosmetic.into(),
            r.unreadable().into(),
            r.problems().into(),
            (!exits.is_empty()).then(|| exits.join(" ")).into(),
        ]
    };
    Table { shape: &REGISTRIES, rows: facts.registries.iter().map(row).collect() }
}

/// Differences by registry, object, field, kind and severity, in that order.
pub(super) fn differences(facts: &RunFacts) -> Table {
    let mut counts: Vec<_> = facts.differences.iter().collect();
    counts.sort_by_key(|d| (d.registry.as_str(), d.object, d.field.as_str(), d.kind, d.severity));
    let row = |d: &SummaryRow| {
        let field = if d.field.is_empty() { Cell::Empty } else { d.field.as_str().into() };
        vec![
            d.registry.as_str().into(),
            d.object.as_str().into(),
            field,
            d.kind.as_str().into(),
            d.severity.as_str().into(),
            d.count.into(),
        ]
    };
    Table { shape: &DIFFERENCES_BY_FIELD, rows: counts.into_iter().map(row).collect() }
}

/// What became of the objects asked for.
pub(super) fn objects(facts: &RunFacts) -> Table {
    let row = |r: &RegistryFacts, object: ObjectKind| {
        let n = r.counts(object);
        let numbers = [n.asked, n.ok, n.missing, n.unreadable, n.refused, n.unanswered(), n.found_on_the_way];
        [Cell::from(r.id.as_str()), object.as_str().into()].into_iter().chain(numbers.map(Cell::from)).collect()
    };
    Table { shape: &OBJECTS, rows: facts.registries.iter().flat_map(|r| ObjectKind::ALL.map(|object| row(r, object))).collect() }
}

/// When what the run rests on was observed.
pub(super) fn ages(facts: &RunFacts) -> Table {
    let row = |r: &RegistryFacts, a: &Ages| {
        let times = [a.oldest, a.median, a.newest].map(|at| Cell::from(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
        std::iter::once(Cell::from(r.id.as_str())).chain(times).collect()
    };
    Table { shape: &AGES, rows: facts.registries.iter().filter_map(|r| Some(row(r, r.observed.as_ref()?))).collect() }
}

/// What the sessions did.
pub(super) fn sessions(facts: &RunFacts) -> Table {
    let row = |r: &RegistryFacts| {
        let (line, times) = (&r.line, r.line.answer_times);
        vec![
            r.id.as_str().into(),
            line.exchanges.into(),
            line.sessions_opened.into(),
            line.reconnects.into(),
            line.max_in_flight.into(),
            line.window_reached.into(),
            times.map(|t| t.p50_ms).into(),
            times.map(|t| t.p99_ms).into(),
            times.map(|t| t.max_ms).into(),
            line.rate_waits.into(),
            line.rate_waited_ms.into(),
            line.bytes_out.into(),
            line.bytes_in.into(),
        ]
    };
    Table { shape: &SESSIONS, rows: facts.registries.iter().map(row).collect() }
}

/// Limits of the accounts and how much of them was used.
pub(super) fn limits(facts: &RunFacts) -> Table {
    let row = |r: &RegistryFacts, l: &LimitUse| {
        vec![r.id.as_str().into(), l.name.as_str().into(), l.allowed.into(), l.share.into(), l.reached.into()]
    };
    Table { shape: &LIMITS, rows: facts.registries.iter().flat_map(|r| r.limits.iter().map(move |l| row(r, l))).collect() }
}

/// What the TLS connections agreed on.
pub(super) fn tls(facts: &RunFacts) -> Table {
    let row = |r: &RegistryFacts, t: &TlsFacts| vec![r.id.as_str().into(), (*t.version).into(), (*t.cipher).into(), (*t.group).into()];
    Table { shape: &TLS, rows: facts.registries.iter().flat_map(|r| r.tls.iter().map(move |t| row(r, t))).collect() }
}

/// Certificates of both sides with the days they have left.
pub(super) fn certificates(facts: &RunFacts) -> Table {
    let rows = facts.registries.iter().flat_map(|r| {
        r.tls.iter().flat_map(|t| &t.certificates).map(|c| {
            vec![
                r.id.as_str().into(),
                (*c.whose).into(),
                (*c.subject).into(),
                c.names.join(" ").into(),
                c.not_before.to_string().into(),
                c.not_after.to_string().into(),
                days_left(c.not_after, facts.ended).into(),
                (*c.fingerprint).into(),
            ]
        })
    });
    Table { shape: &CERTIFICATES, rows: rows.collect() }
}

/// What registries announced and what their profiles expect, where the two differ, and how far their clocks are off.
pub(super) fn greetings(facts: &RunFacts) -> Table {
    let rows = facts.registries.iter().flat_map(|r| {
        r.greeting.iter().flat_map(|g| {
            let row = |drift: &str, value: Cell| vec![r.id.as_str().into(), g.server.as_str().into(), drift.into(), value];
            let unexpected = g.unexpected.iter().map(move |s| row("announced, not expected", s.as_str().into()));
            let absent = g.absent.iter().map(move |s| row("expected, not announced", s.as_str().into()));
            let clock = g.clock_offset_seconds.filter(|s| *s != 0).map(|s| row("clock offset in seconds", s.to_string().into()));
            unexpected.chain(absent).chain(clock).collect::<Vec<_>>()
        })
    });
    Table { shape: &GREETING_DRIFT, rows: rows.collect() }
}

/// Namespaces no type knows.
pub(super) fn namespaces(facts: &RunFacts) -> Table {
    let row = |r: &RegistryFacts, namespace: &str, n: u64| vec![r.id.as_str().into(), namespace.into(), n.into()];
    Table {
        shape: &UNKNOWN_NAMESPACES,
        rows: facts.registries.iter().flat_map(|r| r.unknown_namespaces.iter().map(move |n| row(r, &n.namespace, n.count))).collect(),
    }
}

/// Problems, which led to an exit code, and then warnings; of both those of the run before each registry's.
pub(super) fn warnings(facts: &RunFacts) -> Table {
    let row = |registry: Option<&RegistryFacts>, p: &Problem| {
        // A problem names the exit code it would lead to; only where it did is there one to tell.
        let exit = registry.filter(|r| r.ended_by(p)).map(|_| u64::from(p.exit.code()));
        let cells = vec![
            registry.map(|r| r.id.as_str()).into(),
            p.id.as_str().into(),
            word(&p.blame).into(),
            p.place.to_string().into(),
            p.what.as_str().into(),
            p.remedy.as_str().into(),
            exit.into(),
        ];
        (exit.is_none(), cells)
    };
    let of_run = facts.warnings.iter().map(|p| row(None, p));
    let of_registries = facts.registries.iter().flat_map(|r| r.problems.iter().map(move |p| row(Some(r), p)));
    let (problems, warnings): (Vec<_>, Vec<_>) = of_run.chain(of_registries).partition(|(warning, _)| !warning);
    Table { shape: &WARNINGS, rows: problems.into_iter().chain(warnings).map(|(_, cells)| cells).collect() }
}

/// Gates that were looked at.
pub(super) fn gates(facts: &RunFacts) -> Table {
    let row = |g: &super::facts::GateFacts| {
        vec![
            g.registry.as_ref().map(crate::base::RegistryId::as_str).into(),
            g.name.as_str().into(),
            g.limit.as_str().into(),
            g.observed.as_str().into(),
            if g.open { "open" } else { "closed" }.into(),
        ]
    };
    Table { shape: &GATES, rows: facts.gates.iter().map(row).collect() }
}

/// Settings that weaken something.
pub(super) fn overrides(facts: &RunFacts) -> Table {
    let row = |o: &super::facts::Override| {
        vec![o.key.as_str().into(), o.value.as_str().into(), o.origin.as_str().into(), o.weakens.as_str().into()]
    };
    Table { shape: &OVERRIDES, rows: facts.overrides.iter().map(row).collect() }
}

/// The local records.
pub(super) fn records(facts: &RunFacts) -> Table {
    let row = |f: &super::facts::RecordFile| vec![f.table.as_str().into(), f.file.as_str().into(), f.rows.into(), f.previous_rows.into()];
    Table { shape: &LOCAL_RECORDS, rows: facts.records.iter().map(row).collect() }
}

/// Whole days from `now` to `until`, below zero where it has passed.
pub(super) fn days_left(until: Timestamp, now: Timestamp) -> i64 {
    (until.as_second() - now.as_second()).div_euclid(86_400)
}

/// The word a value without fields has in JSON.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

const REGISTRIES: Shape = Shape {
    name: "registries",
    title: "Each registry: objects read, differences, and problems",
    heads: &[
        text("registry", "Registry"),
        text("profile", "Profile"),
        text("endpoint", "Endpoint"),
        text("read", "Read"),
        int("contacts", "Contacts"),
        int("domains", "Domains"),
        int("material", "Material"),
        int("cosmetic", "Cosmetic"),
        int("unreadable", "Unreadable"),
        int("problems", "Problems"),
        text("exits", "Exits"),
    ],
};

const DIFFERENCES_BY_FIELD: Shape = Shape {
    name: "differences-by-field",
    title: "Differences by field and kind",
    heads: &[
        text("registry", "Registry"),
        text("object", "Object"),
        text("field", "Field"),
        text("kind", "Kind"),
        text("severity", "Severity"),
        int("count", "Count"),
    ],
};

const OBJECTS: Shape = Shape {
    name: "objects",
    title: "Objects by state",
    heads: &[
        text("registry", "Registry"),
        text("object", "Object"),
        int("asked", "Asked"),
        int("ok", "Read"),
        int("missing", "Missing"),
        int("unreadable", "Unreadable"),
        int("refused", "Refused"),
        int("unanswered", "Unanswered"),
        int("found_on_the_way", "Found on the way"),
    ],
};

const AGES: Shape = Shape {
    name: "ages",
    title: "Age of what this rests on",
    heads: &[text("registry", "Registry"), text("oldest", "Oldest"), text("median", "Median"), text("newest", "Newest")],
};

const SESSIONS: Shape = Shape {
    name: "sessions",
    title: "Sessions and answer times",
    heads: &[
        text("registry", "Registry"),
        int("exchanges", "Exchanges"),
        int("sessions", "Sessions"),
        int("reconnects", "Reconnects"),
        int("max_in_flight", "Most in flight"),
        int("window", "Window"),
        int("p50_ms", "Median, ms"),
        int("p99_ms", "99\u{a0}%, ms"),
        int("max_ms", "Longest, ms"),
        int("rate_waits", "Rate waits"),
        int("rate_waited_ms", "Waited, ms"),
        int("bytes_out", "Bytes out"),
        int("bytes_in", "Bytes in"),
    ],
};

const LIMITS: Shape = Shape {
    name: "limits",
    title: "Limits and their use",
    heads: &[
        text("registry", "Registry"),
        text("limit", "Limit"),
        int("allowed", "Allowed by the registry"),
        int("share", "Our share"),
        int("reached", "Reached"),
    ],
};

const TLS: Shape = Shape {
    name: "tls",
    title: "TLS connections",
    heads: &[text("registry", "Registry"), text("version", "Version"), text("cipher", "Cipher suite"), text("group", "Key exchange group")],
};

const CERTIFICATES: Shape = Shape {
    name: "certificates",
    title: "Certificates and the days they have left",
    heads: &[
        text("registry", "Registry"),
        text("whose", "Whose"),
        text("subject", "Subject"),
        text("names", "Names"),
        text("not_before", "Valid from"),
        text("not_after", "Valid until"),
        int("days_left", "Days left"),
        text("fingerprint", "SHA-256, first half"),
    ],
};

const GREETING_DRIFT: Shape = Shape {
    name: "greeting-drift",
    title: "Greetings that differ from the profile",
    heads: &[text("registry", "Registry"), text("server", "Server"), text("drift", "Drift"), text("value", "Value")],
};

const UNKNOWN_NAMESPACES: Shape = Shape {
    name: "unknown-namespaces",
    title: "Namespaces that no type knows",
    heads: &[text("registry", "Registry"), text("namespace", "Namespace"), int("count", "Elements")],
};

const WARNINGS: Shape = Shape {
    name: "warnings",
    title: "What went wrong, and what to do",
    heads: &[
        text("registry", "Registry"),
        text("id", "Id"),
        text("blame", "Side"),
        text("place", "Place"),
        words("what", "What is wrong"),
        words("remedy", "What to do"),
        int("exit", "Exit code"),
    ],
};

const GATES: Shape = Shape {
    name: "gates",
    title: "Gates",
    heads: &[
        text("registry", "Registry"),
        text("gate", "Gate"),
        text("limit", "Limit"),
        text("observed", "Observed"),
        text("state", "State"),
    ],
};

const OVERRIDES: Shape = Shape {
    name: "overrides",
    title: "Settings weaker than the built-in ones",
    heads: &[text("key", "Setting"), text("value", "Value"), text("origin", "Set in"), text("weakens", "What it weakens")],
};

const LOCAL_RECORDS: Shape = Shape {
    name: "local-records",
    title: "Files the registries were compared with",
    heads: &[text("table", "Table"), text("file", "File"), int("rows", "Rows"), int("previous_rows", "Rows at the last run")],
};
