//! Taking audit events out of what they are wrapped in: one module for each family of envelopes.

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

/// More envelopes around one another than any pipeline writes; deeper nesting is an attack.
const MAX_DEPTH: usize = 6;

/// The JSON text of what should be one audit event.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    /// Borrowed from the log, or decoded from a string in it.
    pub(crate) json: Cow<'a, [u8]>,
    /// Where it stands; of what was decoded, where the string stands.
    pub(crate) place: Place,
    pub(crate) facts: Facts<'a>,
}

/// A place in the decompressed stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Bytes, from 0.
    pub(crate) offset: u64,
    /// From 1.
    pub(crate) line: u64,
}

impl Place {
    /// Where a stream begins.
    pub(crate) const START: Self = Self { offset: 0, line: 1 };
}

/// What the envelopes around an event say about it. The innermost that says something is believed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts<'a> {
    /// The names of the envelopes, the outermost first.
    pub(crate) envelopes: Vec<&'static str>,
    /// Who runs the cluster, as in the `provider` column.
    pub(crate) provider: Option<&'static str>,
    pub(crate) cluster: Option<Cow<'a, str>>,
    /// The host or log stream of the API server.
    pub(crate) node: Option<Cow<'a, str>>,
    /// When the envelope says that the event was logged or shipped.
    pub(crate) shipped_at: Option<Micros>,
    /// The record as it came, where the event was put together from it.
    pub(crate) original: Option<Cow<'a, [u8]>>,
    /// Whether a part of it was left out on the way.
    pub(crate) truncated: bool,
    /// What else they say.
    pub(crate) labels: Option<Arc<Labels>>,
    /// Whether it was put together from pieces of which some may be missing.
    pub(crate) may_have_gap: bool,
}

/// What is in a record.
#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    pub(crate) candidates: Vec<Candidate<'a>>,
    /// Parts that make no sense.
    pub(crate) damaged: Vec<Damage<'a>>,
    /// Empty envelopes: of others, what they hold tells whether the log is an audit log.
    pub(crate) envelopes: u64,
    /// Records that belong in the log and hold no audit event, such as the probes of a log service.
    pub(crate) skipped: u64,
    /// Pieces of split records.
    pub(crate) pieces: Vec<Found>,
    /// Where the source begins.
    pub(crate) starts_at: Option<u64>,
    /// Whether records are taken as they are, not as pieces.
    pub(crate) is_joined: bool,
    pub(crate) room: Room,
}

/// A part of a record that makes no sense.
#[derive(Debug)]
pub(crate) struct Damage<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) place: Place,
    pub(crate) reason: String,
}

/// A family of envelopes.
pub(crate) trait Envelope: Sync {
    /// What is inside `record`, or nothing if it is no envelope of this family.
    fn open<'a>(&self, record: &Record<'a>) -> Option<Opened<'a>>;
}

/// A record, or a value out of an envelope, as the families see it.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// One JSON value, or what is left of one, or a line of text.
    pub(crate) span: Span<'a>,
    /// Its members, if it is a whole JSON object.
    pub(crate) object: Option<Object<'a>>,
    /// For what is unpacked out of it.
    room: Room,
}

impl<'a> Record<'a> {
    fn new(span: Span<'a>, room: &Room) -> Self {
        let is_object = span.bytes.first() == Some(&b'{');
        let object = if is_object { Object::read(span.bytes) } else { None };
        Self { span, object, room: room.clone() }
    }
}

/// What an envelope holds.
#[derive(Debug, Default)]
pub(crate) struct Opened<'a> {
    /// The name of this kind of envelope.
    pub(crate) name: &'static str,
    /// What it holds, each of which is an audit event or another envelope.
    pub(crate) values: Vec<Inner<'a>>,
    /// What follows the last of them when the envelope is damaged there, with the reason.
    pub(crate) damaged: Option<(Span<'a>, String)>,
    /// How many records it holds that belong there and are no audit events.
    pub(crate) skipped: u64,
    /// Parts of lines whose other parts stand elsewhere: their marks, and the records that they are by themselves.
    pub(crate) pieces: Vec<(Mark, Inner<'a>, Vec<u8>)>,
}

impl<'a> Opened<'a> {
    /// An envelope that holds these values.
    fn with(name: &'static str, values: Vec<Inner<'a>>) -> Self {
        Self { name, values, ..Self::default() }
    }

    /// An envelope around what belongs there and is no audit event.
    fn skipped(name: &'static str) -> Self {
        Self { name, skipped: 1, ..Self::default() }
    }
}

/// A value inside an envelope.
#[derive(Debug)]
pub(crate) struct Inner<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    /// Where it stands; of what was decoded, where the string stands.
    pub(crate) place: Place,
    /// What this envelope says about it; `envelopes` is filled by the caller.
    pub(crate) facts: Facts<'a>,
}

