//! The figures of a run for monitoring, in the text exposition format of Prometheus (version 0.0.4).
//!
//! Names have base units; points in time are Unix times and no ages, so that they stay true until the next run. No label holds anything
//! of a person's: registries, recipes and states alone.

use super::{PlanSummary, RegistryFacts, RunFacts};
use crate::base::{Exit, RegistryId, Timestamp};
use crate::dataset::Ages;
use crate::diff::Severity;
use crate::model::{CertificateFacts, ObjectKind};
use std::collections::BTreeMap;

/// What is told of a run.
pub struct RunMetrics<'a> {
    /// The version of Privet that made the run.
    pub tool_version: &'a str,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How it ended, plans and their application included; differences alone are no other end than none.
    pub exit: Exit,
    /// Its facts, where it came to a report.
    pub facts: Option<&'a RunFacts>,
    /// When the rows of each registry's newest whole snapshot were observed.
    pub observed: &'a BTreeMap<RegistryId, Ages>,
    /// The certificates that each registry's line rests on: ours, those of issuers, and the registry's where there was a line.
    pub certificates: &'a BTreeMap<RegistryId, Vec<CertificateFacts>>,
    /// What the run planned.
    pub plans: &'a [PlanSummary],
    /// Steps of applied plans that wait for somebody; nothing where the journal could not be read.
    pub waiting: Option<Waiting>,
}

/// What waits in the journals of runs that are not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Applied plans whose run is not over.
    pub runs: u64,
    /// Their steps that were sent and whose outcome nobody knows.
    pub unknown: u64,
    /// Their steps that the registry has taken and decides on later (1001).
    pub pending: u64,
}

/// One metric with its samples: labels, and the value.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// The exposition of a run. Equal figures give equal bytes.
#[must_use]
pub fn exposition(run: &RunMetrics<'_>) -> String {
    let mut all = of_run(run);
    all.extend(run.facts.map(of_registries).unwrap_or_default());
    all.extend(of_snapshots(run));
    all.extend(of_plans(run));
    let mut text = String::new();
    for family in all.iter().filter(|family| !family.samples.is_empty()) {
        let Family { name, help, samples } = family;
        text.push_str(&format!("# HELP {name} {}\n# TYPE {name} gauge\n", help.replace('\\', r"\\").replace('\n', r"\n")));
        for (labels, value) in samples {
            let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            text.push_str(&format!("{name}{labels} {value}\n"));
        }
    }
    text
}

/// A label's value as it stands between quotation marks.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Seconds since 1970 (UTC), to the millisecond.
fn unix(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1e3
}

fn of_run(run: &RunMetrics<'_>) -> Vec<Family> {
    let one = |name, help, value: f64| Family { name, help, samples: vec![(Vec::new(), value)] };
    let lasted = run.ended.duration_since(run.started).as_secs_f64();
    let version = vec![("version", run.tool_version.to_owned())];
    vec![
        Family { name: "privet_build_info", help: "The version that made the run.", samples: vec![(version, 1.0)] },
        one("privet_run_start_timestamp_seconds", "When the last run began.", unix(run.started)),
        one("privet_run_end_timestamp_seconds", "When the last run ended.", unix(run.ended)),
        one("privet_run_duration_seconds", "How long the last run took.", lasted),
        one("privet_run_exit_code", "The exit code of the last run, differences left aside.", f64::from(run.exit.code())),
    ]
}

