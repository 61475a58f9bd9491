//! After a change: its inverse, and what is watched of what stands.

use super::*;
use crate::base::{ObjectKey, ObjectRef};
use crate::dataset::Stamp;
use crate::model::FindingSeverity;
use crate::plan::{Operation, Undo};
use jiff::civil::{Date, date};
use zeroize::Zeroizing;

impl World {
    fn with_site<T>(&self, act: impl FnOnce(&Site<'_>) -> T) -> T {
        let services: Services = self.services.iter().map(|(name, p)| (Box::from(*name), *p)).collect();
        act(&Site {
            registry: "r",
            profile: &self.profile,
            settings: Some(&self.settings),
            services: &services,
            selection: &self.selection,
            directions: &self.directions,
            relock: None,
        })
    }

    /// The inverse of the one operation that a recipe plans, of which `done` steps were taken; with values that are there still, or not.
    fn undone(&self, recipe: Recipe, done: u8, values: bool) -> Outcome {
        let draft = self.agreed(recipe).drafts.remove(0);
        let key = ObjectKey::new(ObjectRef::new([1; 16]), Zeroizing::new([7; 32]));
        let (operation, sealed): (Operation, _) = draft.seal(crate::base::Timestamp::MAX, &mut |_, _| Ok(key.clone())).unwrap();
        let mut out = Outcome::default();
        let mut open = |_: &crate::plan::ObjectName, fact: &crate::plan::Fact, digest: &crate::base::ValueDigest| {
            let found = sealed.iter().find(|one| one.digest() == *digest).filter(|_| values);
            let opened = found.map(|one| key.open(fact.as_str(), digest, one.bytes())).transpose()?;
            Ok(opened.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
        };
        self.with_site(|site| inverse(site, "run", &operation, &|step| step < done, &mut open, &mut out)).unwrap();
        out
    }

    /// The domain, watched on a day. A way to its registrant works.
    fn watched(&self, sponsor: &str, relock: Option<Date>) -> Watched {
        self.tried(sponsor, relock, Some(true))
    }

    /// The same, where what came of trying a way to its registrant is told.
    fn tried(&self, sponsor: &str, relock: Option<Date>, reached: Option<bool>) -> Watched {
        self.beside(
            sponsor,
            Beside { today: date(2026, 11, 22), account: "us", relock: &|_| relock, new_since: None, reached: &|_| reached },
        )
    }

    fn beside(&self, sponsor: &str, beside: Beside<'_>) -> Watched {
        let stamp = Stamp {
            sponsor: Some(sponsor.into()),
            updated: Some("2026-11-01T00:00:00Z".into()),
            transferred: Some("2026-11-10T12:00:00.5Z".into()),
            created: Some("2020-02-01T00:00:00Z".into()),
        };
        let (mut known, asked) = (Known::default(), Asked::default());
        self.with_site(|site| {
            let [ours, theirs] = &self.contacts;
            for row in theirs {
                let pair = Pair { local: ours.iter().find(|local| local.id() == row.id()), remote: Some(row) };
                known.contact(site, pair, &asked, &mut NoRecords).unwrap();
            }
            let pair = Pair { local: self.domains[0].first(), remote: self.domains[1].first() };
            watch::domain(site, pair, &stamp, &known, &beside)
        })
    }

    /// What protection left behind: handle, what it is, and what keeps it, with the rules of its findings.
    fn behind(&self) -> Vec<(String, Remnant, Vec<Blocker>, Vec<String>)> {
        fn pairs([ours, theirs]: &[Vec<Row>; 2]) -> Vec<Pair<'_>> {
            let of = |remote| Pair { local: ours.iter().find(|local| local.id() == Row::id(remote)), remote: Some(remote) };
            theirs.iter().map(of).collect()
        }
        self.with_site(|site| {
            let mut asked = Asked::default();
            for pair in pairs(&self.domains) {
                asks_behind(site, pair, &mut asked);
            }
            for pair in pairs(&self.domains) {
                asked.names(pair);
            }
            let all = pairs(&self.contacts).into_iter().filter_map(|pair| behind(site, pair, &asked));
            all.map(|one| (one.handle.into(), one.what, one.blockers, one.finding.iter().map(|f| f.rule.to_string()).collect())).collect()
        })
    }
}

fn protected() -> World {
    let mut world = World::with("gtld-thick", Some(Protection::V2));
    let proxy = proxy_handle(&DomainName::new(NAME));
    world.remote(&[(D::Registrant, &proxy), (D::Statuses, LOCK)]);
    world
}

#[test]
fn a_protection_is_taken_back_as_one_unit_the_last_step_first() {
    let world = World::with("gtld-thick", Some(Protection::V2));
    let proxy = proxy_handle(&DomainName::new(NAME));
    let forth = world.agreed(Recipe::Privacy);
    assert_eq!(told(one(&forth))[0], format!("Create {proxy}"));
    let back = world.undone(Recipe::Privacy, 2, true);
    let draft = one(&back);
    let wanted = format!("Update {NAME} registrant: {proxy} > ADA, statuses.{LOCK}: set > -");
    assert_eq!(told(draft), [wanted, format!("Delete {proxy}")]);
    assert_eq!((draft.basis.kind, draft.basis.evidence.as_slice()), (BasisKind::Restored, &["run run operation 0".to_owned()][..]));
    assert!(matches!(draft.undo, Undo::Irreversible(_)));
}

#[test]
fn only_what_took_effect_is_taken_back() {
    let world = World::with("gtld-thick", Some(Protection::V2));
    let proxy = proxy_handle(&DomainName::new(NAME));
    assert_eq!(told(one(&world.undone(Recipe::Privacy, 1, true))), [format!("Delete {proxy}")]);
    assert!(world.undone(Recipe::Privacy, 0, true).drafts.is_empty());
}

#[test]
fn what_needs_consent_or_was_erased_is_not_taken_back() {
    let mut world = World::with("gtld-thick", None);
    world.contacts[1][0] = world.contacts[1][0].with(&[(C::Email.at(), Some("old@mail.example"))]);
    assert_eq!(told(one(&world.undone(Recipe::Corrections, 1, true))), ["Update ADA email: ada@mail.example > old@mail.example"]);
    let erased = world.undone(Recipe::Corrections, 1, false);
    assert_eq!(left(&erased), "R-plan-018");
    assert!(erased.left_out[0].what.contains("erased"));
    // Lifting a lock is taken back by the recipe that asks for consent to one.
    let mut locked = World::with("gtld-thick", None);
    locked.remote(&[(D::Statuses, LOCK)]);
    assert_eq!(left(&locked.undone(Recipe::Unlock, 1, true)), "R-plan-019");
    // A disclose statement can only be replaced; and where there was one, showing a person again is for the recipe that asks for consent.
    let mut withheld = World::with("nz", Some(Protection::V2));
    assert_eq!(left(&withheld.undone(Recipe::Privacy, 1, true)), "R-plan-018");
    withheld.contacts[1][0] = withheld.contacts[1][0].with(&[(C::Disclose.at(), Some("1:voice"))]);
    assert_eq!(left(&withheld.undone(Recipe::Privacy, 1, true)), "R-plan-019");
}

#[test]
fn a_protected_domain_that_is_as_it_should_be_has_its_place_on_the_relays_map_and_no_finding() {
    let watched = protected().watched("us", None);
    assert!(watched.findings.is_empty() && watched.locked && watched.lockable && watched.open.is_none(), "{watched:?}");
    let relay = Relay { address: "a.example@relay.example".to_owned(), mode: "form", target: "ADA".to_owned() };
    assert_eq!(watched.relay, Some(relay));
}

#[test]
fn a_protected_registrant_whom_no_tried_way_reaches_is_told() {
    let told = |world: &World, sponsor: &str, reached| {
        let findings = world.tried(sponsor, None, reached).findings;
        findings.into_iter().filter(|one| &*one.rule == "RTR-18").map(|one| (one.severity, one.what.to_string())).collect::<Vec<_>>()
    };
    let untried = told(&protected(), "us", None);
    assert!(untried.len() == 1 && untried[0].1.contains("not recorded") && untried[0].1.contains("a.example@relay.example"), "{untried:?}");
    assert_eq!(untried[0].0, FindingSeverity::Warning);
    let broken = told(&protected(), "us", Some(false));
    assert!(broken.len() == 1 && broken[0].1.contains("worked when it was tried last"), "{broken:?}");
    assert_eq!(told(&protected(), "us", Some(true)), []);
    // Where no proxy stands, what goes away, and what is not sold with protection, needs no way of ours.
    assert_eq!(told(&protected(), "them", None), []);
    assert_eq!(told(&World::with("nz", Some(Protection::V2)), "us", None), []);
    assert_eq!(told(&World::with("gtld-thick", None), "us", None), []);
}

#[test]
fn a_new_name_without_the_protection_that_is_the_default_is_told() {
    let new = |world: &World, sponsor: &str, since: Option<&str>| {
        let new_since = since.map(|at| at.parse().unwrap());
        let beside = Beside { today: date(2026, 11, 22), account: "us", relock: &|_| None, new_since, reached: &|_| Some(true) };
        let one = world.beside(sponsor, beside);
        (one.unprotected, rules(&one.findings).join(" "))
    };
    // It came by a transfer in the night of the 10th.
    for (profile, protection, sponsor, since, wanted) in [
        ("gtld-thick", None, "us", Some("2026-11-10T12:00:00.5Z"), Some(date(2026, 11, 10))),
        ("nz", None, "us", Some("2026-11-09T00:00:00Z"), Some(date(2026, 11, 10))),
        ("gtld-thick", None, "us", Some("2026-11-10T12:00:01Z"), None),
        ("gtld-thick", None, "us", None, None),
        ("gtld-thick", None, "them", Some("2026-11-09T00:00:00Z"), None),
        // What protects it already needs no default, and where nothing of ours can, none does.
        ("gtld-thick", Some(Protection::V1), "us", Some("2026-11-09T00:00:00Z"), None),
        ("denic", None, "us", Some("2026-11-09T00:00:00Z"), None),
    ] {
        let told = new(&World::with(profile, protection), sponsor, since);
        let rule = if wanted.is_some() { "RTR-17" } else { "" };
        assert_eq!(told, (wanted, rule.to_owned()), "{profile} {protection:?} {sponsor} {since:?}");
    }
}

#[test]
fn a_gap_in_the_lock_is_told_with_its_age_and_a_window_only_once_its_day_is_over() {
    let mut world = protected();
    world.remote(&[(D::Statuses, "ok")]);
    let watched = world.watched("us", None);
    assert_eq!(rules(&watched.findings), ["RTR-7"]);
    assert_eq!((watched.open, watched.relay.map(|relay| relay.mode)), (Some(Some((date(2026, 11, 1), 21))), Some("notice")));
    assert!(world.watched("us", Some(date(2026, 11, 22))).findings.is_empty());
    let late = world.watched("us", Some(date(2026, 11, 20)));
    assert_eq!((rules(&late.findings), late.overdue), (vec!["RTR-11", "RTR-7"], Some((date(2026, 11, 20), 2))));
}

#[test]
fn where_nobody_knows_of_a_lock_none_is_missed() {
    for id in ["afnic", "eurid", "nicit"] {
        let watched = World::with(id, Some(Protection::V2)).watched("us", None);
        assert!(watched.held && !watched.lockable && watched.open.is_none() && watched.findings.is_empty(), "{id}: {watched:?}");
    }
    let mut gone = protected();
    gone.domains[1].clear();
    assert!(!gone.watched("us", None).held);
}

#[test]
fn a_role_that_shows_the_registrant_leaks_under_whatever_handle() {
    let mut world = protected();
    world.contacts[1].push(ada("TWIN"));
    world.remote(&[(D::Tech, "TWIN"), (D::Billing, "ADA")]);
    let watched = world.watched("us", None);
    let proxy = proxy_handle(&DomainName::new(NAME));
    let leak = |role, handle: &str| (role, handle.to_owned(), proxy.clone());
    assert_eq!(watched.leaks, [leak("tech", "TWIN"), leak("billing", "ADA")]);
    assert_eq!(rules(&watched.findings), ["RTR-4", "RTR-4"]);
}

#[test]
fn where_the_contact_itself_is_withheld_its_other_roles_show_nothing() {
    let mut world = World::with("nz", Some(Protection::V2));
    world.contacts[1].push(ada("TWIN"));
    world.remote(&[(D::Statuses, LOCK), (D::Tech, "TWIN"), (D::Billing, "ADA")]);
    let leaks = world.watched("us", None).leaks;
    assert_eq!(leaks.iter().map(|(role, handle, _)| (*role, handle.as_str())).collect::<Vec<_>>(), [("tech", "TWIN")]);
    // Where nothing of ours hides anybody, there is nothing to leak.
    world.profile = profile("denic").unwrap();
    assert!(world.watched("us", None).leaks.is_empty());
}

#[test]
fn a_domain_that_went_away_with_our_contact_in_it_is_on_the_list_of_reminders() {
    let world = protected();
    let watched = world.watched("them", None);
    let since = Some((date(2026, 11, 10), 12));
    assert_eq!(watched.gone, Some(Gone { sponsor: "them".to_owned(), since, evidence: Evidence::DomainInfo }));
    assert_eq!(rules(&watched.findings), ["RTR-10"]);
    assert!(watched.away && watched.findings[0].what.contains("its domain info still shows"), "{}", watched.findings[0].what);
    // What shows nothing of ours is nobody's to remind of.
    assert!(World::with("gtld-thick", Some(Protection::V2)).watched("them", None).gone.is_none());
}

/// The answer of another registrar's directory about a domain, with that address of the registrant.
fn rdap(domain: &str, email: &str) -> serde_json::Value {
    serde_json::json!({
        "objectClassName": "domain",
        "ldhName": domain,
        "entities": [
            { "roles": ["registrar"], "handle": "THEM" },
            { "roles": ["registrant"], "vcardArray": ["vcard", [["email", {}, "text", email]]] },
        ],
        "events": [
            { "eventAction": "transfer", "eventDate": "2026-11-12T00:00:00Z" },
            { "eventAction": "last update of RDAP database", "eventDate": "2026-11-20T00:00:00Z" },
        ],
    })
}

/// What the answers come to: registry, domain and finding, where registries have the domains like that and all of them were met.
fn elsewhere(answers: &[serde_json::Value], met: &[(&str, &str, Watched)], all: bool) -> Vec<(String, String, String)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rdap.ndjson");
    let lines: Vec<String> = answers.iter().map(ToString::to_string).collect();
    crate::base::write_atomic(&path, lines.join("\n").as_bytes()).unwrap();
    let answers = crate::dataset::RdapAnswers::read(&[path]).unwrap();
    let mut open = Elsewhere::new(&answers, Some(&settings()));
    for (registry, profile, one) in met {
        World::of(profile).with_site(|site| open.meet(&Site { registry, ..*site }, one));
    }
    let told = open.finish(date(2026, 11, 22), all).map(|(registry, mut one)| {
        let gone = one.gone.unwrap();
        assert_eq!((gone.sponsor.as_str(), gone.since), ("THEM", Some((date(2026, 11, 12), 10))));
        assert_eq!(gone.evidence.as_str(), "RDAP");
        let finding = one.findings.remove(0);
        assert_eq!((&*finding.rule, finding.severity, &finding.registry), ("RTR-10", FindingSeverity::Warning, &registry));
        let place = if registry.is_empty() { "RTR-10, domain " } else { "RTR-10 " };
        assert!(finding.to_string().starts_with(place), "{finding}");
        (registry.into(), finding.id.into(), finding.what.into())
    });
    told.collect()
}

