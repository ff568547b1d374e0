//! What ends a run.

use podtrail_lake::LakeError;

/// Why a run ended before its input did.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The lake did not take the rows.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// Quarantined records could not be made rows.
    #[error("cannot build the quarantine rows: {0}")]
    Rows(#[from] arrow::error::ArrowError),
}
