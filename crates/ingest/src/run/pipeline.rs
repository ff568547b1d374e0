//! The threads of a run: readers, parsers, and the thread that commits.
//!
//! A few readers open, decompress and frame sources, each one source at a time. The rayon pool parses blocks. The
//! calling thread collects rows until they make a commit. Reading and parsing continue meanwhile, within the memory
//! budget.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender};
use podtrail_event::{QuarantineRecord, redact_damaged};

use crate::envelope::Facts;
use crate::error::IngestError;
use crate::run::budget::{Budget, Permit};
use crate::run::clusters::Clusters;
use crate::run::options::Options;
use crate::run::parse::{
    Damaged, Fault, Origin, Parsed, panic_message, parse_joined, parse_safely,
};
use crate::run::progress::Progress;
use crate::run::read::{Outcome, Piece, Reading};
use crate::run::sink::Sink;
use crate::run::split_records::{Line, PIECE, Pieces};
use crate::run::summary::{Problem, Summary};
use crate::source::input::Input;
use crate::source::must_gather::node_of_path;
use crate::source::walk::{Source, SourceKind, Sources};

/// Minimum budget of a block: one row needs 256 KiB, and an archive may have a million members of one row.
const MIN_BLOCK_COST: usize = 128 * 1024;

/// Number of quarantined records of a file that are reported individually.
const REPORTED_PER_FILE: usize = 5;

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
    let expanded = Sources::expand(inputs, &options.exclude);
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
    collector.pieces.keep(&options.pieces, |record| Origin {
        cluster: options.cluster.clone().or_else(|| record.cluster.clone()),
        cluster_field: options.cluster_field.clone(),
        node: node_of_path(&record.source_file),
        file: record.source_file.clone(),
        starts_at: u64::MAX,
        sha256: record.source_sha256.clone(),
        redaction: options.redact.clone(),
    });
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
    collector.sink.finish();

    let logs =
        (0..sources.len()).map(|source| collector.ends.get(&source).map_or(0, |end| end.logs));
    let logs = logs.collect();
    let mut summary = collector.into_summary();
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
    collector.sink.finish();
    Ok(collector.into_summary())
}

/// A message to the collector.
enum Message {
    Parsed(Box<Part>),
    Done { source: usize, outcome: Outcome },
}

/// The rows of one block.
struct Part {
    /// Number of the source, and of the block in it.
    place: (usize, usize),
    origin: Arc<Origin>,
    parsed: Parsed,
    permit: Permit,
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
        self.reading.read(named, stdin, &mut |origin, piece| {
            let bytes = match &piece {
                Piece::Block(block) => block.bytes.len(),
                Piece::Parsed(_, bytes) => *bytes,
            };
            let Some(permit) = self.budget.acquire(bytes.max(MIN_BLOCK_COST)) else { return false };
            let place = (source, block_number);
            block_number += 1;
            let origin = Arc::clone(origin);
            match piece {
                Piece::Parsed(parsed, _) => {
                    let part = Box::new(Part { place, origin, parsed, permit });
                    sender.send(Message::Parsed(part)).is_ok()
                }
                Piece::Block(block) => {
                    let sender = sender.clone();
                    parsers.spawn(move |_| {
                        let parsed = parse_safely(&block, &origin);
                        drop(block);
                        // A closed channel means that the run has ended.
                        let part = Box::new(Part { place, origin, parsed, permit });
                        drop(sender.send(Message::Parsed(part)));
                    });
                    true
                }
            }
        })
    }
}

/// Collects parts and commits them.
struct Collector<'a> {
    sink: &'a mut dyn Sink,
    sources: &'a [Source],
    options: &'a Options,
    progress: &'a dyn Progress,
    pending: Vec<Part>,
    /// Size of `pending` in bytes.
    held: usize,
    faults: BTreeMap<usize, Faults>,
    skips: BTreeMap<usize, Skips>,
    /// How the sources ended, by number.
    ends: BTreeMap<usize, Outcome>,
    clusters: Clusters,
    pieces: Pieces,
    /// Records that were joined from parts, or that turned out not to be parts.
    joined: Vec<(usize, Arc<Origin>, Parsed)>,
    /// Rows that release records from the quarantine.
    releases: Vec<QuarantineRecord>,
    summary: Summary,
}

