use super::*;
use crate::base::Digest;
use jiff::ToSpan as _;
use jiff::civil::Date;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn pack() -> RulePack {
    RulePack::embedded().unwrap()
}

/// An item of `cluster` with those events; in the scopes and under the contracts named.
struct Case {
    cluster: &'static str,
    scopes: Vec<Box<str>>,
    contracts: BTreeSet<Box<str>>,
    country: Option<&'static str>,
    events: BTreeMap<&'static str, Date>,
    in_use: bool,
    held: bool,
}

fn case(cluster: &'static str, scope: &str, events: &[(&'static str, &str)]) -> Case {
    let events = events.iter().map(|(event, at)| (*event, day(at))).collect();
    let scopes = vec![Box::from(scope)];
    Case { cluster, scopes, contracts: BTreeSet::new(), country: None, events, in_use: false, held: false }
}

impl Case {
    fn under(mut self, contract: &str) -> Self {
        self.contracts.insert(contract.into());
        self
    }

    fn item(&self) -> Item<'_> {
        Item {
            cluster: self.cluster,
            scopes: &self.scopes,
            country: self.country,
            contracts: &self.contracts,
            events: self.events.clone(),
            in_use: self.in_use,
            held: self.held,
        }
    }

    /// Keep until, gone by, rules and state on `today`.
    fn told(&self, pack: &RulePack, today: &str) -> String {
        let today = day(today);
        let found = resolve(pack, &self.item(), today);
        let date = |date: Option<Date>| date.map_or("-".to_owned(), |date| date.to_string());
        let rules: Vec<&str> = found.min.iter().chain(&found.max).map(|bound| &*bound.rule.id).collect();
        format!("{} {} {:?} [{}]", date(found.keep_until), date(found.must_go_by), found.state(today), rules.join(" "))
    }
}

#[test]
fn the_built_in_pack_holds_together() {
    let pack = pack();
    assert!(pack.rules().len() > 15);
    assert!(pack.rules().iter().all(|rule| rule.from <= pack.dated && !rule.citation.is_empty()));
    assert!(pack.clusters().all(|(cluster, what)| !cluster.is_empty() && !what.is_empty()));
    // What is kept apart is kept the shortest of all that is kept for a time.
    let day = jiff::civil::date(2026, 1, 1);
    let ends = |rule: &Rule| rule.ends(day).1;
    let evidence = pack.rules().iter().find(|rule| &*rule.id == "EVIDENCE").map(ends).expect("the rule");
    assert!(pack.rules().iter().map(ends).filter(|end| *end > day).all(|end| end >= evidence));
}

#[test]
fn a_registration_that_ended_is_kept_for_disputes_and_no_longer() {
    let ends = [("service-ended", "2025-09-30"), ("sponsorship-ended", "2025-09-30"), ("registration-ended", "2025-09-30")];
    let registration = case("registration", "gtld", &ends);
    assert_eq!(registration.told(&pack(), "2026-11-22"), "2026-12-30 2027-03-30 Retained(2026-12-30) [RDP-15M TUC-10Y]");
    assert_eq!(registration.told(&pack(), "2026-12-30"), "2026-12-30 2027-03-30 Due(2027-03-30) [RDP-15M TUC-10Y]");
    assert_eq!(registration.told(&pack(), "2027-03-30"), "2026-12-30 2027-03-30 Due(2027-03-30) [RDP-15M TUC-10Y]");
    assert_eq!(registration.told(&pack(), "2027-03-31"), "2026-12-30 2027-03-30 Overdue(1) [RDP-15M TUC-10Y]");
    let other = case("registration-2y", "gtld", &ends);
    assert_eq!(other.told(&pack(), "2026-11-22"), "2027-09-30 2027-09-30 Retained(2027-09-30) [RAA-2Y TUC-10Y]");
    let waived = case("registration-2y", "gtld", &ends).under("raa-waiver");
    assert_eq!(waived.told(&pack(), "2026-09-29"), "2026-09-30 2026-09-30 Retained(2026-09-30) [RAA-1Y-W TUC-10Y]");
}

#[test]
fn months_end_with_their_month() {
    let ended = case("registration-2y", "gtld", &[("sponsorship-ended", "2024-02-29")]);
    assert!(ended.told(&pack(), "2024-03-01").starts_with("2026-02-28 "));
}

#[test]
fn what_rests_on_consent_goes_sixty_days_after_it_is_withdrawn() {
    let mut withdrawn = case("consent-data", "cctld", &[("consent-withdrawn", "2026-09-22")]);
    withdrawn.in_use = true;
    assert_eq!(withdrawn.told(&pack(), "2026-11-21"), "- 2026-11-21 Due(2026-11-21) [TUC-60D]");
    assert_eq!(withdrawn.told(&pack(), "2026-11-22"), "- 2026-11-21 Overdue(1) [TUC-60D]");
    let mut given = case("consent-data", "cctld", &[]);
    given.in_use = true;
    assert_eq!(given.told(&pack(), "2026-11-22"), "- - Active []");
}

