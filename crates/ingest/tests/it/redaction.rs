//! No secret reaches a row, and everything else does.

use arrow::array::{Array, ArrayData, AsArray};
use podtrail_ingest::{Options, RedactionKey};
use serde_json::{Value, json};

use crate::support::{Memory, lines, run_stream};

const CLEAR: &str = "hunter2-in-clear";
const ENCODED: &str = "aHVudGVyMi1pbi1jbGVhcg==";

fn event(resource: &str, members: &Value) -> Value {
    let mut event = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "a",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/x",
        "verb": "create",
        "user": {"username": "alice"},
        "objectRef": {"resource": resource, "namespace": "a", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 201},
        "requestReceivedTimestamp": "2026-11-23T21:55:01.374797Z",
        "stageTimestamp": "2026-11-23T21:55:01.374797Z",
    });
    for (key, value) in members.as_object().expect("members") {
        event[key] = value.clone();
    }
    event
}

fn secret(value: &str) -> Value {
    event(
        "secrets",
        &json!({"requestObject": {"kind": "Secret", "stringData": {"password": value}}}),
    )
}

/// A secret in every place, the last one in an event of an `EventList`.
fn log() -> Vec<u8> {
    let object = json!({"kind": "Secret", "data": {"password": ENCODED}});
    let events = [
        secret(CLEAR),
        event("secrets", &json!({"responseObject": {"kind": "SecretList", "items": [object]}})),
        event(
            "secrets",
            &json!({"requestObject": [{"op": "add", "path": "/data/a", "value": ENCODED}]}),
        ),
        event(
            "secrets",
            &json!({"annotations": {"patch.webhook.admission.k8s.io/round_0_index_0": object.to_string()}}),
        ),
        event("secrets", &json!({"shipper": {"copy": object.to_string()}})),
        event("tokenreviews", &json!({"requestObject": {"spec": {"token": CLEAR}}})),
        event("templates", &json!({"requestObject": {"objects": [object]}})),
        event("services", &json!({"requestURI": format!("/x?fieldManager=m&token={CLEAR}")})),
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [secret(CLEAR), secret(CLEAR)]}),
    ];
    lines(events.iter().map(Value::to_string))
}

fn options(key: Option<u8>) -> Options {
    Options { redact: key.map(|byte| RedactionKey::new([byte; 32])), ..Options::default() }
}

fn contains_secret(data: &ArrayData, text: &str) -> bool {
    let in_buffer =
        |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    data.buffers().iter().any(|buffer| in_buffer(buffer.as_slice()))
        || data.child_data().iter().any(|child| contains_secret(child, text))
}

