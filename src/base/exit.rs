//! Exit codes, and which of several a process ends with.

/// What a process ends with. The numbers are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Done, with nothing at or over `--fail-on`.
    Done = 0,
    /// A bug of ours.
    Internal = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Differences were found and `--fail-on changes` was given.
    ChangesPending = 10,
    /// Findings at or over `--fail-on`.
    Findings = 11,
    /// A gate refused: a threshold, consent, a protected kind.
    GateRefused = 20,
    /// A plan is stale, used, or its digest differs; a proof does not hold.
    PlanStale = 21,
    /// Another run holds the lock.
    Locked = 30,
    /// A registry could not be reached.
    Unreachable = 31,
    /// Input is incomplete; the output says what is missing.
    InputIncomplete = 32,
    /// Local storage or the journal failed.
    Storage = 33,
    /// A registry refused the login or the certificate.
    Refused = 34,
    /// Stopped by the operator; the same command goes on.
    Stopped = 40,
    /// Some changes failed or did not start.
    SomeFailed = 50,
    /// Outcomes are unknown; `privet reconcile` settles them.
    Unknown = 51,
    /// Applied, but a report could not be written.
    ReportFailed = 60,
}

impl Exit {
    /// Worst first: where several hold, the first of these is the process's exit code.
    pub const PRECEDENCE: [Self; 16] = [
        Self::Internal,
        Self::Storage,
        Self::Unknown,
        Self::SomeFailed,
        Self::Refused,
        Self::Unreachable,
        Self::InputIncomplete,
        Self::GateRefused,
        Self::PlanStale,
        Self::Stopped,
        Self::ReportFailed,
        Self::Findings,
        Self::ChangesPending,
        Self::Usage,
        Self::Locked,
        Self::Done,
    ];

    /// The number the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The one of `several` that the process ends with; [`Exit::Done`] of none.
    #[must_use]
    pub fn worst(several: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| Self::PRECEDENCE.iter().position(|p| p == exit);
        several.into_iter().min_by_key(rank).unwrap_or(Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_worst_wins_by_the_published_order() {
        assert_eq!(Exit::worst([Exit::Done, Exit::ChangesPending, Exit::InputIncomplete, Exit::Unreachable]), Exit::Unreachable);
        assert_eq!(Exit::worst([Exit::Stopped, Exit::Storage]), Exit::Storage);
        assert_eq!(Exit::worst([]), Exit::Done);
    }
}
