//! What registers keep apart, such as protection orders: how long it is needed, and erasing what is not (GDPR Art. 5(1)(c) and (e)).

use super::retention::{EVIDENCE, Own};
use crate::base::{Result, Timestamp};
use crate::compliance::Token;
use crate::compliance::register::{Book, Case, Holds, Limits, Register, registers};
use crate::compliance::retention::{RulePack, resolve};
use crate::store::Store;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Something kept apart that is still there.
pub(super) struct Apart {
    register: &'static Register,
    case: Token,
    /// As an item: of the day since when nothing needs it, where nothing does.
    pub(super) own: Own,
}

/// Everything kept apart that is still there, by register and case.
///
/// # Errors
/// As [`Book::open`].
pub(super) fn kept_apart(store: &mut dyn Store, at: Timestamp) -> Result<Vec<Apart>> {
    let holds = Holds::read(store, at)?;
    let mut all = Vec::new();
    for register in registers().iter().filter(|register| register.columns.iter().any(|column| column.apart)) {
        let mut book = Book::open(store, register)?;
        let cases: Vec<Case> = book.cases(at, &Limits::default()).filter(|case| case.apart > 0).collect();
        for case in cases {
            if book.keeps_apart(&case.case)? {
                let day = case.settled.map(|settled| settled.to_zoned(TimeZone::UTC).date());
                let hold = holds.over_any(case.subject).map(str::to_owned);
                let own = Own::kept(case.case.to_string(), "registers", day, EVIDENCE);
                all.push(Apart { register, case: case.case, own: Own { hold, ..own } });
            }
        }
    }
    Ok(all)
}

/// Erases what is kept apart where it must be gone by `today`, and nothing holds it. The events stay, and tell that there was something.
///
/// # Errors
/// As [`Book::open`].
pub(super) fn expire(store: &mut dyn Store, pack: &RulePack, at: Timestamp, today: Date) -> Result<()> {
    let contracts = BTreeSet::new();
    for Apart { register, case, own } in kept_apart(store, at)? {
        let must_go_by = resolve(pack, &own.item(&contracts), today).must_go_by;
        if own.hold.is_none() && must_go_by.is_some_and(|by| by <= today) {
            Book::open(store, register)?.erase(&case, true)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SeededEntropy;
    use crate::compliance::Import;
    use crate::compliance::register::{Draft, register};
    use crate::store::MemoryStore;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// Takes events, each with values by column; their texts are sealed.
    fn take(store: &mut dyn Store, name: &str, events: &[&[(&str, &str)]]) {
        let register = register(name).expect("a register");
        let header = register.header();
        let draft = |values: &&[(&str, &str)]| {
            let row: Vec<Option<&str>> =
                header.iter().map(|column| values.iter().find(|(known, _)| known == column).map(|(_, value)| *value)).collect();
            (Draft::read(register, &header, &row).expect("an event"), usize::MAX, 0)
        };
        let mut import = Import { drafts: events.iter().map(draft).collect(), ..Import::default() };
        let mut book = Book::open(store, register).expect("a register");
        let recorded = book.take(&mut import, false, at("2026-11-01T00:00:00Z"), &mut SeededEntropy::new(1)).expect("taken");
        assert_eq!(recorded.added, events.len() as u64);
    }

    /// What is still there: the case, since when nothing needs it, and what holds it.
    fn there(store: &mut dyn Store, on: &str) -> Vec<String> {
        let all = kept_apart(store, at(on)).expect("read");
        all.iter().map(|one| format!("{} {:?} {:?}", one.own.name, one.own.day.map(|day| day.to_string()), one.own.hold)).collect()
    }

    #[test]
    fn evidence_goes_a_week_after_its_case_is_decided_unless_it_is_held() {
        let mut store = MemoryStore::default();
        let who = [("first", "Ada"), ("last", "Lovelace"), ("country", "NZ"), ("email", "ada@example.org")];
        let asked = |case: &'static str| {
            let row = [("case", case), ("event", "requested"), ("at", "2026-10-01"), ("process", "irpo"), ("order_text", "Order No. 17")];
            [&who[..], &row].concat()
        };
        let (open, decided) = (asked("w-open"), asked("w-decided"));
        let withheld = [("case", "w-decided"), ("event", "withheld"), ("at", "2026-10-05")];
        take(&mut store, "withholding", &[&open, &decided, &withheld]);
        let gone = |store: &mut MemoryStore, on: &str| {
            let pack = RulePack::embedded().expect("the pack");
            expire(store, &pack, at(on), at(on).to_zoned(TimeZone::UTC).date()).expect("expired");
            there(store, on)
        };
        let (kept, known) = ("w-open None None", "w-decided Some(\"2026-10-05\") None");
        assert_eq!(gone(&mut store, "2026-10-11T23:59:59Z"), [known, kept], "on the seventh day it is due, and gone by its end");
        // Until the hold is released nothing goes, whatever the pack says.
        let hold = [&who[..], &[("case", "h-1"), ("event", "placed"), ("at", "2026-10-11"), ("reason", "litigation"), ("owner", "dpo-1")]]
            .concat();
        take(&mut store, "hold", &[&hold]);
        assert_eq!(gone(&mut store, "2026-10-12T00:00:00Z").join(" ").matches("h-1").count(), 2);
        take(&mut store, "hold", &[&[("case", "h-1"), ("event", "lifted"), ("at", "2026-10-13")]]);
        assert_eq!(gone(&mut store, "2026-10-13T00:00:00Z"), [kept]);
        // What is shown again for a case that is decided is needed by nothing, and goes as well.
        let again = [("case", "w-decided"), ("event", "relayed"), ("at", "2026-10-20"), ("order_text", "Order No. 18")];
        take(&mut store, "withholding", &[&again]);
        assert_eq!(gone(&mut store, "2026-10-20T00:00:00Z"), ["w-decided Some(\"2026-10-20\") None", kept]);
        assert_eq!(gone(&mut store, "2026-10-27T00:00:00Z"), [kept]);
        let register = register("withholding").expect("a register");
        let book = Book::open(&mut store, register).expect("a register");
        let counts: Vec<u64> = book.cases(at("2026-10-27T00:00:00Z"), &Limits::default()).map(|case| case.apart).collect();
        assert_eq!(counts, [2, 1], "that there was something stays known");
    }
}
