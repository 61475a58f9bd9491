//! The run report as one HTML page.

use super::alike::gathered;
use super::charts;
use super::facts::{RunFacts, total};
use super::html::{self, chart, link, registry_text, shown, when, words};
use super::sample::Sample;
use super::tables;
use super::verdict::{count, grouped, meaning, next, sentence};
use crate::base::{Exit, escape_controls};
use crate::diff::Severity;
use maud::{Markup, html};

/// The sections, in order: id and heading.
const SECTIONS: &[(&str, &str)] = &[
    ("glance", "At a glance"),
    ("differences", "Differences"),
    ("problems", "Problems and warnings"),
    ("objects", "Objects read"),
    ("line", "Sessions and limits"),
    ("tls", "TLS and certificates"),
    ("greetings", "Greetings and unknown namespaces"),
    ("safeguards", "Gates and settings"),
    ("records", "Local records"),
    ("files", "Files of this run"),
];

/// The page.
pub(super) fn page(facts: &RunFacts, sample: &Sample) -> String {
    let body = html! {
        (header(facts))
        main #main {
            @for (id, heading) in SECTIONS {
                section aria-labelledby=(id) {
                    h2 #(id) { (heading) }
                    (section(id, facts, sample))
                }
            }
        }
        (footer(facts))
    };
    html::page(&format!("Run report {}", facts.run_id.as_str()), &body)
}

/// The verdict, what to do next, and the run's few figures.
fn header(facts: &RunFacts) -> Markup {
    let whole = facts.registries.iter().filter(|r| r.whole).count();
    let read = |pick: fn(&super::RegistryFacts) -> u64| grouped(total(facts.registries.iter().map(pick)));
    let problems = match facts.warnings() {
        0 => "Problems".to_owned(),
        n => format!("Problems, and {}", count(n, "warning", "warnings")),
    };
    let figures = [
        ("Registries read whole", format!("{whole} of {}", facts.registries.len())),
        ("Contacts read", read(|r| r.contacts.ok)),
        ("Domains read", read(|r| r.domains.ok)),
        ("Material differences", grouped(facts.differences_of(None, Severity::Material))),
        ("Cosmetic differences", grouped(facts.differences_of(None, Severity::Cosmetic))),
        ("Objects unreadable", grouped(facts.unreadable())),
        (problems.as_str(), grouped(facts.problems())),
    ];
    let state = match facts.exit {
        Exit::Done => "good",
        Exit::ChangesPending | Exit::Findings | Exit::Stopped | Exit::ReportFailed => "warn",
        _ => "bad",
    };
    html! {
        header {
            h1 { "Privet run report" }
            p.verdict { (sentence(facts)) }
            p class={ "next " (state) } { b { "Exit " (facts.exit.code()) ", " (meaning(facts.exit)) ". " } (words(next(facts.exit))) }
            dl.run {
                div { dt { "Run" } dd { (registry_text(facts.run_id.as_str())) } }
                div { dt { "Began" } dd { (when(facts.started)) } }
                div { dt { "Took" } dd { (took(facts)) } }
            }
            (html::figures(figures.iter().map(|(name, figure)| (*name, figure.as_str()))))
            (html::sections(SECTIONS.iter().copied()))
        }
    }
}

/// What stands under one heading.
fn section(id: &str, facts: &RunFacts, sample: &Sample) -> Markup {
    match id {
        "glance" => shown(&tables::registries(facts)),
        "problems" => problems(facts),
        "differences" => differences(facts, sample),
        "objects" => html! {
            p { "Every object that was asked for is counted in one state. Those found on the way are in no local record: a handle led to them." }
            (chart(&charts::objects(facts)))
            (shown(&tables::objects(facts)))
            (shown(&tables::ages(facts)))
        },
        "line" => html! {
            (shown(&tables::sessions(facts)))
            p { "A registry's account is shared with production: the mark shows how much of each limit the configuration leaves to Privet." }
            div.pair { (chart(&charts::limits(facts))) (shown(&tables::limits(facts))) }
        },
        "tls" => html! {
            p { "Days are counted from the end of the run. The chart ends at 400 days; a longer bar is cut there." }
            (chart(&charts::certificates(facts)))
            (shown(&tables::certificates(facts)))
            (shown(&tables::tls(facts)))
        },
        "greetings" => html! { (shown(&tables::greetings(facts))) (shown(&tables::namespaces(facts))) },
        "safeguards" => html! { (shown(&tables::gates(facts))) (shown(&tables::overrides(facts))) },
        "records" => shown(&tables::records(facts)),
        _ => files(facts),
    }
}

