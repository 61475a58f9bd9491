//! Sessions against a bundled registry over real TLS, fault by fault. The same rows are tested in virtual time beside the sessions;
//! here the other side is code that shares nothing with the client but frames and the tape.

use privet::base::{Clock, Exit, Handle, RegistryId, Result, Secret, StopToken, SystemClock, read_capped};
use privet::mock::fleet::{FleetSettings, SyntheticFleet};
use privet::mock::{Knobs, Options, start};
use privet::model::{Query, ResData};
use privet::policy::profile;
use privet::protocol::frame::{DEFAULT_CAP, LengthPrefix};
use privet::session::{Account, Allowance, DEFAULT_SHARE, EppDialect, Next, Outcome, PoolReport, ReadPool, Setup, Work};
use privet::transport::{Endpoint, TlsFiles, TlsSetup, run};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Contacts that are asked for.
pub(crate) const CONTACTS: u64 = 40;

/// Asks for each contact once.
pub(crate) struct Asks {
    pub(crate) handles: Vec<Handle>,
    next: usize,
    /// Handles whose own record came.
    pub(crate) right: usize,
    pub(crate) unreadable: usize,
    /// Everything else, for a failed test's message.
    pub(crate) others: Vec<String>,
}

impl Asks {
    /// Asks for `handles`.
    pub(crate) const fn of(handles: Vec<Handle>) -> Self {
        Self { handles, next: 0, right: 0, unreadable: 0, others: Vec::new() }
    }
}

impl Work for Asks {
    fn next(&mut self) -> Next {
        let Some(id) = self.handles.get(self.next).cloned() else { return Next::Finished };
        self.next += 1;
        Next::Query(self.next as u64 - 1, Query::ContactInfo { id, auth: None })
    }

    fn outcome(&mut self, ticket: u64, outcome: Outcome) -> Result<()> {
        let asked = &self.handles[usize::try_from(ticket).expect("a ticket of ours")];
        match outcome {
            Outcome::Answer { response, .. } => match response.data.first() {
                Some(ResData::Contact(contact)) => {
                    assert_eq!(&contact.id, asked, "never another object's record");
                    self.right += 1;
                }
                Some(ResData::Unreadable { .. }) | None if response.code().is_success() => self.unreadable += 1,
                other => self.others.push(format!("{asked}: {} {other:?}", response.code().0)),
            },
            Outcome::Unreadable { .. } => self.unreadable += 1,
            other => self.others.push(format!("{asked}: {other:?}")),
        }
        Ok(())
    }
}

/// A registry's directory, which every case of a test uses.
struct State {
    dir: tempfile::TempDir,
    handles: Vec<Handle>,
}

impl State {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let settings = FleetSettings {
            profile: "gtld-thick".to_owned(),
            seed: 5,
            contacts: CONTACTS,
            domains: 10,
            tlds: vec!["example".to_owned()],
            sponsor: "registrar-1".to_owned(),
            today: jiff::civil::date(2026, 11, 21),
            forms: Vec::new(),
            scripts: Vec::new(),
            ..FleetSettings::default()
        };
        settings.save(&dir.path().join(FleetSettings::FILE)).expect("saved");
        let fleet = SyntheticFleet::new(settings).expect("a fleet");
        Self { dir, handles: (0..CONTACTS).map(|n| fleet.handle_at(n)).collect() }
    }

    /// Pulls every contact from a registry with that fault.
    fn pull(&self, fault: &str) -> (Asks, PoolReport) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let options = Options {
            profile: "gtld-thick".to_owned(),
            listen: "127.0.0.1:0".parse().expect("an address"),
            state: self.dir.path().to_owned(),
            commit_log: None,
            transcript: None,
            knobs: Knobs::read([format!("fault={fault}").as_str()]).expect("a fault"),
            seed: 3,
        };
        let served = start(options, Arc::clone(&clock)).expect("a registry");
        let files = TlsFiles { ca: served.ca.clone(), own: Some((served.cert.clone(), served.key.clone())), pin: None };
        let tls = TlsSetup::load(&files, clock.wall()).expect("good files");
        let endpoint = Endpoint::new("127.0.0.1", served.address.port(), Some(&served.server_name), tls).expect("a name");
        let mut work = Asks::of(self.handles.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let pool = pool(&served.user, &served.password_file);
        let report = runtime.block_on(run(pool, endpoint, clock, &mut work, StopToken::default())).expect("a report");
        served.shutdown();
        (work, report)
    }
}

