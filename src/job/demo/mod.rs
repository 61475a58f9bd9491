//! The demo: the nightly job and a migration against bundled registries on this machine, judged by the truth its seed planted.

mod asking;
mod change;
mod officer;

use super::config::Config;
use super::validate::{ValidateOptions, validate};
use super::{Context, Ended, night, report_protection, report_retention};
use crate::base::{Blame, Clock, Exit, Moment, Problem, Problems, Result, Timestamp, create_private_dir, remove_tree, write_atomic};
use crate::mock::{self, Knobs, Served};
use crate::synth::{self, SynthOptions, SynthReport};
use change::change;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use officer::{cases, officer};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a directory that a demo made holds, so that the next one may make it anew.
const MARKER: &str = ".privet-demo";

/// How long a demo may take on a slow machine.
const TAKES: SignedDuration = SignedDuration::from_hours(1);

/// What to demonstrate.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Where everything is left.
    pub out: PathBuf,
    /// Contacts at the registries together.
    pub contacts: u64,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// This program: it is started once more to apply a plan, and killed.
    pub program: PathBuf,
}

/// Makes a fleet, serves its registries on loopback, runs the nightly job against them and compares what it found with the truth.
///
/// # Errors
/// Whatever keeps the job from ending; `E-demo-002` where it ended otherwise than its seed says it must.
pub fn demo(options: &DemoOptions, ctx: &Context) -> Result<Ended, Problems> {
    let ctx = &Context { clock: of_one_day(&ctx.clock), ..ctx.clone() };
    let out = prepare(&options.out)?;
    let synth = SynthOptions { contacts: options.contacts, seed: options.seed, change_rate: 0.02, today: ctx.clock.wall() };
    let made = synth::write(&out, &synth)?;
    let served = serve(&out, &made, options.seed, ctx)?;
    let ports: BTreeMap<String, u16> = served.iter().map(|(id, served)| (id.clone(), served.address.port())).collect();
    write_atomic(&out.join("privet.toml"), synth::config(&ports).as_bytes())?;
    let loaded = Config::load(&out.join("privet.toml"), &[], &|_| None)?;
    let mut ended = night::run(&loaded, ctx)?;
    // Differences are what a demo is about; that they are pending is no failure.
    ended.exits.retain(|exit| *exit != Exit::ChangesPending);
    if ended.exit() == Exit::Stopped {
        return Ok(ended);
    }
    judge(&out, &ended)?;
    let judged = validate(&loaded, ctx, ValidateOptions { snapshot: false, show_suggestions: false, warnings_count: true, dns: false })?;
    if judged.ended.exit() == Exit::Stopped {
        return Ok(judged.ended);
    }
    same(&out.join("truth/violations.csv"), &judged.dir.join("findings.csv"), &VIOLATION, "violations of the registries' rules", &[])?;
    let watched = report_protection(&loaded, ctx)?;
    if watched.exit() == Exit::Stopped {
        return Ok(watched);
    }
    let tables = watched.json.get("reports").and_then(serde_json::Value::as_str).map(PathBuf::from).unwrap_or_default();
    let leaks = out.join("truth/leaks.csv");
    let kind = |kind| [("kind", Is::Only(kind))];
    same(&leaks, &tables.join("role-leaks.csv"), &LEAK, "roles that show a protected registrant", &kind("role"))?;
    same(&leaks, &tables.join("orphan-proxies.csv"), &ORPHAN, "proxy contacts that no domain names", &kind("orphan"))?;
    cases(&loaded, &out, ctx)?;
    let kept = report_retention(&loaded, ctx, None)?;
    if kept.exit() == Exit::Stopped {
        return Ok(kept);
    }
    let tables = kept.json.get("reports").and_then(serde_json::Value::as_str).map(PathBuf::from).unwrap_or_default();
    let (retention, told) = (out.join("truth/retention.csv"), tables.join("retention.csv"));
    same(&retention, &told, &RETENTION, "items that no service needs", &[("state", Is::Not("active")), ("registry", Is::Not(""))])?;
    let logs: Vec<PathBuf> = served.keys().map(|id| commit_log(&out, id)).collect();
    let changed = change(options, &loaded, &out, &logs, ctx)?;
    if changed.stopped {
        ended.exits = vec![Exit::Stopped];
        ended.text = changed.text;
        return Ok(ended);
    }
    let signed = officer(&loaded, &out, ctx)?;
    ended.text.push_str(&format!(
        "\nEvery planted difference was found, and nothing else: {} of them, listed in {}\n\
         Every planted violation of a registry's rules was found, and nothing else: {} of them, listed in {}\n\
         Every role that shows a protected registrant was found, and nothing else: {} of them; so was every proxy contact that\n\
         no domain names: {} of them, listed in {}\n\
         Of every contact that no service needs, the retention report said what the data call for: {} of them, listed in {}\n\
         {}\n\
         {signed}\n\n\
         configuration  {}\nlocal records  {}\nreport         {}\n",
        made.differences,
        out.join("truth/differences.csv").display(),
        made.violations,
        out.join("truth/violations.csv").display(),
        made.leaks,
        made.orphans,
        leaks.display(),
        made.unneeded,
        retention.display(),
        changed.text,
        out.join("privet.toml").display(),
        out.join("records").display(),
        ended.json.get("reports").and_then(serde_json::Value::as_str).map_or_else(String::new, |dir| format!("{dir}/index.html")),
    ));
    // The job's own code stands in the JSON; the demo did what it was to do.
    ended.exits = vec![Exit::Done];
    Ok(ended)
}