#[test]
fn the_invoice_stays_while_the_registry_forgets() {
    let mut invoice = case("invoice", "cctld", &[("fiscal-year-ended", "2024-12-31"), ("consent-withdrawn", "2026-01-01")]);
    invoice.country = Some("IT");
    assert_eq!(invoice.told(&pack(), "2026-11-22"), "2034-12-31 2034-12-31 Retained(2034-12-31) [TAX-OTHER]");
    let consent = case("consent-data", "cctld", &[("service-ended", "2026-01-01"), ("consent-withdrawn", "2026-01-01")]);
    assert_eq!(consent.told(&pack(), "2026-11-22"), "- 2026-03-02 Overdue(265) [TUC-10Y TUC-60D]");
}

#[test]
fn in_one_cluster_both_conflict_and_the_law_comes_first() {
    let text = include_str!("../packs/retention.toml").replace("clusters = [\"invoice\"]", "clusters = [\"invoice\", \"consent-data\"]");
    let pack = RulePack::parse(&text, Path::new("own.toml")).unwrap();
    let events = [("fiscal-year-ended", "2024-12-31"), ("consent-withdrawn", "2026-01-01"), ("service-ended", "2026-01-01")];
    let mut forced = case("consent-data", "cctld", &events);
    forced.country = Some("IT");
    let item = forced.item();
    let found = resolve(&pack, &item, day("2026-11-22"));
    let conflict = found.conflict.unwrap();
    assert_eq!((&*conflict.keeps.id, &*conflict.ends.id), ("TAX-OTHER", "TUC-60D"));
    // Both are law: what was erased does not come back.
    assert_eq!(&*conflict.wins.id, "TAX-OTHER");
    assert_eq!(found.state(day("2026-11-22")), State::Conflict);
    let lower = text.replace("id = \"TAX-OTHER\"", "id = \"TAX-OTHER\"\ntier = \"house\"");
    let lower = lower.replacen(
        "kind = \"min\"\ntier = \"law\"\nbasis = \"legal-obligation\"\ncitation = \"national",
        "kind = \"min\"\nbasis = \"legal-obligation\"\ncitation = \"national",
        1,
    );
    let pack = RulePack::parse(&lower, Path::new("own.toml")).unwrap();
    assert_eq!(&*resolve(&pack, &item, day("2026-11-22")).conflict.unwrap().wins.id, "TUC-60D");
}

#[test]
fn of_several_that_exclude_each_other_the_highest_are_the_conflict() {
    let text = include_str!("../packs/retention.toml");
    let rule = |id: &str, period: &str, kind: &str, tier: &str, end: &str| {
        format!(
            "\n[[rule]]\nid = \"{id}\"\nclusters = [\"report\"]\nstart = \"written\"\nperiod = \"{period}\"\nkind = \"{kind}\"\ntier = \"{tier}\"\n\
             basis = \"contract\"\ncitation = \"a test\"\nconfidence = \"guess\"\nfrom = \"2018-05-25\"\nexample = [{{ start = \"2020-01-01\", end = \"{end}\" }}]\n"
        )
    };
    let house = rule("OWN-20Y", "P20Y", "min", "house", "2040-01-01");
    let law = rule("LAW-10Y", "P10Y", "min", "law", "2030-01-01");
    let registry = rule("REG-5Y", "P5Y", "max", "registry", "2025-01-01");
    let pack = RulePack::parse(&format!("{text}{house}{law}{registry}"), Path::new("own.toml")).unwrap();
    let written = case("report", "gtld", &[("written", "2020-01-01")]);
    let item = written.item();
    let conflict = resolve(&pack, &item, day("2026-11-22")).conflict.unwrap();
    assert_eq!((&*conflict.keeps.id, &*conflict.wins.id), ("LAW-10Y", "LAW-10Y"));
}

#[test]
fn without_its_beginning_nobody_counts() {
    let lost = case("registration", "gtld", &[]);
    assert_eq!(lost.told(&pack(), "2026-11-22"), "- - UnknownStart []");
    // A rule that can be counted does not hide that another one cannot.
    let half = case("registration", "gtld", &[("service-ended", "2010-01-01")]);
    assert_eq!(half.told(&pack(), "2026-11-22"), "- 2020-01-01 UnknownStart [TUC-10Y]");
    let nothing = case("withholding", "gtld", &[]);
    assert_eq!(nothing.told(&pack(), "2026-11-22"), "- - Unruled []");
}

