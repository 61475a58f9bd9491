//! Conformance: what the client refuses before it sends is what a registry refuses when it is sent anyway. One suite for every profile,
//! over its own tables, with every rule enforced on both sides. Where a case is certain, both are held against that as well, so that
//! two wrong sides do not agree unseen.
#![expect(clippy::print_stdout, reason = "how many cases there were is part of what a test tells")]

mod cases;
mod changes;
mod draft;
mod frames;
mod names;
mod roles;
mod vectors;

use crate::one::One;
use crate::raw::{self, Raw, Verdict};
use cases::Cases;
use names::{delegations, hosts_of};
use privet::dataset::{DomainField, contact_row, domain_row};
use privet::mock::Served;
use privet::model::{Domain, Finding, FindingSeverity, ObjectKind, StatusValue};
use privet::policy::{HostModel, Line, Profile, StatusUse, profile};
use privet::rules::{Judge, status_change};
use std::collections::{BTreeMap, BTreeSet};

/// What a registry of a test has turned off, so that nothing but rules refuses.
const OPEN: [&str; 7] =
    ["strict_unknown=on", "rate=off", "quota=off", "sessions=off", "idle_seconds=off", "age_seconds=off", "commands_per_session=off"];

/// The embedded profile with every rule enforced.
fn enforced(id: &str) -> Profile {
    let mut value = serde_json::to_value(&*profile(id).expect("a profile")).expect("JSON");
    enforce(&mut value);
    serde_json::from_value(value).expect("a profile")
}

fn enforce(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            if map.contains_key("confidence") {
                map.insert("enforce".to_owned(), true.into());
            }
            map.values_mut().for_each(enforce);
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(enforce),
        _ => {}
    }
}

/// What a suite came to.
struct Tally {
    profile: Profile,
    wrong: Vec<String>,
    /// Cases that were sent, those certain to be taken, and those certain to be refused.
    sent: usize,
    certain: [usize; 2],
    unsaid: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn new(id: &str) -> Self {
        Self { profile: enforced(id), wrong: Vec::new(), sent: 0, certain: [0; 2], unsaid: BTreeMap::new() }
    }

    /// Holds the client's findings against the registry's answer, and both against what is certain.
    fn hold(&mut self, case: &str, findings: &[Finding], verdict: &Verdict, certain: Option<bool>) {
        let errors: Vec<String> = errors(findings).map(|f| format!("{} {}: {}", f.rule, f.field, f.what)).collect();
        let takes = errors.is_empty();
        self.sent += 1;
        if let Some(certain) = certain {
            self.certain[usize::from(!certain)] += 1;
        }
        if takes != verdict.taken || certain.is_some_and(|certain| certain != takes) {
            let certain = certain.map_or("open", |taken| if taken { "to be taken" } else { "to be refused" });
            self.wrong.push(format!("{case}: certain: {certain}; client: {errors:?}; registry: {} {}", verdict.taken, verdict.code));
        }
    }

    /// Tells what ran, and fails where anything went wrong or too little ran.
    fn end(self, what: &str, least: usize) {
        let Self { profile, wrong, sent, certain: [taken, refused], unsaid } = self;
        println!("{}: {sent} cases of {what}, {taken} sure to be taken, {refused} sure to be refused", profile.id);
        for (why, count) in unsaid {
            println!("    {count} not on this line: {why}");
        }
        let shown: Vec<&str> = wrong.iter().map(String::as_str).take(60).collect();
        assert!(wrong.is_empty(), "{}: {} of {sent} cases of {what}:\n{}", profile.id, wrong.len(), shown.join("\n"));
        assert!(sent >= least, "{}: only {sent} cases of {what}", profile.id);
    }
}

fn errors(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.severity == FindingSeverity::Error)
}

/// A registry of the profile, and a session with it.
fn open(one: &One, profile: &Profile, knobs: &[&str]) -> (Served, Raw) {
    let served = one.serve(knobs, "");
    let raw = Raw::login(&served, profile);
    (served, raw)
}

