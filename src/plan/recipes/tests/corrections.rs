//! Corrections: what they do, and what they never do.

use super::*;

#[test]
fn a_status_that_no_client_may_set_is_never_planned() {
    for (id, status, rule) in
        [("nicit", "clientHold", "R-stat-003"), ("denic", "clientHold", "R-stat-002"), ("nicit", "clientRenewProhibited", "R-stat-001")]
    {
        let mut world = World::with(id, None);
        world.domains[0][0] = world.domains[0][0].with(&[(D::Statuses.at(), Some(status)), (D::Admin.at(), None)]);
        world.domains[1][0] = world.domains[1][0].with(&[(D::Admin.at(), None)]);
        assert_eq!(left(&world.agreed(Recipe::Corrections)), rule, "{id}");
    }
    let mut world = World::with("gtld-thick", None);
    world.domains[0][0] = world.domains[0][0].with(&[(D::Statuses.at(), Some("clientHold"))]);
    assert_eq!(told(one(&world.agreed(Recipe::Corrections))), [format!("Update {NAME} statuses.clientHold: - > set")]);
}

#[test]
fn a_natural_person_is_never_published_without_explicit_consent() {
    let of = |id: &str, ours: (C, &str), theirs: (C, &str), recipe: Recipe, bases: &mut dyn Bases| {
        let mut world = World::with(id, None);
        world.contacts[0][0] = world.contacts[0][0].with(&[(ours.0.at(), Some(ours.1))]);
        world.contacts[1][0] = world.contacts[1][0].with(&[(theirs.0.at(), Some(theirs.1))]);
        world.domains = Default::default();
        world.run(recipe, bases)
    };
    let all = "addr.loc,voice";
    let (shown, hidden) = (format!("1:{all}"), format!("0:{all}"));
    let disclosed = ("nz", (C::Disclose, shown.as_str()), (C::Disclose, hidden.as_str()));
    let consent = ("nicit", (C::Properties, "consentForPublishing=true"), (C::Properties, "consentForPublishing=false"));
    for (id, ours, theirs) in [disclosed, consent] {
        for recipe in [Recipe::Corrections, Recipe::PrivacyOff] {
            assert_eq!(left(&of(id, ours, theirs, recipe, &mut NoRecords)), "RTR-6", "{id} {recipe:?}");
            // That terms were accepted is not enough.
            assert_eq!(left(&of(id, ours, theirs, recipe, &mut Agreed(BasisKind::Terms))), "RTR-6", "{id} {recipe:?}");
            let out = of(id, ours, theirs, recipe, &mut Agreed(BasisKind::ExplicitConsent));
            assert_eq!(one(&out).basis.kind, BasisKind::ExplicitConsent, "{id} {recipe:?}");
        }
        // To withhold needs nobody's consent.
        one(&of(id, theirs, ours, Recipe::Corrections, &mut NoRecords));
    }
}

#[test]
fn a_correction_over_a_mask_or_a_placeholder_is_never_planned() {
    // A proxy contact stands where the records say that nobody is masked.
    let mut world = World::with("gtld-thick", None);
    world.remote(&[(D::Registrant, &proxy())]);
    assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-plan-003");
    world.remote(&[(D::Registrant, "ADA"), (D::Admin, "MASK-V1")]);
    assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-plan-003");
    for (field, value) in [(C::LocName, "REDACTED FOR PRIVACY"), (C::Email, "x@relay.example"), (C::LocStreet1, "•••")] {
        let mut world = World::with("gtld-thick", None);
        world.contacts[1][0] = world.contacts[1][0].with(&[(field.at(), Some(value))]);
        assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-plan-003", "{value}");
        // Nor is it taken over into the records.
        world.directions.usual = Direction::Take;
        let out = world.agreed(Recipe::Corrections);
        assert!(out.taken.is_empty() && left(&out) == "R-plan-003", "{value}");
    }
    // Whoever is protected by withholding stays withheld, and that is no difference.
    let mut world = World::with("nz", Some(Protection::V2));
    world.contacts[1][0] = withheld(&world.contacts[1][0], &world.profile);
    let out = world.agreed(Recipe::Corrections);
    assert!(out.drafts.is_empty() && out.left_out.is_empty());
}

