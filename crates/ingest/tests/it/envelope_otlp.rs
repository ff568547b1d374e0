//! OpenTelemetry's JSON, as OpenShift's cluster logging and the collector's file exporter write it.

use podtrail_ingest::Options;
use serde_json::Value;

use crate::support::{event, run_stream};
use crate::unwrapped::{Known, SHIPPED_MILLIS, check, check_skipped, column, quoted};

fn export(attributes: &[(&str, &str)], bodies: &[String]) -> String {
    let attributes: Vec<String> = attributes
        .iter()
        .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":"{value}"}}}}"#))
        .collect();
    let records: Vec<String> = bodies
        .iter()
        .map(|body| {
            format!(
                r#"{{"timeUnixNano":"{SHIPPED_MILLIS}000000","body":{body},"attributes":[],"traceId":""}}"#
            )
        })
        .collect();
    format!(
        r#"{{"resourceLogs":[{{"resource":{{"attributes":[{}]}},"scopeLogs":[{{"scope":{{}},"logRecords":[{}]}}]}}]}}"#,
        attributes.join(","),
        records.join(",")
    )
}

fn text(event: &str) -> String {
    format!(r#"{{"stringValue":{}}}"#, quoted(event))
}

/// A value as OpenTelemetry's `AnyValue`.
fn any_value(value: &Value) -> String {
    match value {
        Value::Null => "{}".to_owned(),
        Value::Bool(value) => format!(r#"{{"boolValue":{value}}}"#),
        Value::Number(number) => format!(r#"{{"intValue":"{number}"}}"#),
        Value::String(text) => format!(r#"{{"stringValue":{}}}"#, quoted(text)),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(any_value).collect();
            format!(r#"{{"arrayValue":{{"values":[{}]}}}}"#, values.join(","))
        }
        Value::Object(members) => {
            let pairs: Vec<String> = members
                .iter()
                .map(|(key, value)| {
                    format!(r#"{{"key":{},"value":{}}}"#, quoted(key), any_value(value))
                })
                .collect();
            format!(r#"{{"kvlistValue":{{"values":[{}]}}}}"#, pairs.join(","))
        }
    }
}

#[test]
fn every_format() {
    let raw = event(1);
    let structured = any_value(&serde_json::from_str(&raw).expect("JSON"));
    let openshift = [
        ("openshift.cluster.uid", "b8af9b52"),
        ("openshift.log.source", "kubeAPI"),
        ("openshift.log.type", "audit"),
        ("k8s.node.name", "n-1"),
    ];
    let eks = [("cloud.platform", "aws_eks"), ("k8s.cluster.name", "prod"), ("host.name", "n-1")];
    let known = |provider, cluster| Known {
        envelopes: "otlp",
        provider,
        cluster,
        node: "n-1",
        shipped_at: Some(SHIPPED_MILLIS),
    };
    check("OpenShift", export(&openshift, &[text(&raw)]), &raw, &known("openshift", "b8af9b52"));
    check("structured", export(&eks, &[structured]), &raw, &known("eks", "prod"));
    let bare = Known { provider: "", cluster: "default", node: "", ..known("", "") };
    check("no attributes", export(&[], &[text(&raw)]), &raw, &bare);
}

#[test]
fn other_logs_are_skipped() {
    for (key, value) in [("log_source", "auditd"), ("openshift.log.type", "infrastructure")] {
        check_skipped(value, export(&[(key, value)], &[text("a"), text("b")]), 2);
    }
}

/// A record that cannot be parsed is reported, and affects only itself.
#[test]
fn damage_is_reported() {
    let mut deep = any_value(&Value::from("x"));
    for _ in 0..1000 {
        deep = format!(r#"{{"kvlistValue":{{"values":[{{"key":"a","value":{deep}}}]}}}}"#);
    }
    let bodies = [text(&event(1)), deep, r#"{"intValue":"7"}"#.to_owned(), text("no event")];
    let (memory, summary) = run_stream(export(&[], &bodies), &Options::default());
    assert_eq!(memory.audit_ids(), ["id-1"]);
    assert_eq!(summary.quarantined, 3);
    assert_eq!(column(&memory, "original"), [""]);
}

#[test]
fn an_empty_export() {
    check_skipped("empty", r#"{"resourceLogs":[]}"#, 0);
}