/// The quarantined records of a source: the first few, and their number.
#[derive(Default)]
struct Faults {
    /// By block number and offset.
    first: BTreeMap<(usize, u64), Problem>,
    count: usize,
}

/// The skipped records of a file: their number, and the kind of the first one.
#[derive(Default)]
struct Skips {
    file: String,
    count: u64,
    what: Option<&'static str>,
}

impl<'a> Collector<'a> {
    fn new(
        sink: &'a mut dyn Sink,
        sources: &'a [Source],
        options: &'a Options,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            sink,
            sources,
            options,
            progress,
            pending: Vec::new(),
            held: 0,
            faults: BTreeMap::new(),
            skips: BTreeMap::new(),
            ends: BTreeMap::new(),
            clusters: Clusters::default(),
            pieces: Pieces::default(),
            joined: Vec::new(),
            releases: Vec::new(),
            summary: Summary::default(),
        }
    }
}

impl Collector<'_> {
    fn run(
        &mut self,
        receiver: &Receiver<Message>,
        mut carried: Option<&mut Vec<Line>>,
    ) -> Result<(), IngestError> {
        if let Some(carried) = &mut carried {
            self.pieces.carry(std::mem::take(carried));
        }
        let stop = &self.options.stop;
        let commit_bytes = self.options.commit_bytes();
        for message in receiver {
            match message {
                Message::Parsed(mut part) => {
                    self.held += part.permit.bytes;
                    let found = std::mem::take(&mut part.parsed.pieces);
                    let most = self.options.max_record_bytes;
                    let lines = self.pieces.take(part.place, &part.origin, found, most);
                    for line in lines {
                        self.join(part.place.0, &line);
                    }
                    self.pending.push(*part);
                }
                Message::Done { source, outcome } => {
                    self.summary.interrupted |= outcome.stopped;
                    self.ends.insert(source, outcome);
                }
            }
            if stop.load(Ordering::Relaxed) {
                self.summary.interrupted = true;
                return Ok(());
            }
            if self.held >= commit_bytes {
                self.commit()?;
            }
        }
        let (whole, loose) = self.pieces.finish();
        for line in whole {
            self.join(0, &line);
        }
        match carried {
            Some(carried) => *carried = loose,
            None => loose.iter().for_each(|line| self.leave(line)),
        }
        self.commit()
    }

    /// Reads a line that was joined, or that has no other parts.
    fn join(&mut self, source: usize, line: &Line) {
        let Some(first) = line.pieces.first() else { return };
        if !(line.pieces.len() == 1 && !first.mark.goes_on || line.begins() && line.ends()) {
            return self.join_last(source, line);
        }
        let record = line.record();
        let may_have_gap = !line.is_numbered();
        let facts = Facts { may_have_gap, ..first.facts.clone() };
        let mut parsed = parse_joined(&record, first.place, &facts, &line.origin);
        if line.pieces.len() > 1 && !parsed.damaged.is_empty() {
            return self.join_last(source, line);
        }
        for damaged in &mut parsed.damaged {
            (damaged.offset, damaged.line) = (first.place.offset, first.place.line);
        }
        if line.pieces.len() > 1 {
            let now = now_micros();
            let kept = self.pieces.kept_of(line);
            let release =
                |record: &QuarantineRecord| record.release("released: joined".into(), now);
            self.releases.extend(kept.iter().map(|record| release(record)));
        }
        self.held += record.len();
        self.joined.push((source, Arc::clone(&line.origin), parsed));
    }

    /// Reads the last event of a line that is not one event, and stores what can be read of those before it.
    fn join_last(&mut self, source: usize, line: &Line) {
        let mut segments = line.segments();
        match segments.pop().filter(|last| !segments.is_empty() && last.ends()) {
            Some(last) => {
                for segment in &segments {
                    self.leave_segment(segment);
                }
                self.join(source, &last);
            }
            None => self.leave(line),
        }
    }

    /// Stores what can be read of an incomplete line, and keeps its parts for a later run.
    fn leave(&mut self, line: &Line) {
        for segment in line.segments() {
            self.leave_segment(&segment);
        }
    }

    fn leave_segment(&mut self, line: &Line) {
        let new: Vec<_> = line.pieces.iter().filter(|piece| piece.kept.is_none()).collect();
        let Some(first) = new.first() else { return };
        let missing = match (line.begins(), line.ends()) {
            (true, true) => "the text between its parts",
            (true, false) => "the text after it",
            (false, true) => "the text before it",
            (false, false) => "the text before and after it",
        };
        let mut parsed = Parsed::default();
        if let [piece] = new.as_slice()
            && !piece.mark.goes_on
        {
            // It may be a complete line of another control plane component.
            let line_of_its_own = parse_joined(&piece.raw, piece.place, &piece.facts, &line.origin);
            if line_of_its_own.damaged.is_empty() {
                self.joined.push((0, Arc::clone(&line.origin), line_of_its_own));
                return;
            }
        }
        if line.begins() {
            let record = line.record();
            let facts = Facts { truncated: true, ..first.facts.clone() };
            let salvaged = parse_joined(&record, first.place, &facts, &line.origin);
            (parsed.events, parsed.batches) = (salvaged.events, salvaged.batches);
        }
        for piece in new {
            parsed.damaged.push(Damaged {
                fault: Fault::Broken,
                offset: piece.place.offset,
                line: piece.place.line,
                length: piece.raw.len() as u64,
                bytes: piece.raw.clone(),
                reason: format!(
                    "{PIECE}, without {missing}: ingest the log that contains it, with this one or later; \
                     if none does, raise the shipper's size limit or let it join lines"
                ),
            });
        }
        self.held += line.records().len();
        self.joined.push((0, Arc::clone(&line.origin), parsed));
    }

    fn commit(&mut self) -> Result<(), IngestError> {
        let mut parts = std::mem::take(&mut self.pending);
        self.held = 0;
        parts.sort_by_key(|part| part.place);
        let quarantined_at = now_micros();

        let mut events = Vec::new();
        let mut quarantine = Vec::new();
        let mut permits = Vec::new();
        let mut count = 0;
        for mut part in parts {
            count += part.parsed.events;
            let clusters = std::mem::take(&mut part.parsed.clusters);
            self.clusters.merge(clusters);
            if part.parsed.skipped > 0 {
                let skips = self.skips.entry(part.place.0).or_default();
                skips.add(&part.origin.file, &part.parsed);
                self.summary.skipped += part.parsed.skipped;
            }
            events.extend(part.parsed.batches);
            for damaged in part.parsed.damaged {
                let (source, block) = part.place;
                let faults = self.faults.entry(source).or_default();
                faults.add(block, &part.origin.file, &damaged);
                quarantine.push(quarantine_record(&part.origin, damaged, quarantined_at));
            }
            permits.push(part.permit);
        }
        for (source, origin, parsed) in std::mem::take(&mut self.joined) {
            count += parsed.events;
            if parsed.skipped > 0 {
                self.skips.entry(source).or_default().add(&origin.file, &parsed);
                self.summary.skipped += parsed.skipped;
            }
            self.clusters.merge(parsed.clusters);
            events.extend(parsed.batches);
            for damaged in parsed.damaged {
                self.faults.entry(source).or_default().add(usize::MAX, &origin.file, &damaged);
                quarantine.push(quarantine_record(&origin, damaged, quarantined_at));
            }
        }
        if events.is_empty() && quarantine.is_empty() {
            return Ok(());
        }
        let quarantined = quarantine.len() as u64;
        quarantine.append(&mut self.releases);
        let committed = self.sink.commit(events, quarantine)?;
        self.summary.records += count + quarantined;
        self.summary.quarantined += quarantined;
        self.summary.events_added += committed.added;
        self.summary.duplicates += committed.duplicates;
        self.progress.committed(committed.added);
        Ok(())
    }

    /// Returns the summary, with problems in the order of the sources.
    fn into_summary(mut self) -> Summary {
        for (source, outcome) in self.ends {
            self.summary.files += outcome.logs;
            self.summary.problems.extend(outcome.problems);
            self.summary.notes.extend(outcome.notes);
            self.summary.notes.extend(self.skips.remove(&source).map(Skips::into_note));
            if let Some(faults) = self.faults.remove(&source) {
                let name = &self.sources[source].name;
                self.summary.problems.extend(faults.into_problems(name));
            }
        }
        // Of sources whose reading was stopped.
        for (source, faults) in self.faults {
            let name = self.sources.get(source).map_or("", |source| &source.name);
            self.summary.problems.extend(faults.into_problems(name));
        }
        self.summary.notes.extend(self.skips.into_values().map(Skips::into_note));
        self.summary.warnings = self.clusters.warnings(self.options.cluster_field.as_deref());
        self.summary
    }
}

