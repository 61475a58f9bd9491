//! Several workers at one run: each claims a number and a part of every registry account in the shared store, and renews its claims. What a
//! worker that is not heard of any more had in hand, others go on with.

use super::Context;
use super::config::SharedStore;
use super::opening::place;
use crate::base::{Blame, Clock, Entropy as _, Event, Events, Exit, Permit, Problem, RegistryId, Result, StopToken, SystemEntropy, hex};
use crate::session::Allowance;
use crate::store::{Claim, Claimed, Lots, PostgresLots, PostgresPlace, PostgresStore, Store};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The number under which whoever begins or ends something at a run keeps others from doing so.
const DOOR: u32 = 0;
/// The run under whose name one plan is claimed at a time, by all of its workers together.
const ONE_PLAN: &str = "apply";
/// Between two looks whether a claim is free.
const LOOK: Duration = Duration::from_millis(200);
/// How many times a claim is renewed while it lasts.
const RENEWALS: u32 = 4;

/// One of the workers of a run, with its claims.
pub(super) struct Crew {
    place: PostgresPlace,
    store: PostgresStore,
    run: Box<str>,
    holder: Box<str>,
    length: Duration,
    workers: u32,
    clock: Arc<dyn Clock>,
    stop: StopToken,
    events: Arc<dyn Events>,
    claims: Claims,
    permit: Permit,
    /// Ends the thread that renews.
    keeper: Option<(Sender<()>, JoinHandle<()>)>,
    numbers: Vec<u32>,
    /// Whether nobody else was at the run when this one came.
    is_first: bool,
}

/// What is renewed.
type Claims = Arc<Mutex<Vec<Claim>>>;

/// The part of an account that a worker has.
pub(super) struct AccountPart {
    /// What of the account is its own.
    pub(super) allowance: Allowance,
    /// How long to wait: the registry still counts what an earlier holder of this part sent.
    pub(super) wait: Duration,
    claim: Claim,
}

impl Crew {
    /// Takes part in the run of the plan `run`: claims a worker's number and, where `alone`, all of them. The run's door is held on return:
    /// nobody else begins or ends anything until [`Crew::leave_door`].
    ///
    /// # Errors
    /// `E-lock-002` (exit 30) where another plan is applied, or no number is free; `E-apply-004` (exit 40) where the operator stops it; as
    /// [`PostgresStore::open`].
    pub(super) fn join(shared: &SharedStore, run: &str, alone: bool, ctx: &Context) -> Result<Self> {
        let place = place(&shared.database, "store")?;
        let mut bytes = [0; 16];
        SystemEntropy::new().fill(&mut bytes)?;
        let clock = &ctx.clock;
        let began = clock.moment();
        let mut crew = Self {
            store: PostgresStore::open(&place)?,
            permit: Permit::new(began + shared.lease),
            place,
            run: run.into(),
            holder: hex(&bytes).into(),
            length: shared.lease,
            workers: shared.workers,
            clock: Arc::clone(clock),
            stop: ctx.stop.clone(),
            events: Arc::clone(&ctx.events),
            claims: Claims::default(),
            keeper: None,
            numbers: Vec::new(),
            is_first: false,
        };
        crew.keep()?;
        let patience = shared.lease * 2;
        crew.wait_for(&crew.door(), patience, "another worker is beginning or ending its part of this run")?;
        // In the name of all of its workers.
        let plan = Claim { run: ONE_PLAN.into(), worker: DOOR, holder: run.into() };
        crew.wait_for(&plan, patience, "another plan is being applied")?;
        crew.is_first = crew.others()? == 0;
        if alone && !crew.is_first {
            return Err(locked("others are at work at this run"));
        }
        for _ in 0..if alone { crew.workers } else { 1 } {
            crew.take_number()?;
        }
        Ok(crew)
    }

    /// Claims a number that is free, or becomes so while the claim of whoever is not heard of any more ends.
    fn take_number(&mut self) -> Result<()> {
        let (began, mut is_told) = (self.clock.moment(), false);
        loop {
            for worker in (1..=self.workers).filter(|number| !self.numbers.contains(number)).collect::<Vec<_>>() {
                if self.claim(Claim { run: self.run.clone(), worker, holder: self.holder.clone() })?.is_some() {
                    self.numbers.push(worker);
                    return Ok(());
                }
            }
            let held = format!("as many workers as `store.workers` allows ({}) are at work at this run", self.workers);
            if self.clock.moment().since(began) > self.length + LOOK {
                return Err(locked(&held));
            }
            self.rest(&held, &mut is_told)?;
        }
    }

