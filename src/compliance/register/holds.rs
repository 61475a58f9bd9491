//! The holds that stand: what keeps data from being erased, whatever retention says.

use super::{Book, Limits, register};
use crate::base::{Result, Timestamp};
use crate::compliance::Subject;
use crate::store::Store;

/// The holds that stand, by the register of them.
#[derive(Debug, Default)]
pub struct Holds {
    open: Vec<Hold>,
}

/// A hold that stands.
#[derive(Debug)]
struct Hold {
    case: String,
    /// Over whose data; over everybody's, where it names nobody.
    subject: Option<Subject>,
    /// At which registry; at all of them, where it names none.
    registry: Option<String>,
}

impl Holds {
    /// Those that stand at `at`.
    ///
    /// # Errors
    /// As [`Book::open`].
    pub fn read(store: &mut dyn Store, at: Timestamp) -> Result<Self> {
        let Some(register) = register("hold") else { return Ok(Self::default()) };
        let book = Book::open(store, register)?;
        let limits = Limits::default();
        let open = book.cases(at, &limits).filter(|case| case.open).map(|case| Hold {
            case: case.case.to_string(),
            subject: case.subject,
            registry: case.values.get("at_registry").cloned(),
        });
        Ok(Self { open: open.collect() })
    }

    /// The case that holds data of `subject` anywhere, where it is not known of which registry they are.
    #[must_use]
    pub fn over_any(&self, subject: Option<Subject>) -> Option<&str> {
        self.open.iter().find(|hold| hold.subject.is_none_or(|whose| subject == Some(whose))).map(|hold| &*hold.case)
    }

    /// The case that holds the data of `subject` at `registry`. One that says less holds more: it only ever postpones.
    #[must_use]
    pub fn over(&self, subject: Option<Subject>, registry: &str) -> Option<&str> {
        let covers = |hold: &&Hold| {
            hold.subject.is_none_or(|whose| subject == Some(whose)) && hold.registry.as_ref().is_none_or(|at| at == registry)
        };
        self.open.iter().find(covers).map(|hold| &*hold.case)
    }
}
