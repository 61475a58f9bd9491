//! EPP in POSTs against the bundled .it registry over real TLS, fault by fault.

use crate::session_faults::{Asks, CONTACTS, all_came};
use privet::base::{Clock, Exit, RegistryId, Secret, StopToken, SystemClock, read_capped};
use privet::mock::fleet::{FleetSettings, Forms, SyntheticFleet};
use privet::mock::{Knobs, Options, Served, start};
use privet::policy::profile;
use privet::protocol::frame::Whole;
use privet::session::{Account, Allowance, DEFAULT_SHARE, EppDialect, PoolReport, ReadPool, Setup};
use privet::transport::{Endpoint, TlsFiles, TlsSetup, run};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A registry's directory.
pub(crate) struct State {
    dir: tempfile::TempDir,
    profile: &'static str,
    pub(crate) fleet: SyntheticFleet,
}

impl State {
    pub(crate) fn new(profile: &'static str, tld: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let settings = FleetSettings {
            profile: profile.to_owned(),
            seed: 5,
            contacts: CONTACTS,
            domains: 30,
            tlds: vec![tld.to_owned()],
            sponsor: "registrar-1".to_owned(),
            today: jiff::civil::date(2026, 11, 21),
            forms: vec![Forms::Loc],
            scripts: vec!["latin".to_owned()],
            ..FleetSettings::default()
        };
        settings.save(&dir.path().join(FleetSettings::FILE)).expect("saved");
        Self { dir, profile, fleet: SyntheticFleet::new(settings).expect("a fleet") }
    }

    pub(crate) fn serve(&self, knobs: &[&str]) -> Served {
        let options = Options {
            profile: self.profile.to_owned(),
            listen: "127.0.0.1:0".parse().expect("an address"),
            state: self.dir.path().to_owned(),
            commit_log: None,
            transcript: None,
            knobs: Knobs::read(knobs.iter().copied()).expect("knobs"),
            seed: 3,
        };
        start(options, Arc::new(SystemClock::new())).expect("a registry")
    }

    /// Pulls every contact from a registry with that fault.
    fn pull(&self, fault: &str) -> (Asks, PoolReport) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let fault = if fault.is_empty() { "messages=0".to_owned() } else { format!("fault={fault}") };
        let served = self.serve(&[&fault, "sessions=off"]);
        let tls = TlsSetup::load(&TlsFiles { ca: served.ca.clone(), own: None, pin: None }, clock.wall()).expect("good files");
        let endpoint = Endpoint::new("127.0.0.1", served.address.port(), Some(&served.server_name), tls).expect("a name");
        let endpoint = endpoint.posting_to("/").expect("a path");
        let mut work = Asks::of((0..CONTACTS).map(|n| self.fleet.handle_at(n)).collect());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let pool = pool(&served.user, &served.password_file);
        let report = runtime.block_on(run(pool, endpoint, clock, &mut work, StopToken::default())).expect("a report");
        served.shutdown();
        (work, report)
    }
}

pub(crate) fn password(file: &Path) -> Secret {
    Secret::new(String::from_utf8(read_capped(file, 1024).expect("a password")).expect("UTF-8").trim_end())
}

/// A pool with one session and short waits. A window of eight is asked for: a line that takes turns has one all the same.
fn pool(user: &str, password_file: &Path) -> ReadPool {
    let profile = profile("nicit").expect("embedded");
    let account = Account { client: user.into(), password: password(password_file), new_password: None };
    let mut allowance = Allowance::of(&profile.limits, DEFAULT_SHARE);
    allowance.sessions = 1;
    allowance.read_window = 8;
    allowance.back_off = Duration::from_millis(50);
    allowance.reply = Duration::from_secs(2);
    ReadPool::new(Setup {
        registry: RegistryId::new("it"),
        prefix: "run".into(),
        dialect: Arc::new(EppDialect::new(account, profile)),
        framer: || Box::new(Whole::default()),
        allowance,
        seed: 1,
        first_session: 1,
    })
}

