//! The operations of a run that several workers share: each takes lots of them in hand, one wave after the other.

use super::journal::{Barrier, JournalWriter};
use super::work::{Job, Next, Work, job};
use crate::base::Result;
use crate::journal::{Fold, StepState, catch_up};
use crate::plan::Operation;
use crate::store::{Lot, Lots, Store, Taken};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most operations of a lot, where none waits for another. They are what a worker that dies leaves to others at a time, besides the lots
/// that it had in hand with it.
const LOT: u64 = 32;
/// How long after nothing was to be had it is looked for again, while others are at work.
const LOOK: Duration = Duration::from_millis(500);
/// How long after a lot has come to its end it is looked whether its rows are on disk.
const KEPT: Duration = Duration::from_millis(20);

/// How a registry's operations are cut into lots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The lots, in the plan's order.
    pub lots: Vec<Lot>,
    /// How many steps each operation of the plan has, by its number less 1; 0 where it is another registry's.
    steps: Vec<u8>,
    /// Whether any operation waits for another.
    waits: bool,
    /// How many operations the last lot has.
    size: u64,
    /// Where its wave began: what an operation waits for may be of an earlier wave as well, which is over.
    began: u64,
}

impl Layout {
    /// Takes the registry's next operation into a lot.
    fn push(&mut self, operation: &Operation) {
        self.steps.resize(usize::try_from(operation.op.saturating_sub(1)).unwrap_or(usize::MAX), 0);
        self.steps.push(operation.count());
        self.waits |= !operation.after.is_empty();
        let mut first = operation.op;
        let fits = |lot: &Lot| lot.wave == operation.wave;
        if !self.lots.last().is_some_and(fits) {
            self.began = operation.op;
        }
        if self.size < LOT
            && let Some(last) = self.lots.pop_if(|lot| fits(lot))
        {
            first = last.first;
        } else {
            self.size = 0;
        }
        // What it waits for is in its lot, with all that lies between.
        let began = self.began;
        while let Some(earlier) = self.lots.pop_if(|lot| fits(lot) && operation.after.iter().any(|op| (began..=lot.last).contains(op))) {
            first = earlier.first;
        }
        self.size += 1;
        self.lots.push(Lot { first, last: operation.op, wave: operation.wave });
    }
}

/// Cuts the operations of each registry into lots: each is of one wave, and of two operations of a wave of which one waits for the other both
/// are in one lot.
///
/// # Errors
/// What the plan cannot be read for.
pub fn lots(operations: impl Iterator<Item = Result<Operation>>) -> Result<BTreeMap<String, Layout>> {
    let mut layouts: BTreeMap<String, Layout> = BTreeMap::new();
    for operation in operations {
        let operation = operation?;
        match layouts.get_mut(&operation.registry) {
            Some(layout) => layout.push(&operation),
            None => layouts.entry(operation.registry.clone()).or_default().push(&operation),
        }
    }
    Ok(layouts)
}

/// Opens the plan's operations anew, from the first one on.
pub type Operations = Box<dyn FnMut() -> Result<Box<dyn Iterator<Item = Result<Operation>> + Send>> + Send>;

/// A lot in hand.
struct InHand {
    taken: Taken,
    /// Operations that have not come to their end.
    open: u64,
    verified: u64,
    other: u64,
    /// Tells that all its rows are on disk.
    kept: Option<Barrier>,
}

/// One registry's operations, as one of several workers gets them.
pub struct SharedWork {
    registry: Box<str>,
    plan: Box<str>,
    layout: Layout,
    lots: Box<dyn Lots>,
    store: Box<dyn Store>,
    /// Where the run stands, as far as this worker read.
    fold: Arc<Mutex<Fold>>,
    journal: JournalWriter,
    reopen: Operations,
    /// The plan's operations behind number `read`.
    operations: Box<dyn Iterator<Item = Result<Operation>> + Send>,
    read: u64,
    /// Waves that are not over, the one that is open first.
    waves: VecDeque<u32>,
    next: VecDeque<Job>,
    hand: Vec<InHand>,
    ended: HashMap<u64, StepState>,
}

