//! Judging a million contacts beside a pass that only reads them and brings every field into NFC: the same records, the same threads.

use crate::measure::{Outcome, cpu, fresh, json_of, median, myself, peak_mib};
use crate::report::{Goal, Section, figure};
use privet::base::RegistryId;
use privet::dataset::{Format, IngestPlan, Records, Source, columns, ingest};
use privet::job::judge_records;
use privet::model::ObjectKind;
use privet::policy::profile;
use privet::rules::Findings;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;
use unicode_normalization::UnicodeNormalization as _;

/// How many times the time of reading and normalising the judging may take.
const MOST_TIMES: f64 = 3.0;
/// The most resident memory, MiB.
const MOST_MIB: f64 = 512.0;
/// The registries, each called after its profile, and how many contacts of a hundred each has.
const REGISTRIES: [(&str, u64); 5] = [("gtld-thick", 30), ("denic", 25), ("nicit", 20), ("eurid", 15), ("nz", 10)];
/// One contact of so many breaks a rule.
const BAD: u64 = 50;

/// How much is judged.
#[derive(Clone, Debug, clap::Args)]
pub struct ValidateArgs {
    /// Contacts at all registries together
    #[arg(long, default_value_t = 1_000_000)]
    pub contacts: u64,
}

/// One pass over the records in `dir`, as a child: `judge` them, or only `read` and normalise.
pub fn child(what: &str, dir: &Path) -> Outcome<()> {
    let records = Records::open(&dir.join("records"))?;
    let profiles = REGISTRIES.map(|(id, _)| (RegistryId::new(id), profile(id)));
    let start = Instant::now();
    let mut told = json!({});
    if what == "judge" {
        let mut findings = Findings::begin(&dir.join("findings"), false, 0)?;
        for (id, profile) in &profiles {
            judge_records(id, profile.as_ref().map_err(ToString::to_string)?, &records, &mut findings)?;
        }
        let (summary, _) = findings.finish()?;
        told = json!({ "errors": summary.errors, "warnings": summary.warnings, "objects": summary.objects });
    } else {
        let mut bytes = 0;
        for (id, _) in &profiles {
            for kind in ObjectKind::ALL {
                let buckets = (0..records.buckets()).into_par_iter().map(|bucket| {
                    let mut text = String::new();
                    let mut bytes = 0_u64;
                    for row in records.rows(id, kind, bucket).map_err(|e| e.to_string())? {
                        for field in row.fields().flatten() {
                            text.clear();
                            text.extend(field.nfc());
                            bytes += text.len() as u64;
                        }
                    }
                    Ok::<u64, String>(bytes)
                });
                bytes += buckets.try_reduce(|| 0, |a, b| Ok(a + b))?;
            }
        }
        told["bytes"] = bytes.into();
    }
    told["seconds"] = start.elapsed().as_secs_f64().into();
    told["cpu"] = cpu()?.as_secs_f64().into();
    told["peak_mib"] = peak_mib()?.into();
    println!("{told}");
    Ok(())
}

/// Makes the records unless they are there, and runs both passes `rounds` times in turn.
pub fn bench(dir: &Path, args: &ValidateArgs, rounds: usize) -> Outcome<Section> {
    let dir = dir.join(format!("validate-{}", args.contacts));
    if Records::open(&dir.join("records")).is_err() {
        make(&dir, args.contacts)?;
    }
    let mut ratios = Vec::new();
    let mut runs = Vec::new();
    for _ in 0..rounds {
        let [read, judge] = ["read", "judge"].map(|what| json_of(myself()?.arg("validate-pass").arg(what).arg(&dir)));
        let (read, judge) = (read?, judge?);
        ratios.push(number(&judge, "seconds")? / number(&read, "seconds")?);
        runs.push((read, judge));
    }
    let of = |pick: fn(&(Value, Value)) -> &Value, key: &str| runs.iter().map(|run| number(pick(run), key)).collect::<Outcome<Vec<_>>>();
    let peak = of(|run| &run.1, "peak_mib")?.into_iter().fold(f64::NAN, f64::max);
    let mut rows = Vec::new();
    for (name, pick) in [("read, NFC", (|run| &run.0) as fn(&(Value, Value)) -> &Value), ("judge", |run| &run.1)] {
        let cells = ["seconds", "cpu", "peak_mib"].map(|key| of(pick, key).map(|values| figure(median(values))));
        let mut row = vec![name.to_owned()];
        for cell in cells {
            row.push(cell?);
        }
        rows.push(row);
    }
    Ok(Section {
        title: "Validation",
        how: format!(
            "{} contacts at {} registries of as many profiles, one of {BAD} with something to find; both passes read the same buckets of \
             Parquet with the same threads, and judging also writes its findings. Medians of {rounds} interleaved rounds.",
            figure(args.contacts as f64),
            REGISTRIES.len(),
        ),
        head: vec!["pass", "wall s", "CPU s", "peak MiB"],
        rows,
        goals: vec![
            Goal::at_most("judging, times reading and normalising", median(ratios), MOST_TIMES),
            Goal::at_most("peak memory of judging, MiB", peak, MOST_MIB),
        ],
        raw: runs.iter().map(|(read, judge)| json!({ "read": read, "judge": judge })).collect(),
    })
}

