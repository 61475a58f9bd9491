//! The files under `schemas/`: each is what `privet schema` prints of the types, byte by byte. `PRIVET_BLESS=1` writes them anew.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `privet schema` prints with `arguments`.
fn printed(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_privet")).arg("schema").args(arguments).output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Every schema that the types make, by name.
fn made() -> BTreeMap<String, Value> {
    serde_json::from_slice(&printed(&[])).expect("a JSON object")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

/// The names of the schemas that stand as files in `dir`, which is `prefix` below the folder.
fn files(dir: &Path, prefix: &str, out: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).expect("the folder of the schemas") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).expect("a plain name");
        if name == "vendor" {
            // Schemas of XML, held to the commands elsewhere.
        } else if path.is_dir() {
            files(&path, &format!("{prefix}{name}/"), out);
        } else {
            out.insert(format!("{prefix}{}", name.strip_suffix(".json").expect("only JSON")));
        }
    }
}

#[test]
fn every_schema_stands_as_a_file_and_is_what_the_types_say() {
    let bless = std::env::var_os("PRIVET_BLESS").is_some();
    let made = made();
    let mut stale = Vec::new();
    for name in made.keys() {
        let path = folder().join(format!("{name}.json"));
        let bytes = printed(&[name]);
        if bless {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
            privet::base::write_atomic(&path, &bytes).expect("written");
        }
        if std::fs::read(&path).ok().as_ref() != Some(&bytes) {
            stale.push(format!("privet schema {name} > schemas/{name}.json"));
        }
    }
    assert!(
        stale.is_empty(),
        "the types have moved on; run (or all at once: PRIVET_BLESS=1 cargo test schema_files)\n{}",
        stale.join("\n")
    );
    let mut there = BTreeSet::new();
    files(&folder(), "", &mut there);
    assert_eq!(there, made.keys().cloned().collect(), "a file whose schema is gone is removed by hand");
}

/// Whether each key of `value` is a property that `schema` has, and each that `schema` requires is there; through `$ref`s, arrays and
/// alternatives. Returns the places where it is not so.
fn strangers(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return match name.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
            Some(target) => strangers(value, target, root, at),
            None => vec![format!("{at}: {name} leads nowhere")],
        };
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(ways) = schema[key].as_array() {
            let tried: Vec<_> = ways.iter().map(|way| strangers(value, way, root, at)).collect();
            return if tried.iter().any(Vec::is_empty) { Vec::new() } else { tried.concat() };
        }
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds: Vec<_> = schema["type"].as_array().map_or_else(|| vec![&schema["type"]], |several| several.iter().collect());
    if !kinds.iter().all(|k| k.is_null()) && !kinds.iter().any(|k| *k == kind) {
        return vec![format!("{at}: {kind} is none of {kinds:?}")];
    }
    let listed = schema["enum"].as_array().is_none_or(|all| all.contains(value)) && schema.get("const").is_none_or(|one| one == value);
    let mut out = if listed { Vec::new() } else { vec![format!("{at}: {value} is not listed")] };
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match schema["properties"].get(key).or_else(|| schema.get("additionalProperties").filter(|more| more.is_object())) {
                    Some(property) => out.extend(strangers(inner, property, root, &format!("{at}/{key}"))),
                    None => out.push(format!("{at}/{key} is in no schema")),
                }
            }
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            out.extend(required.filter(|key| !map.contains_key(*key)).map(|key| format!("{at}/{key} is required")));
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate().filter(|_| schema["items"].is_object()) {
                out.extend(strangers(item, &schema["items"], root, &format!("{at}/{n}")));
            }
        }
        _ => {}
    }
    out
}

/// Asserts that the value of the schema `name` has the form which that schema states.
pub(crate) fn assert_form(name: &str, value: &Value) {
    let made = made();
    let schema = made.get(name).expect("a schema of that name");
    assert_eq!(strangers(value, schema, schema, ""), Vec::<String>::new(), "{name}");
}

#[test]
fn decoded_frames_have_the_form_of_their_schema() {
    let made = made();
    let schema = made.get("frame").expect("a schema");
    let mut seen = 0;
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/wire");
    let mut folders = vec![fixtures];
    while let Some(dir) = folders.pop() {
        for entry in std::fs::read_dir(&dir).expect("the fixtures") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "xml") {
                let Ok(value) = privet::protocol::epp::frame_json(&std::fs::read(&path).expect("a frame"), true) else { continue };
                assert_eq!(strangers(&value, schema, schema, ""), Vec::<String>::new(), "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} frames");
}

#[test]
fn a_form_that_is_another_is_seen() {
    let schema = serde_json::json!({ "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#/$defs/n" } }, "$defs": { "n": { "type": ["integer", "null"] } } });
    let found = |value: Value| strangers(&value, &schema, &schema, "").len();
    assert_eq!(found(serde_json::json!({ "a": 1 })), 0);
    assert_eq!(found(serde_json::json!({ "a": "1" })), 1);
    assert_eq!(found(serde_json::json!({ "b": 1 })), 2);
}
