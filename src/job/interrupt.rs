//! Ctrl-C and SIGTERM.

use crate::base::{Blame, Exit, Problem, Result, StopToken};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens to both signals from when it is made; before that either ends the process.
pub struct Interrupt {
    runtime: Runtime,
    ctrl_c: Signal,
    sigterm: Signal,
}

impl Interrupt {
    /// Starts to listen.
    ///
    /// # Errors
    /// `E-job-001` where the system gives no signal handler.
    pub fn listen() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(deaf)?;
        let (ctrl_c, sigterm) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt()).map_err(deaf)?, signal(SignalKind::terminate()).map_err(deaf)?)
        };
        Ok(Self { runtime, ctrl_c, sigterm })
    }

    /// Waits for the next signal.
    pub fn wait(&mut self) {
        let Self { runtime, ctrl_c, sigterm } = self;
        runtime.block_on(async {
            tokio::select! { _ = ctrl_c.recv() => {}, _ = sigterm.recv() => {} }
        });
    }
}

/// From now on the first signal raises `stop`, so that what is in flight is finished; the second ends the process at once (exit 40).
///
/// # Errors
/// `E-job-001` where the system gives no thread or no signal handler.
pub fn stop_on_interrupt(stop: StopToken) -> Result<()> {
    let mut signals = Interrupt::listen()?;
    let listen = move || {
        signals.wait();
        stop.stop();
        signals.wait();
        end();
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(drop).map_err(deaf)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn deaf(error: std::io::Error) -> Box<Problem> {
    let what = format!("signals cannot be listened to: {error}");
    Problem::new("E-job-001", Blame::Operator, what, "the limits on threads or open files are too low").exit(Exit::Storage)
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "the operator asked twice; every file is whole at any moment")]
fn end() -> ! {
    std::process::exit(i32::from(Exit::Stopped.code()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{getpid, kill_process};

    #[test]
    fn the_first_signal_raises_the_flag() {
        let stop = StopToken::default();
        stop_on_interrupt(stop.clone()).expect("a handler");
        assert!(!stop.is_stopped());
        kill_process(getpid(), rustix::process::Signal::TERM).expect("sent");
        for _ in 0..1000 {
            if stop.is_stopped() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("the signal was not heard");
    }
}
