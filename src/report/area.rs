//! Areas stacked upon each other over time, as inline SVG. The shapes are clips in shares of the plot, so that they stretch with the page
//! while patterns and words keep their size.

use super::svg::pattern;
use super::verdict::grouped;
use crate::base::escape_controls;
use maud::{Markup, html};

/// Height of the plot in pixels.
const HEIGHT: usize = 220;
/// Height of a line of the legend.
const KEY: usize = 22;
/// Every how many points one is named below the plot.
const NAMED: usize = 6;

/// A chart of stacked areas.
#[derive(Debug)]
pub(super) struct Area {
    /// A prefix for ids, unique on the page.
    pub(super) id: String,
    /// What is shown.
    pub(super) title: String,
    /// What it says, for those who do not see it.
    pub(super) desc: String,
    /// The series' names, from the bottom; at most as many as there are colours and patterns.
    pub(super) series: Vec<&'static str>,
    /// The points in time, each with its name and a value for each series.
    pub(super) points: Vec<(String, Vec<u64>)>,
}

impl Area {
    /// Draws the chart.
    pub(super) fn draw(&self) -> Markup {
        let most = self.points.iter().map(|(_, values)| values.iter().sum::<u64>()).max().unwrap_or_default();
        let full = ceiling(most);
        let top = self.series.len().div_ceil(2) * KEY + 10;
        let bottom = top + HEIGHT;
        html! {
            svg role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } width="100%" height=(bottom + 26) xmlns="http://www.w3.org/2000/svg" {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (escape_controls(&self.desc)) }
                defs {
                    @for n in 0..self.series.len() {
                        @if n > 0 { (pattern(&self.id, n)) }
                        clipPath id={ (self.id) "-c" (n) } clipPathUnits="objectBoundingBox" { path d=(self.band(n, full)) {} }
                    }
                }
                @for (n, name) in self.series.iter().enumerate() {
                    @let (x, y) = (if n % 2 == 0 { "1" } else { "50%" }, n / 2 * KEY);
                    rect class={ "s" (n) } x=(x) y=(y + 2) width="14" height="14" {}
                    @if n > 0 { rect x=(x) y=(y + 2) width="14" height="14" fill={ "url(#" (self.id) "-p" (n) ")" } {} }
                    text x=(x) dx="22" y=(y + 14) { (name) }
                }
                @for (n, name) in self.series.iter().enumerate() {
                    g {
                        title { (name) }
                        // A clip is in shares of the rectangle: both cover the whole plot.
                        rect class={ "s" (n) } x="0" y=(top) width="100%" height=(HEIGHT) clip-path={ "url(#" (self.id) "-c" (n) ")" } {}
                        @if n > 0 {
                            rect x="0" y=(top) width="100%" height=(HEIGHT) fill={ "url(#" (self.id) "-p" (n) ")" } clip-path={ "url(#" (self.id) "-c" (n) ")" } {}
                        }
                    }
                }
                @for part in [2, 1] {
                    @let y = bottom - HEIGHT * part / 2;
                    line.tick x1="0" x2="100%" y1=(y) y2=(y) {}
                    rect.plate x="1" y=(y + 2) width=(grouped(full * part as u64 / 2).len() * 7 + 6) height="15" rx="2" {}
                    text.small x="4" y=(y + 14) { (grouped(full * part as u64 / 2)) }
                }
                line.tick x1="0" x2="100%" y1=(bottom) y2=(bottom) {}
                @for (n, (name, _)) in self.points.iter().enumerate().step_by(NAMED) {
                    text.small x=(self.place(n)) y=(bottom + 18) text-anchor=(self.anchor(n)) { (escape_controls(name)) }
                }
            }
        }
    }

    /// The outline of series `n` in shares of the plot: its upper edge from the left, then its lower edge back.
    fn band(&self, n: usize, full: u64) -> String {
        let last = self.points.len().saturating_sub(1).max(1) as f64;
        let edge = |count: usize| {
            self.points.iter().enumerate().map(move |(at, (_, values))| {
                let height = values.iter().take(count).sum::<u64>() as f64 / full as f64;
                format!("{:.4} {:.4}", at as f64 / last, 1.0 - height)
            })
        };
        let lower: Vec<String> = edge(n).collect();
        let all: Vec<String> = edge(n + 1).chain(lower.into_iter().rev()).collect();
        format!("M{}Z", all.join("L"))
    }

    /// Where point `n` stands.
    fn place(&self, n: usize) -> String {
        let last = self.points.len().saturating_sub(1).max(1);
        format!("{:.2}%", n as f64 / last as f64 * 100.0)
    }

    /// So that the first and the last name stay on the page.
    fn anchor(&self, n: usize) -> &'static str {
        match n {
            0 => "start",
            _ if n + 1 == self.points.len() => "end",
            _ => "middle",
        }
    }
}

/// The next even value above `most` with one or two digits that count.
fn ceiling(most: u64) -> u64 {
    let mut step = 1_u64;
    while most / step >= 20 {
        step = step.saturating_mul(10);
    }
    (most.div_ceil(step) * step).next_multiple_of(2).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(points: &[[u64; 3]]) -> Area {
        let points = points.iter().enumerate().map(|(n, values)| (format!("m{n}"), values.to_vec())).collect();
        Area { id: "a".into(), title: "T".into(), desc: "D".into(), series: vec!["one", "two", "three"], points }
    }

    #[test]
    fn bands_stand_upon_each_other_and_fill_what_they_count() {
        let area = area(&[[5, 5, 0], [0, 5, 5]]);
        assert_eq!(area.band(0, 10), "M0.0000 0.5000L1.0000 1.0000L1.0000 1.0000L0.0000 1.0000Z");
        assert_eq!(area.band(1, 10), "M0.0000 0.0000L1.0000 0.5000L1.0000 1.0000L0.0000 0.5000Z");
        assert_eq!(area.band(2, 10), "M0.0000 0.0000L1.0000 0.0000L1.0000 0.5000L0.0000 0.0000Z");
    }

    #[test]
    fn the_scale_ends_above_what_is_there() {
        for (most, wanted) in [(0, 2), (1, 2), (7, 8), (19, 20), (21, 30), (199, 200), (1_234, 1_300), (987_654, 1_000_000)] {
            assert_eq!(ceiling(most), wanted, "{most}");
        }
    }

    #[test]
    fn each_series_has_a_colour_a_pattern_and_a_name() {
        let drawn = area(&[[1, 2, 3]; 25]).draw().into_string();
        for n in 1..3 {
            assert!(drawn.contains(&format!("id=\"a-p{n}\"")) && drawn.matches(&format!("url(#a-p{n})")).count() == 2, "{n}");
        }
        assert!(drawn.contains("aria-labelledby=\"a-title a-desc\"") && drawn.contains("<title id=\"a-title\">T</title>"));
        assert_eq!(drawn.matches("text-anchor").count(), 5, "every sixth of 25 months is named");
    }
}
