//! Pictures as inline SVG, horizontal bars among them: widths in per cent and type in pixels, so that one fits any page without its words
//! shrinking.
//!
//! A chart is told by a title and a description, each part by its own title, and each series by a pattern as well as a colour.

use super::area::Area;
use super::flow::Flow;
use super::funnel::Funnel;
use super::heat::Heat;
use super::ribbon::Ribbon;
use crate::base::escape_controls;
use maud::{Markup, html};

/// How many series a chart can tell apart; the style sheet has a colour for each.
const SERIES: usize = 5;
/// Per cent of the width that the longest bar takes; the rest is for the figure behind it, on a narrow page too.
const FULL: f64 = 58.0;
/// Height of a row in pixels: its label and its bar.
const ROW: usize = 44;
/// Height of a line of the legend.
const KEY: usize = 22;

/// A picture of a report; the table of its figures stands beside it.
#[derive(Debug)]
pub(super) enum Picture {
    /// Horizontal bars.
    Bars(Bars),
    /// Areas upon each other, over time.
    Area(Area),
    /// Zones and elements, each cell by the most that anybody sees there.
    Heat(Heat),
    /// Steps that fewer and fewer take.
    Funnel(Funnel),
    /// What flows from where to where.
    Flow(Flow),
    /// Runs, one by one.
    Ribbon(Ribbon),
}

impl Picture {
    /// Its caption.
    pub(super) fn title(&self) -> &str {
        match self {
            Self::Bars(bars) => &bars.title,
            Self::Area(area) => &area.title,
            Self::Heat(heat) => &heat.title,
            Self::Funnel(funnel) => &funnel.title,
            Self::Flow(flow) => &flow.title,
            Self::Ribbon(ribbon) => &ribbon.title,
        }
    }

    /// What it says, for those who do not see it.
    pub(super) fn desc(&self) -> &str {
        match self {
            Self::Bars(bars) => &bars.desc,
            Self::Area(area) => &area.desc,
            Self::Heat(heat) => &heat.desc,
            Self::Funnel(funnel) => &funnel.desc,
            Self::Flow(flow) => &flow.desc,
            Self::Ribbon(ribbon) => &ribbon.desc,
        }
    }

    /// Whether there is anything to see.
    pub(super) const fn is_empty(&self) -> bool {
        match self {
            Self::Bars(bars) => bars.rows.is_empty(),
            Self::Area(area) => area.points.is_empty(),
            Self::Heat(heat) => heat.rows.is_empty(),
            Self::Funnel(funnel) => funnel.steps.is_empty(),
            Self::Flow(flow) => flow.ways.is_empty(),
            Self::Ribbon(ribbon) => ribbon.fields.is_empty(),
        }
    }

    /// Draws it.
    pub(super) fn draw(&self) -> Markup {
        match self {
            Self::Bars(bars) => bars.draw(),
            Self::Area(area) => area.draw(),
            Self::Heat(heat) => heat.draw(),
            Self::Funnel(funnel) => funnel.draw(),
            Self::Flow(flow) => flow.draw(),
            Self::Ribbon(ribbon) => ribbon.draw(),
        }
    }
}

