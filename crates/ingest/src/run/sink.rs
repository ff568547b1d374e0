//! Destinations for rows.

use arrow::array::RecordBatch;
use podtrail_event::QuarantineRecord;

use crate::error::IngestError;

/// Stores the rows of a run, unit by unit.
pub trait Sink {
    /// Stores the events and quarantined records of one unit. They are durable when this returns.
    fn commit(
        &mut self,
        events: Vec<RecordBatch>,
        quarantine: Vec<QuarantineRecord>,
    ) -> Result<Committed, IngestError>;

    /// Called when all units of a run are stored and the memory for reading is released.
    fn finish(&mut self) {}
}

/// The result of committing the events of one unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Number of new events.
    pub added: u64,
    /// Number of events that were already stored, or that occur more than once in the unit.
    pub duplicates: u64,
}
