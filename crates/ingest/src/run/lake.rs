//! Ingestion into a lake.

use std::io;

use arrow::array::RecordBatch;
use podtrail_event::{QuarantineRecord, quarantine_batch};
use podtrail_lake::Lake;
use tokio::runtime::Handle;

use crate::error::IngestError;
use crate::run::options::Options;
use crate::run::pipeline::ingest_into;
use crate::run::progress::Progress;
use crate::run::retry::retry;
use crate::run::sink::{Committed, Sink};
use crate::run::summary::Summary;
use crate::source::input::Input;

/// Reads `inputs` into the `events` and `quarantine` tables of `lake`.
///
/// Must not be called from a thread that runs asynchronous tasks: it blocks, and waits for futures on `runtime`.
///
/// # Errors
/// Returns an error if the lake rejects the rows. Problems of the input are in the summary instead.
pub fn ingest(
    lake: &Lake,
    runtime: &Handle,
    inputs: &[Input],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Summary, IngestError> {
    let mut sink = LakeSink::new(lake, runtime);
    ingest_into(&mut sink, Box::new(io::stdin()), inputs, options, progress)
}

/// A sink that stores in a [`Lake`].
pub struct LakeSink<'a> {
    lake: &'a Lake,
    runtime: &'a Handle,
}

impl<'a> LakeSink<'a> {
    /// Creates a sink that stores in `lake`, whose futures run on `runtime`.
    pub fn new(lake: &'a Lake, runtime: &'a Handle) -> Self {
        Self { lake, runtime }
    }
}

impl Sink for LakeSink<'_> {
    fn commit(
        &mut self,
        events: Vec<RecordBatch>,
        quarantine: Vec<QuarantineRecord>,
    ) -> Result<Committed, IngestError> {
        // Quarantine first: if the run is killed in between, the next run finds the events missing and stores both
        // again.
        if !quarantine.is_empty() {
            let batch = quarantine_batch(&quarantine)?;
            self.runtime.block_on(self.lake.append_quarantine(batch))?;
        }
        if events.is_empty() {
            return Ok(Committed::default());
        }
        let appended = self.runtime.block_on(self.lake.append_events(events))?;
        Ok(Committed { added: appended.rows, duplicates: appended.duplicates })
    }

    fn finish(&mut self) {
        self.runtime.block_on(self.lake.checkpoint());
    }
}

/// Reads quarantined records of a lake again, and stores their events in it.
pub struct Retry<'a> {
    lake: &'a Lake,
    runtime: &'a Handle,
    options: &'a Options,
    events: Vec<RecordBatch>,
    quarantine: Vec<QuarantineRecord>,
    held: usize,
    summary: RetrySummary,
}

/// The result of reading quarantined records again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetrySummary {
    /// Number of records read.
    pub records: u64,
    /// Number of those that were released from the quarantine.
    pub released: u64,
    /// Number of events new in the lake.
    pub events_added: u64,
    /// Number of events that the lake already had.
    pub duplicates: u64,
    /// Number of records of which only a part was kept: their files must be ingested again.
    pub cut: u64,
}

impl<'a> Retry<'a> {
    /// Creates a retry for the records of `lake`, whose futures run on `runtime`.
    pub fn new(lake: &'a Lake, runtime: &'a Handle, options: &'a Options) -> Self {
        let summary = RetrySummary::default();
        Self { lake, runtime, options, events: vec![], quarantine: vec![], held: 0, summary }
    }

    /// Reads records. Their events are safe after [`finish`](Self::finish).
    ///
    /// # Errors
    /// Returns an error if the lake rejects the rows.
    pub fn add(&mut self, records: &[QuarantineRecord]) -> Result<(), IngestError> {
        for record in records {
            self.summary.records += 1;
            self.summary.cut += u64::from(record.is_cut());
            let Some(retried) = retry(record, self.options) else { continue };
            self.held += record.bytes.len();
            self.events.extend(retried.events);
            self.quarantine.extend(retried.refused);
            self.quarantine.push(retried.release);
            if self.held >= self.options.commit_bytes() {
                self.commit()?;
            }
        }
        Ok(())
    }

    /// Stores the remaining rows.
    ///
    /// # Errors
    /// Returns an error if the lake rejects the rows.
    pub fn finish(mut self) -> Result<RetrySummary, IngestError> {
        self.commit()?;
        self.runtime.block_on(self.lake.checkpoint());
        Ok(self.summary)
    }

    /// Commits events first: if the run is killed in between, the records stay in the quarantine, and the next run
    /// finds their events in the lake.
    fn commit(&mut self) -> Result<(), IngestError> {
        self.held = 0;
        if self.quarantine.is_empty() {
            return Ok(());
        }
        let events = std::mem::take(&mut self.events);
        let appended = self.runtime.block_on(self.lake.append_events(events))?;
        self.summary.events_added += appended.rows;
        self.summary.duplicates += appended.duplicates;
        let quarantine = std::mem::take(&mut self.quarantine);
        let batch = quarantine_batch(&quarantine)?;
        self.runtime.block_on(self.lake.append_quarantine(batch))?;
        self.summary.released +=
            quarantine.iter().filter(|record| record.releases.is_some()).count() as u64;
        Ok(())
    }
}
