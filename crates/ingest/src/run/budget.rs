//! A bound on the bytes held between reading and committing.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Lets readers wait until what was read before them is committed.
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

    /// Waits until `bytes` more may be held; nothing once the budget is closed.
    pub(crate) fn acquire(self: &Arc<Self>, bytes: usize) -> Option<Permit> {
        let mut state = self.lock();
        // What is larger than the whole budget goes alone.
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

    /// Sends every waiting reader home.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to hold some bytes, given back on drop.
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
