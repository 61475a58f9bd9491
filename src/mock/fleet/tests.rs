//! The fleet as a whole.

use super::*;
use crate::base::Handle;
use crate::model::{AuthInfo, Disclose, PostalForm};
use std::collections::BTreeSet;

fn provider() -> Provider {
    Provider {
        v1_handle: "PRIVACY-V1".into(),
        name: "Privacy service".into(),
        org: "Hedge Privacy".into(),
        street1: "1 Hedge Lane".into(),
        city: "Privetville".into(),
        sp: String::new(),
        pc: "00000".into(),
        cc: "NL".into(),
        voice: "+31.5550000000".into(),
        email_domain: "relay.example".into(),
    }
}

fn settings(profile: &str, contacts: u64) -> FleetSettings {
    FleetSettings {
        profile: profile.into(),
        seed: 7,
        contacts,
        domains: contacts * 4 / 5,
        tlds: vec!["example".into(), "co.test".into()],
        sponsor: "registrar-1".into(),
        today: jiff::civil::date(2026, 11, 21),
        forms: Vec::new(),
        scripts: Vec::new(),
        privacy: Some(PrivacyShares {
            v1_per_mille: 40,
            v2_per_mille: 200,
            bare_per_mille: 100,
            orphans_per_mille: 0,
            provider: provider(),
        }),
        ..FleetSettings::default()
    }
}

fn fleet(profile: &str, contacts: u64) -> SyntheticFleet {
    SyntheticFleet::new(settings(profile, contacts)).expect("valid settings")
}

/// Everything of an object in clear, its password included.
fn whole(contact: &Contact) -> String {
    let auth = match &contact.auth {
        Some(AuthInfo::Password { pw, .. }) => pw.reveal(),
        _ => "",
    };
    crate::base::revealed(|| format!("{}{auth}", serde_json::to_string(contact).expect("JSON")))
}

#[test]
fn equal_seeds_give_equal_objects_and_others_do_not() {
    let (a, b) = (fleet("gtld-thick", 500), fleet("gtld-thick", 500));
    let other = SyntheticFleet::new(FleetSettings { seed: 8, ..settings("gtld-thick", 500) }).expect("valid");
    let text = |f: &SyntheticFleet| -> String {
        let domains = (0..f.domain_count()).map(|j| serde_json::to_string(&f.domain_at(j)).expect("JSON"));
        (0..f.contact_count()).map(|k| whole(&f.contact_at(k))).chain(domains).collect()
    };
    assert_eq!(text(&a), text(&b));
    assert_ne!(text(&a), text(&other));
    // What a seed means is part of the product: benches and reports name seeds.
    assert_eq!(crate::base::Digest::of(text(&a).as_bytes()).short(), "86e4f3486393d3c76879257a195190b6");
}

#[test]
fn every_object_is_found_by_its_name_and_nothing_else_is() {
    for profile in ["gtld-thick", "gtld-minimum", "eurid", "nz"] {
        let f = fleet(profile, 400);
        for k in 0..f.contact_count() {
            let contact = f.contact_at(k);
            assert_eq!(whole(&f.contact(contact.id.as_str()).expect("there")), whole(&contact));
        }
        assert!(f.contact(f.handle_at(400).as_str()).is_none() && f.contact("nobody").is_none() && f.contact("PPAAAAAAAAAAAAAA").is_none());
        for j in 0..f.domain_count() {
            let domain = f.domain_at(j);
            assert_eq!(serde_json::to_string(&f.domain(domain.name.as_str())).ok(), serde_json::to_string(&Some(&domain)).ok());
            for handle in domain.registrant.iter().chain(domain.contacts.iter().map(|c| &c.handle)) {
                assert!(f.contact(handle.as_str()).is_some(), "{profile}: {handle} of {}", domain.name);
            }
            for host in domain.ns.names() {
                let found = f.host(host.as_str());
                assert_eq!(found.is_some(), matches!(domain.ns, crate::model::NameServers::Objects(_)), "{host}");
                assert!(found.is_none_or(|h| h.addrs.is_empty() != domain.hosts.contains(host)));
            }
        }
        assert!(f.domain(f.name_at(f.domain_count()).as_str()).is_none());
    }
}

#[test]
fn a_registry_without_contacts_has_none() {
    let f = fleet("gtld-minimum", 100);
    assert_eq!(f.contact_count(), 0);
    assert!(f.contact(f.handle_at(3).as_str()).is_none() && f.contact("PRIVACY-V1").is_none());
    assert!((0..f.domain_count()).all(|j| f.domain_at(j).registrant.is_none() && f.domain_at(j).contacts.is_empty()));
}

