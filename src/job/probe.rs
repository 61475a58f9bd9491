//! A login that is proved by one harmless question.

use crate::base::{DomainName, Result};
use crate::model::Query;
use crate::session::{Next, Outcome, Work};

/// The name that is asked for. `.invalid` (RFC 2606 §2) belongs to nobody.
const NAME: &str = "privet.invalid";

/// One harmless question: its answer proves the login, which a greeting does not.
#[derive(Default)]
pub(super) struct Probe {
    is_asked: bool,
    is_answered: bool,
}

impl Probe {
    /// Whether an answer came.
    pub(super) const fn is_answered(&self) -> bool {
        self.is_answered
    }
}

impl Work for Probe {
    fn next(&mut self) -> Next {
        if std::mem::replace(&mut self.is_asked, true) {
            return Next::Finished;
        }
        Next::Query(0, Query::DomainCheck(vec![DomainName::new(NAME)]))
    }

    fn outcome(&mut self, _ticket: u64, outcome: Outcome) -> Result<()> {
        self.is_answered = matches!(outcome, Outcome::Answer { .. });
        Ok(())
    }
}
