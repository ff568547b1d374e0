//! Handles Ctrl-C (SIGINT) and termination by service managers and Kubernetes (SIGTERM): the first signal lets the
//! commit in progress finish, the second ends the process.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

use crate::output;

/// The exit code that shells report for a process ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// Returns a flag that the first signal sets. Once the flag is dropped, signals are no longer handled here.
pub(crate) fn on_signal(runtime: &Handle) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::downgrade(&stop);
    runtime.spawn(async move {
        while asked_to_stop().await.is_ok() {
            let Some(flag) = flag.upgrade() else { return };
            if flag.swap(true, Ordering::Relaxed) {
                exit();
            }
            output::warn(
                "stopping after the commit in progress; press Ctrl-C again to stop immediately",
            );
        }
    });
    stop
}

/// Ends the process at the next signal, after removing these files and folders.
pub(crate) fn exit_on_signal(runtime: &Handle, temporary: Vec<PathBuf>) {
    runtime.spawn(async move {
        if asked_to_stop().await.is_ok() {
            for path in temporary {
                // What cannot be removed stays; the process ends in any case.
                drop(fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)));
            }
            exit();
        }
    });
}

fn exit() -> ! {
    #[expect(clippy::disallowed_methods, reason = "the user asked to stop at once")]
    std::process::exit(INTERRUPTED)
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
