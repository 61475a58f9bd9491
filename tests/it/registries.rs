//! `privet registries`, and the README's matrix, which is made of it. `PRIVET_BLESS=1` writes it anew.

use crate::schema_files::assert_form;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Where the matrix stands in the README.
const BETWEEN: [&str; 2] = ["<!-- matrix: begin -->\n", "<!-- matrix: end -->\n"];

/// What `privet registries` prints with `arguments`.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_privet")).arg("registries").args(arguments).output().expect("a process");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn matrix() -> Value {
    serde_json::from_str(&printed(&["--format", "json"])).expect("JSON")
}

/// The texts of a list's entries under `key`.
fn texts<'v>(list: &'v Value, key: &str) -> Vec<&'v str> {
    list.as_array().expect("a list").iter().map(|v| v[key].as_str().expect("a text")).collect()
}

/// The matrix in Markdown.
fn markdown(matrix: &Value) -> String {
    let ids = texts(&matrix["profiles"], "id");
    let mut out = format!("\n| | {} |\n|---|{}\n", ids.join(" | "), "---|".repeat(ids.len()));
    for row in matrix["rows"].as_array().expect("rows") {
        write!(out, "| {} |", row["title"].as_str().expect("a title")).expect("a string");
        for cell in row["cells"].as_array().expect("cells") {
            let value = cell["value"].as_str().expect("a value").replace('_', " ");
            let mark = match cell["confidence"].as_str().expect("a confidence") {
                _ if value == "unknown" => "",
                "seen" => "",
                "inferred" => " ~",
                "guess" => " ?",
                other => panic!("a confidence called {other}"),
            };
            write!(out, " {value}{mark} |").expect("a string");
        }
        out.push('\n');
    }
    out.push('\n');
    out
}

#[test]
fn the_matrix_as_it_is() {
    insta::assert_snapshot!(printed(&[]));
}

#[test]
fn the_matrix_has_its_published_form_and_a_source_for_every_cell() {
    let matrix = matrix();
    assert_form("registries", &matrix);
    let ids = texts(&matrix["profiles"], "id");
    for row in matrix["rows"].as_array().expect("rows") {
        assert_eq!(texts(&row["cells"], "profile"), ids, "{}", row["key"]);
        assert!(texts(&row["cells"], "source").iter().all(|s| !s.trim().is_empty()), "{}", row["key"]);
    }
}

#[test]
fn the_matrix_of_the_readme_is_this_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(BETWEEN[0]).expect("where the matrix begins");
    let (_, after) = rest.split_once(BETWEEN[1]).expect("where it ends");
    let should = [before, BETWEEN[0], &markdown(&matrix()), BETWEEN[1], after].concat();
    if std::env::var_os("PRIVET_BLESS").is_some() {
        privet::base::write_atomic(&path, should.as_bytes()).expect("written");
    } else {
        assert!(readme == should, "the profiles have moved on; run PRIVET_BLESS=1 cargo test registries");
    }
}

/// The certificate of an authority, in PEM.
pub(crate) fn authority() -> String {
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().expect("a key");
    params.self_signed(&key).expect("a certificate").pem()
}

/// A configuration with one registry of `profile` and `more` in its table.
fn configured(dir: &Path, profile: &str, more: &str) {
    let text = format!(
        "version = 1\n[registries.one]\nprofile = \"{profile}\"\nhost = \"127.0.0.1\"\nclient_id = \"registrar-1\"\n\
         password = {{ file = \"password\" }}\nca = \"ca.pem\"\n{more}"
    );
    let write = |name: &str, bytes: &[u8]| privet::base::write_atomic(&dir.join(name), bytes).expect("written");
    write("privet.toml", text.as_bytes());
    write("password", b"secret-1");
    write("ca.pem", authority().as_bytes());
}

/// Exit code and standard error of `privet` with `arguments` in `dir`.
fn told(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_privet")).args(arguments).current_dir(dir).output().expect("a process");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn other_rules_of_the_operator_are_another_configuration() {
    let dir = tempfile::tempdir().expect("a directory");
    let digest = |rules: Option<&str>| {
        configured(dir.path(), "denic", if rules.is_some() { "rules = \"own.toml\"\n" } else { "" });
        privet::base::write_atomic(&dir.path().join("own.toml"), rules.unwrap_or_default().as_bytes()).expect("written");
        let config = dir.path().join("privet.toml");
        privet::job::config::Config::load(&config, &[], &|_| None).unwrap_or_else(|e| panic!("{e}")).config.digest
    };
    let rules =
        |most| format!("[fields.name]\nlength = {{ value = {{ min = 1, max = {most} }}, source = \"ours\", confidence = \"seen\" }}\n");
    let [none, first, other] = [digest(None), digest(Some(&rules(200))), digest(Some(&rules(199)))];
    assert!(none != first && first != other);
    assert_eq!(digest(Some(&rules(200))), first);
    let bytes = std::fs::read(dir.path().join("privet.toml")).expect("readable");
    assert_ne!(first, privet::base::Digest::of(&bytes));
    assert_eq!(digest(None), none);
    assert_eq!(none, privet::base::Digest::of(&std::fs::read(dir.path().join("privet.toml")).expect("readable")));
}

#[test]
fn rules_of_the_operator_stand_in_a_file_and_a_weaker_one_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    configured(dir.path(), "denic", "rules = \"own.toml\"\n");
    let rules = |text: &str| privet::base::write_atomic(&dir.path().join("own.toml"), text.as_bytes()).expect("written");
    rules("[fields.name]\nlength = { value = { min = 1, max = 300 }, source = \"our contract\", confidence = \"seen\" }\n");
    let (code, said) = told(dir.path(), &["config", "show"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("warning: E-profile-004: own.toml:2, fields.name.length"), "{said}");
    rules("[characters.denic-unicode31]\nvalue = [\"0041-005A\", \"0050\"]\nsource = \"our contract\"\nconfidence = \"seen\"\n");
    let (code, said) = told(dir.path(), &["config", "show"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("own.toml:2, characters.denic-unicode31.value") && said.contains("overlap"), "{said}");
    configured(dir.path(), "denic", "rules = \"absent.toml\"\n");
    let (code, said) = told(dir.path(), &["config", "show"]);
    assert!(code != Some(0) && said.contains("absent.toml"), "{said}");
}
