//! Shared parts of the JSON formats of a finding.

use std::io::{self, Write};
use std::net::IpAddr;

use podtrail_detect::{Finding, Severity};
use serde_json::Value;

/// Writes one object per line, without null and empty values: the schemas treat them as absent.
pub(crate) fn write_line(object: Value, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &without_empty(object))?;
    out.write_all(b"\n")
}

fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(items) => {
            items.into_iter().map(without_empty).filter(|v| !is_empty(v)).collect()
        }
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, without_empty(value)))
            .filter(|(_, value)| !is_empty(value))
            .collect(),
        other => other,
    }
}

/// Returns the client's address; a log may contain any text in its place, and stores reject an invalid address.
pub(crate) fn client_ip(finding: &Finding) -> Option<IpAddr> {
    finding.client_ip.as_deref()?.parse().ok()
}

/// Returns `Title: the first reason`.
pub(crate) fn message(finding: &Finding) -> String {
    match finding.reasons.first() {
        Some(reason) => format!("{}: {reason}", finding.title),
        None => finding.title.clone(),
    }
}

/// Returns the id of a technique, and the id of its parent technique if it is a sub-technique.
pub(crate) fn technique(id: &str) -> (&str, Option<&str>) {
    id.split_once('.').map_or((id, None), |(parent, _)| (parent, Some(id)))
}

/// Returns the severity as OCSF numbers it. ECS leaves the scale to the source.
pub(crate) fn severity_id(severity: Severity) -> u32 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}
