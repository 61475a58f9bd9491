//! `privet validate`: the vectors of each registry's characters, and the verb itself.

use crate::schema_files::assert_form;
use privet::base::Personal;
use privet::dataset::{Row, columns};
use privet::model::{Finding, ObjectKind};
use privet::policy::profile;
use privet::rules;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

/// A contact's row from columns by their names.
fn row(id: &str, fields: &[(&str, &str)]) -> Row {
    let value = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    Row::new(id, columns(ObjectKind::Contact).iter().map(|c| value(c.name)))
}

/// A finding in full, one line a part, with what it would suggest.
fn in_full(finding: &Finding) -> String {
    let f = finding;
    let mut out = format!("  {} {} {}", f.rule, f.severity.as_str(), f.field);
    if let (Some(position), Some(code_point), Some(character)) = (f.position, &f.code_point, &f.character) {
        write!(out, ", character {position}: {code_point} {character}").expect("a string");
    }
    write!(out, "\n    {}", f.what).expect("a string");
    if let Some(answer) = &f.answer {
        write!(out, "\n    answer: {} ({}): {}", answer.code, answer.confidence.as_str(), answer.how).expect("a string");
    }
    if let Some(suggestion) = f.suggestion.as_ref().map(Personal::reveal) {
        write!(out, "\n    instead: {:?}", suggestion.escape_debug().to_string()).expect("a string");
    }
    write!(out, "\n    source: {} ({})\n", f.source, f.confidence.as_str()).expect("a string");
    out
}

/// Every vector with what is found in it.
fn vectors(id: &str, handle: &str, base: &[(&str, &str)], vectors: &[(&str, &str, &str)]) -> String {
    let profile = profile(id).expect("embedded");
    let mut out = String::new();
    for (field, value, remark) in vectors {
        let mut fields = base.to_vec();
        fields.retain(|(known, _)| known != field);
        fields.push((field, value));
        let found = rules::contact(&profile, &row(handle, &fields));
        let verdict = if found.is_empty() { "taken" } else { "found" };
        writeln!(out, "{field} = \"{}\" ({remark}): {verdict}", value.escape_unicode_beyond_latin()).expect("a string");
        out.extend(found.iter().map(in_full));
    }
    out
}

/// Shows characters a terminal may hide.
trait Escaped {
    fn escape_unicode_beyond_latin(&self) -> String;
}

impl Escaped for str {
    fn escape_unicode_beyond_latin(&self) -> String {
        let plain = |c: char| c == ' ' || c.is_ascii_graphic() || (c.is_alphanumeric() && !('\u{300}'..'\u{370}').contains(&c));
        self.chars().map(|c| if plain(c) { c.to_string() } else { c.escape_unicode().to_string() }).collect()
    }
}

#[test]
fn the_vectors_of_denic() {
    let base = [
        ("loc_name", "Max Mustermann"),
        ("loc_street1", "Weg 1"),
        ("loc_city", "Köln"),
        ("loc_pc", "50667"),
        ("loc_cc", "DE"),
        ("voice", "+49.221123"),
        ("email", "max@example.de"),
        ("properties", "type=PERSON"),
    ];
    let found = vectors(
        "denic",
        "DENIC-1000002-MAX",
        &base,
        &[
            ("loc_street1", "Straße", "sharp s"),
            ("loc_street1", "STRA\u{1e9e}E", "capital sharp s, Unicode 5.1"),
            ("loc_name", "Mu\u{308}ller", "a combining mark that NFC takes in"),
            ("loc_name", "\u{21a}", "T with comma below, Unicode 3.0"),
            ("loc_name", "\u{180}\u{24f}", "the second is of Unicode 5.0"),
            ("loc_name", "a 😀", "beyond Unicode 3.1"),
            ("loc_name", "a\u{200b}b\u{200d}c\u{feff}d", "zero-width characters"),
            ("loc_street1", "\u{2116} 5", "numero sign"),
            ("loc_street1", "Weg\u{a0}1", "no-break space"),
            ("loc_name", "a\u{202e}b", "right-to-left override"),
            ("loc_name", "a\tb", "a tabulator"),
            ("loc_name", "Straβe", "a Greek beta where a sharp s was meant"),
            ("loc_name", "Mаx", "a Cyrillic letter in a Latin word"),
        ],
    );
    insta::assert_snapshot!(found);
}