    /// Keeps others from beginning or ending anything at the run, once whoever is at it has done so.
    ///
    /// # Errors
    /// As [`PostgresStore::claim`].
    pub(super) fn enter_door(&mut self) -> Result<()> {
        while self.claim(self.door())?.is_none() {
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Lets others begin and end.
    ///
    /// # Errors
    /// As [`PostgresStore::release`].
    pub(super) fn leave_door(&mut self) -> Result<()> {
        let door = self.door();
        self.let_go(&door)
    }

    fn door(&self) -> Claim {
        Claim { run: self.run.clone(), worker: DOOR, holder: self.holder.clone() }
    }

    /// Claims what is free, or becomes so in time.
    fn wait_for(&mut self, claim: &Claim, patience: Duration, held: &str) -> Result<()> {
        let (began, mut is_told) = (self.clock.moment(), false);
        while self.claim(claim.clone())?.is_none() {
            if self.clock.moment().since(began) > patience {
                return Err(locked(held));
            }
            self.rest(held, &mut is_told)?;
        }
        Ok(())
    }

    /// Waits a little, and says why, once.
    fn rest(&self, held: &str, is_told: &mut bool) -> Result<()> {
        if !std::mem::replace(is_told, true) {
            self.events.tell(Event::Note(format!("{held}, or were until a moment ago: waiting")));
        }
        if self.stop.is_stopped() {
            let what = "stopped before the plan was begun";
            return Err(Problem::new("E-apply-004", Blame::Operator, what, "run the same command again").exit(Exit::Stopped));
        }
        std::thread::sleep(LOOK);
        Ok(())
    }

    /// Claims something, which is renewed from then on; nothing where somebody else has it.
    fn claim(&mut self, claim: Claim) -> Result<Option<Claimed>> {
        let mut claims = lock(&self.claims);
        match self.store.claim(&claim, self.length)? {
            Claimed::Elsewhere => Ok(None),
            claimed => {
                claims.push(claim);
                Ok(Some(claimed))
            }
        }
    }

    fn let_go(&mut self, claim: &Claim) -> Result<()> {
        lock(&self.claims).retain(|one| one != claim);
        self.store.release(claim)
    }

    /// Begins to renew the claims, on a thread of its own and over a line of its own.
    fn keep(&mut self) -> Result<()> {
        let (end, ended) = channel::<()>();
        let (place, claims, permit) = (self.place.clone(), Arc::clone(&self.claims), self.permit.clone());
        let (clock, length) = (Arc::clone(&self.clock), self.length);
        let thread = std::thread::Builder::new().name("claims".to_owned()).spawn(move || {
            let mut line: Option<PostgresStore> = None;
            while ended.recv_timeout(length / RENEWALS) == Err(RecvTimeoutError::Timeout) {
                let began = clock.moment();
                // One that went away may be back before the permit ends.
                let Ok(store) = line.take().map_or_else(|| PostgresStore::open(&place), Ok) else { continue };
                match renewed(line.insert(store), &claims, length) {
                    Ok(true) => permit.prolong(began + length),
                    // What is not ours any more never is again.
                    Ok(false) => return,
                    Err(_) => line = None,
                }
            }
        });
        let thread = thread.map_err(|e| {
            let what = format!("there can be no thread that renews the claims: {e}");
            Problem::new("E-apply-005", Blame::Operator, what, "raise the limit on threads")
        })?;
        self.keeper = Some((end, thread));
        Ok(())
    }

    /// Whether nobody else was at the run when this worker came: what was done of it is gone over once more then.
    pub(super) const fn is_first(&self) -> bool {
        self.is_first
    }

    /// The number of this worker's chain.
    pub(super) fn number(&self) -> u32 {
        self.numbers.first().copied().unwrap_or(1)
    }

    /// The claim under which this worker writes.
    pub(super) fn under(&self) -> Claim {
        Claim { run: self.run.clone(), worker: self.number(), holder: self.holder.clone() }
    }

    /// Until when it may act.
    pub(super) fn permit(&self) -> Permit {
        self.permit.clone()
    }

    /// The store, on the worker's own line.
    pub(super) const fn store(&mut self) -> &mut PostgresStore {
        &mut self.store
    }

    /// A line to the store on which nothing is written but under the worker's claim.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub(super) fn open(&self) -> Result<Box<dyn Store>> {
        let mut store = PostgresStore::open(&self.place)?;
        store.fence(self.under());
        Ok(Box::new(store))
    }

    /// A part of a registry's account, of which `whole` is ours; nothing where others have all of them.
    ///
    /// # Errors
    /// As [`PostgresStore::claim`].
    pub(super) fn account(&mut self, registry: &RegistryId, whole: &Allowance) -> Result<Option<AccountPart>> {
        let parts = whole.parts(self.workers);
        for number in 1..=parts {
            let claim = Claim { run: format!("account/{registry}").into(), worker: number, holder: self.holder.clone() };
            if let Some(claimed) = self.claim(claim.clone())? {
                let idle = if let Claimed::Now { idle } = claimed { idle } else { None };
                let wait = idle.map_or(Duration::ZERO, |idle| whole.remembers().saturating_sub(idle));
                return Ok(Some(AccountPart { allowance: whole.part(number, parts), wait, claim }));
            }
        }
        Ok(None)
    }

    /// Gives back what of a registry's part is in hand, and the part of its account.
    ///
    /// # Errors
    /// As [`PostgresStore::release`].
    pub(super) fn give_back(&mut self, registry: &RegistryId, account: &AccountPart) -> Result<()> {
        self.store.give_back(&self.under(), registry.as_str())?;
        self.let_go(&account.claim)
    }

    /// The lots of a registry's part.
    ///
    /// # Errors
    /// As [`PostgresLots::open`].
    pub(super) fn lots(&self, registry: &RegistryId) -> Result<Box<dyn Lots>> {
        Ok(Box::new(PostgresLots::open(&self.place, self.under(), registry.as_str())?))
    }

    /// Whether every lot of a registry's part is done.
    ///
    /// # Errors
    /// As [`PostgresStore::is_over`].
    pub(super) fn is_over(&mut self, registry: &RegistryId) -> Result<bool> {
        self.store.is_over(&self.run, registry.as_str())
    }

    /// How many other workers are at the run. Nobody comes or goes while the door is held.
    ///
    /// # Errors
    /// As [`PostgresStore::at_work`].
    pub(super) fn others(&mut self) -> Result<u64> {
        self.store.at_work(&self.run, &self.holder)
    }

    /// Forgets how the operations were shared out: the run is over.
    ///
    /// # Errors
    /// As [`PostgresStore::forget_lots`].
    pub(super) fn forget_lots(&mut self) -> Result<()> {
        self.store.forget_lots(&self.run)
    }

    /// Leaves the run: what this worker had is free. The plan as well, where nobody else is at it.
    ///
    /// # Errors
    /// As [`PostgresStore::release`].
    pub(super) fn leave(mut self) -> Result<()> {
        self.let_all_go()
    }

    fn let_all_go(&mut self) -> Result<()> {
        if let Some((end, thread)) = self.keeper.take() {
            drop(end);
            drop(thread.join());
        }
        let mut claims = std::mem::take(&mut *lock(&self.claims));
        if claims.is_empty() {
            return Ok(());
        }
        // The plan is claimed in the name of all of its workers: who holds the door knows whether there are others.
        let is_last = claims.contains(&self.door()) && self.others()? == 0;
        claims.retain(|claim| &*claim.run != ONE_PLAN || is_last);
        // The door is closed last.
        claims.sort_by_key(|claim| *claim == self.door());
        claims.iter().try_for_each(|claim| self.store.release(claim))
    }
}

impl Drop for Crew {
    /// Whoever fails lets go of what it can; the rest ends with its time.
    fn drop(&mut self) {
        drop(self.let_all_go());
    }
}

/// Renews every claim; whether all of them are ours still. None is added or let go of meanwhile.
fn renewed(store: &mut PostgresStore, claims: &Claims, length: Duration) -> Result<bool> {
    for claim in lock(claims).iter() {
        if store.claim(claim, length)? != Claimed::Again {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(claims: &Claims) -> MutexGuard<'_, Vec<Claim>> {
    claims.lock().unwrap_or_else(PoisonError::into_inner)
}

fn locked(what: &str) -> Box<Problem> {
    let remedy = "wait for them to end, or allow more by `workers` in [store]";
    Problem::new("E-lock-002", Blame::Operator, what, remedy).exit(Exit::Locked)
}
