//! Which files a query reads.

use podtrail_event::Event;
use podtrail_lake::Snapshot;

use crate::support::{batch, day, event, lake, planned_files, sql, value};

const HOUR: i64 = 3600;

/// Three days with two activities each: six files, of 24 events.
async fn three_days() -> (tempfile::TempDir, Snapshot) {
    let (dir, lake) = lake().await;
    let events = (0..3 * 24).flat_map(|hour| {
        ["rbac", "read"].map(|activity| {
            let id = hour * 2 + u64::from(activity == "read");
            event(id, hour as i64 * HOUR, activity)
        })
    });
    lake.append_events(vec![batch(events)]).await.unwrap();
    let snapshot = lake.events().await.unwrap();
    assert_eq!(snapshot.files().unwrap().len(), 6);
    (dir, snapshot)
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_on_partitions_and_times_choose_files() {
    let (_dir, snapshot) = three_days().await;
    let cases = [
        ("true", 6, 144),
        ("date = DATE '2026-02-01'", 2, 48),
        ("date >= '2026-02-01' AND activity = 'rbac'", 2, 48),
        ("activity IN ('rbac', 'workload')", 3, 72),
        ("cluster = 'other'", 0, 0),
        ("cluster IS NULL", 0, 0),
        ("upper(activity) = 'RBAC'", 3, 72),
        ("date = DATE '2026-02-01' OR activity = 'rbac'", 4, 96),
        ("time >= '2026-02-01T12:00:00Z' AND time < '2026-02-01T18:00:00Z'", 2, 12),
        ("time >= '2026-02-02T00:00:00Z' AND activity = 'read'", 1, 24),
        ("time > '2026-02-03T00:00:00Z'", 0, 0),
        ("verb = 'delete'", 0, 0),
        ("verb = 'create'", 6, 144),
        ("username IS NOT NULL", 0, 0),
        ("source_line < 10", 2, 10),
        ("time < (SELECT max(time) FROM t WHERE source_line < 10)", 6, 8),
    ];
    for (filter, files, rows) in cases {
        let query = format!("SELECT event_id FROM t WHERE {filter}");
        let planned = planned_files(&snapshot, &query).await;
        // The subquery reads files of its own.
        let expected = if filter.contains("SELECT") { files + 2 } else { files };
        assert_eq!(planned, expected, "files for {filter}");
        let count = format!("SELECT count(verb) FROM t WHERE {filter}");
        assert_eq!(value(&snapshot, &count).await, rows.to_string(), "rows for {filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_prunes_inside_files_too() {
    let (_dir, snapshot) = three_days().await;
    let plan = sql(&snapshot, "EXPLAIN SELECT event_id FROM t WHERE source_line = 3").await;
    assert!(plan.contains("DataSourceExec"), "{plan}");
    assert!(plan.contains("pruning_predicate"), "{plan}");
    let partition = "EXPLAIN SELECT event_id FROM t WHERE activity = 'rbac'";
    let plan = sql(&snapshot, partition).await;
    assert!(!plan.contains("FilterExec"), "partition filters are exact: {plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_can_be_selected_in_any_order() {
    let (_dir, snapshot) = three_days().await;
    let query = "SELECT source_line, activity, time, \"cluster\", arrow_typeof(date) AS type \
                 FROM t ORDER BY time DESC, source_line DESC LIMIT 1";
    assert_eq!(
        sql(&snapshot, query).await,
        "\
+-------------+----------+-----------------------------+---------+--------+
| source_line | activity | time                        | cluster | type   |
+-------------+----------+-----------------------------+---------+--------+
| 143         | read     | 2026-02-02T23:00:00.123456Z | prod    | Date32 |
+-------------+----------+-----------------------------+---------+--------+"
    );
    assert_eq!(value(&snapshot, "SELECT count(*) FROM t").await, "144");
    assert_eq!(value(&snapshot, "SELECT max(time) FROM t").await, "2026-02-02T23:00:00.123456Z");
    assert_eq!(value(&snapshot, "SELECT count(*) FROM (SELECT * FROM t LIMIT 5)").await, "5");
    assert_eq!(day(0).0, 20_484);
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_of_long_text_do_not_hide_rows() {
    let (_dir, lake) = lake().await;
    let name = |id: u64| "é".repeat(100) + &id.to_string();
    let events = (0..4).map(|id| Event { name: Some(name(id).into()), ..event(id, 0, "read") });
    lake.append_events(vec![batch(events)]).await.unwrap();
    let snapshot = lake.events().await.unwrap();
    for id in 0..4 {
        let count = format!("SELECT count(*) FROM t WHERE name = '{}'", name(id));
        assert_eq!(value(&snapshot, &count).await, "1");
    }
    assert_eq!(value(&snapshot, "SELECT max(name) FROM t").await, name(3));
    let longest =
        snapshot.files().unwrap()[0].stats.as_ref().unwrap().max_values["name"].as_str().unwrap();
    assert!(longest.len() <= 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_before_the_epoch_and_without_fraction_are_found() {
    let (_dir, lake) = lake().await;
    let at =
        |id, micros| Event { time: Some(podtrail_event::Micros(micros)), ..event(id, 0, "read") };
    lake.append_events(vec![batch([at(1, -1), at(2, 0), at(3, 1_000_000)])]).await.unwrap();
    let again = lake.append_events(vec![batch([at(1, -1), at(3, 1_000_000)])]).await.unwrap();
    assert_eq!(again.rows, 0);
    let snapshot = lake.events().await.unwrap();
    let count = "SELECT count(*) FROM t WHERE time <= '1970-01-01T00:00:00Z'";
    assert_eq!(value(&snapshot, count).await, "2");
}
