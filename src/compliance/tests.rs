//! The fold against a plain model, every rule by its own case, and the ledger over the store's fake.

use super::subjects::ONE_BY_ONE;
use super::*;
use crate::base::{Personal, SeededEntropy, Timestamp};
use crate::store::{MemoryStore, Store, StreamName, Table, read};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The `n`th hour of the tests.
fn hour(n: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + n * 3600).expect("a time")
}

fn token(text: &str) -> Token {
    Token::read(text).expect("a token")
}

/// An event for [`Purpose::PrivacyProxy`].
fn event(id: &str, event: Happening, at: i64) -> Record {
    Record {
        v: 1,
        id: token(id),
        subject: Subject::read(&"5a".repeat(16)).expect("an id"),
        purpose: Some(Purpose::PrivacyProxy),
        elements: Vec::new(),
        provider: None,
        group: None,
        event,
        at: hour(at),
        expires: None,
        terms: None,
        notice: None,
        method: None,
        by: None,
        message: None,
        recorded: hour(0),
    }
}

fn until(mut record: Record, at: i64) -> Record {
    record.expires = Some(hour(at));
    record
}

fn of(mut record: Record, purpose: Option<Purpose>) -> Record {
    record.purpose = purpose;
    record
}

/// What the events come to for [`Purpose::PrivacyProxy`] at the tenth hour.
fn rule(events: &[Record]) -> Option<Rule> {
    decide(events, Purpose::PrivacyProxy, hour(10)).rule()
}

#[test]
fn row_25_consent_missing_expired_of_another_purpose_or_dated_later_is_blocked_by_its_own_rule() {
    use Happening as H;
    assert_eq!(rule(&[]), Some(Rule::Nothing));
    assert_eq!(rule(&[until(event("a", H::Given, 1), 10)]), Some(Rule::Expired));
    assert_eq!(rule(&[until(event("a", H::TermsAccepted, 1), 10)]), Some(Rule::Expired));
    assert_eq!(rule(&[of(event("a", H::Given, 1), Some(Purpose::TransferLock))]), Some(Rule::OtherPurpose));
    assert_eq!(rule(&[event("a", H::Given, 11)]), Some(Rule::DatedLater));
    assert_eq!(rule(&[event("a", H::Given, 1), event("b", H::Withdrawn, 2)]), Some(Rule::Withdrawn));
    assert_eq!(rule(&[event("a", H::TermsAccepted, 1), event("b", H::Refused, 2)]), Some(Rule::Refused));
    assert_eq!(rule(&[event("a", H::Requested, 1)]), Some(Rule::Unanswered));
    assert_eq!(rule(&[event("a", H::Given, 1), of(event("b", H::Restricted, 2), None)]), Some(Rule::Restricted));
    assert_eq!(rule(&[event("a", H::Given, 1), event("b", H::Objected, 2)]), Some(Rule::Objected));
    let published = of(event("a", H::TermsAccepted, 1), Some(Purpose::Publication));
    assert_eq!(decide(&[published], Purpose::Publication, hour(10)).rule(), Some(Rule::TermsOnly));
    let (ids, words): (BTreeSet<_>, BTreeSet<_>) = Rule::ALL.iter().map(|rule| (rule.id(), rule.words())).unzip();
    assert_eq!((ids.len(), words.len()), (10, 10));
}

#[test]
fn what_is_allowed_names_its_basis_and_its_evidence() {
    use Happening as H;
    let events = [
        Record { elements: vec![Element::Name, Element::Email], ..until(event("a", H::Given, 1), 5) },
        Record { elements: vec![Element::Name], ..event("b", H::Renewed, 4) },
    ];
    let allowed = Decision::Allowed { basis: Basis::Consent, evidence: vec![token("a"), token("b")], elements: vec![Element::Name] };
    assert_eq!(decide(&events, Purpose::PrivacyProxy, hour(10)), allowed);
    let terms = Record { terms: Some(token("2026-05")), ..event("t", H::TermsAccepted, 3) };
    let allowed = Decision::Allowed { basis: Basis::Terms(Some(token("2026-05"))), evidence: vec![token("t")], elements: Vec::new() };
    assert_eq!(decide(std::slice::from_ref(&terms), Purpose::PrivacyProxy, hour(10)), allowed);
    assert_eq!(fold(std::slice::from_ref(&terms), Purpose::PrivacyProxy, hour(10)).state, State::Unknown, "accepted terms are no consent");
    // Accepting terms after a refusal is something new that was said; for a publication the refusal stands.
    let later = [event("r", H::Refused, 1), terms];
    assert!(decide(&later, Purpose::PrivacyProxy, hour(10)).is_allowed());
    let later = later.map(|record| of(record, Some(Purpose::Publication)));
    assert_eq!(decide(&later, Purpose::Publication, hour(10)).rule(), Some(Rule::Refused));
}

