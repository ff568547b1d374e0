//! Health checks of the lake in `podtrail detect`.

use crate::detect::Fixture;
use crate::privileged_pod;

fn pods(name: &str, count: usize, minute: usize) -> Vec<String> {
    let pod = |second: usize| {
        let time = format!("2026-11-24T10:{minute:02}:{second:02}.000000Z");
        privileged_pod(&format!("{name}-{second}"), &time).replace("true", "false")
    };
    (0..count).map(pod).collect()
}

/// Returns the detections, clusters and resources that a run reports.
fn reported(lake: &Fixture, flags: &[&str]) -> Vec<String> {
    let found = lake.detect(flags).expect(0).jsonl();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let names = found.iter().map(|finding| {
        ["detection", "cluster", "resource"].map(|key| text(&finding[key])).join(" ")
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn a_silent_cluster_is_reported_once_per_episode() {
    let mut lake = Fixture::new();
    lake.ingest_as("one", &pods("a", 1, 0));
    lake.ingest_as("two", &pods("b", 1, 0));
    let check = ["--detection", "cluster-silent"];
    assert!(reported(&lake, &check).is_empty(), "only when asked for");
    let check = ["--detection", "cluster-silent", "--silence", "30m"];
    assert_eq!(reported(&lake, &check), ["cluster-silent one -", "cluster-silent two -"]);
    assert!(reported(&lake, &check).is_empty());
    // The cluster sent an event, and is silent again.
    lake.ingest_as("two", &pods("c", 1, 5));
    assert_eq!(reported(&lake, &check), ["cluster-silent two -"]);
    let open = lake.sql("SELECT cluster, state, count FROM findings ORDER BY cluster, first_seen");
    assert_eq!(open.as_array().unwrap().len(), 3, "{open}");
    let long = ["--detection", "cluster-silent", "--silence", "100000d"];
    lake.ingest_as("three", &pods("d", 1, 5));
    assert!(reported(&lake, &long).is_empty());
}

#[test]
fn a_future_event_does_not_hide_a_silent_cluster() {
    let mut lake = Fixture::new();
    lake.ingest_as("one", &pods("a", 1, 0));
    let odd = [
        "2099-01-01T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z",
        "1600-01-01T00:00:00.000000Z",
        "12026-11-24T10:00:00.000000Z",
        "-0001-11-24T10:00:00.000000Z",
    ];
    let events: Vec<_> = odd.iter().map(|time| privileged_pod(time, time)).collect();
    lake.ingest_as("one", &events);
    let check = ["--detection", "cluster-silent", "--silence", "30m"];
    // They are not lost, and do not prevent other events from being examined, in this run or a later one.
    let expected = [&["cluster-silent one -"][..], &["privileged-container one pods"; 5]].concat();
    assert_eq!(reported(&lake, &check), expected);
    lake.ingest_as("one", &pods("b", 1, 7));
    lake.detect(&[]).expect(0);
    let odd_rows = lake.sql("SELECT time_problem, count(*) AS n FROM stages WHERE time_problem IS NOT NULL GROUP BY time_problem ORDER BY time_problem");
    let expected = serde_json::json!([
        {"time_problem": "absurd", "n": 4},
        {"time_problem": "future", "n": 1},
    ]);
    assert_eq!(odd_rows, expected);
    let status = crate::podtrail(["status", "--lake", &lake.lake, "--format", "json"]).expect(0);
    assert_eq!(status.json()["clusters"][0]["last_event"], "2026-11-24T10:07:00Z");
}

#[test]
fn the_checks_are_listed_and_explained() {
    let list = crate::podtrail(["detections", "list"]).expect(0).stdout;
    assert!(list.contains("high      cluster-silent"), "{list}");
    let shown = crate::podtrail(["detections", "show", "cluster-silent"]).expect(0).stdout;
    assert!(shown.contains("longer than --silence"), "{shown}");
}

#[test]
fn a_lower_audit_level_is_reported_once_per_episode() {
    let mut lake = Fixture::new();
    let check = ["--detection", "audit-level-dropped", "--detection", "bodies-missing"];
    let metadata = |events: Vec<String>| -> Vec<String> {
        let level = |event: String| event.replace(r#""Request""#, r#""Metadata""#);
        events.into_iter().map(level).collect()
    };
    lake.ingest(&pods("a", 30, 0));
    lake.ingest(&pods("a", 30, 1));
    assert!(reported(&lake, &check).is_empty());
    // Too few requests for a baseline.
    lake.ingest(&metadata(pods("b", 5, 2)));
    assert!(reported(&lake, &check).is_empty());
    lake.ingest(&metadata(pods("c", 30, 3)));
    assert_eq!(reported(&lake, &check), ["audit-level-dropped default pods"]);
    lake.ingest(&metadata(pods("d", 30, 4)));
    assert!(reported(&lake, &check).is_empty());
    let reason = lake.sql("SELECT reasons[1] AS r FROM findings")[0]["r"].clone();
    assert_eq!(
        reason,
        "none of 30 requests (create) is logged above the level Metadata, before that they were at Request"
    );
}

#[test]
fn missing_bodies_are_reported_once_per_episode() {
    let mut lake = Fixture::new();
    let check = ["--detection", "audit-level-dropped", "--detection", "bodies-missing"];
    let bare = |events: Vec<String>| -> Vec<String> {
        let bare = |event: String| {
            let mut event: serde_json::Value = serde_json::from_str(&event).unwrap();
            event.as_object_mut().unwrap().remove("requestObject");
            event.to_string()
        };
        events.into_iter().map(bare).collect()
    };
    lake.ingest(&pods("a", 30, 0));
    assert!(reported(&lake, &check).is_empty());
    lake.ingest(&bare(pods("b", 30, 1)));
    assert_eq!(reported(&lake, &check), ["bodies-missing default pods"]);
    lake.ingest(&bare(pods("c", 30, 2)));
    assert!(reported(&lake, &check).is_empty());
}

#[test]
fn a_jump_in_the_quarantine_and_a_gap_between_runs_are_reported() {
    let mut lake = Fixture::new();
    let check = ["--detection", "quarantine-jump", "--detection", "run-skipped"];
    lake.ingest(&pods("a", 1, 0));
    assert!(reported(&lake, &check).is_empty());
    let mut log = pods("b", 1, 1);
    log.extend((0..12).map(|line| format!("damaged {line}")));
    lake.ingest_damaged(&log);
    assert_eq!(reported(&lake, &check), ["quarantine-jump - -"]);
    assert!(reported(&lake, &check).is_empty());
    // Starting a program takes longer than this.
    let gap = ["--detection", "run-skipped", "--every", "1ns"];
    assert_eq!(reported(&lake, &gap), ["run-skipped - -"]);
    let hour = ["--detection", "run-skipped", "--every", "1h"];
    assert!(reported(&lake, &hour).is_empty());
}
