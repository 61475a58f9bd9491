//! The run in one sentence, and what to do next.

use super::facts::RunFacts;
use crate::base::Exit;
use crate::diff::Severity;

/// What the run came to, in one sentence.
pub(super) fn sentence(facts: &RunFacts) -> String {
    let all = facts.registries.len() as u64;
    let whole = facts.registries.iter().filter(|r| r.whole).count() as u64;
    let read = match (all, whole) {
        (0, _) => "No registry was read".to_owned(),
        (_, w) if w == all => format!("{} read whole", count(all, "registry", "registries")),
        _ => format!("{} of {} read whole", grouped(whole), count(all, "registry", "registries")),
    };
    let material = count(facts.differences_of(None, Severity::Material), "material difference", "material differences");
    let unreadable = count(facts.unreadable(), "object", "objects");
    format!("{read}, {material}, {unreadable} unreadable.")
}

/// The exit code in words.
pub(super) const fn meaning(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "done",
        Exit::Internal => "internal error",
        Exit::Usage => "usage or configuration",
        Exit::ChangesPending => "differences found",
        Exit::Findings => "findings at or over the limit",
        Exit::GateRefused => "a gate refused",
        Exit::PlanStale => "plan stale",
        Exit::Locked => "another run holds the lock",
        Exit::Unreachable => "a registry could not be reached",
        Exit::InputIncomplete => "input incomplete",
        Exit::Storage => "local storage failed",
        Exit::Refused => "login or certificate refused",
        Exit::Stopped => "stopped by the operator",
        Exit::SomeFailed => "some objects failed",
        Exit::Unknown => "outcomes unknown",
        Exit::ReportFailed => "a report could not be written",
    }
}

/// What to do after a run that ended with `exit`.
pub(super) const fn next(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "Nothing failed. Look through the material differences, if there are any, and correct the side that is wrong.",
        Exit::Internal => "This is a bug in Privet. Keep this folder and report it; the state on disk is safe to run again from.",
        Exit::Usage => "Correct the setting named under problems and warnings, then run `privet check`.",
        Exit::ChangesPending => {
            "The registries and the local records differ. Look through the material differences and correct the side that is wrong."
        }
        Exit::Findings => "Look through the findings at or over the limit that was set.",
        Exit::GateRefused => {
            "A threshold stopped the run. Look at the gates in the report: either the input is damaged, or the threshold no longer fits."
        }
        Exit::PlanStale => "Make a new plan from the present state.",
        Exit::Locked => "Wait for the other run to end; the lock frees itself with its process.",
        Exit::Unreachable => {
            "Figures of a registry that could not be reached are incomplete. Check the line with `privet check`, then run again: it resumes."
        }
        Exit::InputIncomplete => "Complete or correct the input named under problems and warnings, then run again.",
        Exit::Storage => "Check free space, owner and mode of the state directory, then run again: nothing half-written is in place.",
        Exit::Refused => {
            "A registry refused the login or the certificate. Do not try again blindly, accounts get locked: check the credentials first."
        }
        Exit::Stopped => "Run the same command again: it resumes without asking again for what it has.",
        Exit::SomeFailed => "The report names them under problems and warnings. Mend the cause, then run again.",
        Exit::Unknown => "Run `privet reconcile`: it settles unknown outcomes by reading.",
        Exit::ReportFailed => "The job itself is done. Mend the cause named under problems and warnings, then run `privet report run`.",
    }
}

/// `n` with its noun.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// `n` with its thousands apart.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count of people: one from 1 to below `small` is told as such.
#[must_use]
pub fn masked(n: u64, small: u64) -> String {
    if n > 0 && n < small { format!("<{small}") } else { n.to_string() }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 123_456, 1_234_567].map(grouped), ["0", "999", "1,000", "123,456", "1,234,567"]);
    }
}
