use podtrail_detect::Finding;
use podtrail_report::write_findings_ecs;
use serde_json::{Value, json};

use crate::{HOSTILE, blank, finding, names, time};

fn ecs(finding: Finding) -> Value {
    let mut out = Vec::new();
    write_findings_ecs(&[finding], &names(), time(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "one line: {text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_alert_has_the_values_of_the_finding() {
    let mut alert = ecs(finding());
    let own = alert.as_object_mut().unwrap().remove("podtrail").unwrap();
    assert_eq!(own["sources"][1]["line"], 9);
    assert_eq!(own["count"], 2);
    assert_eq!(
        alert,
        json!({
            "@timestamp": "2026-11-24T10:00:00.250Z",
            "ecs": {"version": "9.0.0"},
            "message": "Privileged container: container c is privileged",
            "event": {
                "kind": "alert",
                "category": ["intrusion_detection"],
                "type": ["allowed"],
                "id": finding().finding_id,
                "action": "create",
                "outcome": "success",
                "reason": "container c is privileged\nso is d",
                "severity": 4,
                "risk_score": 30,
                "created": "2026-11-24T12:00:00.000Z",
                "start": "2026-11-24T10:00:00.250Z",
                "end": "2026-11-24T10:00:05.250Z",
                "module": "podtrail",
                "dataset": "podtrail.finding",
                "provider": "audit.k8s.io",
            },
            "rule": {
                "id": "privileged-container",
                "name": "Privileged container",
                "ruleset": "podtrail",
            },
            "threat": {
                "framework": "MITRE ATT&CK",
                "tactic": {"id": ["TA0002", "TA0003"], "name": ["Execution", "Persistence"]},
                "technique": {
                    "id": ["T1610", "T1053"],
                    "name": ["Deploy Container", "Scheduled Task/Job"],
                    "subtechnique": {
                        "id": ["T1053.007"],
                        "name": ["Container Orchestration Job"],
                    },
                },
            },
            "user": {"name": "alice", "effective": {"name": "root"}},
            "source": {"ip": "10.0.0.7"},
            "user_agent": {"original": "kubectl/v1.36"},
            "orchestrator": {
                "type": "kubernetes",
                "cluster": {"name": "prod"},
                "namespace": "web",
                "resource": {"type": "cronjobs", "name": "backup"},
            },
            "container": {"image": {"name": ["nginx:1", "busybox"]}},
            "related": {
                "user": ["alice", "root"],
                "ip": ["10.0.0.7"],
                "hash": [finding().source.sha256],
            },
            "log": {"file": {"path": "logs/audit.log"}},
        })
    );
}

#[test]
fn an_invalid_address_is_left_out() {
    // An invalid value in a field of type ip would make Elasticsearch reject the whole document.
    let hostile = Finding {
        client_ip: Some(HOSTILE.to_owned()),
        name: Some(HOSTILE.to_owned()),
        outcome: Some("denied_authz".to_owned()),
        ..finding()
    };
    let alert = ecs(hostile);
    assert_eq!(alert.get("source"), None);
    assert_eq!(alert["related"].get("ip"), None);
    assert_eq!(alert["orchestrator"]["resource"]["name"], HOSTILE);
    assert_eq!(alert["event"]["type"], json!(["denied"]));
    assert_eq!(alert["event"]["outcome"], "failure");
}

#[test]
fn unknown_values_are_absent() {
    let alert = ecs(blank());
    for key in ["user", "source", "user_agent", "container", "related", "log"] {
        assert_eq!(alert.get(key), None, "{key}: {alert}");
    }
    assert_eq!(alert["event"]["outcome"], "unknown");
}
