//! The table of findings: rows and watermark in one commit, based on the version that was read.

use chrono::{DateTime, Utc};
use podtrail_event::{RecordedFinding, finding_batch};
use podtrail_lake::{DetectRun, Lake, LakeError, Mark};
use serde_json::json;
use tempfile::TempDir;

use crate::support::value;

fn state(id: u64) -> RecordedFinding {
    let at = "1970-01-01T00:00:00Z";
    serde_json::from_value(json!({
        "sequence": 1, "state": "new", "state_at": at, "finding_id": format!("{id:032x}"), "detection": "test",
        "title": "Test", "severity": "low", "confidence": "low", "risk": 0, "first_seen": at, "last_seen": at, "count": 1,
    }))
    .unwrap()
}

fn run(events_version: i64, complete: bool) -> DetectRun {
    let at: DateTime<Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
    DetectRun { id: "run".to_owned(), started_at: at, finished_at: at, events_version, complete }
}

async fn lake() -> (TempDir, Lake) {
    let dir = tempfile::tempdir().unwrap();
    Lake::create(dir.path()).await.unwrap();
    let lake = Lake::open_to_detect(dir.path()).await.unwrap();
    (dir, lake)
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_and_watermark_are_one_commit() {
    let (_dir, lake) = lake().await;
    let none = lake.findings().await.unwrap();
    assert_eq!((none.watermark, none.rows.num_rows().unwrap()), (None, Some(0)));
    assert_eq!(lake.last_detect_run(&none).unwrap(), None);

    let rows = finding_batch(&[state(1), state(2)]).unwrap();
    let version =
        lake.commit_findings(&none, rows, Some((&run(7, true), &Mark::All))).await.unwrap();
    assert_eq!(version, Some(1));
    let first = lake.findings().await.unwrap();
    assert_eq!((first.watermark, first.rows.num_rows().unwrap()), (Some(7), Some(2)));
    assert_eq!(value(&first.rows, "SELECT count(finding_id) FROM t").await, "2");

    // An empty result is a commit too; an incomplete run leaves the watermark unchanged.
    let empty = || finding_batch(&[]).unwrap();
    lake.commit_findings(&first, empty(), Some((&run(8, true), &Mark::All)))
        .await
        .unwrap()
        .unwrap();
    let second = lake.findings().await.unwrap();
    assert_eq!((second.watermark, second.rows.num_rows().unwrap()), (Some(8), Some(2)));
    lake.commit_findings(&second, empty(), Some((&run(9, false), &Mark::All)))
        .await
        .unwrap()
        .unwrap();
    let third = lake.findings().await.unwrap();
    assert_eq!(third.watermark, Some(8));
    assert_eq!(lake.last_detect_run(&third).unwrap(), Some(run(9, false)));
    // Commits of users do not describe a run.
    lake.commit_findings(&third, finding_batch(&[state(3)]).unwrap(), None).await.unwrap().unwrap();
    let last = lake.findings().await.unwrap();
    assert_eq!(lake.last_detect_run(&last).unwrap(), Some(run(9, false)));
    assert_eq!((last.watermark, last.rows.num_rows().unwrap()), (Some(8), Some(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watermark_is_kept_after_its_log_entry_is_removed() {
    // A checkpoint at the interval of Delta Lake's default.
    const INTERVAL: i64 = 100;
    let (dir, lake) = lake().await;
    for version in 0..=INTERVAL {
        let base = lake.findings().await.unwrap();
        let run = run(42, version == 0);
        let rows = finding_batch(&[]).unwrap();
        lake.commit_findings(&base, rows, Some((&run, &Mark::All))).await.unwrap().unwrap();
    }
    let log = dir.path().join("findings/_delta_log");
    assert!(log.join("_last_checkpoint").exists());
    std::fs::remove_file(log.join("00000000000000000001.json")).unwrap();
    let lake = Lake::open(dir.path()).unwrap();
    assert_eq!(lake.findings().await.unwrap().watermark, Some(42));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_based_on_an_old_version_changes_nothing() {
    let (dir, lake) = lake().await;
    let old = lake.findings().await.unwrap();
    let rows = |id| finding_batch(&[state(id)]).unwrap();
    lake.commit_findings(&old, rows(1), Some((&run(1, true), &Mark::All))).await.unwrap().unwrap();
    let other = Lake::open(dir.path()).unwrap();
    for lake in [&lake, &other] {
        let refused =
            lake.commit_findings(&old, rows(2), Some((&run(2, true), &Mark::All))).await.unwrap();
        assert_eq!(refused, None);
    }
    let now = other.findings().await.unwrap();
    assert_eq!(
        (now.rows.version(), now.watermark, now.rows.num_rows().unwrap()),
        (1, Some(1), Some(1))
    );
    assert_eq!(crate::support::files_on_disk(&now.rows), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_of_two_concurrent_commits_succeeds() {
    let (dir, lake) = lake().await;
    let base = lake.findings().await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for id in 0..6 {
        let lake = Lake::open(dir.path()).unwrap();
        let base = base.clone();
        writers.spawn(async move {
            let rows = finding_batch(&[state(id)]).unwrap();
            lake.commit_findings(&base, rows, Some((&run(1, true), &Mark::All)))
                .await
                .unwrap()
                .is_some()
        });
    }
    let won = writers.join_all().await.into_iter().filter(|won| *won).count();
    let now = lake.findings().await.unwrap();
    assert_eq!((won, now.rows.num_rows().unwrap(), now.rows.version()), (1, Some(1), 1));
    assert_eq!(crate::support::files_on_disk(&now.rows), 1, "losers leave no files behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_without_a_findings_table_has_no_findings() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::create(dir.path()).await.unwrap();
    let none = lake.findings().await.unwrap();
    assert_eq!((none.watermark, none.rows.version()), (None, -1));
    assert_eq!(value(&none.rows, "SELECT count(state) FROM t").await, "0");
    let rows = finding_batch(&[state(1)]).unwrap();
    let refused = lake.commit_findings(&none, rows, None).await;
    assert!(matches!(refused, Err(LakeError::NoTable { table: "findings", .. })));
    assert!(!dir.path().join("findings").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_of_detections_has_its_own_watermark() {
    let (_dir, lake) = lake().await;
    let some = Mark::Some("x".to_owned());
    let commit = async |version, mark: &Mark| {
        let base = lake.findings().await.unwrap();
        let rows = finding_batch(&[]).unwrap();
        lake.commit_findings(&base, rows, Some((&run(version, true), mark)))
            .await
            .unwrap()
            .unwrap();
    };
    let watermark = async |mark: &Mark| lake.findings_at(mark).await.unwrap().watermark;
    commit(3, &some).await;
    assert_eq!(watermark(&some).await, Some(3));
    assert_eq!(watermark(&Mark::All).await, None);
    assert_eq!(watermark(&Mark::Some("y".to_owned())).await, None);
    // Events that all detections have examined count as examined by a selection.
    commit(5, &Mark::All).await;
    assert_eq!(watermark(&some).await, Some(5));
    commit(9, &Mark::Unmoved).await;
    assert_eq!(watermark(&Mark::All).await, Some(5));
}
