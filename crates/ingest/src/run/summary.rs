//! What a run did.

use std::fmt;

use serde::Serialize;

/// What a run did.
///
/// `records == events_added + duplicates + quarantined`, interrupted or not: what was read but not committed is not counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Files, streams and members of archives that were read as audit logs, empty ones included.
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
    /// What may be wrong with the clusters under which events are stored.
    pub warnings: Vec<String>,
    /// What is worth knowing and no fault, such as an empty file.
    pub notes: Vec<Problem>,
}

impl Summary {
    /// Adds what a later run did.
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

/// Something about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file or stream, as named at ingest; a member of an archive as `archive!member`.
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

/// The first few of many problems, and the number of the others.
#[derive(Debug, Default)]
pub(crate) struct Few {
    first: Vec<Problem>,
    untold: u64,
}

impl Few {
    const TOLD: usize = 5;

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.first.len() < Self::TOLD {
            self.first.push(problem);
        } else {
            self.untold += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    pub(crate) fn count(&self) -> u64 {
        self.first.len() as u64 + self.untold
    }

    /// The first few; for the others it is said of `file` how many `what` there are.
    pub(crate) fn into_problems(self, file: &str, what: &str) -> Vec<Problem> {
        let mut problems = self.first;
        if self.untold > 0 {
            problems.push(Problem::of_file(file, format!("{} {what}", self.untold)));
        }
        problems
    }
}
