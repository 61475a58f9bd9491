//! Privet beside its peers and beside raw floors, on this machine, now. README.md tells how to run it.

mod apply;
mod codec;
mod diff;
mod fixture;
mod journal;
mod line;
mod measure;
mod officer;
mod plan;
mod pull;
mod report;
mod simulate;
mod validate;

use clap::{Parser, Subcommand};
use measure::Outcome;
use report::Section;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures Privet beside its peers and beside raw floors")]
struct Args {
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
    /// How often everything is measured, in turn
    #[arg(long, global = true)]
    rounds: Option<usize>,
    /// Where data is made and kept
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/data"))]
    data: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// contact:info over TLS, beside instant-epp and a bare scan
    Line {
        /// How long each client is measured in a round, in milliseconds
        #[arg(long, default_value_t = 2500)]
        run_ms: u64,
    },
    /// Decoding and encoding in memory, beside quick-xml and instant-epp
    Codec,
    /// Comparing two Parquet tables, beside DuckDB
    Diff {
        #[command(flatten)]
        args: diff::DiffArgs,
        /// Only see to it that both find the same
        #[arg(long)]
        check: bool,
    },
    /// Whole pulls from bundled registries: memory and time by size
    Pull(pull::PullArgs),
    /// Judging records, beside reading and normalising them
    Validate(validate::ValidateArgs),
    /// The lock recipe applied over TLS, beside the bare commands of the same sessions
    Apply,
    /// Large plans made and shown: memory and time by size
    Plan(plan::PlanArgs),
    /// Opening the journal of a long run, beside one SELECT that hashes it
    Journal(journal::JournalArgs),
    /// The reports of an officer over many subjects, beside one pass over the same files
    Officer(officer::OfficerArgs),
    /// What `privet simulate` predicts, beside what the same pools take over TLS
    Simulate,
    /// Everything; also writes bench/last.json and prints Markdown
    All {
        #[command(flatten)]
        args: diff::DiffArgs,
        #[command(flatten)]
        pull: pull::PullArgs,
        #[command(flatten)]
        validate: validate::ValidateArgs,
        #[command(flatten)]
        plan: plan::PlanArgs,
        #[command(flatten)]
        journal: journal::JournalArgs,
        #[command(flatten)]
        officer: officer::OfficerArgs,
    },
    /// Serves a registry until standard input ends
    #[command(hide = true)]
    Serve(line::ServeArgs),
    /// One client of `line`
    #[command(hide = true)]
    Client(line::ClientArgs),
    /// Privet's side of `diff`
    #[command(hide = true)]
    DiffFiles { left: PathBuf, right: PathBuf, out: PathBuf },
    /// One registry of `pull`
    #[command(hide = true)]
    ServeState(line::State),
    /// The job of `pull`
    #[command(hide = true)]
    PullJob { config: PathBuf },
    /// One pass of `validate`: judge, or read
    #[command(hide = true)]
    ValidatePass { what: String, dir: PathBuf },
    /// One client of `apply`
    #[command(hide = true)]
    ApplyPass(apply::ApplyArgs),
    /// The data of `plan`
    #[command(hide = true)]
    PlanFixture { dir: PathBuf, operations: u64 },
    /// One pass of `plan`: make, or show
    #[command(hide = true)]
    PlanPass { what: String, dir: PathBuf },
    /// One pass of `journal`: open, or hash
    #[command(hide = true)]
    JournalPass { what: String, dir: PathBuf },
    /// The data of `officer`
    #[command(hide = true)]
    OfficerFixture { dir: PathBuf, subjects: u64 },
    /// One pass of `officer`: floor, or reports
    #[command(hide = true)]
    OfficerPass { what: String, dir: PathBuf },
    /// Does one thing of `codec` so many times, for a profiler
    #[command(hide = true)]
    Spin { what: String, times: u64 },
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => code,
        Err(e) => {
            eprintln!("privet-bench: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Outcome<ExitCode> {
    let (rounds, data) = (args.rounds, args.data);
    let (sections, all) = match args.what {
        What::Line { run_ms } => (vec![line::bench(&data, rounds.unwrap_or(5), run_ms)?], false),
        What::Codec => (vec![codec::bench(rounds.unwrap_or(31))?], false),
        What::Diff { args: duckdb, check } => (vec![diff::bench(&data, &duckdb, rounds.unwrap_or(3), check)?], false),
        What::Pull(args) => (vec![pull::bench(&data, &args)?], false),
        What::Validate(args) => (vec![validate::bench(&data, &args, rounds.unwrap_or(3))?], false),
        What::Apply => (vec![apply::bench(&data, rounds.unwrap_or(5))?], false),
        What::Plan(args) => (vec![plan::bench(&data, &args)?], false),
        What::Journal(args) => (vec![journal::bench(&data, &args, rounds.unwrap_or(5))?], false),
        What::Officer(args) => (vec![officer::bench(&data, &args, rounds.unwrap_or(3))?], false),
        What::Simulate => (vec![simulate::bench(&data, rounds.unwrap_or(3))?], false),
        What::All { args: duckdb, pull, validate, plan, journal, officer } => {
            let line = line::bench(&data, rounds.unwrap_or(5), 2500)?;
            let codec = codec::bench(rounds.unwrap_or(31))?;
            let diff = diff::bench(&data, &duckdb, rounds.unwrap_or(3), false)?;
            let validate = validate::bench(&data, &validate, rounds.unwrap_or(3))?;
            let apply = apply::bench(&data, rounds.unwrap_or(5))?;
            let journal = journal::bench(&data, &journal, rounds.unwrap_or(5))?;
            let (pull, plan) = (pull::bench(&data, &pull)?, plan::bench(&data, &plan)?);
            let officer = officer::bench(&data, &officer, rounds.unwrap_or(3))?;
            let simulate = simulate::bench(&data, rounds.unwrap_or(3))?;
            (vec![line, codec, diff, pull, validate, apply, plan, journal, officer, simulate], true)
        }
        What::Serve(serve) => return line::serve(&serve).map(|()| ExitCode::SUCCESS),
        What::Client(client) => return line::client(&client).map(|()| ExitCode::SUCCESS),
        What::DiffFiles { left, right, out } => return diff::child(&left, &right, &out).map(|()| ExitCode::SUCCESS),
        What::ServeState(state) => return line::serve_state(&state).map(|()| ExitCode::SUCCESS),
        What::ValidatePass { what, dir } => return validate::child(&what, &dir).map(|()| ExitCode::SUCCESS),
        What::ApplyPass(args) => return apply::child(&args).map(|()| ExitCode::SUCCESS),
        What::PlanFixture { dir, operations } => return plan::make(&dir, operations).map(|()| ExitCode::SUCCESS),
        What::PlanPass { what, dir } => return plan::child(&what, &dir).map(|()| ExitCode::SUCCESS),
        What::OfficerFixture { dir, subjects } => return officer::make(&dir, subjects).map(|()| ExitCode::SUCCESS),
        What::OfficerPass { what, dir } => return officer::child(&what, &dir).map(|()| ExitCode::SUCCESS),
        What::JournalPass { what, dir } => return journal::child(&what, &dir).map(|()| ExitCode::SUCCESS),
        What::PullJob { config } => return pull::child(&config).map(|()| ExitCode::SUCCESS),
        What::Spin { what, times } => return codec::spin(&what, times).map(|()| ExitCode::SUCCESS),
    };
    print(&sections, args.json, all)
}

/// Prints what was found. A missed goal is told by the exit code 1, so that a script can tell.
fn print(sections: &[Section], as_json: bool, all: bool) -> Outcome<ExitCode> {
    let machine = measure::machine();
    let whole = json!({ "machine": machine, "sections": sections.iter().map(Section::json).collect::<Vec<_>>() });
    let on = format!(
        "{} cores of {}, {} GiB, load {} at the end (the bench's own included)",
        machine["cores"],
        machine["processor"].as_str().unwrap_or("an unknown processor"),
        machine["memory_gib"],
        machine["load"],
    );
    if all {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/last.json"), serde_json::to_string_pretty(&whole)? + "\n")?;
    }
    if as_json {
        println!("{whole}");
    } else if all {
        println!("Measured on {on}.\n");
        sections.iter().for_each(|s| println!("{}", s.markdown()));
    } else {
        sections.iter().for_each(|s| println!("{}", s.text()));
        println!("Measured on {on}.");
    }
    let kept = sections.iter().flat_map(|s| &s.goals).all(report::Goal::is_kept);
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
