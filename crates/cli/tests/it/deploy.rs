//! The files in `deploy/` meet podtrail's own security checks.

use std::path::Path;

use serde_json::{Value, json};

use crate::{command, podtrail, scratch};

/// Returns the objects of a manifest.
fn objects(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    serde_saphyr::from_multiple(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns the audit event for the creation of an object.
fn created(object: &Value) -> String {
    let (group, version) = match object["apiVersion"].as_str().unwrap().split_once('/') {
        Some((group, version)) => (group, version),
        None => ("", "v1"),
    };
    let resource = object["kind"].as_str().unwrap().to_lowercase() + "s";
    json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": object["metadata"]["name"],
        "stage": "ResponseComplete",
        "requestURI": "/",
        "verb": "create",
        "user": {"username": "alice"},
        "objectRef": {
            "apiGroup": group,
            "apiVersion": version,
            "resource": resource,
            "namespace": object["metadata"]["namespace"],
            "name": object["metadata"]["name"],
        },
        "responseStatus": {"code": 201},
        "requestObject": object,
        "requestReceivedTimestamp": "2026-11-24T10:00:00.000000Z",
        "stageTimestamp": "2026-11-24T10:00:00.000000Z",
    })
    .to_string()
}

#[test]
fn the_workloads_of_the_manifest_are_restricted() {
    let objects = objects("kubernetes.yaml");
    let namespace = &objects[0]["metadata"]["labels"];
    assert_eq!(namespace["pod-security.kubernetes.io/enforce"], "restricted");

    let (dir, lake) = scratch();
    let log = dir.path().join("manifest.log");
    let is_workload =
        |object: &&Value| ["Deployment", "CronJob"].iter().any(|kind| object["kind"] == *kind);
    let events: Vec<_> = objects.iter().filter(is_workload).map(created).collect();
    std::fs::write(&log, events.join("\n")).unwrap();
    podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(0);
    let sql = "SELECT workload['kind'] AS kind, workload['pod_security_level'] AS level,
        workload['pod_security_failed'] AS failed FROM events ORDER BY kind";
    let run = podtrail(["sql", "--lake", &lake, "--format", "jsonl", "-c", sql]).expect(0);
    let found: Vec<_> =
        run.jsonl().iter().map(|row| (row["kind"].clone(), row["level"].clone())).collect();
    let restricted = |kind: &str| (json!(kind), json!("restricted"));
    assert_eq!(found, [restricted("CronJob"), restricted("Deployment")], "{run}");
}

#[test]
fn the_pods_of_the_manifest_run_with_its_settings() {
    let objects = objects("kubernetes.yaml");
    let of = |kind: &str| objects.iter().find(|object| object["kind"] == kind).unwrap();
    let settings = of("ConfigMap")["data"]["config.toml"].as_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, settings).unwrap();
    podtrail(["config", "--config", &file.display().to_string()]).expect(0);

    let pod = &of("Deployment")["spec"]["template"]["spec"];
    let arguments = pod["containers"][0]["args"].as_array().unwrap();
    let arguments = arguments.iter().map(|argument| argument.as_str().unwrap());
    // With --help, arguments are parsed without running anything.
    let run = command(arguments.chain(["--help"])).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    for kind in ["Deployment", "CronJob", "ServiceAccount"] {
        assert!(of(kind).to_string().contains("\"automountServiceAccountToken\":false"), "{kind}");
    }
}