/// A clock so far behind another one.
struct Behind(Arc<dyn Clock>, SignedDuration);

impl Clock for Behind {
    fn moment(&self) -> Moment {
        self.0.moment()
    }

    fn wall(&self) -> Timestamp {
        self.0.wall().checked_sub(self.1).unwrap_or(Timestamp::MIN)
    }
}

/// The clock of a demo. What is planted has time limits that are counted from its day, and each report counts them anew: a demo that is
/// begun shortly before midnight is one of an hour before.
fn of_one_day(clock: &Arc<dyn Clock>) -> Arc<dyn Clock> {
    let now = clock.wall().to_zoned(TimeZone::UTC);
    let is_late = now.checked_add(TAKES).is_ok_and(|end| end.date() != now.date());
    if is_late { Arc::new(Behind(Arc::clone(clock), TAKES)) } else { Arc::clone(clock) }
}

/// An empty directory at `out`. Only what a demo made is made anew.
fn prepare(out: &Path) -> Result<PathBuf> {
    if out.join(MARKER).exists() {
        remove_tree(out)?;
    } else if std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        let what = "the directory is not empty and no demo made it; nothing is overwritten";
        return Err(Problem::new("E-demo-001", Blame::Operator, what, "name another one with --out").file(out));
    }
    create_private_dir(out)?;
    write_atomic(&out.join(MARKER), b"made by `privet demo`, which may remove it\n")?;
    out.canonicalize().map_err(|e| Problem::storage("E-demo-001", out, "look at the directory", &e))
}

