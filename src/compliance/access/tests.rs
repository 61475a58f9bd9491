//! The bundle and what may be taken along of it.

use super::*;
use crate::base::{Personal, Timestamp, revealed};
use crate::compliance::retention::LegalBasis;

fn datum(store: Holding, field: &'static str, value: &str, provided: bool, basis: LegalBasis) -> Datum {
    Datum {
        registry: "one".to_owned(),
        contact: "ADA-1".to_owned(),
        store,
        field,
        value: Personal::new(value),
        provided,
        basis,
        source: "the order".to_owned(),
    }
}

fn at() -> Timestamp {
    "2026-11-21T03:00:00Z".parse().unwrap()
}

#[test]
fn only_what_was_given_and_rests_on_consent_or_contract_is_taken_along() {
    use LegalBasis as B;
    let data = [
        datum(Holding::Records, "email", "ada@example.org", true, B::Contract),
        datum(Holding::Registry, "email", "ada@example.org", true, B::Contract),
        datum(Holding::Registry, "email", "old@example.org", true, B::Contract),
        datum(Holding::Records, "voice", "+49.1", true, B::Consent),
        datum(Holding::Records, "fax", "+49.2", true, B::LegalObligation),
        datum(Holding::Records, "int_city", "Bonn", true, B::LegitimateInterest),
        datum(Holding::Records, "int_pc", "53111", true, B::None),
        datum(Holding::Registry, "statuses", "ok", false, B::Contract),
    ];
    let taken: Vec<(&str, String)> = portable(&data, at()).iter().map(|one| (one.field, one.value.reveal().to_owned())).collect();
    let want = [("email", "ada@example.org"), ("email", "old@example.org"), ("voice", "+49.1")];
    assert_eq!(taken, want.map(|(field, value)| (field, value.to_owned())));
}

#[test]
fn values_are_masked_unless_somebody_means_to_show_them() {
    let mut bundle = Bundle::new(at());
    bundle.data.push(datum(Holding::Records, "email", "ada@example.org", true, LegalBasis::Contract));
    let masked = serde_json::to_string(&bundle).unwrap();
    assert!(!masked.contains("ada@") && !format!("{bundle:?}").contains("ada@"));
    assert!(revealed(|| serde_json::to_string(&bundle)).unwrap().contains("ada@example.org"));
}

#[test]
fn what_is_left_out_is_stated_where_there_is_any() {
    let mut bundle = Bundle::new(at());
    assert_eq!(bundle.excluded.len(), 1, "authorisation information always is");
    bundle.leave_out("others", 0, "Art. 15(4)");
    assert_eq!(bundle.excluded.len(), 1);
    bundle.leave_out("others", 2, "Art. 15(4)");
    assert_eq!(bundle.excluded[1], Exclusion { what: "others", count: Some(2), ground: "Art. 15(4)" });
}

#[test]
fn every_right_is_named_with_its_article() {
    let articles: Vec<&str> = rights().iter().map(|right| right.article).collect();
    for article in ["7(3)", "16", "17", "18", "20", "21", "77"] {
        assert!(articles.iter().any(|there| there.ends_with(&format!("Art. {article}"))), "{article}");
    }
}
