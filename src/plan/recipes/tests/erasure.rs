//! Erasure: a contact goes where both sides of it are to go, and nothing else does.

use super::*;
use crate::plan::Undo;
use crate::plan::basis::{Due, Keeping};
use std::collections::HashMap;

/// What the rules come to, by the handle; whoever is not named is needed.
struct Said(HashMap<&'static str, Keeping>);

impl Bases for Said {
    fn decide(&mut self, _: &str, _: &Row, _: Purpose) -> Result<Decision> {
        Ok(NoRecords::blocked())
    }

    fn bars(&mut self, contact: &Row) -> Result<Option<Bar>> {
        Barring("restricted@mail.example").bars(contact)
    }

    fn keeping(&mut self, _: &str, contact: &Row) -> Result<Keeping> {
        Ok(self.0.get(contact.id()).cloned().unwrap_or(Keeping::Needed))
    }
}

fn due() -> Keeping {
    let subject = Some("5a".repeat(16));
    Keeping::Due(Due { rule: "RAA-2Y".to_owned(), gone_by: Some(civil::date(2026, 11, 1)), trigger: "expiry", subject })
}

/// A registry that holds Ada, who is the registrant of a domain, and Carl, whom nothing names; the records have both.
fn held(profile: &str) -> World {
    let mut world = World::with(profile, None);
    for side in &mut world.contacts {
        side.push(ada("CARL").with(&[(C::Email.at(), Some("carl@mail.example"))]));
    }
    world
}

fn planned(world: &World, said: &[(&'static str, Keeping)]) -> Outcome {
    world.run(Recipe::Erasure, &mut Said(said.iter().cloned().collect()))
}

#[test]
fn what_is_to_go_is_deleted_for_good_and_the_records_are_told_of() {
    let out = planned(&held("gtld-thick"), &[("CARL", due())]);
    let draft = one(&out);
    assert_eq!(told(draft), ["Delete CARL"]);
    assert_eq!((draft.basis.kind, &*draft.basis.evidence), (BasisKind::Expired, &["expiry RAA-2Y".to_owned()][..]));
    assert!(matches!(draft.undo, Undo::Irreversible(_)) && draft.basis.subject.is_some());
    assert!(draft.reasons[0].text.contains("2026-11-01"), "{:?}", draft.reasons[0].text);
    assert_eq!(out.expired.iter().map(|one| &*one.id).collect::<Vec<_>>(), ["CARL"]);
}

#[test]
fn what_is_named_needed_kept_or_not_deletable_stays() {
    let world = held("gtld-thick");
    let nothing = |out: &Outcome| out.drafts.is_empty() && out.expired.is_empty();
    // Nothing is due.
    let out = planned(&world, &[]);
    assert!(nothing(&out) && out.left_out.is_empty());
    // A domain at the registry names her: the records are not told to erase her either.
    let out = planned(&world, &[("ADA", due())]);
    assert_eq!((left(&out), nothing(&out)), ("R-plan-011", true));
    // Something keeps it, which is told.
    let kept = Keeping::Kept(Bar { rule: "R-erasure-001".to_owned(), why: "the hold h-1 keeps it".to_owned() });
    assert_eq!(left(&planned(&world, &[("CARL", kept)])), "R-erasure-001");
    // The registry does not delete contacts, or nobody knows: the records are told all the same.
    for (profile, rule) in [("denic", "R-plan-001"), ("afnic", "R-plan-002")] {
        let out = planned(&held(profile), &[("CARL", due())]);
        assert_eq!((left(&out), out.expired.len()), (rule, 1), "{profile}");
    }
    // The registry says that something names it.
    let mut linked = held("gtld-thick");
    linked.contacts[1][2] = linked.contacts[1][2].with(&[(C::Statuses.at(), Some("linked"))]);
    assert_eq!(left(&planned(&linked, &[("CARL", due())])), "R-plan-011");
    // Whoever asked to restrict processing is left alone wholly.
    let mut restricted = held("gtld-thick");
    restricted.contacts[0][2] = restricted.contacts[0][2].with(&[(C::Email.at(), Some("restricted@mail.example"))]);
    let out = planned(&restricted, &[("CARL", due())]);
    assert_eq!((left(&out), nothing(&out), out.blocked), ("R-request-001", true, 1));
    // Only what is selected is planned for.
    let mut selected = held("gtld-thick");
    selected.selection = Selection::read(["handle=BOB"]).unwrap();
    assert!(nothing(&planned(&selected, &[("CARL", due())])));
}

#[test]
fn what_one_side_needs_stays_on_both() {
    let mut world = held("gtld-thick");
    world.contacts[0].pop();
    assert_eq!(told(one(&planned(&world, &[("CARL", due())]))), ["Delete CARL"]);
    world.contacts[1].pop();
    world.contacts[0].push(ada("CARL"));
    let out = planned(&world, &[("CARL", due())]);
    assert!(out.drafts.is_empty() && out.expired.len() == 1, "the records alone have it");
}