#[test]
fn an_rdap_answer_that_shows_our_contact_is_evidence_where_the_registry_does_not_hold_the_domain_for_us() {
    let answers = [rdap("a.example", "A.Example@Relay.example")];
    let domain = |edit: &dyn Fn(&mut Watched)| {
        let mut one = Watched { domain: "a.example".into(), ..Watched::default() };
        edit(&mut one);
        one
    };
    let places = |met: &[(&str, &str, Watched)], all| -> Vec<String> {
        elsewhere(&answers, met, all).into_iter().map(|(registry, domain, _)| format!("{registry} {domain}")).collect()
    };
    let away = domain(&|one| one.away = true);
    assert_eq!(places(&[("r", "gtld-thick", away.clone())], true), ["r a.example"]);
    // The registry that our records name is looked at; that others are not changes nothing.
    assert_eq!(places(&[("r", "gtld-thick", away.clone())], false), ["r a.example"]);
    let what = elsewhere(&answers, &[("r", "gtld-thick", away.clone())], true).remove(0).2;
    assert!(what.contains("on 2026-11-12, 10 days ago, and an RDAP answer of 2026-11-20 still shows our proxy contact"), "{what}");
    // Held for us, also where another account's records still name it; never asked for; or shown by the registry itself.
    let held = domain(&|one| one.held = true);
    for met in [vec![&held], vec![&held, &away], vec![&away, &held]] {
        let met: Vec<_> = met.into_iter().zip(["r", "s"]).map(|(one, registry)| (registry, "gtld-thick", one.clone())).collect();
        assert!(places(&met, true).is_empty());
    }
    assert!(places(&[("r", "gtld-thick", domain(&|_| {}))], true).is_empty());
    let gone = Gone { sponsor: "them".to_owned(), since: None, evidence: Evidence::DomainInfo };
    let shown = domain(&|one| (one.away, one.gone) = (true, Some(gone.clone())));
    assert!(places(&[("r", "gtld-thick", shown)], true).is_empty());
    // Somebody else's address, and another domain's, are nothing of ours.
    for email in ["ada@mail.example", "b.example@relay.example", "a.example@relay.example.net"] {
        assert!(elsewhere(&[rdap("a.example", email)], &[("r", "gtld-thick", away.clone())], true).is_empty(), "{email}");
    }
    let mut by_handle = rdap("a.example", "");
    by_handle["entities"][1]["handle"] = proxy_handle(&DomainName::new("a.example")).to_lowercase().into();
    assert_eq!(elsewhere(&[by_handle.clone()], &[("r", "gtld-thick", away.clone())], true).len(), 1);
    // Nobody is named at whom it could be.
    by_handle["entities"][0]["roles"] = serde_json::json!(["sponsor"]);
    assert!(elsewhere(&[by_handle], &[("r", "gtld-thick", away)], true).is_empty());
}

