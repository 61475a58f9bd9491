//! Wakes tasks to some tenths of a millisecond: the runtime's own timer counts whole ones, too coarse for a line of a known latency.

use crate::base::{Clock, Moment, Result};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A clock with a thread that wakes who waits for it.
pub(super) struct Timer {
    clock: Arc<dyn Clock>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wakers: BTreeMap<(Moment, u64), Waker>,
    is_over: bool,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timer {
    /// Starts the thread, which ends with this.
    ///
    /// # Errors
    /// What the system says where no thread can be had.
    pub(super) fn start(clock: Arc<dyn Clock>) -> Result<Self, std::io::Error> {
        let waiting = Arc::new(Waiting::default());
        let (theirs, time) = (Arc::clone(&waiting), Arc::clone(&clock));
        std::thread::Builder::new().name("mock-timer".to_owned()).spawn(move || ring(&theirs, &*time))?;
        Ok(Self { clock, waiting })
    }

    /// A future that is ready at `due`; `waiter` tells those apart that wait for the same moment.
    pub(super) fn until(&self, due: Moment, waiter: u64) -> Until<'_> {
        Until { timer: self, key: (due, waiter), is_waiting: false }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.waiting.lock().is_over = true;
        self.waiting.changed.notify_one();
    }
}

/// The thread: wakes whose moment has come, and sleeps until the next.
fn ring(waiting: &Waiting, clock: &dyn Clock) {
    let mut state = waiting.lock();
    while !state.is_over {
        let Some((due, _)) = state.wakers.first_key_value().map(|(key, _)| *key) else {
            state = waiting.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let wait = due.since(clock.moment());
        if wait.is_zero() {
            if let Some((_, waker)) = state.wakers.pop_first() {
                waker.wake();
            }
        } else {
            state = waiting.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A wait for a moment.
pub(super) struct Until<'t> {
    timer: &'t Timer,
    key: (Moment, u64),
    is_waiting: bool,
}

impl Future for Until<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.timer.clock.moment() >= self.key.0 {
            return Poll::Ready(());
        }
        let mut state = self.timer.waiting.lock();
        state.wakers.insert(self.key, context.waker().clone());
        let is_first = state.wakers.first_key_value().is_some_and(|(key, _)| *key == self.key);
        drop(state);
        if is_first && !self.is_waiting {
            self.timer.waiting.changed.notify_one();
        }
        self.is_waiting = true;
        Poll::Pending
    }
}

impl Drop for Until<'_> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.timer.waiting.lock().wakers.remove(&self.key);
        }
    }
}
