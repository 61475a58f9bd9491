//! Where data go by the record: which data on which ground to which registry in which country, and what covers those that leave the European
//! Economic Area. Counts of people that are small are told as such, and drawn as if they were the largest of those.

use super::document::{Block, Folder, Section};
use super::flow::{Flow, Way};
use super::svg::{Bar, Bars, Picture};
use super::table::{Cell, Shape};
use super::tables::text;
use super::verdict::{count, grouped};
use crate::base::Result;
use crate::compliance::processing::{Cover, Evidence, Recipient, RecordPack, Row};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The most registries that the picture of flows names; the others are drawn as one.
const NAMED: usize = 10;
/// The most recipients that are drawn; the table has all of them.
const DRAWN: usize = 20;

/// The two sections on transfers, with their tables in `folder`.
///
/// # Errors
/// As the writer of files.
pub(super) fn sections(folder: &mut Folder<'_>, pack: &RecordPack, rows: &[Row], seen: &[Evidence], day: Date) -> Result<[Section; 2]> {
    let ways = ways(pack, rows, seen);
    let listed = folder.table(&WAYS, ways.iter().map(|way| way.cells(pack)))?;
    let mut flows = vec![Block::Note(format!(
        "A band is as thick as the contacts that have such data. A count of one to {} is told as `<{}`, and drawn as {}. The country is the registry's.",
        pack.small.saturating_sub(1),
        pack.small,
        pack.small
    ))];
    flows.push(Block::Chart(Picture::Flow(flow(pack, &ways))));
    flows.push(listed);
    let recipients = recipients(pack, seen, day);
    let third: Vec<&Going<'_>> = recipients.iter().filter(|going| going.cover != Cover::Within).collect();
    let told = match (third.is_empty(), recipients.is_empty()) {
        (_, true) => "No recipient is known.",
        (true, _) => "Every recipient is in the European Economic Area.",
        _ => "People are those whose data are at the registry from which the recipient has them; nobody says that it has those of each.",
    };
    let listed = folder.table(&RECIPIENTS, recipients.iter().map(|going| going.cells(pack)))?;
    let beyond = vec![Block::Note(told.to_owned()), Block::Chart(Picture::Bars(bars(pack, &third))), listed];
    let section = |id, heading: &str, blocks| Section { id, heading: heading.to_owned(), blocks };
    Ok([
        section("flows", "Which data go where, and on which ground", flows),
        section("third-countries", "Recipients, and transfers to third countries", beyond),
    ])
}

/// Which data go on which ground to which registry.
struct WayOf {
    element: &'static str,
    basis: String,
    registry: String,
    country: String,
    contacts: u64,
    /// All contacts there.
    all: u64,
}

fn ways(pack: &RecordPack, rows: &[Row], seen: &[Evidence]) -> Vec<WayOf> {
    let mut all: BTreeMap<(&str, String, &str), WayOf> = BTreeMap::new();
    for row in rows {
        let Some(evidence) = seen.iter().find(|one| one.registry == row.registry) else { continue };
        let basis = articles(row.terms.bases.iter().map(|term| &**term));
        // The registry itself is named first.
        let country = match evidence.recipients.first().and_then(|itself| itself.country.as_deref()) {
            None => "not declared".to_owned(),
            Some(country) if pack.adequacy.is_third(country) => format!("{country}, third"),
            Some(country) => format!("{country}, EEA"),
        };
        for (element, contacts) in evidence.elements.iter().filter(|(_, n)| **n > 0) {
            let way = || WayOf {
                element: element.as_str(),
                basis: basis.clone(),
                registry: row.registry.clone(),
                country: country.clone(),
                contacts: *contacts,
                all: evidence.contacts,
            };
            all.entry((element.as_str(), basis.clone(), &row.registry)).or_insert_with(way);
        }
    }
    all.into_values().collect()
}

/// Terms of the Data Privacy Vocabulary for legal bases as articles, the ones of Art. 6(1) by their letters.
fn articles<'a>(terms: impl Iterator<Item = &'a str>) -> String {
    let article = |term: &str| {
        let mut parts = term.trim_start_matches('A').split('-');
        let number = parts.next().unwrap_or_default().to_owned();
        parts.fold(number, |told, part| format!("{told}({part})"))
    };
    let mut all: BTreeSet<String> = terms.map(article).collect();
    let letters: Vec<String> = all.iter().filter_map(|one| one.strip_prefix("6(1)").map(str::to_owned)).collect();
    all.retain(|one| !one.starts_with("6(1)"));
    let sixth = (!letters.is_empty()).then(|| format!("6(1){}", letters.join("")));
    let told: Vec<String> = sixth.into_iter().chain(all).collect();
    if told.is_empty() { "no basis".to_owned() } else { format!("Art. {}", told.join(", ")) }
}

