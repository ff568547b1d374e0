//! Findings as a timeline for Timesketch: each row has `message`, `datetime` and `timestamp_desc`, which its importer
//! requires, <https://timesketch.org/guides/user/import-from-json-csv/>.

use std::io::{self, Write};

use chrono::SecondsFormat;
use podtrail_detect::{Finding, act};
use serde::Serialize;

use crate::escape::spreadsheet_cell;
use crate::json::message;

/// One row of the timeline; the members without a meaning to Timesketch become attributes.
#[derive(Debug, Serialize)]
struct Row<'f> {
    datetime: String,
    timestamp_desc: &'static str,
    message: String,
    severity: &'static str,
    identity: &'f str,
    client_ip: &'f str,
    verb: &'f str,
    resource: &'f str,
    namespace: &'f str,
    name: &'f str,
    cluster: &'f str,
    attack: String,
    tactics: String,
    detection: &'f str,
    finding_id: &'f str,
    incident_id: &'f str,
    event_id: &'f str,
    source: String,
}

const COLUMNS: [&str; 18] = [
    "datetime",
    "timestamp_desc",
    "message",
    "severity",
    "identity",
    "client_ip",
    "verb",
    "resource",
    "namespace",
    "name",
    "cluster",
    "attack",
    "tactics",
    "detection",
    "finding_id",
    "incident_id",
    "event_id",
    "source",
];

/// Writes findings as JSON lines, the first event first.
///
/// # Errors
/// If `out` fails.
pub fn write_timeline_jsonl(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for row in rows(findings) {
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes findings as CSV with a header, the first event first. Cells that a spreadsheet would evaluate get a leading
/// apostrophe, and terminal control characters are escaped.
///
/// # Errors
/// If `out` fails.
pub fn write_timeline_csv(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS)?;
    for row in rows(findings) {
        let cells: [&str; COLUMNS.len()] = [
            &row.datetime,
            row.timestamp_desc,
            &row.message,
            row.severity,
            row.identity,
            row.client_ip,
            row.verb,
            row.resource,
            row.namespace,
            row.name,
            row.cluster,
            &row.attack,
            &row.tactics,
            row.detection,
            row.finding_id,
            row.incident_id,
            row.event_id,
            &row.source,
        ];
        writer.write_record(cells.map(|cell| spreadsheet_cell(cell).into_owned()))?;
    }
    writer.flush()
}

fn rows(findings: &[Finding]) -> Vec<Row<'_>> {
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by_key(|finding| (finding.first_seen, &finding.finding_id));
    findings.into_iter().map(row).collect()
}

fn row(finding: &Finding) -> Row<'_> {
    fn text(value: Option<&String>) -> &str {
        value.map_or("", String::as_str)
    }
    let identity = text(finding.identity.as_ref());
    let message = if finding.event_ids.is_empty() {
        message(finding)
    } else {
        let who = if identity.is_empty() { "an unauthenticated client" } else { identity };
        format!("{who} {}: {}", act(finding), message(finding))
    };
    let file = text(finding.source.file.as_ref());
    Row {
        datetime: finding.first_seen.to_rfc3339_opts(SecondsFormat::Micros, true),
        timestamp_desc: "Request received",
        message,
        severity: finding.severity.as_str(),
        identity,
        client_ip: text(finding.client_ip.as_ref()),
        verb: text(finding.verb.as_ref()),
        resource: text(finding.resource.as_ref()),
        namespace: text(finding.namespace.as_ref()),
        name: text(finding.name.as_ref()),
        cluster: text(finding.cluster.as_ref()),
        attack: finding.attack.join(" "),
        tactics: finding.tactics.join(", "),
        detection: &finding.detection,
        finding_id: &finding.finding_id,
        incident_id: text(finding.incident_id.as_ref()),
        event_id: finding.event_ids.first().map_or("", String::as_str),
        source: finding
            .source
            .line
            .map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")),
    }
}
