//! Two Parquet tables against each other: Privet's file kernel beside DuckDB, each in a process of its own, on the same files.

use crate::measure::{Outcome, cpu, json_of, median, myself, peak_mib};
use crate::report::{Goal, Section, figure};
use privet::base::RegistryId;
use privet::dataset::Kind;
use privet::diff::{DiffSpec, diff_files};
use privet::model::ObjectKind;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The columns that `duckdb_diff.py` makes, as Privet compares them.
const COLUMNS: [(&str, Kind); 11] = [
    ("name", Kind::Text),
    ("org", Kind::Text),
    ("street", Kind::Text),
    ("city", Kind::Text),
    ("sp", Kind::Text),
    ("pc", Kind::Text),
    ("cc", Kind::Country),
    ("voice", Kind::Phone),
    ("fax", Kind::Phone),
    ("email", Kind::Email),
    ("statuses", Kind::Statuses),
];

/// What compares: Privet, or DuckDB by one of two plans.
const PLANS: [&str; 3] = ["Privet", "join", "two-phase"];

/// How DuckDB is reached.
#[derive(Clone, Debug, clap::Args)]
pub struct DiffArgs {
    /// Rows on each side
    #[arg(long, default_value_t = 5_000_000)]
    pub rows: u64,
    /// A Python which has duckdb 2.0.0
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python"))]
    pub python: PathBuf,
}

/// Privet's side, as a child.
pub fn child(left: &Path, right: &Path, out: &Path) -> Outcome<()> {
    let start = Instant::now();
    let spec = DiffSpec {
        registry: RegistryId::new("bench"),
        object: ObjectKind::Contact,
        id: "id".to_owned(),
        columns: COLUMNS.map(|(name, kind)| (name.to_owned(), kind)).to_vec(),
        csv: false,
    };
    diff_files(&[left.to_owned()], &[right.to_owned()], &spec, out)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", json!({ "seconds": seconds, "cpu": cpu()?.as_secs_f64(), "peak_mib": peak_mib()? }));
    Ok(())
}

/// What one comparison took.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    cpu: f64,
    peak: f64,
}

/// Makes the tables unless they are there, then runs all plans on sorted and on shuffled input, `rounds` times in turn. `check` alone
/// runs each once and judges no times.
pub fn bench(dir: &Path, args: &DiffArgs, rounds: usize, check: bool) -> Outcome<Section> {
    let dir = dir.join(format!("rows-{}", args.rows));
    fs::create_dir_all(&dir)?;
    let script = || {
        let mut command = Command::new(&args.python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/duckdb_diff.py"));
        command
    };
    let made = dir.join("made.json");
    if !made.exists() {
        let told = json_of(script().arg("make").arg("--rows").arg(args.rows.to_string()).arg("--dir").arg(&dir))?;
        fs::write(&made, told.to_string())?;
    }
    let mut found = Vec::new();
    for order in ["sorted", "shuffled"] {
        let (left, right) = (dir.join(format!("left-{order}.parquet")), dir.join(format!("right-{order}.parquet")));
        let mut runs = [const { Vec::new() }; PLANS.len()];
        for round in 0..if check { 1 } else { rounds } {
            for (plan, runs) in PLANS.iter().zip(&mut runs) {
                let out = dir.join(format!("{order}-{plan}"));
                let theirs = out.with_extension("parquet");
                let mut command = if *plan == "Privet" {
                    let mut command = myself()?;
                    command.arg("diff-files").arg(&left).arg(&right).arg(&out);
                    command.env("RAYON_NUM_THREADS", "2").env("POLARS_MAX_THREADS", "2");
                    command
                } else {
                    let mut command = script();
                    command.args(["diff", "--plan", plan]).arg("--left").arg(&left).arg("--right").arg(&right).arg("--out").arg(&theirs);
                    command
                };
                runs.push(run(&mut command)?);
                if round == 0 && *plan != "Privet" {
                    let ours = dir.join(format!("{order}-Privet")).join("differences.parquet");
                    json_of(script().arg("check").arg("--ours").arg(ours).arg("--theirs").arg(&theirs))?;
                }
            }
        }
        found.push((order, runs));
    }
    Ok(section(&found, args.rows, rounds, check))
}

fn run(command: &mut Command) -> Outcome<Run> {
    let told = json_of(command)?;
    let number = |key: &str| told[key].as_f64().ok_or_else(|| format!("a child told no {key}"));
    Ok(Run { seconds: number("seconds")?, cpu: number("cpu")?, peak: number("peak_mib")? })
}

fn section(found: &[(&str, [Vec<Run>; PLANS.len()])], rows: u64, rounds: usize, check: bool) -> Section {
    let mut table = Vec::new();
    let mut goals = Vec::new();
    let mut raw = Vec::new();
    for (order, runs) in found {
        let [ours, join, two_phase] = runs;
        // DuckDB's better plan of each round.
        let ratio = median(ours.iter().zip(join.iter().zip(two_phase)).map(|(o, (j, t))| o.seconds / j.seconds.min(t.seconds)));
        let peak = ours.iter().map(|r| r.peak).fold(f64::NAN, f64::max);
        if !check {
            goals.push(Goal::at_most(format!("{order}: wall time of DuckDB's better plan"), ratio, 1.0));
        }
        goals.push(Goal::at_most(format!("{order}: peak memory, MiB"), peak, 512.0));
        for (plan, runs) in PLANS.iter().zip(runs) {
            let of = |get: fn(&Run) -> f64| figure(median(runs.iter().map(get)));
            let who = if *plan == "Privet" { (*plan).to_owned() } else { format!("DuckDB, {plan}") };
            table.push(vec![format!("{order}: {who}"), of(|r| r.seconds), of(|r| r.cpu), of(|r| r.peak)]);
            let runs = runs.iter().map(|r| json!({ "seconds": r.seconds, "cpu": r.cpu, "peak_mib": r.peak }));
            raw.push(json!({ "input": order, "plan": who, "runs": runs.collect::<Value>() }));
        }
    }
    Section {
        title: "Differences",
        how: format!(
            "{} rows of 12 text columns on each side, 2 % of all values changed, 0.5 % of the rows missing on either side; Parquet in, \
             Parquet out, 2 threads, files in the page cache; medians of {} interleaved rounds. Both find exactly the same differences; \
             Privet also normalises, tells cosmetic from material, and sorts its output. DuckDB is 2.0.0 with its default memory.",
            figure(rows as f64),
            if check { 1 } else { rounds },
        ),
        head: vec!["diff", "wall s", "CPU s", "peak MiB"],
        rows: table,
        goals,
        raw: Value::Array(raw),
    }
}
