//! Parts of lines that a runtime or shipper split into several records, as single records show them.
//!
//! Container runtimes split a line at 16 KiB, journald at 48 KiB. Shippers forward the parts with a mark: `_p` and
//! `logtag` (Fluent Bit, `P` and `F`), `_partial` (Vector), `partial_message`, `partial_id`, `partial_ordinal` and
//! `partial_last` (Docker's logging drivers, in journald `CONTAINER_PARTIAL_…`), `_LINE_BREAK` (journald). Parts of one
//! line have the same container and stream, and other records may be between them.

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memmem;
use podtrail_event::{Micros, QuarantineRecord};

use crate::envelope::candidate::Facts;
use crate::envelope::event_text::{begins_event, is_whole};
use crate::framing::container_line::{ContainerLine, LineTag};
use crate::framing::span::{Place, Span};
use crate::instant::instant;
use crate::json::{self, Object};
use crate::reject::{LINE_MEMBERS, component_line};

/// Identifies the stream to which a part belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(u128);

/// The mark of a record that is a part of a line.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) key: Key,
    /// Its number in the line.
    pub(crate) ordinal: Option<u64>,
    /// Whether the line continues in another record.
    pub(crate) goes_on: bool,
    pub(crate) time: Option<Micros>,
}

/// A part of a line.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) mark: Mark,
    pub(crate) text: Vec<u8>,
    /// The record that contains the part.
    pub(crate) raw: Vec<u8>,
    pub(crate) place: Place,
    pub(crate) facts: Facts<'static>,
    /// The quarantined record that kept it since an earlier run.
    pub(crate) kept: Option<Arc<QuarantineRecord>>,
}

/// What a log contains of split records, in its order.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    Piece(Box<Part>),
    /// A complete line of a container: an earlier incomplete line of the stream has lost its end.
    Whole(Key),
}

/// The members that identify the stream of a record.
const STREAM_MEMBERS: &str = "\
    stream source container_id container_name CONTAINER_ID_FULL _STREAM_ID _stream_id \
    _BOOT_ID _HOSTNAME file path filename tag host hostname";

/// Those of its member `kubernetes`.
const KUBERNETES_MEMBERS: &str = "\
    namespace_name pod_name pod_id container_name docker_id container_id host pod_namespace \
    pod_uid pod_node_name";

impl Mark {
    /// Reads the mark of a shipper's record, and its text.
    fn of<'a>(object: &Object<'a>) -> Option<(Self, Cow<'a, str>)> {
        const IDS: &[&str] = &["partial_id", "CONTAINER_PARTIAL_ID", "container_partial_id"];
        const MESSAGES: &[&str] =
            &["partial_message", "CONTAINER_PARTIAL_MESSAGE", "container_partial_message"];
        const ORDINALS: &[&str] =
            &["partial_ordinal", "CONTAINER_PARTIAL_ORDINAL", "container_partial_ordinal"];
        const LASTS: &[&str] =
            &["partial_last", "CONTAINER_PARTIAL_LAST", "container_partial_last"];
        const STREAMS: &[&str] =
            &["_STREAM_ID", "_stream_id", "CONTAINER_ID_FULL", "container_id", "source_type"];

        let member = |names: &[&str]| names.iter().find_map(|name| object.get(name));
        let text = |names: &[&str]| member(names).and_then(json::text);
        let is_true = |names: &[&str]| {
            member(names).is_some_and(|value| matches!(value.get(), "true" | "\"true\"" | "\"1\""))
        };
        let number = |names: &[&str]| member(names)?.get().trim_matches('"').parse::<u64>().ok();
        let tag = text(&["_p", "logtag"]);
        let id = text(IDS);
        let goes_on = match tag.as_deref() {
            Some("P") => true,
            Some("F") => false,
            _ if id.is_some() => !is_true(LASTS),
            _ if is_true(MESSAGES) || is_true(&["_partial"]) => true,
            _ if text(&["_LINE_BREAK", "_line_break"]).is_some_and(|kind| kind == "line-max") => {
                true
            }
            // If the last part has no mark, any record of such a stream may be a last part.
            _ if member(STREAMS).is_some() => false,
            _ => return None,
        };
        let line = text(&LINE_MEMBERS)?;
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &str| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        };
        for path in STREAM_MEMBERS.split(' ') {
            add(object.get(path).map_or("", |value| value.get()));
        }
        if let Some(kubernetes) = object.object("kubernetes") {
            for path in KUBERNETES_MEMBERS.split(' ') {
                add(kubernetes.get(path).map_or("", |value| value.get()));
            }
        }
        add(id.as_deref().unwrap_or_default());
        let mark = Self {
            key: Key::of(&hasher),
            ordinal: if id.is_some() { number(ORDINALS) } else { None },
            goes_on,
            time: ["time", "timestamp", "@timestamp", "date", "__REALTIME_TIMESTAMP"]
                .iter()
                .find_map(|key| instant(object.get(key)?)),
        };
        Some((mark, line))
    }

    /// Returns the mark of a part that a container runtime wrote.
    fn of_runtime(tag: LineTag, time: Option<Micros>) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(tag.stream.name().as_bytes());
        Self { key: Key::of(&hasher), ordinal: None, goes_on: tag.is_partial, time }
    }
}

