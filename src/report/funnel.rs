//! Steps that fewer and fewer take, as inline SVG: a bar for each, its name and its count above it, a second line below it, and between two
//! bars the part that went on.

use super::verdict::grouped;
use crate::base::escape_controls;
use maud::{Markup, html};

/// Height of a step in pixels: its words, its bar and its second line.
const STEP: usize = 76;
/// The upper edge of the bar in its step.
const BAR: usize = 22;
/// Height of a bar.
const THICK: usize = 20;

/// Steps of which each is taken by some of those who took the one before.
#[derive(Debug)]
pub(super) struct Funnel {
    /// A prefix for ids, unique on the page.
    pub(super) id: String,
    /// What is shown.
    pub(super) title: String,
    /// What it says, for those who do not see it.
    pub(super) desc: String,
    /// The steps, from the first.
    pub(super) steps: Vec<Step>,
}

/// One step.
#[derive(Debug)]
pub(super) struct Step {
    /// What it is. It may be a registry's text.
    pub(super) label: String,
    /// How many took it.
    pub(super) count: u64,
    /// The second line, such as how many days it took; empty: none.
    pub(super) line: String,
}

impl Funnel {
    /// Draws the steps.
    pub(super) fn draw(&self) -> Markup {
        let most = self.steps.iter().map(|step| step.count).max().unwrap_or_default().max(1);
        let width = |step: &Step| step.count as f64 / most as f64 * 100.0;
        html! {
            svg role="img" aria-labelledby={ (self.id) "-title " (self.id) "-desc" } width="100%" height=(self.steps.len() * STEP) xmlns="http://www.w3.org/2000/svg" {
                title id={ (self.id) "-title" } { (self.title) }
                desc id={ (self.id) "-desc" } { (escape_controls(&self.desc)) }
                // What goes on lies below the words.
                @for (n, pair) in self.steps.windows(2).enumerate() {
                    @if let [from, to] = pair {
                        @let y = n * STEP + BAR + THICK;
                        svg x="0" y=(y) width="100%" height=(STEP - THICK) viewBox="0 0 100 100" preserveAspectRatio="none" {
                            path.flow d=(format!("M0 0H{:.2}L{:.2} 100H0Z", width(from), width(to))) {}
                        }
                    }
                }
                @for (n, step) in self.steps.iter().enumerate() {
                    @let y = n * STEP;
                    @let before = n.checked_sub(1).and_then(|before| self.steps.get(before));
                    text x="4" y=(y + 15) { (escape_controls(&step.label)) ": " tspan.figure font-weight="650" { (grouped(step.count)) } }
                    @if let Some(share) = before.and_then(|before| share(step.count, before.count)) {
                        text.small x="99.5%" y=(y + 15) text-anchor="end" { (share) }
                    }
                    @if step.count > 0 { rect.s0 x="0" y=(y + BAR) width=(format!("{:.2}%", width(step))) height=(THICK) {} }
                    line.edge x1="1" x2="1" y1=(y + BAR) y2=(y + BAR + THICK) {}
                    @if !step.line.is_empty() { text.small x="4" y=(y + BAR + THICK + 15) { (escape_controls(&step.line)) } }
                }
            }
        }
    }
}

/// How much of the step before this one is, in whole per cent; nothing where nobody took that one.
fn share(of: u64, before: u64) -> Option<String> {
    let percent = u128::from(of) * 100;
    Some(match percent.checked_div(u128::from(before))? {
        // Some are never told as none, nor almost all as all.
        0 if of > 0 => "under 1 % of the step before".to_owned(),
        whole => format!("{whole} % of the step before"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn funnel(counts: &[u64]) -> Funnel {
        let step = |(n, count): (usize, &u64)| Step {
            label: format!("step {n}"),
            count: *count,
            line: if n == 1 { "median 3 days".into() } else { String::new() },
        };
        Funnel { id: "f".into(), title: "T".into(), desc: "D".into(), steps: counts.iter().enumerate().map(step).collect() }
    }

    #[test]
    fn steps_are_drawn_by_their_share_of_the_largest() {
        insta::assert_snapshot!(funnel(&[1_200, 900, 0]).draw().into_string().replace("><", ">\n<"));
    }

    #[test]
    fn a_share_is_of_the_step_before() {
        assert_eq!(share(900, 1_200).unwrap(), "75 % of the step before");
        assert_eq!(share(1, 1_000).unwrap(), "under 1 % of the step before");
        assert_eq!(share(999, 1_000).unwrap(), "99 % of the step before");
        assert_eq!(share(u64::MAX, u64::MAX).unwrap(), "100 % of the step before");
        assert_eq!(share(0, 0), None, "nobody is no share of nobody");
        assert_eq!(share(0, 7).unwrap(), "0 % of the step before");
    }

    #[test]
    fn steps_that_nobody_took_are_drawn_without_a_bar() {
        let drawn = funnel(&[0, 0]).draw().into_string();
        assert!(!drawn.contains("class=\"s0\"") && drawn.contains("step 1") && !drawn.contains("NaN"), "{drawn}");
        assert!(drawn.contains("median 3 days"));
    }

    #[test]
    fn text_from_outside_is_escaped() {
        let mut one = funnel(&[1]);
        if let Some(step) = one.steps.first_mut() {
            step.label = "<b>\u{1b}".into();
            step.line = "a & b".into();
        }
        let drawn = one.draw().into_string();
        assert!(drawn.contains("&lt;b&gt;\\u{1b}") && drawn.contains("a &amp; b"), "{drawn}");
    }
}
