//! The reports that an officer signs, over many subjects, beside a pass that reads the same files, computes every fingerprint and groups:
//! the same records, snapshot and ledger, each in a process of its own which measures itself.

use crate::fixture::{Fixture, Size, context};
use crate::measure::{Outcome, cpu, json_of, median, myself, peak_mib};
use crate::report::{Goal, Section, figure};
use privet::base::{RegistryId, SystemEntropy};
use privet::compliance::{Fingerprint, Ledger};
use privet::dataset::{ContactField, IngestPlan, Records, Row, Snapshot, ingest};
use privet::job::{self, Ended};
use privet::model::ObjectKind;
use privet::report::TableForms;
use privet::store::SqliteStore;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::time::Instant;

/// How many times the time of that pass all reports together may take.
const MOST_TIMES: f64 = 5.0;
/// The most resident memory, MiB.
const MOST_MIB: f64 = 2048.0;
/// The most time for each subject at the last size, of that at the first: time grows with the subjects, and no faster.
const MOST_GROWTH: f64 = 1.3;
/// The passes.
const PASSES: [&str; 2] = ["floor", "reports"];

/// How much is reported on.
#[derive(Clone, Debug, clap::Args)]
pub struct OfficerArgs {
    /// Subjects, by comma: each a contact with a domain of its own
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 1_000_000])]
    pub subjects: Vec<u64>,
}

/// Makes the data, as a child: what that takes is not measured.
pub fn make(dir: &Path, subjects: u64) -> Outcome<()> {
    Fixture::make(dir, Size { domains: subjects, registrants: None })?;
    println!("{{}}");
    Ok(())
}

/// One pass over what is in `dir`, as a child.
pub fn child(what: &str, dir: &Path) -> Outcome<()> {
    let start = Instant::now();
    let mut told = if what == "floor" { floor(dir)? } else { reports(dir)? };
    told["seconds"] = start.elapsed().as_secs_f64().into();
    told["cpu"] = cpu()?.as_secs_f64().into();
    told["peak_mib"] = peak_mib()?.into();
    println!("{told}");
    Ok(())
}

/// Takes the records in as every report does, reads both sides, and counts the fingerprints by country.
fn floor(dir: &Path) -> Outcome<Value> {
    let fixture = Fixture::at(dir);
    let (loaded, _) = context(&fixture.config())?;
    let records = &loaded.config.records;
    let registries: BTreeSet<RegistryId> = loaded.config.registries.keys().cloned().collect();
    let plan = IngestPlan {
        contacts: records.contacts.clone(),
        domains: records.domains.clone(),
        registries,
        previous: None,
        min_rows_share: 0.0,
        origin: None,
    };
    let into = dir.join("floor-records");
    if into.exists() {
        std::fs::remove_dir_all(&into)?;
    }
    let taken: Records = ingest(&plan, &into).map_err(|problems| problems.to_string())?.records;
    let mut store = SqliteStore::open(&fixture.store())?;
    let mut ledger = Ledger::open(&mut store)?;
    let mut groups: BTreeMap<String, HashSet<String>> = BTreeMap::new();
    let mut count = 0_u64;
    let mut take = |row: &Row| -> Outcome<()> {
        if let Some(person) = Fingerprint::of_row(row) {
            let pseudonym = ledger.pseudonym(&person, &mut SystemEntropy::new()).map_err(|e| e.to_string())?;
            let country = [ContactField::LocCc, ContactField::IntCc].iter().find_map(|field| row.get(field.at())).unwrap_or_default();
            groups.entry(country.to_owned()).or_default().insert(pseudonym);
            count += 1;
        }
        Ok(())
    };
    for id in loaded.config.registries.keys() {
        for kind in ObjectKind::ALL {
            for bucket in 0..taken.buckets() {
                for row in taken.rows(id, kind, bucket)? {
                    if kind == ObjectKind::Contact {
                        take(&row)?
                    }
                }
            }
            let Some(snapshot) = Snapshot::newest(&loaded.config.state, id)? else { continue };
            for bucket in 0..snapshot.buckets() {
                for seen in snapshot.rows(kind, bucket)? {
                    if kind == ObjectKind::Contact {
                        take(&seen.row)?
                    }
                }
            }
        }
    }
    Ok(json!({ "fingerprints": count, "groups": groups.len(), "persons": groups.values().map(HashSet::len).sum::<usize>() }))
}

/// A report verb.
type Verb = fn(&job::config::Loaded, &job::Context) -> Result<Ended, privet::base::Problems>;

