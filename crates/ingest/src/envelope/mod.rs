//! Extraction of audit events from envelopes: one module for each family of envelopes.

mod aws;
mod azure;
mod batch;
mod container_runtime;
mod csv_row;
mod elastic;
mod find;
mod gcp;
mod labels;
mod legacy;
mod lifted;
mod line;
mod listing;
mod openshift;
mod otlp;
mod packed;
mod request_path;
pub(crate) mod salvage;
mod wrapper;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;
use podtrail_event::Micros;
use rayon::prelude::*;
use serde_json::value::RawValue;

pub(crate) use self::find::mentions_events;
pub(crate) use self::labels::Labels;
pub(crate) use self::lifted::is_lifted;
pub(crate) use self::packed::Room;
use crate::framing::long_list::Wrapper;
use crate::framing::span::Span;
use crate::json::{self, Extent, Object};
use crate::reject::component_line;
use crate::run::split_records::{Found, Mark, Piece};
use crate::run::work_shares::{SHARE_BYTES, shares};

/// Maximum nesting of envelopes. No pipeline nests deeper; deeper nesting is an attack.
const MAX_DEPTH: usize = 6;

/// The JSON text of a potential audit event.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    /// Borrowed from the log, or decoded from a string in it.
    pub(crate) json: Cow<'a, [u8]>,
    /// Its position, or that of the string it was decoded from.
    pub(crate) place: Place,
    pub(crate) facts: Facts<'a>,
}

/// A position in the decompressed stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Offset in bytes, from 0.
    pub(crate) offset: u64,
    /// Line, from 1.
    pub(crate) line: u64,
}

impl Place {
    /// The start of a stream.
    pub(crate) const START: Self = Self { offset: 0, line: 1 };
}

/// Facts about an event from its envelopes. The innermost value takes precedence.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts<'a> {
    /// The names of the envelopes, the outermost first.
    pub(crate) envelopes: Vec<&'static str>,
    /// Who runs the cluster, as in the `provider` column.
    pub(crate) provider: Option<&'static str>,
    pub(crate) cluster: Option<Cow<'a, str>>,
    /// The host or log stream of the API server.
    pub(crate) node: Option<Cow<'a, str>>,
    /// When the event was logged or shipped, by the envelope.
    pub(crate) shipped_at: Option<Micros>,
    /// The original record, if the event was rebuilt from it.
    pub(crate) original: Option<Cow<'a, [u8]>>,
    /// Whether a shipper or store truncated it.
    pub(crate) truncated: bool,
    /// Other labels of the envelopes.
    pub(crate) labels: Option<Arc<Labels>>,
    /// Whether it was joined from parts of which some may be missing.
    pub(crate) may_have_gap: bool,
}

/// The contents of a record.
#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// Damaged parts.
    pub(crate) damaged: Vec<Damage<'a>>,
    /// Number of empty envelopes. For other envelopes, their contents show whether the log is an audit log.
    pub(crate) envelopes: u64,
    /// Number of records that belong in the log and contain no audit event, such as the probes of a log service.
    pub(crate) skipped: u64,
    /// Parts of split records.
    pub(crate) pieces: Vec<Found>,
    /// The offset at which the source begins.
    pub(crate) starts_at: Option<u64>,
    /// Whether records are already joined and must not be treated as parts.
    pub(crate) is_joined: bool,
    pub(crate) room: Room,
}

/// A damaged part of a record.
#[derive(Debug)]
pub(crate) struct Damage<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) place: Place,
    pub(crate) reason: String,
}

/// A family of envelopes.
pub(crate) trait Envelope: Sync {
    /// Opens `record`; returns `None` if it is not an envelope of this family.
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>>;
}

/// A record, or a value from an envelope, as the families receive it.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// One JSON value, complete or truncated, or a line of text.
    pub(crate) span: Span<'a>,
    /// Its members, if it is a complete JSON object.
    pub(crate) object: Option<Object<'a>>,
    /// The allowance for data that is unpacked from it.
    room: Room,
}