#[test]
fn a_domain_that_nobody_names_any_more_is_the_registrys_that_alone_holds_others_beside_it() {
    let answers = [rdap("a.example", "a.example@relay.example"), rdap("b.co.test", "b.co.test@relay.example")];
    let held = |name: &str| Watched { domain: name.into(), held: true, ..Watched::default() };
    let of = |met: &[(&str, &str, Watched)], all| -> Vec<String> {
        elsewhere(&answers, met, all).into_iter().map(|(registry, domain, _)| format!("{registry} {domain}")).collect()
    };
    let one = ("r", "gtld-thick", held("x.example"));
    assert_eq!(of(&[one.clone(), ("s", "gtld-thick", held("y.co.test"))], true), ["r a.example", "s b.co.test"]);
    // Another zone of the same registry, and one below.
    assert_eq!(of(&[("r", "gtld-thick", held("x.test")), ("r", "gtld-thick", held("co.test"))], true), [" a.example", " b.co.test"]);
    // Two accounts; a registry where no proxy contact of ours stands; and a domain that is there no more.
    assert_eq!(of(&[one.clone(), ("s", "gtld-thick", held("y.example"))], true), [" a.example", " b.co.test"]);
    assert_eq!(of(&[("nz", "nz", held("y.example")), one.clone()], true), ["r a.example", " b.co.test"]);
    let lost = Watched { away: true, held: false, ..held("y.example") };
    assert_eq!(of(&[("r", "gtld-thick", lost)], true), [" a.example", " b.co.test"]);
    // Where not every registry was looked at, another may hold them.
    assert!(of(&[one], false).is_empty());
}

