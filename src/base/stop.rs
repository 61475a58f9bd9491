//! The operator's wish to stop, and until when a process may act at all.

use super::Moment;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A flag that the operator raises once (Ctrl-C, a stop file): what is in flight is finished, nothing new is begun.
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<AtomicBool>);

impl StopToken {
    /// Raises the flag.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is raised.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The operator's wish to wait: while it is set, nothing new is begun.
#[derive(Clone, Debug, Default)]
pub struct PauseFlag(Arc<AtomicBool>);

impl PauseFlag {
    /// Sets or lifts it.
    pub fn set(&self, paused: bool) {
        self.0.store(paused, Ordering::Relaxed);
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Until when this process may act, where others act in its place from then on; whoever renews its claim prolongs it.
#[derive(Clone, Debug)]
pub struct Permit(Arc<AtomicU64>);

impl Permit {
    /// A permit until then.
    #[must_use]
    pub fn new(until: Moment) -> Self {
        Self(Arc::new(AtomicU64::new(millis(until))))
    }

    /// Lets it last until then.
    pub fn prolong(&self, until: Moment) {
        self.0.fetch_max(millis(until), Ordering::Relaxed);
    }

    /// When it ends.
    #[must_use]
    pub fn until(&self) -> Moment {
        Moment::from_origin(Duration::from_millis(self.0.load(Ordering::Relaxed)))
    }

    /// Whether it lasts at `now`.
    #[must_use]
    pub fn lasts(&self, now: Moment) -> bool {
        now < self.until()
    }
}

/// Milliseconds since the clock's origin: a part of one is not given away.
fn millis(moment: Moment) -> u64 {
    u64::try_from(moment.since_origin().as_millis()).unwrap_or(u64::MAX)
}
