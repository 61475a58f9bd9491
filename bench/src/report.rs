//! What a bench found: a table for people, goals kept or missed, JSON for machines, Markdown for the README.

use serde_json::{Value, json};

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Want {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure with what it should be.
pub struct Goal {
    pub what: String,
    pub value: f64,
    pub want: Want,
}

impl Goal {
    pub fn at_least(what: impl Into<String>, value: f64, want: f64) -> Self {
        Self { what: what.into(), value, want: Want::AtLeast(want) }
    }

    pub fn at_most(what: impl Into<String>, value: f64, want: f64) -> Self {
        Self { what: what.into(), value, want: Want::AtMost(want) }
    }

    /// Whether it is as it should be; a figure that could not be had is not.
    pub fn is_kept(&self) -> bool {
        match self.want {
            Want::AtLeast(want) => self.value >= want,
            Want::AtMost(want) => self.value <= want,
        }
    }

    fn wanted(&self) -> String {
        match self.want {
            Want::AtLeast(want) => format!("≥ {}", figure(want)),
            Want::AtMost(want) => format!("≤ {}", figure(want)),
        }
    }
}

/// What one bench found.
pub struct Section {
    pub title: &'static str,
    /// How it was measured, in a sentence or two.
    pub how: String,
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    pub goals: Vec<Goal>,
    /// Every single figure, for machines.
    pub raw: Value,
}

impl Section {
    pub fn json(&self) -> Value {
        let goal = |g: &Goal| json!({ "what": g.what, "value": g.value, "wanted": g.wanted(), "kept": g.is_kept() });
        json!({ "title": self.title, "goals": self.goals.iter().map(goal).collect::<Vec<_>>(), "raw": self.raw })
    }

    /// The tables for a terminal.
    pub fn text(&self) -> String {
        let head: Vec<String> = self.head.iter().map(|h| (*h).to_owned()).collect();
        let goals = aligned(&GOALS.map(str::to_owned), &self.goal_rows());
        format!("{}\n{}\n\n{}\n{goals}", self.title.to_uppercase(), self.how, aligned(&head, &self.rows))
    }

    /// The tables for the README.
    pub fn markdown(&self) -> String {
        let goals = markdown(&GOALS, &self.goal_rows());
        format!("### {}\n\n{}\n\n{}\n{goals}", self.title, self.how, markdown(&self.head, &self.rows))
    }

    fn goal_rows(&self) -> Vec<Vec<String>> {
        let verdict = |kept| if kept { "kept" } else { "missed" };
        self.goals.iter().map(|g| vec![g.what.clone(), figure(g.value), g.wanted(), verdict(g.is_kept()).to_owned()]).collect()
    }
}

const GOALS: [&str; 4] = ["goal", "measured", "wanted", ""];

/// A figure with three digits or more.
pub fn figure(value: f64) -> String {
    match value.abs() {
        a if !a.is_finite() => "none".to_owned(),
        a if a >= 100.0 => thousands(value.round()),
        a if a >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 { format!("-{out}") } else { out }
}

/// Columns under their heads: the first to the left, the others to the right.
fn aligned(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |at: usize| rows.iter().chain([&head.to_vec()]).filter_map(|r| r.get(at)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (c, &w))| if at == 0 { format!("{c:<w$}") } else { format!("{c:>w$}") });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let rule: Vec<String> = widths.iter().map(|&w| "-".repeat(w)).collect();
    let mut out = line(head) + &line(&rule);
    rows.iter().for_each(|row| out.push_str(&line(row)));
    out
}

fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<&str> = (0..head.len()).map(|at| if at == 0 { "---" } else { "---:" }).collect();
    let mut out = line(head) + &line(&rule);
    for row in rows {
        out.push_str(&line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_missing_keeps_no_goal() {
        assert!(!Goal::at_least("a", f64::NAN, 1.0).is_kept() && !Goal::at_most("b", f64::NAN, 1.0).is_kept());
        assert!(Goal::at_least("a", 1.0, 1.0).is_kept() && !Goal::at_most("b", 1.1, 1.0).is_kept());
    }

    #[test]
    fn figures_have_three_digits() {
        assert_eq!([1234567.4, 999.6, 12.34, 0.947, -1500.0].map(figure), ["1,234,567", "1,000", "12.3", "0.95", "-1,500"]);
    }
}
