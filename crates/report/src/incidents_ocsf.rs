//! Incidents as OCSF events: class Incident Finding (2005) of schema 1.9.0, <https://schema.ocsf.io/1.9.0/classes/incident_finding>.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use podtrail_detect::{AttackNames, Incident};
use serde_json::{Value, json};

use crate::findings_ocsf::{SCHEMA_VERSION, attacks, caption, confidence_id};
use crate::json::{severity_id, write_line};

const CATEGORY_FINDINGS: u32 = 2;
const CLASS_INCIDENT_FINDING: u32 = 2005;
const ACTIVITY_CREATE: u32 = 1;
const STATUS_NEW: u32 = 1;

/// Writes one Incident Finding per line, created at `time`. All times are milliseconds since 1970, as the schema
/// requires. The findings of the incident are in `finding_info_list`, the story under `unmapped`.
///
/// # Errors
/// If `out` fails.
pub fn write_incidents_ocsf(
    incidents: &[Incident],
    names: &AttackNames,
    time: DateTime<Utc>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for incident in incidents {
        write_line(incident_finding(incident, names, time), out)?;
    }
    Ok(())
}

fn incident_finding(incident: &Incident, names: &AttackNames, time: DateTime<Utc>) -> Value {
    let time = time.timestamp_millis();
    let titles = incident.steps.iter().flat_map(|step| {
        step.finding_ids.iter().map(|id| json!({"uid": id, "title": step.titles.first()}))
    });
    json!({
        "category_uid": CATEGORY_FINDINGS,
        "category_name": "Findings",
        "class_uid": CLASS_INCIDENT_FINDING,
        "class_name": "Incident Finding",
        "activity_id": ACTIVITY_CREATE,
        "activity_name": "Create",
        "type_uid": CLASS_INCIDENT_FINDING * 100 + ACTIVITY_CREATE,
        "type_name": "Incident Finding: Create",
        "severity_id": severity_id(incident.severity),
        "severity": caption(incident.severity.as_str()),
        "confidence_id": confidence_id(incident.confidence),
        "confidence": caption(incident.confidence.as_str()),
        "status_id": STATUS_NEW,
        "status": "New",
        // The class requires an assignee or a group.
        "assignee_group": {"name": "unassigned"},
        "time": time,
        "start_time": incident.first_seen.timestamp_millis(),
        "end_time": incident.last_seen.timestamp_millis(),
        "count": incident.finding_ids.len(),
        "message": incident.title,
        "desc": incident.links.join("\n"),
        "metadata": {
            "version": SCHEMA_VERSION,
            "profiles": ["incident"],
            "uid": incident.incident_id,
            "product": {
                "name": "podtrail",
                "vendor_name": "podtrail",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "log_name": "audit.k8s.io",
        },
        "finding_info_list": titles.collect::<Vec<_>>(),
        "attacks": attacks(&incident.attack, &incident.tactics, names),
        "observables": observables(incident),
        "unmapped": {
            "cluster": incident.cluster,
            "score": incident.score,
            "points": incident.points,
            "steps": incident.steps,
            "objects": incident.objects,
            "secrets": incident.secrets,
            "images": incident.images,
            "limits": incident.limits,
            "containment": incident.containment,
        },
    })
}

/// Returns values to search for elsewhere. Stores reject an address that is not one.
fn observables(incident: &Incident) -> Vec<Value> {
    let users = incident.identities.iter().map(|name| {
        json!({"name": "unmapped.steps.identity", "type_id": 4, "type": "User Name", "value": name})
    });
    let addresses = incident.client_ips.iter().filter(|ip| ip.parse::<std::net::IpAddr>().is_ok());
    let addresses = addresses.map(|ip| {
        json!({"name": "unmapped.steps.client_ip", "type_id": 2, "type": "IP Address", "value": ip})
    });
    users.chain(addresses).collect()
}