impl<'a> Record<'a> {
    fn new(span: Span<'a>, room: &Room) -> Self {
        let is_object = span.bytes.first() == Some(&b'{');
        let object = if is_object { Object::read(span.bytes) } else { None };
        Self { span, object, room: room.clone() }
    }
}

/// The contents of an envelope.
#[derive(Debug, Default)]
pub(crate) struct Opened<'a> {
    /// The name of this kind of envelope.
    pub(crate) name: &'static str,
    /// Its values, each of which is an audit event or another envelope.
    pub(crate) values: Vec<Inner<'a>>,
    /// If the envelope is damaged, the rest after the last value, with the reason.
    pub(crate) damaged: Option<(Span<'a>, String)>,
    /// Number of records in it that are expected there and are not audit events.
    pub(crate) skipped: u64,
    /// Parts of lines whose other parts are elsewhere: mark, content, and bytes of the record.
    pub(crate) pieces: Vec<(Mark, Inner<'a>, Vec<u8>)>,
}

impl<'a> Opened<'a> {
    /// Returns an envelope that contains these values.
    fn with(name: &'static str, values: Vec<Inner<'a>>) -> Self {
        Self { name, values, ..Self::default() }
    }

    /// Returns an envelope around an expected record that is not an audit event.
    fn skipped(name: &'static str) -> Self {
        Self { name, skipped: 1, ..Self::default() }
    }
}

/// A value inside an envelope.
#[derive(Debug)]
pub(crate) struct Inner<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    /// Its position, or that of the string it was decoded from.
    pub(crate) place: Place,
    /// The facts from this envelope; the caller fills `envelopes`.
    pub(crate) facts: Facts<'a>,
}

impl<'a> Inner<'a> {
    /// Returns a JSON value of the envelope `whole`: an object or array verbatim, or the text in a string.
    ///
    /// Returns `None` for any other kind of value.
    pub(crate) fn of(whole: Span<'a>, value: &'a RawValue, facts: Facts<'a>) -> Option<Self> {
        let at = whole.locate(value.get().as_bytes());
        Self::at(at, value, facts)
    }

    /// Returns the bytes at a position verbatim.
    fn span(at: Span<'a>, facts: Facts<'a>) -> Self {
        Self { text: at.bytes.into(), place: at.place(), facts }
    }

    /// Returns an event that was rebuilt from the bytes at a position, which are kept beside it.
    fn rebuilt(from: Span<'a>, text: impl Into<Vec<u8>>, facts: Facts<'a>) -> Self {
        let facts = Facts { original: Some(from.bytes.into()), ..facts };
        Self { text: Cow::Owned(text.into()), place: from.place(), facts }
    }

    /// Returns the elements of a list in `whole` verbatim.
    fn elements(whole: Span<'a>, list: Vec<&'a RawValue>) -> Vec<Self> {
        let mut rest = whole;
        let element = |element: &'a RawValue| rest.take(element.get().as_bytes());
        list.into_iter().map(element).map(|at| Self::span(at, Facts::default())).collect()
    }

    /// Returns a JSON value whose span is known, like [`of`](Self::of).
    pub(crate) fn at(at: Span<'a>, value: &'a RawValue, facts: Facts<'a>) -> Option<Self> {
        let text = match value.get().as_bytes().first()? {
            b'{' | b'[' => Cow::Borrowed(at.bytes),
            b'"' => match json::text(value)? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            _ => return None,
        };
        Some(Self { text, place: at.place(), facts })
    }
}

impl<'a> Facts<'a> {
    /// Returns these facts, completed with those of the outer envelope.
    fn inside(self, outer: &Facts<'a>, name: &'static str) -> Self {
        let mut envelopes = outer.envelopes.clone();
        envelopes.push(name);
        envelopes.extend(self.envelopes);
        Self {
            envelopes,
            provider: self.provider.or(outer.provider),
            cluster: self.cluster.or_else(|| outer.cluster.clone()),
            node: self.node.or_else(|| outer.node.clone()),
            shipped_at: self.shipped_at.or(outer.shipped_at),
            original: self.original.or_else(|| outer.original.clone()),
            truncated: self.truncated || outer.truncated,
            may_have_gap: self.may_have_gap || outer.may_have_gap,
            labels: match self.labels {
                None => outer.labels.clone(),
                Some(labels) => {
                    Some(Arc::new(Arc::unwrap_or_clone(labels).inside(outer.labels.as_ref())))
                }
            },
        }
    }

