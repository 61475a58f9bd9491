//! A heat map as inline SVG: zones from the top, elements from the left, each cell told by its letter, its pattern and its colour.

use super::svg::pattern;
use super::verdict::{count, grouped};
use crate::base::escape_controls;
use maud::{Markup, html};

/// The most zones that are drawn; the table has all of them.
const ZONES: usize = 40;
/// Height of a row in pixels.
const ROW: usize = 30;
/// Height of the columns' names, which stand upright.
const HEAD: usize = 92;
/// Height of a line of the legend.
const KEY: usize = 24;
/// Per cent of the width that the zones' names take.
const LABEL: f64 = 27.0;
/// The most characters of a zone's name that fit beside the cells on a narrow page.
const FITS: usize = 13;

/// The states in the order of the counts: letter, name, colour and pattern. A pattern is a number of [`pattern`]; 0: none.
const STATES: [(&str, &str, &str, usize); 6] = [
    ("W", "kept back", "s4", 0),
    ("G", "on request", "s0", 4),
    ("P", "public by rule", "s1", 1),
    ("O", "public by own word", "s3", 3),
    ("L", "LEAK", "s2", 2),
    ("?", "not known", "none", 0),
];

/// A heat map.
#[derive(Debug)]
pub(super) struct Heat {
    /// A prefix for ids, unique on the page.
    pub(super) id: String,
    /// What is shown.
    pub(super) title: String,
    /// What it says, for those who do not see it.
    pub(super) desc: String,
    /// The columns' names.
    pub(super) columns: Vec<&'static str>,
    /// The rows, from the top.
    pub(super) rows: Vec<HeatRow>,
}

/// A row of it.
#[derive(Debug)]
pub(super) struct HeatRow {
    /// What it stands for. It may be a registry's text.
    pub(super) label: String,
    /// For each column how many are in which of the states.
    pub(super) cells: Vec<[u64; STATES.len()]>,
}

impl Heat {
    /// Draws the map.
    pub(super) fn draw(&self) -> Markup {
        let top = STATES.len().div_ceil(2) * KEY + HEAD;
        let drawn = self.rows.len().min(ZONES);
        let more = self.rows.len() - drawn;
        let height = top + drawn * ROW + if more > 0 { 26 } else { 4 };
        html! {
            svg role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } width="100%" height=(height) xmlns="http://www.w3.org/2000/svg" {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (escape_controls(&self.desc)) }
                defs { @for n in 1..5 { (pattern(&self.id, n)) } }
                @for (n, (_, name, ..)) in STATES.iter().enumerate() {
                    @let (x, y) = (if n % 2 == 0 { "0" } else { "50%" }, n / 2 * KEY);
                    svg x=(x) y=(y) width="26" height="20" { (self.cell(n)) }
                    text x=(x) dx="32" y=(y + 15) { (name) }
                }
                @for (n, name) in self.columns.iter().enumerate() {
                    // Upright words begin at the top; they end above the cells.
                    text.upright x=(self.middle(n)) y=(top - 6) text-anchor="end" { (name) }
                }
                @for (n, row) in self.rows.iter().take(ZONES).enumerate() { (self.row(row, top + n * ROW)) }
                @if more > 0 { text.small x="0" y=(height - 8) { (count(more as u64, "more zone stands", "more zones stand")) " in the table" } }
            }
        }
    }

    fn row(&self, row: &HeatRow, y: usize) -> Markup {
        let label = escape_controls(&row.label);
        let short = if label.chars().count() > FITS { label.chars().take(FITS - 1).chain(['…']).collect() } else { label.clone() };
        html! {
            text x="0" y=(y + 19) { title { (label) } (short) }
            @for (n, counts) in row.cells.iter().enumerate() {
                @if let Some(state) = most(counts) {
                    svg x=(self.left(n)) y=(y) width=(self.width()) height=(ROW - 2) {
                        title { (label) ", " (self.columns.get(n).copied().unwrap_or_default()) ": " (told(counts)) }
                        (self.cell(state))
                    }
                }
            }
        }
    }

    /// A cell in state `n`: it fills whatever it stands in.
    fn cell(&self, n: usize) -> Markup {
        let (letter, _, class, weave) = STATES.get(n).copied().unwrap_or_default();
        html! {
            rect.cell.{ (class) } x="1" y="1" width="95%" height="92%" {}
            @if weave > 0 { rect x="1" y="1" width="95%" height="92%" fill={ "url(#" (self.id) "-p" (weave) ")" } {} }
            circle.plate cx="49%" cy="48%" r="8.5" {}
            text.letter x="49%" y="48%" dy="4.5" text-anchor="middle" { (letter) }
        }
    }

    fn width(&self) -> String {
        format!("{:.2}%", (100.0 - LABEL) / self.columns.len().max(1) as f64 - 0.3)
    }

    fn left(&self, n: usize) -> String {
        format!("{:.2}%", LABEL + (100.0 - LABEL) * n as f64 / self.columns.len().max(1) as f64)
    }

    fn middle(&self, n: usize) -> String {
        format!("{:.2}%", LABEL + (100.0 - LABEL) * (n as f64 + 0.48) / self.columns.len().max(1) as f64)
    }
}