#[test]
fn a_registrants_own_contact_is_listed_for_deletion_with_what_names_or_keeps_it() {
    let residual = |blockers: &[Blocker], rules: &[&str]| {
        vec![("ADA".to_owned(), Remnant::Residual(1), blockers.to_vec(), rules.iter().map(ToString::to_string).collect())]
    };
    let mut world = protected();
    assert_eq!(world.behind(), residual(&[], &["R-plan-011"]));
    // The registry knows of something that we do not; a status keeps it.
    let statuses = |world: &mut World, text: &str| world.contacts[1][0] = ada("ADA").with(&[(C::Statuses.at(), Some(text))]);
    statuses(&mut world, "clientDeleteProhibited;linked");
    let keeping = [Blocker::Status("clientDeleteProhibited"), Blocker::Status("linked")];
    assert_eq!(world.behind(), residual(&keeping, &["R-plan-011"]));
    // Domains of ours that name it account for the link: it is in use, which is nobody's to mend.
    statuses(&mut world, "linked");
    world.domains[1].push(domain("b.example", &[(D::Registrant, "BOB"), (D::Tech, "ADA")]));
    assert_eq!(world.behind(), residual(&[Blocker::Domain("b.example".into())], &[]));
    // Where no proxy contact stands in its place, nothing is left behind.
    world.remote(&[(D::Registrant, "ADA")]);
    assert!(world.behind().is_empty());
    assert!(World::with("nz", Some(Protection::V2)).behind().is_empty());
}

#[test]
fn a_proxy_contact_that_no_domain_names_is_an_orphan_unless_a_service_is_to_use_it() {
    let mut world = World::with("gtld-thick", None);
    world.contacts[1].push(proxy_contact(&DomainName::new(NAME), &settings()));
    let proxy = proxy_handle(&DomainName::new(NAME));
    let orphan = Remnant::Orphan(NAME.into());
    assert_eq!(world.behind(), [(proxy, orphan.clone(), Vec::new(), vec!["R-plan-011".to_owned()])]);
    let mut unknown = Profile::clone(&world.profile);
    unknown.capabilities.contact_delete.value = crate::policy::Capability::Unknown;
    let known = std::mem::replace(&mut world.profile, Arc::new(unknown));
    assert_eq!(world.behind()[0].2, [Blocker::Capability(crate::policy::Capability::Unknown)]);
    assert_eq!(world.behind()[0].2[0].told(), ("registry", "unknown"));
    world.profile = known;
    world.services.push((NAME, Protection::V2));
    assert!(world.behind().is_empty());
    world.services.clear();
    world.remote(&[(D::Tech, &proxy_handle(&DomainName::new(NAME)))]);
    assert!(world.behind().is_empty());
}
