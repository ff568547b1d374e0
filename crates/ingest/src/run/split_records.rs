//! Reassembly of records that a runtime or shipper split into several records.
//!
//! Container runtimes split a line at 16 KiB, journald at 48 KiB. Shippers forward the parts with a mark: `_p` and
//! `logtag` (Fluent Bit, `P` and `F`), `_partial` (Vector), `partial_message`, `partial_id`, `partial_ordinal` and
//! `partial_last` (Docker's logging drivers, in journald `CONTAINER_PARTIAL_…`), `_LINE_BREAK` (journald). Parts of one
//! line have the same container and stream, and other records may be between them. The `framing` module joins the
//! runtimes' own lines as it reads them; this module handles lines whose other parts are in another file.
//!
//! A part without its neighbour waits until the end of the run, and then in the quarantine for the next run. Only
//! numbered parts show that none is missing. Unnumbered parts must join to one complete event. If that event may
//! contain secrets, its bodies are dropped: after a gap, a secret could be where redaction does not look.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use memchr::memmem;
use podtrail_event::{Micros, QuarantineRecord};

use crate::envelope::{Facts, Place};
use crate::framing::container_line::{CriLine, Stream};
use crate::instant::instant;
use crate::json::{self, Object, ObjectWriter};
use crate::run::parse::Origin;

/// The prefix of the reason of a quarantined part.
pub const PIECE: &str = "a piece of a split record";

/// Maximum number of lines that wait for another file.
const MOST_LOOSE: usize = 256;

/// Maximum time in microseconds between parts of one line, which are written together.
const LONGEST_PAUSE: i64 = 10_000_000;

/// Identifies the stream to which a part belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(u128);

/// The mark of a record that is a part of a line.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) key: Key,
    /// Its number in the line.
    ordinal: Option<u64>,
    /// Whether the line continues in another record.
    pub(crate) goes_on: bool,
    time: Option<Micros>,
}

/// A part of a line.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
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
    Piece(Box<Piece>),
    /// A complete line of a container: an earlier incomplete line of the stream has lost its end.
    Whole(Key),
}

const TEXTS: &[&str] = &["log", "message", "msg", "MESSAGE", "short_message", "line"];

impl Mark {
    /// Reads the mark of a shipper's record, and its text.
    pub(crate) fn of<'a>(object: &Object<'a>) -> Option<(Self, Cow<'a, str>)> {
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
        let line = text(TEXTS)?;
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &str| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        };
        for path in [
            "stream",
            "source",
            "container_id",
            "container_name",
            "CONTAINER_ID_FULL",
            "_STREAM_ID",
            "_stream_id",
            "_BOOT_ID",
            "_HOSTNAME",
            "file",
            "path",
            "filename",
            "tag",
            "host",
            "hostname",
        ] {
            add(object.get(path).map_or("", |value| value.get()));
        }
        if let Some(kubernetes) = object.object("kubernetes") {
            for path in [
                "namespace_name",
                "pod_name",
                "pod_id",
                "container_name",
                "docker_id",
                "container_id",
                "host",
                "pod_namespace",
                "pod_uid",
                "pod_node_name",
            ] {
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
    pub(crate) fn of_runtime(is_stderr: bool, goes_on: bool, time: Option<Micros>) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(if is_stderr { b"stderr" } else { b"stdout" });
        Self { key: Key::of(&hasher), ordinal: None, goes_on, time }
    }
}

impl Key {
    fn of(hasher: &blake3::Hasher) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(u128::from_le_bytes(bytes))
    }
}

impl Piece {
    /// Returns a part that was kept in the quarantine; `None` if potential secrets were removed from it.
    fn of_record(record: &QuarantineRecord) -> Option<Self> {
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
            let line = CriLine::of(bytes)?;
            let is_stderr = line.part.stream == Stream::Err;
            let mark = Mark::of_runtime(is_stderr, line.part.is_partial, line.time.stored());
            (mark, line.text.to_vec())
        };
        let facts = Facts { shipped_at: mark.time, ..Facts::default() };
        let kept = Some(Arc::new(record.clone()));
        Some(Self { mark, text, raw: bytes.to_vec(), place, facts, kept })
    }

    /// Returns whether an event begins with this part.
    pub(crate) fn begins(&self) -> bool {
        begins_event(&self.text)
    }
}