#[test]
fn what_cannot_follow_is_told_and_grants_nothing() {
    use Happening as H;
    let odd = |events: &[Record]| {
        let standing = fold(events, Purpose::PrivacyProxy, hour(10));
        (standing.state, standing.irregular.into_iter().map(|odd| odd.record.to_string()).collect::<Vec<_>>())
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(odd(&[event("a", H::Renewed, 1)]), (State::Unknown, vec!["a".to_owned()]));
    assert_eq!(odd(&[until(event("a", H::Given, 1), 3), event("b", H::Renewed, 3)]), (State::Expired, vec!["b".to_owned()]));
    assert_eq!(odd(&[event("a", H::Withdrawn, 1)]), (State::Withdrawn, vec!["a".to_owned()]));
    assert_eq!(odd(&[event("a", H::Given, 1), event("b", H::Refused, 2)]), (State::Refused, vec!["b".to_owned()]));
    assert_eq!(odd(&[event("a", H::RestrictionLifted, 1)]), (State::Unknown, vec!["a".to_owned()]));
    assert_eq!(odd(&[event("a", H::Objected, 1), event("b", H::Objected, 2)]), (State::Unknown, vec!["b".to_owned()]));
    assert_eq!(odd(&[event("a", H::TermsAccepted, 1), event("b", H::Withdrawn, 2)]), (State::Withdrawn, none.clone()));
    // What was taken in late counts at its own time.
    assert_eq!(odd(&[event("b", H::Withdrawn, 2), event("a", H::Given, 1)]), (State::Withdrawn, none));
}

/// What holds, found by looking for the last word on each matter.
struct Model {
    state: State,
    terms: bool,
    lapsed: bool,
    later: bool,
    restricted: bool,
    objected: bool,
}

impl Model {
    fn of(events: &[Record], purpose: Purpose, at: Timestamp) -> Self {
        use Happening as H;
        let mut all: Vec<&Record> = events.iter().filter(|r| r.purpose.is_none_or(|p| p == purpose)).collect();
        all.sort_by_key(|r| r.at);
        let past: Vec<&Record> = all.iter().copied().filter(|r| r.at <= at).collect();
        let last = |kinds: &[H]| past.iter().rposition(|r| kinds.contains(&r.event));
        let stands = |on: H, off: H| last(&[on, off]).is_some_and(|n| past[n].event == on);
        let holds = |expires: Option<Timestamp>, at: Timestamp| expires.is_none_or(|expires| expires > at);
        let state = match last(&[H::Given, H::Refused, H::Withdrawn]) {
            Some(n) if past[n].event == H::Given => {
                let (mut state, mut end) = (State::Given, past[n].expires);
                for renewal in past[n..].iter().filter(|r| r.event == H::Renewed) {
                    if holds(end, renewal.at) {
                        (state, end) = (State::Renewed, renewal.expires);
                    }
                }
                let asked_anew = past[n..].iter().any(|r| r.event == H::Requested && !holds(end, r.at));
                match (holds(end, at), asked_anew) {
                    (true, _) => state,
                    (false, true) => State::Requested,
                    (false, false) => State::Expired,
                }
            }
            Some(n) if past[n].event == H::Refused => State::Refused,
            Some(_) => State::Withdrawn,
            None if past.iter().any(|r| r.event == H::Requested) => State::Requested,
            None => State::Unknown,
        };
        let no = last(&[H::Refused, H::Withdrawn]);
        let accepted = last(&[H::TermsAccepted]).filter(|n| no.is_none_or(|no| no < *n)).map(|n| past[n]);
        Self {
            state,
            terms: accepted.is_some_and(|t| holds(t.expires, at)),
            lapsed: accepted.is_some_and(|t| !holds(t.expires, at)),
            later: all.iter().any(|r| r.at > at && r.event.is_ground()),
            restricted: stands(H::Restricted, H::RestrictionLifted),
            objected: stands(H::Objected, H::ObjectionLifted),
        }
    }

    fn rule(events: &[Record], purpose: Purpose, at: Timestamp) -> Option<Rule> {
        let here = Self::of(events, purpose, at);
        let is_published = purpose == Purpose::Publication;
        let elsewhere = Purpose::ALL.iter().filter(|p| **p != purpose).map(|p| Self::of(events, *p, at));
        let is_for_another = elsewhere.into_iter().any(|other| other.state.holds() || other.terms);
        let in_order = [
            (here.restricted, Some(Rule::Restricted)),
            (here.objected, Some(Rule::Objected)),
            (here.state.holds() || (here.terms && !is_published), None),
            (here.state == State::Withdrawn, Some(Rule::Withdrawn)),
            (here.state == State::Refused, Some(Rule::Refused)),
            (here.later, Some(Rule::DatedLater)),
            (here.state == State::Expired, Some(Rule::Expired)),
            (here.terms, Some(Rule::TermsOnly)),
            (here.state == State::Requested, Some(Rule::Unanswered)),
            (here.lapsed && !is_published, Some(Rule::Expired)),
            (is_for_another, Some(Rule::OtherPurpose)),
        ];
        in_order.into_iter().find(|(is_so, _)| *is_so).map_or(Some(Rule::Nothing), |(_, rule)| rule)
    }
}

fn any_event() -> impl Strategy<Value = Record> {
    let happening = proptest::sample::select(Happening::ALL.to_vec());
    let purpose = proptest::sample::select(Purpose::ALL.to_vec());
    (happening, purpose, 0..14_i64, proptest::option::of(1..8_i64), any::<bool>()).prop_map(|(what, purpose, at, lasts, of_all)| {
        let mut record = event("e", what, at);
        record.purpose = (!(of_all && what.may_be_of_all())).then_some(purpose);
        record.expires = lasts.filter(|_| what.is_ground()).map(|hours| hour(at + hours));
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_fold_is_the_model(mut events in proptest::collection::vec(any_event(), 0..9), at in 0..16_i64) {
        for (n, record) in events.iter_mut().enumerate() {
            record.id = token(&format!("e{n}"));
        }
        for purpose in Purpose::ALL {
            let standing = fold(&events, *purpose, hour(at));
            let decision = decide(&events, *purpose, hour(at));
            prop_assert_eq!(standing.state, Model::of(&events, *purpose, hour(at)).state);
            prop_assert_eq!(decision.rule(), Model::rule(&events, *purpose, hour(at)));
            // What is allowed rests on events that are there, for this purpose, and not later.
            if let Decision::Allowed { evidence, .. } = decision {
                prop_assert!(!evidence.is_empty());
                let is_good = |id: &Token| events.iter().any(|r| r.id == *id && r.event.is_ground() && r.at <= hour(at) && r.purpose == Some(*purpose));
                prop_assert!(evidence.iter().all(is_good));
            }
        }
    }
}

/// The draft of a row, from values by column.
fn draft(values: &[(&str, &str)]) -> Result<Draft, Vec<Doubt>> {
    let row: Vec<Option<&str>> =
        COLUMNS.iter().map(|column| values.iter().find(|(known, _)| known == column).map(|(_, value)| *value)).collect();
    Draft::read(&row)
}

const ADA: [(&str, &str); 4] = [("first", "Ada"), ("last", "Lovelace"), ("country", "GB"), ("email", "ada@example.org")];

fn said(who: &[(&str, &str)], more: &[(&str, &str)]) -> Draft {
    let usual = [("event", "given"), ("purpose", "publication"), ("at", "2026-09-01T08:00:00Z")];
    let usual: Vec<(&str, &str)> = usual.into_iter().filter(|(column, _)| more.iter().all(|(other, _)| other != column)).collect();
    draft(&[who, &usual, more].concat()).expect("an event")
}

fn take(store: &mut dyn Store, drafts: impl IntoIterator<Item = Draft>, seed: u64) -> Taken {
    let mut import = Import { drafts: drafts.into_iter().map(|draft| (draft, usize::MAX, 0)).collect(), ..Import::default() };
    let mut ledger = Ledger::open(store).expect("a ledger");
    let taken = ledger.take(&mut import, false, hour(0), &mut SeededEntropy::new(seed)).expect("taken");
    assert!(import.problems.is_empty(), "{}", import.problems);
    taken
}

fn ada() -> Fingerprint {
    Fingerprint::of("Ada Lovelace", "", "GB", "ada@example.org").expect("somebody")
}

/// Every byte of the store's cells and chain.
fn everything(store: &mut dyn Store) -> Vec<u8> {
    let mut out = Vec::new();
    for table in [Table::Objects, Table::References, Table::Keys, Table::Sealed, Table::Subjects, Table::Salts] {
        store
            .cells(table, &[], &mut |key, value| {
                out.extend([key, b"=", value, b"\n"].concat());
                Ok(())
            })
            .expect("cells");
    }
    for (stream, _) in store.heads("").expect("streams") {
        store
            .rows(&stream, 0, &mut |link| {
                out.extend([link.row, b"\n"].concat());
                Ok(())
            })
            .expect("rows");
    }
    out
}

fn has(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn an_erasure_leaves_the_chain_whole_and_nothing_of_the_person() {
    let mut store = MemoryStore::default();
    let grace = [("first", "Grace"), ("last", "Hopper"), ("country", "US"), ("email", "grace@example.org")];
    let message = [("message_id", "<ada.1@example.org>"), ("method", "email")];
    take(&mut store, [said(&ADA, &message), said(&grace, &[])], 1);
    let stream = StreamName::new("consent").expect("a name");
    let before = read(&mut store, &stream, |_, _| Ok(())).expect("a whole chain");
    let bytes = everything(&mut store);
    for clear in ["Ada", "ada", "Lovelace", "lovelace", "grace", "<ada.1@example.org>"] {
        assert!(!has(&bytes, clear.as_bytes()), "{clear} stands in the store in clear");
    }
    let mut ledger = Ledger::open(&mut store).expect("a ledger");
    let subject = ledger.subject_of(&ada()).expect("read").expect("known");
    let event = ledger.events(subject)[0].clone();
    assert_eq!(ledger.message(&event).expect("opened"), Some(Personal::from("<ada.1@example.org>")));
    assert!(ledger.erase(subject).expect("erased"));
    assert!(!ledger.erase(subject).expect("nothing to erase"));
    assert_eq!(ledger.message(&event).expect("gone"), None);
    assert_eq!(ledger.subject_of(&ada()).expect("read"), None);
    assert_eq!(ledger.decide_for(Some(&ada()), Purpose::Publication, hour(0)).expect("decided"), Decision::nothing());
    assert_eq!(read(&mut store, &stream, |_, _| Ok(())).expect("a whole chain"), before);
    for table in [Table::Sealed, Table::Subjects, Table::Salts] {
        store
            .cells(table, &[], &mut |key, value| {
                assert!(!has(key, subject.bytes()) && !has(value, subject.bytes()), "{table:?} has something of the subject");
                Ok(())
            })
            .expect("cells");
    }
    // Whoever comes back is somebody new, and the other one is there still.
    let taken = take(&mut store, [said(&ADA, &[]), said(&grace, &[])], 2);
    assert_eq!((taken.added, taken.known, taken.subjects), (1, 1, 1));
    assert_ne!(Ledger::open(&mut store).expect("a ledger").subject_of(&ada()).expect("read"), Some(subject));
}

#[test]
fn the_same_rows_again_add_nothing_however_they_are_written() {
    let mut store = MemoryStore::default();
    let rows = || [said(&ADA, &[("record_id", "crm/1")]), said(&ADA, &[("event", "withdrawn"), ("at", "2026-09-02")])];
    let taken = take(&mut store, rows(), 1);
    assert_eq!((taken.added, taken.known, taken.subjects), (2, 0, 1));
    let taken = take(&mut store, rows(), 2);
    assert_eq!((taken.added, taken.known, taken.subjects), (0, 2, 0));
    let otherwise = [("first", " ADA"), ("last", "Lovelace "), ("country", "gb"), ("email", "ADA@EXAMPLE.ORG")];
    let again = said(&otherwise, &[("event", "withdrawn"), ("at", "2026-09-02T02:00:00+02:00")]);
    assert_eq!(take(&mut store, [again.clone(), again], 3).known, 2);
    // An export is an import, too.
    let mut ledger = Ledger::open(&mut store).expect("a ledger");
    let subjects: Vec<Subject> = ledger.subjects().collect();
    let rows = ledger.export(&subjects, true).expect("exported");
    let drafts =
        rows.iter().map(|row| Draft::read(&row.each_ref().map(|value| Some(value.as_str()).filter(|v| !v.is_empty()))).expect("an event"));
    assert_eq!(take(&mut store, drafts.collect::<Vec<_>>(), 4).known, 2);
}

#[test]
fn an_event_of_the_same_id_that_tells_something_else_is_refused() {
    let mut store = MemoryStore::default();
    take(&mut store, [said(&ADA, &[("record_id", "1")])], 1);
    let rows = [said(&ADA, &[("record_id", "1"), ("event", "refused")]), said(&ADA, &[("record_id", "2")])];
    for (skip_bad, added) in [(false, 0), (true, 1)] {
        let drafts = rows.iter().map(|draft| (draft.clone(), 0, 7)).collect();
        let mut import = Import { drafts, files: vec!["a.csv".into()], ..Import::default() };
        let mut ledger = Ledger::open(&mut store).expect("a ledger");
        let taken = ledger.take(&mut import, skip_bad, hour(0), &mut SeededEntropy::new(2)).expect("taken");
        assert_eq!((taken.added, import.bad), (added, 1));
        let problem = &import.problems.kept()[0];
        assert_eq!((problem.id.as_str(), problem.place.line, problem.place.file.as_deref()), ("E-consent-021", Some(7), Some("a.csv")));
    }
}

#[test]
fn who_differs_in_one_part_alone_is_near() {
    let mut store = MemoryStore::default();
    let moved = [ADA[0], ADA[1], ADA[2], ("email", "ada@example.net")];
    let married = [ADA[0], ("last", "King"), ADA[2], ADA[3]];
    let other = [("first", "Ada"), ("last", "King"), ("country", "FR"), ("email", "king@example.net")];
    let taken = take(&mut store, [said(&ADA, &[])], 1);
    assert_eq!(taken.near, []);
    let first = taken.touched[0];
    // Known from before, and made by the same import.
    let taken = take(&mut store, [said(&moved, &[]), said(&married, &[]), said(&other, &[])], 2);
    let near: BTreeSet<_> = taken.near.iter().map(|near| (near.other == first, near.differs)).collect();
    assert_eq!(near, BTreeSet::from([(true, Part::Name), (true, Part::Email)]));
    assert_eq!(taken.near.len(), 2);
}

#[test]
fn a_rotated_key_finds_everybody_and_is_destroyed_when_nobody_is_left() {
    let mut store = MemoryStore::default();
    let grace = [("first", "Grace"), ("last", "Hopper"), ("country", "US"), ("email", "grace@example.org")];
    let hopper = Fingerprint::of("Grace Hopper", "", "US", "grace@example.org").expect("somebody");
    take(&mut store, [said(&ADA, &[]), said(&grace, &[])], 1);
    let keys = |store: &mut MemoryStore| {
        let mut keys = Vec::new();
        store
            .cells(Table::Keys, b"fingerprint/", &mut |_, key| {
                keys.push(key.to_vec());
                Ok(())
            })
            .expect("cells");
        keys
    };
    let first = keys(&mut store);
    let mut ledger = Ledger::open(&mut store).expect("a ledger");
    let known = [ada(), hopper.clone()].map(|person| ledger.subject_of(&person).expect("read").expect("known"));
    let mut entropy = SeededEntropy::new(7);
    let moved = ledger.rekey([ada(), ada()], &mut entropy).expect("rotated");
    assert_eq!(moved, Rekeyed { moved: 1, left: 1 });
    assert_eq!([ada(), hopper.clone()].map(|person| ledger.subject_of(&person).expect("read").expect("known")), known);
    assert_eq!(keys(&mut store).len(), 2);
    let mut ledger = Ledger::open(&mut store).expect("a ledger");
    assert_eq!(ledger.rekey([ada(), hopper.clone()], &mut entropy).expect("rotated"), Rekeyed { moved: 2, left: 0 });
    let last = keys(&mut store);
    assert!(last.len() == 1 && last != first);
    let mut ledger = Ledger::open(&mut store).expect("a ledger");
    assert_eq!([ada(), hopper].map(|person| ledger.subject_of(&person).expect("read").expect("known")), known);
    // Near duplicates are found as before.
    let moved = [ADA[0], ADA[1], ADA[2], ("email", "ada@example.net")];
    assert_eq!(take(&mut store, [said(&moved, &[])], 8).near.len(), 1);
}

#[test]
fn whoever_looks_for_many_finds_the_same_ones() {
    let mut store = MemoryStore::default();
    let grace = [("first", "Grace"), ("last", "Hopper"), ("country", "US"), ("email", "grace@example.org")];
    let hopper = Fingerprint::of("Grace Hopper", "", "US", "grace@example.org").expect("somebody");
    take(&mut store, [said(&ADA, &[]), said(&grace, &[])], 1);
    let mut ledger = Ledger::open(&mut store).expect("a ledger");
    // One of them stands under a key of before.
    ledger.rekey([ada()], &mut SeededEntropy::new(7)).expect("rotated");
    let find = |ledger: &mut Ledger<'_>| [ada(), hopper.clone()].map(|person| ledger.subject_of(&person).expect("read"));
    let known = find(&mut ledger);
    assert!(known.iter().all(Option::is_some));
    for n in 0..2 * ONE_BY_ONE {
        let stranger = Fingerprint::of(&format!("Nobody {n}"), "", "GB", "nobody@example.org").expect("somebody");
        assert_eq!(ledger.subject_of(&stranger).expect("read"), None);
    }
    assert_eq!(find(&mut ledger), known);
    assert!(ledger.erase(known[0].expect("somebody")).expect("erased"));
    assert_eq!(find(&mut ledger), [None, known[1]]);
}

#[test]
fn a_map_that_leads_to_somebody_else_is_seen() {
    let mut store = MemoryStore::default();
    let grace = [("first", "Grace"), ("last", "Hopper"), ("country", "US"), ("email", "grace@example.org")];
    take(&mut store, [said(&ADA, &[]), said(&grace, &[])], 1);
    let mut cells: Vec<[Box<[u8]>; 2]> = Vec::new();
    store
        .cells(Table::Subjects, &[0, 0, 0, 1, 0], &mut |key, value| {
            cells.push([key.into(), value.into()]);
            Ok(())
        })
        .expect("cells");
    let [[one, _], [_, other]] = cells.as_slice() else { panic!("two people") };
    let swapped = crate::store::Cell::Put(Table::Subjects, one.clone(), other.clone());
    store.commit(&crate::store::Batch { appends: Vec::new(), cells: vec![swapped] }).expect("kept");
    let mut ledger = Ledger::open(&mut store).expect("a ledger");
    let found = [ada(), Fingerprint::of("Grace Hopper", "", "US", "grace@example.org").expect("somebody")].map(|p| ledger.subject_of(&p));
    let problems: Vec<String> = found.into_iter().filter_map(|found| Some(found.err()?.id)).collect();
    assert_eq!(problems, ["E-consent-001"]);
}

#[test]
fn every_doubt_is_told_by_field() {
    let doubts = |values: &[(&str, &str)]| -> Vec<(&str, &str)> {
        draft(values).expect_err("no event").into_iter().map(|doubt| (doubt.id, doubt.field)).collect()
    };
    let with = |more: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str)> {
        let usual = [("event", "given"), ("purpose", "publication"), ("at", "2026-09-01")];
        let usual = usual.into_iter().filter(|(column, _)| more.iter().all(|(other, _)| other != column));
        ADA.into_iter().chain(usual).chain(more.iter().copied()).collect()
    };
    assert!(draft(&with(&[])).is_ok());
    assert_eq!(doubts(&[]), [("E-consent-015", "subject"), ("E-consent-014", "event"), ("E-consent-014", "at")]);
    assert_eq!(doubts(&with(&[("purpose", "")])), [("E-consent-014", "purpose")]);
    assert!(draft(&with(&[("purpose", ""), ("event", "restricted")])).is_ok());
    for (column, value, id) in [
        ("event", "silence", "E-consent-011"),
        ("purpose", "marketing", "E-consent-011"),
        ("elements", "name;shoe size", "E-consent-011"),
        ("method", "telepathy", "E-consent-011"),
        ("terms", "ada@example.org", "E-consent-012"),
        ("record_id", "Ada Lovelace", "E-consent-012"),
        ("at", "31/12/26", "E-consent-013"),
        ("at", "2026-12-31T12:00:00", "E-consent-013"),
        ("at", "2026-02-30", "E-consent-013"),
        ("at", "0001-01-01", "E-consent-013"),
        ("expires", "2026-08-31", "E-consent-016"),
        ("notice_version", "2", "E-consent-016"),
        ("by", "registrar", "E-consent-017"),
        ("message_id", "a\u{7}b", "E-consent-010"),
    ] {
        let found = doubts(&with(&[(column, value)]));
        assert_eq!(found.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id], "{column}");
    }
    assert_eq!(doubts(&with(&[("event", "terms-accepted")])), [("E-consent-016", "terms")]);
    assert_eq!(doubts(&with(&[("event", "withdrawn"), ("expires", "2027-01-01")])), [("E-consent-016", "expires")]);
    assert_eq!(doubts(&with(&[("registry", "nz")])), [("E-consent-015", "subject")]);
    assert_eq!(
        doubts(&[("registry", "nz"), ("event", "given"), ("purpose", "publication"), ("at", "2026-09-01")]),
        [("E-consent-015", "handle")]
    );
    // No value is ever told.
    let told = format!("{:?}", draft(&with(&[("terms", "ada@example.org"), ("email", "")])).expect_err("no event"));
    assert!(!told.contains("ada@"), "{told}");
}

#[test]
fn a_row_is_read_back_and_nothing_else_is_taken_for_one() {
    let full = Record {
        elements: vec![Element::Name, Element::PostalCode],
        terms: Some(token("t-1")),
        notice: Some(Notice { id: token("n"), version: Some(token("3")), language: Some(token("de-AT")), digest: None }),
        method: Some(Method::Page),
        by: Some(Actor::Registrant),
        ..until(event("e-1", Happening::Given, 0), 2)
    };
    let golden = concat!(
        r#"{"v":1,"id":"e-1","subject":"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a","purpose":"privacy-proxy","elements":["name","postal-code"],"#,
        r#""event":"given","at":"2026-09-21T14:13:20Z","expires":"2026-09-21T16:13:20Z","terms":"t-1","#,
        r#""notice":{"id":"n","version":"3","language":"de-AT"},"method":"page","by":"registrant","recorded":"2026-09-21T14:13:20Z"}"#
    );
    assert_eq!(String::from_utf8(full.to_row().into()).expect("text"), golden);
    assert_eq!(Record::from_row(golden.as_bytes()), Ok(full));
    for other in [golden.replace("\"v\":1", "\"v\":2"), golden.replace("\"v\":1", "\"v\":1,\"name\":\"Ada\""), golden.replace("e-1", "a@b")]
    {
        assert!(Record::from_row(other.as_bytes()).is_err(), "{other}");
    }
}
