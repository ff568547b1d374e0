//! Errors, and the state after them.

use podtrail_event::Event;
use podtrail_lake::{Lake, LakeError};

use crate::support::{OnDisk, batch, event, files_on_disk, lake, value};

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_without_tables_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for missing in [dir.path().to_path_buf(), dir.path().join("nowhere")] {
        let error = Lake::open(&missing).err().unwrap();
        let expected = format!(
            "{} does not contain a podtrail table `events`; create one with `podtrail ingest --lake LAKE`",
            missing.display()
        );
        assert_eq!(error.to_string(), expected);
    }
    std::fs::create_dir(dir.path().join("events")).unwrap();
    let error = Lake::open(dir.path()).err().unwrap();
    assert!(matches!(error, LakeError::NoTable { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_write_leaves_the_table_as_it_was() {
    let (_dir, lake) = lake().await;
    lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap();
    let before = lake.events().await.unwrap();

    // A file has the name of a partition's directory.
    let blocked = before.root().join("cluster=prod/date=2026-01-31/activity=rbac");
    std::fs::write(&blocked, b"").unwrap();
    let events = ["access", "rbac", "read", "write"].into_iter().zip(10..);
    let events = batch(events.map(|(activity, id)| event(id, 0, activity)));
    let error = lake.append_events(vec![events.clone()]).await.unwrap_err();
    assert!(error.to_string().contains("activity=rbac"), "{error}");

    std::fs::remove_file(&blocked).unwrap();
    let after = lake.events().await.unwrap();
    assert_eq!((after.version(), files_on_disk(&after)), (before.version(), 1));
    assert_eq!(lake.append_events(vec![events]).await.unwrap().rows, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_commit_leaves_the_table_as_it_was() {
    let (dir, lake) = lake().await;
    lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap();
    let log = dir.path().join("events/_delta_log");
    // A torn entry of the next version.
    let torn = log.join("00000000000000000002.json");
    std::fs::write(&torn, b"{\"add\":{\"path\"").unwrap();
    lake.append_events(vec![batch([event(2, 0, "read")])]).await.unwrap_err();
    std::fs::remove_file(&torn).unwrap();

    let lake = Lake::open(dir.path()).unwrap();
    assert_eq!(lake.append_events(vec![batch([event(2, 0, "read")])]).await.unwrap().rows, 1);
    let snapshot = lake.events().await.unwrap();
    assert_eq!(value(&snapshot, "SELECT count(verb) FROM t").await, "2");
    assert_eq!(files_on_disk(&snapshot), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_fit_are_rejected() {
    let (_dir, lake) = lake().await;
    let cases = [
        (Event { time: None, ..event(1, 0, "read") }, "`time` has nulls"),
        (Event { event_id: None, ..event(1, 0, "read") }, "`event_id` has nulls"),
        (Event { event_id: Some("abc".into()), ..event(1, 0, "read") }, "32 hexadecimal digits"),
    ];
    for (event, detail) in cases {
        let error = lake.append_events(vec![batch([event])]).await.unwrap_err();
        assert!(error.to_string().contains(detail), "{error}");
    }
    let narrow = batch([event(1, 0, "read")]).project(&[0, 1]).unwrap();
    let error = lake.append_events(vec![narrow]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "rows do not fit table `events`: other columns than the table has"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_with_unsupported_features_are_rejected() {
    let cases = [
        (
            r#""minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]"#,
            "deletionVectors",
        ),
        (r#""minReaderVersion":1,"minWriterVersion":4"#, "writer version is 4"),
    ];
    for (protocol, detail) in cases {
        let (dir, lake) = lake().await;
        let entry = dir.path().join("events/_delta_log/00000000000000000001.json");
        std::fs::write(entry, format!(r#"{{"protocol":{{{protocol}}}}}"#)).unwrap();
        let error = lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap_err();
        assert!(error.to_string().contains(detail), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_invisible() {
    let (_dir, lake) = lake().await;
    lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap();
    let snapshot = lake.events().await.unwrap();
    let file = snapshot.root().join(&snapshot.files().unwrap()[0].path);
    std::fs::copy(&file, file.with_file_name("part-left-by-a-kill.zstd.parquet")).unwrap();
    let snapshot = lake.events().await.unwrap();
    assert_eq!(value(&snapshot, "SELECT count(verb) FROM t").await, "1");
}
