//! What the process takes from itself before it reads its first secret.

use crate::base::{Blame, Problem, Result};
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask};

/// Makes new files private, and keeps memory out of core dumps and out of other processes' sight.
///
/// # Errors
/// `E-cli-003` where the system refuses: secrets could then reach a disk.
pub(super) fn harden() -> Result<()> {
    umask(Mode::RWXG | Mode::RWXO);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
        .map_err(|e| {
            let what = format!("core dumps cannot be switched off: {e}");
            Problem::new("E-cli-003", Blame::Operator, what, "a sandbox that filters prctl or setrlimit is in the way")
        })
}
