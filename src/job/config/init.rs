//! What `privet init` leaves: the commented configuration and a few records to try it on.

use crate::base::{Blame, Problem, Result, create_private_dir, write_atomic};
use std::path::{Path, PathBuf};

/// The commented configuration, which is also the defaults.
pub const TEMPLATE: &str = include_str!("privet.toml");

/// The example, file by file below the directory.
const FILES: [(&str, &str); 3] = [
    ("privet.toml", TEMPLATE),
    ("records/contacts.csv", include_str!("example/contacts.csv")),
    ("records/domains.csv", include_str!("example/domains.csv")),
];

/// Leaves a configuration and example records in `dir`, making it where it is missing; gives the files written.
///
/// # Errors
/// `E-config-017` where one of the files is there already: nothing is overwritten, and nothing is written at all.
pub fn init(dir: &Path) -> Result<Vec<PathBuf>> {
    let files: Vec<(PathBuf, &str)> = FILES.iter().map(|(name, text)| (dir.join(name), *text)).collect();
    if let Some((there, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        let remedy = "choose another directory, or move the file away";
        return Err(Problem::new("E-config-017", Blame::Operator, "the file is there already; nothing was written", remedy).file(there));
    }
    for (path, text) in &files {
        create_private_dir(path.parent().unwrap_or(dir))?;
        write_atomic(path, text.as_bytes())?;
    }
    create_private_dir(&dir.join("secrets"))?;
    Ok(files.into_iter().map(|(path, _)| path).collect())
}
