//! Nothing of an answer is lost: each text and each attribute is in the typed view or among the unknown.

use super::*;
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

/// Everything the typed view and the unknown hold, without blanks and in lower case, as one haystack.
fn haystack(frame: &[u8]) -> Option<String> {
    fn gather(value: &serde_json::Value, out: &mut String) {
        match value {
            serde_json::Value::String(text) => out.push_str(text),
            serde_json::Value::Array(all) => all.iter().for_each(|v| gather(v, out)),
            serde_json::Value::Object(all) => all.iter().for_each(|(key, v)| {
                out.extend([key.as_str(), "\u{1}"]);
                gather(v, out);
            }),
            other => out.push_str(&other.to_string()),
        }
        out.push('\u{1}');
    }
    let mut json = epp::frame_json(frame, true).ok()?;
    json.as_object_mut()?.remove("raw");
    if json["typed"].is_null() {
        return None;
    }
    let mut out = String::new();
    gather(&json, &mut out);
    Some(squeezed(&out))
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// What of `frame` cannot be found again.
fn lost(frame: &[u8]) -> Vec<String> {
    let Some(haystack) = haystack(frame) else { return Vec::new() };
    let mut tape = Tape::new();
    tape.read(frame).expect("it was read before");
    let gone = |u: &Unknown| {
        let text = u.text.reveal().trim();
        // A domain's name loses its final dot, a password is masked, booleans are typed, and RFC 9038's reason is told by its namespace.
        let needle = squeezed(text.trim_end_matches('.').trim_end_matches(" not in login services"));
        let found = haystack.contains(&needle) || idna::domain_to_ascii(text).is_ok_and(|name| haystack.contains(&name));
        !found && !u.path.ends_with("authInfo/pw") && !matches!(text, "0" | "1" | "true" | "false")
    };
    tape.unknown().iter().filter(|u| gone(u)).map(|u| format!("{} = {}", u.path, u.text.reveal())).collect()
}

#[test]
fn no_golden_answer_loses_anything() {
    for (name, frame) in golden("response") {
        assert_eq!(lost(&frame), [""; 0], "{name}");
    }
}

/// A part of a document that can be changed.
#[derive(Clone, Debug)]
enum Part {
    Start(String, Vec<(String, String)>),
    End,
    Text(String),
}

fn parts(frame: &[u8]) -> Vec<Part> {
    let text = std::str::from_utf8(frame).expect("UTF-8").trim_start_matches('\u{feff}');
    let mut reader = Reader::from_str(text);
    let mut out = Vec::new();
    let start = |e: &quick_xml::events::BytesStart<'_>| {
        let attrs = e.attributes().map(|a| a.expect("an attribute")).map(|a| (a.key.0.to_owned(), a.value.into_owned()));
        Part::Start(e.name().0.to_owned(), attrs.collect())
    };
    loop {
        match reader.read_event().expect("a golden frame") {
            Event::Start(e) => out.push(start(&e)),
            Event::Empty(e) => out.extend([start(&e), Part::End]),
            Event::End(_) => out.push(Part::End),
            Event::Text(t) => out.push(Part::Text(t.to_string())),
            Event::GeneralRef(name) => out.push(Part::Text(format!("&{};", &*name))),
            Event::CData(t) => out.push(Part::Text(t.replace('&', "&amp;"))),
            Event::Eof => return out,
            _ => {}
        }
    }
}

fn document(parts: &[Part]) -> String {
    let mut out = String::new();
    let mut open = Vec::new();
    for part in parts {
        match part {
            Part::Start(name, attrs) => {
                out.extend(["<", name]);
                for (key, value) in attrs {
                    out.push_str(&format!(" {key}=\"{}\"", value.replace('"', "&quot;")));
                }
                out.push('>');
                open.push(name);
            }
            Part::End => out.extend(["</", open.pop().expect("balanced"), ">"]),
            Part::Text(text) => out.push_str(text),
        }
    }
    out
}

/// Where the element that starts at `at` ends.
fn end_of(parts: &[Part], at: usize) -> usize {
    let mut depth = 0_usize;
    for (n, part) in parts.iter().enumerate().skip(at) {
        match part {
            Part::Start(..) => depth += 1,
            Part::End => depth -= 1,
            Part::Text(_) => {}
        }
        if depth == 0 {
            return n + 1;
        }
    }
    parts.len()
}

/// Changes a document as no grammar would: `(what, where, how)` for each change.
fn changed(mut parts: Vec<Part>, changes: &[(u8, usize, usize)]) -> Vec<Part> {
    const NAMES: &[&str] = &[
        "foo",
        "id",
        "name",
        "value",
        "extValue",
        "reason",
        "result",
        "msg",
        "msgQ",
        "resData",
        "extension",
        "infData",
        "contact:id",
        "contact:email",
        "contact:addr",
        "contact:postalInfo",
        "contact:disclose",
        "contact:voice",
        "domain:name",
        "domain:ns",
        "domain:hostAttr",
        "domain:infData",
        "domain:contact",
        "domain:authInfo",
        "x:undeclared",
        "secDNS:alg",
    ];
    for (round, &(what, at, how)) in changes.iter().enumerate() {
        let token = format!("q{round}z{at}w{how}");
        // The root stays, so that there is an answer to read.
        let starts: Vec<_> = (1..parts.len()).filter(|n| matches!(parts[*n], Part::Start(..))).skip(1).collect();
        let Some(&at) = starts.get(at % starts.len().max(1)) else { return parts };
        let end = end_of(&parts, at);
        match what % 8 {
            0 | 1 => parts.insert(at + 1, Part::Text(token)),
            2 => parts.insert(end, Part::Text(token)),
            3 => parts.splice(end..end, parts[at..end].to_vec()).for_each(drop),
            4 => parts.drain(at..end).for_each(drop),
            5 => {
                if let Part::Start(name, _) = &mut parts[at] {
                    NAMES[how % NAMES.len()].clone_into(name);
                }
            }
            6 => {
                if let Part::Start(_, attrs) = &mut parts[at] {
                    match attrs.iter_mut().find(|(key, _)| !key.starts_with("xmlns")) {
                        Some((_, value)) => *value = token,
                        None => attrs.push(("zz".to_owned(), token)),
                    }
                }
            }
            // Each leaf of the element becomes a word of its own.
            _ => {
                for n in at..end.saturating_sub(1) {
                    if let (Part::Start(..), Part::Text(text)) = (parts[n].clone(), &mut parts[n + 1])
                        && !text.trim().is_empty()
                    {
                        *text = format!("{token}n{n}");
                    }
                }
            }
        }
    }
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_answer_loses_anything_however_it_is_changed(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<u8>(), 0..400_usize, 0..100_usize), 0..12),
    ) {
        let frames = golden("response");
        let (name, frame) = which.get(&frames);
        let document = document(&changed(parts(frame), &changes));
        prop_assert_eq!(lost(document.as_bytes()), [""; 0], "{}: {}", name, document);
    }
}
