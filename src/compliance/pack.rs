//! Packs: TOML files of dated data, ours and an operator's, read as a whole or not at all.

use crate::base::{Blame, Exit, Problem, Result, read_capped};
use serde::de::DeserializeOwned;
use std::path::Path;

/// Every pack that is built in, by name: what a run's proof tells the digests of.
pub const EMBEDDED: [(&str, &str); 7] = [
    ("basis", include_str!("packs/basis.toml")),
    ("holidays", include_str!("packs/holidays.toml")),
    ("oversight", include_str!("packs/oversight.toml")),
    ("questions", include_str!("packs/questions.toml")),
    ("record", include_str!("packs/record.toml")),
    ("registers", include_str!("packs/registers.toml")),
    ("retention", include_str!("packs/retention.toml")),
];

/// The largest pack that is read, in bytes.
const MAX: u64 = 1 << 20;

/// The text of the pack in the file at `path`.
///
/// # Errors
/// `E-pack-001` (exit 2) where it is not UTF-8; `E-file-005` where it cannot be read, `E-file-006` where it is larger than any pack.
pub(super) fn load(path: &Path) -> Result<String> {
    String::from_utf8(read_capped(path, MAX)?).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let line = e.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() as u64 + 1;
        refused("E-pack-001", "the pack is not UTF-8", "save it as UTF-8", path).line(line)
    })
}

/// The first line of `text` in which `word` stands outside of comments.
pub(super) fn line_of(text: &str, word: &str) -> Option<u64> {
    let has = |line: &str| !line.trim_start().starts_with('#') && line.contains(word);
    text.lines().position(has).map(|at| at as u64 + 1)
}

/// The last such line.
pub(super) fn last_line_of(text: &str, word: &str) -> Option<u64> {
    let lines = text.lines().zip(1_u64..).filter(|(line, _)| !line.trim_start().starts_with('#') && line.contains(word));
    lines.map(|(_, n)| n).last()
}

/// What `text`, which stands in `file`, says.
///
/// # Errors
/// `E-pack-001` (exit 2) with line, column and what is expected there.
pub(super) fn read<T: DeserializeOwned>(text: &str, file: &Path) -> Result<T> {
    toml::from_str(text).map_err(|e| {
        let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        refused("E-pack-001", e.message(), "see the pack that is built in for what may stand there", file).line(line).column(column)
    })
}

/// What is wrong with a pack in `file`.
pub(super) fn refused(id: &str, what: impl Into<String>, remedy: impl Into<String>, file: &Path) -> Box<Problem> {
    Problem::new(id, Blame::Operator, what, remedy).file(file).exit(Exit::Usage)
}

#[cfg(test)]
mod tests {
    use super::EMBEDDED;
    use std::collections::BTreeMap;

    #[test]
    fn every_pack_is_told_by_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/compliance/packs");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let text = |path: std::path::PathBuf| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        };
        let wanted: BTreeMap<String, String> = files.map(text).collect();
        assert_eq!(EMBEDDED.map(|(name, text)| (name.to_owned(), text.to_owned())), wanted.into_iter().collect::<Vec<_>>()[..]);
    }
}
