//! The error that ends a run.

/// Why a run ended before all input was read.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The lake rejected the rows.
    #[cfg(feature = "lake")]
    #[error(transparent)]
    Lake(#[from] podtrail_lake::LakeError),
    /// The rows of quarantined records could not be built.
    #[error("cannot build quarantine rows: {0}")]
    Rows(#[from] arrow::error::ArrowError),
}