    /// Adds the labels of an envelope's members beside the event.
    fn labelled(mut self, object: Option<&Object<'_>>) -> Self {
        let labels = object.map(Labels::of_object).filter(|labels| !labels.is_empty());
        if let Some(labels) = labels {
            self.labels = Some(Arc::new(labels.inside(self.labels.as_ref())));
        }
        self
    }

    /// Returns the cluster that the envelopes name.
    pub(crate) fn cluster(&self) -> Option<&str> {
        let labels = || self.labels.as_ref()?.cluster();
        self.cluster.as_deref().or_else(labels)
    }

    /// Returns who runs the cluster.
    pub(crate) fn provider(&self) -> Option<&'static str> {
        self.provider.or_else(|| self.labels.as_ref()?.provider())
    }

    /// Returns the log stream of the API server, or its host.
    pub(crate) fn node(&self) -> Option<&str> {
        let stream = self.labels.as_ref().and_then(|labels| labels.stream());
        stream.or(self.node.as_deref())
    }

    /// Returns the control plane component that wrote the log, if it is known not to be the API server.
    pub(crate) fn component(&self) -> Option<&'static str> {
        self.labels.as_ref()?.component()
    }

    fn into_owned(self) -> Facts<'static> {
        Facts {
            envelopes: self.envelopes,
            provider: self.provider,
            cluster: self.cluster.map(|text| text.into_owned().into()),
            node: self.node.map(|text| text.into_owned().into()),
            shipped_at: self.shipped_at,
            original: self.original.map(|bytes| bytes.into_owned().into()),
            truncated: self.truncated,
            may_have_gap: self.may_have_gap,
            labels: self.labels,
        }
    }
}

/// The families in order of precedence. Those that accept unknown formats are last.
const FAMILIES: &[&dyn Envelope] = &[
    &aws::Aws,
    &azure::Azure,
    &gcp::Gcp,
    &openshift::OpenShift,
    &otlp::Otlp,
    &batch::Batch,
    &container_runtime::ContainerRuntime,
    &listing::Listing,
    &elastic::Elastic,
    &wrapper::Wrappers,
    &lifted::Lifted,
    &legacy::Legacy,
    &csv_row::CsvRow,
    &line::Prefixed,
    &batch::BatchEnd,
    &wrapper::AnyMember,
];

/// Returns whether to look for an envelope before parsing the record as an event: it lacks an audit ID among its own
/// members, or is longer than almost any event.
pub(crate) fn is_likely(record: &[u8]) -> bool {
    const HEAD: usize = 200;
    const LONG: usize = 1024 * 1024;
    static LIST: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"EventList\""));
    // In JSON inside a string, a backslash would precede the second quote.
    static ID: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"auditID\""));
    let head = &record[..record.len().min(HEAD)];
    head.first() != Some(&b'{')
        || record.len() > LONG
        || LIST.find(head).is_some()
        || ID.find(record).is_none_or(|id| json::depth(&record[..id]) != 1)
}

/// Unwraps a record: one or more values, with or without blanks between them, each an event or an envelope.
pub(crate) fn unwrap<'a>(record: Span<'a>, contents: &mut Contents<'a>) {
    if let Some(mut opened) = container_runtime::join_docker_lines(record) {
        if contents.starts_at == Some(record.offset) {
            opened = container_runtime::end_of_line(record, opened);
        }
        contents.add_opened(opened, 0, &Facts::default());
        return;
    }
    contents.add_values(record, 0, &Facts::default());
}

/// Unwraps a record that is not to be treated as a part of another.
pub(crate) fn unwrap_joined<'a>(record: Span<'a>, facts: &Facts<'a>, contents: &mut Contents<'a>) {
    contents.add_values(record, 0, facts);
}