fn contacts(id: &'static str, tld: &str, least: usize) {
    let mut tally = Tally::new(id);
    let one = One::new(id, tld, 4);
    let (served, mut raw) = open(&one, &tally.profile, &OPEN);
    let profile = tally.profile.clone();
    let judge = Judge::of(&profile);
    let cases = Cases::of(&profile);
    for case in &cases.said {
        let findings = judge.contact(&contact_row(&case.draft.contact(&profile, true)));
        let answer = raw.say(&raw::create(&profile, &case.draft.contact(&profile, false)));
        tally.hold(&case.name, &findings, &Verdict::of(&answer), case.taken);
    }
    for (_, why) in &cases.unsaid {
        *tally.unsaid.entry(why).or_default() += 1;
    }
    served.shutdown();
    tally.end("contacts", least);
}

/// Every status of the tables and of the RFCs, added and removed, on what stands without any.
fn statuses(id: &'static str, tld: &str, least: usize) {
    let mut tally = Tally::new(id);
    let profile = tally.profile.clone();
    let one = One::new(id, tld, 60);
    let is_open = |statuses: &[privet::model::Status]| statuses.iter().all(|s| matches!(s.value.as_str(), "ok" | "linked" | "inactive"));
    let domains: Vec<Domain> = (0..60).map(|n| one.fleet.domain_at(n)).filter(|d| is_open(&d.statuses)).collect();
    let contact = (0..120).filter(|_| profile.has_contacts()).map(|n| one.fleet.contact_at(n)).find(|c| is_open(&c.statuses));
    let mut objects = vec![(ObjectKind::Domain, domains[0].name.as_str().to_owned(), &profile.statuses.domain)];
    objects.extend(contact.map(|c| (ObjectKind::Contact, c.id.as_str().to_owned(), &profile.statuses.contact)));
    let orders: Vec<&String> =
        profile.statuses.domain.iter().filter(|(_, rule)| rule.value == StatusUse::Removable).map(|(status, _)| status).collect();
    if profile.line.value == Line::Rri {
        // There are no statuses on this line, so that there is one side to hold.
        let mut count = 0;
        for (status, adding) in profile.statuses.domain.keys().flat_map(|status| [(status, true), (status, false)]) {
            assert!(status_change(&profile, ObjectKind::Domain, status, adding).is_some(), "{id}: {status}");
            count += 1;
        }
        println!("{id}: {count} changes of statuses, all refused by the client; the line has no words for them");
        assert!(count >= least, "{id}: only {count}");
        return;
    }
    // What only an order puts there is put there by one.
    let ordered = domains.get(1).expect("a second domain").name.as_str();
    if !orders.is_empty() {
        let (served, mut raw) = open(&one, &profile, &["order_served=on", "strict_unknown=on"]);
        for status in &orders {
            let answer = raw.say(&raw::status(ObjectKind::Domain, ordered, status, true));
            assert!(Verdict::of(&answer).taken, "{status}: {answer}");
        }
        served.shutdown();
    }
    let (served, mut raw) = open(&one, &profile, &OPEN);
    let mut change = |tally: &mut Tally, kind, object: &str, status: &str, adding, certain| {
        let answer = raw.say(&raw::status(kind, object, status, adding));
        let finding = status_change(&profile, kind, status, adding);
        let case = format!("{kind:?} {object}: {} {status}", if adding { "add" } else { "remove" });
        // A refused change is never made, whatever the finding's weight.
        let findings: Vec<Finding> = finding.map(|f| Finding { severity: FindingSeverity::Error, ..f }).into_iter().collect();
        tally.hold(&case, &findings, &Verdict::of(&answer), Some(certain));
    };
    for (kind, object, table) in &objects {
        let known = StatusValue::KNOWN.iter().map(StatusValue::as_str).chain(["bogusStatus", "clientLock"]);
        let all: BTreeSet<&str> = known.chain(table.keys().map(String::as_str)).collect();
        for status in all {
            let settable = table.get(status).is_some_and(|rule| rule.value == StatusUse::Settable);
            for adding in [true, false] {
                // One that may be removed and does not stand here is another case.
                if adding || !orders.iter().any(|order| *order == status) || *kind == ObjectKind::Contact {
                    change(&mut tally, *kind, object, status, adding, settable);
                }
            }
        }
    }
    for status in orders {
        change(&mut tally, ObjectKind::Domain, ordered, status, false, true);
    }
    served.shutdown();
    tally.end("statuses", least);
}

