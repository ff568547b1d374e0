//! Recognition of records in logs that are not audit events.
//!
//! Log lines of components that share a log with the API server are skipped and counted. Records of other products are
//! quarantined like any foreign record, with a reason that names the product.

use std::str;

use memchr::memmem;

use crate::json::{self, Object};

/// The members into which shippers put a line of a log.
pub(crate) const LINE_MEMBERS: [&str; 6] =
    ["log", "message", "msg", "MESSAGE", "short_message", "line"];

/// The members into which shippers and stores that decode a line put its original text, the most faithful first.
pub(crate) const ORIGINAL_LINE_MEMBERS: [&str; 7] =
    ["event.original", "_raw", "full_message", "log.original", "original", "raw", "@message"];

/// The kind of a record that is not an audit event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It normally occurs in audit logs.
    Skipped(&'static str),
    /// It belongs to another log.
    Foreign(&'static str),
}

/// Identifies a record that is not an audit event; `None` if it is unknown.
pub(crate) fn judge(record: &[u8]) -> Option<Verdict> {
    if let Some(line) = component_line(record) {
        return Some(Verdict::Skipped(line));
    }
    if is_csv_header(record) {
        return Some(Verdict::Skipped("the header of a CSV export"));
    }
    match Object::read(record) {
        Some(object) => judge_object(&object),
        None => foreign_text(record).map(Verdict::Foreign),
    }
}

/// Returns the component that wrote a line, where the API server writes its log and its events to standard output.
pub(crate) fn component_line(line: &[u8]) -> Option<&'static str> {
    // Never skips a line that may contain an event.
    if memmem::find(line, b"auditID").is_some() {
        return None;
    }
    let line = line.trim_ascii_start();
    if is_klog(line) {
        Some("klog lines of a Kubernetes component")
    } else if line.starts_with(b"Flag --") {
        Some("warnings about flags of a Kubernetes component")
    } else if line.starts_with(b"time=\"") && memmem::find(line, b" level=").is_some() {
        Some("log lines of a Kubernetes distribution")
    } else {
        None
    }
}

/// Returns whether a line has the klog form `I1123 22:00:00.374797       1 controller.go:128] …`.
fn is_klog(line: &[u8]) -> bool {
    const FORM: &[u8] = b"L0000 00:00:00.0";
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'L' => b"IWEFD".contains(byte),
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    };
    line.len() > FORM.len() && line.iter().zip(FORM).all(fits)
}

/// Returns whether a line is the header of a CSV export that has events in one column or spread over all columns.
pub(crate) fn is_csv_header(line: &[u8]) -> bool {
    /// Columns of exports, in lower case, besides the members of lines.
    const COLUMNS: [&str; 6] =
        ["_source", "auditid", "log_s", "properties_s", "raweventdata", "rawevent"];
    const LONGEST: usize = 16 * 1024;
    if line.len() > LONGEST {
        return false;
    }
    let Ok(line) = str::from_utf8(line) else { return false };
    let is_name = |letter: char| letter.is_alphanumeric() || " @_.-/[]{}:".contains(letter);
    let mut columns = line.split([',', ';', '\t']).map(|column| column.trim().trim_matches('"'));
    columns.clone().all(|column| column.len() < 64 && column.chars().all(is_name))
        && columns.any(|column| {
            let mut names = LINE_MEMBERS.iter().chain(&ORIGINAL_LINE_MEMBERS).chain(&COLUMNS);
            names.any(|name| column.eq_ignore_ascii_case(name))
        })
}

/// Identifies a line of text that no API server writes.
pub(crate) fn foreign_text(line: &[u8]) -> Option<&'static str> {
    if line.starts_with(b"version https://git-lfs") {
        return Some("a Git LFS pointer: fetch the file itself");
    }
    let is_auditd = line.starts_with(b"type=") || line.starts_with(b"node=");
    if is_auditd && memmem::find(line, b" msg=audit(").is_some() {
        return Some("a record of the Linux audit daemon, not of the API server");
    }
    None
}

/// A predicate and its verdict. The first rule that matches an object decides.
type Rule = (fn(&Object<'_>) -> bool, Verdict);

const RULES: &[Rule] = &[
    (
        |object| has(object, &["ts", "caller", "msg"]),
        Verdict::Skipped("JSON log lines of a Kubernetes component"),
    ),
    (
        |object| is_text(object, "kind", |kind| kind == "AdmissionReview"),
        Verdict::Foreign(
            "an AdmissionReview (a request to an admission webhook), not an audit event: \
             use the audit log of the API server",
        ),
    ),
    (
        |object| has(object, &["involvedObject"]) || has(object, &["regarding", "reason"]),
        Verdict::Foreign(
            "a Kubernetes Event object, not an audit event: \
             Events record what controllers did, the audit log records who requested it",
        ),
    ),
    (
        |object| {
            is_text(object, "kind", |kind| kind == "Policy")
                && is_text(object, "apiVersion", |version| version.starts_with("audit.k8s.io/"))
        },
        Verdict::Foreign("an audit policy, not an audit log"),
    ),
    (
        |object| is_text(object, "kind", |kind| kind.ends_with("List")) && has(object, &["items"]),
        Verdict::Foreign("a list of Kubernetes objects, not of audit events"),
    ),
    (
        |object| has(object, &["auditID", "requestURI", "method"]) && !has(object, &["stage"]),
        Verdict::Foreign(
            "a record of Rancher's own API audit log, not of the Kubernetes API server",
        ),
    ),
    (
        |object| has(object, &["rule", "priority", "output_fields"]),
        Verdict::Foreign("a Falco alert, not an audit event"),
    ),
    (
        |object| is_text(object, "eventType", |kind| kind.starts_with("com.oraclecloud.")),
        Verdict::Foreign("an OCI audit record, not a Kubernetes audit event"),
    ),
    (
        |object| is_text(object, "event_type", |kind| kind.starts_with("yandex.cloud.audit.")),
        Verdict::Foreign(
            "a Yandex Cloud audit record, not a Kubernetes audit event: export the raw audit log",
        ),
    ),
    (
        |object| has(object, &["class_uid", "category_uid"]),
        Verdict::Foreign(
            "an OCSF record, which lacks too much of the audit event: export the raw audit log",
        ),
    ),
];

fn judge_object(object: &Object<'_>) -> Option<Verdict> {
    let known = RULES.iter().find(|(fits, _)| fits(object)).map(|(_, verdict)| *verdict);
    known.or_else(|| {
        // An event that cannot be read is not skipped, regardless of other members.
        if object.get("auditID").is_some() {
            return None;
        }
        let mut lines =
            LINE_MEMBERS.iter().filter_map(|name| object.get(name).and_then(json::text));
        lines.find_map(|line| component_line(line.as_bytes())).map(Verdict::Skipped)
    })
}

fn has(object: &Object<'_>, keys: &[&str]) -> bool {
    keys.iter().all(|key| object.get(key).is_some())
}

fn is_text(object: &Object<'_>, key: &str, fits: fn(&str) -> bool) -> bool {
    object.get(key).and_then(json::text).is_some_and(|text| fits(&text))
}
