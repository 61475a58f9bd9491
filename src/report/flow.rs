//! What flows from where to where, as inline SVG (after Sankey): columns of places, and between them bands as thick as what goes along.
//!
//! Bands are drawn in shares of the width, so that they stretch with the page while words keep their size. A band says what it is by its
//! title and by the places it joins, never by its colour.

use crate::base::escape_controls;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Height of a place at least, in pixels: its name fits beside it.
const LEAST: f64 = 17.0;
/// Height that all that flows has in a column, in pixels.
const ALL: f64 = 240.0;
/// Room between two places.
const GAP: f64 = 5.0;
/// Height of the columns' heads.
const HEAD: f64 = 24.0;
/// Width of a place's bar in thousandths of the picture.
const BAR: f64 = 12.0;
/// The most characters of a name that fit between two columns on a narrow page.
const FITS: usize = 15;

/// A picture of flows through columns of places.
#[derive(Debug)]
pub(super) struct Flow {
    /// A prefix for ids, unique on the page.
    pub(super) id: String,
    /// What is shown.
    pub(super) title: String,
    /// What it says, for those who do not see it.
    pub(super) desc: String,
    /// The columns' names, from the left; at least two.
    pub(super) columns: Vec<&'static str>,
    /// What flows.
    pub(super) ways: Vec<Way>,
}

/// What flows along one way.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// A place in each column. It may be a registry's text.
    pub(super) places: Vec<String>,
    /// How thick the band is.
    pub(super) weight: u64,
}

/// A place as it is drawn: its upper edge, and its height.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spot {
    y: f64,
    height: f64,
    weight: u64,
}

impl Flow {
    /// Draws it.
    pub(super) fn draw(&self) -> Markup {
        let columns: Vec<Vec<(&str, Spot)>> = (0..self.columns.len()).map(|column| self.column(column)).collect();
        let bottom = columns.iter().flatten().map(|(_, spot)| spot.y + spot.height).fold(HEAD, f64::max);
        let height = format!("{:.0}", bottom + 4.0);
        html! {
            svg role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } width="100%" height=(height) xmlns="http://www.w3.org/2000/svg" {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (escape_controls(&self.desc)) }
                svg x="0" y="0" width="100%" height=(height) viewBox={ "0 0 1000 " (height) } preserveAspectRatio="none" {
                    @for (n, pair) in columns.windows(2).enumerate() {
                        @if let [from, to] = pair { (self.bands(n, from, to)) }
                    }
                    @for (n, spots) in columns.iter().enumerate() {
                        @for (_, spot) in spots {
                            rect.s0 x=(format!("{:.1}", self.left(n))) y=(format!("{:.1}", spot.y)) width=(BAR) height=(format!("{:.1}", spot.height)) {}
                        }
                    }
                }
                @for (n, name) in self.columns.iter().enumerate() { text.small x=(self.place(n)) y="13" text-anchor=(self.anchor(n)) { (name) } }
                @for (n, spots) in columns.iter().enumerate() {
                    @for (name, spot) in spots {
                        @let name = escape_controls(name);
                        text.name x=(self.place(n)) dx=(if self.is_last(n) { "-5" } else { "5" }) y=(format!("{:.1}", spot.y + spot.height / 2.0 + 4.0)) text-anchor=(self.anchor(n)) {
                            title { (name) }
                            (short(&name))
                        }
                    }
                }
            }
        }
    }

    /// The places of a column from the top: the ones of which most comes first.
    fn column(&self, n: usize) -> Vec<(&str, Spot)> {
        let mut weights: BTreeMap<&str, u64> = BTreeMap::new();
        for way in &self.ways {
            *weights.entry(way.place(n)).or_default() += way.weight;
        }
        let all: u64 = weights.values().sum();
        let mut places: Vec<(&str, u64)> = weights.into_iter().collect();
        places.sort_by_key(|(name, weight)| (std::cmp::Reverse(*weight), *name));
        let mut y = HEAD;
        let spot = |(name, weight): (_, u64)| {
            let height = (weight as f64 / all.max(1) as f64 * ALL).max(LEAST);
            let spot = Spot { y, height, weight };
            y += height + GAP;
            (name, spot)
        };
        places.into_iter().map(spot).collect()
    }

    /// The bands between two columns. At each place they lie upon each other in the order of the places they come from and lead to.
    fn bands(&self, n: usize, from: &[(&str, Spot)], to: &[(&str, Spot)]) -> Markup {
        let mut weights: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for way in &self.ways {
            *weights.entry((way.place(n), way.place(n + 1))).or_default() += way.weight;
        }
        let (mut left, mut right): (Vec<f64>, Vec<f64>) = (vec![0.0; from.len()], vec![0.0; to.len()]);
        let mut bands = Vec::new();
        for (f, (source, out)) in from.iter().enumerate() {
            for (t, (target, into)) in to.iter().enumerate() {
                let Some(weight) = weights.get(&(*source, *target)).copied() else { continue };
                let (Some(above), Some(beyond)) = (left.get_mut(f), right.get_mut(t)) else { continue };
                let thick = |spot: &Spot| weight as f64 / spot.weight.max(1) as f64 * spot.height;
                let (y0, y1, h0, h1) = (out.y + *above, into.y + *beyond, thick(out), thick(into));
                *above += h0;
                *beyond += h1;
                let (x0, x1) = (self.left(n) + BAR, self.left(n + 1));
                let middle = f64::midpoint(x0, x1);
                let path = format!(
                    "M{x0:.1} {y0:.1}C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {x1:.1} {y1:.1}V{:.1}C{middle:.1} {:.1} {middle:.1} {:.1} {x0:.1} {:.1}Z",
                    y1 + h1,
                    y1 + h1,
                    y0 + h0,
                    y0 + h0
                );
                bands.push((format!("{source} → {target}"), path));
            }
        }
        html! { @for (title, path) in &bands { path.band d=(path) { title { (escape_controls(title)) } } } }
    }

    /// The left edge of a column's bars, in thousandths.
    fn left(&self, n: usize) -> f64 {
        (1000.0 - BAR) * n as f64 / self.columns.len().saturating_sub(1).max(1) as f64
    }

    fn is_last(&self, n: usize) -> bool {
        n + 1 == self.columns.len()
    }

    /// Where the words of a column stand: behind its bars, but before those of the last one.
    fn place(&self, n: usize) -> String {
        let edge = if self.is_last(n) { self.left(n) } else { self.left(n) + BAR };
        format!("{:.2}%", edge / 10.0)
    }

    fn anchor(&self, n: usize) -> &'static str {
        if self.is_last(n) { "end" } else { "start" }
    }
}

