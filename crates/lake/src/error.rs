//! What can go wrong with a lake.

use std::path::{Path, PathBuf};

use arrow::error::ArrowError;
use deltalake::DeltaTableError;
use parquet::errors::ParquetError;

/// Why a lake could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The directory has no table of this name.
    #[error("{} holds no podtrail table `{table}`; `podtrail ingest --lake DIR` makes one", dir.display())]
    NoTable {
        /// The directory of the lake.
        dir: PathBuf,
        /// The table that was looked for.
        table: &'static str,
    },
    /// A file or directory could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The transaction log could not be read or written.
    #[error("transaction log of table `{table}`: {}", plain(cause))]
    Log {
        /// The table.
        table: &'static str,
        /// The error of the Delta Lake library.
        cause: Box<DeltaTableError>,
    },
    /// The transaction log is damaged.
    #[error("table `{table}` is damaged: {path}: {detail}; `podtrail lake verify` reports all")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The file of the log, inside the table.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A data file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Parquet {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The data file.
        path: PathBuf,
        /// The error of the Parquet library.
        source: ParquetError,
    },
    /// The rows of files could not be read to be written anew.
    #[error("cannot read the rows in {} of table `{table}`: {detail}; `podtrail lake verify` names the file", partition.display())]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The directory of the partition, inside the table.
        partition: PathBuf,
        /// What went wrong.
        detail: String,
    },
    /// Columns in memory could not be computed with.
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
        /// What does not fit.
        detail: String,
    },
    /// The table was made by another program, or by another version of this one, in a way that is not understood.
    #[error("table `{table}` cannot be used: {detail}")]
    Unsupported {
        /// The table.
        table: &'static str,
        /// What is not understood.
        detail: String,
    },
    /// The file with the key of the redactions does not hold one.
    #[error(
        "{} holds no key of 64 hexadecimal digits; put it back from a copy, or remove it and get other digests for equal secrets",
        path.display()
    )]
    RedactionKey {
        /// The file.
        path: PathBuf,
    },
    /// Other writers were faster each time.
    #[error("gave up on table `{table}` after {attempts} attempts to commit against other writers")]
    Contention {
        /// The table.
        table: &'static str,
        /// The number of attempts made.
        attempts: usize,
    },
    /// The commit failed in a way that leaves open whether it took effect. Appending the same rows again is safe.
    #[error(
        "table `{table}`: it is not known whether the commit took effect, append again: {}",
        plain(cause)
    )]
    UnknownOutcome {
        /// The table.
        table: &'static str,
        /// The error of the Delta Lake library.
        cause: Box<DeltaTableError>,
    },
    /// The runtime shut down before the work was done.
    #[error("table `{table}`: the work was cancelled")]
    Cancelled {
        /// The table.
        table: &'static str,
    },
}

impl LakeError {
    pub(crate) fn io(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn parquet(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(ParquetError) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Parquet { action, path, source }
    }

    pub(crate) fn log(table: &'static str) -> impl Fn(DeltaTableError) -> Self + Copy {
        move |cause| Self::Log { table, cause: Box::new(cause) }
    }

    pub(crate) fn arrow(table: &'static str) -> impl FnOnce(ArrowError) -> Self {
        move |source| Self::Arrow { table, source }
    }

    /// Rows were given that do not have the columns of the table.
    pub(crate) fn other_columns(table: &'static str) -> Self {
        Self::Rows { table, detail: "the columns differ".to_owned() }
    }
}

/// What the library says, without the backtrace that it adds where `RUST_BACKTRACE` is set.
fn plain(error: &DeltaTableError) -> String {
    let is_frame = |line: &&str| {
        let number = line.trim_start().split_once(": ").map(|(number, _)| number);
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let text = error.to_string();
    text.lines().take_while(|line| !is_frame(line)).collect::<Vec<_>>().join(" ")
}
