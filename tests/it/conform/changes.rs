//! Updates of contacts that stand: every case of a creation once more as a change, and changes of what says who a contact is.

use super::cases::{Cases, told};
use super::draft::{Draft, is_postal, is_property};
use super::frames::correct;
use super::vectors::{sample, texts_of};
use super::{OPEN, Tally, errors, open};
use crate::one::One;
use crate::raw::{self, Raw, Verdict};
use privet::base::Handle;
use privet::dataset::{Row, contact_row};
use privet::mock::Served;
use privet::model::{Contact, Finding};
use privet::policy::{Line, Profile};
use privet::rules::Judge;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;

/// The good contacts of a profile, standing at a registry to be changed.
struct Bench<'p> {
    profile: &'p Profile,
    judge: Judge<'p>,
    bases: Vec<Draft>,
    /// The handle of each base that stands as it should.
    standing: BTreeMap<usize, Handle>,
    made: u32,
    served: Served,
    raw: Raw,
}

impl<'p> Bench<'p> {
    fn new(one: &One, profile: &'p Profile) -> Self {
        let (served, raw) = open(one, profile, &OPEN);
        let bases = Draft::all_of(&profile.id);
        Self { profile, judge: Judge::of(profile), bases, standing: BTreeMap::new(), made: 0, served, raw }
    }

    /// The handle of the contact that is base number `base`, which is made where none stands.
    fn handle(&mut self, base: usize) -> Handle {
        if let Some(handle) = self.standing.get(&base) {
            return handle.clone();
        }
        self.made += 1;
        let draft = &self.bases[base];
        let own = draft.first("id").map_or_else(|| format!("STAND-{:05}", self.made), str::to_owned);
        let answer = self.raw.say(&raw::create(self.profile, &draft.with("id", vec![own.clone()]).contact(self.profile, false)));
        assert!(Verdict::of(&answer).taken, "base {}: {answer}", base + 1);
        let given = answer.split_once("<contact:id>").and_then(|(_, rest)| rest.split_once('<')).map(|(id, _)| id.to_owned());
        let handle = Handle::new(given.unwrap_or(own));
        self.standing.insert(base, handle.clone());
        handle
    }

    /// What the client says of making `next` of `held`.
    fn findings(&self, held: &Draft, next: &Draft) -> Vec<Finding> {
        // Where the registry gives the handles, the client's is what any of them looks like.
        let named = |draft: &Draft| match draft.first("id") {
            Some(_) => draft.clone(),
            None => draft.with("id", vec!["STAND-00001".to_owned()]),
        };
        let row = |draft: &Draft| -> Row { contact_row(&named(draft).contact(self.profile, true)) };
        [self.judge.contact(&row(next)), self.judge.identity_change(&row(held), &row(next))].concat()
    }

    /// Holds the change of base number `base` into `next` against the registry, and takes it back where it was made. What the line has no
    /// words for is refused by the client alone, or by nobody: nothing is told of it then.
    fn change(&mut self, tally: &mut Tally, name: &str, base: usize, next: &Draft, taken: Option<bool>) -> Option<Verdict> {
        let held = self.bases[base].clone();
        let taken = if moves(self.profile, &held, next) { Some(false) } else { taken };
        let findings = self.findings(&held, next);
        if let Some(why) = unsayable(self.profile, &held, next) {
            *tally.unsaid.entry(why).or_default() += 1;
            if moves(self.profile, &held, next) && errors(&findings).next().is_none() {
                tally.wrong.push(format!("{name}: the client lets who the contact is be changed"));
            }
            return None;
        }
        let id = self.handle(base);
        let sent = |draft: &Draft| Contact { id: id.clone(), ..draft.contact(self.profile, false) };
        let (before, after) = (sent(&held), sent(next));
        let frame = correct(self.profile, &before, &after)?;
        let verdict = Verdict::of(&self.raw.say(&frame));
        tally.hold(name, &findings, &verdict, taken);
        if verdict.taken {
            self.standing.remove(&base);
            let back = correct(self.profile, &after, &before).filter(|_| unsayable(self.profile, next, &held).is_none());
            if let Some(frame) = back {
                let verdict = Verdict::of(&self.raw.say(&frame));
                let certain = !moves(self.profile, next, &held);
                tally.hold(&format!("{name}, taken back"), &self.findings(next, &held), &verdict, Some(certain));
                if verdict.taken {
                    self.standing.insert(base, id);
                }
            }
        }
        Some(verdict)
    }
}

/// Whether a field that says who a contact is would be another, once it is filled.
fn moves(profile: &Profile, held: &Draft, next: &Draft) -> bool {
    let nfc = |draft: &Draft, field: &str| draft.first(field).map(|text| text.nfc().collect::<String>());
    // A form of the address that goes takes its fields with it.
    let stays = |field: &str| !is_postal(field) || keeps_forms(held, next);
    let fields = profile.identity_fields.value.iter().filter(|field| held.first(field).is_some());
    fields.into_iter().any(|field| nfc(held, field) != nfc(next, field) || !stays(field))
}

