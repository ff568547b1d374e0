//! The summary of a run.

use std::fmt;

use serde::Serialize;

/// The summary of a run.
///
/// `records == events_added + duplicates + quarantined`, even if interrupted: records that were read but not committed
/// are not counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Number of files, streams and archive members that were read as audit logs, empty ones included.
    pub files: u64,
    /// Number of audit events and quarantined records.
    pub records: u64,
    /// Number of events new in the lake.
    pub events_added: u64,
    /// Number of events that the lake already had, or that occur more than once in the input.
    pub duplicates: u64,
    /// Number of records that are not audit events and were quarantined.
    pub quarantined: u64,
    /// Number of records that belong in such logs and are not audit events, such as klog lines; not counted in
    /// `records`.
    pub skipped: u64,
    /// Bytes read from disk, before decompression.
    pub bytes_read: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Input that was not read or not understood.
    pub problems: Vec<Problem>,
    /// Possible errors in the clusters under which events are stored.
    pub warnings: Vec<String>,
    /// Remarks that are not problems, such as an empty file.
    pub notes: Vec<Problem>,
}

impl Summary {
    /// Adds the summary of a later run.
    pub(crate) fn add(&mut self, later: &Self) {
        self.files += later.files;
        self.records += later.records;
        self.events_added += later.events_added;
        self.duplicates += later.duplicates;
        self.quarantined += later.quarantined;
        self.skipped += later.skipped;
        self.bytes_read += later.bytes_read;
        self.seconds += later.seconds;
        self.interrupted |= later.interrupted;
    }
}

/// A problem or remark about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file or stream, as named at ingest; an archive member as `archive!member`.
    pub file: String,
    /// Byte offset in the decompressed file, from 0; `None` for the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Line in the decompressed file, from 1; `None` for the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong, and how it was handled.
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

/// The first few of many problems, and the number of the others.
#[derive(Debug, Default)]
pub(crate) struct Few {
    first: Vec<Problem>,
    unreported: u64,
}

impl Few {
    const REPORTED: usize = 5;

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.first.len() < Self::REPORTED {
            self.first.push(problem);
        } else {
            self.unreported += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    pub(crate) fn count(&self) -> u64 {
        self.first.len() as u64 + self.unreported
    }

    /// Returns the first few problems, and for the others one problem of `file` with their number and `what` they are.
    pub(crate) fn into_problems(self, file: &str, what: &str) -> Vec<Problem> {
        let mut problems = self.first;
        if self.unreported > 0 {
            problems.push(Problem::of_file(file, format!("{} {what}", self.unreported)));
        }
        problems
    }
}
