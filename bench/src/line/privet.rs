//! Privet as its pull uses it: the pool, the driver, and work that asks for contacts and takes them typed.

use super::meter::Meter;
use super::target::Target;
use crate::measure::Outcome as Measured;
use privet::base::{Clock, Handle, RegistryId, Result, Secret, StopToken, SystemClock};
use privet::model::{AuthInfo, Query, ResData};
use privet::policy;
use privet::protocol::frame::{DEFAULT_CAP, LengthPrefix};
use privet::session::{Account, Allowance, EppDialect, Next, Outcome, ReadPool, Setup, Work};
use privet::transport::{Endpoint, TlsFiles, TlsSetup, run as drive};
use std::sync::Arc;

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
    let mut profile = (*policy::profile("gtld-thick")?).clone();
    profile.limits.sessions.value = sessions;
    profile.limits.read_window.value = window;
    let allowance = Allowance::of(&profile.limits, 100);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let files = TlsFiles { ca: target.ca.clone(), own: Some((target.cert.clone(), target.key.clone())), pin: None };
    let tls = TlsSetup::load(&files, clock.wall())?;
    let endpoint = Endpoint::new(&target.address.ip().to_string(), target.address.port(), Some(&target.server_name), tls)?;
    let account = Account { client: target.user.as_str().into(), password: Secret::new(target.password.as_str()), new_password: None };
    let setup = Setup {
        registry: RegistryId::new("bench"),
        prefix: "bench".into(),
        dialect: Arc::new(EppDialect::new(account, Arc::new(profile))),
        framer: || Box::new(LengthPrefix::epp(DEFAULT_CAP)),
        allowance,
        seed: 1,
        first_session: 1,
    };
    let mut asking = Asking { target, next: 0, ticket: 0, meter, wrong: None };
    let report = drive(ReadPool::new(setup), endpoint, clock, &mut asking, StopToken::default()).await?;
    match (asking.wrong, report.stopped) {
        (None, None) => Ok(asking.meter),
        (Some(wrong), _) => Err(wrong.into()),
        (None, Some(problem)) => Err(problem.to_string().into()),
    }
}
