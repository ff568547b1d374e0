//! Findings as documents of the Elastic Common Schema 9.0, <https://www.elastic.co/docs/reference/ecs>.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use podtrail_detect::{AttackNames, Finding};
use serde_json::{Value, json};

use crate::json::{client_ip, message, severity_id, technique, write_line};

const ECS_VERSION: &str = "9.0.0";

/// Writes one alert per line, created at `time`. Values without an ECS field are under `podtrail`.
///
/// # Errors
/// If `out` fails.
pub fn write_findings_ecs(
    findings: &[Finding],
    names: &AttackNames,
    time: DateTime<Utc>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for finding in findings {
        write_line(alert(finding, names, time), out)?;
    }
    Ok(())
}

fn alert(finding: &Finding, names: &AttackNames, time: DateTime<Utc>) -> Value {
    let instant = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let users: Vec<_> =
        [&finding.identity, &finding.impersonated_identity].into_iter().flatten().collect();
    json!({
        "@timestamp": instant(finding.first_seen),
        "ecs": {"version": ECS_VERSION},
        "message": message(finding),
        "event": {
            "kind": "alert",
            "category": ["intrusion_detection"],
            "type": [event_type(finding)],
            "id": finding.finding_id,
            "action": finding.verb,
            "outcome": outcome(finding),
            "reason": finding.reasons.join("\n"),
            "severity": severity_id(finding.severity),
            "risk_score": finding.risk,
            "created": instant(time),
            "start": instant(finding.first_seen),
            "end": instant(finding.last_seen),
            "module": "podtrail",
            "dataset": "podtrail.finding",
            "provider": "audit.k8s.io",
        },
        "rule": {
            "id": finding.detection,
            "name": finding.title,
            "ruleset": "podtrail",
        },
        "threat": threat(finding, names),
        "user": {
            "name": finding.identity,
            "effective": {"name": finding.impersonated_identity},
        },
        "source": {"ip": client_ip(finding)},
        "user_agent": {"original": finding.user_agent},
        "orchestrator": {
            "type": "kubernetes",
            "cluster": {"name": finding.cluster},
            "namespace": finding.namespace,
            "resource": {"type": finding.resource, "name": finding.name},
        },
        "container": {"image": {"name": finding.images}},
        "related": {
            "user": users,
            "ip": client_ip(finding).as_slice(),
            "hash": finding.source.sha256.as_slice(),
        },
        "log": {"file": {"path": finding.source.file}},
        "podtrail": {
            "severity": finding.severity,
            "confidence": finding.confidence,
            "outcome": finding.outcome,
            "reasons": finding.reasons,
            "count": finding.count,
            "event_ids": finding.event_ids,
            "audit_ids": finding.audit_ids,
            "sources": finding.sources,
            "lowered": finding.lowered,
        },
    })
}

/// Returns one of the types that ECS allows with the category `intrusion_detection`.
fn event_type(finding: &Finding) -> &'static str {
    match finding.outcome.as_deref() {
        Some("allowed") => "allowed",
        Some(outcome) if outcome.starts_with("denied_") => "denied",
        _ => "info",
    }
}

fn outcome(finding: &Finding) -> &'static str {
    match finding.outcome.as_deref() {
        Some("allowed" | "dry_run") => "success",
        None | Some("unknown") => "unknown",
        Some(_) => "failure",
    }
}

fn threat(finding: &Finding, names: &AttackNames) -> Value {
    let (mut techniques, mut sub_techniques): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for id in &finding.attack {
        let (id, sub_technique) = technique(id);
        if !techniques.contains(&id) {
            techniques.push(id);
        }
        sub_techniques.extend(sub_technique);
    }
    let called = |ids: &[&str]| ids.iter().filter_map(|id| names.technique(id)).collect::<Vec<_>>();
    let tactics: Vec<_> = finding.tactics.iter().filter_map(|name| names.tactic_id(name)).collect();
    json!({
        "framework": "MITRE ATT&CK",
        "tactic": {"id": tactics, "name": finding.tactics},
        "technique": {
            "id": techniques,
            "name": called(&techniques),
            "subtechnique": {"id": sub_techniques, "name": called(&sub_techniques)},
        },
    })
}
