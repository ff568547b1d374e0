//! Elastic Agent, which stores the event in `kubernetes.audit`, and the flat `fields` of Elasticsearch.
//!
//! Both modify the event: annotation keys lose their dots, bodies their metadata. The event is rebuilt from what
//! remains, and the record is kept. If the agent also kept the original line (`event.original`), that line is used.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::is_whole;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::lifted::{is_bare_event, restore_keys};
use crate::envelope::member_path::{find, find_text, find_time};
use crate::json::{self, Object, ObjectWriter};

/// `{"@timestamp":…,"kubernetes":{"audit":{…}}}` and `{"fields":{"kubernetes.audit.verb":["create"],…}}`.
pub(super) struct Elastic;

impl Envelope for Elastic {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        const TIMES: &[&str] = &["@timestamp", "fields.@timestamp"];
        const HOSTS: &[&str] = &["host.name", "host.hostname", "agent.name"];
        let object = record.object.as_ref()?;
        if is_bare_event(object) {
            return None;
        }
        let facts = || Facts {
            node: find_text(object, HOSTS),
            shipped_at: find_time(object, TIMES),
            ..Facts::default()
        };
        let rebuilt = match find(object, "kubernetes.audit").and_then(json::object) {
            Some(audit) => rebuild(&audit),
            None => unflatten(object).or_else(|| unflatten(&object.object("fields")?)),
        }?;
        let line = ["event.original", "message"].iter().find_map(|path| {
            let line = Candidate::content(record.span, find(object, path)?, facts())?;
            is_whole(&line.json).then_some(line)
        });
        let inner = line.unwrap_or_else(|| Candidate::rebuilt(record.span, rebuilt, facts()));
        Some(Opened::with("elastic-agent", vec![inner]))
    }
}

/// Rebuilds the event with the original keys of its annotations.
fn rebuild(audit: &Object<'_>) -> Option<Vec<u8>> {
    audit.get("auditID")?;
    let members = audit.iter().map(|(key, value)| {
        let is_renamed = key == "annotations";
        let restored = if is_renamed { restore_keys(value, without_dots) } else { None };
        (key, restored.map_or(value.get().into(), Cow::Owned))
    });
    Some(ObjectWriter::write(members).into_bytes())
}

fn without_dots(known: &str) -> String {
    known.replace('.', "_")
}

/// Rebuilds the event from members such as `"kubernetes.audit.objectRef.name":["web"]`.
fn unflatten(fields: &Object<'_>) -> Option<Vec<u8>> {
    const PREFIX: &str = "kubernetes.audit.";
    // Bodies nest; a deeper path would be an attack on the stack.
    const MAX_DEPTH: usize = 64;
    fields.get("kubernetes.audit.auditID")?;
    let mut event = Map::new();
    for (key, value) in fields.iter() {
        let Some(path) = key.strip_prefix(PREFIX) else { continue };
        let Ok(value) = serde_json::from_str(value.get()) else { continue };
        if path.matches('.').count() > MAX_DEPTH {
            continue;
        }
        insert(&mut event, path, value);
    }
    let annotations = event.get_mut("annotations").and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        let raw = serde_json::value::to_raw_value(annotations).ok()?;
        *annotations = serde_json::from_str(&restore_keys(&raw, without_dots)?).ok()?;
    }
    serde_json::to_vec(&event).ok()
}

/// Inserts a value at its path. Drops a field that repeats another in a second form, such as `verb.text`.
fn insert(event: &mut Map<String, Value>, path: &str, value: Value) {
    const MAPS: &[&str] = &["annotations.", "user.extra.", "impersonatedUser.extra."];
    const LISTS: &[&str] = &["sourceIPs", "user.groups", "impersonatedUser.groups"];
    let is_list = LISTS.contains(&path) || path.contains(".extra.");
    let value = match value {
        Value::Array(mut list) if !is_list && list.len() == 1 => list.remove(0),
        value => value,
    };
    // Keys of a map may contain dots.
    let map = MAPS.iter().find(|map| path.starts_with(**map));
    let (parents, key) = match map {
        Some(map) => (map.trim_end_matches('.'), &path[map.len()..]),
        None => path.rsplit_once('.').unwrap_or(("", path)),
    };
    let mut object = event;
    for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
        let child = object.entry(parent).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(child) = child else { return };
        object = child;
    }
    object.entry(key).or_insert(value);
}
