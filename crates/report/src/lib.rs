//! Findings and rows, for people and machines.
//!
//! Whatever is shown comes from a log, and a log is hostile: control and direction characters are escaped, cells that a
//! spreadsheet would run are quoted.

mod escape;
mod findings;
mod rows;
mod status;
mod summary;

pub use escape::escape;
pub use findings::{write_findings, write_findings_jsonl};
pub use rows::{ReportError, RowFormat, write_rows};
pub use status::{ClusterStatus, DetectStatus, OpenFindings, Status};
pub use summary::{LogSummary, seconds, thousands};
