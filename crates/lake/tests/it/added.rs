//! Rows that were added to a table after a version.

use std::path::Path;
use std::time::Duration;

use podtrail_lake::{Lake, Period};
use serde_json::{Value, json};

use crate::support::{OnDisk, batch, event, lake, value};

const DAY: i64 = 86_400;

async fn append(lake: &Lake, ids: std::ops::Range<u64>, second: i64) {
    let events = ids.map(|id| event(id, second + id as i64, "read"));
    lake.append_events(vec![batch(events)]).await.unwrap();
}

/// Returns the ids of the events after a version, by `source_line`.
async fn after(lake: &Lake, version: i64) -> String {
    let added = lake.events_version().await.unwrap().added_after(version).unwrap();
    value(
        &added,
        "SELECT string_agg(CAST(source_line AS VARCHAR), ' ' ORDER BY source_line) FROM t",
    )
    .await
}

fn log_entry(root: &Path, version: i64) -> std::path::PathBuf {
    root.join("_delta_log").join(format!("{version:020}.json"))
}

/// Rewrites the table like a compaction: one file for all rows of versions 1 and 2, which is not new data.
async fn compact(lake: &Lake) {
    let snapshot = lake.events().await.unwrap();
    let all = tempfile::tempdir().unwrap();
    let whole = Lake::create(all.path()).await.unwrap();
    append(&whole, 0..6, 0).await;
    let file = whole.events().await.unwrap().files().unwrap()[0].path.clone();
    let root = whole.events().await.unwrap().root().clone();
    std::fs::copy(root.join(&file), snapshot.root().join(&file)).unwrap();
    let entry = std::fs::read_to_string(log_entry(&root, 1)).unwrap();
    let add = entry.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut add = add.into_iter().find(|action| action["add"].is_object()).unwrap();
    add["add"]["dataChange"] = false.into();
    let mut actions = vec![add];
    actions.extend(snapshot.files().unwrap().iter().map(
        |file| json!({"remove": {"path": file.path, "deletionTimestamp": 0, "dataChange": false}}),
    ));
    actions.push(json!({"commitInfo": {"operation": "OPTIMIZE"}}));
    let lines: Vec<_> = actions.iter().map(Value::to_string).collect();
    std::fs::write(log_entry(&snapshot.root(), snapshot.version() + 1), lines.join("\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_later_rows_are_added() {
    let (_dir, lake) = lake().await;
    append(&lake, 0..3, 0).await;
    append(&lake, 3..6, 0).await;
    append(&lake, 6..7, -40 * DAY).await;
    assert_eq!(after(&lake, 0).await, "0 1 2 3 4 5 6");
    assert_eq!(after(&lake, 1).await, "3 4 5 6");
    assert_eq!(after(&lake, 2).await, "6");
    assert_eq!(after(&lake, 3).await, "");
    assert_eq!(after(&lake, 99).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_adds_nothing() {
    let (_dir, lake) = lake().await;
    append(&lake, 0..3, 0).await;
    append(&lake, 3..6, 0).await;
    compact(&lake).await;
    let events = lake.events().await.unwrap();
    assert_eq!(
        (events.version(), events.files().unwrap().len(), events.num_rows().unwrap()),
        (3, 1, Some(6))
    );
    assert_eq!(after(&lake, 2).await, "");
    append(&lake, 6..7, 0).await;
    assert_eq!(after(&lake, 2).await, "6");
    // Added rows are in a file together with older rows.
    assert_eq!(after(&lake, 1).await, "0 1 2 3 4 5 6");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_log_everything_counts_as_added() {
    let (_dir, lake) = lake().await;
    append(&lake, 0..1, 0).await;
    append(&lake, 1..2, 0).await;
    append(&lake, 2..3, 0).await;
    let root = lake.events().await.unwrap().root().clone();
    let version = lake.events_version().await.unwrap();
    std::fs::remove_file(log_entry(&root, 2)).unwrap();
    assert_eq!(version.added_after(2).unwrap().num_rows().unwrap(), Some(1));
    assert_eq!(version.added_after(1).unwrap().num_rows().unwrap(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_assigned_to_periods() {
    let (_dir, lake) = lake().await;
    for second in [0, 600, 30 * DAY, 31 * DAY, -100 * DAY] {
        append(&lake, 0..2, second).await;
    }
    let snapshot = lake.events().await.unwrap();
    let at = |second: i64| {
        let micros = (crate::support::MIDNIGHT + second) * 1_000_000 + 123_456;
        chrono::DateTime::from_timestamp_micros(micros).unwrap()
    };
    let period = |first, last| Period { first: at(first), last: at(last + 1) };
    let hour = Duration::from_hours(1);
    let apart = [
        period(-100 * DAY, -100 * DAY),
        period(0, 600),
        period(30 * DAY, 30 * DAY),
        period(31 * DAY, 31 * DAY),
    ];
    assert_eq!(snapshot.periods(hour, 9).unwrap(), apart);
    let joined = [apart[0], apart[1], period(30 * DAY, 31 * DAY)];
    assert_eq!(snapshot.periods(24 * hour, 9).unwrap(), joined);
    assert_eq!(snapshot.periods(hour, 3).unwrap(), joined, "the closest are joined");
    assert_eq!(snapshot.periods(hour, 1).unwrap(), [period(-100 * DAY, 31 * DAY)]);
    assert_eq!(snapshot.periods(hour, 0).unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_counted_by_the_log() {
    let (_dir, lake) = lake().await;
    append(&lake, 0..2, 0).await;
    append(&lake, 2..3, DAY).await;
    let days = lake.events().await.unwrap().days().unwrap();
    let reported: Vec<_> =
        days.iter().map(|day| (day.date.unwrap().to_string(), day.rows)).collect();
    assert_eq!(reported, [("2026-01-31".to_owned(), 2), ("2026-02-01".to_owned(), 1)]);
    assert!(days.iter().all(|day| day.cluster.as_deref() == Some("prod")));
    let version = lake.events_version().await.unwrap();
    assert_eq!(version.last_days().unwrap().days().unwrap(), days[1..]);
    let first = days[0].date.unwrap();
    assert_eq!(version.between(first, first).unwrap().days().unwrap(), days[..1]);
}
