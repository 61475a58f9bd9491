//! Manual pages, out of the same words as `--help`.

use crate::base::{Blame, Problem, Result, create_private_dir, write_public};
use clap_mangen::Man;
use std::path::Path;

/// Writes a page of section 1 for `command` and for each verb below it into `dir`; gives their paths, in the order of their names.
///
/// # Errors
/// As the writer of files.
pub(super) fn write(mut command: clap::Command, dir: &Path) -> Result<Vec<String>> {
    // What every verb takes, and the full names of verbs, stand in the commands only once they are built.
    command.build();
    let mut pages = Vec::new();
    gather(command, &mut pages);
    create_private_dir(dir)?;
    let mut files = Vec::with_capacity(pages.len());
    for page in pages {
        let path = dir.join(page.get_filename());
        let mut text = Vec::new();
        page.render(&mut text).map_err(|e| Problem::new("E-cli-014", Blame::Us, e.to_string(), "please report this"))?;
        write_public(&path, &text)?;
        files.push(path.display().to_string());
    }
    files.sort_unstable();
    Ok(files)
}

/// The pages of a command and of all below it.
fn gather(command: clap::Command, pages: &mut Vec<Man>) {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        gather(verb.clone(), pages);
    }
    // Without a date: equal sources give equal pages.
    pages.push(Man::new(command).manual("Privet").source(concat!("privet ", env!("CARGO_PKG_VERSION"))).date(""));
}
