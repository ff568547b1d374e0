//! Records that could not be parsed.

use podtrail_event::{QuarantineRecord, quarantine_batch};

use crate::support::{lake, sql, value};

pub(crate) fn record(line: i64, bytes: &[u8]) -> QuarantineRecord {
    QuarantineRecord {
        source_file: "audit.log".into(),
        source_sha256: None,
        source_line: Some(line),
        source_offset: line * 100,
        length: i64::try_from(bytes.len()).unwrap(),
        reason: "not JSON".into(),
        quarantined_at: 1_769_817_600_000_000,
        cluster: None,
        bytes: bytes.to_vec(),
        releases: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_kept_once() {
    let (_dir, lake) = lake().await;
    let records = [record(1, b"{\xff"), record(2, b""), record(3, b"{\xff")];
    let batch = quarantine_batch(&records).unwrap();
    let first = lake.append_quarantine(batch.clone()).await.unwrap();
    assert_eq!((first.rows, first.duplicates, first.files), (2, 1, 1));
    let again = lake.append_quarantine(batch).await.unwrap();
    assert_eq!((again.rows, again.duplicates), (0, 3));

    let snapshot = lake.quarantine().await.unwrap();
    assert_eq!(
        sql(&snapshot, "SELECT source_line, reason, bytes FROM t ORDER BY source_line").await,
        "\
+-------------+----------+-------+
| source_line | reason   | bytes |
+-------------+----------+-------+
| 1           | not JSON | 7bff  |
| 2           | not JSON |       |
+-------------+----------+-------+"
    );
    assert_eq!(value(&snapshot, "SELECT length(quarantine_id) FROM t LIMIT 1").await, "32");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_batch_is_valid() {
    let (_dir, lake) = lake().await;
    let appended = lake.append_quarantine(quarantine_batch(&[]).unwrap()).await.unwrap();
    assert_eq!((appended.rows, appended.version), (0, 0));
    assert_eq!(lake.append_events(vec![]).await.unwrap().rows, 0);
}