impl Skips {
    fn add(&mut self, file: &str, parsed: &Parsed) {
        if self.count == 0 {
            file.clone_into(&mut self.file);
        }
        self.count += parsed.skipped;
        self.what = self.what.or(parsed.skipped_as);
    }

    fn into_note(self) -> Problem {
        let what = self.what.map_or(String::new(), |what| format!(", for example {what}"));
        let records =
            if self.count == 1 { "1 record was" } else { &format!("{} records were", self.count) };
        let message = format!("{records} skipped (no audit event){what}");
        Problem::of_file(&self.file, message)
    }
}

impl Faults {
    fn add(&mut self, block: usize, file: &str, damaged: &Damaged) {
        self.count += 1;
        let message = format!("quarantined: {}", damaged.reason);
        let (offset, line) = (Some(damaged.offset), Some(damaged.line));
        let problem = Problem { file: file.to_owned(), offset, line, message };
        self.first.insert((block, damaged.offset), problem);
        if self.first.len() > REPORTED_PER_FILE {
            self.first.pop_last();
        }
    }

    fn into_problems(self, source: &str) -> Vec<Problem> {
        let unreported = self.count - self.first.len();
        let mut problems: Vec<_> = self.first.into_values().collect();
        if unreported > 0 {
            let message = format!("{unreported} more records quarantined");
            problems.push(Problem::of_file(source, message));
        }
        problems
    }
}

/// Returns the current time in microseconds since the Unix epoch.
pub(crate) fn now_micros() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|age| i64::try_from(age.as_micros()).ok())
        .unwrap_or_default()
}

/// Returns the row of a damaged record. The time is in microseconds since the Unix epoch.
pub(crate) fn quarantine_record(
    origin: &Origin,
    damaged: Damaged,
    quarantined_at: i64,
) -> QuarantineRecord {
    let key = origin.redaction.as_ref().filter(|_| damaged.fault != Fault::Nul);
    let bytes = key.and_then(|key| redact_damaged(&damaged.bytes, key)).unwrap_or(damaged.bytes);
    let length = damaged.length.max(bytes.len() as u64);
    QuarantineRecord {
        source_file: origin.file.clone(),
        source_sha256: origin.sha256.clone(),
        source_line: i64::try_from(damaged.line).ok(),
        source_offset: i64::try_from(damaged.offset).unwrap_or(i64::MAX),
        cluster: origin.cluster.clone(),
        length: i64::try_from(length).unwrap_or(i64::MAX),
        reason: damaged.reason,
        quarantined_at,
        bytes,
        releases: None,
    }
}
