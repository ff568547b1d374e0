//! The allocator: mimalloc with a count of allocated bytes, by which work that exceeds its memory is stopped.
//!
//! The query engine has a memory limit that its large operators respect. It does not count the memory of functions
//! and plans, and neither can be cancelled while they compute. A thread of such work stops here permanently, at its
//! next allocation, if it would exceed the limit of its work or its work was abandoned. It then uses no more memory or
//! time, and its memory is lost to the process. The only alternative is to end the process: an allocator must not
//! unwind, and a failed allocation aborts.

#![expect(unsafe_code, reason = "implementing GlobalAlloc requires unsafe")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, AtomicU32, Ordering};
use std::time::Duration;

use mimalloc::MiMalloc;

/// Each thread counts locally up to this number of bytes, because all threads would contend for a single counter.
const UNCOUNTED: isize = 128 << 10;

/// The number of allocated bytes.
static ALLOCATED: AtomicIsize = AtomicIsize::new(0);

/// The value of `ALLOCATED` that threads of queries must not exceed.
static LIMIT: AtomicIsize = AtomicIsize::new(isize::MAX);

/// The number of the work whose thread was stopped at the limit.
static EXHAUSTED: AtomicU32 = AtomicU32::new(0);

/// This work and all before it are abandoned.
static ABANDONED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// Bytes that this thread has allocated and not yet added to the total.
    static COUNT: Cell<isize> = const { Cell::new(0) };
    /// The number of the work that this thread belongs to; 0 means none, and such a thread is never stopped.
    static WORK: Cell<u32> = const { Cell::new(0) };
}

/// The allocator of the process.
pub(crate) struct Counted;

/// Assigns this thread to the work with this number.
pub(crate) fn enter(work: u32) {
    WORK.set(work);
}

/// Returns whether this thread belongs to work that may be stopped.
pub(crate) fn is_work() -> bool {
    WORK.try_with(Cell::get).unwrap_or(0) != 0
}

/// Limits the threads of all work to this number of bytes beyond what is allocated now.
pub(crate) fn limit(bytes: usize) {
    let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
    LIMIT.store(ALLOCATED.load(Ordering::Relaxed).saturating_add(bytes), Ordering::Relaxed);
}

/// Returns whether a thread of this work was stopped at the limit.
pub(crate) fn is_exhausted(work: u32) -> bool {
    EXHAUSTED.load(Ordering::Relaxed) == work
}

/// Stops the threads of this work, and of all work with lower numbers.
pub(crate) fn abandon(work: u32) {
    ABANDONED.fetch_max(work, Ordering::Relaxed);
}

/// Counts bytes before they are allocated; does not return if they exceed the limit.
fn admit(bytes: usize) {
    let bytes = isize::try_from(bytes).unwrap_or(isize::MAX);
    // While a thread ends, it has no number and no count.
    let work = WORK.try_with(Cell::get).unwrap_or(0);
    if work != 0 {
        if work <= ABANDONED.load(Ordering::Relaxed) {
            stop();
        }
        // A large allocation is checked before it starts; small ones are checked when they are counted.
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

/// Counts allocated or freed bytes, and returns whether the total was changed.
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

/// Never returns. Sleeping allocates nothing, whereas parking may allocate.
fn stop() -> ! {
    loop {
        std::thread::sleep(Duration::from_hours(1));
    }
}

// SAFETY: mimalloc does the work; the counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        admit(layout.size());
        // SAFETY: the caller upholds the contract.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        admit(layout.size());
        // SAFETY: the caller upholds the contract.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract.
        unsafe { MiMalloc.dealloc(pointer, layout) }
        count(-size(layout));
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        match new_size.checked_sub(layout.size()) {
            // Old and new block may coexist while one is copied to the other: the new size is admitted, and the old
            // one subtracted later.
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
        // SAFETY: the caller upholds the contract.
        unsafe { MiMalloc.realloc(pointer, layout, new_size) }
    }
}
