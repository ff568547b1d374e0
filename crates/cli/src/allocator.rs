//! The allocator: mimalloc, and a count of what is allocated, by which work that takes too much is stopped.
//!
//! The engine has a memory limit that its large operators ask. What functions and plans take it does not count, and neither
//! can be ended while they compute. A thread of such work that would exceed the limit of its work, or whose work was
//! abandoned, stops here for good, at its next allocation: it takes neither memory nor time any more, and what it holds is
//! lost to the process. Nothing else can be done with it without ending the process: an allocator must not unwind, and an
//! allocation that fails aborts.

#![expect(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, AtomicU32, Ordering};
use std::time::Duration;

use mimalloc::MiMalloc;

/// Each thread counts by itself up to this many bytes: one count for all would be what all threads wait for.
const UNCOUNTED: isize = 128 << 10;

/// Bytes that are allocated.
static ALLOCATED: AtomicIsize = AtomicIsize::new(0);

/// What the threads of work must not exceed, of `ALLOCATED`.
static LIMIT: AtomicIsize = AtomicIsize::new(isize::MAX);

/// The work of which a thread was stopped at the limit.
static EXHAUSTED: AtomicU32 = AtomicU32::new(0);

/// This work and all before it is abandoned.
static ABANDONED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// What this thread has allocated and not counted yet.
    static COUNT: Cell<isize> = const { Cell::new(0) };
    /// The number of the work that this thread is for; 0 is none, which is never stopped.
    static WORK: Cell<u32> = const { Cell::new(0) };
}

/// The allocator of the process.
pub(crate) struct Counted;

/// From now on this thread works for the work of this number.
pub(crate) fn enter(work: u32) {
    WORK.set(work);
}

/// Whether this thread works for work that may be stopped.
pub(crate) fn is_work() -> bool {
    WORK.try_with(Cell::get).unwrap_or(0) != 0
}

/// The threads of all work may allocate so many bytes beside what is allocated now.
pub(crate) fn limit(bytes: usize) {
    let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
    LIMIT.store(ALLOCATED.load(Ordering::Relaxed).saturating_add(bytes), Ordering::Relaxed);
}

/// Whether a thread of this work was stopped at the limit.
pub(crate) fn is_exhausted(work: u32) -> bool {
    EXHAUSTED.load(Ordering::Relaxed) == work
}

/// Stops the threads of this work, and of all with lower numbers.
pub(crate) fn abandon(work: u32) {
    ABANDONED.fetch_max(work, Ordering::Relaxed);
}

/// Counts what is about to be allocated; does not come back where that must not be.
fn admit(bytes: usize) {
    let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
    // While a thread ends it has no number, and no count.
    let work = WORK.try_with(Cell::get).unwrap_or(0);
    if work != 0 {
        if work <= ABANDONED.load(Ordering::Relaxed) {
            stop();
        }
        // A large allocation is not begun; small ones are looked at as they are counted.
        if bytes >= UNCOUNTED && is_too_much(bytes) {
            EXHAUSTED.store(work, Ordering::Relaxed);
            stop();
        }
    }
    if count(bytes) && work != 0 && is_too_much(0) {
        EXHAUSTED.store(work, Ordering::Relaxed);
        stop();
    }
}

fn is_too_much(more: isize) -> bool {
    ALLOCATED.load(Ordering::Relaxed).saturating_add(more) > LIMIT.load(Ordering::Relaxed)
}

/// Counts what is allocated or freed; whether the count of all was changed.
fn count(change: isize) -> bool {
    let counted = COUNT.try_with(|count| {
        let sum = count.get().saturating_add(change);
        if sum.abs() < UNCOUNTED {
            count.set(sum);
            return None;
        }
        count.set(0);
        Some(sum)
    });
    match counted {
        Ok(None) => false,
        Ok(Some(sum)) => {
            ALLOCATED.fetch_add(sum, Ordering::Relaxed);
            true
        }
        Err(_) => {
            ALLOCATED.fetch_add(change, Ordering::Relaxed);
            true
        }
    }
}

fn size(layout: Layout) -> isize {
    isize::try_from(layout.size()).unwrap_or(isize::MAX)
}

/// Does not come back. Sleeping takes no memory, which parking may.
fn stop() -> ! {
    loop {
        std::thread::sleep(Duration::from_hours(1));
    }
}

// SAFETY: mimalloc does the work; what is counted beside it neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        admit(layout.size());
        // SAFETY: as the caller's.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        admit(layout.size());
        // SAFETY: as the caller's.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { MiMalloc.dealloc(pointer, layout) }
        count(-size(layout));
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        match new_size.checked_sub(layout.size()) {
            // Both may be there while one is copied to the other: as much as the new one is looked for, and then taken off.
            Some(_) if new_size >= UNCOUNTED.unsigned_abs() => {
                admit(new_size);
                count(-size(layout));
            }
            Some(more) => admit(more),
            None => {
                count(-size(layout));
                admit(new_size);
            }
        }
        // SAFETY: as the caller's.
        unsafe { MiMalloc.realloc(pointer, layout, new_size) }
    }
}