/// Runs `cases`, and tells all that went wrong together.
fn each(cases: &[&str], good: impl Fn(&str, &Asks, &PoolReport) -> bool) {
    let state = State::new("nicit", "it");
    let mut wrong = Vec::new();
    for case in cases {
        let (work, report) = state.pull(case);
        if !good(case, &work, &report) {
            wrong.push(format!("{case}: {} right, {} unreadable, {:?}, {report:?}", work.right, work.unreadable, work.others));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_session_by_its_cookie_reads_everything_and_knows_the_credit() {
    each(&[""], |_, work, report| {
        let quiet = report.sessions_opened == 1 && report.reconnects == 0 && report.max_in_flight == 1 && report.asked_again == 0;
        all_came(work, report) && quiet && report.credit.as_deref() == Some("4321.00") && report.tls.is_some()
    });
}

#[test]
fn a_connection_that_ends_between_two_exchanges_ends_no_session() {
    each(&["http-close", "http-close:every=3"], |_, work, report| {
        all_came(work, report) && report.sessions_opened == 1 && report.asked_again == 0
    });
}

#[test]
fn an_exchange_that_fails_is_asked_again_in_the_same_session() {
    let cases = [
        "row-45-cut:from=6:times=1",
        "row-09-reset:from=6:times=1",
        "row-09-no-close-notify:from=6:times=1",
        "row-18-cut:from=6:times=1",
        "http-redirect:from=6:times=1",
        "http-page:from=6:times=1",
        "http-503:from=6:times=2",
        "http-type:from=6:times=1",
        "http-oversized:from=6:times=1",
        "http-head:from=6:times=1",
    ];
    each(&cases, |_, work, report| {
        all_came(work, report) && report.sessions_opened == 1 && (1..=2).contains(&report.asked_again) && report.reconnects == 0
    });
}

#[test]
fn a_lost_cookie_or_a_forgotten_session_is_a_new_login() {
    let cases = ["http-cookie-lost:from=6:times=1", "http-forgotten:from=6:times=1", "row-45-not-logged-in:from=6:times=1"];
    each(&cases, |_, work, report| all_came(work, report) && report.sessions_opened == 2 && report.reconnects == 1);
}

#[test]
fn an_answer_that_is_too_late_or_cannot_be_read_costs_the_session_and_nothing_else() {
    let cases = [
        "row-26-late:from=6:times=1:ms=4000",
        "row-27-invalid-utf8:from=6:times=1",
        "row-31-entity-bomb:from=6:times=1",
        "row-37-other-object:from=6:times=1",
        "row-22-foreign:from=6:times=1",
        "row-43-2500:from=6:times=1",
    ];
    each(&cases, |_, work, report| all_came(work, report) && report.sessions_opened == 2);
}

#[test]
fn a_registry_that_answers_nothing_else_is_given_up_with_the_reason() {
    let state = State::new("nicit", "it");
    let cases = [
        ("http-redirect", Exit::Unreachable, "sends us elsewhere"),
        ("http-page", Exit::Unreachable, "a page in HTML"),
        ("http-503", Exit::Unreachable, "HTTP status 503"),
        ("http-type", Exit::Unreachable, "content type"),
        ("http-page:on=greeting", Exit::Unreachable, "a page in HTML"),
        ("http-503:on=login", Exit::Unreachable, "HTTP status 503"),
        ("row-43-2200:on=login", Exit::Refused, "2200"),
        ("row-45-not-logged-in", Exit::SomeFailed, "not logged in"),
        ("row-03-expired", Exit::Refused, "expired"),
        ("row-02-alert", Exit::Unreachable, "protocol_version"),
    ];
    let mut wrong = Vec::new();
    for (fault, exit, words) in cases {
        let (work, report) = state.pull(fault);
        let said = report.stopped.as_ref().is_some_and(|p| p.exit == exit && p.what.contains(words));
        let once = !fault.contains("2200") || report.sessions_opened == 1;
        if !said || !once {
            wrong.push(format!("{fault}: {:?}, {} right, {:?}", report.stopped, work.right, report.problems));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