fn flow(pack: &RecordPack, ways: &[WayOf]) -> Flow {
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for way in ways {
        *sizes.entry(&way.registry).or_default() += way.contacts;
    }
    let mut largest: Vec<(&str, u64)> = sizes.into_iter().collect();
    largest.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    let others = count(largest.len().saturating_sub(NAMED) as u64, "other", "others");
    let named: BTreeSet<&str> = largest.into_iter().take(NAMED).map(|(name, _)| name).collect();
    let way = |way: &WayOf| Way {
        places: vec![
            way.element.to_owned(),
            way.basis.clone(),
            if named.contains(&*way.registry) { way.registry.clone() } else { others.clone() },
            way.country.clone(),
        ],
        weight: way.contacts.max(pack.small),
    };
    let distinct = |of: fn(&WayOf) -> &str| ways.iter().map(of).collect::<BTreeSet<_>>();
    Flow {
        id: "flows-chart".to_owned(),
        title: "Data, legal basis, registry and its country".to_owned(),
        desc: format!(
            "{} of data go to {} in these countries: {}.",
            count(distinct(|way| way.element).len() as u64, "kind", "kinds"),
            count(distinct(|way| &way.registry).len() as u64, "registry", "registries"),
            distinct(|way| &way.country).into_iter().collect::<Vec<_>>().join("; ")
        ),
        columns: vec!["Data", "Legal basis", "Registry", "Country"],
        ways: ways.iter().map(way).collect(),
    }
}

impl WayOf {
    fn cells(&self, pack: &RecordPack) -> Vec<Cell> {
        let told = [self.element, &self.basis, &self.registry, &self.country].map(Cell::from);
        told.into_iter().chain([pack.masked_of(self.contacts, self.all).into()]).collect()
    }
}

/// The series, in the order in which they are stacked, each with what it counts.
const SERIES: [(&[Cover], &str); 5] = [
    (&[Cover::Decision], "decision (Art. 45)"),
    (&[Cover::Other], "other mechanism"),
    (&[Cover::Overridden], "overridden with a reason"),
    (&[Cover::Nothing, Cover::Void], "NOT COVERED"),
    (&[Cover::Unknown], "country unknown"),
];

/// A recipient of the data at a registry.
struct Going<'a> {
    recipient: &'a Recipient,
    registry: &'a str,
    people: u64,
    cover: Cover,
    /// By what it is covered, or why it is not.
    by: String,
}

fn recipients<'a>(pack: &RecordPack, seen: &'a [Evidence], day: Date) -> Vec<Going<'a>> {
    let mut all: Vec<Going<'a>> = seen
        .iter()
        .flat_map(|evidence| {
            let people = evidence.subjects.values().sum();
            evidence.recipients.iter().map(move |recipient| {
                let (cover, by) = pack.cover(recipient, day);
                Going { recipient, registry: &evidence.registry, people, cover, by }
            })
        })
        .collect();
    // What is not covered is read first.
    all.sort_by_key(|going| (going.cover, std::cmp::Reverse(going.people), going.recipient.name.clone(), going.registry));
    all
}

fn bars(pack: &RecordPack, third: &[&Going<'_>]) -> Bars {
    let bar = |going: &&Going<'_>| Bar {
        label: format!(
            "{} ({}), data at {}",
            going.recipient.name,
            going.recipient.country.as_deref().unwrap_or("country not declared"),
            going.registry
        ),
        parts: SERIES.map(|(covers, _)| if covers.contains(&going.cover) { going.people.max(pack.small) as f64 } else { 0.0 }).to_vec(),
        note: format!("{} people", pack.masked(going.people)),
        mark: None,
    };
    let bare = third.iter().filter(|going| matches!(going.cover, Cover::Nothing | Cover::Void)).count() as u64;
    let unknown = third.iter().filter(|going| going.cover == Cover::Unknown).count() as u64;
    Bars {
        id: "third-countries-chart".to_owned(),
        title: "Recipients outside the European Economic Area, by what covers the transfer, with the people concerned".to_owned(),
        desc: format!(
            "{} of {} not covered; of {} the country is not declared.",
            grouped(bare),
            grouped(third.len() as u64),
            grouped(unknown)
        ),
        series: SERIES.map(|(_, name)| name).to_vec(),
        rows: third.iter().take(DRAWN).map(bar).collect(),
        full: 0.0,
        ticks: Vec::new(),
        mark: None,
    }
}

impl Going<'_> {
    fn cells(&self, pack: &RecordPack) -> Vec<Cell> {
        let Recipient { name, category, country, mechanism, evidence, .. } = self.recipient;
        vec![
            name.as_str().into(),
            category.as_str().into(),
            country.as_deref().into(),
            self.registry.into(),
            self.cover.as_str().into(),
            self.by.as_str().into(),
            mechanism.as_deref().into(),
            evidence.as_deref().into(),
            pack.masked(self.people).into(),
        ]
    }
}

