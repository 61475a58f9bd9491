//! What the registers tell whoever looks over them.

use crate::base::{Result, Timestamp};
use crate::compliance::Subject;
use crate::compliance::oversight::Verification;
use crate::compliance::register::{Book, Case, register, registers};
use crate::job::register::limits;
use crate::store::Store;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};

/// What the registers tell.
#[derive(Default)]
pub(in crate::job) struct Cases {
    pub(super) verified: HashMap<Subject, Verification>,
    /// Whether the newest notice that somebody was shown is in force.
    pub(super) notices: HashMap<Subject, bool>,
    /// Cases of withholding by process and state.
    pub(super) withholding: BTreeMap<(String, String), u64>,
    /// Holds that stand, and withholdings that were refused.
    pub(super) refusals: u64,
    /// Cases of people who need protection.
    pub(super) protected: u64,
    /// What is amiss in all registers, by rule.
    pub(super) amiss: BTreeMap<String, u64>,
}

impl Cases {
    /// What they tell at `at`, by the public holidays that are known.
    ///
    /// # Errors
    /// As [`Book::open`].
    pub(in crate::job) fn read(store: &mut dyn Store, at: Timestamp) -> Result<Self> {
        let limits = limits(None)?;
        let mut out = Self::default();
        for one in registers() {
            for case in Book::open(store, one)?.cases(at, &limits) {
                for amiss in &case.amiss {
                    *out.amiss.entry(amiss.id.to_owned()).or_default() += 1;
                }
            }
        }
        let mut each = |name: &str, take: &mut dyn FnMut(&Case)| -> Result<()> {
            let Some(register) = register(name) else { return Ok(()) };
            Book::open(store, register)?.cases(at, &limits).for_each(|case| take(&case));
            Ok(())
        };
        each("verification", &mut |case| {
            let Some(subject) = case.subject else { return };
            let day = case.last.as_ref().map(|last| last.at.to_zoned(TimeZone::UTC).date());
            let said = match (case.state, day) {
                (Some("quarantined"), _) if case.last.as_ref().is_some_and(|last| last.event == "bounced") => Verification::Bounced,
                (Some("quarantined"), _) => Verification::Failed,
                (Some("verified"), Some(day)) => Verification::Done(day),
                (Some("required" | "pending"), _) => Verification::Open,
                _ => Verification::Never,
            };
            let known = out.verified.entry(subject).or_default();
            *known = worse(*known, said);
        })?;
        each("withholding", &mut |case| {
            let process = case.values.get("process").cloned().unwrap_or_default();
            *out.withholding.entry((process, case.state.unwrap_or("unopened").to_owned())).or_default() += 1;
            out.protected += u64::from(case.open && case.apart > 0);
            out.refusals += u64::from(matches!(case.state, Some("refused" | "declined" | "declined-finally")));
        })?;
        each("notice", &mut |case| {
            if let Some(subject) = case.subject {
                *out.notices.entry(subject).or_default() |= case.open;
            }
        })?;
        each("hold", &mut |case| out.refusals += u64::from(case.open))?;
        Ok(out)
    }
}

/// Of two verifications of one person what counts: a failure most, then mail that came back, then the later success.
fn worse(one: Verification, other: Verification) -> Verification {
    use Verification::{Bounced, Done, Failed, Never, Open};
    match (one, other) {
        (Failed, _) | (_, Failed) => Failed,
        (Bounced, _) | (_, Bounced) => Bounced,
        (Done(one), Done(other)) => Done(one.max(other)),
        (Done(day), _) | (_, Done(day)) => Done(day),
        (Open, _) | (_, Open) => Open,
        (Never, Never) => Never,
    }
}
