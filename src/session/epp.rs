//! EPP as a dialect (RFC 5730): the registry greets, a login follows, answers carry our identifier.

use super::dialect::{Agreed, Dialect, Drift, Matching, Said};
use super::result::{self, At, Kind, Verdict};
use crate::base::{Blame, ClTrid, Exit, Problem, Result, Secret};
use crate::model::{Command, Greeting, Login, LoginSecurity, Response, ResultCode};
use crate::policy::{Line, Profile};
use crate::protocol::epp::{self, Message};
use crate::protocol::ns::Ns;
use crate::protocol::tape::Tape;
use std::sync::Arc;

/// The one protocol version there is.
const VERSION: &str = "1.0";
/// The language that is asked for where a registry offers it.
const LANGUAGE: &str = "en";
/// Lengths of a password without RFC 8807 (RFC 5730 §4.1 `pwType`).
const PASSWORD: std::ops::RangeInclusive<usize> = 6..=16;

/// An account's access.
#[derive(Clone, Debug)]
pub struct Account {
    /// The client identifier.
    pub client: Box<str>,
    /// The password.
    pub password: Secret,
    /// The password to change to.
    pub new_password: Option<Secret>,
}

/// EPP with one account at one registry.
#[derive(Debug)]
pub struct EppDialect {
    account: Account,
    profile: Arc<Profile>,
}

impl EppDialect {
    /// EPP for `account`, with the services and deviations of `profile`.
    #[must_use]
    pub const fn new(account: Account, profile: Arc<Profile>) -> Self {
        Self { account, profile }
    }

    /// Whether the passwords fit where the registry offers no RFC 8807.
    fn check_passwords(&self) -> Result<()> {
        let passwords = [Some(&self.account.password), self.account.new_password.as_ref()];
        let misfit = passwords.into_iter().flatten().map(|p| p.reveal().chars().count()).find(|n| !PASSWORD.contains(n));
        let Some(length) = misfit else { return Ok(()) };
        let what = format!(
            "the password has {length} characters and the registry offers no loginSec extension; RFC 5730 allows {} to {}",
            PASSWORD.start(),
            PASSWORD.end()
        );
        let remedy =
            "set a password of that length, or ask the registry for the login security extension (RFC 8807), which lifts the limit";
        Err(Problem::new("E-config-009", Blame::Operator, what, remedy).field("password").exit(Exit::Usage))
    }
}

impl Dialect for EppDialect {
    fn is_greeted(&self) -> bool {
        true
    }

    fn takes_turns(&self) -> bool {
        self.profile.line.value == Line::EppHttps
    }

    fn login(&self, greeting: Option<&Greeting>) -> Result<Agreed> {
        let nothing = Greeting::default();
        let greeting = greeting.unwrap_or(&nothing);
        if !greeting.versions.is_empty() && !greeting.versions.iter().any(|v| v.trim() == VERSION) {
            let what = format!("the registry speaks EPP {}, not {VERSION}", greeting.versions.join(", "));
            return Err(Problem::new("E-session-002", Blame::Registry, what, "nothing can be done here but to ask the registry"));
        }
        let services = &self.profile.services;
        let objects = offered(&greeting.objects);
        let extensions = offered(&greeting.extensions);
        let missing: Vec<&str> = services.objects.iter().map(String::as_str).filter(|uri| !objects.contains(uri)).collect();
        if !missing.is_empty() {
            let what = format!("the greeting does not offer {}", missing.join(", "));
            let remedy = format!("check that profile `{}` is this registry's, and that the account may use these objects", self.profile.id);
            return Err(Problem::new("E-session-003", Blame::Registry, what, remedy));
        }
        let known = || services.objects.iter().chain(&services.further_objects);
        let named = |uri: &&str| known().chain(&services.extensions).any(|s| s == uri);
        let drift = Drift {
            announced_not_enabled: objects.iter().chain(&extensions).filter(|uri| !named(uri)).map(|s| (*s).to_owned()).collect(),
            enabled_not_announced: services.extensions.iter().filter(|s| !offers_some(s, &extensions)).cloned().collect(),
        };
        let both: Vec<&str> = services.extensions.iter().map(String::as_str).filter(|s| extensions.contains(s)).collect();
        let enabled = newest(&both);
        let security = enabled.contains(&Ns::LOGIN_SEC.uri()).then(|| LoginSecurity {
            app: concat!("Privet ", env!("CARGO_PKG_VERSION")).into(),
            tech: "Rust".into(),
            os: std::env::consts::OS.into(),
        });
        if security.is_none() {
            self.check_passwords()?;
        }
        let lang = greeting.langs.iter().find(|l| &***l == LANGUAGE).or(greeting.langs.first()).map_or(LANGUAGE, |l| l);
        let login = Command::Login(Box::new(Login {
            client: self.account.client.clone(),
            password: self.account.password.clone(),
            new_password: self.account.new_password.clone(),
            version: VERSION.into(),
            lang: lang.into(),
            objects: known().filter(|uri| objects.contains(&uri.as_str())).map(|uri| uri.as_str().into()).collect(),
            extensions: enabled.into_iter().map(Into::into).collect(),
            security,
        }));
        Ok(Agreed { login, drift })
    }

