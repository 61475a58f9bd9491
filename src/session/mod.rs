//! Sessions with a registry, without a line: dialects, exchanges, the window, budgets and the pool. Everything here is a state machine
//! fed with bytes and time; `transport` has the lines.

mod budget;
mod dialect;
mod epp;
mod exchange;
mod machine;
mod pool;
mod ration;
mod report;
mod result;
mod rri;
mod trouble;
mod typed;
mod window;
mod work;

pub use budget::{Allowance, DEFAULT_SHARE, TimedRate};
pub use dialect::{Agreed, Dialect, Drift, Identity, Matching, Said};
pub use epp::{Account, EppDialect};
pub use exchange::{Barred, CloseReason, Ended, Job, Loss, Now, Outcome, RawFrame};
pub use machine::Session;
pub use pool::{Pool, PoolEffect, Setup};
pub use ration::{DEFAULT_RESERVE, Quota, QuotaNews, QuotaUse, Ration, Spent};
pub use report::{GreetingFacts, PoolReport, SessionReport, Times};
pub use result::{At, Breaker, Effect, Kind, Scope, Verdict, classify, judge};
pub use rri::RriDialect;
pub use typed::{ReadPool, WritePool};
pub use work::{Next, Work};

#[cfg(test)]
mod tests;