/// What a worker's operations are made of.
pub struct SharedParts {
    /// How the registry's operations are cut.
    pub layout: Layout,
    /// The lots.
    pub lots: Box<dyn Lots>,
    /// The store that the run's journal is in.
    pub store: Box<dyn Store>,
    /// Where the run stands.
    pub fold: Arc<Mutex<Fold>>,
    /// Where this worker's rows go.
    pub journal: JournalWriter,
    /// The plan's operations.
    pub operations: Operations,
}

impl SharedWork {
    /// The operations of `registry` in the run of the plan of that id.
    ///
    /// # Errors
    /// What the plan cannot be read for.
    pub fn new(registry: &str, plan: &str, parts: SharedParts) -> Result<Self> {
        let SharedParts { layout, lots, store, fold, journal, operations: mut reopen } = parts;
        let mut waves: VecDeque<u32> = layout.lots.iter().map(|lot| lot.wave).collect();
        waves.make_contiguous().sort_unstable();
        let mut last = None;
        waves.retain(|wave| last.replace(*wave) != Some(*wave));
        Ok(Self {
            registry: registry.into(),
            plan: plan.into(),
            layout,
            lots,
            store,
            fold,
            journal,
            operations: reopen()?,
            reopen,
            read: 0,
            waves,
            next: VecDeque::new(),
            hand: Vec::new(),
            ended: HashMap::new(),
        })
    }

