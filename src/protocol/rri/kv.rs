//! The key/value form: one `Keyword: value` a line, in sections.

use super::request::Request;
use super::sheet::Sheet;
use super::word::{Key, Kind, same};
use crate::base::Personal;
use crate::model::Unknown;

/// The version that requests name.
const VERSION: &str = "5.0";
/// The section of a verification.
const VERIFICATION: &str = "VerificationInformation";

/// The lines of a section.
pub(super) struct Block<'t> {
    /// The section's name; nothing in front of the first one.
    pub(super) section: Option<&'t str>,
    /// Keywords with their values.
    pub(super) lines: Vec<(&'t str, &'t str)>,
    /// Lines that are neither.
    pub(super) strange: Vec<&'t str>,
}

/// The text of a request. Its sheet has been checked, so that no value can break a line.
pub(super) fn write(request: &Request<'_>) -> String {
    let mut out = String::new();
    line(&mut out, "Version", VERSION);
    line(&mut out, "Action", request.action.keyword);
    if let Some(ctid) = request.ctid {
        line(&mut out, "Ctid", ctid);
    }
    write_sheet(&mut out, &request.sheet);
    out
}

/// Appends the lines of a sheet, and a section for each of its parts.
pub(super) fn write_sheet(out: &mut String, sheet: &Sheet<'_>) {
    sheet.fields.iter().for_each(|f| line(out, f.word.keyword, &f.text));
    for part in &sheet.parts {
        out.push_str(&format!("\n[{VERIFICATION}]\n"));
        write_sheet(out, part);
    }
}

fn line(out: &mut String, keyword: &str, value: &str) {
    out.push_str(keyword);
    out.push_str(": ");
    out.push_str(value);
    out.push('\n');
}

/// The sections of a text. Total: what is no line of the form is kept as strange.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let block = |section| Block { section, lines: Vec::new(), strange: Vec::new() };
    let mut out = Vec::new();
    let mut open = block(None);
    for line in text.trim_start_matches('\u{feff}').lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            out.push(std::mem::replace(&mut open, block(Some(name.trim()))));
        } else if let Some(pair) = pair(line) {
            open.lines.push(pair);
        } else {
            open.strange.push(trimmed);
        }
    }
    out.push(open);
    out
}

/// A keyword at the start of the line, a colon, a blank or a tab or nothing more, and the value.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (keyword, value) = line.split_once(':')?;
    let is_word = !keyword.is_empty() && keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let is_parted = value.is_empty() || value.starts_with([' ', '\t', '\r']);
    (is_word && is_parted).then(|| (keyword, value.trim()))
}

/// The kind of a section, by the field that names its object.
pub(super) fn kind_of(block: &Block<'_>) -> Option<Kind> {
    let has = |keyword: &str| block.lines.iter().any(|(k, _)| same(k, keyword));
    let is_verification = block.section.is_some_and(|s| same(s, VERIFICATION));
    match () {
        () if is_verification => Some(Kind::Verification),
        () if has("Domain") || has("Domain-Ace") => Some(Kind::Domain),
        () if has("Handle") => Some(Kind::Contact),
        () if has("MsgId") => Some(Kind::Message),
        () => None,
    }
}

/// The sheet of a section's lines. Unknown keywords are kept.
pub(super) fn sheet<'t>(block: &Block<'t>, kind: Kind) -> Sheet<'t> {
    let mut sheet = Sheet::new(kind);
    for (keyword, value) in &block.lines {
        match kind.keyword(keyword) {
            Some(word) if word.key == Key::NameServer => sheet.read(word, server(value), None),
            Some(word) => sheet.read(word, *value, None),
            None => sheet.other.push(unknown(block.section, keyword, value)),
        }
    }
    sheet.other.extend(block.strange.iter().map(|text| unknown(block.section, "line", text)));
    sheet
}

/// A name server's line without the final dot of its name.
fn server(value: &str) -> String {
    let mut words = value.split_ascii_whitespace();
    let name = words.next().unwrap_or_default().trim_end_matches('.');
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}

/// A line that no type takes.
pub(super) fn unknown(section: Option<&str>, keyword: &str, value: &str) -> Unknown {
    let path = section.map_or_else(|| keyword.to_owned(), |section| format!("[{section}]/{keyword}"));
    Unknown { namespace: "".into(), path: path.into(), text: Personal::new(value) }
}