fn keeps_forms(held: &Draft, next: &Draft) -> bool {
    held.values("form").iter().all(|form| next.values("form").contains(form))
}

/// Why an update cannot say what makes `next` of `held`.
fn unsayable(profile: &Profile, held: &Draft, next: &Draft) -> Option<&'static str> {
    let keys = || held.fields().chain(next.fields()).filter(|field| is_property(field));
    let differs = |field: &str| held.first(field) != next.first(field);
    if !told(profile) && keys().any(differs) {
        return Some("the bundled registry does not know the extension that carries it");
    }
    if profile.line.value == Line::Rri {
        return None;
    }
    if keys().any(|key| next.first(key).is_none()) {
        return Some("an update takes no property away");
    }
    if !keeps_forms(held, next) {
        return Some("an update takes no form of the address away");
    }
    let given_once = profile.services.extensions.iter().any(|uri| uri.contains("/contact-ext-")) && differs("type");
    given_once.then_some("the type is given once")
}

/// Every case of a creation as a change of its base.
pub(super) fn updates(id: &'static str, tld: &str, least: usize) {
    let mut tally = Tally::new(id);
    let profile = tally.profile.clone();
    let one = One::new(id, tld, 4);
    let mut bench = Bench::new(&one, &profile);
    for case in Cases::of(&profile).said {
        if case.field == "id" {
            *tally.unsaid.entry("a contact keeps its handle").or_default() += 1;
            continue;
        }
        let next = match bench.bases[case.base].first("id") {
            Some(own) => case.draft.with("id", vec![own.to_owned()]),
            None => case.draft.with("id", Vec::new()),
        };
        bench.change(&mut tally, &case.name, case.base, &next, case.taken);
    }
    bench.served.shutdown();
    tally.end("updates", least);
}

/// Every field that says who a contact is: given another value, taken away, filled for the first time.
pub(super) fn identities(id: &'static str, tld: &str, least: usize) {
    let mut tally = Tally::new(id);
    let profile = tally.profile.clone();
    let code = profile.answers.get("R-ident-001").map(|code| code.value.clone()).expect("the registry's code");
    let one = One::new(id, tld, 4);
    let mut bench = Bench::new(&one, &profile);
    let bases = bench.bases.clone();
    let (mut coded, mut refused) = (0, 0);
    let mut hold = |tally: &mut Tally, name: String, base: usize, next: &Draft| {
        let findings = bench.findings(&bases[base], next);
        let is_moved = moves(&profile, &bases[base], next);
        let told = errors(&findings).any(|finding| &*finding.rule == "R-ident-001");
        assert_eq!(told, is_moved, "{id}, {name}: {findings:?}");
        refused += usize::from(told);
        let alone = errors(&findings).all(|finding| &*finding.rule == "R-ident-001");
        let verdict = bench.change(tally, &name, base, next, alone.then_some(!is_moved));
        // Where nothing else is wrong, the code is that of the rule.
        if let Some(verdict) = verdict.filter(|_| alone && is_moved) {
            coded += 1;
            if verdict.code != code {
                tally.wrong.push(format!("{name}: the code is {} and not {code}", verdict.code));
            }
        }
    };
    for (n, base) in bases.iter().enumerate() {
        for (m, other) in bases.iter().enumerate().filter(|(m, _)| *m != n) {
            hold(&mut tally, format!("base {} into base {}", n + 1, m + 1), n, other);
            // Once more with the properties that no update takes away.
            let lost = base.fields().filter(|field| is_property(field) && other.first(field).is_none());
            let kept = lost.fold(other.clone(), |next, field| next.with(field, base.values(field).to_vec()));
            hold(&mut tally, format!("base {} into base {} and what stays", n + 1, m + 1), n, &kept);
        }
        for field in &profile.identity_fields.value {
            let kinds = profile.properties.get(field).map(|rule| texts_of(&rule.value)).unwrap_or_default();
            let good = kinds.into_iter().filter(|(_, good)| *good == Some(true)).map(|(text, _)| text);
            let others = bases.iter().filter_map(|other| other.first(field)).map(str::to_owned);
            for text in good.chain(others).chain([sample(field), "Maria Bianchi".to_owned(), String::new()]) {
                hold(&mut tally, format!("base {}, {field} `{text}`", n + 1), n, &base.with(field, vec![text]));
            }
        }
        // Nothing of it said: everything else may change.
        hold(&mut tally, format!("base {}, another city", n + 1), n, &base.with("city", vec!["Torino".to_owned()]));
    }
    println!("{id}: {refused} changes of who a contact is, {coded} of them refused with the profile's code");
    assert!(refused >= least, "{id}: only {refused} changes of who a contact is");
    // Some line or other says each of them, or the client alone has a word.
    let sayable = told(&profile) || profile.identity_fields.value.iter().any(|field| !is_property(field));
    assert_eq!(coded > 0, sayable, "{id}: {coded} of them refused with {code}");
    bench.served.shutdown();
    tally.end("changes of identity", least);
}
