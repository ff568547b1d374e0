//! The last stage of a run: collects parsed blocks, joins split records, and commits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::Receiver;
use podtrail_event::QuarantineRecord;

use crate::envelope::candidate::Facts;
use crate::error::IngestError;
use crate::run::budget::Permit;
use crate::run::clock::now_micros;
use crate::run::clusters::Clusters;
use crate::run::options::Options;
use crate::run::parse::{Damaged, Fault, Origin, Parsed, parse_joined};
use crate::run::progress::Progress;
use crate::run::quarantine::quarantine_record;
use crate::run::read::Outcome;
use crate::run::sink::Sink;
use crate::run::split_records::{Line, PIECE, SplitRecords};
use crate::run::summary::{Problem, Summary};
use crate::source::walk::Source;

/// Number of quarantined records of a file that are reported individually.
const REPORTED_PER_FILE: usize = 5;

/// A message to the collector.
pub(crate) enum Message {
    Parsed(Box<ParsedBlock>),
    Done { source: usize, outcome: Outcome },
}

/// The rows of one block.
pub(crate) struct ParsedBlock {
    /// Number of the source, and of the block in it.
    pub(crate) place: (usize, usize),
    pub(crate) origin: Arc<Origin>,
    pub(crate) parsed: Parsed,
    pub(crate) permit: Permit,
}

/// Collects parsed blocks and commits them.
pub(crate) struct Collector<'a> {
    sink: &'a mut dyn Sink,
    sources: &'a [Source],
    options: &'a Options,
    progress: &'a dyn Progress,
    pending: Vec<ParsedBlock>,
    /// Size of `pending` in bytes.
    held: usize,
    faults: BTreeMap<usize, Faults>,
    skips: BTreeMap<usize, Skips>,
    /// How the sources ended, by number.
    ends: BTreeMap<usize, Outcome>,
    clusters: Clusters,
    split_records: SplitRecords,
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
    pub(crate) fn new(
        sink: &'a mut dyn Sink,
        sources: &'a [Source],
        options: &'a Options,
        progress: &'a dyn Progress,
    ) -> Self {
        let mut split_records = SplitRecords::default();
        split_records.keep(options);
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
            split_records,
            joined: Vec::new(),
            releases: Vec::new(),
            summary: Summary::default(),
        }
    }
}

impl Collector<'_> {
    pub(crate) fn run(
        &mut self,
        receiver: &Receiver<Message>,
        mut carried: Option<&mut Vec<Line>>,
    ) -> Result<(), IngestError> {
        if let Some(carried) = &mut carried {
            self.split_records.carry(std::mem::take(carried));
        }
        let stop = &self.options.stop;
        let commit_bytes = self.options.commit_bytes();
        for message in receiver {
            match message {
                Message::Parsed(mut block) => {
                    self.held += block.permit.bytes;
                    let found = std::mem::take(&mut block.parsed.pieces);
                    let most = self.options.max_record_bytes;
                    let lines = self.split_records.take(block.place, &block.origin, found, most);
                    for line in lines {
                        self.join(block.place.0, &line);
                    }
                    self.pending.push(*block);
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
        let (whole, loose) = self.split_records.finish();
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
        let Some(first) = line.parts.first() else { return };
        if !(line.parts.len() == 1 && !first.mark.goes_on || line.begins() && line.ends()) {
            return self.join_last(source, line);
        }
        let record = line.record();
        let may_have_gap = !line.is_numbered();
        let facts = Facts { may_have_gap, ..first.facts.clone() };
        let mut parsed = parse_joined(&record, first.place, &facts, &line.origin);
        if line.parts.len() > 1 && !parsed.damaged.is_empty() {
            return self.join_last(source, line);
        }
        for damaged in &mut parsed.damaged {
            (damaged.offset, damaged.line) = (first.place.offset, first.place.line);
        }
        if line.parts.len() > 1 {
            let now = now_micros();
            let kept = self.split_records.kept_of(line);
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
    pub(crate) fn leave(&mut self, line: &Line) {
        for segment in line.segments() {
            self.leave_segment(&segment);
        }
    }

    fn leave_segment(&mut self, line: &Line) {
        let new: Vec<_> = line.parts.iter().filter(|part| part.kept.is_none()).collect();
        let Some(first) = new.first() else { return };
        let missing = match (line.begins(), line.ends()) {
            (true, true) => "the text between its parts",
            (true, false) => "the text after it",
            (false, true) => "the text before it",
            (false, false) => "the text before and after it",
        };
        let mut parsed = Parsed::default();
        if let [part] = new.as_slice()
            && !part.mark.goes_on
        {
            // It may be a complete line of another control plane component.
            let line_of_its_own = parse_joined(&part.raw, part.place, &part.facts, &line.origin);
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
        for part in new {
            parsed.damaged.push(Damaged {
                fault: Fault::Broken,
                offset: part.place.offset,
                line: part.place.line,
                length: part.raw.len() as u64,
                bytes: part.raw.clone(),
                reason: format!(
                    "{PIECE}, without {missing}: ingest the log that contains it, with this one or later; \
                     if none does, raise the shipper's size limit or let it join lines"
                ),
            });
        }
        self.held += line.records().len();
        self.joined.push((0, Arc::clone(&line.origin), parsed));
    }

    pub(crate) fn commit(&mut self) -> Result<(), IngestError> {
        let mut blocks = std::mem::take(&mut self.pending);
        self.held = 0;
        blocks.sort_by_key(|block| block.place);
        let quarantined_at = now_micros();

        let mut events = Vec::new();
        let mut quarantine = Vec::new();
        let mut permits = Vec::new();
        let mut count = 0;
        let blocks = blocks.into_iter().map(|block| {
            permits.push(block.permit);
            (block.place, block.origin, block.parsed)
        });
        let joined = std::mem::take(&mut self.joined).into_iter();
        let joined = joined.map(|(source, origin, parsed)| ((source, usize::MAX), origin, parsed));
        for ((source, number), origin, parsed) in blocks.chain(joined) {
            count += parsed.events;
            if parsed.skipped > 0 {
                self.skips.entry(source).or_default().add(&origin.file, &parsed);
                self.summary.skipped += parsed.skipped;
            }
            self.clusters.merge(parsed.clusters);
            events.extend(parsed.batches);
            for damaged in parsed.damaged {
                self.faults.entry(source).or_default().add(number, &origin.file, &damaged);
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

    /// Ends the run: returns its summary, with problems in the order of the sources, and the number of logs in each
    /// source.
    pub(crate) fn finish(mut self) -> (Summary, Vec<u64>) {
        self.sink.finish();
        let logs = |source| self.ends.get(&source).map_or(0, |end| end.logs);
        let logs = (0..self.sources.len()).map(logs).collect();
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
        (self.summary, logs)
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
