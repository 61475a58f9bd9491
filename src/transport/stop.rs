//! The operator's wish to stop, told to every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A wish to stop, shared by its clones. It cannot be taken back.
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<(AtomicBool, Notify)>);

impl StopToken {
    /// A token nobody has stopped yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops whoever holds a clone.
    pub fn stop(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    /// Whether it was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until it is stopped.
    pub async fn stopped(&self) {
        loop {
            let told = self.0.1.notified();
            if self.is_stopped() {
                return;
            }
            told.await;
        }
    }
}
