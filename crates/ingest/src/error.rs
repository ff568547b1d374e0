//! What ends a run.

/// Why a run ended before its input did.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The lake did not take the rows.
    #[cfg(feature = "lake")]
    #[error(transparent)]
    Lake(#[from] podtrail_lake::LakeError),
    /// Quarantined records could not be made rows.
    #[error("cannot build quarantine rows: {0}")]
    Rows(#[from] arrow::error::ArrowError),
}
