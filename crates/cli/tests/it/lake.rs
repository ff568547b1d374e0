//! `podtrail lake`.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{Run, podtrail, privileged_pod, scratch};

/// Returns a lake with three files of one past day, and one of a future day.
fn four_files() -> (tempfile::TempDir, String, Vec<String>) {
    let (dir, lake) = scratch();
    let times = [
        "2020-01-01T10:00:00",
        "2020-01-01T11:00:00",
        "2020-01-01T10:30:00",
        "2099-01-01T00:00:00",
    ];
    let logs: Vec<String> = (0..)
        .zip(times)
        .map(|(number, time)| {
            let log = dir.path().join(format!("{number}.log"));
            let time = format!("{time}.000000Z");
            std::fs::write(&log, privileged_pod(&format!("pod-{number}"), &time)).unwrap();
            let log = log.display().to_string();
            podtrail(["ingest", &log, "--lake", &lake]).expect(0);
            log
        })
        .collect();
    (dir, lake, logs)
}

fn on_lake(command: &[&str], lake: &str) -> Run {
    podtrail([&["lake"], command, &["--lake", lake]].concat())
}

fn lines(run: &Run) -> Vec<&str> {
    run.stdout.lines().collect()
}

/// Returns the data files of the past day.
fn old_files(lake: &str) -> Vec<PathBuf> {
    let day = Path::new(lake).join("events/cluster=default/date=2020-01-01/activity=workload");
    std::fs::read_dir(day).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn info_describes_the_tables() {
    let (_dir, lake, _) = four_files();
    let tables = on_lake(&["info", "--format", "json"], &lake).expect(0).json();
    let events = &tables[0];
    for (key, value) in [
        ("table", json!("events")),
        ("version", json!(4)),
        ("files", json!(4)),
        ("rows", json!(4)),
        ("partitions", json!(2)),
        ("first", json!("2020-01-01T10:00:00Z")),
        ("last", json!("2099-01-01T00:00:00Z")),
        ("small_files", json!(3)),
        ("joined_files", json!(1)),
    ] {
        assert_eq!(events[key], value, "{key}");
    }
    let info = on_lake(&["info"], &lake).expect(0);
    for line in [
        "events, version 4",
        "  period      2020-01-01 10:00:00 to 2099-01-01 00:00:00 UTC",
        "  to compact  3 files into 1",
        "quarantine, version 0",
    ] {
        assert!(lines(&info).contains(&line), "{line}\n{info}");
    }
    let none = on_lake(&["info", "--target-size", "1"], &lake).expect(0);
    assert!(!none.stdout.contains("to compact"), "{none}");
}

#[test]
fn compact_joins_files_and_vacuum_removes_the_old_ones() {
    let (_dir, lake, logs) = four_files();
    let dry = on_lake(&["compact", "--dry-run"], &lake).expect(0);
    let place = "events/cluster=default/date=2020-01-01/activity=workload: 3 files (";
    assert!(lines(&dry)[0].starts_with(place), "{dry}");
    assert_eq!(lines(&dry)[1], "3 files would become 1");

    let young = on_lake(&["compact", "--older-than", "1h"], &lake).expect(0);
    assert_eq!(lines(&young), ["0 files became 0"]);
    let done = on_lake(&["compact"], &lake).expect(0);
    assert!(lines(&done)[0].starts_with(place) && lines(&done)[1] == "3 files became 1", "{done}");
    assert_eq!(lines(&on_lake(&["compact"], &lake).expect(0)), ["0 files became 0"]);

    let again = [
        &["ingest", "--lake", &lake, "--json"],
        &*logs.iter().map(String::as_str).collect::<Vec<_>>(),
    ]
    .concat();
    let again = podtrail(again).expect(0).json();
    assert_eq!((&again["events_added"], &again["duplicates"]), (&json!(0), &json!(4)));

    let kept = on_lake(&["vacuum"], &lake).expect(0);
    assert_eq!(lines(&kept), ["0 files (0 bytes) removed", "3 files kept: younger than 1h"]);
    assert_eq!(old_files(&lake).len(), 4);
    let removed = on_lake(&["vacuum", "--older-than", "0s"], &lake).expect(0);
    assert!(lines(&removed)[3].starts_with("3 files ("), "{removed}");
    assert_eq!(old_files(&lake).len(), 1);
    on_lake(&["verify"], &lake).expect(0);
    let names = "SELECT name FROM stages ORDER BY time";
    let rows = podtrail(["sql", "--lake", &lake, "--format", "csv", "-c", names]).expect(0);
    assert_eq!(lines(&rows), ["name", "pod-0", "pod-2", "pod-1", "pod-3"]);
}

#[test]
fn retain_removes_old_days() {
    let (_dir, lake, _) = four_files();
    let other = on_lake(&["retain", "--older-than", "400d", "--activity", "read"], &lake).expect(0);
    assert!(lines(&other)[0].starts_with("0 files (0 events, 0 bytes) of days before "), "{other}");

    for (flags, done) in [(&["--dry-run"][..], "would be removed"), (&[], "removed")] {
        let run = on_lake(&[&["retain", "--older-than", "400d"], flags].concat(), &lake).expect(0);
        let [partition, total] = lines(&run)[..] else { panic!("{run}") };
        let expected =
            "events/cluster=default/date=2020-01-01/activity=workload: 3 files, 3 events";
        assert_eq!(partition, expected);
        assert!(total.starts_with("3 files (3 events, ") && total.ends_with(done), "{run}");
    }
    let count = "SELECT count(*) AS rows FROM stages";
    let rows = podtrail(["sql", "--lake", &lake, "--format", "json", "-c", count]).expect(0);
    assert_eq!(rows.json()[0]["rows"], 1);
    on_lake(&["verify"], &lake).expect(0);

    let unknown =
        on_lake(&["retain", "--older-than", "1d", "--activity", "reads"], &lake).expect(2);
    assert!(unknown.stderr.contains("[possible values: workload, rbac, "), "{unknown}");
    on_lake(&["retain"], &lake).expect(2);
    let all_time = on_lake(&["retain", "--older-than", "9000000000000d"], &lake);
    assert_eq!(all_time.code, 2, "{all_time}");
}

#[test]
fn verify_names_damaged_files() {
    let (_dir, lake, _) = four_files();
    let whole = on_lake(&["verify"], &lake).expect(0);
    assert_eq!(
        lines(&whole),
        [
            "events, version 4: 4 files, 4 rows, digests compared, 0 problems",
            "quarantine, version 0: 0 files, 0 rows, no digests stored, 0 problems",
        ]
    );
    let file = &old_files(&lake)[0];
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let run = on_lake(&["verify"], &lake).expect(3);
    let size =
        format!("{name}: has {} bytes, but the log records {}", bytes.len() / 2, bytes.len());
    assert!(lines(&run).iter().any(|line| line.ends_with(&size)), "{run}");
    assert!(run.stdout.contains("3 rows, digests compared, 2 problems"), "{run}");
}

/// For every kind of damage, the exit code is the one for damage.
#[test]
fn verify_names_problems_of_a_table_log() {
    let (_dir, lake, _) = four_files();
    let entry = Path::new(&lake).join("events/_delta_log/00000000000000000001.json");
    let text = std::fs::read_to_string(&entry).unwrap();
    let stats = text.find(r#""stats":""#).unwrap();
    let end = stats + text[stats..].find(r#"}""#).unwrap() + 2;
    let path = text.find(r#""path":""#).unwrap() + r#""path":""#.len();
    for (changed, expected) in [
        ([&text[..path], "../../", &text[path..]].concat(), "which is outside the table"),
        (
            [&text[..stats], r#""stats":"junk""#, &text[end..]].concat(),
            "with invalid `stats`: expected value",
        ),
    ] {
        std::fs::write(&entry, changed).unwrap();
        let run = on_lake(&["verify"], &lake).expect(3);
        assert!(
            run.stdout.starts_with("events/_delta_log/00000000000000000001.json: line "),
            "{run}"
        );
        assert!(run.stdout.contains(expected), "{run}");
        assert!(run.stdout.contains("events: no readable version, 1 problems"), "{run}");
        let mut query = crate::command(["sql", "--lake", &lake, "-c", "SELECT 1 FROM events"]);
        let run = crate::Run::of(query.env("RUST_BACKTRACE", "1").output().unwrap()).expect(4);
        assert_eq!(run.stderr.lines().count(), 1, "{run}");
    }
    std::fs::write(&entry, text).unwrap();
    std::fs::write(entry.with_file_name("_last_checkpoint"), "{\"version\":7}").unwrap();
    let run = on_lake(&["verify"], &lake).expect(3);
    assert!(run.stdout.starts_with("events/_delta_log/_last_checkpoint: "), "{run}");
    assert!(run.stdout.contains("4 rows, digests compared, 1 problems"), "{run}");
}
