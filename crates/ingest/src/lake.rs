//! Into a lake.

use std::io;

use arrow::array::RecordBatch;
use podtrail_event::{QuarantineRecord, quarantine_batch};
use podtrail_lake::Lake;
use tokio::runtime::Handle;

use crate::error::IngestError;
use crate::input::Input;
use crate::options::Options;
use crate::pipeline::ingest_into;
use crate::progress::Progress;
use crate::sink::{Committed, Sink};
use crate::summary::Summary;

/// Reads `inputs` into the `events` and `quarantine` tables of `lake`.
///
/// Must not be called from a thread that runs asynchronous tasks: it blocks, and waits for futures on `runtime`.
///
/// # Errors
/// When the lake does not take the rows. Whatever is wrong with the input is in the summary instead.
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

/// Stores in a [`Lake`].
pub struct LakeSink<'a> {
    lake: &'a Lake,
    runtime: &'a Handle,
}

impl<'a> LakeSink<'a> {
    /// Stores in `lake`, whose futures run on `runtime`.
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
        // Quarantine first: when the run is killed in between, a repetition finds the events missing and does both again.
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
}
