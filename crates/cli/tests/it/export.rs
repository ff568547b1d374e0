//! `podtrail export`.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::{podtrail, privileged_pod, sample, scratch};

fn export(lake: &str, scope: &[&str]) -> String {
    let arguments = ["export", "--lake", lake].into_iter().chain(scope.iter().copied());
    podtrail(arguments).expect(0).stdout
}

/// Parses each line as JSON, sorted independently of the order of the lines.
fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let values = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap().to_string());
    let mut lines: Vec<_> = values.collect();
    lines.sort_unstable();
    lines
}

fn lines_of(folder: &Path) -> impl Iterator<Item = String> {
    std::fs::read_dir(folder).unwrap().flat_map(|entry| {
        let path = entry.unwrap().path();
        let file = std::fs::File::open(&path).unwrap();
        let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
        let reader: Box<dyn Read> =
            if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        BufReader::new(reader).lines().map(Result::unwrap)
    })
}

#[test]
fn an_exported_log_equals_the_ingested_log() {
    let (dir, lake) = scratch();
    podtrail(["ingest", &sample().display().to_string(), "--lake", &lake, "--no-redact"]).expect(0);
    let exported = export(&lake, &[]);
    let lines: Vec<String> = exported.lines().map(str::to_owned).collect();
    assert!(sorted(lines.iter().cloned()) == sorted(lines_of(&sample())), "the logs differ");
    let times: Vec<_> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| event["requestReceivedTimestamp"].as_str().unwrap().to_owned())
        .collect();
    assert!(times.is_sorted());

    // Exported events, ingested into another lake, give the same lake.
    let log = dir.path().join("exported.log");
    std::fs::write(&log, &exported).unwrap();
    let other = dir.path().join("other").display().to_string();
    podtrail(["ingest", &log.display().to_string(), "--lake", &other, "--no-redact"]).expect(0);
    assert!(export(&other, &[]) == exported, "the exports differ");
    let again =
        podtrail(["ingest", &log.display().to_string(), "--lake", &lake, "--no-redact", "--json"]);
    assert_eq!(again.expect(0).json()["events_added"], 0);
}

#[test]
fn unusual_values_are_exported_as_written() {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    let head = r#""auditID":"a","stage":"ResponseComplete","stageTimestamp":"2026-11-24T10:00:0"#;
    let events = [
        format!(r#"{{{head}0Z","big":18446744073709551616,"float":1.50e2}}"#),
        format!("{{{head}1Z\",\"userAgent\":\"\u{1b}x\u{9b}\u{7f}é\"}}")
            .replace('\u{1b}', "\\u001b"),
        format!(r#"{{{head}2Z","verb":"get","verb":"list","requestObject":{{"a":1,"a":2}}}}"#),
        format!(r#"{{{head}3Z","user":{{}},"userAgent":"\ud800"}}"#),
    ];
    std::fs::write(&log, events.join("\n")).unwrap();
    podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(0);
    let exported = export(&lake, &[]);
    let lines: Vec<_> = exported.lines().collect();
    assert!(lines[0].contains(r#""big":18446744073709551616"#), "{exported}");
    assert!(lines[0].contains(r#""float":1.50e2"#), "{exported}");
    assert!(lines[1].contains("\\u001bx\u{9b}\u{7f}é"), "{exported}");
    assert!(lines[2].contains(r#""verb":"get","verb":"list""#), "{exported}");
    assert!(lines[2].contains(r#""requestObject":{"a":1,"a":2}"#), "{exported}");
    assert!(lines[3].contains(r#""userAgent":"\ud800""#), "{exported}");
}

#[test]
fn an_export_is_scoped_and_in_order_of_time() {
    let (dir, lake) = scratch();
    let log = dir.path().join("a.log");
    let events: Vec<_> = (10..20)
        .rev()
        .map(|day| privileged_pod(&format!("d{day}"), &format!("2026-11-{day}T12:00:00.000000Z")))
        .collect();
    std::fs::write(&log, events.join("\n")).unwrap();
    podtrail(["ingest", &log.display().to_string(), "--lake", &lake]).expect(0);
    let names = |scope: &[&str]| -> Vec<Value> {
        let lines = export(&lake, scope);
        let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.map(|event| event["objectRef"]["name"].clone()).collect()
    };
    let all: Vec<_> = (10..20).map(|day| json!(format!("d{day}"))).collect();
    assert_eq!(names(&[]), all);
    assert_eq!(
        names(&["--from", "2026-11-12", "--to", "2026-11-13"]),
        [json!("d12"), json!("d13")]
    );
    assert!(names(&["--identity", "bob"]).is_empty());
    podtrail(["export", "--lake", "/nowhere"]).expect(4);
}
