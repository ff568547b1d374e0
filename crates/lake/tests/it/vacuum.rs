//! Removal of files that are not needed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use podtrail_event::Event;
use podtrail_lake::{Lake, LakeError, Snapshot};

use crate::support::{OnDisk, batch, checkpoint_often, event, files_on_disk, lake, value};

const NOW: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_hours(1);

/// Creates a lake with one event, whose cluster name needs escaping in paths.
async fn lake_with_an_event() -> (tempfile::TempDir, Lake, Snapshot) {
    let (dir, lake) = lake().await;
    let event = Event { cluster: Some("a b/ü%20=#1".into()), ..event(1, 0, "read") };
    lake.append_events(vec![batch([event])]).await.unwrap();
    let snapshot = lake.events().await.unwrap();
    (dir, lake, snapshot)
}

/// Copies the only data file beside it, like the leftover of a killed run.
fn orphan(snapshot: &Snapshot) -> PathBuf {
    let file = snapshot.root().join(&snapshot.files().unwrap()[0].path);
    let orphan = file.with_file_name("part-left-by-a-kill.zstd.parquet");
    std::fs::copy(file, &orphan).unwrap();
    orphan
}

fn log(snapshot: &Snapshot, name: &str) -> PathBuf {
    snapshot.root().join("_delta_log").join(name)
}

