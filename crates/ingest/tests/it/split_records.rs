//! Split records, in every convention in use.

use podtrail_ingest::{Options, RedactionKey};
use serde_json::{Value, json};

use crate::support::{Folder, lines, run, run_stream};
use crate::unwrapped::column;

const PARTS: usize = 4;

/// An event with a body, in parts.
fn parts(kind: &str) -> Vec<String> {
    let body = json!({"kind": if kind == "secrets" { "Secret" } else { "Pod" }, "data": {"a": "x".repeat(900), "b": "hunter2".repeat(40)}});
    let time = "2026-11-23T22:00:00.000000Z";
    // In the API server's order of members.
    let event = format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"big","stage":"ResponseComplete","verb":"create","user":{{"username":"mallory"}},"objectRef":{{"resource":"{kind}","namespace":"a","name":"x","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":201}},"requestObject":{body},"requestReceivedTimestamp":"{time}","stageTimestamp":"{time}"}}"#
    );
    let length = event.len().div_ceil(PARTS);
    event.as_bytes().chunks(length).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

fn time(index: usize) -> String {
    format!("2026-11-23T22:00:00.00000{index}Z")
}

/// One line of a log.
type Form = fn(usize, &str, bool) -> Value;

const FORMS: [(&str, Form); 7] = [
    (
        "_p",
        |i, text, last| json!({"date": 1_795_471_200.5, "time": time(i), "stream": "stdout", "_p": if last { "F" } else { "P" }, "log": text}),
    ),
    (
        "logtag",
        |i, text, last| json!({"time": time(i), "stream": "stdout", "logtag": if last { "F" } else { "P" }, "message": text, "kubernetes": {"pod_name": "kube-apiserver-cp-1"}}),
    ),
    ("partial_id", |i, text, last| {
        json!({
            "container_id": "c", "source": "stdout", "time": time(i), "log": text, "partial_message": "true", "partial_id": "p1",
            "partial_ordinal": (i + 1).to_string(), "partial_last": last.to_string(),
        })
    }),
    ("partial_message alone", |i, text, last| {
        let mut record =
            json!({"container_id": "c", "source": "stdout", "log": text, "time": time(i)});
        if !last {
            record["partial_message"] = json!("true");
        }
        record
    }),
    ("journald of Docker", |i, text, last| {
        json!({
            "MESSAGE": text, "__REALTIME_TIMESTAMP": (1_795_471_200_000_000_u64 + i as u64).to_string(), "CONTAINER_ID_FULL": "c",
            "CONTAINER_PARTIAL_MESSAGE": "true", "CONTAINER_PARTIAL_ID": "p1",
            "CONTAINER_PARTIAL_ORDINAL": (i + 1).to_string(), "CONTAINER_PARTIAL_LAST": last.to_string(),
        })
    }),
    ("line breaks of journald", |i, text, last| {
        let mut record = json!({"MESSAGE": text, "_STREAM_ID": "s", "__REALTIME_TIMESTAMP": (1_795_471_200_000_000_u64 + i as u64).to_string()});
        if !last {
            record["_LINE_BREAK"] = json!("line-max");
        }
        record
    }),
    ("_partial", |i, text, last| {
        let mut record = json!({"source_type": "kubernetes_logs", "file": "/var/log/pods/x", "stream": "stdout", "timestamp": time(i), "message": text});
        if !last {
            record["_partial"] = json!(true);
        }
        record
    }),
];

fn records(form: Form, kind: &str) -> Vec<String> {
    let parts = parts(kind);
    let last = parts.len() - 1;
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| form(index, part, index == last).to_string())
        .collect()
}

#[test]
fn every_convention() {
    for (name, form) in FORMS {
        let (memory, summary) = run_stream(lines(records(form, "pods")), &Options::default());
        assert_eq!((summary.events_added, summary.quarantined), (1, 0), "{name}: {summary:?}");
        assert!(column(&memory, "request_object")[0].contains("hunter2"), "{name}");
        assert_eq!(column(&memory, "truncated"), ["false"], "{name}");
    }
}

/// Records of other containers and whole records may be between the parts.
#[test]
fn between_others() {
    let mut log = Vec::new();
    for (index, record) in records(FORMS[1].1, "pods").into_iter().enumerate() {
        log.push(record.clone());
        log.push(record.replace("cp-1", "cp-2").replace("big", "other"));
        log.push(json!({"time": time(index), "stream": "stderr", "logtag": "F", "message": "I1123 22:00:00.374797       1 x.go:1] y"}).to_string());
    }
    let (memory, summary) = run_stream(lines(log), &Options::default());
    assert_eq!((summary.events_added, summary.quarantined), (2, 0), "{summary:?}");
    let mut ids = column(&memory, "audit_id");
    ids.sort();
    assert_eq!(ids, ["big", "other"]);
    assert_eq!(summary.skipped, 4);
}