/// A pool with two sessions and short waits.
fn pool(user: &str, password_file: &Path) -> ReadPool {
    let profile = profile("gtld-thick").expect("embedded");
    let password = String::from_utf8(read_capped(password_file, 1024).expect("a password")).expect("UTF-8");
    let account = Account { client: user.into(), password: Secret::new(password.trim_end()), new_password: None };
    let mut allowance = Allowance::of(&profile.limits, DEFAULT_SHARE);
    allowance.sessions = 2;
    allowance.read_window = 8;
    allowance.back_off = Duration::from_millis(50);
    allowance.reply = Duration::from_secs(2);
    ReadPool::new(Setup {
        registry: RegistryId::new("one"),
        prefix: "run".into(),
        dialect: Arc::new(EppDialect::new(account, profile)),
        framer: || Box::new(LengthPrefix::epp(DEFAULT_CAP)),
        allowance,
        seed: 1,
        first_session: 1,
    })
}

/// Runs `cases`, and tells all that went wrong together.
fn check(cases: &[&str], good: impl Fn(&str, &Asks, &PoolReport) -> bool) {
    let state = State::new();
    let mut wrong = Vec::new();
    for case in cases {
        let (work, report) = state.pull(case);
        if !good(case, &work, &report) {
            let (stopped, problems) = (&report.stopped, &report.problems);
            wrong.push(format!(
                "{case}: {} right, {} unreadable, {:?}, stopped {stopped:?}, problems {problems:?}",
                work.right, work.unreadable, work.others
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether every contact's own record came.
pub(crate) fn all_came(work: &Asks, report: &PoolReport) -> bool {
    work.right as u64 == CONTACTS && work.others.is_empty() && report.stopped.is_none()
}

#[test]
fn rows_13_to_36_what_is_merely_odd_changes_nothing() {
    let cases = [
        "row-13-split-1-3",
        "row-13-split-2-2",
        "row-13-bytes",
        "row-14-together",
        "row-25-swapped:every=3",
        "row-27-utf-16",
        "row-28-bom",
        "row-28-blank",
        "row-28-crlf",
        "row-28-comments",
        "row-29-prefixes",
        "row-29-default-ns",
        "row-29-attributes",
        "row-33-prefix",
        "row-36-1100",
        "row-36-extension",
        "row-44-tarpit:from=4:times=2:ms=300",
    ];
    check(&cases, |_, work, report| all_came(work, report) && report.reconnects == 0);
}

#[test]
fn row_07_an_odd_greeting_is_taken_and_a_clock_that_is_off_is_told() {
    check(&["row-07-two-versions", "row-07-clock-off"], |case, work, report| {
        let told = report.problems.iter().any(|p| p.id == "E-session-013" && p.what.contains("behind"));
        all_came(work, report) && told == case.contains("clock")
    });
}

/// The other half, that a profile may ask for such lengths, is tested beside the framer.
#[test]
fn row_17_lengths_that_leave_their_header_out_are_not_guessed_at() {
    check(&["row-17-no-header"], |_, work, report| {
        work.right == 0 && report.stopped.as_ref().is_some_and(|p| p.exit == Exit::Unreachable && p.id == "E-session-006")
    });
}

/// The provider of cryptography has no post-quantum key exchange, so that our hello is small and no retry without one is needed.
#[test]
fn row_06_our_hello_is_one_that_middleboxes_let_pass() {
    check(&["row-06-large-hello"], |_, work, report| all_came(work, report) && report.sessions_opened <= 2);
}

#[test]
fn rows_07_to_45_what_breaks_once_is_asked_again() {
    let cases = [
        "row-07-cut:times=1",
        "row-08-after-tls:times=1",
        "row-08-after-login:times=1",
        "row-09-no-close-notify:from=6:times=1",
        "row-09-reset:from=6:times=1",
        "row-10-half-close:from=6:times=1",
        "row-14-ownerless:from=6:times=1",
        "row-15-length-0:from=6:times=1",
        "row-15-length-1:from=6:times=1",
        "row-15-length-4:from=6:times=1",
        "row-16-1-gib:from=6:times=1",
        "row-16-4-gib:from=6:times=1",
        "row-17-no-header:from=6:times=1",
        "row-18-cut:from=6:times=1",
        "row-19-slow-loris:from=6:times=1:ms=400",
        "row-22-foreign:from=6:times=1",
        "row-22-previous:from=6:times=1",
        "row-23-missing:from=6:times=1",
        "row-24-twice:from=6:times=1",
        "row-26-late:from=6:times=1:ms=4000",
        "row-27-invalid-utf8:from=6:times=1",
        "row-27-latin-1:from=6:times=1",
        "row-31-doctype:from=6:times=1",
        "row-31-entity-bomb:from=6:times=1",
        "row-31-external:from=6:times=1",
        "row-32-attributes:from=6:times=1",
        "row-32-namespaces:from=6:times=1",
        "row-32-depth:from=6:times=1",
        "row-33-cut:from=6:times=1",
        "row-33-two-roots:from=6:times=1",
        "row-33-nul:from=6:times=1",
        "row-34-large:from=6:times=1",
        "row-35-text:from=6:times=1",
        "row-36-1501:from=6:times=1",
        "row-36-2503:from=6:times=1",
        "row-37-other-object:from=6:times=1",
        "row-43-2400:from=6:times=1",
        "row-43-2500:from=6:times=1",
        "row-43-2502:from=6:times=1",
        "row-43-2502-keep:from=6:times=1",
        "row-45-cut:from=6:times=1",
        "row-45-not-logged-in:from=6:times=1",
        "row-45-timed-out:from=6:times=1",
    ];
    check(&cases, |case, work, report| {
        let alarmed = report.problems.iter().any(|p| p.id == "E-session-008");
        all_came(work, report) && alarmed == case.contains("row-37")
    });
}

#[test]
fn rows_30_to_33_an_object_that_stays_unreadable_is_one_unreadable_object() {
    let state = State::new();
    let object = state.handles[7].clone();
    for fault in ["row-30-namespace", "row-30-missing", "row-31-doctype", "row-33-cut"] {
        let (work, report) = state.pull(&format!("{fault}:object={object}"));
        assert_eq!((work.right as u64, work.unreadable), (CONTACTS - 1, 1), "{fault}: {:?} {report:?}", work.others);
        assert!(report.stopped.is_none());
    }
}

#[test]
fn rows_02_to_43_what_stops_a_registry_says_so_with_its_exit() {
    let cases = [
        ("row-02-alert", Exit::Unreachable, "protocol_version"),
        ("row-03-expired", Exit::Refused, "expired"),
        ("row-03-wrong-name", Exit::Refused, "it is for"),
        ("row-03-cn-only", Exit::Refused, "no subject alternative name"),
        ("row-03-self-signed", Exit::Refused, "certificate"),
        ("row-03-other-ca", Exit::Refused, "none of the authorities"),
        ("row-04-client-refused", Exit::Refused, "our certificate"),
        ("row-07-no-services", Exit::SomeFailed, "does not offer"),
        ("row-08-after-login", Exit::Unreachable, "no session came about"),
        ("row-43-2200:on=login", Exit::Refused, "2200"),
        ("row-43-2501:on=login", Exit::Refused, "2501"),
        ("row-43-2502:on=login", Exit::SomeFailed, "2502"),
        ("row-43-2104:from=6", Exit::SomeFailed, "2104"),
        ("row-43-2200:from=6", Exit::Refused, "2200"),
        ("row-43-2400", Exit::SomeFailed, "2400"),
        ("row-45-not-logged-in", Exit::SomeFailed, "not logged in"),
    ];
    let state = State::new();
    let mut wrong = Vec::new();
    for (fault, exit, words) in cases {
        let (work, report) = state.pull(fault);
        let said = report.stopped.as_ref().is_some_and(|p| p.exit == exit && p.what.contains(words));
        // A password that was refused is never tried twice.
        let once = !fault.contains("row-43-2200:on=login") || report.sessions_opened == 1;
        if !said || !once {
            wrong.push(format!("{fault}: {:?}, {} right, {:?}", report.stopped, work.right, report.problems));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