/// Every report on subjects, one after the other, each in all its forms.
fn reports(dir: &Path) -> Outcome<Value> {
    let (mut loaded, ctx) = context(&Fixture::at(dir).config())?;
    // What is measured is the tables in Parquet; a page, a workbook and a PDF have the first rows of each, however many there are.
    loaded.config.tables = TableForms { csv: false, json: false, parquet: true };
    let verbs: [(&str, Verb); 7] = [
        ("retention", |loaded, ctx| job::report_retention(loaded, ctx, None)),
        ("exposure", |loaded, ctx| job::report_exposure(loaded, ctx, None)),
        ("record", job::report_record),
        ("registers", |loaded, ctx| job::report_registers(loaded, ctx, None)),
        ("erasure", job::report_erasure),
        ("consent", job::report_consent),
        ("oversight", job::report_oversight),
    ];
    let mut each = BTreeMap::new();
    for (name, verb) in verbs {
        let start = Instant::now();
        verb(&loaded, &ctx).map_err(|problems| format!("{name}: {problems}"))?;
        each.insert(name, start.elapsed().as_secs_f64());
    }
    // What is left is not read again by the next round.
    std::fs::remove_dir_all(&loaded.config.reports)?;
    Ok(json!({ "each": each }))
}

/// Runs both passes at each size, `rounds` times in turn.
pub fn bench(dir: &Path, args: &OfficerArgs, rounds: usize) -> Outcome<Section> {
    let mut rows = Vec::new();
    let mut goals = Vec::new();
    let mut raw = Vec::new();
    let mut per_subject = Vec::new();
    for &subjects in &args.subjects {
        let dir = dir.join(format!("officer-{subjects}"));
        let done = dir.join("made");
        if !done.exists() {
            json_of(myself()?.arg("officer-fixture").arg(&dir).arg(subjects.to_string()))?;
            std::fs::write(&done, "")?;
        }
        let mut runs: Vec<[Value; 2]> = Vec::new();
        for _ in 0..rounds {
            let [floor, reports] = PASSES.map(|what| json_of(myself()?.arg("officer-pass").arg(what).arg(&dir)));
            runs.push([floor?, reports?]);
        }
        // Once in the records and once in the snapshot; of invented people, a few are called and reached alike.
        if runs.iter().any(|[floor, _]| floor["fingerprints"].as_u64() != Some(2 * subjects)) {
            return Err(format!("the pass did not meet {subjects} subjects on both sides: {}", runs[0][0]).into());
        }
        let of = |at: usize, key: &str| runs.iter().map(|run| number(&run[at], key)).collect::<Outcome<Vec<_>>>();
        for (at, what) in PASSES.into_iter().enumerate() {
            let mut row = vec![figure(subjects as f64), what.to_owned()];
            for key in ["seconds", "cpu", "peak_mib"] {
                row.push(figure(median(of(at, key)?)));
            }
            rows.push(row);
        }
        let ratios = runs.iter().map(|[floor, reports]| Ok(number(reports, "seconds")? / number(floor, "seconds")?));
        let ratio = median(ratios.collect::<Outcome<Vec<_>>>()?);
        let peak = of(1, "peak_mib")?.into_iter().fold(f64::NAN, f64::max);
        // Pages and PDFs have the first 10,000 rows of each table, and take as long at any size: the tables are what grows.
        if Some(&subjects) == args.subjects.iter().max() {
            goals.push(Goal::at_most(format!("{} subjects: all reports, times the pass", figure(subjects as f64)), ratio, MOST_TIMES));
        }
        goals.push(Goal::at_most(format!("{} subjects: peak memory, MiB", figure(subjects as f64)), peak, MOST_MIB));
        per_subject.push(median(of(1, "seconds")?) / subjects as f64);
        raw.extend(runs.iter().map(|[floor, reports]| json!({ "subjects": subjects, "floor": floor, "reports": reports })));
    }
    if let [first, .., last] = per_subject.as_slice() {
        goals.push(Goal::at_most("time for each subject at the last size, of that at the first", last / first, MOST_GROWTH));
    }
    Ok(Section {
        title: "The reports of an officer",
        how: format!(
            "Retention, exposure, record, registers, erasure, consent and oversight one after the other, each with its tables as Parquet, its page, its \
             workbook and its PDF, beside one pass that takes the same records in, reads them and the snapshot, computes the keyed fingerprint \
             of every contact and counts them by country. Medians of {rounds} interleaved rounds."
        ),
        head: vec!["subjects", "pass", "wall s", "CPU s", "peak MiB"],
        rows,
        goals,
        raw: Value::Array(raw),
    })
}

fn number(told: &Value, key: &str) -> Outcome<f64> {
    Ok(told[key].as_f64().ok_or_else(|| format!("a child told no {key}"))?)
}
