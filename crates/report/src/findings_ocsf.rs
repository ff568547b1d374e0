//! Findings as OCSF events: class Detection Finding (2004) of schema 1.9.0, <https://schema.ocsf.io/1.9.0/classes/detection_finding>.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use podtrail_detect::{ATTACK_VERSION, AttackNames, Confidence, Finding, Source};
use serde_json::{Value, json};

use crate::json::{client_ip, message, severity_id, technique, write_line};

pub(crate) const SCHEMA_VERSION: &str = "1.9.0";
const CATEGORY_FINDINGS: u32 = 2;
const CLASS_DETECTION_FINDING: u32 = 2004;
const ACTIVITY_CREATE: u32 = 1;
const STATUS_NEW: u32 = 1;
const ANALYTIC_RULE: u32 = 1;
const FILE_REGULAR: u32 = 1;
const ALGORITHM_SHA_256: u32 = 3;

/// Writes one Detection Finding per line, created at `time`. All times are milliseconds since 1970, as the schema
/// requires.
///
/// The first evidence contains who, what and from where; each evidence contains the position of its event. Values
/// without a place in the schema are under `unmapped`.
///
/// # Errors
/// If `out` fails.
pub fn write_findings_ocsf(
    findings: &[Finding],
    names: &AttackNames,
    time: DateTime<Utc>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in findings {
        write_line(detection_finding(finding, names, time), out)?;
    }
    Ok(())
}

fn detection_finding(finding: &Finding, names: &AttackNames, time: DateTime<Utc>) -> Value {
    let time = time.timestamp_millis();
    let first_seen = finding.first_seen.timestamp_millis();
    let last_seen = finding.last_seen.timestamp_millis();
    json!({
        "category_uid": CATEGORY_FINDINGS,
        "category_name": "Findings",
        "class_uid": CLASS_DETECTION_FINDING,
        "class_name": "Detection Finding",
        "activity_id": ACTIVITY_CREATE,
        "activity_name": "Create",
        "type_uid": CLASS_DETECTION_FINDING * 100 + ACTIVITY_CREATE,
        "type_name": "Detection Finding: Create",
        "severity_id": severity_id(finding.severity),
        "severity": caption(finding.severity.as_str()),
        "confidence_id": confidence_id(finding.confidence),
        "confidence": caption(finding.confidence.as_str()),
        "status_id": STATUS_NEW,
        "status": "New",
        "is_alert": true,
        "time": time,
        "start_time": first_seen,
        "end_time": last_seen,
        "count": finding.count,
        "message": message(finding),
        "risk_score": finding.risk,
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": {
                "name": "podtrail",
                "vendor_name": "podtrail",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "log_name": "audit.k8s.io",
        },
        "finding_info": {
            "uid": finding.finding_id,
            "title": finding.title,
            "desc": finding.reasons.join("\n"),
            "types": finding.tactics,
            "analytic": {
                "uid": finding.detection,
                "name": finding.title,
                "type_id": ANALYTIC_RULE,
                "type": "Rule",
            },
            "attacks": attacks(&finding.attack, &finding.tactics, names),
            "created_time": time,
            "first_seen_time": first_seen,
            "last_seen_time": last_seen,
            "data_sources": ["Kubernetes audit log"],
        },
        "evidences": evidences(finding),
        "resources": resources(finding),
        "observables": observables(finding),
        "unmapped": {
            "cluster": finding.cluster,
            "incident_id": finding.incident_id,
            "outcome": finding.outcome,
            "images": finding.images,
            "audit_ids": finding.audit_ids,
            "lowered": finding.lowered,
        },
    })
}

pub(crate) fn confidence_id(confidence: Confidence) -> u32 {
    match confidence {
        Confidence::Low => 1,
        Confidence::Medium => 2,
        Confidence::High => 3,
    }
}

/// Returns the caption of a severity or confidence.
pub(crate) fn caption(name: &str) -> String {
    if name == "info" {
        return "Informational".to_owned();
    }
    name.char_indices().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c }).collect()
}

