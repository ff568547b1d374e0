//! Concurrent writers.

use podtrail_lake::Lake;
use tokio::task::JoinSet;

use crate::support::{batch, event, files_on_disk, lake, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_event_is_stored_once_after_overlapping_appends() {
    const WRITERS: u64 = 8;
    const ROUNDS: u64 = 4;
    let (dir, _) = lake().await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let lake = Lake::open(dir.path()).unwrap();
        writers.spawn(async move {
            let mut rows = 0;
            for round in 0..ROUNDS {
                let first = writer * 10 + round * 5;
                let ids = first..first + 40;
                let events = batch(ids.map(|id| event(id, id as i64, "read")));
                rows += lake.append_events(vec![events]).await.unwrap().rows;
            }
            rows
        });
    }
    let rows: u64 = writers.join_all().await.into_iter().sum();

    let snapshot = Lake::open(dir.path()).unwrap().events().await.unwrap();
    let distinct = (WRITERS - 1) * 10 + (ROUNDS - 1) * 5 + 40;
    assert_eq!(rows, distinct);
    assert_eq!(value(&snapshot, "SELECT count(verb) FROM t").await, distinct.to_string());
    let ids = "SELECT count(DISTINCT event_id) FROM t";
    assert_eq!(value(&snapshot, ids).await, distinct.to_string());
    assert_eq!(
        files_on_disk(&snapshot),
        snapshot.files().unwrap().len(),
        "losers leave no files behind"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_handle_can_be_shared() {
    let (_dir, lake) = lake().await;
    let lake = std::sync::Arc::new(lake);
    let mut writers = JoinSet::new();
    for _ in 0..6 {
        let lake = lake.clone();
        let events = batch((0..20).map(|id| event(id, 0, "read")));
        writers.spawn(async move { lake.append_events(vec![events]).await.unwrap().rows });
    }
    assert_eq!(writers.join_all().await.into_iter().sum::<u64>(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_can_create_the_same_lake() {
    let dir = tempfile::tempdir().unwrap();
    let mut makers = JoinSet::new();
    for id in 0..6 {
        let dir = dir.path().to_path_buf();
        makers.spawn(async move {
            let lake = Lake::create(&dir).await.unwrap();
            lake.append_events(vec![batch([event(id, 0, "read")])]).await.unwrap();
        });
    }
    makers.join_all().await;
    let lake = Lake::open(dir.path()).unwrap();
    let snapshot = lake.events().await.unwrap();
    assert_eq!((snapshot.num_rows().unwrap(), snapshot.version()), (Some(6), 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_does_not_change() {
    let (_dir, lake) = lake().await;
    lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap();
    let before = lake.events().await.unwrap();
    lake.append_events(vec![batch([event(2, 0, "read")])]).await.unwrap();
    let after = lake.events().await.unwrap();

    assert_eq!(value(&before, "SELECT count(verb) FROM t").await, "1");
    let added = lake.events_version().await.unwrap().added_after(before.version()).unwrap();
    assert_eq!(value(&added, "SELECT source_line FROM t").await, "2");
    assert_eq!((added.version(), after.version()), (2, 2));
    assert_eq!(lake.events_at(1).await.unwrap().files().unwrap(), before.files().unwrap());
}
