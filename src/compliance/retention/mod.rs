//! How long data are kept, and when they must be gone.
//!
//! A [`RulePack`] is dated data: rules, each with a start event, a period by the calendar, a citation and examples which are counted
//! again whenever the pack is read. [`resolve`] puts the rules that bear on one [`Item`] together: it is kept until the longest
//! minimum has passed (`keep_until`), and gone by the earliest maximum with its grace (`must_go_by`); where nothing needs it any longer,
//! the end of what had to be kept is a maximum too (GDPR Art. 5(1)(e)). The shape of rules is ISO/IEC 27555's: cluster, start, period.

mod resolve;
mod rule;
mod subject;
#[cfg(test)]
mod tests;

pub use resolve::{Bound, Conflict, Item, Resolution, Situation, State, resolve};
pub use rule::{Kind, LegalBasis, Rule, RulePack, Tier};
pub use subject::{Kept, Life, elements, items};
