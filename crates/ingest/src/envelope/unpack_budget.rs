//! A bound on what is unpacked from a block, so that a small block cannot fill the memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Maximum compression ratio. Audit logs compress about tenfold; a ratio of 50 is not a log.
const MAX_RATIO: usize = 50;

/// The bytes that may still be unpacked from a block, nested data included.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnpackBudget(Arc<AtomicUsize>);

impl UnpackBudget {
    /// Returns the budget of a block of this size.
    pub(crate) fn of_block(bytes: usize) -> Self {
        const LEAST: usize = 64 * 1024;
        Self::new(bytes.max(LEAST).saturating_mul(MAX_RATIO))
    }

    fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    pub(super) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes the whole budget, in equal parts for parallel workers.
    pub(super) fn divide(&self, parts: usize) -> Vec<Self> {
        let left = self.0.swap(0, Ordering::Relaxed);
        (0..parts).map(|_| Self::new(left / parts)).collect()
    }

    /// Returns the unused rest of a part to the budget.
    pub(super) fn give_back(&self, part: &Self) {
        self.0.fetch_add(part.left(), Ordering::Relaxed);
    }

    /// Takes bytes from the budget. If it is exceeded, nothing is left of it.
    ///
    /// # Errors
    /// Returns the reason why the bytes are not unpacked.
    pub(super) fn take(&self, bytes: usize) -> Result<(), String> {
        let taken = |left: usize| Some(left.saturating_sub(bytes));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        if before.is_ok_and(|before| before >= bytes) {
            return Ok(());
        }
        Err(format!(
            "decompressed size exceeds {MAX_RATIO} times the size of the surrounding block"
        ))
    }
}
