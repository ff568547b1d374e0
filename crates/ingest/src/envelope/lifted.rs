//! Events whose members a shipper lifted into its own record, or spelled differently.
//!
//! Members that the audit API does not define are the shipper's and are removed, so that the event equals what the API
//! server wrote. Members are recognized in any spelling, `AuditID` or `audit_id`, and nested members also in flattened
//! form, `objectRef.resource` or `user_username`. Panther also renames nested keys; Alibaba's log service writes
//! objects as strings. If the record also contains the complete line, the line is used: the decoded form may have lost
//! digits.

use std::borrow::Cow;

use podtrail_event::EVENT_MEMBERS;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::is_whole;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::labels::{is_audit_id, is_spelling};
use crate::envelope::member_path::{find, find_text, find_time};
use crate::json::{self, Object, ObjectWriter};
use crate::reject::{LINE_MEMBERS, ORIGINAL_LINE_MEMBERS};

/// `{"date":…,"auditID":…,"stage":…,"kubernetes":{…}}`.
pub(super) struct Lifted;

fn is_member(key: &str) -> bool {
    EVENT_MEMBERS.contains(&key)
}

/// Returns whether a member is an object that was serialized into a string.
fn is_printed(key: &str, value: &RawValue) -> bool {
    matches!(key, "user" | "objectRef") && (value.get().starts_with("\"{") || value.get() == "\"\"")
}

fn is_foreign(key: &str, value: &RawValue) -> bool {
    !is_member(key) || is_printed(key, value)
}

/// Returns whether an object is an audit event without other members.
pub(super) fn is_bare_event(object: &Object<'_>) -> bool {
    object.get("auditID").is_some() && !object.iter().any(|(key, value)| is_foreign(key, value))
}

/// Returns whether the event members without a column belong to a shipper.
pub(crate) fn is_lifted(extra: &str) -> bool {
    Object::read(extra.as_bytes())
        .is_some_and(|extra| extra.iter().any(|(key, value)| is_foreign(key, value)))
}

/// Returns the line that a record contains in addition to the members of its event, if it is complete.
pub(super) fn line_beside<'a>(
    record: &Record<'a>,
    object: &Object<'a>,
    facts: &Facts<'a>,
) -> Option<Candidate<'a>> {
    let id = object.iter().find(|(key, _)| is_audit_id(key)).and_then(|(_, id)| json::text(id))?;
    ORIGINAL_LINE_MEMBERS.iter().chain(&LINE_MEMBERS).find_map(|path| {
        let value = find(object, path)?;
        if !value.get().starts_with("\"{") {
            return None;
        }
        let inner = Candidate::content(record.span, value, facts.clone())?;
        let is_same = memchr::memmem::find(&inner.json, id.as_bytes()).is_some();
        (is_same && is_whole(&inner.json)).then_some(inner)
    })
}

impl Envelope for Lifted {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let object = record.object.as_ref()?;
        if !is_event(object) || is_bare_event(object) {
            return None;
        }
        let facts = Facts {
            node: find_text(object, &["kubernetes.host", "host.name", "hostname", "host"]),
            shipped_at: find_time(object, &["@timestamp", "date", "time", "_time", "__time__"]),
            ..Facts::default()
        };
        let name = name_of(object);
        let inner = line_beside(record, object, &facts).unwrap_or_else(|| {
            let (event, is_lossy) = event_of(object);
            Candidate::rebuilt(record.span, event, Facts { truncated: is_lossy, ..facts })
        });
        Some(Opened::with(name, vec![inner]))
    }
}

/// Returns whether an object has, in any spelling, the members that distinguish an event from other records with an
/// `auditID`.
fn is_event(object: &Object<'_>) -> bool {
    let has = |name| object.iter().any(|(key, _)| is_spelling(key, name));
    if object.get("auditID").is_some() {
        return has("stage") || has("verb") || has("level") || has("objectRef");
    }
    has("auditID") && has("stage") && (has("verb") || has("requestURI"))
}