#[test]
fn old_roles_are_due_since_the_policy_took_effect() {
    let mut roles = case("legacy-roles", "gtld", &[]);
    roles.in_use = true;
    assert_eq!(roles.told(&pack(), "2025-08-20"), "- - Active []", "not in force yet");
    assert_eq!(roles.told(&pack(), "2026-08-21"), "- 2025-08-21 Overdue(365) [RDP-LEGACY]");
}

#[test]
fn words_for_ends_lead_to_events() {
    let pack = pack();
    assert_eq!(pack.events_of("deleted").collect::<Vec<_>>(), ["registration-ended", "service-ended", "sponsorship-ended"]);
    assert_eq!(pack.events_of("gone fishing").collect::<Vec<_>>(), ["service-ended", "sponsorship-ended"]);
    assert_ne!(pack.digest, Digest::of(b""));
}

#[test]
fn a_pack_is_refused_with_its_line_and_its_rule() {
    let good = include_str!("../packs/retention.toml");
    let change = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        RulePack::parse(&good.replacen(from, to, 1), Path::new("own.toml")).unwrap_err().to_string()
    };
    insta::assert_snapshot!(
        [
            change("version = 1", "version = 7"),
            change("period = \"P2Y\"", "period = \"2 years and a bit\""),
            change("period = \"P2Y\"", "period = \"PT48H\""),
            change("period = \"P2Y\"", "period = \"P900Y\""),
            change("period = \"P2Y\"", "period = \"-P2Y\""),
            change("period = \"P2Y\"", "period = \"P3Y\""),
            change("clusters = [\"account-log\"]", "clusters = [\"account-lg\"]"),
            change("clusters = [\"account-log\"]", "clusters = []"),
            change("start = \"interaction\"", "start = \"interacted\""),
            change("start = \"interaction\"", "start = \"interaction\"\non = \"2026-01-01\""),
            change("supersedes = [\"RAA-2Y\"]", "supersedes = [\"RAA-9Y\"]"),
            change("id = \"RAA-180D\"", "id = \"RAA-2Y\""),
            change("scopes = [\"eu\"]", "scopes = [\"europe\"]"),
            change("countries = [\"DE\"]", "countries = [\"XX\"]"),
            change("kind = \"min\"", "kind = \"mid\""),
            change("tier = \"registry\"", "tear = \"registry\""),
            change("from = \"2014-01-01\"", "from = \"2014-01-32\""),
            change("from = \"2014-01-01\"", "from = \"2014-01-01\"\nto = \"2013-01-01\""),
            change("example = [{ start = \"2025-09-30\", end = \"2026-09-30\" }]", "example = []"),
            change("citation = \"ICANN 2013", "citation = \" \" # \"ICANN 2013"),
            change("deleted = [\"service-ended\"", "deleted = [\"service-over\""),
            change("\nother = [\"service-ended\", \"sponsorship-ended\"]", ""),
            RulePack::parse("", Path::new("own.toml")).unwrap_err().to_string(),
        ]
        .join("\n")
    );
}

const EVENTS: [&str; 4] = ["service-ended", "sponsorship-ended", "registration-ended", "consent-withdrawn"];

/// A pack of rules drawn: kind, start, months, grace, tier.
fn drawn(rules: &[(bool, usize, u16, u16, u8)]) -> RulePack {
    let head = "version = 1\nid = \"t\"\ndated = \"2026-01-01\"\n[scopes]\n[reasons]\nother = []\n[clusters]\nc = \"c\"\n[events]\n";
    let mut text = head.to_owned();
    for event in EVENTS {
        text.push_str(&format!("{event} = {{ what = \"\", ends = {} }}\n", event == "service-ended"));
    }
    for (n, (min, event, months, grace, tier)) in rules.iter().enumerate() {
        let (kind, tier) = (if *min { "min" } else { "max" }, ["law", "registry", "house"][usize::from(*tier) % 3]);
        let (start, from) = (EVENTS[event % EVENTS.len()], day("2000-01-01"));
        let end = from.saturating_add(i32::from(*months).months());
        let gone = end.saturating_add(i32::from(*grace).days());
        text.push_str(&format!(
            "[[rule]]\nid = \"R{n:03}\"\nclusters = [\"c\"]\nstart = \"{start}\"\nperiod = \"P{months}M\"\ngrace = \"P{grace}D\"\nkind = \"{kind}\"\ntier = \"{tier}\"\nbasis = \"contract\"\ncitation = \"c\"\nconfidence = \"guess\"\nfrom = \"1990-01-01\"\nexample = [{{ start = \"{from}\", end = \"{end}\", gone = \"{gone}\" }}]\n"
        ));
    }
    RulePack::parse(&text, Path::new("drawn.toml")).unwrap()
}

type Drawn = Vec<(bool, usize, u16, u16, u8)>;

fn rules() -> impl Strategy<Value = Drawn> {
    prop::collection::vec((any::<bool>(), 0..4_usize, 0..240_u16, 0..120_u16, 0..3_u8), 1..8)
}

