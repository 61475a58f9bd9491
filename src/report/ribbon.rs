//! A ribbon of runs as inline SVG, the oldest first: a field for each, told by its letter, its pattern and its colour.

use super::svg::pattern;
use super::verdict::count;
use crate::base::escape_controls;
use maud::{Markup, html};

/// Fields of a line.
const LINE: usize = 20;
/// Height of a line in pixels.
const ROW: usize = 34;
/// Height of a line of the legend.
const KEY: usize = 24;

/// What becomes of a field: letter, name, colour and pattern. A pattern is a number of [`pattern`]; 0: none.
const KINDS: [(&str, &str, &str, usize); 5] = [
    ("S", "signed", "s4", 0),
    ("F", "signed, run failed", "s1", 1),
    ("E", "erased, as signed", "s0", 4),
    ("G", "gap: no proof", "s3", 3),
    ("X", "DOES NOT HOLD", "s2", 2),
];

/// A ribbon.
#[derive(Debug)]
pub(super) struct Ribbon {
    /// A prefix for ids, unique on the page.
    pub(super) id: String,
    /// What is shown.
    pub(super) title: String,
    /// What it says, for those who do not see it.
    pub(super) desc: String,
    /// The fields from the oldest, each with its name and its kind: a number of those above.
    pub(super) fields: Vec<(String, usize)>,
}

impl Ribbon {
    /// Draws it.
    pub(super) fn draw(&self) -> Markup {
        let top = KINDS.len().div_ceil(2) * KEY + 10;
        let lines = self.fields.len().div_ceil(LINE);
        html! {
            svg role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } width="100%" height=(top + lines * ROW + 4) xmlns="http://www.w3.org/2000/svg" {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (escape_controls(&self.desc)) }
                defs { @for n in 1..5 { (pattern(&self.id, n)) } }
                @for (n, (_, name, ..)) in KINDS.iter().enumerate() {
                    @let (x, y) = (if n % 2 == 0 { "0" } else { "50%" }, n / 2 * KEY);
                    svg x=(x) y=(y) width="26" height="20" { (self.field(n)) }
                    text x=(x) dx="32" y=(y + 15) { (name) }
                }
                @for (n, (name, kind)) in self.fields.iter().enumerate() {
                    @let x = format!("{:.2}%", (n % LINE) as f64 * 100.0 / LINE as f64);
                    svg x=(x) y=(top + n / LINE * ROW) width=(format!("{:.2}%", 100.0 / LINE as f64 - 0.4)) height=(ROW - 4) {
                        title { (escape_controls(name)) ": " (KINDS.get(*kind).map(|(_, name, ..)| *name).unwrap_or_default()) }
                        (self.field(*kind))
                    }
                }
            }
        }
    }

    /// A field of a kind: it fills whatever it stands in.
    fn field(&self, kind: usize) -> Markup {
        let (letter, _, class, weave) = KINDS.get(kind).copied().unwrap_or_default();
        html! {
            rect.cell.{ (class) } x="0" y="0" width="100%" height="100%" {}
            @if weave > 0 { rect x="0" y="0" width="100%" height="100%" fill={ "url(#" (self.id) "-p" (weave) ")" } {} }
            circle.plate cx="50%" cy="50%" r="7.5" {}
            text.letter x="50%" y="50%" dy="4.5" text-anchor="middle" { (letter) }
        }
    }
}

/// How many fields are of each kind, in words.
pub(super) fn told(fields: &[(String, usize)]) -> String {
    let of = |kind: usize| fields.iter().filter(|(_, one)| *one == kind).count();
    let all = KINDS.iter().enumerate().filter(|(kind, _)| of(*kind) > 0).map(|(kind, (_, name, ..))| format!("{name} {}", of(kind)));
    format!("{}: {}.", count(fields.len() as u64, "run", "runs"), all.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn ribbon(runs: usize) -> Ribbon {
        let fields = (0..runs).map(|n| (format!("run-{n}"), n % KINDS.len())).collect();
        Ribbon { id: "r".into(), title: "T".into(), desc: "D".into(), fields }
    }

    #[test]
    fn no_two_kinds_share_a_letter_or_a_colour_and_pattern() {
        assert_eq!(KINDS.iter().map(|(letter, ..)| letter).collect::<BTreeSet<_>>().len(), KINDS.len());
        assert_eq!(KINDS.iter().map(|(_, _, class, weave)| (class, weave)).collect::<BTreeSet<_>>().len(), KINDS.len());
    }

    #[test]
    fn each_run_is_told_and_lines_are_as_long_as_they_may_be() {
        let drawn = ribbon(60).draw().into_string();
        assert_eq!(drawn.matches("<title>run-").count(), 60);
        assert!(drawn.contains("<title>run-4: DOES NOT HOLD</title>"), "{drawn}");
        assert!(drawn.contains(&format!("height=\"{}\"", 3 * KEY + 10 + 3 * ROW + 4)));
        assert_eq!(
            told(&ribbon(6).fields),
            "6 runs: signed 2, signed, run failed 1, erased, as signed 1, gap: no proof 1, DOES NOT HOLD 1."
        );
    }
}