impl Way {
    fn place(&self, n: usize) -> &str {
        self.places.get(n).map_or("", String::as_str)
    }
}

/// A name as it fits.
fn short(name: &str) -> String {
    if name.chars().count() > FITS { name.chars().take(FITS - 1).chain(['…']).collect() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(ways: &[([&str; 3], u64)]) -> Flow {
        let ways = ways.iter().map(|(places, weight)| Way { places: places.map(str::to_owned).into(), weight: *weight }).collect();
        Flow { id: "w".into(), title: "T".into(), desc: "D".into(), columns: vec!["one", "two", "three"], ways }
    }

    #[test]
    fn what_leaves_a_place_is_what_came_to_it() {
        let flow = flow(&[(["a", "x", "p"], 30), (["a", "y", "p"], 10), (["b", "x", "q"], 60)]);
        let [first, second, third] = [0, 1, 2].map(|n| flow.column(n));
        assert_eq!(first.iter().map(|(name, spot)| (*name, spot.weight)).collect::<Vec<_>>(), [("b", 60), ("a", 40)]);
        assert_eq!(second.iter().map(|(name, spot)| (*name, spot.weight)).collect::<Vec<_>>(), [("x", 90), ("y", 10)]);
        for column in [&first, &second, &third] {
            assert_eq!(column.iter().map(|(_, spot)| spot.weight).sum::<u64>(), 100);
            assert!(column.windows(2).all(|pair| pair[1].1.y >= pair[0].1.y + pair[0].1.height), "none lies upon another");
        }
        assert_eq!(flow.bands(0, &first, &second).into_string().matches("<path").count(), 3);
        assert_eq!(flow.bands(1, &second, &third).into_string().matches("<path").count(), 3);
    }

    #[test]
    fn small_places_keep_room_for_their_names() {
        let flow = flow(&[(["a", "x", "p"], 1_000_000), (["b", "y", "q"], 1)]);
        assert!(flow.column(0).iter().all(|(_, spot)| spot.height >= LEAST));
    }

    #[test]
    fn a_flow_is_drawn_as_it_was() {
        let flow = flow(&[(["name", "Art. 6(1)(b)", "a-registry-with-a-long-name"], 3), (["email", "Art. 6(1)(b)", "<b>"], 1)]);
        insta::assert_snapshot!(flow.draw().into_string().replace("><", ">\n<"));
    }
}
