//! Ways to protected registrants, as the register of relayed messages knows them: which were tried, and whether they worked.

use super::windows::place;
use crate::base::{Result, Timestamp};
use crate::compliance::register::{Book, Case, Limits, register};
use crate::store::Store;
use std::collections::HashMap;

/// Whether one of the ways to a domain's registrant worked when it was tried last, at `at`, by registry and domain. What was tried of none
/// is not there.
///
/// # Errors
/// As [`Book::open`] and [`Book::text`].
pub(super) fn tried(store: &mut dyn Store, at: Timestamp) -> Result<HashMap<(String, String), bool>> {
    let Some(register) = register("relay") else { return Ok(HashMap::new()) };
    let mut book = Book::open(store, register)?;
    // Whether a way worked does not rest on the calendar.
    let ways: Vec<Case> = book.cases(at, &Limits::default()).filter(|case| case.state == Some("path")).collect();
    let mut tried = HashMap::new();
    for case in ways {
        if let Some(place) = place(&mut book, &case)? {
            *tried.entry(place).or_default() |= case.values.get("result").is_some_and(|result| result == "delivered");
        }
    }
    Ok(tried)
}
