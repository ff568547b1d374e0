//! Where rows go.

use arrow::array::RecordBatch;
use podtrail_lake::{Lake, QuarantineRecord, quarantine_batch};
use tokio::runtime::Handle;

use crate::error::IngestError;

/// Takes the rows of a run, unit by unit.
pub trait Sink {
    /// Stores the events and quarantined records of one unit. They are safe when this returns.
    fn commit(
        &mut self,
        events: Vec<RecordBatch>,
        quarantine: Vec<QuarantineRecord>,
    ) -> Result<Committed, IngestError>;
}

/// What became of the events of one unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Events that were new.
    pub added: u64,
    /// Events that were there already, or more than once in the unit.
    pub duplicates: u64,
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