#[test]
fn a_correction_of_an_identity_field_is_never_planned() {
    let mut world = World::with("denic", None);
    world.contacts[1][0] = world.contacts[1][0].with(&[(C::LocName.at(), Some("Ada L."))]);
    assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-plan-004");
    let mut world = World::with("nicit", None);
    world.contacts[0][0] = world.contacts[0][0].with(&[(C::Properties.at(), Some("regCode=1"))]);
    world.contacts[1][0] = world.contacts[1][0].with(&[(C::Properties.at(), Some("regCode=2"))]);
    assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-plan-004");
    // Nor does a domain change hands where that is not a plain update.
    let mut world = World::with("denic", None);
    world.remote(&[(D::Registrant, "BOB")]);
    let out = world.agreed(Recipe::Corrections);
    assert_eq!(left(&out), "R-plan-004");
    assert!(out.left_out[0].what.contains("operation of its own"), "{}", out.left_out[0].what);
}

#[test]
fn what_is_not_known_to_be_allowed_is_never_planned() {
    for id in ["sidn", "afnic"] {
        let mut world = World::with(id, None);
        world.contacts[1][0] = world.contacts[1][0].with(&[(C::Voice.at(), Some("+39.0655555"))]);
        assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-plan-002", "{id}");
    }
    assert_eq!(left(&World::with("sidn", Some(Protection::V2)).agreed(Recipe::Privacy)), "R-plan-002");
    assert_eq!(left(&World::with("dnsbe", None).agreed(Recipe::Lock)), "R-plan-002");
}

#[test]
fn a_correction_rests_on_the_whole_address_and_is_judged_before_it_is_planned() {
    let mut world = World::with("gtld-thick", None);
    world.contacts[1][0] = world.contacts[1][0].with(&[(C::LocCity.at(), Some("Milano"))]);
    let out = world.agreed(Recipe::Corrections);
    assert_eq!(told(one(&out)), ["Update ADA loc_city: Milano > Roma"]);
    assert_eq!(one(&out).basis.kind, BasisKind::Accuracy);
    // Country, city, postal code, province and three streets: what stands there is sent along.
    assert_eq!(one(&out).steps[0].facts().count(), 7);
    // A value that the registry would refuse.
    world.contacts[0][0] = world.contacts[0][0].with(&[(C::Voice.at(), Some("none"))]);
    let out = world.agreed(Recipe::Corrections);
    assert!(out.drafts.is_empty() && out.left_out.iter().all(|f| f.rule.starts_with("R-addr-")) && !out.left_out.is_empty());
}

#[test]
fn the_registry_may_be_right_per_field() {
    let mut world = World::with("gtld-thick", None);
    world.directions.fields.insert("email".to_owned(), Direction::Take);
    world.directions.fields.insert("voice".to_owned(), Direction::Leave);
    let changed = [(C::Email.at(), Some("new@mail.example")), (C::Voice.at(), Some("+39.0655555"))];
    world.contacts[1][0] = world.contacts[1][0].with(&changed);
    world.remote(&[(D::Expires, "2030-01-01")]);
    let out = world.agreed(Recipe::Corrections);
    assert!(out.drafts.is_empty() && out.left_out.is_empty());
    let taken: Vec<(&str, &str)> = out.taken.iter().map(|taken| (taken.field, taken.value.reveal())).collect();
    assert_eq!(taken, [("email", "new@mail.example"), ("expires", "2030-01-01")]);
    assert!(!format!("{:?}", out.taken).contains("mail.example"));
}

#[test]
fn a_correction_never_unlocks_a_protected_domain() {
    let mut world = World::with("gtld-thick", Some(Protection::V2));
    world.remote(&[(D::Statuses, LOCK), (D::Registrant, &proxy())]);
    assert_eq!(left(&world.agreed(Recipe::Corrections)), "RTR-7");
    world.services.clear();
    world.remote(&[(D::Registrant, "ADA")]);
    assert_eq!(told(one(&world.agreed(Recipe::Corrections))), [format!("Update {NAME} statuses.{LOCK}: set > -")]);
}

#[test]
fn a_contact_whose_updates_the_registry_refuses_is_left_out() {
    for status in ["clientUpdateProhibited", "serverUpdateProhibited", "pendingUpdate"] {
        let mut world = World::with("gtld-thick", None);
        let both = [(C::Statuses.at(), Some(status))];
        world.contacts[0][0] = world.contacts[0][0].with(&both);
        world.contacts[1][0] = world.contacts[1][0].with(&both).with(&[(C::Voice.at(), Some("+49.301111111"))]);
        assert_eq!(left(&world.agreed(Recipe::Corrections)), "R-plan-010", "{status}");
    }
}
