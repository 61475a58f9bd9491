//! What `privet simulate` predicts, beside what the same pools then take over TLS: a registry in a process of its own, the pool and its
//! driver as a pull has them in this one. Each case is held back by something else.

use crate::line::{Target, start};
use crate::measure::{Outcome, Server, median};
use crate::report::{Goal, Section, figure};
use privet::base::{Handle, Result, StopToken, Timestamp};
use privet::forecast::{Forecast, Plain, Registry, Task, Terms, Timing, forecast};
use privet::model::{Query, ResData};
use privet::policy::{self, Profile};
use privet::session::{Next, Outcome as Ended, ReadPool, Setup, Work};
use privet::transport::run as drive;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// By how much a prediction may be beside what was measured.
const MOST_BESIDE: f64 = 0.10;
/// Objects that the bench's registry has.
const HELD: usize = 10_000;

/// One case.
#[derive(Clone, Copy)]
struct Case {
    /// What holds it back.
    what: &'static str,
    latency_ms: u64,
    service_ms: u64,
    sessions: u16,
    window: u16,
    /// Commands in so many seconds.
    rate: Option<(u32, u64)>,
    commands_per_session: Option<u32>,
    contacts: u64,
}

const FREE: Case =
    Case { what: "", latency_ms: 40, service_ms: 0, sessions: 4, window: 1, rate: None, commands_per_session: None, contacts: 1_000 };

/// The cases that run alone, and two that run side by side.
const ALONE: [Case; 5] = [
    Case { what: "latency: 4 sessions, one in flight", ..FREE },
    Case { what: "window: one session, 32 in flight", sessions: 1, window: 32, contacts: 8_000, ..FREE },
    Case { what: "rate: 200 in 2 s", window: 32, rate: Some((200, 2)), contacts: 1_000, ..FREE },
    Case { what: "registry: 5 ms for each command", service_ms: 5, sessions: 2, window: 32, contacts: 4_000, ..FREE },
    Case { what: "logins: 20 commands a session", latency_ms: 20, sessions: 2, commands_per_session: Some(20), contacts: 600, ..FREE },
];
const TOGETHER: [Case; 2] = [
    Case { what: "two registries: latency", sessions: 2, window: 4, contacts: 2_000, ..FREE },
    Case { what: "two registries: rate", window: 8, rate: Some((60, 1)), contacts: 600, ..FREE },
];

/// The questions of one case.
struct Asking {
    target: Target,
    left: u64,
    outstanding: u64,
    ticket: u64,
    wrong: Option<String>,
}

impl Work for Asking {
    fn next(&mut self) -> Next {
        if self.left == 0 || self.wrong.is_some() {
            return if self.outstanding == 0 { Next::Finished } else { Next::Later };
        }
        let at = usize::try_from(self.ticket).unwrap_or(0) % self.target.contacts.len().clamp(1, HELD);
        let Some((id, _)) = self.target.contacts.get(at) else { return Next::Finished };
        self.left -= 1;
        self.outstanding += 1;
        self.ticket += 1;
        Next::Query(self.ticket, Query::ContactInfo { id: Handle::new(id.as_str()), auth: None })
    }

    fn outcome(&mut self, _ticket: u64, outcome: Ended) -> Result<()> {
        self.outstanding -= 1;
        match outcome {
            Ended::Answer { response, .. } if matches!(response.data.as_slice(), [ResData::Contact(_)]) => {}
            other => self.wrong = Some(format!("{other:?}")),
        }
        Ok(())
    }
}

impl Case {
    fn server(&self, dir: &Path, number: usize) -> Outcome<(Server, Target)> {
        let server = start(&dir.join(format!("registry-{number}")), self.latency_ms, self.service_ms)?;
        let said = dir.join(format!("said-{number}"));
        std::fs::write(&said, server.said.to_string())?;
        Ok((server, Target::read(&said)?))
    }

    /// The pool's setup, the same for both sides.
    fn allow(&self, setup: &mut Setup) {
        setup.allowance.rate = self.rate.map(|(commands, seconds)| (commands, Duration::from_secs(seconds)));
        setup.allowance.commands_per_session = self.commands_per_session;
    }

    /// Seconds that it takes, from the first connection until the last one is closed.
    async fn measured(self, target: Target) -> Outcome<f64> {
        let (mut setup, endpoint, clock) = target.setup(self.sessions, self.window)?;
        self.allow(&mut setup);
        let mut asking = Asking { target, left: self.contacts, outstanding: 0, ticket: 0, wrong: None };
        let begun = Instant::now();
        let report = drive(ReadPool::new(setup), endpoint, clock, &mut asking, StopToken::default()).await?;
        match (asking.wrong, report.stopped) {
            (None, None) => Ok(begun.elapsed().as_secs_f64()),
            (Some(wrong), _) => Err(wrong.into()),
            (None, Some(problem)) => Err(problem.to_string().into()),
        }
    }

