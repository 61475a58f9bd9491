//! Where personal data and secrets may go: a whole night over records and registries in which every personal value is one of a kind,
//! then a search for each of them in every byte that was written.

use crate::served::{REGISTRIES, THICK, World};
use privet::base::write_atomic;
use privet::dataset::columns;
use privet::model::ObjectKind;
use privet::synth;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The shortest value that is searched for: shorter ones are words of the language.
const SHORTEST: usize = 8;

/// Texts to search for, by their first bytes, so that a search reads every byte once.
pub(crate) struct Markers {
    by_head: HashMap<[u8; SHORTEST], Vec<String>>,
    count: usize,
}

impl Markers {
    pub(crate) fn new(all: &BTreeSet<String>) -> Self {
        let mut by_head: HashMap<[u8; SHORTEST], Vec<String>> = HashMap::new();
        let lower: BTreeSet<String> = all.iter().map(|text| text.to_ascii_lowercase()).filter(|t| t.len() >= SHORTEST).collect();
        let count = lower.len();
        for text in lower {
            let head = *text.as_bytes().first_chunk().expect("long enough");
            by_head.entry(head).or_default().push(text);
        }
        Self { by_head, count }
    }

    /// The markers in `bytes`, whatever their case.
    pub(crate) fn within(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let lower = bytes.to_ascii_lowercase();
        let heads = lower.windows(SHORTEST).enumerate();
        let near = heads.filter_map(|(at, head)| Some((at, self.by_head.get(head)?)));
        near.flat_map(|(at, texts)| texts.iter().filter(move |t| lower_at(bytes, at, t))).map(String::as_str).collect()
    }
}

fn lower_at(bytes: &[u8], at: usize, text: &str) -> bool {
    bytes.get(at..at + text.len()).is_some_and(|there| there.eq_ignore_ascii_case(text.as_bytes()))
}

/// Replaces every personal value of the contacts table by one that stands nowhere else and has its form; gives them all.
pub(crate) fn mark(table: &Path) -> BTreeSet<String> {
    let personal: BTreeSet<&str> = columns(ObjectKind::Contact).iter().filter(|c| c.personal).map(|c| c.name).collect();
    let mut reader = csv::Reader::from_path(table).expect("a table");
    let header = reader.headers().expect("a header").clone();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).expect("written");
    let mut markers = BTreeSet::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.expect("a row");
        let cells = record.iter().zip(&header).enumerate().map(|(column, (value, name))| {
            if value.is_empty() || !personal.contains(name) || name.ends_with("_cc") {
                return value.to_owned();
            }
            let marker = match name {
                // A form that warns here and there, so that a warning has something to hold back.
                "voice" | "fax" if row % 9 == 4 => format!("00{row:05}55{column:02}77"),
                "voice" | "fax" => format!("+999.{row:05}55{column:02}"),
                "email" if row % 9 == 5 => format!("Marker.{row}.{column}@Marked.Example"),
                "email" => format!("marker{row}x{column}@marked.example"),
                "properties" => {
                    let marker = format!("MARKER-{row}-{column}-end");
                    markers.insert(marker.clone());
                    return format!("regCode={marker}");
                }
                _ => format!("MARKER-{row}-{column}-end"),
            };
            markers.insert(marker.clone());
            marker
        });
        writer.write_record(cells.collect::<Vec<_>>()).expect("written");
    }
    write_atomic(table, &writer.into_inner().expect("flushed")).expect("put in place");
    markers
}

/// Every name, street, telephone number and e-mail address that the registries said.
fn served(world: &World) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for registry in REGISTRIES {
        for frame in world.frames(registry, "out") {
            for tag in ["name", "org", "street", "voice", "fax", "email"] {
                for piece in frame.split(&format!("<contact:{tag}")).skip(1) {
                    let text = piece.split_once('>').and_then(|(_, rest)| rest.split_once('<')).map_or("", |(text, _)| text);
                    values.insert(text.replace("&amp;", "&").replace("&apos;", "'").replace("&quot;", "\""));
                }
            }
        }
    }
    values
}

/// Every file and directory below `dir`, itself included.
pub(crate) fn tree(dir: &Path, out: &mut Vec<PathBuf>) {
    out.push(dir.to_owned());
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() { tree(&path, out) } else { out.push(path) }
    }
}

/// Whether a file is one of those that hold personal data by their nature.
pub(crate) fn may_hold(data: &Path, file: &Path) -> bool {
    let below = file.strip_prefix(data).expect("below it");
    let kept = ["state/snapshots", "state/building", "state/records"].iter().any(|dir| below.starts_with(dir));
    let differences = below.starts_with("reports") && file.file_stem().is_some_and(|stem| stem == "differences");
    kept || differences
}