#[test]
fn values_keep_the_limits_of_rfc_5733() {
    for profile in ["gtld-thick", "eurid", "nz"] {
        let f = fleet(profile, 3000);
        for k in 0..f.contact_count() {
            let contact = f.contact_at(k);
            assert!((3..=16).contains(&contact.id.as_str().len()));
            assert!(!contact.postal.is_empty() && contact.postal.len() <= 2);
            for postal in &contact.postal {
                let addr = postal.addr.as_ref().expect("an address");
                let name = postal.name.as_ref().expect("a name");
                let lines = addr.street.iter().chain([name, &addr.city]).chain(&postal.org).chain(&addr.sp);
                for line in lines.map(crate::base::Personal::reveal) {
                    assert!((1..=255).contains(&line.chars().count()) && line.trim() == line && !line.contains("  "), "{line}");
                    assert!(!line.contains(['{', '}', '|']) && (postal.form == PostalForm::Loc || line.is_ascii()), "{line}");
                }
                assert!(addr.street.len() <= 3 && addr.cc.len() == 2 && addr.pc.as_ref().is_none_or(|pc| pc.reveal().len() <= 16));
            }
            for phone in contact.voice.iter().chain(&contact.fax) {
                let (country, number) = phone.number.reveal()[1..].split_once('.').expect("a dot");
                assert!(phone.number.reveal().len() <= 17 && (1..=3).contains(&country.len()) && (1..=14).contains(&number.len()));
            }
            let email = contact.email.as_ref().expect("an address").reveal();
            let (local, domain) = email.split_once('@').expect("an at sign");
            assert!(local.len() <= 64 && local.is_ascii() && !local.starts_with('.') && !local.contains(".."), "{email}");
            assert!(idna::domain_to_ascii_strict(domain).is_ok_and(|ascii| ascii == domain), "{domain}");
        }
    }
}

#[test]
fn what_a_register_holds_is_there() {
    let f = fleet("gtld-thick", 4000);
    let contacts: Vec<Contact> = (0..f.contact_count()).map(|k| f.contact_at(k)).collect();
    let share = |what: &str, is: &dyn Fn(&Contact) -> bool| {
        let n = contacts.iter().filter(|c| is(c)).count();
        assert!(n > 20 && n < contacts.len() - 20, "{what}: {n}");
    };
    share("organisation", &|c| c.postal.iter().any(|p| p.org.is_some()));
    share("int alone", &|c| c.postal.len() == 1 && c.postal[0].form == PostalForm::Int);
    share("loc alone", &|c| c.postal.len() == 1 && c.postal[0].form == PostalForm::Loc);
    share("both forms", &|c| c.postal.len() == 2);
    share("voice", &|c| c.voice.is_some());
    share("fax", &|c| c.fax.is_some());
    share("extension", &|c| c.voice.as_ref().is_some_and(|v| v.ext.is_some()));
    share("disclose", &|c| c.disclose.is_some());
    share("statuses", &|c| c.statuses.iter().any(|s| s.value.is_client()));
    share("two street lines", &|c| c.postal.iter().any(|p| p.addr.as_ref().is_some_and(|a| a.street.len() > 1)));
    share("no postal code", &|c| c.postal.iter().any(|p| p.addr.as_ref().is_some_and(|a| a.pc.is_none())));
    let text: String = contacts.iter().flat_map(|c| &c.postal).filter_map(|p| p.name.as_ref()).map(crate::base::Personal::reveal).collect();
    for (script, range) in [
        ("Latin", 'À'..='ỹ'),
        ("Greek", 'Α'..='ώ'),
        ("Cyrillic", 'А'..='ґ'),
        ("Armenian", 'Ա'..='և'),
        ("Hebrew", 'א'..='ת'),
        ("Arabic", 'ء'..='ي'),
        ("Devanagari", 'अ'..='ह'),
        ("Bengali", 'অ'..='হ'),
        ("Tamil", 'அ'..='ஹ'),
        ("Thai", 'ก'..='ฮ'),
        ("Georgian", 'ა'..='ჰ'),
        ("Ethiopic", 'ሀ'..='ፚ'),
        ("Hangul", '가'..='힣'),
        ("Hiragana", 'ぁ'..='ゖ'),
        ("Katakana", 'ァ'..='ヺ'),
        ("Han", '一'..='龥'),
        ("Han beyond the first plane", '\u{20000}'..='\u{2A6DF}'),
    ] {
        assert!(text.chars().any(|c| range.contains(&c)), "{script}");
    }
    let domains: Vec<Domain> = (0..f.domain_count()).map(|j| f.domain_at(j)).collect();
    assert!(domains.iter().any(|d| d.name.as_str().starts_with("xn--")) && domains.iter().any(|d| !d.hosts.is_empty()));
    assert!(domains.iter().any(|d| d.ns.is_empty()));
    let registrants: BTreeSet<_> = (0..f.domain_count()).filter_map(|j| f.order_at(j).registrant).collect();
    assert!(registrants.len() < domains.len(), "some registrants have several domains");
}

