//! `podtrail status`.

use crate::detect::Fixture;
use crate::{podtrail, privileged_pod};

fn lake() -> Fixture {
    let mut lake = Fixture::new();
    lake.ingest_as("prod \"eu\"\u{1b}", &[privileged_pod("a", "2026-11-23T10:00:00.000000Z")]);
    lake.ingest_as(
        "prod \"eu\"\u{1b}",
        &[
            privileged_pod("b", "2026-11-24T10:00:00.000000Z"),
            privileged_pod("c", "2026-11-24T11:00:00.000000Z"),
        ],
    );
    lake.ingest_damaged(&[privileged_pod("d", "2026-11-24T10:30:00.000000Z"), "damaged".into()]);
    lake
}

#[test]
fn status_describes_a_lake() {
    let lake = lake();
    let status =
        |format: &str| podtrail(["status", "--lake", &lake.lake, "--format", format]).expect(0);
    let before = status("json").json();
    assert_eq!(before["detect"], serde_json::Value::Null);
    assert!(status("table").stdout.contains("never ran"));
    lake.detect(&[]).expect(0);
    let now = status("json").json();
    let cluster = &now["clusters"][1];
    assert_eq!(cluster["cluster"], "prod \"eu\"\u{1b}");
    assert_eq!((&cluster["events"], &cluster["events_per_day"]), (&3.into(), &1.into()));
    assert_eq!(cluster["last_event"], "2026-11-24T11:00:00Z");
    assert!(cluster["lag_seconds"].as_u64().unwrap() > 0);
    assert_eq!((&now["quarantined"], &now["quarantined_last_day"]), (&1.into(), &1.into()));
    assert_eq!(now["detect"]["complete"], true);
    // The fixture runs one detection: the others have examined none of the four versions.
    assert_eq!(now["detect"]["versions_behind"], 4);
    let medium = now["open_findings"].as_array().unwrap();
    let medium = medium.iter().find(|open| open["severity"] == "medium").unwrap();
    assert_eq!(medium["count"], 4);

    let table = status("table").stdout;
    assert!(table.contains("cluster     prod \"eu\"\\u{1b}\n"), "{table}");
    assert!(table.contains("quarantine  1 records, 1 in the last day"), "{table}");
    assert!(table.ends_with("open        4 medium\n"), "{table}");
}

#[test]
fn metrics_are_valid_openmetrics_text() {
    let lake = lake();
    lake.detect(&[]).expect(0);
    let file = lake.dir.path().join("podtrail.prom");
    let path = file.display().to_string();
    let status = ["status", "--lake", &lake.lake, "--format", "openmetrics"];
    let written = podtrail(status.into_iter().chain(["--output", &path])).expect(0);
    assert_eq!(written.stdout, "");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let sample =
        "podtrail_last_event_timestamp_seconds{cluster=\"prod \\\"eu\\\"\u{1b}\"} 1795518000\n";
    assert!(text.contains(sample), "{text}");
    assert!(text.contains("podtrail_open_findings{severity=\"medium\"} 4\n"), "{text}");
    let mut metric = "";
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            metric = declared.strip_suffix(" gauge").unwrap();
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name == metric || name.starts_with(&format!("{metric}{{")), "{line}");
            value.parse::<f64>().unwrap();
        }
    }
    let others: Vec<_> = std::fs::read_dir(lake.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}