#[test]
fn row_35_and_the_checklist_no_personal_value_and_no_password_is_written_where_it_does_not_belong() {
    let world = World::new(480, 21);
    let data = world.data();
    let mut markers = mark(&data.join("records/contacts.csv"));
    let fleet = world.fleet(THICK);
    let objects: Vec<String> = (3..7).map(|n| fleet.handle_at(n).as_str().to_owned()).collect();
    let faults = ["row-30-namespace", "row-30-missing", "row-33-cut", "row-37-other-object"];
    // Objects that cannot be read, a registry that refuses us in its middle, one whose objects are another registrar's, hostile words.
    let knobs: Vec<(&str, String)> = faults
        .iter()
        .zip(&objects)
        .map(|(fault, object)| (THICK, format!("fault={fault}:object={object}")))
        .chain([(THICK, "fault=row-36-extension:every=5".to_owned()), (THICK, "fault=row-36-several:every=7".to_owned())])
        .chain([("nz", "fault=row-43-2104:from=60".to_owned()), ("example-minimum", "fault=row-35-text:times=3".to_owned())])
        .collect();
    let settings = world.state_of("eurid").join("fleet.toml");
    let other = std::fs::read_to_string(&settings).expect("settings").replace("registrar-1", "registrar-2");
    write_atomic(&settings, other.as_bytes()).expect("written");
    let knobs: Vec<(&str, &str)> = knobs.iter().map(|(registry, knob)| (*registry, knob.as_str())).collect();
    let _served = world.serve(&knobs);

    // The night itself, a check, a comparison of what is there, and two nights that break on their input.
    let mut said = BTreeMap::new();
    let mut say = |what: &str, args: &[&str]| {
        let output = world.process(args).output().expect("a process");
        said.insert(format!("{what}: stdout"), output.stdout);
        said.insert(format!("{what}: stderr"), output.stderr);
        output.status.code()
    };
    let logged = ["--log", "json", "-vv", "--format", "json"];
    let night = |verb: &'static str| [&[verb][..], &logged[..]].concat();
    assert_eq!(say("run", &night("run")), Some(50), "one registry stopped us");
    assert_eq!(say("check", &night("check")), Some(50), "and does so again");
    assert_eq!(say("text", &["pull", "--registry", THICK]), Some(32));
    let table = data.join("records/contacts.csv");
    let good = std::fs::read_to_string(&table).expect("a table");
    for (what, damage) in
        [("short row", "\nexample-thick,C-1,MARKER-cut-short-row\n"), ("open quote", "\nexample-thick,\"MARKER-left-open-quote,x\n")]
    {
        write_atomic(&table, (good.clone() + damage).as_bytes()).expect("written");
        assert_eq!(say(what, &night("run")), Some(32), "{what}");
    }
    markers.extend(["MARKER-cut-short-row".to_owned(), "MARKER-left-open-quote".to_owned()]);

    let theirs = served(&world);
    assert!(theirs.len() > 300, "the registries said a lot: {}", theirs.len());
    // The provider's own data are in the configuration, and nobody's personal data.
    let provider = synth::config(&BTreeMap::new());
    markers.extend(theirs.into_iter().filter(|value| !provider.contains(value.as_str())));
    for registry in REGISTRIES {
        let password = std::fs::read_to_string(world.state_of(registry).join("password")).expect("a password");
        markers.insert(password.trim().to_owned());
    }
    let markers = Markers::new(&markers);
    assert!(markers.count > 1500, "{}", markers.count);

    let mut paths = Vec::new();
    for dir in ["state", "reports"] {
        tree(&data.join(dir), &mut paths);
    }
    tree(&data.with_file_name("tmp"), &mut paths);
    let mut held = 0;
    for path in &paths {
        let mode = std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            continue;
        }
        let bytes = std::fs::read(path).expect("readable");
        if path.starts_with(&data) && may_hold(&data, path) {
            held += markers.within(&bytes).len();
        } else {
            said.insert(path.display().to_string(), bytes);
        }
    }
    assert!(held > 100, "the search finds what is there: {held} values in the files that may hold them");
    assert!(said.len() > 20 && said["run: stderr"].len() > 2000, "there was something to search");
    let hits: Vec<String> = said
        .iter()
        .map(|(place, bytes)| (place, markers.within(bytes)))
        .filter(|(_, hits)| !hits.is_empty())
        .map(|(place, hits)| format!("{place}: {hits:?}"))
        .collect();
    assert!(hits.is_empty(), "{}", hits.join("\n"));
}
