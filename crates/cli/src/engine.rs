//! Threads for queries, which can be left behind: a query that cannot be ended, or takes more memory than it may, does not end
//! the process.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::allocator;

/// The stack of each thread, in bytes: plans and expressions are walked by recursion, as deep as a statement may be. Memory is
/// taken as far as it is used.
const STACK: usize = 128 << 20;

/// Memory beside what the queries may use: what is read and decoded, plans, rows on their way out, and the same for each core.
const BESIDE: usize = 512 << 20;
const BESIDE_PER_CORE: usize = 64 << 20;

/// How often it is looked whether the memory is exhausted.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// How long work that was asked to end may take to do so.
const GRACE: Duration = Duration::from_millis(500);

/// The number of the newest engine.
static ENGINES: AtomicU32 = AtomicU32::new(0);

/// Threads, for one piece of work after another.
pub(crate) struct Engine {
    runtime: Option<Runtime>,
    number: u32,
}

/// Why work came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// It took more memory than it may.
    #[error("more memory was needed than {limit} and what is allowed beside it (--memory)")]
    Memory {
        /// What `--memory` says.
        limit: String,
    },
    /// It took too long.
    #[error("the statement took longer than {} (--timeout)", humantime::format_duration(*.0))]
    Time(Duration),
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// It panicked: a defect of podtrail or of the engine.
    #[error("the query engine failed: {0}")]
    Panic(String),
}

impl Engine {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let number = ENGINES.fetch_add(1, Ordering::Relaxed) + 1;
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_stack_size(STACK)
            .on_thread_start(move || allocator::enter(number))
            .build()
            .context("cannot start threads")?;
        Ok(Self { runtime: Some(runtime), number })
    }

    /// Starts work on a thread of its own, which may use so many bytes and some beside.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        memory: usize,
        work: impl FnOnce(&Handle) -> T + Send + 'static,
    ) -> anyhow::Result<Work<T>> {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        allocator::limit(memory.saturating_add(BESIDE).saturating_add(BESIDE_PER_CORE * cores));
        let (sender, result) = oneshot::channel();
        let number = self.number;
        let handle = self.runtime.as_ref().context("there are no threads")?.handle().clone();
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || {
                allocator::enter(number);
                let result = catch_unwind(AssertUnwindSafe(|| work(&handle)));
                // Whoever started it may have left it.
                let _ = sender.send(result.map_err(|panic| message(panic.as_ref())));
            })
            .context("cannot start a thread")?;
        Ok(Work { result, number, memory })
    }

    /// Leaves behind what goes on here: its threads stop where they are, and what they hold stays taken.
    pub(crate) fn abandon(mut self) {
        allocator::abandon(self.number);
        // One of its threads may have stopped while it held a lock that ending it would wait for.
        std::mem::forget(self.runtime.take());
    }

    /// Does work to its end.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        memory: usize,
        work: impl FnOnce(&Handle) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let mut work = self.start(memory, work)?;
        loop {
            tokio::select! {
                biased;
                result = &mut work => return Ok(result?),
                () = tokio::time::sleep(TICK) => {}
            }
            if work.is_exhausted() {
                let error = work.exhausted();
                self.abandon();
                return Err(error.into());
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Work that was started; it can be waited for.
pub(crate) struct Work<T> {
    result: oneshot::Receiver<Result<T, String>>,
    number: u32,
    memory: usize,
}

impl<T> Work<T> {
    /// Whether it was stopped because it took too much memory.
    pub(crate) fn is_exhausted(&self) -> bool {
        allocator::is_exhausted(self.number)
    }

    pub(crate) fn exhausted(&self) -> Stopped {
        Stopped::Memory { limit: indicatif::BinaryBytes(self.memory as u64).to_string() }
    }

    /// What comes of work that was asked to end; nothing if it does not end in time.
    pub(crate) async fn end(&mut self) -> Option<Result<T, Stopped>> {
        let asked = Instant::now();
        while asked.elapsed() < GRACE && !self.is_exhausted() {
            if let Ok(result) = tokio::time::timeout(TICK, &mut *self).await {
                return Some(result);
            }
        }
        None
    }
}

impl<T> Future for Work<T> {
    type Output = Result<T, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.result).poll(context).map(|result| match result {
            Ok(result) => result.map_err(Stopped::Panic),
            Err(_) => Err(Stopped::Panic("its thread ended".to_owned())),
        })
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}