    fn keep_alive(&self) -> Command {
        Command::Hello
    }

    fn matching(&self) -> Matching {
        Matching::ById
    }

    fn encode(&self, command: &Command, cl_trid: Option<&ClTrid>, agreed: &[Box<str>], out: &mut Vec<u8>) -> Result<()> {
        Ok(epp::encode(command, cl_trid, agreed, out)?)
    }

    fn read(&self, tape: &Tape) -> Result<Said, String> {
        match epp::decode(tape) {
            Ok(Message::Greeting(greeting)) => Ok(Said::Greeting(greeting)),
            Ok(Message::Response(response)) => Ok(Said::Answer(response)),
            Err(e) => Err(e.to_string()),
        }
    }

    fn command_name(&self, command: &Command) -> &'static str {
        epp::command_name(command)
    }

    fn element_names(&self, tape: &Tape) -> String {
        epp::element_names(tape)
    }

    fn classify(&self, response: &Response, at: At, kind: Kind) -> Verdict {
        let verdict = result::judge(response, at, kind, &self.profile.quirks.limit_words);
        match self.like(response) {
            // A success is believed in place of a refusal where it is about nothing but the session.
            Some(like) if !like.is_success() || at == At::Login => result::classify(like, "", at, kind, &[]),
            _ => verdict,
        }
    }
}

impl EppDialect {
    /// The standard's code that says the same as the registry's own reason, where the profile knows one that differs.
    fn like(&self, response: &Response) -> Option<ResultCode> {
        let code = response.code();
        let meaning = |reason: u16| self.profile.codes.get(&format!("{}/{reason}", code.0)).and_then(|rule| rule.value.like);
        response.reason_codes().find_map(meaning).map(ResultCode).filter(|like| *like != code)
    }
}

/// A service's name and version: `…:rgp-1.0` is version 1.0 of `…:rgp`. A name without one is its own.
fn version(uri: &str) -> (&str, Option<(u32, u32)>) {
    let parsed = || {
        let (name, version) = uri.rsplit_once('-')?;
        let (major, minor) = version.split_once('.')?;
        Some((name, Some((major.parse().ok()?, minor.parse().ok()?))))
    };
    parsed().unwrap_or((uri, None))
}

/// The newest version of each service.
fn newest<'u>(uris: &[&'u str]) -> Vec<&'u str> {
    let is_newest = |uri: &&str| {
        let (name, number) = version(uri);
        !uris.iter().map(|other| version(other)).any(|(other, theirs)| other == name && theirs > number)
    };
    uris.iter().copied().filter(is_newest).collect()
}

/// Whether some version of the service `uri` is among `offered`.
fn offers_some(uri: &str, offered: &[&str]) -> bool {
    let (name, _) = version(uri);
    offered.iter().any(|other| version(other).0 == name)
}

