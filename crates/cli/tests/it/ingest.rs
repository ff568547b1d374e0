//! `podtrail ingest`.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::{Following, podtrail, privileged_pod, sample, scratch};

#[test]
fn ingesting_a_folder_again_adds_nothing() {
    let (_dir, lake) = scratch();
    let sample = sample().display().to_string();
    let first = podtrail(["ingest", &sample, "--lake", &lake, "--json"]).expect(0).json();
    assert_eq!(first["records"], 3902);
    assert_eq!(first["events_added"], first["records"]);
    assert_eq!(
        (&first["files"], &first["duplicates"], &first["quarantined"]),
        (&json!(4), &json!(0), &json!(0))
    );
    let again = podtrail(["ingest", &sample, "--lake", &lake, "--json"]).expect(0).json();
    assert_eq!((&again["events_added"], &again["duplicates"]), (&json!(0), &first["records"]));
}

#[test]
fn the_summary_has_exactly_these_members() {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    std::fs::write(&log, privileged_pod("a", "2026-11-24T10:00:00.000000Z")).unwrap();
    let log = log.display().to_string();
    let summary = podtrail(["ingest", &log, "--lake", &lake, "--json"]).expect(0).json();
    let keys: Vec<_> = summary.as_object().unwrap().keys().cloned().collect();
    let mut expected = vec![
        "files",
        "records",
        "events_added",
        "duplicates",
        "quarantined",
        "skipped",
        "bytes_read",
        "seconds",
        "warnings",
    ];
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[test]
fn the_same_events_in_another_format_are_duplicates() {
    let (dir, lake) = scratch();
    let events: Vec<_> =
        (0..3).map(|n| privileged_pod(&n.to_string(), "2026-11-24T10:00:00.000000Z")).collect();
    let plain = dir.path().join("plain.log");
    std::fs::write(&plain, events.join("\n")).unwrap();

    // Two gzip members, as in concatenated rotated files, under a name without an extension.
    let mut gzip = Vec::new();
    for part in [&events[..1], &events[1..]] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for event in part {
            writeln!(encoder, "{event}").unwrap();
        }
        gzip.extend(encoder.finish().unwrap());
    }
    std::fs::write(dir.path().join("members"), gzip).unwrap();

    let items: Vec<serde_json::Value> = events
        .iter()
        .map(|event| {
            let mut item: serde_json::Value = serde_json::from_str(event).unwrap();
            item.as_object_mut().unwrap().retain(|key, _| key != "kind" && key != "apiVersion");
            item
        })
        .collect();
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items});
    std::fs::write(dir.path().join("batch.json"), serde_json::to_string_pretty(&list).unwrap())
        .unwrap();

    let pattern = format!("{}/*", dir.path().display());
    let summary = podtrail(["ingest", &pattern, "--lake", &lake, "--json"]).expect(0).json();
    assert_eq!(
        (&summary["files"], &summary["events_added"], &summary["duplicates"]),
        (&json!(3), &json!(3), &json!(6))
    );
}

#[test]
fn another_cluster_is_another_log() {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    std::fs::write(&log, privileged_pod("a", "2026-11-24T10:00:00.000000Z")).unwrap();
    let log = log.display().to_string();
    for cluster in ["prod", "test"] {
        let arguments = ["ingest", &log, "--lake", &lake, "--cluster", cluster, "--json"];
        assert_eq!(podtrail(arguments).expect(0).json()["events_added"], 1);
    }
}

