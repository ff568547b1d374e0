//! Query threads that can be abandoned: a query that cannot be cancelled, or exceeds its memory, does not end the
//! process.

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

/// The stack size of each thread, in bytes: plans and expressions are walked recursively, as deep as a statement may
/// nest. The operating system commits only the part that is used.
pub(crate) const STACK: usize = 128 << 20;

/// Memory beyond the query limit, in bytes, for decoding, plans and output rows, plus the same per core.
const BESIDE: usize = 512 << 20;
const BESIDE_PER_CORE: usize = 64 << 20;

/// The interval at which memory exhaustion is checked.
pub(crate) const TICK: Duration = Duration::from_millis(20);

/// How long cancelled work may take to end.
const GRACE: Duration = Duration::from_millis(500);

/// The number of the newest engine.
static ENGINES: AtomicU32 = AtomicU32::new(0);

/// Threads that run work one piece after another.
pub(crate) struct Engine {
    runtime: Option<Runtime>,
    number: u32,
}

/// Why work ended without a result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    /// It exceeded its memory.
    #[error(
        "query exceeded the memory limit of {limit} and its reserve; increase it with --memory or narrow the query"
    )]
    Memory {
        /// The value of `--memory`.
        limit: String,
    },
    /// It exceeded its time.
    #[error("the statement took longer than {} (see --timeout)", humantime::format_duration(*.0))]
    Time(Duration),
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// It panicked: a bug in podtrail or in the query engine.
    #[error("query task panicked or was cancelled: {0}")]
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

    /// Starts work on a thread of its own, limited to this number of bytes plus the reserve.
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
                // The caller may have stopped waiting.
                let _ = sender.send(result.map_err(|panic| message(panic.as_ref())));
            })
            .context("cannot start a thread")?;
        Ok(Work { result, number, memory })
    }

    /// Abandons the running work: its threads stop where they are, and its memory stays allocated.
    pub(crate) fn abandon(mut self) {
        allocator::abandon(self.number);
        // Dropping the runtime could wait for a lock that a stopped thread holds.
        std::mem::forget(self.runtime.take());
    }

    /// Runs work to its end.
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

/// Work in progress, which can be awaited.
pub(crate) struct Work<T> {
    result: oneshot::Receiver<Result<T, String>>,
    number: u32,
    memory: usize,
}

impl<T> Work<T> {
    /// Returns whether the work was stopped because it exceeded its memory.
    pub(crate) fn is_exhausted(&self) -> bool {
        allocator::is_exhausted(self.number)
    }

    pub(crate) fn exhausted(&self) -> Stopped {
        Stopped::Memory { limit: indicatif::BinaryBytes(self.memory as u64).to_string() }
    }

    /// Returns the result of cancelled work, or `None` if it does not end in time.
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
