//! Reassembly of lines that a runtime or shipper split into several records.
//!
//! The `framing` module joins the container runtimes' own lines as it reads them; this module handles marked parts, and
//! lines whose other parts are in another file. A part without its neighbour waits until the end of the run, and then in
//! the quarantine for the next run. Only numbered parts show that none is missing. Unnumbered parts must join to one
//! complete event. If that event may contain secrets, its bodies are dropped: after a gap, a secret could be where
//! redaction does not look.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use podtrail_event::QuarantineRecord;

pub(crate) use crate::envelope::part::Found;
use crate::envelope::part::{Key, Part};
use crate::json::{self, Object, ObjectWriter};
use crate::reject::LINE_MEMBERS;
use crate::run::options::Options;
use crate::run::parse::Origin;

/// The prefix of the reason of a quarantined part.
pub const PIECE: &str = "a piece of a split record";

/// Maximum number of lines that wait for another file.
const MAX_LOOSE: usize = 256;

/// Maximum time in microseconds between parts of one line, which are written together.
const LONGEST_PAUSE: i64 = 10_000_000;

/// The parts of one line, in order.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) parts: Vec<Part>,
    pub(crate) origin: Arc<Origin>,
    /// Whether the stream begins with this line in its source.
    from_start: bool,
}

impl Line {
    fn of(part: Part, origin: Arc<Origin>) -> Self {
        Self { parts: vec![part], origin, from_start: false }
    }

    fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.text.len() + part.raw.len()).sum()
    }

    /// Returns the record in which the line would have arrived if it had not been split.
    pub(crate) fn record(&self) -> Vec<u8> {
        let [first, _, ..] = self.parts.as_slice() else {
            return self.parts.first().map(|part| part.raw.clone()).unwrap_or_default();
        };
        let mut text = Vec::with_capacity(self.bytes());
        for part in &self.parts {
            let part = if part.mark.goes_on { trim_newline(&part.text) } else { &part.text };
            text.extend_from_slice(part);
        }
        let Some(object) = Object::read(&first.raw) else {
            let head = first.raw.len() - first.text.len();
            return [&first.raw[..head], text.as_slice()].concat();
        };
        let name = LINE_MEMBERS
            .iter()
            .find(|name| object.get(name).is_some_and(|v| v.get().starts_with('"')));
        let text = json::quote(&String::from_utf8_lossy(&text));
        ObjectWriter::write(object.iter().map(|(key, value)| {
            (key, if Some(&key) == name { text.as_str().into() } else { value.get().into() })
        }))
        .into_bytes()
    }

    /// Splits a line that is not one event where another event begins: the end of the one before is missing. A client chooses
    /// the text of a body, so a part that begins like an event is an event only if the whole line is not one.
    pub(crate) fn segments(&self) -> Vec<Self> {
        if self.is_numbered() {
            return vec![self.clone()];
        }
        let segments = self.parts.chunk_by(|_, next| !next.begins());
        let line = |parts: &[Part]| Self {
            parts: parts.to_vec(),
            origin: Arc::clone(&self.origin),
            from_start: self.from_start,
        };
        segments.map(line).collect()
    }

    /// Returns the original records of the line.
    pub(crate) fn records(&self) -> Vec<u8> {
        let records: Vec<&[u8]> = self.parts.iter().map(|part| part.raw.as_slice()).collect();
        records.join(&b'\n')
    }

    /// Returns whether numbers show that no part is missing in between.
    pub(crate) fn is_numbered(&self) -> bool {
        self.parts.len() == 1 || self.parts.iter().all(|part| part.mark.ordinal.is_some())
    }

    pub(crate) fn begins(&self) -> bool {
        self.parts.first().is_some_and(|part| match part.mark.ordinal {
            Some(ordinal) => ordinal <= 1,
            None => part.begins(),
        })
    }

    pub(crate) fn ends(&self) -> bool {
        self.parts.last().is_some_and(|part| !part.mark.goes_on)
    }

    /// Returns whether the numbers of the parts have a gap.
    fn has_gap(&self) -> bool {
        let number = |part: &Part| part.mark.ordinal;
        self.parts.windows(2).any(|pair| match (number(&pair[0]), number(&pair[1])) {
            (Some(a), Some(b)) => b != a + 1,
            _ => false,
        })
    }

    /// Returns whether `next` may continue this line.
    fn may_go_on_in(&self, next: &Self) -> bool {
        let (Some(last), Some(first)) = (self.parts.last(), next.parts.first()) else {
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
pub(crate) struct SplitRecords {
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

impl SplitRecords {
    /// Takes parts that were kept in the quarantine.
    pub(crate) fn keep(&mut self, options: &Options) {
        let mut records: Vec<&QuarantineRecord> = options.pieces.iter().collect();
        records.sort_by_key(|record| (&record.source_file, record.source_offset));
        let mut last_file = None;
        for record in records {
            let Some(part) = Part::of_record(record) else { continue };
            self.kept.extend(part.kept.clone().map(|kept| (part.raw.clone(), kept)));
            let single = Line::of(part, Arc::new(Origin::of_quarantined(record, options)));
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
                    line.parts.extend(single.parts);
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
                    Found::Piece(part) => {
                        of_source.add(*part, &origin, &mut self.loose, &mut self.bytes, &mut done);
                    }
                }
                while self.bytes > most || self.loose.len() > MAX_LOOSE {
                    let is_loose = self.loose.len() > MAX_LOOSE;
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
        line.parts.iter().filter_map(|part| self.kept.remove(&part.raw)).collect()
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
            .flat_map(|line| &line.parts)
            .filter(|part| part.kept.is_none())
            .map(|part| part.raw.clone())
            .collect();
        loose.retain(|line| !line.parts.iter().all(|p| p.kept.is_some() && new.contains(&p.raw)));
        loose.sort_by_key(|line| {
            let first = line.parts.first();
            first.map(|part| (part.mark.ordinal, part.mark.time.map(|time| time.0)))
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
            let tail = loose[second].parts.clone();
            loose[first].parts.extend(tail);
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
        part: Part,
        origin: &Arc<Origin>,
        loose: &mut Vec<Line>,
        bytes: &mut usize,
        done: &mut Vec<Line>,
    ) {
        let key = part.mark.key;
        let length = part.text.len() + part.raw.len();
        let single = Line::of(part, Arc::clone(origin));
        let is_other_log = |line: &Line| !Arc::ptr_eq(&line.origin, origin);
        if let Some(before) = self.open.get(&key) {
            let is_numbered = single.parts[0].mark.ordinal.is_some();
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
            Line { parts: Vec::new(), origin: Arc::clone(origin), from_start: false }
        });
        line.parts.extend(single.parts);
        line.parts.sort_by_key(|part| part.mark.ordinal);
        let is_numbered = line.parts.iter().all(|part| part.mark.ordinal.is_some());
        let is_done = line.ends() && (!is_numbered || line.begins() && !line.has_gap());
        let is_first = if line.parts.len() == 1 { self.met.insert(key) } else { line.from_start };
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