fn name_of(object: &Object<'_>) -> &'static str {
    const NAMES: &[(&str, &str)] = &[
        ("source_type", "vector"),
        ("agent", "filebeat"),
        ("@version", "logstash"),
        ("gl2_message_id", "graylog"),
        ("__time__", "sls"),
        ("__topic__", "sls"),
        ("p_log_type", "panther"),
    ];
    const FLUENT: &[&str] = &["date", "log", "stream", "tag", "time", "kubernetes", "_p", "logtag"];
    let name = NAMES.iter().find(|(key, _)| object.get(key).is_some());
    match name {
        Some((_, name)) => name,
        None if object.get("auditID").is_none() => "spelled",
        None if FLUENT.iter().any(|key| object.get(key).is_some()) => "fluent",
        None => "lifted",
    }
}

/// The members of the objects in an event.
const NESTED: &[(&str, &[&str])] = &[
    (
        "objectRef",
        &[
            "resource",
            "namespace",
            "name",
            "uid",
            "apiGroup",
            "apiVersion",
            "resourceVersion",
            "subresource",
        ],
    ),
    ("user", &["username", "uid", "groups"]),
    ("impersonatedUser", &["username", "uid", "groups"]),
    ("responseStatus", &["code", "status", "reason", "message"]),
];

/// Members of v1beta1 and v1alpha1 events. In a record with a v1 event they belong to the shipper.
const BETA_MEMBERS: [&str; 2] = ["metadata", "timestamp"];

/// Returns the event without added members, in its original form, and whether a part of it could not be rebuilt.
fn event_of(object: &Object<'_>) -> (String, bool) {
    let is_v1 = object.text("apiVersion").is_none_or(|version| version == "audit.k8s.io/v1")
        && object.get("requestReceivedTimestamp").is_some();
    let is_printed = object.iter().any(|(key, value)| is_printed(key, value));
    let renames = object.iter().any(|(key, _)| key.starts_with("p_"));
    let mut members: Vec<(&str, Cow<'_, str>)> = Vec::new();
    let mut flat: Map<String, Value> = Map::new();
    let mut is_lossy = false;
    for (key, value) in object.iter() {
        if is_v1 && BETA_MEMBERS.iter().any(|member| is_spelling(key, member)) {
            continue;
        }
        if !is_member(key) {
            let spelled = EVENT_MEMBERS.iter().find(|member| is_spelling(key, member));
            if let Some(member) = spelled.filter(|member| object.get(member).is_none()) {
                if value.get() != "null" {
                    let respelled = respell(member, value);
                    let printed = printed(member, value).filter(|text| !text.is_empty());
                    members.push((member, printed.or(respelled).unwrap_or(value.get().into())));
                }
            } else {
                is_lossy |= !add_flat(object, &mut flat, key, value);
            }
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
    for (key, value) in &flat {
        if let Some(member) = EVENT_MEMBERS.iter().find(|member| *member == key)
            && members.iter().all(|(name, _)| name != member)
        {
            members.push((member, value.to_string().into()));
        }
    }
    (ObjectWriter::write(members), is_lossy)
}

/// Returns an object of an event with its original names, if a store spelled them differently.
fn respell<'a>(member: &str, value: &'a RawValue) -> Option<Cow<'a, str>> {
    let (_, names) = NESTED.iter().find(|(name, _)| *name == member)?;
    let object = json::object(value)?;
    let members = object.iter().filter(|(_, value)| value.get() != "null").map(|(key, value)| {
        let name = names.iter().find(|name| is_spelling(key, name));
        (name.copied().unwrap_or(key), Cow::Borrowed(value.get()))
    });
    Some(ObjectWriter::write(members).into())
}

/// Takes a flattened member such as `objectRef.resource`. Returns false for a part of a body, because a flattened body
/// is incomplete.
fn add_flat(
    object: &Object<'_>,
    flat: &mut Map<String, Value>,
    key: &str,
    value: &RawValue,
) -> bool {
    let plain: String = key
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    if ["requestobject", "responseobject"].iter().any(|body| plain.starts_with(body)) {
        return object.get("requestObject").is_some() || object.get("responseObject").is_some();
    }
    let Ok(value) = serde_json::from_str::<Value>(value.get()) else { return true };
    for (member, names) in NESTED {
        let Some(rest) = plain.strip_prefix(&member.to_ascii_lowercase()) else { continue };
        let at_index = rest.trim_end_matches(|last: char| last.is_ascii_digit());
        let Some(name) = names.iter().find(|name| is_spelling(at_index, name)) else { continue };
        if object.get(member).is_some() {
            return true;
        }
        let nested = flat.entry(*member).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(nested) = nested else { return true };
        insert(nested, name, *name == "groups", value);
        return true;
    }
    let is_address = plain.trim_end_matches(|last: char| last.is_ascii_digit()) == "sourceips";
    if is_address && object.get("sourceIPs").is_none() {
        insert(flat, "sourceIPs", true, value);
        return true;
    }
    if let Some(rest) = plain.strip_prefix("annotations")
        && let Some(known) = KNOWN_KEYS.iter().find(|known| is_spelling(rest, &letters(known)))
        && object.get("annotations").is_none()
    {
        let nested = flat.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(nested) = nested {
            insert(nested, known, false, value);
        }
    }
    true
}

fn letters(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Inserts a value, or appends it to the list that exists.
fn insert(members: &mut Map<String, Value>, name: &str, is_list: bool, value: Value) {
    let value = match value {
        Value::Array(mut list) if !is_list && list.len() == 1 => list.remove(0),
        value => value,
    };
    match (is_list, value) {
        (true, Value::Array(list)) => drop(members.insert(name.to_owned(), Value::Array(list))),
        (true, value) => {
            let list = members.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(value);
            }
        }
        (false, value) if name == "code" && value.is_string() => {
            let code = value.as_str().and_then(|code| code.parse::<i64>().ok());
            members.insert(name.to_owned(), code.map_or(value, Value::from));
        }
        (false, value) => drop(members.insert(name.to_owned(), value)),
    }
}

/// Returns the text of an object or list that was serialized into a string; empty if it was absent.
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

/// Returns a member of the event with the keys that Panther renamed restored.
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

/// Keys of annotations and of `user.extra` that shippers rename because they contain dots.
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

/// Returns an object whose known keys, as `rename` transforms them, have their original names.
pub(super) fn restore_keys(value: &RawValue, rename: fn(&str) -> String) -> Option<String> {
    let object = json::object(value)?;
    let members = object.iter().map(|(key, value)| {
        let known = KNOWN_KEYS.iter().find(|known| rename(known) == key);
        (known.copied().unwrap_or(key), Cow::Borrowed(value.get()))
    });
    Some(ObjectWriter::write(members))
}