fn number(told: &Value, key: &str) -> Outcome<f64> {
    Ok(told[key].as_f64().ok_or_else(|| format!("a child told no {key}"))?)
}

/// Takes synthetic records in.
fn make(dir: &Path, contacts: u64) -> Outcome<()> {
    fresh(dir)?;
    let path = dir.join("contacts.csv");
    let names: Vec<&str> = ["registry", "id"].into_iter().chain(columns(ObjectKind::Contact).iter().map(|c| c.name)).collect();
    let mut out = BufWriter::new(fs::File::create(&path)?);
    writeln!(out, "{}", names.join(","))?;
    for n in 0..contacts {
        let one = contact(n);
        let cells: Vec<&str> = names.iter().map(|name| one.get(name).map_or("", String::as_str)).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    out.into_inner()?.sync_all()?;
    let source = Source { format: Some(Format::Csv), ..Source::of(vec![path]) };
    let registries = REGISTRIES.iter().map(|(id, _)| RegistryId::new(*id)).collect();
    let plan = IngestPlan { contacts: Some(source), domains: None, registries, previous: None, min_rows_share: 0.0, origin: None };
    let records: PathBuf = dir.join("records");
    ingest(&plan, &records).map_err(|problems| problems.to_string())?;
    Ok(())
}

/// The contact with that number, by column.
fn contact(n: u64) -> BTreeMap<&'static str, String> {
    const NAMES: [&str; 10] = [
        "Anna Smith",
        "Jörg Müller",
        "Mario Rossi",
        "Élodie Prévost",
        "John O'Hara",
        "Łucja Żółtowska",
        "Eva Berg",
        "Ιωάννα Παππά",
        "Tom Wood",
        "Zoë Noël",
    ];
    const STREETS: [&str; 6] = ["Lindenstraße", "Main Street", "Via dell'Università", "rue des Prés", "Market Lane", "Am Mühlbach"];
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let mut share = mixed % 100;
    let registry = REGISTRIES.iter().find(|(_, of)| share.checked_sub(*of).map(|rest| share = rest).is_none()).map_or("nz", |(id, _)| id);
    let pick = |from: &[&'static str], salt: u64| from[((mixed >> 3 ^ salt) % from.len() as u64) as usize];
    let (mut name, street) = (pick(&NAMES, 1).to_owned(), format!("{} {}", pick(&STREETS, 2), 1 + mixed % 99));
    if n % BAD == 7 {
        name.push_str([" 😀", "\u{a0}", " Pаul", " e\u{301}"][(n / BAD % 4) as usize]);
    }
    let mut out = BTreeMap::new();
    let mut set = |column: &'static str, value: &str| out.insert(column, value.to_owned());
    set("registry", registry);
    set("id", &if registry == "denic" { format!("DENIC-1000002-{n}") } else { format!("C{n:08}") });
    set("loc_name", &name);
    set("loc_street1", &street);
    let [city, sp, pc, cc] = if registry == "nicit" { ["Roma", "RM", "00184", "IT"] } else { ["Köln", "", "50667", "DE"] };
    for (column, value) in [("loc_city", city), ("loc_sp", sp), ("loc_pc", pc), ("loc_cc", cc)] {
        set(column, value);
    }
    if registry == "gtld-thick" {
        for (column, value) in
            [("int_name", "Anna Smith"), ("int_street1", "Main Street 1"), ("int_city", "Koeln"), ("int_pc", pc), ("int_cc", cc)]
        {
            set(column, value);
        }
    }
    set("voice", &format!("+49.221{:07}", mixed % 10_000_000));
    set("email", &format!("c{n}@example.org"));
    let properties = match registry {
        "denic" => "type=PERSON",
        "nicit" => "consentForPublishing=false;entityType=1;nationalityCode=IT;regCode=RSSMRA80A01H501U",
        "eurid" => "lang=de;naturalPerson=true;type=registrant",
        _ => "",
    };
    set("properties", properties);
    out
}
