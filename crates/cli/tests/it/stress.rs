//! Concurrent operations on one lake: growing logs, detections, compactions and queries.

#![cfg(unix)]

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Following, podtrail, privileged_pod, scratch};

/// The number of sessions that query concurrently.
const SESSIONS: usize = 10;

/// Returns the duration, by default a few seconds; `PODTRAIL_STRESS_SECONDS=600` runs ten minutes.
fn duration() -> Duration {
    let seconds = std::env::var("PODTRAIL_STRESS_SECONDS");
    Duration::from_secs(seconds.map_or(8, |seconds| seconds.parse().unwrap()))
}

/// Returns an event of one of two days and two activities.
fn line(number: u64) -> String {
    let (day, second) = (20 + number % 2, number % 60);
    let time = format!("2026-11-{day}T10:00:{second:02}.000000Z");
    let event = privileged_pod(&format!("pod-{number}"), &time);
    if number.is_multiple_of(3) { event.replace("\"create\"", "\"get\"") } else { event }
}

/// Returns the number of rows. Events are numbered in the order of writing, and a commit covers several partitions: a
/// reader of a partial commit would miss numbers, a reader of duplicate rows would see too many.
fn count(lake: &str) -> u64 {
    const SQL: &str = "
        SELECT count(*) AS rows, count(DISTINCT event_id) AS ids, count(DISTINCT name) AS names,
            coalesce(max(CAST(substr(name, 5) AS BIGINT)) + 1, 0) AS numbers
        FROM stages";
    let run = podtrail(["sql", "--lake", lake, "--format", "json", "-c", SQL]).expect(0);
    let row = &run.json()[0];
    let rows = row["rows"].as_u64().unwrap();
    for column in ["ids", "names", "numbers"] {
        assert_eq!(row[column].as_u64(), Some(rows), "{run}");
    }
    rows
}

/// Runs the detections over new events; returns the number of findings printed.
fn detect(lake: &str) -> usize {
    let detect = ["detect", "--lake", lake, "--detection", "privileged-container"];
    let run = podtrail(detect.into_iter().chain(["--format", "jsonl"])).expect(0);
    run.stdout.lines().count()
}

#[test]
#[ignore = "stress: .ci/run includes it; cargo test --workspace -- --ignored"]
fn readers_and_writers_do_not_disturb_each_other() {
    let (dir, lake) = scratch();
    let log = dir.path().join("audit.log");
    std::fs::write(&log, line(0) + "\n").unwrap();
    let path = log.display().to_string();
    podtrail(["ingest", &path, "--lake", &lake]).expect(0);
    let following = Following::start(&path, "100ms", &lake);

    let is_over = AtomicBool::new(false);
    let written = AtomicU64::new(1);
    let queries = AtomicU64::new(0);
    let joined = AtomicU64::new(0);
    let printed = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = OpenOptions::new().append(true).open(&log).unwrap();
            while !is_over.load(Ordering::Relaxed) {
                let first = written.fetch_add(20, Ordering::Relaxed);
                let lines: String = (first..first + 20).map(|number| line(number) + "\n").collect();
                file.write_all(lines.as_bytes()).unwrap();
                thread::sleep(Duration::from_millis(50));
            }
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let run = podtrail(["lake", "compact", "--lake", &lake]).expect(0);
                let became = run.stdout.lines().last().unwrap().split(' ').next().unwrap();
                joined.fetch_add(became.replace(',', "").parse().unwrap(), Ordering::Relaxed);
                podtrail(["lake", "vacuum", "--lake", &lake]).expect(0);
            }
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                printed.fetch_add(detect(&lake), Ordering::Relaxed);
            }
        });
        for _ in 0..SESSIONS {
            scope.spawn(|| {
                let mut before = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let now = count(&lake);
                    assert!(now >= before, "{before} rows became {now}");
                    before = now;
                    queries.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(duration());
        is_over.store(true, Ordering::Relaxed);
    });

    let written = written.into_inner();
    let patience = Instant::now() + Duration::from_mins(5);
    while count(&lake) < written {
        assert!(Instant::now() < patience, "{written} rows never came");
        thread::sleep(Duration::from_millis(100));
    }
    following.end("-INT");
    assert_eq!(count(&lake), written);
    assert_ne!(queries.into_inner(), 0);
    // Each created pod is a finding, and was printed once.
    let printed = printed.into_inner() + detect(&lake);
    let created = (0..written).filter(|number| !number.is_multiple_of(3)).count();
    assert_eq!(printed, created);
    assert_eq!(detect(&lake), 0);

    let run = podtrail(["lake", "compact", "--lake", &lake]).expect(0);
    assert_ne!(joined.into_inner(), 0, "{run}");
    podtrail(["lake", "vacuum", "--older-than", "0s", "--lake", &lake]).expect(0);
    podtrail(["lake", "verify", "--lake", &lake]).expect(0);
    assert_eq!(count(&lake), written);
    let again = podtrail(["ingest", &path, "--lake", &lake, "--json"]).expect(0).json();
    assert_eq!(
        (again["events_added"].as_u64(), again["duplicates"].as_u64()),
        (Some(0), Some(written))
    );
}
