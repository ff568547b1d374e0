//! Incidents as comma-separated values (RFC 4180), one row per incident, for spreadsheets.

use std::io::{self, Write};

use podtrail_detect::Incident;

use crate::escape::spreadsheet_cell;

const COLUMNS: [&str; 18] = [
    "incident_id",
    "title",
    "severity",
    "confidence",
    "score",
    "first_seen",
    "last_seen",
    "cluster",
    "identities",
    "client_ips",
    "objects",
    "secrets",
    "images",
    "attack",
    "tactics",
    "links",
    "steps",
    "findings",
];

/// Writes incidents as CSV with a header; the elements of a list are joined by `; `.
///
/// Cells that a spreadsheet would evaluate get a leading apostrophe, and terminal control characters are escaped,
/// except for line ends and tabs.
///
/// # Errors
/// If `out` fails.
pub fn write_incidents_csv(incidents: &[Incident], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS)?;
    for incident in incidents {
        let steps: Vec<_> = incident
            .steps
            .iter()
            .map(|step| format!("{} {}", step.time.to_rfc3339(), step.act))
            .collect();
        let cells: [String; COLUMNS.len()] = [
            incident.incident_id.clone(),
            incident.title.clone(),
            incident.severity.to_string(),
            incident.confidence.to_string(),
            incident.score.to_string(),
            incident.first_seen.to_rfc3339(),
            incident.last_seen.to_rfc3339(),
            incident.cluster.clone().unwrap_or_default(),
            incident.identities.join("; "),
            incident.client_ips.join("; "),
            incident.objects.join("; "),
            incident.secrets.join("; "),
            incident.images.join("; "),
            incident.attack.join("; "),
            incident.tactics.join("; "),
            incident.links.join("; "),
            steps.join("; "),
            incident.finding_ids.len().to_string(),
        ];
        writer.write_record(cells.iter().map(|cell| spreadsheet_cell(cell).into_owned()))?;
    }
    writer.flush()
}
