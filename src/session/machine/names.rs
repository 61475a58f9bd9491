//! The element names of answers, which the evidence of each exchange keeps.

use crate::base::{RowDigest, row_digest};
use crate::protocol::tape::{Element, Tape};
use crate::session::dialect::Dialect;
use std::collections::HashMap;
use std::sync::Arc;

/// Shapes that are remembered. Real registries have some dozens; one that has more costs time, not memory.
const MOST: usize = 512;

/// Sorted names by an answer's shape, which is its names in document order: answers have few shapes, so that each is sorted once.
#[derive(Default)]
pub(super) struct ElementNames {
    known: HashMap<RowDigest, Arc<str>>,
    shape: String,
}

impl ElementNames {
    /// The names of all elements in `tape`, as `dialect` lists them.
    pub(super) fn of(&mut self, tape: &Tape, dialect: &dyn Dialect) -> Arc<str> {
        self.shape.clear();
        for name in tape.elements().map(Element::local) {
            self.shape.push_str(name);
            self.shape.push('/');
        }
        let shape = row_digest([Some(self.shape.as_str())]);
        if let Some(names) = self.known.get(&shape) {
            return Arc::clone(names);
        }
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let names: Arc<str> = dialect.element_names(tape).into();
        self.known.insert(shape, Arc::clone(&names));
        names
    }
}