/// Unwraps an item of a list that exceeds the record limit, as if it were the only item.
pub(crate) fn unwrap_item<'a>(item: Span<'a>, wrapper: &Wrapper, contents: &mut Contents<'a>) {
    let Some((text, place)) = wrapper.around(item) else { return unwrap(item, contents) };
    let Some(opened) = open(&Record::new(Span::at(place, &text), &contents.room)) else {
        return unwrap(item, contents);
    };
    let is_joined = contents.is_joined;
    let mut found = Contents { room: contents.room.clone(), is_joined, ..Contents::default() };
    found.add_opened(opened, 0, &Facts::default());
    // Labels beside the list in the wrapper do not belong to this item.
    let end = item.offset + item.bytes.len() as u64;
    let is_inside = |place: Place| (item.offset..end).contains(&place.offset);
    found.candidates.retain(|candidate| is_inside(candidate.place));
    found.damaged.retain(|damage| is_inside(damage.place));
    let is_empty = found.candidates.is_empty() && found.pieces.is_empty();
    if is_empty && found.damaged.is_empty() && found.skipped == 0 {
        return unwrap(item, contents);
    }
    contents.append(found, |place| place);
}

/// Splits a text into consecutive JSON values, and the rest if no further value follows.
fn values(text: Span<'_>) -> Vec<Span<'_>> {
    let mut values = Vec::with_capacity(1);
    let mut rest = text;
    while json::is_open(rest.bytes) {
        let Extent::Complete(length) = json::extent(rest.bytes) else { break };
        values.push(rest.part(0..length));
        rest = rest.after(length);
    }
    if !rest.bytes.is_empty() {
        values.push(rest);
    }
    values
}

fn open<'a>(record: &Record<'a>) -> Option<Opened<'a>> {
    if record.object.as_ref().is_some_and(lifted::is_bare_event) {
        return None;
    }
    FAMILIES.iter().find_map(|family| family.open(record))
}

impl<'a> Contents<'a> {
    /// Adds one or more values, with or without blanks between them.
    fn add_values(&mut self, text: Span<'a>, depth: usize, facts: &Facts<'a>) {
        let text = text.part(0..text.bytes.len());
        let record = Record::new(text, &self.room);
        if record.object.is_some() {
            return self.add(&record, depth, facts.clone());
        }
        for value in values(text) {
            self.add(&Record::new(value, &self.room), depth, facts.clone());
        }
    }

    fn add(&mut self, value: &Record<'a>, depth: usize, facts: Facts<'a>) {
        if value.span.bytes.is_empty() {
            return;
        }
        if !self.is_joined && self.add_piece(value, &facts) {
            return;
        }
        if let Some(mut opened) = open(value) {
            if self.starts_at == Some(value.span.offset) && matches!(opened.name, "cri" | "docker")
            {
                opened = container_runtime::end_of_line(value.span, opened);
            }
            let facts = facts.labelled(value.object.as_ref());
            return self.add_opened(opened, depth, &facts);
        }
        // A record without an event may be a component's log line in a store's envelope.
        let is_event = |object: &Object<'_>| object.get("auditID").is_some();
        let facts = match &value.object {
            Some(object) if !is_event(object) && !mentions_events(value.span.bytes) => {
                facts.labelled(Some(object))
            }
            _ => facts,
        };
        let json = value.span.bytes.into();
        self.candidates.push(Candidate { json, place: value.span.place(), facts });
    }

    /// Adds a record that is a part of a line. Returns false if it is not one.
    fn add_piece(&mut self, value: &Record<'a>, facts: &Facts<'a>) -> bool {
        let Some(object) = value.object.as_ref().filter(|object| object.get("auditID").is_none())
        else {
            return false;
        };
        let Some((mark, text)) = Mark::of(object) else { return false };
        let is_line =
            || lifted::is_whole(text.as_bytes()) || component_line(text.as_bytes()).is_some();
        if !mark.goes_on && is_line() {
            self.pieces.push(Found::Whole(mark.key));
            return false;
        }
        self.pieces.push(Found::Piece(Box::new(Piece {
            mark,
            text: text.into_owned().into_bytes(),
            raw: value.span.bytes.to_vec(),
            place: value.span.place(),
            facts: facts.clone().into_owned(),
            kept: None,
        })));
        true
    }

