//! A bound on the bytes held between reading and committing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Blocks readers until earlier data is committed.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    closed: bool,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, state: Mutex::default(), freed: Condvar::new() })
    }

    /// Waits until `bytes` more may be held. Returns `None` once the budget is closed.
    pub(crate) fn acquire(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let mut state = self.lock();
        // A request that exceeds the whole budget is granted alone.
        while !state.closed && state.held > 0 && state.held + bytes > self.limit {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return None;
        }
        state.held += bytes;
        drop(state);
        Some(Permit { budget: Arc::clone(self), bytes })
    }

    /// Releases every waiting reader, with `None`.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A permit to hold a number of bytes, returned on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    budget: Arc<Budget>,
    pub(crate) bytes: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.lock().held -= self.bytes;
        self.budget.freed.notify_all();
    }
}