const WAYS: Shape = Shape {
    name: "record-flows",
    title: "Data, legal basis, registry and its country, with the contacts that have such data",
    heads: &[
        text("element", "Data"),
        text("basis", "Legal basis"),
        text("registry", "Registry"),
        text("country", "Country"),
        text("contacts", "Contacts"),
    ],
};

const RECIPIENTS: Shape = Shape {
    name: "record-recipients",
    title: "Recipients, the ones that nothing covers first",
    heads: &[
        text("recipient", "Recipient"),
        text("category", "What it is"),
        text("country", "Country"),
        text("registry", "Data at"),
        text("cover", "Covered"),
        text("by", "By"),
        text("mechanism", "Declared mechanism"),
        text("evidence", "Evidence"),
        text("people", "People"),
    ],
};

/// The tables of these sections.
pub(super) const SHAPES: [&Shape; 2] = [&WAYS, &RECIPIENTS];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::processing::build;

    const DAY: Date = jiff::civil::date(2026, 11, 22);

    fn recipient(country: Option<&str>, mechanism: Option<&str>, evidence: Option<&str>) -> Recipient {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (name, category, source) = ("R".to_owned(), "escrow".to_owned(), "register".to_owned());
        Recipient {
            name,
            category,
            country: owned(country),
            mechanism: owned(mechanism),
            evidence: owned(evidence),
            source,
            ..Recipient::default()
        }
    }

    fn covered(country: Option<&str>, mechanism: Option<&str>, evidence: Option<&str>) -> Cover {
        RecordPack::embedded().unwrap().cover(&recipient(country, mechanism, evidence), DAY).0
    }

    #[test]
    fn a_transfer_is_covered_by_a_decision_by_another_mechanism_or_by_nothing() {
        assert_eq!(covered(Some("DE"), None, None), Cover::Within);
        assert_eq!(covered(Some("CH"), None, None), Cover::Decision);
        assert_eq!(covered(Some("US"), None, None), Cover::Nothing, "the decision is for certified ones alone");
        assert_eq!(covered(Some("US"), None, Some("DPF-1")), Cover::Decision);
        assert_eq!(covered(Some("US"), Some("certification"), Some("DPF-1")), Cover::Decision);
        assert_eq!(covered(Some("US"), Some("standard-clauses"), None), Cover::Other);
        assert_eq!(covered(Some("US"), Some("standard-clauses"), Some("scc-1")), Cover::Other, "that shows no certification");
        assert_eq!(covered(Some("BR"), Some("not-needed"), None), Cover::Nothing);
        assert_eq!(covered(Some("US"), Some("privacy_shield"), Some("x")), Cover::Void);
        assert_eq!(covered(Some("BR"), Some("adequacy"), None), Cover::Nothing);
        assert_eq!(covered(None, Some("standard-clauses"), None), Cover::Unknown);
    }

    #[test]
    fn grounds_are_told_by_their_articles() {
        assert_eq!(articles(["A6-1-b", "A6-1-c"].into_iter()), "Art. 6(1)(b)(c)");
        assert_eq!(articles(["A9-2-a", "A6-1-a"].into_iter()), "Art. 6(1)(a), 9(2)(a)");
        assert_eq!(articles([].into_iter()), "no basis");
    }

    #[test]
    fn small_counts_are_told_in_no_table_and_no_picture() {
        let pack = RecordPack::embedded().unwrap();
        let seen = Evidence {
            registry: "sidn".to_owned(),
            profile: "sidn".to_owned(),
            contacts: 900,
            elements: [(crate::compliance::Element::Name, 900), (crate::compliance::Element::Fax, 3)].into(),
            subjects: [((true, "DE".to_owned()), 2)].into(),
            recipients: vec![recipient(Some("US"), None, None)],
            traffic: crate::compliance::processing::Traffic { commands: [("domain:info".to_owned(), 1)].into(), ..Default::default() },
            ..Evidence::default()
        };
        let rows = build(&pack, &seen, &BTreeMap::new(), "2026-11-22T02:00:00Z".parse().unwrap());
        let seen = [seen];
        let ways = ways(&pack, &rows, &seen);
        let told: Vec<_> =
            ways.iter().map(|way| way.cells(&pack)).map(|cells| (cells[0].clone(), cells[3].clone(), cells[4].clone())).collect();
        let third = || Cell::from("US, third");
        assert_eq!(told, [(Cell::from("fax"), third(), Cell::from("<5")), (Cell::from("name"), third(), Cell::from("900"))]);
        let going = recipients(&pack, &seen, DAY);
        let chart = bars(&pack, &going.iter().collect::<Vec<_>>());
        assert_eq!((chart.rows[0].note.as_str(), chart.rows[0].parts.as_slice()), ("<5 people", [0.0, 0.0, 0.0, 5.0, 0.0].as_slice()));
        assert_eq!(flow(&pack, &ways).ways.iter().map(|way| way.weight).collect::<Vec<_>>(), [5, 900]);
    }
}