fn begins_event(text: &[u8]) -> bool {
    const HEAD: usize = 1024;
    let head = &text[..text.len().min(HEAD)];
    head.trim_ascii_start().starts_with(b"{")
        && [&b"auditID"[..], b"\"Event\"", b"EventList"]
            .iter()
            .any(|word| memmem::find(head, word).is_some())
}

/// The parts of one line, in order.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) origin: Arc<Origin>,
    /// Whether the stream begins with this line in its source.
    from_start: bool,
}

impl Line {
    fn of(piece: Piece, origin: Arc<Origin>) -> Self {
        Self { pieces: vec![piece], origin, from_start: false }
    }

    fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.len() + piece.raw.len()).sum()
    }

    /// Returns the record in which the line would have arrived if it had not been split.
    pub(crate) fn record(&self) -> Vec<u8> {
        let [first, _, ..] = self.pieces.as_slice() else {
            return self.pieces.first().map(|piece| piece.raw.clone()).unwrap_or_default();
        };
        let mut text = Vec::with_capacity(self.bytes());
        for piece in &self.pieces {
            let part = if piece.mark.goes_on { trim_newline(&piece.text) } else { &piece.text };
            text.extend_from_slice(part);
        }
        let Some(object) = Object::read(&first.raw) else {
            let head = first.raw.len() - first.text.len();
            return [&first.raw[..head], text.as_slice()].concat();
        };
        let name =
            TEXTS.iter().find(|name| object.get(name).is_some_and(|v| v.get().starts_with('"')));
        let text = json::quote(&String::from_utf8_lossy(&text));
        ObjectWriter::write(object.iter().map(|(key, value)| {
            (key, if Some(&key) == name { text.as_str().into() } else { value.get().into() })
        }))
        .into_bytes()
    }

    /// Splits a line that is not one event where another event begins: the end of the one before is missing. A client chooses
    /// the text of a body, so a part that begins like an event is one only if the line as a whole is none.
    pub(crate) fn segments(&self) -> Vec<Self> {
        if self.is_numbered() {
            return vec![self.clone()];
        }
        let segments = self.pieces.chunk_by(|_, next| !next.begins());
        let line = |pieces: &[Piece]| Self {
            pieces: pieces.to_vec(),
            origin: Arc::clone(&self.origin),
            from_start: self.from_start,
        };
        segments.map(line).collect()
    }

    /// Returns the original records of the line.
    pub(crate) fn records(&self) -> Vec<u8> {
        let records: Vec<&[u8]> = self.pieces.iter().map(|piece| piece.raw.as_slice()).collect();
        records.join(&b'\n')
    }

    /// Returns whether numbers show that no part is missing in between.
    pub(crate) fn is_numbered(&self) -> bool {
        self.pieces.len() == 1 || self.pieces.iter().all(|piece| piece.mark.ordinal.is_some())
    }

    pub(crate) fn begins(&self) -> bool {
        self.pieces.first().is_some_and(|piece| match piece.mark.ordinal {
            Some(ordinal) => ordinal <= 1,
            None => piece.begins(),
        })
    }

    pub(crate) fn ends(&self) -> bool {
        self.pieces.last().is_some_and(|piece| !piece.mark.goes_on)
    }

    /// Returns whether the numbers of the parts have a gap.
    fn has_gap(&self) -> bool {
        let number = |piece: &Piece| piece.mark.ordinal;
        self.pieces.windows(2).any(|pair| match (number(&pair[0]), number(&pair[1])) {
            (Some(a), Some(b)) => b != a + 1,
            _ => false,
        })
    }

    /// Returns whether `next` may continue this line.
    fn may_go_on_in(&self, next: &Self) -> bool {
        let (Some(last), Some(first)) = (self.pieces.last(), next.pieces.first()) else {
            return false;
        };
        let pause = last.mark.time.zip(first.mark.time).map(|(last, first)| first.0 - last.0);
        last.mark.key == first.mark.key
            && pause.is_none_or(|pause| pause.abs() <= LONGEST_PAUSE)
            && match (last.mark.ordinal, first.mark.ordinal) {
                (Some(a), Some(b)) => b == a + 1,
                (None, None) => true,
                _ => false,
            }
    }
}

