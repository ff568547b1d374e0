//! The threads of a run: readers, parsers, and the thread that commits.
//!
//! A few readers open, decompress and frame sources, each one source at a time. The rayon pool parses blocks. The
//! calling thread collects rows until they make a commit. Reading and parsing continue meanwhile, within the memory
//! budget.

use std::io::Read;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crossbeam_channel::Sender;

use crate::error::IngestError;
use crate::run::budget::Budget;
use crate::run::collector::{Collector, Message, ParsedBlock};
use crate::run::options::Options;
use crate::run::parse::{panic_message, parse_safely};
use crate::run::progress::Progress;
use crate::run::read::{Outcome, ReadBlock, Reading};
use crate::run::sink::Sink;
use crate::run::split_records::Line;
use crate::run::summary::{Problem, Summary};
use crate::source::input::Input;
use crate::source::walk::{Source, SourceKind, Sources};

/// Minimum budget of a block: one row needs 256 KiB, and an archive may have a million members of one row.
const MIN_BLOCK_COST: usize = 128 * 1024;

/// Reads `inputs` into `sink`, with `stdin` for [`Input::Stdin`].
///
/// # Errors
/// Returns an error if the sink rejects the rows.
pub fn ingest_into(
    sink: &mut dyn Sink,
    stdin: Box<dyn Read + Send>,
    inputs: &[Input],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Summary, IngestError> {
    let expanded = Sources::expand(inputs, &options.exclude, options.shard);
    progress.started(expanded.sources.len(), expanded.bytes_total);
    let Run { mut summary, .. } = run(sink, stdin, &expanded.sources, options, progress, None)?;
    summary.problems.splice(0..0, expanded.problems);
    summary.notes.splice(0..0, expanded.notes);
    Ok(summary)
}

/// The result of reading some sources.
pub(crate) struct Run {
    pub(crate) summary: Summary,
    /// Number of logs in each source.
    pub(crate) logs: Vec<u64>,
}

/// Reads `sources` into `sink`. With `carried`, incomplete split records wait for the next run.
pub(crate) fn run(
    sink: &mut dyn Sink,
    stdin: Box<dyn Read + Send>,
    sources: &[Source],
    options: &Options,
    progress: &dyn Progress,
    carried: Option<&mut Vec<Line>>,
) -> Result<Run, IngestError> {
    let started = Instant::now();
    let bytes_read = AtomicU64::new(0);
    let budget = Budget::new(options.memory_bytes);
    let readers = &Readers {
        sources,
        next: AtomicUsize::new(0),
        stdin: Mutex::new(Some(stdin)),
        reading: Reading { options, progress, bytes_read: &bytes_read },
        budget: &budget,
    };
    let mut collector = Collector::new(sink, sources, options, progress);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (sender, receiver) = crossbeam_channel::unbounded();
    let result = rayon::in_place_scope(|parsers| {
        thread::scope(|threads| {
            for _ in 0..cores.min(sources.len()) {
                let sender = sender.clone();
                threads.spawn(move || readers.run(parsers, &sender));
            }
            drop(sender);
            let result = collector.run(&receiver, carried);
            budget.close();
            // Work still in progress must find the channel closed and its permits released.
            drop(receiver);
            result
        })
    });
    result?;
    let (mut summary, logs) = collector.finish();
    summary.bytes_read = bytes_read.into_inner();
    summary.seconds = started.elapsed().as_secs_f64();
    Ok(Run { summary, logs })
}

/// Stores what can be read of split records whose other parts did not arrive.
pub(crate) fn leave(
    sink: &mut dyn Sink,
    options: &Options,
    progress: &dyn Progress,
    lines: &mut Vec<Line>,
) -> Result<Summary, IngestError> {
    let mut collector = Collector::new(sink, &[], options, progress);
    for line in lines.drain(..) {
        collector.leave(&line);
    }
    collector.commit()?;
    Ok(collector.finish().0)
}

/// The readers, which share the sources.
struct Readers<'a> {
    sources: &'a [Source],
    next: AtomicUsize,
    stdin: Mutex<Option<Box<dyn Read + Send>>>,
    reading: Reading<'a>,
    budget: &'a Arc<Budget>,
}

impl Readers<'_> {
    /// Reads sources until none are left.
    fn run(&self, parsers: &rayon::Scope<'_>, sender: &Sender<Message>) {
        loop {
            let source = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(named) = self.sources.get(source) else { return };
            let read = || self.read(source, named, parsers, sender);
            // A bug in a decoder affects only its source.
            let outcome = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
                let message =
                    format!("internal error in podtrail (a bug): {}", panic_message(&*panic));
                let problems = vec![Problem::of_file(&named.name, message)];
                Outcome { problems, ..Outcome::default() }
            });
            self.reading.progress.file_done(&named.name);
            let stopped = outcome.stopped;
            if sender.send(Message::Done { source, outcome }).is_err() || stopped {
                return;
            }
        }
    }

    fn read(
        &self,
        source: usize,
        named: &Source,
        parsers: &rayon::Scope<'_>,
        sender: &Sender<Message>,
    ) -> Outcome {
        let stdin = match named.kind {
            SourceKind::Stdin => self.stdin.lock().unwrap_or_else(PoisonError::into_inner).take(),
            _ => None,
        };
        let mut block_number = 0;
        self.reading.read(named, stdin, &mut |origin, block| {
            let bytes = match &block {
                ReadBlock::Unparsed(block) => block.bytes.len(),
                ReadBlock::Parsed(_, bytes) => *bytes,
            };
            let Some(permit) = self.budget.acquire(bytes.max(MIN_BLOCK_COST)) else { return false };
            let place = (source, block_number);
            block_number += 1;
            let origin = Arc::clone(origin);
            match block {
                ReadBlock::Parsed(parsed, _) => {
                    let block = Box::new(ParsedBlock { place, origin, parsed, permit });
                    sender.send(Message::Parsed(block)).is_ok()
                }
                ReadBlock::Unparsed(block) => {
                    let sender = sender.clone();
                    parsers.spawn(move |_| {
                        let parsed = parse_safely(&block, &origin);
                        drop(block);
                        let block = Box::new(ParsedBlock { place, origin, parsed, permit });
                        // A closed channel means that the run has ended.
                        drop(sender.send(Message::Parsed(block)));
                    });
                    true
                }
            }
        })
    }
}
