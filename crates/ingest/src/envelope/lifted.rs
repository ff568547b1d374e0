//! Events whose members a shipper lifted into its own record: the event stands beside what the shipper adds, and parses.
//!
//! What the shipper added is stripped again, so that the event is the one that the API server wrote. Panther renames keys
//! inside too; Alibaba's log service gives objects as strings. Only members that are known to be a shipper's are stripped:
//! an unknown one may be new in the API.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::find::{content, find, find_text, find_time};
use super::{Envelope, Facts, Inner, Opened, Record};
use crate::json::{self, Object, ObjectWriter};

/// `{"date":…,"auditID":…,"stage":…,"kubernetes":{…}}`.
pub(super) struct Lifted;

/// Members that are a shipper's, beside those that begin with `p_` (Panther), `__` (Alibaba) or `@`.
const SHIPPER_KEYS: &[&str] = &[
    "_p",
    "_time",
    "agent",
    "date",
    "docker",
    "ecs",
    "event",
    "file",
    "fluentbit_timestamp",
    "host",
    "hostname",
    "input",
    "kubernetes",
    "log",
    "log_processed",
    "logtag",
    "message",
    "msg",
    "source_type",
    "stream",
    "tag",
    "tags",
    "time",
];

/// Members of an event in any version of `audit.k8s.io`.
const EVENT_KEYS: &[&str] = &[
    "annotations",
    "apiVersion",
    "auditID",
    "authenticationMetadata",
    "impersonatedUser",
    "kind",
    "level",
    "metadata",
    "objectRef",
    "requestObject",
    "requestReceivedTimestamp",
    "requestURI",
    "responseObject",
    "responseStatus",
    "sourceIPs",
    "stage",
    "stageTimestamp",
    "timestamp",
    "user",
    "userAgent",
    "verb",
];

/// Where a shipper that lifts may have kept the line itself.
const LINES: &[&str] = &["event.original", "log", "message", "msg"];

/// Whether a member belongs to a shipper.
fn is_shipper_key(key: &str) -> bool {
    key.starts_with("p_")
        || key.starts_with("__")
        || key.starts_with('@')
        || SHIPPER_KEYS.contains(&key)
}

/// Whether a member is an object that was printed into a string.
fn is_printed(key: &str, value: &RawValue) -> bool {
    matches!(key, "user" | "objectRef") && (value.get().starts_with("\"{") || value.get() == "\"\"")
}

fn is_foreign(key: &str, value: &RawValue) -> bool {
    is_shipper_key(key) || is_printed(key, value)
}

/// Whether an object is an audit event and nothing else.
pub(super) fn is_bare_event(object: &Object<'_>) -> bool {
    object.get("auditID").is_some() && !object.iter().any(|(key, value)| is_foreign(key, value))
}

/// Whether an object has members of the API alone, so that no envelope is to be looked for.
pub(super) fn is_plain_event(object: &Object<'_>) -> bool {
    object.get("auditID").is_some()
        && object.iter().all(|(key, value)| EVENT_KEYS.contains(&key) && !is_printed(key, value))
}

/// Whether the members of an event that no column took are a shipper's.
pub(super) fn is_lifted(extra: &str) -> bool {
    Object::read(extra.as_bytes())
        .is_some_and(|extra| extra.iter().any(|(key, value)| is_foreign(key, value)))
}

impl Envelope for Lifted {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let object = record.object.as_ref()?;
        object.get("auditID")?;
        if is_bare_event(object) {
            return None;
        }
        let facts = Facts {
            node: find_text(object, &["kubernetes.host", "host.name", "hostname", "host"]),
            shipped_at: find_time(object, &["@timestamp", "date", "time", "_time", "__time__"]),
            ..Facts::default()
        };
        let name = name_of(object);
        let line = LINES.iter().find_map(|path| {
            let value = find(object, path)?;
            value.get().starts_with("\"{").then(|| content(record.span, value, facts.clone()))?
        });
        let inner = match line {
            Some(line) => line,
            None => Inner::rebuilt(record.span, strip(object), facts),
        };
        Some(Opened::with(name, vec![inner]))
    }
}