/// The columns that contain `text`.
fn columns_with(memory: &Memory, text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for batch in &memory.batches {
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            if contains_secret(&column.to_data(), text) {
                names.push(field.name().clone());
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

fn texts(memory: &Memory, column: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for batch in &memory.batches {
        let column = batch.column_by_name(column).expect("a column").as_string::<i32>();
        texts.extend(column.iter().map(|text| text.unwrap_or_default().to_owned()));
    }
    texts
}

#[test]
fn no_column_holds_a_secret() {
    let (memory, summary) = run_stream(log(), &options(Some(1)));
    assert_eq!((summary.events_added, summary.quarantined), (10, 0));
    for secret in [CLEAR, ENCODED, "hunter2", "aHVudGVyMi"] {
        assert_eq!(columns_with(&memory, secret), Vec::<String>::new(), "{secret}");
    }
    assert_eq!(
        columns_with(&memory, "redacted:"),
        ["annotations", "envelope", "original", "request_object", "request_uri", "response_object"]
    );
    // Names of keys are not secret.
    assert_eq!(
        columns_with(&memory, "password"),
        ["annotations", "envelope", "original", "request_object", "response_object", "secret"]
    );
}

#[test]
fn without_a_key_secrets_are_kept() {
    let (memory, _) = run_stream(log(), &options(None));
    assert_eq!(columns_with(&memory, "redacted:"), Vec::<String>::new());
    assert_eq!(columns_with(&memory, CLEAR), ["request_object", "request_uri"]);
}

#[test]
fn other_columns_are_unchanged() {
    let (redacted, _) = run_stream(log(), &options(Some(1)));
    let (kept, _) = run_stream(log(), &options(None));
    for column in ["audit_id", "resource", "activity", "outcome", "field_manager"] {
        assert_eq!(texts(&redacted, column), texts(&kept, column));
    }
    assert_eq!(redacted.rows(), kept.rows());
}

#[test]
fn event_ids_follow_the_secret_and_the_key() {
    let id = |value: &str, key: Option<u8>| {
        let log = lines([secret(value).to_string()]);
        texts(&run_stream(log, &options(key)).0, "event_id").remove(0)
    };
    assert_eq!(id("a", Some(1)), id("a", Some(1)));
    assert_ne!(id("a", Some(1)), id("b", Some(1)));
    assert_ne!(id("a", Some(1)), id("a", Some(2)));
    assert_ne!(id("a", Some(1)), id("a", None));
}

/// Parts of a split line may be lost in a rotation; the remaining part of a Secret reaches no table.
#[test]
fn the_rest_of_a_split_line_contains_no_secret() {
    let object = json!({"kind": "Secret", "stringData": (0..2000).map(|n| (format!("k{n}"), format!("{CLEAR}\"\\{CLEAR}{n}").into())).collect::<serde_json::Map<_, Value>>()});
    let whole = secret("x").to_string() + "\n";
    let event = event("secrets", &json!({"requestObject": object})).to_string() + "\n";
    let bounds: Vec<usize> = (0..event.len()).step_by(16 * 1024).chain([event.len()]).collect();
    let parts: Vec<&str> = bounds.windows(2).map(|bounds| &event[bounds[0]..bounds[1]]).collect();
    let last = parts.len() - 1;
    assert!(last >= 3);
    let time = "2026-11-24T10:09:15.123456789Z";
    let docker = |part: &str| json!({"log": part, "stream": "stdout", "time": time}).to_string();
    let cri = |part: &str| {
        let tag = if part.ends_with('\n') { "F" } else { "P" };
        format!("{time} stdout {tag} {}", part.trim_end_matches('\n'))
    };
    let forms: [Write<'_>; 2] = [&docker, &cri];
    for write in forms {
        for lost in [vec![0], vec![1], vec![1, 2], vec![last], vec![0, last], vec![0, 1, last]] {
            let kept = (0..).zip(&parts).filter(|(number, _)| !lost.contains(number));
            let log = lines(kept.map(|(_, part)| write(part)).chain([write(&whole)]));
            let (memory, summary) = run_stream(log, &options(Some(1)));
            assert!(summary.events_added >= 1, "{lost:?}: {summary:?}");
            assert_eq!(columns_with(&memory, CLEAR), Vec::<String>::new(), "{lost:?}");
            for record in &memory.quarantine {
                let text = String::from_utf8_lossy(&record.bytes);
                assert!(!text.contains(CLEAR), "{lost:?}: {text}");
            }
        }
    }
}

type Write<'a> = &'a dyn Fn(&str) -> String;

/// A line that Docker split, reformatted by a shipper.
#[test]
fn parts_of_a_line_split_by_docker_are_one_event_in_any_form() {
    let event = secret(&CLEAR.repeat(3000)).to_string() + "\n";
    let parts: Vec<&str> = {
        let bounds = [0, 16 * 1024, 32 * 1024, event.len()];
        bounds.windows(2).map(|bounds| &event[bounds[0]..bounds[1]]).collect()
    };
    let object = |part: &str| json!({"log": part, "stream": "stdout", "time": "2026-11-24T10:09:15.123456789Z"});
    let escaped = |part: &str| {
        let units: Vec<_> = part.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        units.concat()
    };
    let time = r#""time": "2026-11-24T10:09:15.123456789Z""#;
    let forms: [(&str, Write<'_>); 8] = [
        ("as Docker does", &|part| {
            format!(
                r#"{{"log":{},"stream":"stdout","time":"2026-11-24T10:09:15.1Z"}}"#,
                json!(part)
            )
        }),
        ("with blanks", &|part| {
            format!(r#"{{"log": {}, "stream": "stdout", {time}}}"#, json!(part))
        }),
        ("with more blanks", &|part| {
            format!("{{ \"log\" : {} ,\t\"stream\" : \"stdout\" , {time} }} ", json!(part))
        }),
        ("in another order", &|part| {
            format!(r#"{{{time}, "stream":"stdout","log":{}}}"#, json!(part))
        }),
        ("sorted, with attributes", &|part| {
            format!(r#"{{"attrs":{{"a":"b"}},"log":{},"stream":"stdout",{time}}}"#, json!(part))
        }),
        ("with escapes", &|part| {
            format!(r#"{{"log":"{}","stream":"std\u006fut",{time}}}"#, escaped(part))
        }),
        ("with escaped names", &|part| {
            format!(r#"{{"\u006cog":{},"stream":"stdout",{time}}}"#, json!(part))
        }),
        ("over several lines", &|part| {
            serde_json::to_string_pretty(&object(part)).expect("printable")
        }),
    ];
    for (name, write) in forms {
        for end in ["\n", "\r\n"] {
            let log: String = parts.iter().map(|part| write(part) + end).collect();
            for block_bytes in [1, 1000, 16 * 1024, 4 << 20] {
                let options = Options { block_bytes, ..options(Some(1)) };
                let (memory, summary) = run_stream(log.as_bytes(), &options);
                assert_eq!(
                    (summary.events_added, summary.quarantined),
                    (1, 0),
                    "{name}, in blocks of {block_bytes}: {summary:?}"
                );
                assert_eq!(columns_with(&memory, CLEAR), Vec::<String>::new(), "{name}");
            }
        }
    }
}