fn trim_newline(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// The split records of a run.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    sources: HashMap<usize, OfSource>,
    /// Lines without a beginning or an end.
    loose: Vec<Line>,
    bytes: usize,
    /// Quarantined records that are parts, by their bytes.
    kept: HashMap<Vec<u8>, Arc<QuarantineRecord>>,
}

#[derive(Debug, Default)]
struct OfSource {
    /// The number of the next block.
    next: usize,
    waiting: BTreeMap<usize, (Arc<Origin>, Vec<Found>)>,
    /// Streams that occurred: only the first lines of a stream may continue a line of another file.
    met: HashSet<Key>,
    open: HashMap<Key, Line>,
    /// The order in which lines began.
    order: Vec<Key>,
}

impl Pieces {
    /// Takes parts that were kept in the quarantine.
    pub(crate) fn keep(
        &mut self,
        records: &[QuarantineRecord],
        origin: impl Fn(&QuarantineRecord) -> Origin,
    ) {
        let mut records: Vec<&QuarantineRecord> = records.iter().collect();
        records.sort_by_key(|record| (&record.source_file, record.source_offset));
        let mut last_file = None;
        for record in records {
            let Some(piece) = Piece::of_record(record) else { continue };
            self.kept.extend(piece.kept.clone().map(|kept| (piece.raw.clone(), kept)));
            let single = Line::of(piece, Arc::new(origin(record)));
            // Parts of one line that were quarantined together are in the order of their file.
            let is_same_file = last_file == Some(&record.source_file);
            last_file = Some(&record.source_file);
            match self.loose.last_mut() {
                Some(line)
                    if is_same_file
                        && !line.ends()
                        && !single.begins()
                        && line.may_go_on_in(&single) =>
                {
                    line.pieces.extend(single.pieces);
                }
                _ => self.loose.push(single),
            }
        }
    }

    /// Takes lines that waited in an earlier run.
    pub(crate) fn carry(&mut self, lines: Vec<Line>) {
        self.loose.extend(lines);
    }

    /// Takes the parts in a block of a source. Returns the lines that are complete, and those that never will be, in
    /// order. `most` bounds the bytes that wait.
    pub(crate) fn take(
        &mut self,
        (source, block): (usize, usize),
        origin: &Arc<Origin>,
        found: Vec<Found>,
        most: usize,
    ) -> Vec<Line> {
        let of_source = self.sources.entry(source).or_default();
        of_source.waiting.insert(block, (Arc::clone(origin), found));
        let mut done = Vec::new();
        while let Some((origin, found)) = of_source.waiting.remove(&of_source.next) {
            of_source.next += 1;
            // Archive members are separate logs.
            for found in found {
                match found {
                    Found::Whole(key) => {
                        of_source.met.insert(key);
                        if let Some(line) = of_source.open.remove(&key) {
                            self.bytes -= line.bytes();
                            done.push(line);
                        }
                    }
                    Found::Piece(piece) => {
                        of_source.add(*piece, &origin, &mut self.loose, &mut self.bytes, &mut done);
                    }
                }
                while self.bytes > most || self.loose.len() > MOST_LOOSE {
                    let is_loose = self.loose.len() > MOST_LOOSE;
                    let oldest = if is_loose { None } else { of_source.oldest() };
                    let Some(oldest) = oldest.or_else(|| self.loose.pop()) else { break };
                    self.bytes = self.bytes.saturating_sub(oldest.bytes());
                    done.push(oldest);
                }
            }
        }
        done
    }

    /// Returns the quarantined records from which a line was joined, which are then released.
    pub(crate) fn kept_of(&mut self, line: &Line) -> Vec<Arc<QuarantineRecord>> {
        line.pieces.iter().filter_map(|piece| self.kept.remove(&piece.raw)).collect()
    }

