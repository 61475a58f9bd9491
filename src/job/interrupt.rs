//! Ctrl-C and SIGTERM.

use crate::base::{Blame, Exit, Problem, Result, StopToken};
use tokio::signal::unix::{SignalKind, signal};

/// From now on the first signal raises `stop`, so that what is in flight is finished; the second ends the process at once (exit 40).
///
/// # Errors
/// `E-job-001` where the system gives no thread or no signal handler.
pub fn stop_on_interrupt(stop: StopToken) -> Result<()> {
    let problem = |e: std::io::Error| {
        let what = format!("signals cannot be listened to: {e}");
        Problem::new("E-job-001", Blame::Operator, what, "the limits on threads or open files are too low").exit(Exit::Storage)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(problem)?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt()).map_err(problem)?, signal(SignalKind::terminate()).map_err(problem)?)
    };
    let listen = move || {
        runtime.block_on(async {
            loop {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                if stop.is_stopped() {
                    end();
                }
                stop.stop();
            }
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(drop).map_err(problem)
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "the operator asked twice; every file is whole at any moment")]
fn end() -> ! {
    std::process::exit(i32::from(Exit::Stopped.code()))
}
