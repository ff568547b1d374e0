//! The files in `deploy/` meet podtrail's own security checks.

use std::path::Path;

use serde_json::{Value, json};

use crate::{command, is_in_this_build, podtrail, scratch};

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

/// The manifests whose namespace enforces the restricted Pod Security Standard.
const MANIFESTS: [&str; 2] = ["kubernetes.yaml", "scale.yaml"];

#[test]
fn the_workloads_of_the_manifests_are_restricted() {
    for manifest in MANIFESTS {
        let objects = objects(manifest);
        let namespace = &objects[0]["metadata"]["labels"];
        assert_eq!(namespace["pod-security.kubernetes.io/enforce"], "restricted");

        let (dir, lake) = scratch();
        let log = dir.path().join("manifest.log");
        let is_workload =
            |object: &&Value| ["Deployment", "CronJob"].iter().any(|kind| object["kind"] == *kind);
        let events: Vec<_> = objects.iter().filter(is_workload).map(created).collect();
        std::fs::write(&log, events.join("\n")).unwrap();
        podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(0);
        let sql = "SELECT name, workload['pod_security_level'] AS level,
            workload['pod_security_failed'] AS failed FROM events";
        let run = podtrail(["sql", "--lake", &lake, "--format", "jsonl", "-c", sql]).expect(0);
        let found = run.jsonl();
        assert_eq!(found.len(), events.len(), "{run}");
        assert!(found.iter().all(|row| row["level"] == "restricted"), "{run}");
    }
}

#[test]
fn the_pods_of_the_manifests_run_with_their_settings() {
    for manifest in MANIFESTS {
        let objects = objects(manifest);
        let of = |kind: &'static str| objects.iter().filter(move |object| object["kind"] == kind);
        if let Some(settings) = of("ConfigMap").find_map(|map| map["data"]["config.toml"].as_str())
        {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("config.toml");
            std::fs::write(&file, settings).unwrap();
            podtrail(["config", "--config", &file.display().to_string()]).expect(0);
        }
        let deployments = of("Deployment").map(|object| &object["spec"]["template"]["spec"]);
        let jobs =
            of("CronJob").map(|object| &object["spec"]["jobTemplate"]["spec"]["template"]["spec"]);
        for pod in deployments.chain(jobs) {
            assert_eq!(pod["automountServiceAccountToken"], false, "{pod}");
            let containers = ["initContainers", "containers"].map(|list| pod[list].as_array());
            for container in containers.into_iter().flatten().flatten() {
                let arguments = container["args"].as_array().unwrap().iter();
                let arguments: Vec<_> = arguments.map(|it| it.as_str().unwrap()).collect();
                if !is_in_this_build(arguments.iter().copied()) {
                    continue;
                }
                // With --help, arguments are parsed without running anything.
                let run = command(arguments.into_iter().chain(["--help"])).output().unwrap();
                assert!(run.status.success(), "{run:?}");
            }
        }
        assert!(of("ServiceAccount").all(|it| it["automountServiceAccountToken"] == false));
    }
}
