//! Merging small files.

use std::time::Duration;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use podtrail_event::{Event, quarantine_batch};
use podtrail_lake::{CompactOptions, Compacted, Lake, Snapshot};
use tokio::task::JoinSet;

use crate::quarantine::record;
use crate::support::{OnDisk, batch, event, files_on_disk, lake, value};

const ALL: CompactOptions =
    CompactOptions { target_size: 128 << 20, min_age: Duration::ZERO, dry_run: false };

async fn compact(lake: &Lake, options: &CompactOptions) -> Vec<Compacted> {
    let mut all = Vec::new();
    lake.compact(options, &mut |compacted| all.push(compacted.clone())).await.unwrap();
    all
}

/// Returns all rows with all columns, in a canonical order.
async fn rows(snapshot: &Snapshot) -> String {
    crate::support::sql(snapshot, "SELECT * FROM t ORDER BY event_id").await
}

/// The actions of a version.
fn entry(snapshot: &Snapshot, version: i64) -> Vec<serde_json::Value> {
    let path = snapshot.root().join(format!("_delta_log/{version:020}.json"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Creates ten files, whose times overlap, of one partition with an unusual name, and one file of another. Half of the
/// rows are superseded by the next.
async fn many_files() -> (tempfile::TempDir, Lake) {
    let (dir, lake) = lake().await;
    for round in 0..10_u64 {
        let stages = (0..20).map(|n| {
            let (request, is_last) = (n / 2 * 20 + round, n % 2 == 1);
            let stage = if is_last { "ResponseComplete" } else { "RequestReceived" };
            Event {
                cluster: Some("a b/c=d%é".into()),
                audit_id: Some(request.to_string().into()),
                stage: Some(stage.into()),
                ..event(n * 10 + round, (request * 7 % 200) as i64, "read")
            }
        });
        lake.append_events(vec![batch(stages)]).await.unwrap();
    }
    lake.append_events(vec![batch([event(1000, 5, "rbac")])]).await.unwrap();
    (dir, lake)
}

/// Returns the names of the columns in a file.
fn columns(snapshot: &Snapshot, file: usize) -> Vec<String> {
    let path = snapshot.root().join(&snapshot.files().unwrap()[file].path);
    let file = std::fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    reader.schema().fields().iter().map(|field| field.name().clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_omit_columns_without_values() {
    let (_dir, lake) = lake().await;
    let named = Event { name: Some("web".into()), ..event(1, 0, "read") };
    lake.append_events(vec![batch([named])]).await.unwrap();
    lake.append_events(vec![batch([event(2, 1, "read")])]).await.unwrap();

    let snapshot = lake.events().await.unwrap();
    let has =
        |file: usize, column: &str| columns(&snapshot, file).iter().any(|name| name == column);
    assert_eq!([has(0, "name"), has(1, "name")].iter().filter(|has| **has).count(), 1);
    for file in [0, 1] {
        // The columns by which files are merged are in all.
        assert!(has(file, "superseded") && has(file, "time") && has(file, "event_id"));
        assert!(!has(file, "impersonated_username"));
    }
    let counts =
        "SELECT count(*) || ' ' || count(name) || ' ' || count(impersonated_username) FROM t";
    assert_eq!(value(&snapshot, counts).await, "2 1 0");
    let nulls = "SELECT count(*) FROM t WHERE name IS NULL AND impersonated_username IS NULL";
    assert_eq!(value(&snapshot, nulls).await, "1");
    assert_eq!(value(&snapshot, "SELECT count(*) FROM t WHERE name = 'web'").await, "1");

    let expected = rows(&snapshot).await;
    compact(&lake, &ALL).await;
    let merged = lake.events().await.unwrap();
    assert_eq!((merged.files().unwrap().len(), rows(&merged).await), (1, expected));
    let columns = columns(&merged, 0);
    assert!(columns.iter().any(|name| name == "name"));
    assert!(!columns.iter().any(|name| name == "impersonated_username"));
    for mut table in lake.verify().await.unwrap() {
        // The ids of events in tests are not digests of them.
        table.problems.retain(|problem| !problem.detail.contains("do not match the digest"));
        assert_eq!(table.problems, [], "{}", table.table);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_merged_into_one_file_in_order() {
    let (_dir, lake) = many_files().await;
    let before = lake.events().await.unwrap();
    let expected = rows(&before).await;

    let dry = compact(&lake, &CompactOptions { dry_run: true, ..ALL }).await;
    assert_eq!((dry.len(), dry[0].files, dry[0].new_files, dry[0].new_bytes), (1, 10, 1, None));
    assert_eq!(lake.events().await.unwrap().version(), before.version());

    let done = compact(&lake, &ALL).await;
    let after = lake.events().await.unwrap();
    assert_eq!((after.version(), after.files().unwrap().len()), (before.version() + 1, 2));
    assert_eq!((done.len(), done[0].files, done[0].bytes), (1, 10, dry[0].bytes));
    assert!(done[0].new_bytes.unwrap() < done[0].bytes);
    assert_eq!(rows(&after).await, expected);
    assert_eq!(after.num_rows().unwrap(), Some(201));
    // Superseded rows are at the end; otherwise rows are in order of time.
    let out_of_order = "SELECT count(*) FROM (
            SELECT superseded, time, event_id, lag(superseded) OVER () AS s0, lag(time) OVER () AS t0,
                lag(event_id) OVER () AS id0
            FROM t WHERE activity = 'read'
        ) WHERE superseded < s0
          OR (superseded = s0 AND (time < t0 OR (time = t0 AND event_id < id0)))";
    assert_eq!(value(&after, out_of_order).await, "0");
    assert_eq!(value(&after, "SELECT count(*) FROM t WHERE superseded").await, "100");

    let actions = entry(&after, after.version());
    let of = |kind: &str| actions.iter().filter_map(|it| it.get(kind)).collect::<Vec<_>>();
    assert_eq!((of("remove").len(), of("add").len()), (10, 1));
    let files = [of("remove"), of("add")].concat();
    assert!(files.iter().all(|file| file["dataChange"] == false), "a compaction is not new data");

    assert_eq!(rows(&before).await, expected, "who reads an older version goes on");
    assert_eq!(compact(&lake, &ALL).await, [], "there is nothing left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_that_another_commit_supersedes_are_marked() {
    let (_dir, lake) = lake().await;
    let stages = ["RequestReceived", "ResponseStarted", "ResponseComplete"];
    let row = |request: u64, number: usize| Event {
        audit_id: Some(request.to_string().into()),
        stage: Some(stages[number].into()),
        ..event(request * 16 + number as u64, request as i64, "read")
    };
    // Request 0 ends, request 1 has begun its response, request 2 is received; two stages of request 3 are together.
    let appends = [
        vec![(0, 2)],
        vec![(0, 0), (1, 1), (2, 0)],
        vec![(0, 1), (1, 0), (3, 0), (3, 1)],
        vec![(3, 2)],
    ];
    for append in appends {
        let rows = append.into_iter().map(|(request, number)| row(request, number));
        lake.append_events(vec![batch(rows)]).await.unwrap();
    }
    let marks = "SELECT string_agg(concat_ws(' ', right(event_id, 2), superseded), ', ' ORDER BY event_id) FROM t";
    let before = "00, 01, 02 false, 10, 11, 20, 30 true, 31, 32 false";
    assert_eq!(value(&lake.events().await.unwrap(), marks).await, before);
    compact(&lake, &ALL).await;
    let after = lake.events().await.unwrap();
    let expected = "00 true, 01 true, 02 false, 10 true, 11, 20, 30 true, 31 true, 32 false";
    assert_eq!(value(&after, marks).await, expected);
    let order = "SELECT string_agg(right(event_id, 2), ' ') FROM t";
    assert_eq!(value(&after, order).await, "02 32 00 01 10 30 31 11 20");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_a_joined_file_are_known() {
    let (dir, lake) = many_files().await;
    let other = Lake::open(dir.path()).unwrap();
    let again = |ids: std::ops::Range<u64>| {
        batch(ids.map(|id| Event {
            cluster: Some("a b/c=d%é".into()),
            ..event(id, (id * 7 % 200) as i64, "read")
        }))
    };
    // This handle has read the ids of the old files.
    assert_eq!(lake.append_events(vec![again(0..200)]).await.unwrap().rows, 0);
    compact(&other, &ALL).await;
    for lake in [&lake, &other] {
        let appended = lake.append_events(vec![again(0..200)]).await.unwrap();
        assert_eq!((appended.rows, appended.duplicates), (0, 200));
    }
    assert_eq!(lake.append_events(vec![again(150..250)]).await.unwrap().rows, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_joined_up_to_a_size_and_above_an_age() {
    let (_dir, lake) = many_files().await;
    let young = CompactOptions { min_age: Duration::from_hours(1), ..ALL };
    assert_eq!(compact(&lake, &young).await, []);

    let snapshot = lake.events().await.unwrap();
    let largest = snapshot.files().unwrap().iter().map(|file| file.size).max().unwrap();
    let halves = CompactOptions { target_size: largest * 5, ..ALL };
    let done = compact(&lake, &halves).await;
    assert_eq!((done[0].files, done[0].new_files), (10, 2));
    assert_eq!(lake.events().await.unwrap().num_rows().unwrap(), Some(201));
    let tiny = CompactOptions { target_size: 1, ..ALL };
    assert_eq!(compact(&lake, &tiny).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quarantine_is_joined_too() {
    let (_dir, lake) = lake().await;
    for line in 0..5 {
        let record = record(line, format!("no event {line}").as_bytes());
        lake.append_quarantine(quarantine_batch(&[record]).unwrap()).await.unwrap();
    }
    let before = value(&lake.quarantine().await.unwrap(), "SELECT count(*) FROM t").await;
    let done = compact(&lake, &ALL).await;
    assert_eq!((done[0].table, &*done[0].partition, done[0].files), ("quarantine", "", 5));
    let after = lake.quarantine().await.unwrap();
    assert_eq!(after.files().unwrap().len(), 1);
    assert_eq!(value(&after, "SELECT count(DISTINCT quarantine_id) FROM t").await, before);
}

/// delta-rs alone would accept both, and store each row twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_one_of_two_concurrent_compactions_commits() {
    let (dir, lake) = many_files().await;
    let expected = rows(&lake.events().await.unwrap()).await;
    let mut compactions = JoinSet::new();
    for _ in 0..6 {
        let lake = Lake::open(dir.path()).unwrap();
        compactions.spawn(async move { compact(&lake, &ALL).await.len() });
    }
    let done: usize = compactions.join_all().await.into_iter().sum();
    assert_eq!(done, 1);
    let after = lake.events().await.unwrap();
    assert_eq!(rows(&after).await, expected);
    assert_eq!(files_on_disk(&after), 10 + 2, "losers leave no files behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_and_compactions_do_not_lose_or_repeat_rows() {
    const WRITERS: u64 = 3;
    const ROUNDS: u64 = 15;
    let (dir, lake) = lake().await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let lake = Lake::open(dir.path()).unwrap();
        writers.spawn(async move {
            for round in 0..ROUNDS {
                let first = round * 20 + writer * 5;
                let events = batch((first..first + 30).map(|id| event(id, id as i64, "read")));
                lake.append_events(vec![events]).await.unwrap();
            }
        });
    }
    let mut compactors = JoinSet::new();
    for _ in 0..2 {
        let lake = Lake::open(dir.path()).unwrap();
        compactors.spawn(async move {
            for _ in 0..8 {
                compact(&lake, &ALL).await;
            }
        });
    }
    writers.join_all().await;
    compactors.join_all().await;
    let expected = (ROUNDS - 1) * 20 + (WRITERS - 1) * 5 + 30;
    compact(&lake, &ALL).await;
    let snapshot = lake.events().await.unwrap();
    assert_eq!(snapshot.files().unwrap().len(), 1);
    let counts = "SELECT count(verb) || ' ' || count(DISTINCT event_id) FROM t";
    assert_eq!(value(&snapshot, counts).await, format!("{expected} {expected}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn info_reports_the_files_that_a_compaction_would_join() {
    let (_dir, lake) = many_files().await;
    let tables = lake.info(&ALL).await.unwrap();
    let names: Vec<_> = tables.iter().map(|table| table.table).collect();
    assert_eq!(names, ["events", "quarantine"]);
    let [events, quarantine] = &tables[..] else { panic!("two tables") };
    assert_eq!((events.version, events.files, events.rows), (11, 11, Some(201)));
    assert_eq!((events.partitions, events.small_files, events.joined_files), (2, 10, 1));
    assert_eq!(events.first.unwrap().to_rfc3339(), "2026-01-31T00:00:00.123456+00:00");
    assert_eq!(events.last.unwrap().to_rfc3339(), "2026-01-31T00:03:16.123456+00:00");
    let snapshot = lake.events().await.unwrap();
    let sizes = || snapshot.files().unwrap().iter().map(|file| file.size);
    assert_eq!((events.smallest_file, events.largest_file), (sizes().min(), sizes().max()));
    assert_eq!(events.bytes, sizes().sum::<u64>());
    assert_eq!((quarantine.files, quarantine.median_file, quarantine.first), (0, None, None));
}