    fn add_opened(&mut self, opened: Opened<'a>, depth: usize, outer: &Facts<'a>) {
        self.envelopes += u64::from(opened.values.is_empty());
        self.skipped += opened.skipped;
        if let Some((span, reason)) = opened.damaged {
            self.damaged.push(Damage { bytes: span.bytes.into(), place: span.place(), reason });
        }
        let name = opened.name;
        for (mark, part, raw) in opened.pieces {
            if self.is_joined {
                self.add_inner(part, name, depth, outer);
                continue;
            }
            let (text, place) = (part.text.into_owned(), part.place);
            let facts = outer.clone().into_owned();
            self.pieces.push(Found::Piece(Box::new(Piece {
                mark,
                text,
                raw,
                place,
                facts,
                kept: None,
            })));
        }
        let length = |inner: &Inner<'_>| inner.text.len();
        // Deeper values share the allowance of the value they were unpacked from.
        if depth > 0 || opened.values.iter().map(length).sum::<usize>() <= SHARE_BYTES {
            for inner in opened.values {
                self.add_inner(inner, name, depth, outer);
            }
            return;
        }
        let is_joined = self.is_joined;
        let shares = shares(opened.values, length);
        let rooms = self.room.divide(shares.len());
        let found = shares.into_par_iter().zip(rooms).map(|(share, room)| {
            let mut found = Contents { is_joined, room, ..Contents::default() };
            for inner in share {
                found.add_inner(inner, name, depth, outer);
            }
            found
        });
        for found in found.collect::<Vec<_>>() {
            self.room.give_back(&found.room);
            self.candidates.extend(found.candidates);
            self.damaged.extend(found.damaged);
            self.pieces.extend(found.pieces);
            self.envelopes += found.envelopes;
            self.skipped += found.skipped;
        }
    }

    /// Adds the contents of an envelope with this name.
    fn add_inner(&mut self, inner: Inner<'a>, name: &'static str, depth: usize, outer: &Facts<'a>) {
        let Inner { text, place, facts } = inner;
        if depth >= MAX_DEPTH {
            let reason = "envelopes nested too deeply".to_owned();
            self.damaged.push(Damage { bytes: text, place, reason });
            return;
        }
        let facts = facts.inside(outer, name);
        match text {
            Cow::Borrowed(bytes) => {
                let value = Record::new(Span::at(place, bytes), &self.room);
                self.add(&value, depth + 1, facts);
            }
            Cow::Owned(text) => self.add_decoded(&text, place, depth + 1, &facts),
        }
    }

    /// Adds the contents of a decoded string, which may be several values.
    fn add_decoded(&mut self, text: &[u8], place: Place, depth: usize, facts: &Facts<'a>) {
        let is_joined = self.is_joined;
        let mut nested = Contents { room: self.room.clone(), is_joined, ..Contents::default() };
        nested.add_values(Span::at(place, text), depth, facts);
        self.append(nested, |_| place);
    }

    /// Adds contents of a temporary text, each at a mapped position.
    fn append(&mut self, found: Contents<'_>, place: impl Fn(Place) -> Place) {
        self.envelopes += found.envelopes;
        self.skipped += found.skipped;
        self.pieces.extend(found.pieces.into_iter().map(|found| match found {
            Found::Piece(mut piece) => {
                piece.place = place(piece.place);
                Found::Piece(piece)
            }
            whole @ Found::Whole(_) => whole,
        }));
        self.candidates.extend(found.candidates.into_iter().map(|candidate| Candidate {
            json: candidate.json.into_owned().into(),
            place: place(candidate.place),
            facts: candidate.facts.into_owned(),
        }));
        self.damaged.extend(found.damaged.into_iter().map(|damage| Damage {
            bytes: damage.bytes.into_owned().into(),
            place: place(damage.place),
            reason: damage.reason,
        }));
    }
}