/// What the run saw of each registry.
fn of_registries(facts: &RunFacts) -> Vec<Family> {
    let each = |name, help, value: &dyn Fn(&RegistryFacts) -> Option<f64>| {
        let sample = |r: &RegistryFacts| Some((vec![registry(&r.id)], value(r)?));
        Family { name, help, samples: facts.registries.iter().filter_map(sample).collect() }
    };
    let split = |name, help, label: &'static str, values: &dyn Fn(&RegistryFacts) -> Vec<(&'static str, u64)>| {
        let samples = |r: &RegistryFacts| {
            let id = r.id.clone();
            values(r).into_iter().map(move |(what, value)| (vec![registry(&id), (label, what.to_owned())], value as f64))
        };
        Family { name, help, samples: facts.registries.iter().flat_map(samples).collect() }
    };
    let differences = |r: &RegistryFacts| {
        let of = |severity| facts.differences_of(Some(&r.id), severity);
        vec![("material", of(Severity::Material)), ("cosmetic", of(Severity::Cosmetic))]
    };
    let problems = |r: &RegistryFacts| vec![("error", r.problems()), ("warning", r.problems.len() as u64 - r.problems())];
    let bytes = |r: &RegistryFacts| vec![("in", r.line.bytes_in), ("out", r.line.bytes_out)];
    let whole = |r: &RegistryFacts| Some(f64::from(u8::from(r.whole)));
    let exit = |r: &RegistryFacts| Some(f64::from(Exit::worst(r.exits.iter().copied()).code()));
    let offset = |r: &RegistryFacts| Some(r.greeting.as_ref()?.clock_offset_seconds? as f64);
    vec![
        Family { name: "privet_run_warnings", help: "Warnings of the last run.", samples: vec![(Vec::new(), facts.warnings() as f64)] },
        each("privet_registry_whole", "Whether the last run read the registry whole.", &whole),
        each("privet_registry_exit_code", "The worst exit code at the registry.", &exit),
        Family { name: "privet_registry_objects", help: "Objects that were asked for, by what became of them.", samples: objects(facts) },
        each("privet_registry_commands", "Commands that were answered.", &|r| Some(r.line.exchanges as f64)),
        split("privet_registry_frame_bytes", "Bytes of frames.", "direction", &bytes),
        each("privet_registry_sessions", "Sessions that were logged in.", &|r| Some(r.line.sessions_opened as f64)),
        each("privet_registry_reconnects", "Sessions in the place of lost ones.", &|r| Some(r.line.reconnects as f64)),
        split("privet_registry_differences", "Differences between registry and records.", "severity", &differences),
        split("privet_registry_problems", "Problems at the registry.", "severity", &problems),
        each("privet_registry_clock_offset_seconds", "The registry's clock minus ours.", &offset),
    ]
}