#[test]
fn the_vectors_of_nicit() {
    let base = [
        ("loc_name", "Mario Rossi"),
        ("loc_street1", "Via Roma 1"),
        ("loc_city", "Roma"),
        ("loc_sp", "RM"),
        ("loc_pc", "00184"),
        ("loc_cc", "IT"),
        ("voice", "+39.06123456"),
        ("email", "m@example.it"),
        ("properties", "consentForPublishing=false"),
    ];
    let found = vectors(
        "nicit",
        "MR-1",
        &base,
        &[
            ("loc_city", "Città", "a with grave"),
            ("loc_street1", "Piazza dell'Università 4/A", "apostrophe and stroke"),
            ("loc_name", "Ελλάδα", "Greek"),
            ("loc_street1", "Straße", "sharp s, U+00DF: copies of the list print a Greek beta, U+03B2"),
            ("loc_street1", "Straβe", "that misprint: Greek letters are taken, and a mixed word is told"),
            ("loc_name", "北京", "Chinese"),
            ("loc_name", "😀", "a pictograph"),
            ("loc_city", "Citta\u{300}", "a combining mark that NFC takes in"),
            ("loc_street1", "Via<Roma>", "marks of XML"),
            ("loc_name", "d'Alessandro", "an apostrophe"),
            ("loc_name", "d&#039;Alessandro", "the same escaped twice"),
            ("loc_name", "d\u{2019}Alessandro", "a typographic apostrophe"),
            ("loc_sp", "Rm", "a province in small letters"),
            ("loc_sp", "ZZ", "no province"),
            ("loc_pc", "1840", "a postal code that lost its zeros"),
        ],
    );
    insta::assert_snapshot!(found);
}

/// The ranges of Unicode 3.1 in the scripts that matter most, each code point of them, and what is refused between and beyond.
#[test]
fn denics_set_is_unicode_3_1_to_the_code_point() {
    let profile = profile("denic").expect("embedded");
    let set = &profile.characters["denic-unicode31"].value;
    let taken = [
        (0x20, 0x7e),
        (0xa1, 0xac),
        (0xae, 0xff),
        (0x100, 0x17f),
        (0x180, 0x21f),
        (0x222, 0x233),
        (0x250, 0x2ad),
        (0x2b0, 0x2ee),
        (0x300, 0x34e),
        (0x360, 0x362),
        (0x374, 0x375),
        (0x37a, 0x37a),
        (0x37e, 0x37e),
        (0x384, 0x38a),
        (0x38c, 0x38c),
        (0x38e, 0x3a1),
        (0x3a3, 0x3ce),
        (0x3d0, 0x3d7),
        (0x3da, 0x3f5),
        (0x400, 0x486),
        (0x488, 0x489),
        (0x48c, 0x4c4),
        (0x4c7, 0x4c8),
        (0x4cb, 0x4cc),
        (0x4d0, 0x4f5),
        (0x4f8, 0x4f9),
        (0x1e00, 0x1e9b),
        (0x1ea0, 0x1ef9),
        (0x2010, 0x2027),
        (0x2030, 0x2046),
        (0x2048, 0x204d),
        (0x20a0, 0x20af),
    ];
    let has = |n: u32| char::from_u32(n).is_some_and(|c| set.contains(c));
    let mut asked = 0;
    for (n, (from, to)) in taken.iter().enumerate() {
        for code in *from..=*to {
            assert!(has(code), "U+{code:04X}");
            asked += 1;
        }
        // What lies between one range and the next is refused, where the next is of the same stretch of the list.
        let until = taken.get(n + 1).map_or(to + 1, |(next, _)| *next);
        for code in (to + 1)..until.min(0x530) {
            assert!(!has(code), "U+{code:04X}");
            asked += 1;
        }
    }
    let refused = [
        0x09,
        0x0a,
        0x0d,
        0x7f,
        0x85,
        0xa0,
        0xad,
        0x220,
        0x221,
        0x234,
        0x24f,
        0x1e9c,
        0x1e9e,
        0x1e9f,
        0x1efa,
        0x200b,
        0x200d,
        0x2028,
        0x202e,
        0x2047,
        0x20b0,
        0x20b9,
        0x20ba,
        0x20bf,
        0xe000,
        0xfeff,
        0x1f000,
        0x1f600,
        0x0010_ffff,
    ];
    for code in refused {
        assert!(!has(code), "U+{code:04X}");
    }
    for code in [0x4e00, 0x3042, 0x30a2, 0xac00, 0x20ac] {
        assert!(has(code), "U+{code:04X}");
    }
    assert!(asked > 1500, "{asked} code points");
}

