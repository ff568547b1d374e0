//! Removing whole days.

use chrono::NaiveDate;
use podtrail_lake::{Lake, Retained};
use tokio::task::JoinSet;

use crate::support::{batch, event, lake, value};

const DAY: i64 = 86_400;

/// Three days from 2026-01-31 on, with two activities and one event per hour each.
async fn three_days() -> (tempfile::TempDir, Lake) {
    let (dir, lake) = lake().await;
    let events = (0..72).flat_map(|hour: u64| {
        ["rbac", "read"].map(|activity| {
            event(hour * 2 + u64::from(activity == "read"), hour as i64 * 3600, activity)
        })
    });
    lake.append_events(vec![batch(events)]).await.unwrap();
    (dir, lake)
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn rows(retained: &Retained) -> Vec<(&str, Option<u64>)> {
    retained.partitions.iter().map(|it| (it.partition.as_str(), it.rows)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_days_before_a_date_are_removed() {
    let (dir, lake) = three_days().await;
    let before = lake.events().await.unwrap();
    let dry = lake.retain(day("2026-02-02"), &[], true).await.unwrap();
    assert_eq!(
        rows(&dry),
        [
            ("cluster=prod/date=2026-01-31/activity=rbac", Some(24)),
            ("cluster=prod/date=2026-01-31/activity=read", Some(24)),
            ("cluster=prod/date=2026-02-01/activity=rbac", Some(24)),
            ("cluster=prod/date=2026-02-01/activity=read", Some(24)),
        ]
    );
    assert_eq!(lake.events().await.unwrap().version(), before.version());

    let done = lake.retain(day("2026-02-02"), &[], false).await.unwrap();
    assert_eq!(done.partitions, dry.partitions);
    let lake = Lake::open(dir.path()).unwrap();
    let after = lake.events().await.unwrap();
    assert_eq!((after.version(), after.num_rows().unwrap()), (done.version, Some(48)));
    assert_eq!(value(&after, "SELECT min(date) FROM t").await, "2026-02-02");
    assert_eq!(value(&before, "SELECT count(verb) FROM t").await, "144");
    let nothing = lake.retain(day("2026-02-02"), &[], false).await.unwrap();
    assert_eq!((nothing.version, nothing.partitions.len()), (after.version(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_activity_can_be_kept_for_longer() {
    let (_dir, lake) = three_days().await;
    let done = lake.retain(day("2026-02-02"), &["read".to_owned()], false).await.unwrap();
    assert_eq!(
        rows(&done),
        [
            ("cluster=prod/date=2026-01-31/activity=read", Some(24)),
            ("cluster=prod/date=2026-02-01/activity=read", Some(24)),
        ]
    );
    let after = lake.events().await.unwrap();
    assert_eq!(value(&after, "SELECT count(*) FROM t WHERE activity = 'rbac'").await, "72");
    assert_eq!(value(&after, "SELECT count(*) FROM t WHERE activity = 'read'").await, "24");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_continue_meanwhile() {
    let (dir, lake) = three_days().await;
    let mut writers = JoinSet::new();
    for writer in 0..4_u64 {
        let lake = Lake::open(dir.path()).unwrap();
        writers.spawn(async move {
            for round in 0..5 {
                let id = 1000 + writer * 10 + round;
                let events = batch([event(id, 3 * DAY + id as i64, "read")]);
                lake.append_events(vec![events]).await.unwrap();
            }
        });
    }
    lake.retain(day("2026-02-01"), &[], false).await.unwrap();
    lake.retain(day("2026-02-02"), &[], false).await.unwrap();
    writers.join_all().await;
    let after = lake.events().await.unwrap();
    assert_eq!(value(&after, "SELECT count(DISTINCT event_id) FROM t").await, "68");
    assert_eq!(after.num_rows().unwrap(), Some(68));
}