impl<'a> Inner<'a> {
    /// A JSON value of the envelope `whole`: an object or array as it stands, or the text in a string.
    ///
    /// Nothing if it is another kind of value.
    pub(crate) fn of(whole: Span<'a>, value: &'a RawValue, facts: Facts<'a>) -> Option<Self> {
        let at = whole.locate(value.get().as_bytes());
        Self::at(at, value, facts)
    }

    /// What stands at a place, as it stands.
    fn span(at: Span<'a>, facts: Facts<'a>) -> Self {
        Self { text: at.bytes.into(), place: at.place(), facts }
    }

    /// An event that was put together from what stands at a place, which is kept beside it.
    fn rebuilt(from: Span<'a>, text: impl Into<Vec<u8>>, facts: Facts<'a>) -> Self {
        let facts = Facts { original: Some(from.bytes.into()), ..facts };
        Self { text: Cow::Owned(text.into()), place: from.place(), facts }
    }

    /// The elements of a list in `whole`, as they stand.
    fn elements(whole: Span<'a>, list: Vec<&'a RawValue>) -> Vec<Self> {
        let mut rest = whole;
        let element = |element: &'a RawValue| rest.take(element.get().as_bytes());
        list.into_iter().map(element).map(|at| Self::span(at, Facts::default())).collect()
    }

    /// The same of a value whose span is known.
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
    /// These, where they say something, else those of the envelope around.
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

    /// These, and what the members of an envelope say beside the event.
    fn labelled(mut self, object: Option<&Object<'_>>) -> Self {
        let labels = object.map(Labels::of_object).filter(|labels| !labels.is_empty());
        if let Some(labels) = labels {
            self.labels = Some(Arc::new(labels.inside(self.labels.as_ref())));
        }
        self
    }

    /// The cluster that the envelopes name.
    pub(crate) fn cluster(&self) -> Option<&str> {
        let labels = || self.labels.as_ref()?.cluster();
        self.cluster.as_deref().or_else(labels)
    }

    /// Who runs it.
    pub(crate) fn provider(&self) -> Option<&'static str> {
        self.provider.or_else(|| self.labels.as_ref()?.provider())
    }

    /// The log stream of the API server, or its host.
    pub(crate) fn node(&self) -> Option<&str> {
        let stream = self.labels.as_ref().and_then(|labels| labels.stream());
        stream.or(self.node.as_deref())
    }

    /// The component of the control plane whose log it is, if it is known to be another than the API server.
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

/// In the order in which they are asked. Those that take what they cannot name stand last.
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

/// Whether the record is worth a look at its envelope before it is tried as an event: it is no object with an audit id
/// among its own members, or longer than hardly any event.
pub(crate) fn is_likely(record: &[u8]) -> bool {
    const HEAD: usize = 200;
    const LONG: usize = 1024 * 1024;
    static LIST: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"EventList\""));
    // Of a text in JSON, a backslash would stand before the second quote.
    static ID: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"auditID\""));
    let head = &record[..record.len().min(HEAD)];
    head.first() != Some(&b'{')
        || record.len() > LONG
        || LIST.find(head).is_some()
        || ID.find(record).is_none_or(|id| json::depth(&record[..id]) != 1)
}

/// Takes a record apart: one or more values, with or without blanks between them, each an event or an envelope.
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

/// The same for a record that is taken as it is, not as a piece of another.
pub(crate) fn unwrap_joined<'a>(record: Span<'a>, facts: &Facts<'a>, contents: &mut Contents<'a>) {
    contents.add_values(record, 0, facts);
}

/// Takes an item apart of a list that is too long to be held: it is read as if it were the only one.
pub(crate) fn unwrap_item<'a>(item: Span<'a>, wrapper: &Wrapper, contents: &mut Contents<'a>) {
    let Some((text, place)) = wrapper.around(item) else { return unwrap(item, contents) };
    let Some(opened) = open(&Record::new(Span::at(place, &text), &contents.room)) else {
        return unwrap(item, contents);
    };
    let is_joined = contents.is_joined;
    let mut found = Contents { room: contents.room.clone(), is_joined, ..Contents::default() };
    found.add_opened(opened, 0, &Facts::default());
    // What stands in the wrapper beside the list is none of this item's.
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

/// The JSON values that stand one after the other, and what is left when there is no further one.
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
        // What holds no event may be what another component logs, in the envelope of a store.
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

    /// Takes a record that is a piece of a line; false where it is none.
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
        // What is deeper shares the room of what it was unpacked from.
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

    /// Adds what an envelope of this name holds.
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

    /// Adds what is in a decoded string, which may be several values.
    fn add_decoded(&mut self, text: &[u8], place: Place, depth: usize, facts: &Facts<'a>) {
        let is_joined = self.is_joined;
        let mut nested = Contents { room: self.room.clone(), is_joined, ..Contents::default() };
        nested.add_values(Span::at(place, text), depth, facts);
        self.append(nested, |_| place);
    }

    /// Adds what was found in a text that is not kept, each at another place.
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
