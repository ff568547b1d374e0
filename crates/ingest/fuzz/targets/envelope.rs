//! A record of envelope members, or of any bytes: every value taken out of it is at its reported position.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use podtrail_ingest::fuzzing::unwrapped;
use podtrail_ingest_fuzz::set_up_pool;
use podtrail_ingest_fuzz::structured::Choices;
use serde_json::{Value, json};

const KEYS: [&str; 64] = [
    "message", "timestamp", "time", "log", "auditID", "@timestamp", "host", "user", "stream", "apiVersion", "annotations",
    "value", "sourceIPs", "stage", "objectRef", "kubernetes", "hostname", "date", "data", "items", "values", "resource",
    "requestReceivedTimestamp", "openshift", "msg", "kind", "event", "verb", "status", "results", "requestURI", "payload",
    "name", "metadata", "json", "stringValue", "records", "properties", "log_type", "log_s", "logStreamName", "lines",
    "audit", "category", "scopeLogs", "resourceLogs", "logRecords", "body", "kvlistValue", "protoPayload", "tables", "rows",
    "columns", "logEvents", "messageType", "awslogs", "hits", "_source", "_raw", "fields", "streams", "insertId", "Category",
    "@type",
];

static LEAVES: LazyLock<[Value; 18]> = LazyLock::new(|| {
    let event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "ResponseComplete", "verb": "get",
        "requestURI": "/a", "stageTimestamp": "2026-11-23T21:55:01.374797Z",
    });
    let text = event.to_string();
    [
        event, json!(text), json!(format!("{text}\n{text}")), json!("stdout"), json!("{\"auditID\":\"a\""), json!("EventList"),
        json!("DATA_MESSAGE"), json!("2026-11-23T21:55:01.374797Z"), json!("1764000000"), json!(1_764_000_000), json!([[1, text]]),
        json!("kube-audit"), json!("type.googleapis.com/google.cloud.audit.AuditLog"), json!("[]"), json!("audit.k8s.io/v1"),
        json!("io.k8s.core.v1.pods.create"), json!("core/v1/namespaces/a/pods/b"), json!("\"{}\""),
    ]
});

fuzz_target!(init: set_up_pool(), |input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    if choice.is_multiple_of(2) {
        check(bytes);
        return;
    }
    let mut choices = Choices::new(bytes);
    let value = Value::Object(choices.members(&KEYS, &*LEAVES, 6));
    let text = if choice & 2 == 0 { value.to_string() } else { format!("{value:#}") };
    let rest = choices.rest();
    match choice & 12 {
        0 => check(text.as_bytes()),
        4 => check(&[text.as_bytes(), rest].concat()),
        8 => check(&[rest, text.as_bytes()].concat()),
        _ => check(&text.as_bytes()[..text.floor_char_boundary(rest.len().min(text.len()))]),
    }
});

fn check(record: &[u8]) {
    let (found, damaged) = unwrapped(record);
    let line = |offset: u64| {
        let before = usize::try_from(offset).ok().and_then(|offset| record.get(..offset));
        let before = before.unwrap_or_else(|| panic!("{offset} of {}", record.escape_ascii()));
        before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1
    };
    for value in &found {
        assert_eq!(value.line, line(value.offset), "{value:?} of {}", record.escape_ascii());
        let at = usize::try_from(value.offset).expect("an offset");
        if value.is_borrowed {
            // A value in a string without escapes has the position of the string.
            let stands = |text: &[u8]| text.windows(value.bytes.len().max(1)).any(|text| text == value.bytes);
            let is_there = record[at..].starts_with(&value.bytes) || (record[at] == b'"' && stands(&record[at..]));
            assert!(is_there, "{value:?} of {}", record.escape_ascii());
        }
    }
    for (offset, at) in damaged {
        assert_eq!(at, line(offset), "{}", record.escape_ascii());
    }
}
