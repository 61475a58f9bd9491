//! The line to the store's server, and what is said where it fails.

use crate::base::{Blame, Exit, Problem, Result};
use crate::database::{NoLine, told};
use tokio_postgres::Client;

pub use crate::database::{PostgresPlace, ServerTls};

/// A line whose failures are the store's.
pub(super) struct Line(crate::database::Line);

impl Line {
    pub(super) fn new(place: &PostgresPlace) -> Result<Self> {
        crate::database::Line::new(place).map(Self).map_err(|e| refused(place.shown(), &e))
    }

    pub(super) fn shown(&self) -> &str {
        self.0.shown()
    }

    /// Waits for `act`.
    pub(super) fn run<T: Send>(&self, act: impl Future<Output = T> + Send) -> Result<T> {
        self.0.run(act).map_err(|e| refused(self.shown(), &e))
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// `E-store-011`, `E-store-012`.
    pub(super) fn connect(&self) -> Result<Client> {
        self.0.connect().map_err(|e| refused(self.shown(), &e))
    }
}

/// That nobody could connect, or log in.
fn refused(shown: &str, error: &NoLine) -> Box<Problem> {
    let (id, blame, what, remedy) = match error {
        NoLine::Runtime(e) => ("E-store-006", Blame::Operator, format!("cannot wait for the store: {e}"), "see the limits of this process"),
        NoLine::Lost => ("E-store-006", Blame::Us, "a call to the store did not end".to_owned(), "please report this"),
        NoLine::Authorities(what) => {
            let remedy = "name a file with the certificate of the server's authority, in PEM";
            return Problem::new("E-store-012", Blame::Operator, what.clone(), remedy).object(shown);
        }
        NoLine::Refused(e) => {
            let remedy = "see that the server runs, that user and password are right, and that `ca` is the authority of its certificate";
            ("E-store-011", Blame::Operator, format!("the store's database does not let us in: {}", told(e)), remedy)
        }
    };
    Problem::new(id, blame, what, remedy).object(shown).exit(Exit::Storage)
}

/// That a call failed.
pub(super) fn failure(shown: &str, doing: &str, error: &tokio_postgres::Error) -> Box<Problem> {
    let remedy = "see to the database and the line to it, then run the same command again";
    Problem::new("E-store-006", Blame::Operator, format!("cannot {doing}: {}", told(error)), remedy).object(shown).exit(Exit::Storage)
}