/// The objects of each registry, kind and state.
fn objects(facts: &RunFacts) -> Vec<(Vec<(&'static str, String)>, f64)> {
    let mut samples = Vec::new();
    for r in &facts.registries {
        for kind in ObjectKind::ALL {
            let counts = r.counts(kind);
            let states = [
                ("ok", counts.ok),
                ("missing", counts.missing),
                ("unreadable", counts.unreadable),
                ("refused", counts.refused),
                ("unanswered", counts.unanswered()),
            ];
            for (state, count) in states {
                let labels = vec![registry(&r.id), ("object", kind.as_str().to_owned()), ("state", state.to_owned())];
                samples.push((labels, count as f64));
            }
        }
    }
    samples
}

/// The age of what is known of each registry, and how long its line can still be opened.
fn of_snapshots(run: &RunMetrics<'_>) -> Vec<Family> {
    let ages = |name, help, of: fn(&Ages) -> Timestamp| {
        let sample = |(id, ages): (&RegistryId, &Ages)| (vec![registry(id)], unix(of(ages)));
        Family { name, help, samples: run.observed.iter().map(sample).collect() }
    };
    let mut ends = Vec::new();
    for (id, certificates) in run.certificates {
        let mut first: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for certificate in certificates {
            let end = first.entry(&certificate.whose).or_insert(certificate.not_after);
            *end = certificate.not_after.min(*end);
        }
        ends.extend(first.into_iter().map(|(whose, end)| (vec![registry(id), ("whose", whose.to_owned())], unix(end))));
    }
    vec![
        ages("privet_registry_snapshot_oldest_timestamp_seconds", "The oldest row of the newest snapshot.", |ages| ages.oldest),
        ages("privet_registry_snapshot_newest_timestamp_seconds", "The newest row of the newest snapshot.", |ages| ages.newest),
        Family {
            name: "privet_registry_certificate_expiry_timestamp_seconds",
            help: "When the first certificate of the line ends: of the registry, ours, or an issuer's (ca).",
            samples: ends,
        },
    ]
}

/// What the run planned, and what waits for somebody.
fn of_plans(run: &RunMetrics<'_>) -> Vec<Family> {
    let each = |name, help, value: fn(&PlanSummary) -> f64| {
        let sample = |plan: &PlanSummary| (vec![("recipe", plan.recipe.clone())], value(plan));
        Family { name, help, samples: run.plans.iter().map(sample).collect() }
    };
    let one = |name, help, value: fn(&Waiting) -> u64| Family {
        name,
        help,
        samples: run.waiting.iter().map(|waiting| (Vec::new(), value(waiting) as f64)).collect(),
    };
    vec![
        each("privet_plan_operations", "Operations that the last run planned.", |plan| plan.operations as f64),
        each("privet_plan_awaits_review", "Whether a plan with operations was left for review.", |plan| {
            f64::from(u8::from(plan.operations > 0 && plan.left_for_review.is_some()))
        }),
        one("privet_open_runs", "Applied plans whose run is not over.", |waiting| waiting.runs),
        one("privet_steps_unknown", "Steps of those that were sent and whose outcome is not known.", |waiting| waiting.unknown),
        one("privet_steps_pending", "Steps of those that wait for a registry's decision.", |waiting| waiting.pending),
    ]
}

fn registry(id: &RegistryId) -> (&'static str, String) {
    ("registry", id.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::RunId;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn certificate(whose: &str, until: &str) -> CertificateFacts {
        let (subject, fingerprint) = ("CN=somebody".into(), "00".into());
        let not_before = at("2020-01-01T00:00:00Z");
        CertificateFacts { whose: whose.into(), subject, names: Vec::new(), not_before, not_after: at(until), fingerprint }
    }

    #[test]
    fn a_run_that_failed_before_its_report_tells_what_is_known_without_one() {
        let id = RegistryId::from("one");
        let age = Ages { oldest: at("2026-11-20T00:00:00Z"), median: at("2026-11-21T00:00:00Z"), newest: at("2026-11-22T00:00:00.5Z") };
        let certificates = vec![
            certificate("ours", "2027-02-01T00:00:00Z"),
            certificate("ours", "2027-01-01T00:00:00Z"),
            certificate("ca", "2030-01-01T00:00:00Z"),
        ];
        let plan = |recipe: &str, operations, left: Option<&str>| PlanSummary {
            recipe: recipe.to_owned(),
            plan: "plan.ndjson".to_owned(),
            digest: String::new(),
            operations,
            left_for_review: left.map(str::to_owned),
            applied: None,
        };
        let text = exposition(&RunMetrics {
            tool_version: "1.0.0-\"quoted\\",
            started: at("2026-11-23T02:30:00Z"),
            ended: at("2026-11-23T02:30:01.25Z"),
            exit: Exit::Storage,
            facts: None,
            observed: &BTreeMap::from([(id.clone(), age)]),
            certificates: &BTreeMap::from([(id, certificates)]),
            plans: &[plan("lock", 3, Some("left for review")), plan("privacy", 0, Some("nothing to do"))],
            waiting: Some(Waiting { runs: 1, unknown: 2, pending: 3 }),
        });
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_family_without_samples_is_left_out() {
        let nothing = BTreeMap::new();
        let now = at("2026-11-23T02:30:00Z");
        let facts = RunFacts {
            run_id: RunId::new("r".to_owned()),
            tool_version: "1".to_owned(),
            started: now,
            ended: now,
            exit: Exit::Done,
            registries: Vec::new(),
            differences: Vec::new(),
            records: Vec::new(),
            gates: Vec::new(),
            overrides: Vec::new(),
            warnings: Vec::new(),
            warnings_not_kept: 2,
            outputs: Vec::new(),
        };
        let text = exposition(&RunMetrics {
            tool_version: "1",
            started: now,
            ended: now,
            exit: Exit::Done,
            facts: Some(&facts),
            observed: &nothing,
            certificates: &BTreeMap::new(),
            plans: &[],
            waiting: None,
        });
        assert!(
            text.contains("\nprivet_run_warnings 2\n") && !text.contains("privet_registry_") && !text.contains("privet_steps_"),
            "{text}"
        );
    }
}
