//! Handles Ctrl-C (SIGINT) and termination by service managers and Kubernetes (SIGTERM): the first signal lets the
//! commit in progress finish, the second ends the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

use crate::output;

/// Returns a flag that the first signal sets.
pub(crate) fn on_signal(runtime: &Handle) -> Arc<AtomicBool> {
    /// The exit code that shells report for a process ended by SIGINT.
    const INTERRUPTED: i32 = 130;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    runtime.spawn(async move {
        while asked_to_stop().await.is_ok() {
            if flag.swap(true, Ordering::Relaxed) {
                #[expect(clippy::disallowed_methods, reason = "the user asked to stop at once")]
                std::process::exit(INTERRUPTED);
            }
            output::warn(
                "stopping after the commit in progress; press Ctrl-C again to stop immediately",
            );
        }
    });
    stop
}

/// Waits for a signal to stop.
#[cfg(unix)]
pub(crate) async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
pub(crate) async fn asked_to_stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