/// Differences of each registry, and a few of them by name.
fn differences(facts: &RunFacts, sample: &Sample) -> Markup {
    html! {
        p {
            "Material differences change what a record says. Cosmetic ones are of writing only, such as case or white space, and need nothing. "
            "An object " i { "missing here" } " is at the registry and in no local record; one " i { "missing there" } " is the other way round; of an "
            i { "unreadable" } " one nothing can be said."
        }
        @for (n, registry) in facts.registries.iter().enumerate() {
            h3 { (registry_text(registry.id.as_str())) }
            @let (bars, table) = charts::differences(facts, registry, n);
            @if table.rows.is_empty() {
                p.soft { "No differences." @if !registry.whole { " This registry was not read whole." } }
            } @else {
                div.pair { (chart(&bars)) (shown(&table)) }
            }
        }
        @if !sample.table.rows.is_empty() {
            h3 { "The first by name" }
            p {
                "The first material differences of each registry, " (sample.table.rows.len()) " of " (grouped(sample.total))
                ". Values are left out here; the differences file has them, and is personal data."
            }
            (shown(&sample.table))
        }
    }
}

/// Problems and warnings, alike ones told once.
fn problems(facts: &RunFacts) -> Markup {
    let all = tables::warnings(facts);
    let told = gathered(&all, &["registry", "id", "blame", "what", "exit"], "place");
    html! {
        p {
            "A problem led to the exit code behind it; a warning led to none. "
            @if told.rows.len() < all.rows.len() { "Alike ones are gathered here; the files of this table have every one." }
        }
        (shown(&told))
        @if facts.warnings_not_kept > 0 {
            p { (count(facts.warnings_not_kept, "more warning was counted and is", "more warnings were counted and are")) " in no file." }
        }
    }
}

/// The files of the run, each as a link where its name is plain.
fn files(facts: &RunFacts) -> Markup {
    let tables = tables::all(facts);
    html! {
        @if !facts.outputs.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Files of the run" {
                table {
                    caption { "Files of the run" }
                    thead { tr { th scope="col" { "File" } th scope="col" { "What it holds" } th scope="col" { "Personal data in clear" } } }
                    tbody {
                        @for output in &facts.outputs {
                            tr {
                                th scope="row" { (link(&output.path)) }
                                td { (registry_text(&output.what)) }
                                td { @if output.personal { "yes: keep it private" } @else { "no" } }
                            }
                        }
                    }
                }
            }
        }
        p { "Each table of this page also stands beside it. In CSV files a cell that a spreadsheet would take for a formula has a ' in front; JSON and Parquet files are exact." }
        ul {
            li { (link("run.json")) ": everything on this page" }
            @for table in &tables {
                li { (table.shape.title) ": " @for ending in ["csv", "json", "parquet"] { (link(&format!("{}.{ending}", table.shape.name))) " " } }
            }
        }
    }
}

/// How to read the page, and what made it.
fn footer(facts: &RunFacts) -> Markup {
    html! {
        footer {
            p {
                "Written by Privet " (escape_controls(&facts.tool_version)) " for the run that ended " (when(facts.ended))
                ". Times are UTC. This page holds identifiers (handles, domain names) and counts, and no other personal data."
            }
        }
    }
}

/// How long the run took.
fn took(facts: &RunFacts) -> String {
    let seconds = facts.ended.as_second().saturating_sub(facts.started.as_second()).max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}