fn name_of(object: &Object<'_>) -> &'static str {
    const NAMES: &[(&str, &str)] = &[
        ("source_type", "vector"),
        ("agent", "filebeat"),
        ("@version", "logstash"),
        ("__time__", "sls"),
        ("__topic__", "sls"),
        ("p_log_type", "panther"),
    ];
    let name = NAMES.iter().find(|(key, _)| object.get(key).is_some());
    name.map_or("fluent", |(_, name)| *name)
}

/// The event without what was added, in its own form.
fn strip(object: &Object<'_>) -> String {
    let is_v1 = object.text("apiVersion").is_some_and(|version| version == "audit.k8s.io/v1");
    let is_printed = object.iter().any(|(key, value)| is_printed(key, value));
    let renames = object.iter().any(|(key, _)| key.starts_with("p_"));
    let mut members = Vec::new();
    for (key, value) in object.iter() {
        // An event of v1beta1 has a `timestamp` itself.
        if is_shipper_key(key) || is_v1 && key == "timestamp" {
            continue;
        }
        let printed = if is_printed { printed(key, value) } else { None };
        let value: Cow<'_, str> = match printed {
            Some(text) if text.is_empty() => continue,
            Some(text) => text,
            None if renames => restore(key, value),
            None => value.get().into(),
        };
        members.push((key, value));
    }
    ObjectWriter::write(members)
}

/// The text of an object or list that was printed into a string; empty where there was none.
fn printed<'a>(key: &str, value: &'a RawValue) -> Option<Cow<'a, str>> {
    const PRINTED: &[&str] = &[
        "user",
        "impersonatedUser",
        "sourceIPs",
        "objectRef",
        "responseStatus",
        "requestObject",
        "responseObject",
        "annotations",
    ];
    let text = PRINTED.contains(&key).then(|| json::text(value))??;
    let is_json = |text: &str| serde_json::from_str::<&RawValue>(text).is_ok();
    (text.is_empty() || is_json(&text)).then_some(text)
}

/// A member of the event with the keys in it as they were before Panther.
fn restore<'a>(key: &str, value: &'a RawValue) -> Cow<'a, str> {
    let restored = match key {
        "annotations" => restore_keys(value, panther_key),
        "user" | "impersonatedUser" => restore_extra(value),
        _ => None,
    };
    restored.map_or(value.get().into(), Cow::Owned)
}

fn restore_extra(user: &RawValue) -> Option<String> {
    let user = json::object(user)?;
    let members = user.iter().map(|(key, value)| {
        let restored = if key == "extra" { restore_keys(value, panther_key) } else { None };
        (key, restored.map_or(value.get().into(), Cow::Owned))
    });
    Some(ObjectWriter::write(members))
}

fn panther_key(known: &str) -> String {
    known.replace('.', "_").replace('/', "_slash_")
}

/// Keys of annotations and of `user.extra` that shippers rename because of the dots in them.
const KNOWN_KEYS: &[&str] = &[
    "apiserver.latency.k8s.io/etcd",
    "apiserver.latency.k8s.io/response-write",
    "apiserver.latency.k8s.io/serialize-response-object",
    "apiserver.latency.k8s.io/total",
    "apiserver.latency.k8s.io/transform-response-object",
    "audit.k8s.io/truncated",
    "authentication.k8s.io/legacy-token",
    "authentication.k8s.io/stale-token",
    "authentication.kubernetes.io/credential-id",
    "authentication.kubernetes.io/issued-credential-id",
    "authentication.kubernetes.io/node-name",
    "authentication.kubernetes.io/node-uid",
    "authentication.kubernetes.io/pod-name",
    "authentication.kubernetes.io/pod-uid",
    "authorization.k8s.io/decision",
    "authorization.k8s.io/reason",
    "k8s.io/deprecated",
    "k8s.io/removed-release",
    "pod-security.kubernetes.io/audit-violations",
    "pod-security.kubernetes.io/enforce-policy",
    "pod-security.kubernetes.io/exempt",
    "validation.policy.admission.k8s.io/validation_failure",
];

/// An object with the keys that are known, as `rename` makes them, named as they were.
pub(super) fn restore_keys(value: &RawValue, rename: fn(&str) -> String) -> Option<String> {
    let object = json::object(value)?;
    let members = object.iter().map(|(key, value)| {
        let known = KNOWN_KEYS.iter().find(|known| rename(known) == key);
        (known.copied().unwrap_or(key), Cow::Borrowed(value.get()))
    });
    Some(ObjectWriter::write(members))
}
