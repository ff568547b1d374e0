//! Ctrl-C: the first lets the commit under way finish, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;

use crate::output;

/// A flag that the first Ctrl-C sets.
pub(crate) fn on_interrupt(runtime: &Handle) -> Arc<AtomicBool> {
    /// What shells report for a process that SIGINT ended.
    const INTERRUPTED: i32 = 130;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    runtime.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED);
            }
            output::warn("stopping after the commit under way; press Ctrl-C again to stop at once");
        }
    });
    stop
}
