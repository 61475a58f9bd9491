//! The consent ledger and the register of requests, as a plan is made upon them.

use super::Context;
use super::config::Loaded;
use super::erasing::{Eraser, Whose};
use crate::base::{Problems, Result, Timestamp};
use crate::compliance::register::{Block, Book, register};
use crate::compliance::{self, Decision as Said, Fingerprint, Ledger, Subject};
use crate::dataset::Row;
use crate::plan::{Bar, Bases, Basis, BasisKind, Decision, Keeping, Purpose, Sources};
use crate::store::Store;
use std::collections::HashMap;

/// What the ledger said when the plan was made.
pub(super) struct Consents<'s> {
    ledger: Ledger<'s>,
    /// What an erasure rests on, where one is planned.
    eraser: Option<Eraser<'s>>,
    /// Of whom nothing may be changed.
    blocks: HashMap<Subject, Block>,
    at: Timestamp,
}

/// Of whom nothing may be changed at `at`, because of an open request.
///
/// # Errors
/// As [`Book::open`].
pub(super) fn blocks(store: &mut dyn Store, at: Timestamp) -> Result<HashMap<Subject, Block>> {
    register("request").map_or_else(|| Ok(HashMap::new()), |requests| Ok(Book::open(store, requests)?.blocks(at)))
}

impl<'s> Consents<'s> {
    /// The ledger in `store`, as it stands at `at`.
    ///
    /// # Errors
    /// As [`Ledger::open`] and [`Book::open`].
    pub(super) fn open(store: &'s mut dyn Store, at: Timestamp) -> Result<Self> {
        let blocks = blocks(store, at)?;
        Ok(Self { ledger: Ledger::open(store)?, eraser: None, blocks, at })
    }

    /// The same, for a plan of erasure under `loaded`.
    ///
    /// # Errors
    /// As [`Consents::open`] and [`Eraser::open`].
    pub(super) fn erasing(loaded: &'s Loaded, ctx: &Context, store: &'s mut dyn Store, at: Timestamp) -> Result<Self, Problems> {
        let eraser = Eraser::open(loaded, ctx, store, at)?;
        Ok(Self { eraser: Some(eraser), ..Self::open(store, at)? })
    }

    fn subject(&mut self, contact: &Row) -> Result<Option<Subject>> {
        let person = Fingerprint::of_row(contact);
        Ok(person.map(|person| self.ledger.subject_of(&person)).transpose()?.flatten())
    }
}

impl Bases for Consents<'_> {
    fn decide(&mut self, _registry: &str, contact: &Row, purpose: Purpose) -> Result<Decision> {
        let subject = self.subject(contact)?;
        let said = subject.map_or_else(Said::nothing, |subject| self.ledger.decide(subject, purpose, self.at));
        Ok(match said {
            Said::Blocked { rule, .. } => Decision::Blocked { rule: rule.id().to_owned(), why: rule.words().to_owned() },
            Said::Allowed { basis, evidence, .. } => Decision::Allowed(Basis {
                kind: match basis {
                    compliance::Basis::Consent => BasisKind::ExplicitConsent,
                    compliance::Basis::Terms(_) => BasisKind::Terms,
                },
                evidence: evidence.iter().map(|event| event.as_str().to_owned()).collect(),
                subject: subject.map(|subject| subject.to_string()),
                purposes: vec![purpose],
            }),
        })
    }

    fn bars(&mut self, contact: &Row) -> Result<Option<Bar>> {
        if self.blocks.is_empty() {
            return Ok(None);
        }
        let subject = self.subject(contact)?;
        let block = subject.and_then(|subject| self.blocks.get(&subject));
        Ok(block.map(|block| Bar { rule: block.rule.to_owned(), why: block.what.to_owned() }))
    }

    fn enter(&mut self, sources: &Sources<'_>) -> Result<()> {
        self.eraser.as_mut().map_or(Ok(()), |eraser| eraser.enter(sources))
    }

    fn keeping(&mut self, registry: &str, contact: &Row) -> Result<Keeping> {
        let subject = self.subject(contact)?;
        let withdrawn = subject.and_then(|subject| self.ledger.withdrawn(subject, self.at));
        Ok(self.eraser.as_ref().map_or(Keeping::Needed, |eraser| eraser.keeping(registry, contact, &Whose { subject, withdrawn })))
    }
}