/// A table of local records with all its columns.
fn csv(kind: ObjectKind, rows: &[Vec<(&str, &str)>]) -> String {
    let names: Vec<&str> = ["registry", "id"].into_iter().chain(columns(kind).iter().map(|c| c.name)).collect();
    let mut out = names.join(",") + "\n";
    for row in rows {
        assert!(row.iter().all(|(name, _)| names.contains(name)), "{row:?}");
        let value = |name: &&str| row.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value);
        out += &(names.iter().map(value).collect::<Vec<_>>().join(",") + "\n");
    }
    out
}

/// A contact's values by column, at the Italian or the German registry.
fn contact<'a>(registry: &'a str, id: &'a str, street: &'a str, properties: &'a str) -> Vec<(&'a str, &'a str)> {
    let common = [("registry", registry), ("id", id), ("loc_name", "Ada Muster"), ("loc_street1", street), ("voice", "+49.221123")];
    let address = if registry == "it" { ["Roma", "RM", "00184", "IT"] } else { ["Bonn", "", "53111", "DE"] };
    let address = ["loc_city", "loc_sp", "loc_pc", "loc_cc"].into_iter().zip(address);
    common.into_iter().chain(address).chain([("email", "m@example.org"), ("properties", properties)]).collect()
}

/// A directory with local records at two registries and their configuration.
fn configured() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| privet::base::write_atomic(&dir.path().join(name), text.as_bytes()).expect("written");
    let mut config =
        "version = 1\n[records.contacts]\nfiles = [\"contacts.csv\"]\n[records.domains]\nfiles = [\"domains.csv\"]\n".to_owned();
    for (id, profile, more) in [("de", "denic", "rules = \"own.toml\"\n"), ("it", "nicit", "")] {
        write!(
            config,
            "[registries.{id}]\nprofile = \"{profile}\"\nhost = \"127.0.0.1\"\nclient_id = \"registrar-1\"\n\
             password = {{ file = \"password\" }}\nca = \"ca.pem\"\n{more}"
        )
        .expect("a string");
    }
    let person = "consentForPublishing=false;entityType=1;nationalityCode=IT;regCode=RSSMRA80A01H501U";
    let contacts = [
        contact("de", "DENIC-1-GOOD", "Weg 1", "type=PERSON"),
        contact("de", "DENIC-1-LATE", "STRA\u{1e9e}E 1", "type=PERSON"),
        contact("de", "DENIC-1-late", "Weg 1", "type=PERSON"),
        contact("it", "IT-MARIO", "Via 1", person),
        contact("it", "IT-LUIGI", "Via 1", "consentForPublishing=false;colour=red"),
    ];
    write("contacts.csv", &csv(ObjectKind::Contact, &contacts));
    let domains = [
        vec![
            ("registry", "it"),
            ("id", "uno.it"),
            ("registrant", "IT-MARIO"),
            ("admin", "IT-LUIGI"),
            ("statuses", "clientHold"),
            ("ns", "ns1.uno.it;ns2.example.net"),
        ],
        vec![("registry", "it"), ("id", "due.it"), ("registrant", "IT-MARIO"), ("admin", "IT-MARIO"), ("ns", "ns1.example.net")],
        vec![
            ("registry", "de"),
            ("id", "eins.de"),
            ("registrant", "DENIC-1-GOOD"),
            ("statuses", "connect"),
            ("ns", "ns1.example.net;ns2.example.net"),
        ],
    ];
    write("domains.csv", &csv(ObjectKind::Domain, &domains));
    write("own.toml", "");
    write("password", "secret-1");
    write("ca.pem", &crate::registries::authority());
    write("privet.toml", &config);
    dir
}

