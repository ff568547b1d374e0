//! The errors of runs.

use std::time::Duration;

use podtrail_lake::LakeError;
use podtrail_query::QueryError;
use tokio::task::JoinError;

use crate::indicators::IndicatorError;
use crate::pack::detection::ParameterError;

/// Why a detection failed.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// Its query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Its query panicked, which is a bug in podtrail, or was cancelled because the program ends.
    #[error("query task panicked or was cancelled: {0}")]
    Task(JoinError),
    /// Its query exceeded the time limit.
    #[error("query took longer than {} (see --detection-timeout)", humantime::format_duration(*.0))]
    Time(Duration),
    /// Its query returned an unknown severity.
    #[error("query returned unknown severity '{0}'; expected info, low, medium, high or critical")]
    Severity(String),
    /// The default of a parameter does not have its type.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// Its query lacks a column that every detection must return.
    #[error("query must return a string column '{0}'")]
    Column(&'static str),
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The lake cannot be read or written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The shared tables and views cannot be queried.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The stored indicators cannot be read.
    #[error(transparent)]
    Indicators(#[from] IndicatorError),
}