    /// Says of lots that they are done, once all of their rows are on disk.
    fn see_to_ends(&mut self) -> Result<()> {
        let mut at = 0;
        while let Some(lot) = self.hand.get_mut(at) {
            if lot.open > 0 {
                at += 1;
                continue;
            }
            if lot.kept.get_or_insert_with(|| self.journal.barrier()).is_passed()? {
                self.lots.done(&lot.taken, lot.verified, lot.other)?;
                self.hand.swap_remove(at);
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    /// Reads the operations of a lot, and where they stand.
    fn load(&mut self, taken: Taken) -> Result<()> {
        // Somebody had it before: what became of it then is in another chain.
        if taken.turn > 1 {
            self.catch_up()?;
        }
        if taken.lot.first <= self.read {
            (self.operations, self.read) = ((self.reopen)()?, 0);
        }
        let before = self.next.len();
        let fold = self.fold.lock().unwrap_or_else(PoisonError::into_inner);
        while self.read < taken.lot.last {
            let Some(operation) = self.operations.next() else { break };
            let operation = operation?;
            self.read = operation.op;
            if operation.op >= taken.lot.first && *operation.registry == *self.registry {
                self.next.push_back(job(operation, &fold, taken.turn));
            }
        }
        let open = (self.next.len() - before) as u64;
        self.hand.push(InHand { taken, open, verified: 0, other: 0, kept: None });
        Ok(())
    }

    /// Takes in what others wrote.
    fn catch_up(&mut self) -> Result<()> {
        catch_up(&mut *self.store, &self.plan, &mut self.fold.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Work for SharedWork {
    fn next(&mut self) -> Result<Next> {
        self.see_to_ends()?;
        if let Some(job) = self.next.pop_front() {
            return Ok(Next::Job(Box::new(job)));
        }
        let Some(&wave) = self.waves.front() else { return Ok(Next::Over) };
        if let Some(taken) = self.lots.take(wave)? {
            self.load(taken)?;
            return Ok(self.next.pop_front().map_or(Next::Later(Some(KEPT)), |job| Next::Job(Box::new(job))));
        }
        if !self.hand.is_empty() {
            return Ok(Next::Later(Some(if self.hand.iter().any(|lot| lot.open == 0) { KEPT } else { LOOK })));
        }
        let ends = self.lots.wave(wave)?;
        if ends.open > 0 {
            return Ok(Next::Later(Some(LOOK)));
        }
        self.waves.pop_front();
        if self.waves.is_empty() {
            return Ok(Next::Over);
        }
        // Operations of the next wave may wait for some that others carried out.
        if self.layout.waits {
            self.catch_up()?;
        }
        Ok(Next::WaveOver { wave, verified: ends.verified, other: ends.other })
    }

    fn ended(&mut self, op: u64, state: StepState) {
        self.ended.insert(op, state);
        if let Some(lot) = self.hand.iter_mut().find(|lot| (lot.taken.lot.first..=lot.taken.lot.last).contains(&op)) {
            lot.open = lot.open.saturating_sub(1);
            *if state == StepState::Verified { &mut lot.verified } else { &mut lot.other } += 1;
        }
    }

    fn end_of(&self, op: u64) -> Option<StepState> {
        self.ended.get(&op).copied().or_else(|| {
            // One of a wave before this; of its own wave it would be in hand.
            let is_in_hand = self.hand.iter().any(|lot| (lot.taken.lot.first..=lot.taken.lot.last).contains(&op));
            let steps = usize::try_from(op).ok().and_then(|op| self.layout.steps.get(op.checked_sub(1)?)).copied().filter(|n| *n > 0)?;
            (!is_in_hand).then(|| self.fold.lock().unwrap_or_else(PoisonError::into_inner).operation(op, steps))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ObjectRef;
    use crate::model::ObjectKind;
    use crate::plan::{Basis, BasisKind, ObjectName, Undo};

    fn operation(op: u64, registry: &str, wave: u32, after: &[u64]) -> Operation {
        let object = ObjectName { kind: ObjectKind::Domain, id: format!("d{op}.example"), reference: ObjectRef::new([1; 16]) };
        let basis = Basis { kind: BasisKind::OwnData, evidence: Vec::new(), subject: None, purposes: Vec::new() };
        let (registry, after) = (registry.to_owned(), after.to_vec());
        Operation {
            op,
            wave,
            registry,
            object,
            steps: Vec::new(),
            basis,
            undo: Undo::Inverse,
            after,
            touches: Vec::new(),
            reasons: Vec::new(),
        }
    }

    /// Operations as registry, wave, and what they wait for.
    fn cut(operations: &[(&str, u32, &[u64])]) -> Layout {
        let all = (1..).zip(operations).map(|(op, (registry, wave, after))| Ok(operation(op, registry, *wave, after)));
        lots(all).unwrap().remove("r").unwrap_or_default()
    }

    fn ranges(layout: &Layout) -> Vec<(u64, u64, u32)> {
        layout.lots.iter().map(|lot| (lot.first, lot.last, lot.wave)).collect()
    }

    #[test]
    fn a_lot_is_of_one_wave_and_not_too_long() {
        let of = |wave| ("r", wave, &[][..]);
        let mut plan = vec![of(1)];
        plan.extend((0..10).map(|_| of(2)));
        plan.push(("other", 2, &[]));
        plan.extend((0..70).map(|_| of(3)));
        assert_eq!(ranges(&cut(&plan)), [(1, 1, 1), (2, 11, 2), (13, 44, 3), (45, 76, 3), (77, 82, 3)]);
        assert_eq!(ranges(&cut(&[("other", 1, &[])])), []);
    }

    #[test]
    fn what_waits_for_another_of_its_wave_is_in_that_ones_lot() {
        let mut plan: Vec<(&str, u32, &[u64])> = vec![("r", 1, &[])];
        plan.extend((2..=100).map(|_| ("r", 2, &[][..])));
        assert_eq!(ranges(&cut(&plan)), [(1, 1, 1), (2, 33, 2), (34, 65, 2), (66, 97, 2), (98, 100, 2)]);
        plan[98].2 = &[1, 40];
        let layout = cut(&plan);
        assert_eq!(ranges(&layout)[..2], [(1, 1, 1), (2, 33, 2)]);
        assert!(layout.lots.iter().any(|lot| lot.first <= 40 && lot.last >= 99), "{layout:?}");
        assert!(layout.waits && layout.lots.last().is_some_and(|lot| lot.last == 100));
    }
}
