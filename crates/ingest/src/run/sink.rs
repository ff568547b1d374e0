//! Where rows go.

use arrow::array::RecordBatch;
use podtrail_event::QuarantineRecord;

use crate::error::IngestError;

/// Takes the rows of a run, unit by unit.
pub trait Sink {
    /// Stores the events and quarantined records of one unit. They are safe when this returns.
    fn commit(
        &mut self,
        events: Vec<RecordBatch>,
        quarantine: Vec<QuarantineRecord>,
    ) -> Result<Committed, IngestError>;

    /// Hears that all units of a run are stored, and what was read of them is no longer in memory.
    fn finish(&mut self) {}
}

/// What became of the events of one unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Events that were new.
    pub added: u64,
    /// Events that were there already, or more than once in the unit.
    pub duplicates: u64,
}