/// Name servers: how many, their names and their addresses.
fn name_servers(id: &'static str, tld: &str, least: usize) {
    let mut tally = Tally::new(id);
    let profile = tally.profile.clone();
    let one = One::new(id, tld, 60);
    let judge = Judge::of(&profile);
    let is_open = |domain: &Domain| domain.statuses.iter().all(|s| s.value.as_str() == "ok");
    let is_clean = |domain: &Domain| errors(&judge.domain(&domain_row(domain))).next().is_none();
    let mut domain = (0..60).map(|n| one.fleet.domain_at(n)).find(|d| is_open(d) && is_clean(d)).expect("a good domain");
    let (served, mut raw) = open(&one, &profile, &OPEN);
    for case in delegations(&profile, domain.name.as_str()) {
        let next = hosts_of(&profile, &case.servers);
        let row = domain_row(&domain).with(&[(DomainField::Ns.at(), Some(&*case.servers.join(";")))]);
        let findings = judge.domain(&row);
        let Some(frame) = raw::delegate(&profile, &domain, &next) else { continue };
        let verdict = Verdict::of(&raw.say(&frame));
        tally.hold(&format!("{}: {:?}", case.name, case.servers), &findings, &verdict, case.taken);
        if verdict.taken {
            domain.ns = next;
        }
    }
    if profile.hosts.value == HostModel::Objects {
        tally.unsaid.insert("a host's addresses are its object's", 1);
    }
    served.shutdown();
    tally.end("name servers", least);
}

/// The suite for one profile.
macro_rules! conforms {
    ($name:ident, $id:literal, $tld:literal, $statuses:literal, $servers:literal $(, $contacts:literal, $roles:literal $(, $identities:literal)?)?) => {
        mod $name {
            $(#[test]
            fn contacts_on_both_sides() {
                super::contacts($id, $tld, $contacts);
            }

            #[test]
            fn updates_on_both_sides() {
                super::changes::updates($id, $tld, $contacts / 2);
            }

            #[test]
            fn roles_on_both_sides() {
                super::roles::roles($id, $tld, $roles);
            }

            $(#[test]
            fn identities_on_both_sides() {
                super::changes::identities($id, $tld, $identities);
            })?)?

            #[test]
            fn statuses_on_both_sides() {
                super::statuses($id, $tld, $statuses);
            }

            #[test]
            fn name_servers_on_both_sides() {
                super::name_servers($id, $tld, $servers);
            }
        }
    };
}

conforms!(afnic, "afnic", "fr", 80, 90, 2500, 5, 4);
conforms!(denic, "denic", "de", 20, 90, 6000, 5, 4);
conforms!(dnsbe, "dnsbe", "be", 80, 90, 1800, 5, 4);
conforms!(eurid, "eurid", "eu", 80, 90, 2500, 5, 4);
conforms!(gtld_minimum, "gtld-minimum", "example", 40, 9);
conforms!(gtld_thick, "gtld-thick", "example", 80, 9, 2200, 5);
conforms!(nicit, "nicit", "it", 80, 90, 3000, 5, 4);
conforms!(nz, "nz", "nz", 80, 90, 2000, 5);
conforms!(sidn, "sidn", "nl", 80, 9, 1800, 5, 4);