/// Returns techniques and tactics as separate items, because a detection does not assign techniques to tactics.
pub(crate) fn attacks(attack: &[String], tactics: &[String], names: &AttackNames) -> Vec<Value> {
    let called = |id: &str| json!({"uid": id, "name": names.technique(id)});
    let techniques = attack.iter().map(|id| {
        let (id, sub_technique) = technique(id);
        json!({
            "technique": called(id),
            "sub_technique": sub_technique.map(called),
            "version": ATTACK_VERSION,
        })
    });
    let tactics = tactics.iter().map(|name| {
        json!({"tactic": {"uid": names.tactic_id(name), "name": name}, "version": ATTACK_VERSION})
    });
    techniques.chain(tactics).collect()
}

/// Returns one evidence per event.
fn evidences(finding: &Finding) -> Vec<Value> {
    let events = finding.event_ids.iter().zip(&finding.sources);
    let mut evidences: Vec<_> = events
        .map(|(event_id, source)| {
            json!({
                "uid": event_id,
                "file": file(source),
                "data": {"event_id": event_id, "line": source.line, "offset": source.offset},
            })
        })
        .collect();
    if let Some(first) = evidences.first_mut() {
        first["actor"] = json!({"user": {"name": finding.identity}});
        first["user"] = json!({"name": finding.impersonated_identity});
        first["api"] = api(finding);
        first["src_endpoint"] = json!({"ip": client_ip(finding)});
        first["http_request"] = json!({"user_agent": finding.user_agent});
        first["resources"] = resources(finding);
    }
    evidences
}

/// Returns the API request, whose operation is required.
fn api(finding: &Finding) -> Value {
    // Events without an audit id are missing in the list, which is then shorter.
    let all_known = finding.audit_ids.len() == finding.event_ids.len();
    let audit_id = finding.audit_ids.first().filter(|_| all_known);
    finding.verb.as_ref().map_or(Value::Null, |verb| {
        json!({
            "operation": verb,
            "request": {"uid": audit_id},
            "service": {"name": "kube-apiserver"},
        })
    })
}

fn file(source: &Source) -> Value {
    let Some(path) = &source.file else { return Value::Null };
    let name = path.rsplit('/').next().unwrap_or(path);
    let hash = source.sha256.as_ref().map(|digest| {
        json!({"algorithm_id": ALGORITHM_SHA_256, "algorithm": "SHA-256", "value": digest})
    });
    json!({
        "name": name,
        "path": path,
        "type_id": FILE_REGULAR,
        "hashes": hash.as_slice(),
    })
}

/// Returns the object, whose name is required.
fn resources(finding: &Finding) -> Value {
    finding.name.as_ref().map_or(Value::Null, |name| {
        json!([{
            "name": name,
            "type": finding.resource,
            "namespace": finding.namespace,
        }])
    })
}

/// Returns values to search for elsewhere, with their path in the event.
fn observables(finding: &Finding) -> Vec<Value> {
    let observable = |name: &str, type_id: u32, kind: &str, value: Option<String>| {
        let value = value?;
        Some(json!({"name": name, "type_id": type_id, "type": kind, "value": value}))
    };
    let ip = client_ip(finding).map(|ip| ip.to_string());
    let digest = finding.source.sha256.clone();
    [
        observable("evidences[0].actor.user.name", 4, "User Name", finding.identity.clone()),
        observable("evidences[0].user.name", 4, "User Name", finding.impersonated_identity.clone()),
        observable("evidences[0].src_endpoint.ip", 2, "IP Address", ip),
        observable(
            "evidences[0].http_request.user_agent",
            16,
            "HTTP User-Agent",
            finding.user_agent.clone(),
        ),
        observable("evidences[0].file.hashes[0].value", 8, "Hash", digest),
    ]
    .into_iter()
    .flatten()
    .collect()
}
