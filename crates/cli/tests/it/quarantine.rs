//! `podtrail quarantine`.

use podtrail_event::{QuarantineRecord, quarantine_batch};
use podtrail_lake::Lake;
use serde_json::{Value, json};

use crate::{Run, podtrail, privileged_pod, scratch};

/// Returns a lake with three quarantined records.
fn lake() -> (tempfile::TempDir, String) {
    let (dir, lake) = scratch();
    let log = dir.path().join("audit.log");
    let good = privileged_pod("a", "2026-11-24T10:00:00.000000Z");
    let hostile = format!("hello \u{1b}[31m{}", "é".repeat(40));
    let lines =
        [good.as_bytes(), hostile.as_bytes(), b"{\"a\":\"\xff\"}", b"{\"kind\":\"Pod\"}", b""];
    std::fs::write(&log, lines.join(&b"\n"[..])).unwrap();
    let log = log.display().to_string();
    podtrail(["ingest", &log, "--lake", &lake, "--cluster", "prod"]).expect(3);
    (dir, lake)
}

fn quarantine(lake: &str, arguments: &[&str]) -> Run {
    podtrail(["quarantine", "--lake", lake].into_iter().chain(arguments.iter().copied()))
}

#[test]
fn quarantined_records_are_listed_as_a_table() {
    let (_dir, lake) = lake();
    let table = quarantine(&lake, &[]).expect(0).stdout;
    for shown in
        ["audit.log:2", "audit.log:3", "audit.log:4", r#"{"a":"\xff"}"#, "hello \\u{1b}[31mé", "é…"]
    {
        assert!(table.contains(shown), "{shown}: {table}");
    }
    assert!(table.ends_with("3 rows\n"), "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");
}

#[test]
fn quarantined_records_are_listed_as_json_and_csv() {
    let (_dir, lake) = lake();
    let mut records = quarantine(&lake, &["--format", "jsonl"]).expect(0).jsonl();
    records.sort_by_key(|record| record["source_line"].as_i64());
    let [hello, broken, pod] = &records[..] else { panic!("{records:?}") };
    assert_eq!(hello["text"], format!("hello \u{1b}[31m{}", "é".repeat(40)));
    assert_eq!((&hello["base64"], &hello["cluster"]), (&Value::Null, &json!("prod")));
    assert_eq!((&broken["text"], &broken["base64"]), (&Value::Null, &json!("eyJhIjoi/yJ9")));
    assert_eq!((&pod["text"], &pod["length"]), (&json!(r#"{"kind":"Pod"}"#), &json!(14)));
    assert_eq!(
        quarantine(&lake, &["--format", "json"]).expect(0).json().as_array().unwrap().len(),
        3
    );
    let csv = quarantine(&lake, &["--format", "csv"]).expect(0).stdout;
    assert!(csv.starts_with("quarantine_id,quarantined_at,source_file,"), "{csv}");
}

#[test]
fn the_bytes_of_a_record_are_printed_unchanged() {
    let (_dir, lake) = lake();
    let records = quarantine(&lake, &["--format", "jsonl"]).expect(0).jsonl();
    let pod = records.iter().find(|record| record["source_line"] == 4).unwrap();
    let id = pod["quarantine_id"].as_str().unwrap();
    assert_eq!(quarantine(&lake, &["--bytes", id]).expect(0).stdout, r#"{"kind":"Pod"}"#);
    assert_eq!(quarantine(&lake, &["--bytes", &id[..12]]).expect(0).stdout, r#"{"kind":"Pod"}"#);
    for wrong in ["", "%", "0' OR true", &"0".repeat(32)] {
        quarantine(&lake, &["--bytes", wrong]).expect(2);
    }
}

/// Quarantines a record, as an older version might have done.
fn refuse(lake: &str, line: i64, bytes: &[u8], length: usize) {
    let record = QuarantineRecord {
        source_file: "old.log".into(),
        source_sha256: Some("5ha".into()),
        source_line: Some(line),
        source_offset: 1000,
        cluster: Some("prod".into()),
        length: length.try_into().unwrap(),
        reason: "not understood".into(),
        quarantined_at: 1_795_514_757_915_000,
        bytes: bytes.to_vec(),
        releases: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let lake = Lake::open(std::path::Path::new(lake)).unwrap();
        lake.append_quarantine(quarantine_batch(&[record]).unwrap()).await.unwrap();
    });
}

#[test]
fn records_that_can_be_parsed_now_are_released() {
    let (_dir, lake) = lake();
    let retried = quarantine(&lake, &["--retry"]).expect(3).stdout;
    assert!(retried.starts_with("0 of 3 records released, 0 events added"), "{retried}");

    // Two events and other text in one record, over two lines.
    let (b, c) = (
        privileged_pod("b", "2026-11-24T10:00:01.000000Z"),
        privileged_pod("c", "2026-11-24T10:00:02.000000Z"),
    );
    let list =
        format!("{{\"kind\":\"EventList\",\"items\":[{b},\n{c},{{\"kind\":\"Pod\",\"x\":1}}]}}");
    refuse(&lake, 7, list.as_bytes(), list.len());
    refuse(&lake, 9, &list.as_bytes()[..300], list.len());
    let retried = quarantine(&lake, &["--retry"]).expect(3);
    let expected = "1 of 5 records released, 2 events added";
    assert!(retried.stdout.starts_with(expected), "{retried}");
    assert!(retried.stderr.contains("1 records kept only their beginning"), "{retried}");

    let sql = "SELECT name, cluster, source_file, source_sha256, source_line, source_offset
               FROM stages WHERE source_file = 'old.log' ORDER BY name";
    let rows = podtrail(["sql", "--lake", &lake, "--format", "jsonl", "-c", sql]).expect(0).jsonl();
    let row = |name: &str, line: usize, offset: usize| {
        json!({"name": name, "cluster": "prod", "source_file": "old.log", "source_sha256": "5ha",
            "source_line": line, "source_offset": 1000 + offset})
    };
    let offsets = (list.find(&b).unwrap(), list.find(&c).unwrap());
    assert_eq!(rows, [row("b", 7, offsets.0), row("c", 8, offsets.1)]);

    // The record is released, and its rest is quarantined.
    let listed = quarantine(&lake, &["--format", "jsonl"]).expect(0).jsonl();
    assert_eq!(listed.len(), 5, "{listed:?}");
    assert!(!listed.iter().any(|record| record["text"] == list.as_str()), "{listed:?}");
    let rest = listed.iter().find(|record| record["text"] == "{\"kind\":\"Pod\",\"x\":1}").unwrap();
    assert_eq!((&rest["source_line"], &rest["source_file"]), (&json!(8), &json!("old.log")));

    let again = quarantine(&lake, &["--retry"]).expect(3).stdout;
    assert!(again.starts_with("0 of 5 records released, 0 events added"), "{again}");
}