/// Serves every registry of the data on a free port.
fn serve(out: &Path, made: &SynthReport, seed: u64, ctx: &Context) -> Result<BTreeMap<String, Served>> {
    let mut all = BTreeMap::new();
    for registry in &made.registries {
        let options = mock::Options {
            profile: registry.profile.clone(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state: out.join("states").join(&registry.id),
            commit_log: Some(commit_log(out, &registry.id)),
            transcript: None,
            knobs: Knobs::default(),
            seed,
        };
        all.insert(registry.id.clone(), mock::start(options, Arc::clone(&ctx.clock))?);
    }
    Ok(all)
}

/// Where a registry tells which changes took effect.
fn commit_log(out: &Path, id: &str) -> PathBuf {
    out.join("states").join(id).join("commits.ndjson")
}

/// Compares the job's end and its material differences with what was planted.
fn judge(out: &Path, ended: &Ended) -> Result<()> {
    let wrong = |what: String| Problem::new("E-demo-002", Blame::Us, what, "report this with the seed and the number of contacts");
    if ended.exit() != Exit::Done {
        return Err(wrong(format!("the job ended with {:?}, which nothing in the data calls for", ended.exit())));
    }
    let reports = ended.json.get("reports").and_then(serde_json::Value::as_str).map(PathBuf::from).unwrap_or_default();
    same(
        &out.join("truth/differences.csv"),
        &reports.join("differences.csv"),
        &DIFFERENCE,
        "differences",
        &[("severity", Is::Only("material"))],
    )
}

/// The columns of planted differences.
const DIFFERENCE: [&str; 7] = ["registry", "object", "id", "field", "local", "remote", "kind"];
/// The columns of planted violations.
const VIOLATION: [&str; 7] = ["registry", "object", "id", "field", "rule", "position", "code_point"];

/// The columns of planted leaks.
const LEAK: [&str; 4] = ["registry", "domain", "role", "handle"];

/// The columns of planted proxy contacts that no domain names.
const ORPHAN: [&str; 3] = ["registry", "domain", "handle"];

/// The columns of what retention says of contacts.
const RETENTION: [&str; 6] = ["registry", "object", "cluster", "state", "keep_until", "must_go_by"];

/// Which rows count, by the value of a column where there is such a column.
#[derive(Clone, Copy)]
enum Is {
    /// Those with that value.
    Only(&'static str),
    /// Those with another.
    Not(&'static str),
}

/// Columns with what is wanted of them.
type Wanted<'a> = &'a [(&'a str, Is)];

/// Compares what was planted with what was found, in the truth's columns.
fn same(truth: &Path, told: &Path, columns: &[&str], what: &str, only: Wanted<'_>) -> Result<()> {
    let (planted, found) = (rows(truth, columns, only)?, rows(told, columns, only)?);
    if planted == found {
        return Ok(());
    }
    let (missed, extra) = (planted.difference(&found).count(), found.difference(&planted).count());
    let what = format!("{missed} of {} planted {what} were not found, and {extra} were found that nobody planted", planted.len());
    Err(Problem::new("E-demo-002", Blame::Us, what, "report this with the seed and the number of contacts"))
}

/// The rows of a file in `columns`.
fn rows(path: &Path, columns: &[&str], only: Wanted<'_>) -> Result<BTreeSet<Vec<String>>> {
    let broken = |e: csv::Error| Problem::new("E-demo-003", Blame::Us, format!("cannot read: {e}"), "report this as a bug").file(path);
    let mut reader = csv::Reader::from_path(path).map_err(broken)?;
    let header = reader.headers().map_err(broken)?.clone();
    let at: Vec<Option<usize>> = columns.iter().map(|c| header.iter().position(|h| h == *c)).collect();
    let only: Vec<(usize, Is)> = only.iter().filter_map(|(column, is)| Some((header.iter().position(|h| h == *column)?, *is))).collect();
    let mut all = BTreeSet::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let counts = |(at, is): &(usize, Is)| match is {
            Is::Only(value) => record.get(*at) == Some(value),
            Is::Not(value) => record.get(*at) != Some(value),
        };
        if only.iter().all(counts) {
            all.insert(at.iter().map(|at| at.and_then(|at| record.get(at)).unwrap_or_default().to_owned()).collect());
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Standing(Timestamp);

    impl Clock for Standing {
        fn moment(&self) -> Moment {
            Moment::ZERO
        }

        fn wall(&self) -> Timestamp {
            self.0
        }
    }

    #[test]
    fn a_demo_is_of_one_day_however_late_it_is_begun() {
        for (now, shown) in [
            ("2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("2026-11-23T22:59:59Z", "2026-11-23T22:59:59Z"),
            ("2026-11-23T23:00:00Z", "2026-11-23T22:00:00Z"),
            ("2026-11-23T23:59:59Z", "2026-11-23T22:59:59Z"),
        ] {
            let clock: Arc<dyn Clock> = Arc::new(Standing(now.parse().expect("a time")));
            assert_eq!(of_one_day(&clock).wall().to_string(), shown);
        }
    }
}