    /// What is predicted of it.
    fn predicted(&self, target: &Target) -> Outcome<Forecast> {
        let profile: Arc<Profile> = policy::profile("gtld-thick")?;
        let plain = Plain::of(&profile);
        // Over the loopback a connection stands at once.
        let timing = Timing {
            connect: Duration::ZERO,
            round_trip: Duration::from_millis(self.latency_ms),
            service: Duration::from_millis(self.service_ms),
        };
        let made: Outcome<Setup> = target.setup(self.sessions, self.window).map(|(setup, ..)| setup);
        let mut base = made?;
        self.allow(&mut base);
        let setup = || Setup {
            registry: base.registry.clone(),
            prefix: base.prefix.clone(),
            dialect: Arc::clone(&base.dialect),
            framer: base.framer,
            allowance: base.allowance.clone(),
            seed: base.seed,
            first_session: base.first_session,
        };
        let terms = Terms {
            setup: &setup,
            registry: &|| Box::new(plain.clone()) as Box<dyn Registry>,
            timing,
            limits: &profile.limits,
            quota: None,
            from: Timestamp::UNIX_EPOCH,
            window: Duration::from_hours(24),
        };
        Ok(forecast(&terms, Task::Pull { domains: 0, contacts: self.contacts })?)
    }
}

/// One case in one round.
struct Round {
    case: Case,
    predicted: f64,
    measured: f64,
    bound: String,
}

pub fn bench(dir: &Path, rounds: usize) -> Outcome<Section> {
    let dir = dir.join("simulate");
    std::fs::create_dir_all(&dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut all: Vec<Round> = Vec::new();
    for _ in 0..rounds {
        for (number, case) in ALONE.into_iter().enumerate() {
            let (server, target) = case.server(&dir, number)?;
            let told = case.predicted(&target)?;
            let measured = runtime.block_on(case.measured(target))?;
            drop(server);
            all.push(Round { case, predicted: told.time.as_secs_f64(), measured, bound: format!("{:?}", told.bound) });
        }
        let [first, second] = TOGETHER;
        let ((one, at_one), (two, at_two)) = (first.server(&dir, 10)?, second.server(&dir, 11)?);
        let told = [first.predicted(&at_one)?, second.predicted(&at_two)?];
        let both = runtime.block_on(async { tokio::join!(first.measured(at_one), second.measured(at_two)) });
        drop((one, two));
        for ((case, told), measured) in TOGETHER.into_iter().zip(told).zip([both.0?, both.1?]) {
            all.push(Round { case, predicted: told.time.as_secs_f64(), measured, bound: format!("{:?}", told.bound) });
        }
    }
    Ok(section(&all))
}

fn section(all: &[Round]) -> Section {
    let (mut rows, mut goals) = (Vec::new(), Vec::new());
    for case in ALONE.into_iter().chain(TOGETHER) {
        let of: Vec<&Round> = all.iter().filter(|round| round.case.what == case.what).collect();
        let middle = |get: fn(&Round) -> f64| median(of.iter().map(|round| get(round)));
        let (predicted, measured) = (middle(|r| r.predicted), middle(|r| r.measured));
        let beside = middle(|r| (r.measured / r.predicted - 1.0).abs());
        goals.push(Goal::at_most(format!("{}: beside the prediction", case.what), beside, MOST_BESIDE));
        let bound = of.first().map(|round| round.bound.clone()).unwrap_or_default();
        rows.push(vec![
            case.what.to_owned(),
            figure(case.contacts as f64),
            figure(predicted),
            figure(measured),
            format!("{:.3}", measured / predicted),
            bound,
        ]);
    }
    let raw = all.iter().map(|r| json!({ "case": r.case.what, "predicted": r.predicted, "measured": r.measured, "bound": r.bound }));
    Section {
        title: "Simulated",
        how: "What `privet simulate` predicts, and what the same pools take over TLS from a bundled registry in a process of its own, whose \
              answers come as late as is said. What limits is as the prediction names it."
            .to_owned(),
        head: vec!["what holds it back", "contacts", "predicted s", "measured s", "measured ÷ predicted", "limits"],
        rows,
        goals,
        raw: raw.collect::<Value>(),
    }
}
