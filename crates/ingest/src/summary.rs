//! What a run did.

use std::fmt;

use serde::Serialize;

/// What a run did.
///
/// `records == events_added + duplicates + quarantined`, interrupted or not: what was read but not committed is not counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Files and streams that were read as audit logs, empty ones included.
    pub files: u64,
    /// Audit events met, and records quarantined.
    pub records: u64,
    /// Events new in the table.
    pub events_added: u64,
    /// Events that the table had already, or that stand more than once in the input.
    pub duplicates: u64,
    /// Records that are no audit event, kept in the quarantine.
    pub quarantined: u64,
    /// Records that stand in such logs and are no audit events, such as klog lines; not counted in `records`.
    pub skipped: u64,
    /// Bytes read, as they lie on disk: compressed.
    pub bytes_read: u64,
    /// Wall time.
    pub seconds: f64,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// What was not read or not understood.
    pub problems: Vec<Problem>,
    /// What is worth knowing and no fault, such as an empty file.
    pub notes: Vec<Problem>,
}

/// Something about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file or stream, as named at ingest.
    pub file: String,
    /// Byte offset in the decompressed file, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Line in the decompressed file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong, and what was done about it.
    pub message: String,
}

impl Problem {
    pub(crate) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), offset: None, line: None, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}
