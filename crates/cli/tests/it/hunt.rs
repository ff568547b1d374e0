//! `podtrail hunt`.

use serde_json::Value;

use crate::{podtrail, privileged_pod, sample, scratch};

#[test]
fn the_intrusion_in_the_sample_is_found() {
    let sample = sample().display().to_string();
    let only = [
        "privileged-container",
        "sensitive-host-path",
        "system-namespace-workload",
        "exec-into-pod",
        "cluster-admin-binding",
    ];
    let only = only.into_iter().flat_map(|id| ["--detection", id]);
    let arguments = ["hunt", &sample, "--format", "jsonl"].into_iter().chain(only);
    let findings = podtrail(arguments).expect(0).jsonl();
    let found = |detection: &str, identity: &str, name: &str| {
        findings.iter().any(|finding| {
            finding["detection"] == detection
                && finding["identity"] == identity
                && finding["name"] == name
        })
    };
    let mallory = "mallory@example.com";
    assert!(found("privileged-container", mallory, "kube-flannel-ds"));
    assert!(found("sensitive-host-path", mallory, "kube-flannel-ds"));
    assert!(found("system-namespace-workload", mallory, "kube-flannel-ds"));
    assert!(found("exec-into-pod", mallory, "kube-flannel-ds-xgrs6"));
    let toolbox = "system:serviceaccount:tools:toolbox";
    assert!(found("cluster-admin-binding", toolbox, "tools-admins"));
}

#[test]
fn a_finding_has_the_documented_members_and_its_evidence() {
    let (dir, _) = scratch();
    let log = dir.path().join("a.log");
    let event = privileged_pod("bad", "2026-11-24T10:00:00.000000Z");
    let other = privileged_pod("x", "2026-11-24T10:00:01.000000Z").replace("true", "false");
    std::fs::write(&log, format!("{other}\n{event}\n")).unwrap();
    let log = log.display().to_string();
    let findings =
        podtrail(["hunt", &log, "--detection", "privileged-container", "--format", "jsonl"])
            .expect(0)
            .jsonl();
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    for key in [
        "finding_id",
        "detection",
        "title",
        "severity",
        "attack",
        "first_seen",
        "last_seen",
        "count",
        "event_ids",
        "audit_ids",
        "cluster",
        "identity",
        "namespace",
        "resource",
        "name",
        "images",
        "reasons",
        "outcome",
        "client_ip",
        "user_agent",
        "source",
    ] {
        assert_ne!(finding[key], Value::Null, "{key}");
    }
    assert_eq!(finding["source"]["file"], log.as_str());
    assert_eq!(finding["source"]["line"], 2);
    assert_eq!(finding["source"]["offset"], other.len() + 1);
    assert_eq!(finding["audit_ids"][0], "audit-bad");
    assert_eq!(finding["images"][0], "nginx");
}

#[test]
fn a_hunt_lists_its_blind_spots() {
    let (dir, _) = scratch();
    let log = dir.path().join("a.log");
    let seen = privileged_pod("seen", "2026-11-24T10:00:00.000000Z");
    let blind = |name: &str, resource: &str| {
        let mut event: Value =
            serde_json::from_str(&privileged_pod(name, "2026-11-24T10:00:01.000000Z")).unwrap();
        event["objectRef"]["resource"] = resource.into();
        event.as_object_mut().unwrap().retain(|key, _| !key.ends_with("Object"));
        event.to_string()
    };
    let events =
        [seen.clone(), blind("a", "pods"), blind("b", "pods"), blind("c", "serviceaccounts")];
    std::fs::write(&log, events.join("\n")).unwrap();
    let path = log.display().to_string();
    let printed = podtrail(["hunt", &path, "--detection", "privileged-container"]).expect(0).stdout;
    let line = "blind       3 writes without a body, whose content detections cannot see: pods 2, serviceaccounts 1\n";
    assert!(printed.contains(line), "{printed}");
    std::fs::write(&log, seen).unwrap();
    let printed = podtrail(["hunt", &path, "--detection", "privileged-container"]).expect(0).stdout;
    assert!(!printed.contains("blind"), "{printed}");
}

#[test]
fn the_table_has_a_summary_and_escaped_findings() {
    let (dir, _) = scratch();
    let log = dir.path().join("a.log");
    let event = privileged_pod("bad", "2026-11-24T10:00:00.000000Z")
        .replace("alice", "<script>\\u001b[31m\\u202e");
    std::fs::write(&log, event).unwrap();
    let log = log.display().to_string();
    let run =
        podtrail(["hunt", &log, "--findings", "--detection", "privileged-container"]).expect(0);
    assert!(run.stdout.contains("events      1 (1 requests)"), "{run}");
    assert!(run.stdout.contains("MEDIUM   Privileged container"), "{run}");
    assert!(run.stdout.contains("a.log:1\n  audit  audit-bad\n"), "{run}");
    assert!(run.stdout.contains("<script>\\u{1b}[31m\\u{202e}"), "{run}");
    assert!(!run.stdout.contains('\u{1b}'), "{run}");
}

#[test]
fn the_exit_code_depends_on_the_threshold() {
    let (dir, _) = scratch();
    let log = dir.path().join("a.log");
    std::fs::write(&log, privileged_pod("bad", "2026-11-24T10:00:00.000000Z")).unwrap();
    let log = log.display().to_string();
    podtrail(["hunt", &log, "--detection", "privileged-container", "--fail-on", "medium"])
        .expect(1);
    podtrail(["hunt", &log, "--detection", "privileged-container", "--fail-on", "high"]).expect(0);
    let quiet = podtrail([
        "hunt",
        &log,
        "--detection",
        "privileged-container",
        "--min-severity",
        "high",
        "--format",
        "jsonl",
    ])
    .expect(0);
    assert_eq!(quiet.stdout, "");
}

#[test]
fn findings_are_printed_in_every_format() {
    let (dir, _) = scratch();
    let log = dir.path().join("a.log");
    std::fs::write(&log, privileged_pod("bad", "2026-11-24T10:00:00.000000Z")).unwrap();
    let log = log.display().to_string();
    let hunt = |format| {
        podtrail(["hunt", &log, "--detection", "privileged-container", "--format", format])
            .expect(0)
    };
    let ocsf = hunt("ocsf").json();
    assert_eq!(ocsf["class_uid"], 2004);
    assert_eq!(ocsf["finding_info"]["attacks"][0]["technique"]["name"], "Deploy Container");
    let ecs = hunt("ecs").json();
    assert_eq!(ecs["event"]["kind"], "alert");
    assert_eq!(ecs["event"]["id"], ocsf["finding_info"]["uid"]);
    let csv = hunt("csv").stdout;
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.contains(",alice,,create,web,pods,bad,nginx,"), "{csv}");
}

#[test]
fn a_lake_can_be_hunted_again() {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    std::fs::write(&log, privileged_pod("bad", "2026-11-24T10:00:00.000000Z")).unwrap();
    let log = log.display().to_string();
    let first = podtrail([
        "hunt",
        &log,
        "--lake",
        &lake,
        "--detection",
        "privileged-container",
        "--format",
        "jsonl",
    ])
    .expect(0);
    let again = podtrail([
        "hunt",
        "--lake",
        &lake,
        "--detection",
        "privileged-container",
        "--format",
        "jsonl",
    ])
    .expect(0);
    assert_eq!(first.stdout, again.stdout);
    assert_eq!(first.jsonl().len(), 1);
}