#[test]
fn secrets_are_redacted_unless_disabled() {
    let (dir, _) = scratch();
    let secret = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request",
        "auditID": "audit-secret",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/web/secrets",
        "verb": "create",
        "user": {"username": "alice"},
        "objectRef": {"resource": "secrets", "namespace": "web", "name": "s", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 201},
        "requestObject": {"kind": "Secret", "stringData": {"password": "hunter2"}},
        "requestReceivedTimestamp": "2026-11-24T10:00:00.000000Z",
        "stageTimestamp": "2026-11-24T10:00:00.000000Z",
    });
    let log = dir.path().join("a.log").display().to_string();
    std::fs::write(&log, secret.to_string()).unwrap();
    let body = |name: &str, flags: &[&str]| {
        let lake = dir.path().join(name).display().to_string();
        let run = podtrail([&["ingest", &log, "--lake", &lake], flags].concat()).expect(0);
        let key = std::fs::read_to_string(dir.path().join(name).join("redaction.key"));
        assert_eq!(key.is_ok(), flags.is_empty());
        assert!(key.is_ok_and(|key| !format!("{run}").contains(key.trim())) || !flags.is_empty());
        let query = "SELECT request_object FROM events";
        podtrail(["sql", "--lake", &lake, "--format", "jsonl", "-c", query]).expect(0).stdout
    };
    let redacted = body("redacted", &[]);
    assert!(redacted.contains("password") && redacted.contains("redacted:"), "{redacted}");
    assert!(!redacted.contains("hunter2"), "{redacted}");
    assert!(body("kept", &["--no-redact"]).contains("hunter2"));
}

#[test]
fn explain_describes_a_log_and_stores_nothing() {
    let (dir, lake) = scratch();
    let sample = sample().display().to_string();
    let explained = podtrail(["ingest", "--explain", &sample, "--lake", &lake]).expect(0).stdout;
    for line in [
        "events      3,902",
        "period      2026-11-24 10:09:15 to 2026-11-24 10:10:34 UTC",
        "shape       bare 3,902",
        "versions    audit.k8s.io/v1 3,902",
        "workloads   436 writes of any outcome, 98 % with visible body",
    ] {
        assert!(explained.lines().any(|other| other == line), "{line}\n{explained}");
    }
    assert!(!dir.path().join("lake").exists());

    let blind = dir.path().join("blind.log");
    let mut event: serde_json::Value =
        serde_json::from_str(&privileged_pod("a", "2026-11-24T10:00:00.000000Z")).unwrap();
    event.as_object_mut().unwrap().remove("requestObject");
    std::fs::write(&blind, event.to_string()).unwrap();
    let blind = blind.display().to_string();
    let explained = podtrail(["ingest", "--explain", &blind, "--json"]).expect(0).json();
    assert_eq!(
        (&explained["workload_writes"], &explained["workload_bodies"]),
        (&json!(1), &json!(0))
    );
    assert!(explained["blind_spots"][0].as_str().unwrap().starts_with("1 of 1 workload writes"));
}

/// Events are queryable while the log grows; Ctrl-C and the signal of service managers end the ingest.
#[cfg(unix)]
#[test]
fn follow_commits_new_records() {
    let (dir, lake) = scratch();
    let log = dir.path().join("audit.log");
    let append = |name: &str| {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        writeln!(file, "{}", privileged_pod(name, "2026-11-24T10:00:00.000000Z")).unwrap();
    };
    let count = || {
        let rows = "SELECT count(*) AS rows FROM stages";
        let run = podtrail(["sql", "--lake", &lake, "--format", "jsonl", "-c", rows]);
        if run.code == 0 { run.jsonl()[0]["rows"].as_u64().unwrap() } else { 0 }
    };
    let wait_for = |rows| {
        let patience = std::time::Instant::now() + std::time::Duration::from_mins(2);
        while count() < rows {
            assert!(std::time::Instant::now() < patience, "{rows} rows never came");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    };
    append("first");
    let path = log.display().to_string();
    for (rows, signal) in [(3, "-INT"), (5, "-TERM")] {
        let following = Following::start(&path, "200ms", &lake);
        append(&format!("before {signal}"));
        wait_for(rows - 1);
        append(&format!("after {signal}"));
        wait_for(rows);
        following.end(signal);
        assert_eq!(count(), rows);
    }
}
