//! A new password for an account, and everything that may be lost on the way: never more than two wrong logins, and never a password that
//! nobody has.

use crate::one::{ONE, One};
use crate::served::context;
use privet::base::{Exit, write_atomic};
use privet::job::{Ended, check, password};
use privet::mock::Served;
use std::path::PathBuf;

/// A registry with an account that is ours alone, and the secret in a file of our own.
struct Account {
    one: One,
    served: Option<Served>,
}

impl Account {
    fn new(knobs: &[&str], extra: &str) -> Self {
        let one = One::new("gtld-thick", "example", 3);
        let served = one.serve(knobs, extra);
        let this = Self { one, served: Some(served) };
        let known = this.known();
        write_atomic(&this.file(), known.as_bytes()).expect("written");
        let theirs = this.served.as_ref().expect("served").password_file.display().to_string();
        let text = std::fs::read_to_string(this.one.config()).expect("a configuration");
        write_atomic(&this.one.config(), text.replace(&theirs, "data/secret").as_bytes()).expect("written");
        this
    }

    fn file(&self) -> PathBuf {
        self.one.config().with_file_name("data").join("secret")
    }

    fn next(&self) -> PathBuf {
        self.file().with_file_name("secret.next")
    }

    /// The password that the registry knows.
    fn known(&self) -> String {
        std::fs::read_to_string(&self.served.as_ref().expect("served").password_file).expect("a password").trim().to_owned()
    }

    fn ours(&self) -> String {
        std::fs::read_to_string(self.file()).expect("a secret").trim().to_owned()
    }

    fn change(&self) -> Result<Ended, (String, Exit)> {
        password(&self.one.load(), ONE, &context(&[])).map_err(|problems| {
            let first = &problems.kept()[0];
            (first.id.clone(), first.exit)
        })
    }

    /// How many logins the registry heard.
    fn logins(&self) -> usize {
        self.one.frames("in").iter().filter(|frame| frame.contains("<login>")).count()
    }

    /// That both sides know the same password, and nothing is under way.
    fn assert_settled(&self) {
        assert!(!self.next().exists());
        assert_eq!(self.ours(), self.known());
        let ended = check(&self.one.load(), &context(&[])).expect("checked");
        assert_eq!(ended.exit(), Exit::Done, "{}", ended.text);
    }
}

const EXCLUSIVE: &str = "account = \"exclusive\"";

#[test]
fn an_account_of_ours_gets_a_new_password_which_nothing_shows() {
    let account = Account::new(&[], EXCLUSIVE);
    let before = account.ours();
    let ended = account.change().expect("changed");
    super::schema_files::assert_form("password", &ended.json);
    assert_eq!((ended.exit(), ended.json["changed"].as_bool()), (Exit::Done, Some(true)), "{}", ended.text);
    let after = account.ours();
    assert!(after != before && after.len() == 16, "{} characters", after.len());
    assert!(!format!("{} {} {:?}", ended.text, ended.json, ended.problems).contains(&after));
    assert_eq!(account.logins(), 2, "the login that changes it, and one with the new one alone");
    account.assert_settled();
}

#[test]
fn row_46_where_the_answer_is_lost_the_new_password_is_tried_once() {
    let account = Account::new(&["fault=row-08-after-login:times=1"], EXCLUSIVE);
    let before = account.ours();
    let ended = account.change().expect("changed");
    assert_eq!(ended.json["changed"].as_bool(), Some(true), "{}", ended.text);
    assert!(account.ours() != before && account.logins() == 2);
    account.assert_settled();
}

#[test]
fn row_46_a_change_that_was_cut_off_is_settled_before_anything_else_logs_in() {
    let mut account = Account::new(&[], EXCLUSIVE);
    let old = account.ours();
    // Killed before the login: the new one is on disk alone.
    write_atomic(&account.next(), b"Never2sent2there").expect("written");
    let ended = check(&account.one.load(), &context(&[])).map_err(|problems| problems.kept()[0].id.clone());
    assert_eq!(ended.map(|ended| ended.text), Err("E-password-006".to_owned()));
    assert_eq!(account.logins(), 0, "nobody tries a password that may be wrong");
    let ended = account.change().expect("settled");
    assert_eq!(
        (ended.exit(), ended.json["changed"].as_bool(), ended.json["resumed"].as_bool()),
        (Exit::SomeFailed, Some(false), Some(true))
    );
    assert_eq!((account.ours(), account.logins()), (old, 2), "the new one once, and the old one once");
    account.assert_settled();

    // Killed behind the answer: the registry knows the new one.
    write_atomic(&account.next(), account.known().as_bytes()).expect("written");
    write_atomic(&account.file(), b"An2older2one").expect("written");
    let ended = account.change().expect("settled");
    assert_eq!((ended.exit(), ended.json["changed"].as_bool(), ended.json["resumed"].as_bool()), (Exit::Done, Some(true), Some(true)));
    account.assert_settled();

    // Neither is taken: two logins, and no third one; both files are kept.
    write_atomic(&account.next(), b"Never2sent2there").expect("written");
    write_atomic(&account.file(), b"An2older2one").expect("written");
    let logins = account.logins();
    assert_eq!(account.change().map(|ended| ended.text), Err(("E-password-004".to_owned(), Exit::Refused)));
    assert_eq!(account.logins() - logins, 2);
    assert!(account.next().exists() && account.file().exists());

    // Out of reach: nobody knows, and nothing is lost.
    account.served.take().expect("served").shutdown();
    assert_eq!(account.change().map(|ended| ended.text), Err(("E-password-005".to_owned(), Exit::Unknown)));
    assert!(account.next().exists() && account.file().exists());
}

#[test]
fn what_is_refused_changes_nothing() {
    // The account is others' too, for all that is known.
    let shared = Account::new(&[], "");
    assert_eq!(shared.change().map(|ended| ended.text), Err(("E-password-001".to_owned(), Exit::Usage)));
    // The old one is wrong: the registry changes nothing, and one login told so.
    let account = Account::new(&[], EXCLUSIVE);
    write_atomic(&account.file(), b"not2the2password").expect("written");
    assert_eq!(account.change().map(|ended| ended.text), Err(("E-password-003".to_owned(), Exit::SomeFailed)));
    assert_eq!(account.logins(), 1);
    assert!(!account.next().exists());
    // No place for a new one.
    let text = std::fs::read_to_string(account.one.config()).expect("a configuration");
    let text = text.replace("{ file = \"data/secret\" }", "{ credential = \"example\" }");
    write_atomic(&account.one.config(), text.as_bytes()).expect("written");
    assert_eq!(account.change().map(|ended| ended.text), Err(("E-password-002".to_owned(), Exit::Usage)));
    assert_eq!((account.logins(), shared.logins()), (1, 0));
}
