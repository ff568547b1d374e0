//! JSON objects with the event in one member, as known shippers and stores write a line.

use serde_json::value::RawValue;

use crate::envelope::candidate::{Candidate, Facts};
use crate::envelope::event_text::is_whole;
use crate::envelope::family::{Envelope, Opened, Record};
use crate::envelope::lifted::is_bare_event;
use crate::envelope::member_path::{find, find_text, find_time};
use crate::framing::span::Span;
use crate::json::Object;

/// The records of known shippers and stores.
pub(super) struct Shippers;

/// The record of one shipper or store. All members are given as paths.
struct Shipper {
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
const SHIPPERS: &[Shipper] = &[
    Shipper {
        name: "splunk",
        marks: &["result"],
        events: &["result._raw"],
        times: &["result._time"],
        hosts: &["result.host"],
    },
    Shipper {
        name: "splunk",
        marks: &["_raw"],
        events: &["_raw"],
        times: &["_time"],
        hosts: &["host"],
    },
    Shipper {
        name: "journald",
        marks: &["MESSAGE"],
        events: &["MESSAGE"],
        times: &["__REALTIME_TIMESTAMP"],
        hosts: &["_HOSTNAME"],
    },
    Shipper {
        name: "gelf",
        marks: &["short_message"],
        events: &["full_message", "short_message"],
        times: &["timestamp"],
        hosts: &["host"],
    },
    Shipper {
        name: "graylog",
        marks: &["gl2_message_id"],
        events: &["full_message", "message"],
        times: &["timestamp"],
        hosts: &["source"],
    },
    Shipper {
        name: "vector",
        marks: &["source_type"],
        events: &["message"],
        times: &["timestamp"],
        hosts: &["host"],
    },
    Shipper {
        name: "loki",
        marks: &["line", "timestamp"],
        events: &["line"],
        times: &["timestamp"],
        hosts: LOKI_HOSTS,
    },
    Shipper {
        name: "kafka",
        marks: &["topic", "payload"],
        events: &["payload"],
        times: &["ts"],
        hosts: &[],
    },
    Shipper {
        name: "kafka",
        marks: &["topic", "value"],
        events: &["value"],
        times: &["timestamp", "ts"],
        hosts: &[],
    },
    Shipper {
        name: "kafka-connect",
        marks: &["schema", "payload"],
        events: &["payload"],
        times: &[],
        hosts: &[],
    },
    Shipper {
        name: "elasticsearch",
        marks: &["_index", "_source"],
        events: &["_source"],
        times: &[],
        hosts: &[],
    },
    Shipper {
        name: "filebeat",
        marks: &["@timestamp", "agent"],
        events: &["event.original", "message", "json"],
        times: &["@timestamp"],
        hosts: BEAT_HOSTS,
    },
    Shipper {
        name: "filebeat",
        marks: &["@timestamp", "beat"],
        events: &["message", "json"],
        times: &["@timestamp"],
        hosts: BEAT_HOSTS,
    },
    Shipper {
        name: "logstash",
        marks: &["@timestamp", "@version"],
        events: &["event.original", "message", "json"],
        times: &["@timestamp"],
        hosts: &["host.name", "host.hostname", "host"],
    },
    Shipper {
        name: "splunk-hec",
        marks: &["event", "time"],
        events: &["event"],
        times: &["time"],
        hosts: &["host"],
    },
    Shipper {
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

/// Returns a record of Fluent Bit and Fluentd, in which users choose the name of the line member.
const fn fluent(marks: &'static [&'static str]) -> Shipper {
    Shipper {
        name: "fluent",
        marks,
        events: &["log", "message", "msg", "log_processed"],
        times: FLUENT_TIMES,
        hosts: FLUENT_HOSTS,
    }
}

impl Envelope for Shippers {
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>> {
        let object = record.object.as_ref()?;
        if is_bare_event(object) {
            return None;
        }
        SHIPPERS.iter().find_map(|shipper| shipper.open(record.span, object))
    }
}

impl Shipper {
    fn open<'a>(&self, whole: Span<'a>, object: &Object<'a>) -> Option<Opened<'a>> {
        if !self.marks.iter().all(|path| find(object, path).is_some()) {
            return None;
        }
        let mut inner = self.events.iter().find_map(|path| {
            let value = find(object, path)?;
            text_of_bytes(whole, value)
                .or_else(|| Candidate::content(whole, value, Facts::default()))
        })?;
        // If the line is truncated, the previously decoded members are more complete.
        if object.get("auditID").is_some() && !is_whole(&inner.json) {
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
fn text_of_bytes<'a>(whole: Span<'a>, value: &'a RawValue) -> Option<Candidate<'a>> {
    let is_numbers = matches!(value.get().as_bytes(), [b'[', b'0'..=b'9', ..]);
    let bytes: Vec<u8> = is_numbers.then(|| serde_json::from_str(value.get()).ok())??;
    let place = whole.locate(value.get().as_bytes()).place();
    Some(Candidate { json: bytes.into(), place, facts: Facts::default() })
}
