//! Findings of a hunt: one for each identity and object, with a stable id.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use podtrail_detect::Severity;

use crate::support::{find_only, log, privileged_pod};

fn at(time: &str) -> DateTime<Utc> {
    format!("2026-11-24T{time}.250000Z").parse().unwrap()
}

#[tokio::test]
async fn repeated_writes_of_an_object_are_one_finding() {
    let log = log(&[
        privileged_pod("dana", "probe", "10:05:00"),
        privileged_pod("dana", "probe", "10:00:00"),
        privileged_pod("dana", "probe", "10:09:00"),
        privileged_pod("dana", "other", "10:03:00"),
        privileged_pod("noor", "probe", "10:04:00"),
    ]);
    let findings = find_only("privileged-container", log).await;
    let printed: Vec<_> = findings
        .iter()
        .map(|found| {
            (found.identity.as_deref().unwrap(), found.name.as_deref().unwrap(), found.count)
        })
        .collect();
    assert_eq!(printed, [("dana", "probe", 3), ("dana", "other", 1), ("noor", "probe", 1)]);

    let first = &findings[0];
    assert_eq!((first.first_seen, first.last_seen), (at("10:00:00"), at("10:09:00")));
    assert_eq!(
        first.audit_ids,
        ["dana probe 10:00:00", "dana probe 10:05:00", "dana probe 10:09:00"]
    );
    assert_eq!(first.event_ids.len(), 3);
    let lines: Vec<_> = first.sources.iter().map(|source| source.line.unwrap()).collect();
    assert_eq!(lines, [2, 1, 3]);
    assert_eq!(first.source, first.sources[0]);
    assert_eq!(first.reasons, ["container app of Pod probe is privileged"]);
    assert_eq!(first.images, ["registry.internal/web/app:1.0"]);
    assert_eq!(first.severity, Severity::Medium);
    assert_eq!(first.attack, ["T1610", "T1611"]);
    assert_eq!(first.resource.as_deref(), Some("pods"));
    assert_eq!(first.namespace.as_deref(), Some("web"));
    assert_eq!(first.cluster.as_deref(), Some("test"));
    assert_eq!(first.client_ip.as_deref(), Some("10.0.0.7"));
}

#[tokio::test]
async fn two_reasons_of_one_event_are_one_finding_with_one_event() {
    let mut pod = privileged_pod("dana", "probe", "10:00:00");
    let containers = &mut pod["requestObject"]["spec"]["containers"];
    let mut second = containers[0].clone();
    second["name"] = "second".into();
    containers.as_array_mut().unwrap().push(second);
    let findings = find_only("privileged-container", log(&[pod])).await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].count, 1);
    assert_eq!(findings[0].reasons.len(), 2);
}

#[tokio::test]
async fn the_stages_of_a_request_count_once() {
    let complete = privileged_pod("dana", "probe", "10:00:00");
    let mut received = complete.clone();
    received["stage"] = "RequestReceived".into();
    for member in ["responseStatus", "annotations", "requestObject"] {
        received.as_object_mut().unwrap().remove(member);
    }
    let mut started = complete.clone();
    started["stage"] = "ResponseStarted".into();
    let findings = find_only("privileged-container", log(&[received, complete, started])).await;
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].count, 1);
}

#[tokio::test]
async fn a_finding_id_is_stable_and_distinguishes_identities_and_objects() {
    let ids = async |events: &[(&str, &str, &str)]| {
        let events: Vec<_> =
            events.iter().map(|(user, name, time)| privileged_pod(user, name, time)).collect();
        let findings = find_only("privileged-container", log(&events)).await;
        findings.into_iter().map(|found| found.finding_id).collect::<BTreeSet<_>>()
    };
    let events = [("dana", "a", "10:00:00"), ("noor", "a", "10:00:00"), ("dana", "b", "10:00:00")];
    let first = ids(&events).await;
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|id| id.len() == 32));
    assert_eq!(ids(&events).await, first);
    // A later write joins the existing finding.
    let more = [events[0], events[1], events[2], ("dana", "a", "11:30:00")];
    assert_eq!(ids(&more).await, first);
}

#[tokio::test]
async fn hostile_strings_reach_the_finding_unchanged() {
    const HOSTILE: &str = "=cmd|' /c'!A0 \u{1b}[31m<script>alert(\"x\")</script>\n'; DROP TABLE events; -- \u{202e}%s\t\\";
    let mut pod = privileged_pod("x", "y", "10:00:00");
    pod["user"]["username"] = HOSTILE.into();
    pod["userAgent"] = HOSTILE.into();
    pod["auditID"] = HOSTILE.into();
    pod["sourceIPs"] = serde_json::json!([HOSTILE]);
    pod["objectRef"]["name"] = HOSTILE.into();
    pod["objectRef"]["namespace"] = HOSTILE.into();
    pod["requestObject"]["spec"]["containers"][0]["name"] = HOSTILE.into();
    pod["requestObject"]["spec"]["containers"][0]["image"] = HOSTILE.into();
    let findings = find_only("privileged-container", log(&[pod])).await;
    let [finding] = &findings[..] else { panic!("{} findings", findings.len()) };
    for value in [
        &finding.identity,
        &finding.user_agent,
        &finding.client_ip,
        &finding.name,
        &finding.namespace,
    ] {
        assert_eq!(value.as_deref(), Some(HOSTILE));
    }
    assert_eq!(finding.audit_ids, [HOSTILE]);
    assert_eq!(finding.images, [HOSTILE]);
    let reason = format!("container {HOSTILE} of Pod {HOSTILE} is privileged");
    assert_eq!(finding.reasons, [reason]);
}
