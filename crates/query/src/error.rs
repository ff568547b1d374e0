//! What can go wrong in a query.

use datafusion::error::DataFusionError;
use podtrail_lake::LakeError;

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The lake could not be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The statement is wrong, refused, or failed while it ran.
    #[error("{}", .0.strip_backtrace())]
    Sql(#[from] DataFusionError),
}
