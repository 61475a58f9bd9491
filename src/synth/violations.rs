//! The planted violations: which rule each object breaks, in which field, and at which character.
//!
//! Three things break rules here: faults that the fleet has planted, which stand at the registry and in the records; the ways in which
//! people write the same value otherwise, which stand in the records alone; and what no registry could hold, in records of which it holds
//! nothing.

use super::record::Record;
use super::tables::CsvFile;
use crate::base::Result;
use crate::dataset::{Kind, columns};
use crate::mock::fleet::Flaw;
use crate::model::ObjectKind;
use std::path::Path;
use unicode_normalization::UnicodeNormalization as _;

/// One violation; ordered as the file is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    object: &'static str,
    id: String,
    field: String,
    position: Option<u32>,
    rule: &'static str,
    code_point: String,
}

/// The file of violations. Those of one registry are kept until it is done, since they have to be sorted.
pub(super) struct Violations {
    file: CsvFile,
    rows: Vec<Row>,
    written: u64,
}

impl Violations {
    /// Opens the file at `path`.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let mut file = CsvFile::create(path)?;
        file.push(["registry", "object", "id", "field", "rule", "position", "code_point"])?;
        Ok(Self { file, rows: Vec::new(), written: 0 })
    }

    /// A fault that somebody planted.
    pub(super) fn planted(&mut self, object: ObjectKind, id: &str, flaw: &Flaw) {
        self.rows.push(Row {
            object: object.as_str(),
            id: id.to_owned(),
            field: flaw.field.clone(),
            position: flaw.position,
            rule: flaw.rule,
            code_point: flaw.character.map_or_else(String::new, |c| format!("U+{:04X}", u32::from(c))),
        });
    }

    /// What another way to write values breaks: `good` is the record before it was rewritten.
    pub(super) fn rewritten(&mut self, object: ObjectKind, good: &Record, record: &Record) {
        for (at, column) in columns(object).iter().enumerate() {
            let (before, after) = (good.get(at), record.get(at));
            let Some(field) = path(column.name).filter(|_| before != after) else { continue };
            let flaw = match column.kind {
                Kind::Text => match apart(after) {
                    Some((position, c)) => Flaw { rule: "R-addr-007", field, position: Some(position), character: Some(c) },
                    None => continue,
                },
                Kind::Country | Kind::Phone => Flaw { rule: "R-addr-004", field, position: None, character: None },
                _ => continue,
            };
            self.planted(object, record.id(), &flaw);
        }
    }

    /// Writes the rows of `registry`, sorted.
    pub(super) fn end_of(&mut self, registry: &str) -> Result<()> {
        self.rows.sort_unstable();
        for row in self.rows.drain(..) {
            let position = row.position.map_or_else(String::new, |at| at.to_string());
            self.file.push([registry, row.object, &row.id, &row.field, row.rule, &position, &row.code_point])?;
            self.written += 1;
        }
        Ok(())
    }

    /// Puts the file in place; how many violations there are.
    pub(super) fn finish(self) -> Result<u64> {
        self.file.finish()?;
        Ok(self.written)
    }
}

/// The first character that another stands for in normal form C, with its place there; nothing where `text` is in that form.
fn apart(text: &str) -> Option<(u32, char)> {
    let (at, (composed, _)) = text.nfc().zip(text.chars()).enumerate().find(|(_, (nfc, raw))| nfc != raw)?;
    Some((u32::try_from(at + 1).ok()?, composed))
}

/// A column as findings name it: `loc_street2` is `loc.street[2]`.
fn path(column: &str) -> Option<String> {
    let Some((form, field)) = column.split_once('_').filter(|(form, _)| matches!(*form, "int" | "loc")) else {
        // Extensions of numbers are not judged.
        return (!column.ends_with("_x")).then(|| column.to_owned());
    };
    Some(match field.strip_prefix("street") {
        Some(number) => format!("{form}.street[{number}]"),
        None => format!("{form}.{field}"),
    })
}
