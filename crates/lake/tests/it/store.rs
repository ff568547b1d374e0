//! A lake in an object store that fails: nothing is lost, nothing is there twice, and nothing that the log names is
//! deleted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use podtrail_lake::{
    CompactOptions, DetectRun, Lake, LakeError, LakeLocation, Mark, Requests, Snapshot,
};
use tokio::task::JoinSet;
use url::Url;

use crate::faults::{Fault, Faulty, OF_WRITES, objects, write};
use crate::support::{batch, event, files_on_disk, value};

const NOW: Duration = Duration::ZERO;

fn location(store: &Arc<Faulty>) -> LakeLocation {
    let url = Url::parse("memory://bucket/lakes/a%20lake%20%231%20%C3%A9/").unwrap();
    LakeLocation::with_store(url, store.clone())
}

async fn faulty_lake() -> (Arc<Faulty>, Lake) {
    let store = Faulty::new(InMemory::new());
    let lake = Lake::create(location(&store)).await.unwrap();
    (store, lake)
}

async fn count(snapshot: &Snapshot) -> String {
    value(snapshot, "SELECT count(DISTINCT event_id) || ' of ' || count(verb) FROM t").await
}

/// Asserts that a lake is intact and contains this number of events, each once.
async fn assert_whole(lake: &Lake, events: usize) {
    for mut table in lake.verify().await.unwrap() {
        // The ids of events in tests are not digests of them.
        table.problems.retain(|problem| !problem.detail.contains("do not match the digest"));
        assert_eq!(table.problems, [], "{}", table.table);
    }
    assert_eq!(count(&lake.events().await.unwrap()).await, format!("{events} of {events}"));
}

