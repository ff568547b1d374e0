//! The scope options of `hunt` and `sql`.

use serde_json::json;

use crate::{podtrail, privileged_pod, scratch};

/// Returns a lake with a privileged pod at noon of each of ten days.
fn ten_days() -> (tempfile::TempDir, String) {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    let events: Vec<_> = (10..20)
        .map(|day| privileged_pod(&format!("d{day}"), &format!("2026-11-{day}T12:00:00.000000Z")))
        .collect();
    std::fs::write(&log, events.join("\n")).unwrap();
    podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(0);
    (dir, lake)
}

fn names(lake: &str, scope: &[&str]) -> Vec<String> {
    let mut arguments = vec![
        "sql",
        "--lake",
        lake,
        "--format",
        "jsonl",
        "-c",
        "SELECT name FROM events ORDER BY time",
    ];
    arguments.extend(scope);
    let rows = podtrail(arguments).expect(0).jsonl();
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_period_is_from_inclusive_to_exclusive() {
    let (_dir, lake) = ten_days();
    let hour = ["--from", "2026-11-12T12:00:00Z", "--to", "2026-11-12T13:00:00Z"];
    assert_eq!(names(&lake, &hour), ["d12"]);
    assert_eq!(names(&lake, &["--to", "2026-11-11T12:00:00Z"]), ["d10"]);
    assert_eq!(names(&lake, &["--from", "2026-11-18", "--to", "2026-11-19"]), ["d18", "d19"]);
    assert_eq!(names(&lake, &["--from", "2026-11-19T14:00:00+02:00"]), ["d19"]);
    assert_eq!(names(&lake, &["--from", "3000-01-01"]), [""; 0]);
}

#[test]
fn a_one_hour_hunt_opens_only_the_files_of_its_day() {
    let (_dir, lake) = ten_days();
    let files = |scope: &[&str]| {
        let sql = "EXPLAIN SELECT event_id FROM events WHERE activity = 'workload'";
        let mut arguments = vec!["sql", "--lake", &lake, "--format", "json", "-c", sql];
        arguments.extend(scope);
        let plan = podtrail(arguments).expect(0).stdout;
        let mut days: Vec<String> = plan
            .match_indices("date=")
            .map(|(at, _)| plan[at + 5..at + 15].to_owned())
            .filter(|day| day.starts_with("2026"))
            .collect();
        days.sort();
        days.dedup();
        days
    };
    assert_eq!(files(&[]).len(), 10);
    let hour = ["--from", "2026-11-12T11:30:00Z", "--to", "2026-11-12T12:30:00Z"];
    assert_eq!(files(&hour), ["2026-11-12"]);
}

#[test]
fn names_are_exact_or_patterns() {
    let (_dir, lake) = ten_days();
    assert_eq!(names(&lake, &["--identity", "alice"]).len(), 10);
    assert_eq!(names(&lake, &["--identity", "al*"]).len(), 10);
    assert_eq!(names(&lake, &["--identity", "a_ice"]).len(), 0);
    assert_eq!(names(&lake, &["--identity", "bob", "--identity", "alice"]).len(), 10);
    assert_eq!(names(&lake, &["--namespace", "web", "--cluster", "default"]).len(), 10);
    assert_eq!(names(&lake, &["--namespace", "w"]).len(), 0);
    assert_eq!(names(&lake, &["--cluster", "other"]).len(), 0);
}

#[test]
fn a_hunt_is_scoped_like_a_query_and_uses_earlier_events() {
    let (_dir, lake) = ten_days();
    let scope = ["--from", "2026-11-12", "--to", "2026-11-12"];
    let only = ["privileged-container", "first-workload-by-identity"];
    let only = only.into_iter().flat_map(|id| ["--detection", id]);
    let arguments = ["hunt", "--lake", &lake, "--format", "jsonl"].into_iter();
    let arguments = arguments.chain(only).chain(scope);
    let findings = podtrail(arguments).expect(0).jsonl();
    let detections: Vec<_> = findings.iter().map(|finding| &finding["detection"]).collect();
    // Alice has written workloads before, so she is not new.
    assert_eq!(detections, [&json!("privileged-container")]);
    assert_eq!(findings[0]["name"], "d12");
}

#[test]
fn an_invalid_time_is_a_usage_error() {
    let (_dir, lake) = ten_days();
    let run = podtrail(["hunt", "--lake", &lake, "--from", "yesterday"]).expect(2);
    assert!(run.stderr.contains("'yesterday' is not a time"), "{run}");
    podtrail(["hunt", "--lake", &lake, "--from", "2026-11-12", "--to", "2026-11-11"]).expect(2);
    podtrail(["hunt", "--lake", &lake, "--from", "1h", "--since", "2h"]).expect(2);
}

/// Returns the findings of a hunt in the sample with this scope: ids with severities, for the namespace or the
/// identity.
fn found(lake: &str, scope: &[&str]) -> Vec<serde_json::Value> {
    // What is first seen, what is compared with others, and what combines the findings of others.
    let detections = [
        "first-workload-by-identity",
        "privileged-container",
        "sensitive-host-path",
        "secret-read",
        "token-request",
        "cluster-admin-binding",
        "risk-of-workload-write",
        "risk-of-identity",
    ];
    let arguments = ["hunt", "--lake", lake, "--format", "jsonl", "--min-severity", "info"];
    let only = detections.into_iter().flat_map(|id| ["--detection", id]);
    podtrail(arguments.into_iter().chain(only).chain(scope.iter().copied())).expect(0).jsonl()
}

#[test]
fn a_scope_affects_the_shown_findings_and_not_their_severity() {
    let (_dir, lake) = scratch();
    let sample = crate::sample().display().to_string();
    podtrail(["ingest", &sample, "--lake", &lake]).expect(0);
    let all = found(&lake, &[]);
    let events = |condition: &str| -> Vec<String> {
        let sql = format!("SELECT event_id FROM stages WHERE {condition}");
        let rows =
            podtrail(["sql", "--lake", &lake, "--format", "jsonl", "-c", &sql]).expect(0).jsonl();
        rows.iter().map(|row| row["event_id"].as_str().unwrap().to_owned()).collect()
    };
    for (scope, condition) in [
        (vec!["--namespace", "tools"], "namespace = 'tools'"),
        (
            vec!["--identity", "mallory@*", "--namespace", "kube-system"],
            "username = 'mallory@example.com' AND namespace = 'kube-system'",
        ),
        (
            vec!["--from", "2026-11-24T10:09:40Z", "--to", "2026-11-24T10:09:50Z"],
            "time >= TIMESTAMP '2026-11-24T10:09:40Z' AND time < TIMESTAMP '2026-11-24T10:09:50Z'",
        ),
    ] {
        let ids = events(condition);
        let concerns = |finding: &&serde_json::Value| {
            let of = finding["event_ids"].as_array().unwrap();
            of.iter().any(|id| ids.iter().any(|other| id == other))
        };
        let expected: Vec<_> = all.iter().filter(concerns).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{scope:?}");
        assert_eq!(found(&lake, &scope), expected, "{scope:?}");
    }
}