    /// Joins all waiting lines as far as possible. Returns the complete lines and the incomplete ones.
    pub(crate) fn finish(&mut self) -> (Vec<Line>, Vec<Line>) {
        let mut loose = std::mem::take(&mut self.loose);
        for (_, of_source) in std::mem::take(&mut self.sources) {
            loose.extend(of_source.open.into_values());
        }
        self.bytes = 0;
        // A file that is read again contains what was kept of it.
        let new: HashSet<Vec<u8>> = loose
            .iter()
            .flat_map(|line| &line.pieces)
            .filter(|piece| piece.kept.is_none())
            .map(|piece| piece.raw.clone())
            .collect();
        loose.retain(|line| !line.pieces.iter().all(|p| p.kept.is_some() && new.contains(&p.raw)));
        loose.sort_by_key(|line| {
            let first = line.pieces.first();
            first.map(|piece| (piece.mark.ordinal, piece.mark.time.map(|time| time.0)))
        });
        let mut whole = Vec::new();
        // A line that fits exactly one other line, on both sides, is joined with it.
        loop {
            let next_of = |index: usize| {
                let line: &Line = &loose[index];
                let may_follow = |(other, next): &(usize, &Line)| {
                    *other != index && !line.ends() && !next.begins() && line.may_go_on_in(next)
                };
                let mut following =
                    loose.iter().enumerate().filter(may_follow).map(|(other, _)| other);
                (following.next(), following.next())
            };
            let followers: Vec<_> = (0..loose.len()).map(next_of).collect();
            let pair = followers.iter().enumerate().find_map(|(index, follower)| match follower {
                (Some(next), None) => {
                    let others = followers.iter().filter(|(a, b)| [*a, *b].contains(&Some(*next)));
                    (others.count() == 1).then_some((index, *next))
                }
                _ => None,
            });
            let Some((first, second)) = pair else { break };
            let tail = loose[second].pieces.clone();
            loose[first].pieces.extend(tail);
            let first = if second < first { first - 1 } else { first };
            loose.remove(second);
            if loose[first].begins() && loose[first].ends() {
                whole.push(loose.remove(first));
            }
        }
        (whole, loose)
    }
}

impl OfSource {
    fn add(
        &mut self,
        piece: Piece,
        origin: &Arc<Origin>,
        loose: &mut Vec<Line>,
        bytes: &mut usize,
        done: &mut Vec<Line>,
    ) {
        let key = piece.mark.key;
        let length = piece.text.len() + piece.raw.len();
        let single = Line::of(piece, Arc::clone(origin));
        let is_other_log = |line: &Line| !Arc::ptr_eq(&line.origin, origin);
        if let Some(before) = self.open.get(&key) {
            let is_numbered = single.pieces[0].mark.ordinal.is_some();
            if !is_numbered && is_other_log(before) {
                // A line at the end of an archive member may continue in any other member.
                if let Some(before) = self.open.remove(&key) {
                    loose.push(before);
                }
            } else if !is_numbered
                && !before.may_go_on_in(&single)
                && let Some(before) = self.open.remove(&key)
            {
                *bytes -= before.bytes();
                done.push(before);
            }
        }
        *bytes += length;
        let line = self.open.entry(key).or_insert_with(|| {
            self.order.push(key);
            Line { pieces: Vec::new(), origin: Arc::clone(origin), from_start: false }
        });
        line.pieces.extend(single.pieces);
        line.pieces.sort_by_key(|piece| piece.mark.ordinal);
        let is_numbered = line.pieces.iter().all(|piece| piece.mark.ordinal.is_some());
        let is_done = line.ends() && (!is_numbered || line.begins() && !line.has_gap());
        let is_first = if line.pieces.len() == 1 { self.met.insert(key) } else { line.from_start };
        line.from_start = is_first;
        if is_done && let Some(line) = self.open.remove(&key) {
            if line.from_start && !line.begins() {
                loose.push(line);
            } else {
                *bytes -= line.bytes();
                done.push(line);
            }
        }
    }

    fn oldest(&mut self) -> Option<Line> {
        while !self.order.is_empty() {
            let key = self.order.remove(0);
            if let Some(line) = self.open.remove(&key) {
                return Some(line);
            }
        }
        None
    }
}