fn events() -> impl Strategy<Value = BTreeMap<&'static str, Date>> {
    let date = (0..12_000_i32).prop_map(|n| day("2000-01-01").saturating_add(n.days()));
    prop::collection::btree_map(prop::sample::select(&EVENTS[..]), date, 0..4)
}

fn of(events: &BTreeMap<&'static str, Date>, in_use: bool, held: bool) -> Case {
    Case { cluster: "c", scopes: Vec::new(), contracts: BTreeSet::new(), country: None, events: events.clone(), in_use, held }
}

proptest! {
    #[test]
    fn one_more_minimum_never_shortens(all in rules(), events in events(), in_use: bool, extra in (0..4_usize, 0..240_u16, 0..120_u16, 0..3_u8)) {
        let case = of(&events, in_use, false);
        let today = day("2026-11-22");
        let with = { let (event, months, grace, tier) = extra; let mut more = all.clone(); more.push((true, event, months, grace, tier)); more };
        let (before, after) = (drawn(&all), drawn(&with));
        let item = case.item();
        let (before, after) = (resolve(&before, &item, today), resolve(&after, &item, today));
        prop_assert!(after.keep_until >= before.keep_until);
        if before.must_go_by.is_some() && !before.min.is_empty() {
            prop_assert!(after.must_go_by >= before.must_go_by);
        }
    }

    #[test]
    fn one_more_maximum_never_lengthens(all in rules(), events in events(), in_use: bool, extra in (0..4_usize, 0..240_u16, 0..120_u16, 0..3_u8)) {
        let case = of(&events, in_use, false);
        let today = day("2026-11-22");
        let with = { let (event, months, grace, tier) = extra; let mut more = all.clone(); more.push((false, event, months, grace, tier)); more };
        let (before, after) = (drawn(&all), drawn(&with));
        let item = case.item();
        let (before, after) = (resolve(&before, &item, today), resolve(&after, &item, today));
        prop_assert_eq!(after.keep_until, before.keep_until);
        if let Some(by) = before.must_go_by {
            prop_assert!(after.must_go_by.is_some_and(|then| then <= by));
        }
    }

    #[test]
    fn a_hold_only_postpones(all in rules(), events in events(), in_use: bool, day_of in 0..20_000_i32) {
        let (free, held) = (of(&events, in_use, false), of(&events, in_use, true));
        let today = day("2000-01-01").saturating_add(day_of.days());
        let pack = drawn(&all);
        let (free, held) = (free.item(), held.item());
        let (free, held) = (resolve(&pack, &free, today), resolve(&pack, &held, today));
        prop_assert_eq!((free.keep_until, free.must_go_by), (held.keep_until, held.must_go_by), "what rules come to stays");
        prop_assert!(!matches!(held.state(today), State::Overdue(_)));
        prop_assert!(matches!(held.state(today), State::Hold) || held.state(today) == free.state(today));
    }

    #[test]
    fn the_order_of_rules_means_nothing(all in rules(), events in events(), in_use: bool, turn in 0..8_usize) {
        let case = of(&events, in_use, false);
        let item = case.item();
        let today = day("2026-11-22");
        // The ids stay with their rules.
        let text = |rules: &Drawn, order: &[usize]| order.iter().map(|n| (*n, rules[*n])).collect::<Vec<_>>();
        let order: Vec<usize> = (0..all.len()).collect();
        let mut turned = order.clone();
        turned.rotate_left(turn % all.len());
        let told = |order: &[usize]| {
            let rules: Drawn = text(&all, order).into_iter().map(|(_, rule)| rule).collect();
            let pack = drawn(&rules);
            let found = resolve(&pack, &item, today);
            let names: BTreeSet<_> = found.min.iter().chain(&found.max).map(|b| (b.rule.kind, b.start, b.end, b.gone)).collect();
            (found.keep_until, found.must_go_by, found.state(today), names)
        };
        prop_assert_eq!(told(&order), told(&turned));
    }

    #[test]
    fn states_follow_one_another(all in rules(), events in events()) {
        let case = of(&events, false, false);
        let item = case.item();
        let pack = drawn(&all);
        let found = resolve(&pack, &item, day("2026-11-22"));
        if found.conflict.is_none() && found.uncounted.is_empty() {
            if let Some(until) = found.keep_until {
                prop_assert_eq!(found.state(until.yesterday().unwrap()), State::Retained(until));
                prop_assert!(!matches!(found.state(until), State::Retained(_)));
            }
            if let Some(by) = found.must_go_by {
                prop_assert!(!matches!(found.state(by), State::Overdue(_)));
                prop_assert_eq!(found.state(by.tomorrow().unwrap()), State::Overdue(1));
                prop_assert!(found.keep_until.is_none_or(|until| until <= by));
            }
        }
    }
}