fn compaction() -> CompactOptions {
    CompactOptions { target_size: 1 << 20, min_age: NOW, dry_run: false }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_works_on_disk_works_in_a_store() {
    let (store, lake) = faulty_lake().await;
    for id in 0..6 {
        let first = batch([event(id, 0, "read"), event(id + 100, 0, "rbac")]);
        assert_eq!(lake.append_events(vec![first.clone()]).await.unwrap().rows, 2);
        assert_eq!(lake.append_events(vec![first]).await.unwrap().duplicates, 2);
    }
    let mut compacted = 0;
    lake.compact(&compaction(), &mut |partition| compacted += partition.files).await.unwrap();
    assert_eq!(compacted, 12);
    assert_whole(&lake, 12).await;

    let before = lake.events().await.unwrap();
    let day = "2026-02-01".parse().unwrap();
    let retained = lake.retain(day, &["rbac".to_owned()], false).await.unwrap();
    assert_eq!(retained.partitions[0].rows, Some(6));
    assert_whole(&lake, 6).await;
    assert_eq!(before.files().unwrap().len(), 2);

    // Files that no version names stay for a day, because their writer may still be running.
    write(&*store, "lakes/a lake #1 é/events/part-left-by-a-kill.zstd.parquet", "PAR1").await;
    let vacuumed = lake.vacuum(NOW, false).await.unwrap();
    assert_eq!((vacuumed.removed.len(), vacuumed.uncommitted), (13, 1));
    assert!(vacuumed.removed[0].path.starts_with("memory://bucket/lakes/a%20lake"));
    assert_whole(&Lake::open(location(&store)).unwrap(), 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_without_a_lake_is_named() {
    let error = Lake::open(location(&Faulty::new(InMemory::new()))).err().unwrap();
    assert!(error.to_string().starts_with("memory://bucket/lakes/"), "{error}");
    assert!(matches!(error, LakeError::NoTable { table: "events", .. }), "{error:?}");
    let error = Lake::create(std::path::Path::new("ftp://host/lake")).await.err().unwrap();
    assert!(error.to_string().contains("ftp:// is not supported; use a local path"), "{error}");
    assert!(!std::path::Path::new("ftp:").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_ignores_conditions_is_refused_before_anything_is_written() {
    let store = Faulty::unconditional(InMemory::new());
    let error = Lake::create(location(&store)).await.err().unwrap();
    assert!(error.to_string().contains("ignores the condition of a write"), "{error}");
    let written = objects(&*store).await;
    assert!(written.iter().all(|path| path.ends_with("_podtrail_probe")), "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_decides_the_outcome_of_a_commit() {
    // Together, because each mostly waits between attempts.
    let mut cases = JoinSet::new();
    for fault in OF_WRITES {
        for repeated in 1..4 {
            cases.spawn(a_fault_costs_and_doubles_nothing(fault, repeated));
        }
    }
    cases.join_all().await;
}

/// Appends and compacts while each first commit meets `fault`, `repeated` times.
async fn a_fault_costs_and_doubles_nothing(fault: Fault, repeated: usize) {
    let (store, lake) = faulty_lake().await;
    store.next_commits(std::iter::repeat_n(fault, repeated));
    let appended = lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap();
    assert_eq!((appended.rows, appended.duplicates), (1, 0), "{fault:?}");
    assert_whole(&lake, 1).await;

    store.next_commits(std::iter::repeat_n(fault, repeated));
    lake.append_events(vec![batch([event(2, 0, "read")])]).await.unwrap();
    store.next_commits(std::iter::repeat_n(fault, repeated));
    lake.compact(&compaction(), &mut |_| {}).await.unwrap();
    assert_whole(&lake, 2).await;
    assert_eq!(lake.events().await.unwrap().files().unwrap().len(), 1, "{fault:?}");

    // Requests that arrive late find their name taken.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_whole(&Lake::open(location(&store)).unwrap(), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_disk_too_no_conflict_deletes_a_file_that_the_log_names() {
    for fault in [Fault::RefusedAfterSuccess, Fault::AnswerLost, Fault::RefusedForNoReason] {
        let dir = tempfile::tempdir().unwrap();
        Lake::create(dir.path()).await.unwrap();
        let store = Faulty::new(LocalFileSystem::new());
        let url = Url::from_directory_path(dir.path().canonicalize().unwrap()).unwrap();
        let lake = Lake::open(LakeLocation::with_store(url, store.clone())).unwrap();
        for id in 0..3 {
            // A file system over a network repeats a link whose answer was lost, and finds that the name exists.
            store.next_commits([fault]);
            let events = vec![batch([event(id, 0, "read")])];
            assert_eq!(lake.append_events(events).await.unwrap().rows, 1, "{fault:?}");
        }
        store.next_commits([fault]);
        lake.compact(&compaction(), &mut |_| {}).await.unwrap();
        let lake = Lake::open(dir.path()).unwrap();
        assert_whole(&lake, 3).await;
        let snapshot = lake.events().await.unwrap();
        assert_eq!(
            (snapshot.files().unwrap().len(), files_on_disk(&snapshot)),
            (1, 4),
            "{fault:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_stays_unknown_costs_no_file() {
    let (store, lake) = faulty_lake().await;
    // Whether it was written can be read, although the credentials seem to have expired.
    store.next_commits([Fault::DeniedAfterSuccess]);
    assert_eq!(lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap().rows, 1);
    assert_whole(&lake, 1).await;

    store.next_commits([Fault::DeniedAfterSuccess]);
    store.go_blind(true);
    let error = lake.append_events(vec![batch([event(2, 0, "read")])]).await.unwrap_err();
    assert!(matches!(error, LakeError::UnknownOutcome { .. }), "{error}");
    store.go_blind(false);
    assert_whole(&lake, 2).await;
    assert_eq!(lake.append_events(vec![batch([event(2, 0, "read")])]).await.unwrap().rows, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_at_once_over_a_failing_store_lose_and_double_nothing() {
    let seed = seed();
    tokio::join!(write_at_once(2, seed), write_at_once(10, seed));
}

/// Appends and compacts with this number of writers over a store that fails now and then.
async fn write_at_once(writers: u64, seed: u64) {
    let (store, lake) = faulty_lake().await;
    store.fail_one_in(12, seed);
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let location = location(&store);
        tasks.spawn(async move {
            let lake = loop {
                if let Ok(lake) = Lake::open(&location) {
                    break lake;
                }
            };
            for round in 0..3 {
                let first = writer * 10 + round * 5;
                let events = batch((first..first + 20).map(|id| event(id, id as i64, "read")));
                while lake.append_events(vec![events.clone()]).await.is_err() {}
                if round == 1 {
                    drop(lake.compact(&compaction(), &mut |_| {}).await);
                }
            }
        });
    }
    tasks.join_all().await;
    store.fail_one_in(0, seed);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let expected = usize::try_from((writers - 1) * 10 + 2 * 5 + 20).unwrap();
    assert_whole(&lake, expected).await;
    assert_whole(&Lake::open(location(&store)).unwrap(), expected).await;
}

/// Returns the seed of a test, which it prints.
#[expect(clippy::print_stdout, reason = "a failed test shows it")]
fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = std::env::var("PODTRAIL_SEED").map(|seed| seed.parse().unwrap());
    let seed = seed.unwrap_or_else(|_| u64::from(now.subsec_nanos()));
    println!("PODTRAIL_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_of_a_finding_is_recorded_once() {
    for fault in OF_WRITES {
        let (store, _) = faulty_lake().await;
        let lake = Lake::open_to_detect(location(&store)).await.unwrap();
        let base = lake.findings().await.unwrap();
        let run = DetectRun {
            id: "run".to_owned(),
            started_at: chrono::DateTime::UNIX_EPOCH,
            finished_at: chrono::DateTime::UNIX_EPOCH,
            events_version: 7,
            complete: true,
        };
        let none = arrow::array::RecordBatch::new_empty(podtrail_event::finding_schema());
        store.next_commits([fault]);
        let run = Some((&run, &Mark::All));
        let committed = lake.commit_findings(&base, none.clone(), run).await.unwrap();
        assert_eq!(committed, Some(1), "{fault:?}");
        assert_eq!(lake.findings().await.unwrap().watermark, Some(7));
        assert_eq!(lake.commit_findings(&base, none, run).await.unwrap(), None, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_in_a_store_has_one_key() {
    let (store, lake) = faulty_lake().await;
    store.fail_one_in(3, seed());
    let keys: BTreeSet<String> = std::thread::scope(|threads| {
        let key = || {
            let lake = lake.clone();
            move || loop {
                if let Ok(key) = lake.redaction_key() {
                    return key.to_hex();
                }
            }
        };
        let racing: Vec<_> = (0..8).map(|_| threads.spawn(key())).collect();
        racing.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(keys.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_takes_few_requests() {
    let (store, lake) = faulty_lake().await;
    lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap();
    let before = lake.location().requests();
    lake.append_events(vec![batch([event(2, 0, "read")])]).await.unwrap();
    let of_commit = lake.location().requests() - before;
    assert!(of_commit.lists <= 1 && of_commit.gets <= 2 && of_commit.puts == 2, "{of_commit:?}");

    // Another process reads the table.
    let other = location(&store);
    let lake = Lake::open(&other).unwrap();
    assert_eq!(count(&lake.events().await.unwrap()).await, "2 of 2");
    let of_query = other.requests();
    assert!(of_query.lists <= 2 && of_query.puts == 0, "{of_query:?}");
    assert_eq!(of_query.deletes, Requests::default().deletes);
}
