//! What every page is made of: the frame with its style and its script, figures, charts and tables. Nothing is loaded, every word from
//! outside goes through one escaping sink, and what the script does (sort, filter) the page does not need.

use super::sheet::Listed;
use super::svg::{Bars, Picture};
use super::table::{Cell, Head, Kind, Table};
use super::verdict::{count, grouped};
use crate::base::escape_controls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

/// The one style sheet, allowed by its digest.
const STYLE: &str = include_str!("style.css");
/// The one script, allowed by its digest.
const SCRIPT: &str = include_str!("script.js");

/// A page.
pub(super) fn page(title: &str, body: &Markup) -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text));
    let csp = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(csp);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                title { (escape_controls(title)) }
                // The two texts that are not escaped are our own, fixed at build time.
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// Links to the sections of a page.
pub(super) fn sections<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Markup {
    html! { nav aria-label="Sections" { ul { @for (id, heading) in all { li { a href={ "#" (id) } { (heading) } } } } } }
}

/// Figures with their names.
pub(super) fn figures<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Markup {
    html! { dl.figures { @for (name, figure) in all { div { dt { (name) } dd.said[!figure.starts_with(|first: char| first.is_ascii_digit())] { (figure) } } } } }
}

/// A table of which the files have more rows than the page.
pub(super) fn listed(listed: &Listed) -> Markup {
    html! {
        (shown(&listed.table))
        @if listed.more > 0 {
            @let name = listed.table.shape.name;
            p {
                (count(listed.more, "more row stands", "more rows stand")) " in " (link(&format!("{name}.csv"))) ", "
                (link(&format!("{name}.json"))) " and " (link(&format!("{name}.parquet"))) "; these are the ones that matter most."
            }
        }
    }
}

/// A picture with its caption.
pub(super) fn picture(picture: &Picture) -> Markup {
    html! { @if !picture.is_empty() { figure { figcaption { (picture.title()) } (picture.draw()) } } }
}

/// A chart with its caption.
pub(super) fn chart(bars: &Bars) -> Markup {
    html! { @if !bars.rows.is_empty() { figure { figcaption { (bars.title) } (bars.draw()) } } }
}

/// A table; of none without rows, a line that says so.
pub(super) fn shown(table: &Table) -> Markup {
    let classes = classes(table);
    html! {
        @if table.rows.is_empty() {
            p { b { (table.shape.title) ": " } span.soft { "none." } }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(table.shape.title) {
                table {
                    caption { (table.shape.title) }
                    thead { tr { @for (head, class) in table.shape.heads.iter().zip(&classes) { th scope="col" class=[class] { (head.title) } } } }
                    tbody {
                        @for row in &table.rows {
                            tr {
                                @for (n, (class, cell)) in classes.iter().zip(row).enumerate() {
                                    @let kind = table.shape.heads.get(n).map_or(Kind::Text, |head| head.kind);
                                    @if n == 0 { th scope="row" class=[class] { (cell_of(kind, cell)) } } @else { td class=[class] { (cell_of(kind, cell)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The class of each column: figures stand at the right, running text gets room, and what is longer than a word may fold.
fn classes(table: &Table) -> Vec<Option<&'static str>> {
    const LONG: usize = 40;
    // The id of a run does not fold.
    const MIDDLE: usize = 26;
    let length = |row: &Vec<Cell>, n: usize| if let Some(Cell::Text(text)) = row.get(n) { text.chars().count() } else { 0 };
    let class = |(n, head): (usize, &Head)| match (head.kind, table.rows.iter().map(|row| length(row, n)).max().unwrap_or(0)) {
        (Kind::Int, _) => Some("n"),
        (_, ..=MIDDLE) => None,
        (_, ..=LONG) => Some("mid"),
        _ => Some("long"),
    };
    table.shape.heads.iter().enumerate().map(class).collect()
}

/// One cell.
fn cell_of(kind: Kind, cell: &Cell) -> Markup {
    match cell {
        Cell::Text(text) if kind == Kind::Words => html! { bdi { (words(&escape_controls(text))) } },
        Cell::Text(text) => registry_text(text),
        Cell::Int(0) => html! { span.soft { "0" } },
        Cell::Int(n) if *n < 0 => html! { "−" (grouped(n.unsigned_abs())) },
        Cell::Int(n) => html! { (grouped(n.unsigned_abs())) },
        Cell::Empty => html! { span.soft { "–" } },
    }
}

/// Text from outside: isolated, so that its direction moves nothing around it, and with controls written out.
pub(super) fn registry_text(text: &str) -> Markup {
    html! { bdi { (escape_controls(text)) } }
}

/// Words with `code` set as such.
pub(super) fn words(text: &str) -> Markup {
    html! { @for (n, part) in text.split('`').enumerate() { @if n % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// A link to a file beside the page; the bare name where it holds anything that could make it lead elsewhere.
pub(super) fn link(path: &str) -> Markup {
    let plain = !path.starts_with('/') && path.chars().all(|c| c.is_ascii_alphanumeric() || "._-=/".contains(c));
    html! { @if plain { a href=(path) { (path) } } @else { (registry_text(path)) } }
}

/// A point in time, to the second.
pub(super) fn when(at: crate::base::Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
}