/// The state that counts in a cell: the most that anybody sees. What is not known counts where nothing else is there but what is kept back;
/// a cell without any count has none.
fn most(counts: &[u64; STATES.len()]) -> Option<usize> {
    [4, 3, 2, 1, 5, 0].into_iter().find(|n| counts.get(*n).is_some_and(|count| *count > 0))
}

/// The counts of a cell in words.
fn told(counts: &[u64; STATES.len()]) -> String {
    let all = STATES.iter().zip(counts).filter(|(_, n)| **n > 0).map(|((_, name, ..), n)| format!("{name} {}", grouped(*n)));
    all.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn heat(rows: usize) -> Heat {
        let row = |n: usize| HeatRow { label: format!("zone-{n}"), cells: vec![[3, 0, 2, 0, 0, 0], [9, 0, 0, 0, 1, 0], [0; 6]] };
        let columns = vec!["name", "fax", "email"];
        Heat { id: "h".into(), title: "T".into(), desc: "D".into(), columns, rows: (0..rows).map(row).collect() }
    }

    #[test]
    fn a_cell_has_the_letter_of_the_most_that_is_seen() {
        assert_eq!(most(&[9, 9, 9, 9, 1, 9]), Some(4), "one leak is a leak");
        assert_eq!(most(&[9, 0, 1, 0, 0, 9]), Some(2));
        assert_eq!(most(&[9, 0, 0, 0, 0, 1]), Some(5), "what is not known is not kept back");
        assert_eq!(most(&[0; 6]), None);
        let drawn = heat(1).draw().into_string();
        assert!(drawn.contains("<title>zone-0, name: kept back 3, public by rule 2</title>"), "{drawn}");
        assert!(drawn.contains("<title>zone-0, fax: kept back 9, LEAK 1</title>"), "{drawn}");
        assert!(!drawn.contains("zone-0, email"), "nothing is there");
        // Once in the legend, once in the map.
        assert_eq!(drawn.matches(">L</text>").count(), 2);
    }

    #[test]
    fn no_two_states_share_a_letter_or_a_colour_and_pattern() {
        assert_eq!(STATES.iter().map(|(letter, ..)| letter).collect::<BTreeSet<_>>().len(), STATES.len());
        assert_eq!(STATES.iter().map(|(.., class, _)| class).collect::<BTreeSet<_>>().len(), STATES.len());
        let patterns: Vec<_> = STATES.iter().map(|(.., weave)| *weave).filter(|weave| *weave > 0).collect();
        assert_eq!(patterns.iter().collect::<BTreeSet<_>>().len(), patterns.len());
    }

    #[test]
    fn what_is_not_drawn_is_counted() {
        let drawn = heat(ZONES + 3).draw().into_string();
        assert!(drawn.contains("3 more zones stand in the table") && !drawn.contains(&format!("zone-{ZONES},")));
        assert!(!heat(ZONES).draw().into_string().contains("in the table"));
    }
}
