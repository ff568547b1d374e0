//! JSON objects with the event in one member, as shippers and stores write a line.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::find::{content, find, find_text, find_time, mentions_events};
use super::lifted::{is_bare_event, is_whole};
use super::salvage;
use super::{Envelope, Facts, Inner, Opened, Record};
use crate::framing::span::Span;
use crate::json::{self, Object};

/// Wrappers with a known name.
pub(super) struct Wrappers;

/// Any JSON object with an event in a member: most security products wrap the original line.
pub(super) struct AnyMember;

/// One kind of wrapper. All members are given as paths.
struct Wrapper {
    /// The name of the envelope.
    name: &'static str,
    /// Paths that must all exist.
    marks: &'static [&'static str],
    /// Paths at which the event may be, as text or as an object, the most faithful first.
    events: &'static [&'static str],
    /// Paths of the time at which it was logged or shipped.
    times: &'static [&'static str],
    /// Paths of the host it came from.
    hosts: &'static [&'static str],
}

const LOKI_HOSTS: &[&str] =
    &["labels.node", "labels.node_name", "labels.host", "labels.hostname", "labels.instance"];
const BEAT_HOSTS: &[&str] = &["host.name", "host.hostname", "agent.hostname", "beat.hostname"];
const FLUENT_TIMES: &[&str] = &["date", "@timestamp", "time", "timestamp"];
const FLUENT_HOSTS: &[&str] = &["kubernetes.host", "hostname", "host"];

/// The first match applies.
const WRAPPERS: &[Wrapper] = &[
    Wrapper {
        name: "splunk",
        marks: &["result"],
        events: &["result._raw"],
        times: &["result._time"],
        hosts: &["result.host"],
    },
    Wrapper {
        name: "splunk",
        marks: &["_raw"],
        events: &["_raw"],
        times: &["_time"],
        hosts: &["host"],
    },
    Wrapper {
        name: "journald",
        marks: &["MESSAGE"],
        events: &["MESSAGE"],
        times: &["__REALTIME_TIMESTAMP"],
        hosts: &["_HOSTNAME"],
    },
    Wrapper {
        name: "gelf",
        marks: &["short_message"],
        events: &["full_message", "short_message"],
        times: &["timestamp"],
        hosts: &["host"],
    },
    Wrapper {
        name: "graylog",
        marks: &["gl2_message_id"],
        events: &["full_message", "message"],
        times: &["timestamp"],
        hosts: &["source"],
    },
    Wrapper {
        name: "vector",
        marks: &["source_type"],
        events: &["message"],
        times: &["timestamp"],
        hosts: &["host"],
    },
    Wrapper {
        name: "loki",
        marks: &["line", "timestamp"],
        events: &["line"],
        times: &["timestamp"],
        hosts: LOKI_HOSTS,
    },
    Wrapper {
        name: "kafka",
        marks: &["topic", "payload"],
        events: &["payload"],
        times: &["ts"],
        hosts: &[],
    },
    Wrapper {
        name: "kafka",
        marks: &["topic", "value"],
        events: &["value"],
        times: &["timestamp", "ts"],
        hosts: &[],
    },
    Wrapper {
        name: "kafka-connect",
        marks: &["schema", "payload"],
        events: &["payload"],
        times: &[],
        hosts: &[],
    },
    Wrapper {
        name: "elasticsearch",
        marks: &["_index", "_source"],
        events: &["_source"],
        times: &[],
        hosts: &[],
    },
    Wrapper {
        name: "filebeat",
        marks: &["@timestamp", "agent"],
        events: &["event.original", "message", "json"],
        times: &["@timestamp"],
        hosts: BEAT_HOSTS,
    },
    Wrapper {
        name: "filebeat",
        marks: &["@timestamp", "beat"],
        events: &["message", "json"],
        times: &["@timestamp"],
        hosts: BEAT_HOSTS,
    },
    Wrapper {
        name: "logstash",
        marks: &["@timestamp", "@version"],
        events: &["event.original", "message", "json"],
        times: &["@timestamp"],
        hosts: &["host.name", "host.hostname", "host"],
    },
    Wrapper {
        name: "splunk-hec",
        marks: &["event", "time"],
        events: &["event"],
        times: &["time"],
        hosts: &["host"],
    },
    Wrapper {
        name: "splunk-hec",
        marks: &["event", "sourcetype"],
        events: &["event"],
        times: &["time"],
        hosts: &["host"],
    },
    fluent(&["log"]),
    fluent(&["log_processed"]),
    fluent(&["kubernetes", "message"]),
    fluent(&["kubernetes", "msg"]),
    fluent(&["date", "message"]),
    fluent(&["date", "msg"]),
];

/// Returns a wrapper of Fluent Bit and Fluentd, in which users choose the name of the line member.
const fn fluent(marks: &'static [&'static str]) -> Wrapper {
    Wrapper {
        name: "fluent",
        marks,
        events: &["log", "message", "msg", "log_processed"],
        times: FLUENT_TIMES,
        hosts: FLUENT_HOSTS,
    }
}

impl Envelope for Wrappers {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let object = record.object.as_ref()?;
        if is_bare_event(object) {
            return None;
        }
        WRAPPERS.iter().find_map(|wrapper| wrapper.open(record.span, object))
    }
}