/// A chart of horizontal bars.
#[derive(Debug)]
pub(super) struct Bars {
    /// A prefix for ids, unique on the page.
    pub(super) id: String,
    /// What is shown.
    pub(super) title: String,
    /// What it says, for those who do not see it.
    pub(super) desc: String,
    /// The series' names.
    pub(super) series: Vec<&'static str>,
    /// The bars, from the top.
    pub(super) rows: Vec<Bar>,
    /// The value at which a bar is full; 0: the longest bar's.
    pub(super) full: f64,
    /// Lines across the chart, each at a value with its label.
    pub(super) ticks: Vec<(f64, &'static str)>,
    /// What the mark on a bar means, where bars have one.
    pub(super) mark: Option<&'static str>,
}

/// One bar.
#[derive(Debug)]
pub(super) struct Bar {
    /// What it stands for. It may be a registry's text.
    pub(super) label: String,
    /// A value for each series, stacked from the left.
    pub(super) parts: Vec<f64>,
    /// The figure behind the bar.
    pub(super) note: String,
    /// Where a mark stands.
    pub(super) mark: Option<f64>,
}

impl Bars {
    /// Draws the chart.
    pub(super) fn draw(&self) -> Markup {
        let longest = self.rows.iter().map(|r| r.parts.iter().sum::<f64>()).fold(0.0, f64::max);
        let full = [self.full, longest].into_iter().find(|v| *v > 0.0).unwrap_or(1.0);
        let keys = self.series.len() + usize::from(self.mark.is_some());
        let top = keys.div_ceil(2) * KEY + 6;
        let foot = if self.ticks.is_empty() { 4 } else { 24 };
        let bottom = top + self.rows.len() * ROW;
        html! {
            svg role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } width="100%" height=(bottom + foot) xmlns="http://www.w3.org/2000/svg" {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (escape_controls(&self.desc)) }
                defs { @for n in 1..self.series.len().min(SERIES) { (pattern(&self.id, n)) } }
                @for (n, name) in self.series.iter().enumerate() {
                    (self.block(n, &cell(n), top_of(n) + 2, "14", 14, None))
                    text x=(cell(n)) dx="22" y=(top_of(n) + 14) { (name) }
                }
                @if let Some(mark) = self.mark {
                    line.mark x1=(cell(keys - 1)) x2=(cell(keys - 1)) y1=(top_of(keys - 1)) y2=(top_of(keys - 1) + 18) {}
                    text x=(cell(keys - 1)) dx="22" y=(top_of(keys - 1) + 14) { (mark) }
                }
                @for (value, label) in &self.ticks {
                    @let x = percent(*value, full);
                    line.tick x1=(x) x2=(x) y1=(top) y2=(bottom + 4) {}
                    text.small x=(x) dx="3" y=(bottom + 18) { (label) }
                }
                @for (n, row) in self.rows.iter().enumerate() { (self.row(row, top + n * ROW, full)) }
            }
        }
    }

    /// One bar with its label above and its figure behind it.
    fn row(&self, row: &Bar, y: usize, full: f64) -> Markup {
        let total: f64 = row.parts.iter().sum();
        let starts = row.parts.iter().scan(0.0, |at, part| Some(std::mem::replace(at, *at + part)));
        html! {
            text x="0" y=(y + 14) { (escape_controls(&row.label)) }
            @for (n, (part, start)) in row.parts.iter().zip(starts).enumerate() {
                @if *part > 0.0 {
                    @let name = self.series.get(n).copied().unwrap_or_default();
                    (self.block(n, &percent(start, full), y + 20, &percent(*part, full), 16, Some((name, *part))))
                }
            }
            @if let Some(mark) = row.mark {
                line.mark x1=(percent(mark, full)) x2=(percent(mark, full)) y1=(y + 18) y2=(y + 40) {}
            }
            text.figure x=(percent(total.max(row.mark.unwrap_or_default()), full)) dx="8" y=(y + 33) { (escape_controls(&row.note)) }
        }
    }

    /// A rectangle in the colour and the pattern of series `n`.
    fn block(&self, n: usize, x: &str, y: usize, width: &str, height: usize, told: Option<(&str, f64)>) -> Markup {
        let n = n % SERIES;
        html! {
            g {
                @if let Some((name, value)) = told { title { (name) ": " (value) } }
                rect class={ "s" (n) } x=(x) y=(y) width=(width) height=(height) {}
                @if n > 0 { rect x=(x) y=(y) width=(width) height=(height) fill={ "url(#" (self.id) "-p" (n) ")" } {} }
            }
        }
    }
}

/// The left edge of key `n`: keys stand in two columns.
fn cell(n: usize) -> String {
    if n.is_multiple_of(2) { "1".to_owned() } else { "50%".to_owned() }
}

/// The upper edge of key `n`.
const fn top_of(n: usize) -> usize {
    n / 2 * KEY
}

/// `value` of `full` as a width, with two decimals so that equal facts give equal bytes; never beyond the page.
fn percent(value: f64, full: f64) -> String {
    format!("{:.2}%", (value / full * FULL).clamp(0.0, FULL))
}

/// The pattern of series `n` in the picture `id`: rising lines, dots, upright lines, level lines.
pub(super) fn pattern(id: &str, n: usize) -> Markup {
    html! {
        pattern id={ (id) "-p" (n) } width="6" height="6" patternUnits="userSpaceOnUse" {
            @match n {
                1 => path.weave d="M0 6L6 0M-1 1L1 -1M5 7L7 5" {},
                2 => circle.dot cx="3" cy="3" r="1.3" {},
                3 => path.weave d="M3 0V6" {},
                _ => path.weave d="M0 3H6" {},
            }
        }
    }
}
