//! Findings as comma-separated values (RFC 4180), one row per finding, for spreadsheets.

use std::io::{self, Write};

use podtrail_detect::Finding;

use crate::escape::spreadsheet_cell;

const COLUMNS: [&str; 32] = [
    "finding_id",
    "detection",
    "title",
    "severity",
    "confidence",
    "risk",
    "attack",
    "tactics",
    "first_seen",
    "last_seen",
    "count",
    "cluster",
    "identity",
    "impersonated_identity",
    "verb",
    "namespace",
    "resource",
    "name",
    "images",
    "reasons",
    "outcome",
    "client_ip",
    "user_agent",
    "source_file",
    "source_line",
    "source_sha256",
    "audit_ids",
    "lowered_from",
    "lowered_by",
    "lowered_reason",
    "incident_id",
    "incident_reason",
];

/// Writes findings as CSV with a header; columns are named as in JSON lines. The elements of a list are joined by `;
/// `.
///
/// The source is that of the first event. Cells that a spreadsheet would evaluate get a leading apostrophe, and
/// terminal control characters are escaped, except for line ends and tabs.
///
/// # Errors
/// If `out` fails.
pub fn write_findings_csv(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS)?;
    for finding in findings {
        let cells = cells(finding);
        writer.write_record(cells.iter().map(|cell| spreadsheet_cell(cell).into_owned()))?;
    }
    writer.flush()
}

fn cells(finding: &Finding) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let lowered = finding.lowered.as_ref();
    [
        finding.finding_id.clone(),
        finding.detection.clone(),
        finding.title.clone(),
        finding.severity.to_string(),
        finding.confidence.to_string(),
        finding.risk.to_string(),
        finding.attack.join("; "),
        finding.tactics.join("; "),
        finding.first_seen.to_rfc3339(),
        finding.last_seen.to_rfc3339(),
        finding.count.to_string(),
        text(&finding.cluster),
        text(&finding.identity),
        text(&finding.impersonated_identity),
        text(&finding.verb),
        text(&finding.namespace),
        text(&finding.resource),
        text(&finding.name),
        finding.images.join("; "),
        finding.reasons.join("; "),
        text(&finding.outcome),
        text(&finding.client_ip),
        text(&finding.user_agent),
        text(&finding.source.file),
        finding.source.line.map(|line| line.to_string()).unwrap_or_default(),
        text(&finding.source.sha256),
        finding.audit_ids.join("; "),
        lowered.map(|lowered| lowered.from.to_string()).unwrap_or_default(),
        lowered.map(|lowered| lowered.by.clone()).unwrap_or_default(),
        lowered.map(|lowered| lowered.reason.clone()).unwrap_or_default(),
        text(&finding.incident_id),
        text(&finding.incident_reason),
    ]
}
