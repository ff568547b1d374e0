//! Rows are added once, and only once.

use podtrail_event::Event;
use podtrail_lake::{Appended, Lake};

use crate::support::{
    OnDisk, batch, checkpoint_often, event, files_on_disk, lake, planned_files, sql, value,
};

#[tokio::test(flavor = "multi_thread")]
async fn appended_events_are_read_back() {
    let (_dir, lake) = lake().await;
    assert_eq!(lake.events().await.unwrap().num_rows().unwrap(), Some(0));

    let events = batch((0..10).map(|id| event(id, 0, if id < 3 { "workload" } else { "read" })));
    let appended = lake.append_events(vec![events.clone()]).await.unwrap();
    let expected =
        Appended { rows: 10, duplicates: 0, version: 1, files: 2, bytes: appended.bytes };
    assert_eq!(appended, expected);
    assert!(appended.bytes > 0);

    let snapshot = lake.events().await.unwrap();
    assert_eq!((snapshot.version(), snapshot.num_rows().unwrap()), (1, Some(10)));
    assert_eq!(snapshot.schema(), podtrail_event::schema());
    let counts = "SELECT cluster, date, activity, count(*) AS events, min(time) AS first \
                  FROM t GROUP BY ALL ORDER BY activity";
    assert_eq!(
        sql(&snapshot, counts).await,
        "\
+---------+------------+----------+--------+-----------------------------+
| cluster | date       | activity | events | first                       |
+---------+------------+----------+--------+-----------------------------+
| prod    | 2026-01-31 | read     | 7      | 2026-01-31T00:00:00.123456Z |
| prod    | 2026-01-31 | workload | 3      | 2026-01-31T00:00:00.123456Z |
+---------+------------+----------+--------+-----------------------------+"
    );
    let body = "SELECT request_object FROM t WHERE event_id = '00000000000000000000000000000007'";
    assert_eq!(value(&snapshot, body).await, r#"{"number":7}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_is_read_as_written() {
    use podtrail_event::{Container, Exec, Workload};

    let (_dir, lake) = lake().await;
    let container = Container { name: Some("c".into()), ..Container::default() };
    let full = Event {
        superseded: Some(false),
        user_groups: Some(vec!["a".into(), "b".into()]),
        exec: Some(Exec { command: Some(vec!["sh".into()]), ..Exec::default() }),
        workload: Some(Workload { containers: Some(vec![container]), ..Workload::default() }),
        ..event(1, 0, "access")
    };
    let given = batch([full]);
    lake.append_events(vec![given.clone()]).await.unwrap();

    let context = datafusion::prelude::SessionContext::new();
    let snapshot = lake.events().await.unwrap();
    let read = context.read_table(snapshot.provider().unwrap()).unwrap().collect().await.unwrap();
    assert_eq!(read, [given]);
}

#[tokio::test(flavor = "multi_thread")]
async fn appending_again_adds_nothing() {
    let (dir, lake) = lake().await;
    let events = batch((0..100).map(|id| event(id, id as i64, "read")));
    lake.append_events(vec![events.clone()]).await.unwrap();

    let again = lake.append_events(vec![events.clone()]).await.unwrap();
    assert_eq!((again.rows, again.duplicates, again.version, again.files), (0, 100, 1, 0));

    let more = batch((50..150).map(|id| event(id, id as i64, "read")));
    let other = Lake::open(dir.path()).unwrap();
    let overlap = other.append_events(vec![more]).await.unwrap();
    assert_eq!((overlap.rows, overlap.duplicates, overlap.version), (50, 50, 2));

    let snapshot = lake.events().await.unwrap();
    assert_eq!(value(&snapshot, "SELECT count(DISTINCT event_id) FROM t").await, "150");
    assert_eq!(value(&snapshot, "SELECT count(verb) FROM t").await, "150");
    assert_eq!(files_on_disk(&snapshot), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_equal_events_in_a_call_is_kept() {
    let (_dir, lake) = lake().await;
    let with_line = |line| batch([Event { source_line: Some(line), ..event(7, 0, "read") }]);
    let appended = lake.append_events(vec![with_line(1), with_line(2)]).await.unwrap();
    assert_eq!((appended.rows, appended.duplicates), (1, 1));
    let snapshot = lake.events().await.unwrap();
    assert_eq!(value(&snapshot, "SELECT source_line FROM t").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn different_events_with_one_audit_id_stay() {
    let (_dir, lake) = lake().await;
    lake.append_events(vec![batch([event(1, 0, "read")])]).await.unwrap();
    lake.append_events(vec![batch([event(2, 0, "read")])]).await.unwrap();
    let snapshot = lake.events().await.unwrap();
    let count = "SELECT count(*) FROM t WHERE audit_id = 'the same for all'";
    assert_eq!(value(&snapshot, count).await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_file_are_in_order_of_time() {
    let (_dir, lake) = lake().await;
    let shuffled = (0..1000).map(|id| event(id, (id * 7919 % 1000) as i64, "read"));
    lake.append_events(vec![batch(shuffled)]).await.unwrap();
    let snapshot = lake.events().await.unwrap();
    let out_of_order = "SELECT count(*) FROM (SELECT time, lag(time) OVER () AS before FROM t) \
                        WHERE time < before";
    assert_eq!(value(&snapshot, out_of_order).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_may_have_any_name() {
    let (dir, lake) = lake().await;
    let names =
        [Some("a b/c=d%é"), None, Some("../up"), Some("__HIVE_DEFAULT_PARTITION__"), Some(".")];
    let events = |offset| {
        batch(names.iter().enumerate().map(|(index, name)| Event {
            cluster: name.map(Into::into),
            ..event(index as u64 + offset, 0, "read")
        }))
    };
    lake.append_events(vec![events(0)]).await.unwrap();
    let again = Lake::open(dir.path()).unwrap().append_events(vec![events(0)]).await.unwrap();
    assert_eq!((again.rows, again.duplicates), (0, 5));
    lake.append_events(vec![events(10)]).await.unwrap();

    let snapshot = lake.events().await.unwrap();
    for name in names.into_iter().flatten() {
        let count = format!("SELECT count(verb) FROM t WHERE cluster = '{name}'");
        assert_eq!(value(&snapshot, &count).await, "2", "{name}");
    }
    let nulls = "SELECT count(verb) FROM t WHERE cluster IS NULL";
    assert_eq!(value(&snapshot, nulls).await, "2");
    assert_eq!(value(&snapshot, "SELECT count(cluster) FROM t").await, "8");
    let files = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files, 2, "nothing is written outside the tables");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_appends_are_split_into_files() {
    let (_dir, lake) = lake().await;
    let events = batch((0..140_000).map(|id| event(id, (id / 10) as i64, "read")));
    let appended = lake.append_events(vec![events]).await.unwrap();
    assert_eq!((appended.rows, appended.files), (140_000, 2));
    let more = batch((139_990..140_010).map(|id| event(id, (id / 10) as i64, "read")));
    let appended = lake.append_events(vec![more]).await.unwrap();
    assert_eq!((appended.rows, appended.duplicates), (10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_keep_the_whole_state() {
    let (dir, lake) = lake().await;
    let log = dir.path().join("events/_delta_log");
    let first = log.join("00000000000000000000.json");
    assert!(std::fs::read_to_string(first).unwrap().contains(r#""delta.appendOnly":"true""#));
    checkpoint_often(dir.path());

    let lake = Lake::open(lake.dir()).unwrap();
    let one = |id| batch([Event { cluster: Some("a b/c=d%é".into()), ..event(id, 0, "read") }]);
    for id in 0..11 {
        lake.append_events(vec![one(id)]).await.unwrap();
        lake.checkpoint().await;
    }
    assert!(log.join("_last_checkpoint").is_file());
    // The checkpoint's content is read from it.
    for version in 0..8 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let lake = Lake::open(dir.path()).unwrap();
    let snapshot = lake.events().await.unwrap();
    assert_eq!(snapshot.num_rows().unwrap(), Some(11));
    let count = "SELECT count(verb) FROM t WHERE cluster = 'a b/c=d%é' AND source_line < 9";
    assert_eq!(value(&snapshot, count).await, "9");
    assert_eq!(planned_files(&snapshot, "SELECT verb FROM t WHERE source_line < 2").await, 2);
    assert_eq!(lake.append_events(vec![one(5)]).await.unwrap().duplicates, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_known_regardless_of_the_first_lookup() {
    /// Three row groups of one file.
    const EVENTS: u64 = 70_000;
    let (_dir, lake) = lake().await;
    let events = |ids: std::ops::Range<u64>| batch(ids.map(|id| event(id, id as i64, "read")));
    assert_eq!(lake.append_events(vec![events(0..EVENTS)]).await.unwrap().files, 1);
    for ids in [0..10, EVENTS - 10..EVENTS, 40_000..40_010, 0..10, 0..EVENTS] {
        let count = ids.end - ids.start;
        let again = lake.append_events(vec![events(ids)]).await.unwrap();
        assert_eq!((again.rows, again.duplicates), (0, count));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_with_a_later_stage_in_the_commit_are_superseded() {
    let (_dir, lake) = lake().await;
    let staged = |id, audit_id: &'static str, second, stage: &'static str| Event {
        audit_id: Some(audit_id.into()),
        stage: Some(stage.into()),
        ..event(id, second, "read")
    };
    let first = [
        (1, "whole", 0, "RequestReceived"),
        (2, "whole", 0, "ResponseComplete"),
        (3, "watch", 0, "ResponseStarted"),
        (4, "watch", 0, "RequestReceived"),
        (5, "borrowed", 0, "RequestReceived"),
        (6, "borrowed", 1, "ResponseComplete"),
        (7, "later", 0, "RequestReceived"),
    ];
    // Of one commit, in any of its batches.
    let first =
        first.map(|(id, audit_id, second, name)| batch([staged(id, audit_id, second, name)]));
    lake.append_events(first.to_vec()).await.unwrap();
    lake.append_events(vec![batch([staged(8, "later", 0, "ResponseComplete")])]).await.unwrap();
    let marks = "SELECT string_agg(concat_ws(' ', audit_id, stage, superseded), ', ' ORDER BY event_id) FROM t";
    let expected = "whole RequestReceived true, whole ResponseComplete false, watch ResponseStarted, \
        watch RequestReceived true, borrowed RequestReceived, borrowed ResponseComplete false, \
        later RequestReceived, later ResponseComplete false";
    assert_eq!(value(&lake.events().await.unwrap(), marks).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_another_append_adds_first_is_left_out() {
    let (dir, lake) = lake().await;
    let other = Lake::open(dir.path()).unwrap();
    let rows = |ids: std::ops::Range<u64>| vec![batch(ids.map(|id| event(id, 0, "read")))];
    let (one, two) =
        tokio::join!(lake.append_events(rows(0..60)), other.append_events(rows(40..100)));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.rows + two.rows, one.duplicates + two.duplicates), (100, 20));
    let count = "SELECT concat_ws(' ', count(*), count(DISTINCT event_id)) FROM t";
    assert_eq!(value(&lake.events().await.unwrap(), count).await, "100 100");
}
