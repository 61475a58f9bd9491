//! Privet as its pull uses it: the pool, the driver, and work that asks for contacts and takes them typed.

use super::meter::Meter;
use super::target::Target;
use crate::measure::Outcome as Measured;
use privet::base::{Handle, Result, Secret, StopToken};
use privet::model::{AuthInfo, Query, ResData};
use privet::session::{Next, Outcome, ReadPool, Work};
use privet::transport::run as drive;

/// The questions, and the stopwatch for their answers.
struct Asking<'t> {
    target: &'t Target,
    next: usize,
    ticket: u64,
    meter: Meter,
    /// What went wrong, if anything did.
    wrong: Option<String>,
}

impl Work for Asking<'_> {
    fn next(&mut self) -> Next {
        if self.meter.is_done() || self.wrong.is_some() {
            return Next::Finished;
        }
        let Some((id, password)) = self.target.contacts.get(self.next) else { return Next::Finished };
        self.next = (self.next + 1) % self.target.contacts.len();
        self.ticket += 1;
        let auth = AuthInfo::Password { pw: Secret::new(password.as_str()), roid: None };
        Next::Query(self.ticket, Query::ContactInfo { id: Handle::new(id.as_str()), auth: Some(auth) })
    }

    fn outcome(&mut self, _ticket: u64, outcome: Outcome) -> Result<()> {
        match outcome {
            // That it is the contact asked for was checked by the session.
            Outcome::Answer { response, facts, .. } if matches!(response.data.as_slice(), [ResData::Contact(_)]) => {
                self.meter.answer(u64::from(facts.bytes_in));
            }
            other => self.wrong = Some(format!("{other:?}")),
        }
        Ok(())
    }
}

/// Asks for contact after contact over `sessions` with `window` in flight on each, until enough is measured.
pub async fn run(target: &Target, sessions: u16, window: u16, meter: Meter) -> Measured<Meter> {
    let (setup, endpoint, clock) = target.setup(sessions, window)?;
    let mut asking = Asking { target, next: 0, ticket: 0, meter, wrong: None };
    let report = drive(ReadPool::new(setup), endpoint, clock, &mut asking, StopToken::default()).await?;
    match (asking.wrong, report.stopped) {
        (None, None) => Ok(asking.meter),
        (Some(wrong), _) => Err(wrong.into()),
        (None, Some(problem)) => Err(problem.to_string().into()),
    }
}
