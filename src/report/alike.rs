//! Rows that say the same, told by the first of them and a count.

use super::table::{Cell, Table};
use super::verdict::grouped;
use std::collections::BTreeMap;

/// How many of the rows that say the same are shown.
const SHOWN: usize = 3;

/// `table` for people: of rows that agree in the columns `same` the first few stand together, and one row more counts the rest in the
/// column `at`. A single row more is shown itself.
pub(super) fn gathered(table: &Table, same: &[&str], at: &str) -> Table {
    let heads = table.shape.heads;
    let mut groups: Vec<Vec<&Vec<Cell>>> = Vec::new();
    let mut known: BTreeMap<Vec<&Cell>, usize> = BTreeMap::new();
    for row in &table.rows {
        let key = heads.iter().zip(row).filter(|(head, _)| same.contains(&head.name)).map(|(_, cell)| cell).collect();
        let n = *known.entry(key).or_insert(groups.len());
        match groups.get_mut(n) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let rest = |row: &Vec<Cell>, n: usize| {
        let cell = |name: &str, cell: &Cell| match name {
            name if name == at => format!("and {} more like these", grouped(n as u64)).into(),
            name if same.contains(&name) => cell.clone(),
            _ => Cell::Empty,
        };
        heads.iter().zip(row).map(|(head, of)| cell(head.name, of)).collect()
    };
    let mut rows = Vec::new();
    for group in groups {
        let shown = if group.len() > SHOWN + 1 { SHOWN } else { group.len() };
        rows.extend(group.iter().take(shown).map(|row| (*row).clone()));
        rows.extend(group.get(shown).map(|row| rest(row, group.len() - shown)));
    }
    Table { shape: table.shape, rows }
}

#[cfg(test)]
mod tests {
    use super::super::table::Shape;
    use super::super::tables::{int, text};
    use super::*;

    const SHAPE: Shape = Shape { name: "t", title: "T", heads: &[text("id", "Id"), text("place", "Place"), int("exit", "Exit")] };

    #[test]
    fn alike_rows_are_told_once() {
        let row = |id: &str, place: u64| vec![Cell::from(id), format!("line {place}").into(), Cell::Empty];
        let mut rows: Vec<_> = (1..=6).map(|n| row("a", n)).collect();
        rows.insert(1, row("b", 9));
        rows.extend((1..=4).map(|n| row("c", n)));
        let told = gathered(&Table { shape: &SHAPE, rows }, &["id"], "place").rows;
        let mut wanted: Vec<_> = (1..=3).map(|n| row("a", n)).collect();
        wanted.push(vec!["a".into(), "and 3 more like these".into(), Cell::Empty]);
        wanted.push(row("b", 9));
        wanted.extend((1..=4).map(|n| row("c", n)));
        assert_eq!(told, wanted);
    }
}