/// URIs as a greeting means them: some registries write the schema's file name behind.
fn offered(uris: &[Box<str>]) -> Vec<&str> {
    uris.iter().filter_map(|uri| uri.split_whitespace().next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::profile;

    fn dialect(password: &str) -> EppDialect {
        let account = Account { client: "registrar-1".into(), password: Secret::new(password), new_password: None };
        EppDialect::new(account, profile("gtld-thick").expect("embedded"))
    }

    fn greeting(extensions: &[&str]) -> Greeting {
        let objects = ["domain", "contact", "host"].map(|o| format!("urn:ietf:params:xml:ns:{o}-1.0").into());
        Greeting {
            versions: vec!["1.0".into()],
            langs: vec!["de".into(), "en".into()],
            objects: objects.to_vec(),
            extensions: extensions.iter().map(|e| (*e).into()).collect(),
            ..Greeting::default()
        }
    }

    fn login(agreed: Agreed) -> Login {
        let Command::Login(login) = agreed.login else { panic!("a login") };
        *login
    }

    #[test]
    fn the_login_names_the_services_that_both_sides_know() {
        let mut greeting = greeting(&["urn:ietf:params:xml:ns:rgp-1.0", "urn:example:fees"]);
        greeting.objects[0] = "urn:ietf:params:xml:ns:domain-1.0 domain-1.0.xsd".into();
        greeting.versions = vec!["0.9".into(), "1.0".into()];
        let agreed = dialect("secret-1").login(Some(&greeting)).expect("a login");
        assert_eq!(agreed.drift.announced_not_enabled, ["urn:example:fees"]);
        assert!(agreed.drift.enabled_not_announced.contains(&Ns::SEC_DNS.uri().to_owned()));
        let login = login(agreed);
        assert_eq!((login.objects.len(), login.extensions.len()), (3, 1));
        assert_eq!((&*login.version, &*login.lang), ("1.0", "en"));
        assert!(login.security.is_none());
    }

    #[test]
    fn an_object_that_may_be_used_is_named_where_it_is_offered() {
        let account = Account { client: "registrar-1".into(), password: Secret::new("secret-1"), new_password: None };
        let eurid = EppDialect::new(account, profile("eurid").expect("embedded"));
        let mut greeting = greeting(&[]);
        assert_eq!(login(eurid.login(Some(&greeting)).expect("a login")).objects.len(), 2);
        greeting.objects.push(Ns::EURID_HIT_POINTS.uri().into());
        let agreed = eurid.login(Some(&greeting)).expect("a login");
        assert!(!agreed.drift.announced_not_enabled.contains(&Ns::EURID_HIT_POINTS.uri().to_owned()));
        assert_eq!(&*login(agreed).objects[2], Ns::EURID_HIT_POINTS.uri());
    }

    /// faults.md §5 row 7.
    #[test]
    fn row_07_a_greeting_without_a_needed_object_is_told_before_the_login() {
        let mut lacking = greeting(&[]);
        lacking.objects.remove(1);
        let problem = dialect("secret-1").login(Some(&lacking)).expect_err("no contacts");
        assert!(problem.what.contains("contact-1.0") && problem.blame == Blame::Registry, "{problem}");
        let mut other = greeting(&[]);
        other.versions = vec!["2.0".into()];
        assert!(dialect("secret-1").login(Some(&other)).is_err());
    }

    #[test]
    fn of_each_extension_the_newest_version_that_both_know_is_named() {
        let account = Account { client: "registrar-1".into(), password: Secret::new("secret-1"), new_password: None };
        let eurid = EppDialect::new(account, profile("eurid").expect("embedded"));
        let ext = |version: &str| format!("http://www.eurid.eu/xml/epp/contact-ext-{version}");
        for (offered, named) in [(&["1.3", "1.4"][..], "1.4"), (&["1.3"], "1.3"), (&["1.4", "1.10"], "1.4")] {
            let offered: Vec<String> = offered.iter().map(|v| ext(v)).collect();
            let agreed = eurid.login(Some(&greeting(&offered.iter().map(String::as_str).collect::<Vec<_>>()))).expect("a login");
            assert!(!agreed.drift.enabled_not_announced.iter().any(|uri| uri.contains("contact-ext")), "some version is enough");
            assert_eq!(login(agreed).extensions, [ext(named).into()]);
        }
    }

    #[test]
    fn a_reason_of_the_registrys_own_may_say_that_we_are_logged_in() {
        use crate::base::Personal;
        use crate::model::{Class, ExtValue, ResultItem};
        let account = Account { client: "registrar-1".into(), password: Secret::new("secret-1"), new_password: None };
        let nicit = EppDialect::new(account, profile("nicit").expect("embedded"));
        let answer = |code| {
            let value = ExtValue { value: Personal::default(), offender: None, code: Some(code), reason: None, lang: None };
            let result =
                ResultItem { code: ResultCode::USE_ERROR, msg: "".into(), lang: None, values: Vec::new(), ext_values: vec![value] };
            Response { results: vec![result], ..Response::default() }
        };
        assert_eq!(nicit.classify(&answer(4014), At::Login, Kind::Session).class, Class::Ok);
        assert_eq!(nicit.classify(&answer(4014), At::Live, Kind::Transform).class, Class::New, "no success of anything but a login");
        assert_eq!(nicit.classify(&answer(4015), At::Live, Kind::Query).class, Class::New);
        assert_eq!(nicit.classify(&answer(4015), At::Login, Kind::Session).class, Class::New);
    }

    /// faults.md §6 row 9.
    #[test]
    fn a_long_password_needs_the_extension_which_lifts_the_limit() {
        let long = dialect("a password longer than sixteen");
        let problem = long.login(Some(&greeting(&[]))).expect_err("too long");
        assert_eq!((problem.id.as_str(), problem.exit), ("E-config-009", Exit::Usage));
        assert!(!problem.to_string().contains("longer than sixteen"));
        let login = login(long.login(Some(&greeting(&[Ns::LOGIN_SEC.uri()]))).expect("a login"));
        assert!(login.security.is_some());
    }
}
