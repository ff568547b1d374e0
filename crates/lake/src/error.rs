//! Errors of a lake.

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// The reason why a lake could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The lake does not contain a table of this name.
    #[error(
        "{lake} does not contain a podtrail table `{table}`; create one with `podtrail ingest --lake LAKE`"
    )]
    NoTable {
        /// The lake, as it was given.
        lake: String,
        /// The expected table.
        table: &'static str,
    },
    /// The lake cannot be reached, or its location is not supported.
    #[error("cannot open {location}: {detail}")]
    Location {
        /// The location, as it was given.
        location: String,
        /// What is missing or wrong.
        detail: String,
    },
    /// A file, directory or object could not be read or written.
    #[error("cannot {action} {place}: {source}")]
    Io {
        /// What was attempted, such as `write`.
        action: &'static str,
        /// The path or URL.
        place: String,
        /// The error of the operating system or of the store.
        source: std::io::Error,
    },
    /// The transaction log is damaged.
    #[error(
        "table `{table}` is damaged: {path}: {detail}; run `podtrail lake verify` for all problems"
    )]
    Damaged {
        /// The table.
        table: &'static str,
        /// The file of the log, inside the table.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A data file could not be read or written.
    #[error("cannot {action} {place}: {source}")]
    Parquet {
        /// What was attempted, such as `read`.
        action: &'static str,
        /// The path or URL of the data file.
        place: String,
        /// The error of the Parquet library.
        source: ParquetError,
    },
    /// The rows of files could not be read for rewriting.
    #[error(
        "cannot read the rows in {partition} of table `{table}`: {detail}; run `podtrail lake verify` to find the file"
    )]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The directory of the partition, inside the table.
        partition: String,
        /// What went wrong.
        detail: String,
    },
    /// A computation on columns in memory failed.
    #[error("table `{table}`: {source}")]
    Arrow {
        /// The table.
        table: &'static str,
        /// The error of the Arrow library.
        source: ArrowError,
    },
    /// Rows do not fit the table.
    #[error("rows do not fit table `{table}`: {detail}")]
    Rows {
        /// The table.
        table: &'static str,
        /// The mismatch.
        detail: String,
    },
    /// The table was created by another program or version, and uses an unsupported feature.
    #[error("table `{table}` is not supported: {detail}")]
    Unsupported {
        /// The table.
        table: &'static str,
        /// What is not supported.
        detail: String,
    },
    /// The key file for redactions does not contain a key.
    #[error(
        "{place} does not contain a key of 64 hexadecimal digits; restore it from a copy, or remove it, which changes the digests of secrets"
    )]
    RedactionKey {
        /// The path or URL of the file.
        place: String,
    },
    /// Other writers committed first each time.
    #[error(
        "cannot commit to table `{table}`: other writers committed first in {attempts} attempts"
    )]
    Contention {
        /// The table.
        table: &'static str,
        /// The number of attempts.
        attempts: usize,
    },
    /// The commit failed, and it is unknown whether it took effect. Appending the same rows again is safe.
    #[error(
        "table `{table}`: unknown whether the commit took effect; append the rows again: {source}"
    )]
    UnknownOutcome {
        /// The table.
        table: &'static str,
        /// The error of the store.
        source: std::io::Error,
    },
    /// The runtime shut down before the work was complete.
    #[error("table `{table}`: the task was cancelled")]
    Cancelled {
        /// The table.
        table: &'static str,
    },
}

impl LakeError {
    pub(crate) fn io(
        action: &'static str,
        place: impl Into<String>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let place = place.into();
        move |source| Self::Io { action, place, source }
    }

    pub(crate) fn parquet(
        action: &'static str,
        place: impl Into<String>,
    ) -> impl FnOnce(ParquetError) -> Self {
        let place = place.into();
        move |source| Self::Parquet { action, place, source }
    }

    pub(crate) fn arrow(table: &'static str) -> impl FnOnce(ArrowError) -> Self {
        move |source| Self::Arrow { table, source }
    }

    /// Returns the error for rows with other columns than the table.
    pub(crate) fn other_columns(table: &'static str) -> Self {
        Self::Rows { table, detail: "other columns than the table has".to_owned() }
    }
}
