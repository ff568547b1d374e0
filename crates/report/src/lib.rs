//! Formats findings and rows for people and machines.
//!
//! All values may come from a hostile log: control and bidirectional characters are escaped, and cells that a
//! spreadsheet would evaluate are quoted.

mod escape;
mod findings;
mod findings_csv;
mod findings_ecs;
mod findings_ocsf;
mod html;
mod json;
mod markdown;
mod recorded_findings;
mod rows;
mod status;
mod summary;
mod table;

pub use escape::{TerminalWriter, escape, escape_json};
pub use findings::{write_findings, write_findings_jsonl};
pub use findings_csv::write_findings_csv;
pub use findings_ecs::write_findings_ecs;
pub use findings_ocsf::write_findings_ocsf;
pub use html::{
    Activity, Context, EventFacts, HtmlReport, IdentityFacts, ImageFacts, Lineage, NamespaceFacts,
    SourceFile, WorkloadWrites, write_html,
};
pub use markdown::{escape_markdown, markdown_header, markdown_row};
pub use recorded_findings::{
    write_finding_evidence, write_finding_history, write_recorded_findings,
};
pub use rows::{ReportError, RowFormat, RowWriter, write_rows};
pub use status::{ClusterStatus, DetectStatus, OpenFindings, Status};
pub use summary::{LogSummary, seconds, thousands};