fn privet(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_privet")).args(arguments).current_dir(dir).output().expect("a process")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn records_are_validated_in_one_order_whatever_the_form() {
    let dir = configured();
    let output = privet(dir.path(), &["validate", "--format", "csv"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(11), "{said}");
    let csv = stdout(&output);
    let found: Vec<String> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{} {} {} {} {} {}", cells[0], cells[2], cells[3], cells[4], cells[5], cells[7])
        })
        .collect();
    let want = [
        "de DENIC-1-LATE loc.street[1] 5 U+1E9E R-addr-006",
        "de DENIC-1-late id   R-addr-015",
        "it IT-LUIGI properties.colour   R-prop-001",
        "it due.it ns   R-ns-001",
        "it uno.it admin   R-role-002",
        "it uno.it ns[1]   R-ns-002",
        "it uno.it statuses.clientHold   R-stat-003",
    ];
    assert_eq!(found, want, "{csv}");
    assert!(said.contains("8 objects, 5 errors, 2 warnings"), "{said}");
    assert!(!csv.contains("STRASSE") && csv.contains("•••"), "suggestions are masked");
    // The same findings in JSON, of the published form, and the same bytes from a second run.
    let json: serde_json::Value = serde_json::from_slice(&privet(dir.path(), &["validate", "--format", "json"]).stdout).expect("JSON");
    assert_form("findings", &json);
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(want.len()));
    assert_eq!(json["summary"]["objects"], 8);
    assert_eq!(stdout(&privet(dir.path(), &["validate", "--format", "csv"])), csv);
    // And for build servers, a suite for each registry.
    let junit = stdout(&privet(dir.path(), &["validate", "--format", "junit"]));
    insta::assert_snapshot!(junit);
    let shown = stdout(&privet(dir.path(), &["validate", "--format", "csv", "--show-suggestions"]));
    assert!(shown.contains("SS") && !shown.contains("•••"), "{shown}");
}

#[test]
fn the_exit_code_is_what_fail_on_asks_for() {
    let dir = configured();
    let code = |arguments: &[&str]| privet(dir.path(), arguments).status.code();
    // At .de there are a warning and an error by ours: a handle that is another in capitals.
    assert_eq!(code(&["validate", "--registry", "de"]), Some(11));
    assert_eq!(code(&["validate", "--registry", "de", "--fail-on", "changes"]), Some(0));
    let contacts = std::fs::read_to_string(dir.path().join("contacts.csv")).expect("a file");
    let fewer: String = contacts.lines().filter(|l| !l.contains("DENIC-1-late")).flat_map(|l| [l, "\n"]).collect();
    privet::base::write_atomic(&dir.path().join("contacts.csv"), fewer.as_bytes()).expect("written");
    assert_eq!(code(&["validate", "--registry", "de"]), Some(0), "a rule that was not seen warns");
    assert_eq!(code(&["validate", "--registry", "de", "--fail-on", "findings"]), Some(11));
    assert_eq!(code(&["validate", "--snapshot"]), Some(32), "there is no snapshot");
    assert_eq!(code(&["diff", "--format", "csv"]), Some(2), "which prints no table");
    assert_eq!(code(&["diff", "--format", "junit"]), Some(2), "nor findings");
}

#[test]
fn one_range_of_an_operators_file_changes_what_is_found() {
    let dir = configured();
    let rules = |text: &str| privet::base::write_atomic(&dir.path().join("own.toml"), text.as_bytes()).expect("written");
    let found = || {
        let output = privet(dir.path(), &["validate", "--registry", "de", "--format", "csv"]);
        let at = |line: &str| line.contains("R-addr-006").then(|| line.split(',').take(6).collect::<Vec<_>>().join(" "));
        (stdout(&output).lines().filter_map(at).collect::<Vec<_>>(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(found().0, ["de contact DENIC-1-LATE loc.street[1] 5 U+1E9E"]);
    let set =
        |ranges: &str| format!("[characters.denic-unicode31]\nvalue = [{ranges}]\nsource = \"our contract\"\nconfidence = \"seen\"\n");
    rules(&set("\"0020-007E\", \"1E9E\""));
    let (now, said) = found();
    assert!(now.is_empty() && said.contains("E-profile-004") && said.contains("U+1E9E"), "{now:?} {said}");
    rules(&set("\"0020-0056\", \"0058-007E\""));
    assert!(found().0.iter().any(|line| line.contains("loc.street[1] 1 U+0057")), "{:?}", found());
    rules(&set("\"0020-007E\", \"0050\""));
    let (none, said) = found();
    assert!(none.is_empty() && said.contains("own.toml:2") && said.contains("overlap"), "{said}");
}
