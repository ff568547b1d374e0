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
mod incidents;
mod incidents_csv;
mod incidents_ocsf;
mod json;
mod markdown;
mod recorded_findings;
mod rows;
mod status;
mod summary;
mod table;
mod timeline;

pub use escape::{TerminalWriter, escape, escape_json};
pub use findings::{write_findings, write_findings_jsonl};
pub use findings_csv::write_findings_csv;
pub use findings_ecs::write_findings_ecs;
pub use findings_ocsf::write_findings_ocsf;
pub use html::{
    Activity, Context, EventFacts, HtmlReport, IdentityFacts, ImageFacts, Lineage, NamespaceFacts,
    Period, SourceFile, WorkloadWrites, write_html,
};
pub use incidents::{
    write_incidents, write_incidents_jsonl, write_other_findings, write_recorded_incidents,
};
pub use incidents_csv::write_incidents_csv;
pub use incidents_ocsf::write_incidents_ocsf;
pub use markdown::{escape_markdown, markdown_header, markdown_row};
pub use recorded_findings::{
    FindingFilter, write_finding_evidence, write_finding_history, write_recorded_findings,
};
pub use rows::{ReportError, RowFormat, RowWriter, write_rows};
pub use status::{ClusterStatus, DetectStatus, OpenFindings, Status};
pub use summary::{LogSummary, seconds, thousands};
pub use timeline::{write_timeline_csv, write_timeline_jsonl};
