//! Contacts of a domain by role: as many as there may be, one fewer and one more, up and down, and who they have to be.

use super::frames::assign;
use super::{OPEN, Tally, errors, open};
use crate::one::One;
use crate::raw::Verdict;
use privet::base::Handle;
use privet::dataset::{contact_row, domain_row};
use privet::mock::fleet::Fleet as _;
use privet::model::{ContactRef, Domain, Role};
use privet::policy::{Bounds, DomainRole, Line, Profile};
use privet::rules::Judge;
use std::collections::BTreeSet;

/// Domains and contacts of the registry.
const DOMAINS: u64 = 60;

/// The sequence of cases on one domain.
struct Bench<'p> {
    profile: &'p Profile,
    judge: Judge<'p>,
    one: &'p One,
    /// The domain as it stands.
    domain: Domain,
    /// Its registrant, or the last one that it had.
    registrant: Handle,
}

impl Bench<'_> {
    fn ties(&self, handle: &str) -> u8 {
        self.one.fleet.contact(handle).map_or(0, |contact| self.judge.ties(&contact_row(&contact)))
    }

    /// `count` handles: the registrant first, so that a role which is to be the registrant's is.
    fn pool(&self, count: usize) -> Vec<Handle> {
        let others = (0..DOMAINS * 2).map(|n| self.one.fleet.handle_at(n)).filter(|handle| *handle != self.registrant);
        std::iter::once(self.registrant.clone()).chain(others).take(count).collect()
    }

    /// The domain with these handles in a role and no others.
    fn with(&self, role: DomainRole, handles: &[Handle]) -> Domain {
        let mut next = self.domain.clone();
        match Role::ALL.into_iter().find(|known| known.as_str() == role.as_str()) {
            Some(role) => {
                next.contacts.retain(|contact| contact.role != Some(role));
                next.contacts.extend(handles.iter().map(|handle| ContactRef::new(role, handle.clone())));
            }
            None => {
                next.registrant = handles.first().cloned();
                for n in 2..10 {
                    let further = handles.get(n - 1).map_or("", Handle::as_str);
                    next.properties.set(&format!("registrant.{n}"), further);
                }
            }
        }
        next
    }

    /// Whether these handles may have a role, by the profile's bounds and by what the registrant is.
    fn may(&self, role: DomainRole, handles: &[Handle]) -> bool {
        let rules = self.profile.roles.get(&role);
        let inside = bounds(self.profile, role);
        let count = u32::try_from(handles.len()).expect("few");
        let fits = count >= inside.min && inside.max.is_none_or(|max| count <= max);
        let is_tied = rules.is_some_and(|rules| rules.registrant.is_some()) && self.ties(self.registrant.as_str()) != 0;
        fits && (!is_tied || handles.iter().all(|handle| *handle == self.registrant))
    }
}

fn bounds(profile: &Profile, role: DomainRole) -> Bounds {
    let stated = profile.roles.get(&role).and_then(|rules| rules.count.as_ref()).map(|rule| rule.value);
    stated.unwrap_or(Bounds { min: 0, max: None })
}

/// Why the line cannot give a domain so many contacts in a role.
fn unsayable(profile: &Profile, role: DomainRole, count: usize) -> Option<&'static str> {
    match (profile.line.value, role) {
        (Line::Rri, DomainRole::Registrant) => None,
        (Line::Rri, _) => Some("RRI has no such role"),
        (_, DomainRole::Registrant) if count > 1 => Some("the schema has one place for it"),
        _ => None,
    }
}

pub(super) fn roles(id: &'static str, tld: &str, least: usize) {
    let mut tally = Tally::new(id);
    let profile = tally.profile.clone();
    let one = One::new(id, tld, DOMAINS);
    let (served, mut raw) = open(&one, &profile, &OPEN);
    let judge = || Judge::of(&profile);
    let is_open = |domain: &Domain| !domain.ns.is_empty() && domain.statuses.iter().all(|s| s.value.as_str() == "ok");
    let benches = (0..DOMAINS).map(|n| one.fleet.domain_at(n)).filter(is_open);
    let bench = |domain: Domain| {
        let registrant = domain.registrant.clone()?;
        Some(Bench { profile: &profile, judge: judge(), one: &one, domain, registrant })
    };
    let mut benches: Vec<Bench<'_>> = benches.filter_map(bench).collect();
    benches.retain(|b| errors(&b.judge.domain_among(&domain_row(&b.domain), |handle| b.ties(handle))).next().is_none());
    // One domain of each kind: with a registrant that must have a role itself, and with one that need not.
    let mut kinds = BTreeSet::new();
    benches.retain(|b| kinds.insert(b.ties(b.registrant.as_str())));
    assert_eq!(kinds.len(), if benches[0].judge.has_ties() { 2 } else { 1 }, "{id}");
    for bench in &mut benches {
        for role in [DomainRole::Registrant, DomainRole::Admin, DomainRole::Tech, DomainRole::Billing] {
            let Bounds { min, max } = bounds(&profile, role);
            let edges = [min.checked_sub(1), Some(min), Some(min + 1), max.and_then(|max| max.checked_sub(1)), max, max.map(|max| max + 1)];
            let up: BTreeSet<usize> = edges.into_iter().flatten().map(|count| count as usize).collect();
            // Somebody else in the place of one who is the registrant is the same number, and yet another case.
            let lists = up.iter().chain(up.iter().rev()).map(|count| bench.pool(*count));
            let others = bench.pool(2).into_iter().skip(1).map(|other| vec![other]);
            let back = std::iter::once(bench.pool(1));
            for handles in lists.chain(others).chain(back).collect::<Vec<_>>() {
                let next = bench.with(role, &handles);
                let case = format!("{}: {} as {}", bench.domain.name, handles.len(), role.as_str());
                let findings = bench.judge.domain_among(&domain_row(&next), |handle| bench.ties(handle));
                let certain = bench.may(role, &handles);
                if let Some(why) = unsayable(&profile, role, handles.len()) {
                    *tally.unsaid.entry(why).or_default() += 1;
                    // What no line says is still the client's to refuse.
                    if errors(&findings).next().is_none() != certain {
                        tally.wrong.push(format!("{case}: certain: {certain}; client: {findings:?}"));
                    }
                    continue;
                }
                let Some(frame) = assign(&profile, &bench.domain, &next) else { continue };
                let verdict = Verdict::of(&raw.say(&frame));
                // Another registrant is who the others are held against.
                let is_registrant = role == DomainRole::Registrant && next.registrant != bench.domain.registrant;
                tally.hold(&case, &findings, &verdict, (!is_registrant || !certain).then_some(certain));
                if verdict.taken {
                    bench.registrant = next.registrant.clone().unwrap_or_else(|| bench.registrant.clone());
                    bench.domain = next;
                }
            }
        }
    }
    served.shutdown();
    tally.end("roles", least);
}
