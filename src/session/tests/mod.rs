//! Sessions and pools in virtual time, over two languages: EPP, and a small one that knows neither greetings nor identifiers.
//! Tests that begin with `row_NN` are rows of the fault matrix.

mod pool;
mod result;
mod session;
mod tongue;
mod turns;

use super::{Allowance, Now};
use crate::base::{Handle, Moment, Timestamp};
use crate::model::Query;
use std::time::Duration;

/// The virtual clock's reading `millis` after the origin.
fn at(millis: u64) -> Now {
    let since = Duration::from_millis(millis);
    let wall = Timestamp::from_second(1_800_000_000).expect("a date") + jiff::SignedDuration::try_from(since).expect("short");
    Now { at: Moment::from_origin(since), wall }
}

/// What contact `id` looks like.
fn info(id: &str) -> Query {
    Query::ContactInfo { id: Handle::new(id), auth: None }
}

/// Generous limits.
fn allowance() -> Allowance {
    Allowance {
        sessions: 4,
        idle: Duration::from_mins(5),
        age: None,
        commands_per_session: None,
        rate: None,
        rate_windows: Vec::new(),
        names_per_check: 10,
        read_window: 8,
        reply: Duration::from_secs(30),
        back_off: Duration::from_mins(1),
    }
}