impl Key {
    fn of(hasher: &blake3::Hasher) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(u128::from_le_bytes(bytes))
    }
}

impl Part {
    /// Returns a part that was kept in the quarantine; `None` if potential secrets were removed from it.
    pub(crate) fn of_record(record: &QuarantineRecord) -> Option<Self> {
        let bytes = record.bytes.as_slice();
        if record.is_cut() || memmem::find(bytes, b"redacted:").is_some() {
            return None;
        }
        let place = Place {
            offset: u64::try_from(record.source_offset).unwrap_or_default(),
            line: record.source_line.and_then(|line| u64::try_from(line).ok()).unwrap_or(1),
        };
        let (mark, text) = if let Some(object) = Object::read(bytes) {
            let (mark, text) = Mark::of(&object)?;
            (mark, text.into_owned().into_bytes())
        } else {
            let line = ContainerLine::of_cri(bytes)?;
            (Mark::of_runtime(line.tag, line.time), line.text.into_owned())
        };
        let facts = Facts { shipped_at: mark.time, ..Facts::default() };
        let kept = Some(Arc::new(record.clone()));
        Some(Self { mark, text, raw: bytes.to_vec(), place, facts, kept })
    }

    /// Returns the part of a line that a container runtime wrote.
    pub(super) fn of_runtime(line: ContainerLine<'_>, place: Place) -> Self {
        let mark = Mark::of_runtime(line.tag, line.time);
        let (raw, facts) = (line.to_cri(), Facts::default());
        Self { mark, text: line.text.into_owned(), raw, place, facts, kept: None }
    }

    /// Returns whether an event begins with this part.
    pub(crate) fn begins(&self) -> bool {
        begins_event(&self.text)
    }
}

impl Found {
    /// Returns what a shipper's record shows of a split line; `None` if its stream is unknown.
    pub(super) fn of(record: Span<'_>, object: &Object<'_>, facts: &Facts<'_>) -> Option<Self> {
        if object.get("auditID").is_some() {
            return None;
        }
        let (mark, text) = Mark::of(object)?;
        let is_line = |text: &[u8]| is_whole(text) || component_line(text).is_some();
        if !mark.goes_on && is_line(text.as_bytes()) {
            return Some(Self::Whole(mark.key));
        }
        Some(Self::Piece(Box::new(Part {
            mark,
            text: text.into_owned().into_bytes(),
            raw: record.bytes.to_vec(),
            place: record.place(),
            facts: facts.clone().into_owned(),
            kept: None,
        })))
    }
}