impl Wrapper {
    fn open<'a>(&self, whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
        if !self.marks.iter().all(|path| find(object, path).is_some()) {
            return None;
        }
        let mut inner = self.events.iter().find_map(|path| {
            let value = find(object, path)?;
            text_of_bytes(whole, value).or_else(|| content(whole, value, Facts::default()))
        })?;
        // If the line is truncated, the members decoded before are worth more.
        if object.get("auditID").is_some() && !is_whole(&inner.text) {
            return None;
        }
        inner.facts = Facts {
            node: find_text(object, self.hosts),
            shipped_at: find_time(object, self.times),
            ..Facts::default()
        };
        Some(Opened::with(self.name, vec![inner]))
    }
}

/// Returns a text that is an array of bytes, as journald writes unprintable text.
fn text_of_bytes<'a>(whole: Span<'a>, value: &'a RawValue) -> Option<Inner<'a>> {
    let is_numbers = matches!(value.get().as_bytes(), [b'[', b'0'..=b'9', ..]);
    let bytes: Vec<u8> = is_numbers.then(|| serde_json::from_str(value.get()).ok())??;
    let place = whole.locate(value.get().as_bytes()).place();
    Some(Inner { text: bytes.into(), place, facts: Facts::default() })
}

/// Maximum depth at which members of an unknown object are searched.
const MAX_LEVELS: usize = 4;

impl Envelope for AnyMember {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        const TIMES: &[&str] = &["@timestamp", "timestamp", "time", "date", "eventTime"];
        const HOSTS: &[&str] = &["host.name", "hostname", "host"];
        let object = record.object.as_ref()?;
        // The content of a Kubernetes object is a user's text, not a log; an object that resembles an event is a
        // damaged event.
        let is_kubernetes_object =
            object.get("kind").is_some() && object.get("apiVersion").is_some();
        let is_event = object.get("auditID").is_some();
        if is_kubernetes_object || is_event || !mentions_events(record.span.bytes) {
            return None;
        }
        let mut found = Vec::new();
        look_into(object, MAX_LEVELS, &mut found);
        leave_out_copies(&mut found);
        if found.is_empty() {
            return None;
        }
        let facts = Facts {
            node: find_text(object, HOSTS),
            shipped_at: find_time(object, TIMES),
            ..Facts::default()
        };
        let mut rest = record.span;
        let mut values = Vec::with_capacity(found.len());
        for value in found {
            let inner = Inner::at(rest.take(value.get().as_bytes()), value, facts.clone());
            values.extend(inner);
        }
        Some(Opened::with("json", values))
    }
}

/// What identifies an event among others.
#[derive(PartialEq)]
struct Known {
    id: String,
    stage: Option<String>,
}

impl Known {
    fn of(event: &[u8]) -> Option<Self> {
        let event = Object::read(event)?;
        let id = event.text("auditID")?.into_owned();
        Some(Self { id, stage: event.text("stage").map(Cow::into_owned) })
    }
}

/// Removes decoded or truncated copies of an event that the record also contains in a better form: its complete text is
/// the most faithful, then its members.
fn leave_out_copies(found: &mut Vec<&RawValue>) {
    /// A record with more events is a list of events.
    const MANY: usize = 16;
    if found.len() < 2 || found.len() > MANY {
        return;
    }
    let rated: Vec<(Option<Known>, u8)> = found
        .iter()
        .map(|value| match json::text(value) {
            Some(text) => {
                if let Some(known) = Known::of(text.trim().as_bytes()) {
                    return (Some(known), 0);
                }
                let whole = salvage::complete(text.as_bytes());
                (whole.and_then(|whole| Known::of(&whole)), 2)
            }
            None => (Known::of(value.get().as_bytes()), 1),
        })
        .collect();
    let mut best: Vec<bool> = vec![true; found.len()];
    for (index, (known, rank)) in rated.iter().enumerate() {
        let Some(known) = known else { continue };
        // Two copies in the same form are two events, whatever audit ID their client chose.
        let is_better = |(other, other_rank): &(Option<Known>, u8)| {
            other_rank < rank && other.as_ref() == Some(known)
        };
        best[index] = !rated.iter().any(is_better);
    }
    let mut best = best.into_iter();
    found.retain(|_| best.next().unwrap_or(true));
}

/// Collects the members that are events or text that contains one.
fn look_into<'a>(object: &Object<'a>, levels: usize, found: &mut Vec<&'a RawValue>) {
    for (_, value) in object.iter() {
        look_at(value, levels, found);
    }
}

fn look_at<'a>(value: &'a RawValue, levels: usize, found: &mut Vec<&'a RawValue>) {
    if !mentions_events(value.get().as_bytes()) {
        return;
    }
    match value.get().as_bytes().first() {
        Some(b'"') if json::text(value).is_some_and(|text| text.contains('{')) => {
            found.push(value);
        }
        Some(b'[') if levels > 0 => {
            for element in json::list(value).into_iter().flatten() {
                look_at(element, levels - 1, found);
            }
        }
        Some(b'{') => {
            let Some(object) = json::object(value) else { return };
            if object.get("auditID").is_some() && object.get("stage").is_some() {
                found.push(value);
            } else if levels > 0 {
                look_into(&object, levels - 1, found);
            }
        }
        _ => {}
    }
}