fn removed(vacuumed: &podtrail_lake::Vacuumed) -> Vec<&Path> {
    vacuumed.removed.iter().map(|orphan| Path::new(&orphan.path)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_no_version_names_are_removed() {
    let (_dir, lake, snapshot) = lake_with_an_event().await;
    assert_eq!(lake.vacuum(NOW, false).await.unwrap().removed, []);

    let orphan = orphan(&snapshot);
    let staged = log(&snapshot, "00000000000000000002.json#1");
    let temporary = log(&snapshot, "_commit_5b8.json.tmp");
    for path in [&staged, &temporary] {
        std::fs::write(path, "{\"add\"").unwrap();
    }
    let tried = lake.vacuum(NOW, true).await.unwrap();
    assert!(orphan.exists() && staged.exists() && temporary.exists());
    let done = lake.vacuum(NOW, false).await.unwrap();
    assert_eq!(done, tried);
    assert_eq!(removed(&done), [&staged, &temporary, &orphan]);
    assert_eq!(done.removed[2].size, snapshot.files().unwrap()[0].size);
    assert!(!orphan.exists() && !staged.exists() && !temporary.exists());
    assert_eq!(lake.vacuum(NOW, false).await.unwrap(), podtrail_lake::Vacuumed::default());

    let snapshot = lake.events().await.unwrap();
    assert_eq!(value(&snapshot, "SELECT count(verb) FROM t").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn young_files_are_kept() {
    let (_dir, lake, snapshot) = lake_with_an_event().await;
    let orphan = orphan(&snapshot);
    let vacuumed = lake.vacuum(HOUR, false).await.unwrap();
    assert_eq!((vacuumed.removed.len(), vacuumed.young), (0, 1));
    assert!(orphan.exists());
}

/// Removes the only data file from the table, without the optional members of Delta Lake.
fn remove_from_table(snapshot: &Snapshot, deletion_timestamp: Option<u128>) {
    let entry = std::fs::read_to_string(log(snapshot, "00000000000000000001.json")).unwrap();
    let entry: Vec<serde_json::Value> =
        entry.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let path = entry.iter().find_map(|action| action["add"]["path"].as_str()).unwrap();
    let mut remove = serde_json::json!({"remove": {"path": path, "dataChange": true}});
    if let Some(millis) = deletion_timestamp {
        remove["remove"]["deletionTimestamp"] = u64::try_from(millis).unwrap().into();
    }
    std::fs::write(log(snapshot, "00000000000000000002.json"), remove.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_files_are_deleted_when_old_enough() {
    let now = std::time::SystemTime::now();
    let millis = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let (_dir, lake, snapshot) = lake_with_an_event().await;
    remove_from_table(&snapshot, Some(millis));
    let vacuumed = lake.vacuum(HOUR, false).await.unwrap();
    assert_eq!((vacuumed.removed.len(), vacuumed.young), (0, 1));
    let vacuumed = lake.vacuum(NOW, false).await.unwrap();
    assert!(vacuumed.removed[0].is_named);
    assert_eq!((vacuumed.removed.len(), files_on_disk(&snapshot)), (1, 0));

    // The time since its removal counts, not its age.
    let (_dir, lake, snapshot) = lake_with_an_event().await;
    remove_from_table(&snapshot, Some(millis - HOUR.as_millis()));
    assert_eq!(lake.vacuum(HOUR, false).await.unwrap().removed.len(), 1);

    let (_dir, lake, snapshot) = lake_with_an_event().await;
    remove_from_table(&snapshot, None);
    assert_eq!(lake.vacuum(NOW, false).await.unwrap().removed, [], "removal time is unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_removed_and_added_again_are_kept() {
    let (_dir, lake, snapshot) = lake_with_an_event().await;
    remove_from_table(&snapshot, Some(0));
    let add = log(&snapshot, "00000000000000000001.json");
    std::fs::copy(add, log(&snapshot, "00000000000000000003.json")).unwrap();
    assert_eq!(lake.vacuum(NOW, false).await.unwrap().removed, []);
    assert_eq!(value(&lake.events().await.unwrap(), "SELECT count(verb) FROM t").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_replaced_by_a_compaction_are_deleted() {
    let (_dir, lake, _) = lake_with_an_event().await;
    for id in 2..5 {
        lake.append_events(vec![batch([event(id, 0, "read")])]).await.unwrap();
    }
    let options =
        podtrail_lake::CompactOptions { target_size: 1 << 20, min_age: NOW, dry_run: false };
    lake.compact(&options, &mut |_| {}).await.unwrap();
    let snapshot = lake.events().await.unwrap();
    assert_eq!(files_on_disk(&snapshot), 5);
    assert_eq!(lake.vacuum(NOW, false).await.unwrap().removed.len(), 3);
    assert_eq!(files_on_disk(&snapshot), 2);
    assert_eq!(value(&snapshot, "SELECT count(verb) FROM t").await, "4");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_data_are_kept() {
    let (_dir, lake, snapshot) = lake_with_an_event().await;
    for name in ["notes.txt", "_symlink_manifest.parquet", ".part-1.parquet"] {
        std::fs::write(snapshot.root().join(name), "x").unwrap();
    }
    assert_eq!(lake.vacuum(NOW, false).await.unwrap().removed, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_if_the_log_has_gaps() {
    for (name, entry, detail) in [
        ("00000000000000000003.json", "{\"commitInfo\":{}}", "log entry 2 is missing"),
        ("00000000000000000002.json", "", "log entry 2 is damaged: it is empty"),
        ("00000000000000000002.json", "{\"add\":{\"pa", "log entry 2 is damaged"),
    ] {
        let (_dir, lake, snapshot) = lake_with_an_event().await;
        let orphan = orphan(&snapshot);
        std::fs::write(log(&snapshot, name), entry).unwrap();
        let error = lake.vacuum(NOW, false).await.unwrap_err();
        assert!(matches!(error, LakeError::Unsupported { .. }), "{error:?}");
        assert!(error.to_string().contains(detail), "{error}");
        assert!(orphan.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_entries_replaced_by_a_checkpoint_are_deleted_after_a_month() {
    let (dir, lake) = lake().await;
    checkpoint_often(dir.path());
    let lake = Lake::open(lake.dir()).unwrap();
    for id in 0..12 {
        lake.append_events(vec![batch([event(id, 0, "read")])]).await.unwrap();
        lake.checkpoint().await;
    }
    let snapshot = lake.events().await.unwrap();
    let entry = |version: i64| log(&snapshot, &format!("{version:020}.json"));
    assert_eq!(lake.vacuum(HOUR, false).await.unwrap().log_entries, 0);

    let long_ago = std::time::SystemTime::now() - Duration::from_hours(31 * 24);
    for entry in std::fs::read_dir(log(&snapshot, "")).unwrap() {
        let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(long_ago).unwrap();
    }
    assert_eq!(lake.vacuum(HOUR, true).await.unwrap().log_entries, 0);
    assert!(entry(0).exists());
    assert!(lake.vacuum(HOUR, false).await.unwrap().log_entries >= 9);
    assert!(!entry(0).exists() && !entry(8).exists() && entry(12).exists());

    // Files named by the log entries are part of the table, and unnamed files are still removed.
    let lake = Lake::open(dir.path()).unwrap();
    let orphan = orphan(&snapshot);
    let vacuumed = lake.vacuum(NOW, false).await.unwrap();
    assert_eq!((removed(&vacuumed), vacuumed.log_entries), (vec![orphan.as_path()], 0));
    let snapshot = lake.events().await.unwrap();
    assert_eq!(value(&snapshot, "SELECT count(verb) FROM t").await, "12");
    lake.append_events(vec![batch([event(12, 0, "read")])]).await.unwrap();
    assert_eq!(lake.events().await.unwrap().num_rows().unwrap(), Some(13));
}

#[tokio::test(flavor = "multi_thread")]
async fn unnamed_files_are_kept_while_a_writer_is_active() {
    let (_dir, lake, snapshot) = lake_with_an_event().await;
    let orphan = orphan(&snapshot);
    let writing = std::fs::File::open(snapshot.root().join(".writers.lock")).unwrap();
    writing.lock_shared().unwrap();
    let vacuumed = lake.vacuum(NOW, false).await.unwrap();
    assert_eq!((removed(&vacuumed), vacuumed.uncommitted), (vec![], 1));
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(25);
    std::fs::File::options().write(true).open(&orphan).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(removed(&lake.vacuum(NOW, true).await.unwrap()), [orphan.as_path()]);
    drop(writing);
    assert_eq!(removed(&lake.vacuum(NOW, false).await.unwrap()), [orphan.as_path()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_concurrent_with_appends_keeps_their_files() {
    let (_dir, lake, _) = lake_with_an_event().await;
    let other = Lake::open(lake.dir()).unwrap();
    let appending = tokio::spawn(async move {
        for id in 2..12 {
            other.append_events(vec![batch([event(id, 0, "read")])]).await.unwrap();
        }
    });
    while !appending.is_finished() {
        assert_eq!(lake.vacuum(NOW, false).await.unwrap().removed, []);
    }
    appending.await.unwrap();
    let snapshot = lake.events().await.unwrap();
    assert_eq!(value(&snapshot, "SELECT count(verb) FROM t").await, "11");
}