#[test]
fn across_files() {
    let cri: Form = |i, text, last| {
        Value::from(format!("{} stdout {} {text}", time(i), if last { "F" } else { "P" }))
    };
    let docker: Form = |i, text, last| {
        let text = if last { format!("{text}\n") } else { text.to_owned() };
        json!({"log": text, "stream": "stdout", "time": time(i)})
    };
    for (name, form) in FORMS.into_iter().chain([("cri", cri), ("docker", docker)]) {
        let records: Vec<String> = records(form, "pods")
            .iter()
            .map(|record| serde_json::from_str::<String>(record).unwrap_or_else(|_| record.clone()))
            .collect();
        for cut in 1..records.len() {
            let (first, second) = records.split_at(cut);
            let folder = Folder::new().with("a.log", lines(first)).with("b.log", lines(second));
            let (memory, summary) = run(&[folder.input()], &Options::default());
            assert_eq!(
                (summary.events_added, summary.quarantined),
                (1, 0),
                "{name} {cut}: {summary:?}"
            );
            assert!(column(&memory, "request_object")[0].contains("hunter2"), "{name}");
        }
    }
}

/// A client chooses the text of a body: parts of it may begin like an event.
#[test]
fn a_body_that_imitates_the_beginning_of_events() {
    for (name, form) in FORMS {
        let filler = format!("{}auditID", "{".repeat(500)).repeat(3);
        let text = parts("pods").concat().replace(&"x".repeat(900), &filler);
        let length = text.len().div_ceil(PARTS);
        let parts: Vec<&str> = text
            .as_bytes()
            .chunks(length)
            .map(|part| str::from_utf8(part).expect("ASCII"))
            .collect();
        let imitates = |part: &&str| part.starts_with('{') && part.contains("auditID");
        assert!(parts[1..].iter().any(imitates), "{parts:?}");
        let records =
            parts.iter().enumerate().map(|(i, part)| form(i, part, i == PARTS - 1).to_string());
        let (memory, summary) = run_stream(lines(records), &Options::default());
        assert_eq!((summary.events_added, summary.quarantined), (1, 0), "{name}: {summary:?}");
        assert_eq!(column(&memory, "truncated"), ["false"], "{name}");
        assert!(column(&memory, "request_object")[0].contains("hunter2"), "{name}");
    }
}

/// The event after one whose end is missing is whole.
#[test]
fn an_event_after_a_missing_end() {
    for (name, form) in FORMS {
        let beginning = records(form, "pods").remove(0);
        let next = records(form, "pods");
        let next = next.iter().map(|record| record.replace("p1", "p2").replace("big", "next"));
        let log = lines([beginning].into_iter().chain(next));
        let (memory, summary) = run_stream(log, &Options::default());
        assert_eq!(summary.quarantined, 1, "{name}: {summary:?}");
        let ids = column(&memory, "audit_id");
        let truncated = column(&memory, "truncated");
        let found = ids
            .iter()
            .zip(&truncated)
            .any(|(id, is)| (id.as_str(), is.as_str()) == ("next", "false"));
        assert!(found, "{name}: {ids:?} {truncated:?}");
    }
}

/// A line without its end is kept, and joined in a later run.
#[test]
fn across_runs() {
    for (name, form) in FORMS {
        let records = records(form, "pods");
        let (first, second) = records.split_at(2);
        let (memory, summary) = run_stream(lines(first), &Options::default());
        assert_eq!(summary.quarantined, 2, "{name}: {summary:?}");
        assert!(
            summary.problems[0].message.contains("without the text after it"),
            "{name}: {summary:?}"
        );
        assert_eq!(column(&memory, "truncated"), ["true"], "{name}");
        assert_eq!(column(&memory, "username"), ["mallory"], "{name}");
        let options = Options { pieces: memory.quarantine, ..Options::default() };
        let (memory, summary) = run_stream(lines(second), &options);
        assert_eq!((summary.events_added, summary.quarantined), (1, 0), "{name}: {summary:?}");
        assert!(column(&memory, "request_object")[0].contains("hunter2"), "{name}");
        assert_eq!(
            memory.quarantine.iter().filter(|record| record.releases.is_some()).count(),
            2,
            "{name}"
        );
    }
}

/// A detected gap is reported; an undetected one reveals no secret.
#[test]
fn missing_parts() {
    for (name, form) in FORMS {
        let mut records = records(form, "secrets");
        records.remove(1);
        let options = Options { redact: Some(RedactionKey::new([1; 32])), ..Options::default() };
        let (memory, summary) = run_stream(lines(records), &options);
        let shown = format!("{:?}", memory.batches);
        assert!(!shown.contains("hunter2"), "{name}: {summary:?}");
        assert_eq!(column(&memory, "truncated"), vec!["true"; memory.rows().len()], "{name}");
    }
}

/// Numbered parts show that none is missing.
#[test]
fn a_numbered_record_keeps_its_body() {
    let options = Options { redact: Some(RedactionKey::new([1; 32])), ..Options::default() };
    let (memory, _) = run_stream(lines(records(FORMS[2].1, "secrets")), &options);
    assert!(column(&memory, "request_object")[0].contains("redacted:"));
    assert!(!format!("{:?}", memory.batches).contains("hunter2"));
}

/// Parts that never end cost no more than the longest record.
#[test]
fn memory_is_bounded() {
    let piece = |index: usize| {
        json!({"_p": "P", "stream": "stdout", "log": "y".repeat(1000), "tag": index % 7})
            .to_string()
    };
    let log = lines((0..3000).map(piece));
    let options = Options { max_record_bytes: 100_000, ..Options::default() };
    let (_, summary) = run_stream(log, &options);
    assert_eq!(summary.quarantined, 3000, "{:?}", summary.problems);
}