#[test]
fn privacy_stands_where_the_profile_has_it() {
    let thick = fleet("gtld-thick", 2000);
    let masks: Vec<Mask> = (0..thick.domain_count()).map(|j| thick.mask_at(j)).collect();
    for mask in [Mask::None, Mask::V1, Mask::V2] {
        assert!(masks.iter().filter(|m| **m == mask).count() > 20);
    }
    let mut bare = 0;
    for (j, mask) in (0..).zip(&masks) {
        let (held, ordered) = (thick.domain_at(j), thick.order_at(j));
        let registrant = held.registrant.as_ref().map_or("", |h| h.as_str()).to_owned();
        match mask {
            Mask::V1 => assert!(registrant == "PRIVACY-V1" && held.contacts.iter().all(|c| c.handle.as_str() == "PRIVACY-V1")),
            Mask::V2 if thick.is_bare_domain(j) => {
                bare += 1;
                assert_eq!(held.registrant, ordered.registrant);
                assert!(thick.contact(proxy_handle(held.name.as_str()).as_str()).is_some());
            }
            Mask::V2 => {
                let proxy = thick.contact(&registrant).expect("the proxy contact");
                let email = proxy.email.as_ref().map_or("", |e| e.reveal());
                assert_eq!(email, format!("{}@relay.example", held.name.as_str()));
            }
            Mask::None => assert_eq!(held.registrant, ordered.registrant),
        }
    }
    assert!(bare > 3);
    let nz = fleet("nz", 2000);
    let hidden: Vec<u64> = (0..nz.contact_count()).filter(|k| nz.is_withheld(*k)).collect();
    assert!(hidden.len() > 100);
    for k in hidden {
        let disclose = nz.contact_at(k).disclose;
        let hides = |d: Disclose| !d.flag && (d.addr.int || d.addr.loc) && !d.email && !d.name.int && !d.name.loc;
        assert!(nz.is_bare_contact(k) || disclose.is_some_and(hides), "address and telephone are withheld, and never the name");
    }
    assert!((0..nz.domain_count()).all(|j| nz.domain_at(j).registrant == nz.order_at(j).registrant));
}

#[test]
fn an_orphaned_proxy_contact_is_there_and_nothing_names_it() {
    let with = settings("gtld-thick", 2000);
    let privacy = with.privacy.clone().map(|privacy| PrivacyShares { orphans_per_mille: 50, ..privacy });
    let nz_privacy = privacy.clone();
    let f = SyntheticFleet::new(FleetSettings { privacy, ..with }).expect("valid");
    let named: BTreeSet<Handle> = (0..f.domain_count())
        .map(|j| f.domain_at(j))
        .flat_map(|d| d.registrant.into_iter().chain(d.contacts.into_iter().map(|c| c.handle)))
        .collect();
    let orphans: Vec<u64> = (0..f.domain_count()).filter(|j| f.is_orphaned(*j)).collect();
    assert!((20..200).contains(&orphans.len()), "{}", orphans.len());
    for j in 0..f.domain_count() {
        let handle = proxy_handle(f.name_at(j).as_str());
        let there = f.contact(handle.as_str());
        assert_eq!(there.is_some(), f.mask_at(j) == Mask::V2 || orphans.contains(&j), "{handle}");
        let is_linked = there.is_some_and(|contact| contact.statuses.iter().any(|s| s.value == StatusValue::LINKED));
        assert_eq!((is_linked, f.links(handle.as_str())), (named.contains(&handle), i64::from(named.contains(&handle))), "{handle}");
    }
    // Nobody names what is not there, and many name the mask.
    assert_eq!((f.links("nobody"), f.links("PRIVACY-V1")), (0, i64::MAX));
    let nz = SyntheticFleet::new(FleetSettings { privacy: nz_privacy, ..settings("nz", 2000) }).expect("valid");
    assert!((0..nz.domain_count()).all(|j| !nz.is_orphaned(j)));
}

#[test]
fn settings_survive_a_file_and_wrong_ones_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(FleetSettings::FILE);
    assert!(open(dir.path()).expect("an empty fleet").domain("x.example").is_none());
    let good = settings("nz", 100);
    good.save(&path).expect("written");
    assert_eq!(FleetSettings::load(&path).expect("read"), Some(good.clone()));
    let name = fleet("nz", 100).name_at(5);
    assert!(open(dir.path()).expect("a fleet").domain(name.as_str()).is_some());
    for (wrong, field) in [
        (FleetSettings { domains: 101, ..good.clone() }, "domains"),
        (FleetSettings { tlds: vec!["Example".into()], ..good.clone() }, "tlds"),
        (FleetSettings { tlds: Vec::new(), ..good.clone() }, "tlds"),
        (FleetSettings { sponsor: "x".into(), ..good.clone() }, "sponsor"),
        (FleetSettings { contacts: 1 << 40, ..good.clone() }, "contacts"),
    ] {
        let e = SyntheticFleet::new(wrong).expect_err(field);
        assert_eq!((e.id.as_str(), e.place.field.as_deref()), ("E-fleet-003", Some(field)));
    }
    crate::base::write_atomic(&path, b"profile = \"nz\"\nsead = 1\n").expect("written");
    let e = open(dir.path()).err().expect("an unknown key");
    assert_eq!((e.id.as_str(), e.place.line), ("E-fleet-001", Some(2)));
}
