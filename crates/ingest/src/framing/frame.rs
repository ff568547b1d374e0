//! Splits the decompressed stream into records, and groups records into blocks.
//!
//! A record is a line, with these exceptions. A line that begins with `{` or `[` and does not end with the closing
//! bracket, or ends with a comma after it, continues over the next lines as long as they form one JSON value. A run of
//! NUL bytes, left behind by a crash or by truncation of an open file, ends a line and is a record of its own. Lines
//! that a container runtime split are one record from the first part to the last, with everything between them. A list
//! that exceeds the record limit is read item by item. Any other record that exceeds the limit is cut to its first
//! bytes. If a line turns out not to begin a value, it is a record, and the next line starts over: damage affects one
//! line, or one item of a long list.
//!
//! Every byte belongs to a record, except blanks, byte order marks, commas between values, and the text around the
//! items of a list that is read item by item. If such a list is never closed, its beginning is a record too.
//!
//! Records depend only on the stream, not on how it is read in blocks. Blocks contain whole records, for the parsers.

use std::io::{self, Read};

use crate::framing::block::{Block, Kind, Record};
use crate::framing::buffer::{Head, Window};
use crate::framing::container_line::{LineTag, Next, Stream};
use crate::framing::long_list::{self, List, Opening};
use crate::framing::span::{Place, separator_length, trim_blanks_end, trim_end};
use crate::json::{self, Extent};

/// Bytes that are kept of a record that exceeds the limit or consists of NUL bytes.
pub(crate) const KEPT_BYTES: usize = 64 * 1024;

/// Maximum number of lines of a file that begin like a value over several lines and turn out not to be one. After that,
/// every line is a record. This prevents a hostile file from being read repeatedly.
const MAX_FAILED_JOINS: u32 = 64;

/// Maximum number of lists that continue after NUL bytes and are never closed. After that, NUL bytes end the line.
const MAX_UNCLOSED_LISTS: u32 = 64;

/// Lines within which a truncated line is recognized as such.
const FEW_LINES: usize = 8;

/// Maximum number of parts of one record: with the 16 KiB of the runtimes, four times the longest record.
const MAX_PARTS: usize = 16 * 1024;

/// Sizes, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Target size of a block.
    pub(crate) block: usize,
    /// Maximum length of a record.
    pub(crate) record: usize,
}

/// Reads blocks from a decompressed stream.
pub(crate) struct Framer<R> {
    window: Window<R>,
    limits: Limits,
    failed_joins: u32,
    /// The list that is read item by item, if any.
    list: Option<List>,
    /// The line in which the last JSON value ended; the next value begins after it.
    line_of_values: Option<u64>,
    /// Offset in the stream at which the last list ended in damage: no other list begins there.
    lost_at: Option<u64>,
    /// Beginnings of lists that were never closed, not yet handed out.
    unclosed: Vec<Block>,
    unclosed_lists: u32,
}

/// The next element in the buffer.
enum Step {
    Record(Record),
    /// Incomplete: read on.
    More,
    /// It exceeds the limit.
    Elide(Kind),
}

/// What the next step in a list found.
enum InList {
    Step(Step),
    /// The end of the list.
    Closed,
    /// Damage after which no further item is found.
    Lost,
}

impl<R: Read> Framer<R> {
    pub(crate) fn new(reader: R, limits: Limits) -> Self {
        let limits = Limits { block: limits.block.max(1), record: limits.record.max(1) };
        Self {
            window: Window::new(reader),
            limits,
            failed_joins: 0,
            list: None,
            line_of_values: None,
            lost_at: None,
            unclosed: Vec::new(),
            unclosed_lists: 0,
        }
    }

    /// Returns the error that ended the stream prematurely.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.window.take_failure()
    }

    /// Sets the position of the stream's start, if the stream begins inside a file.
    pub(crate) fn starting_at(self, place: Place) -> Self {
        Self { window: self.window.starting_at(place), ..self }
    }

    /// Returns the offset at which the next block begins: after the last one, the length of the stream.
    pub(crate) fn offset(&self) -> u64 {
        self.window.position(0)
    }

    /// Returns the next block, with at least one record; `None` at the end of the stream.
    pub(crate) fn next_block(&mut self) -> Option<Block> {
        let mut wanted = self.limits.block;
        loop {
            if let Some(block) = self.unclosed.pop() {
                return Some(block);
            }
            self.window.fill(wanted);
            let mut records = Vec::new();
            let mut at = 0;
            let elided = loop {
                match self.step(&mut at) {
                    Step::Record(record) => records.push(record),
                    Step::More => break None,
                    Step::Elide(kind) => break Some(kind),
                }
            };
            if !records.is_empty() {
                let (offset, bytes) = self.window.give_out(at);
                return Some(Block { offset, bytes, records });
            }
            self.window.drop_before(at);
            if let Some(kind) = elided {
                return Some(self.elide(kind));
            }
            let length = self.window.length();
            if self.window.has_ended() && length == 0 {
                match self.list.take() {
                    Some(list) => self.note_unclosed(&list),
                    None if self.unclosed.is_empty() => return None,
                    None => {}
                }
            }
            let at_most = self.limits.record.saturating_add(1);
            wanted = length.saturating_mul(2).min(at_most).max(self.limits.block);
        }
    }

    /// Forms a record from the bytes at `at`, and moves `at` past it.
    fn step(&mut self, at: &mut usize) -> Step {
        self.skip_separators(at);
        if let Some(mut list) = self.list.take() {
            match self.step_in_list(at, &mut list, self.limits.record) {
                InList::Step(step) => {
                    self.list = Some(list);
                    return step;
                }
                InList::Closed => {}
                InList::Lost => {
                    self.lost_at = Some(self.window.position(*at));
                    self.note_unclosed(&list);
                }
            }
        }
        let rest = self.window.rest(*at);
        let Some(&first) = rest.first() else { return Step::More };
        if first == 0 {
            let end = rest.iter().position(|byte| *byte != 0);
            return match end.or(self.window.has_ended().then_some(rest.len())) {
                Some(end) => Step::Record(self.record(at, Kind::Nul, end)),
                None if rest.len() >= self.limits.block => Step::Elide(Kind::Nul),
                None => Step::More,
            };
        }
        if self.line_of_values == Some(self.window.line()) && json::is_open(rest) {
            match json::extent(&rest[..rest.len().min(self.limits.record)]) {
                Extent::Complete(length) => return Step::Record(self.value(at, length)),
                Extent::Incomplete
                    if !self.window.has_ended() && rest.len() <= self.limits.record =>
                {
                    return Step::More;
                }
                Extent::Incomplete | Extent::Invalid { .. } => {}
            }
        }
        let end = self.window.line_end(*at);
        let rest = self.window.rest(*at);
        let end = end.or(self.window.has_ended().then_some(rest.len()));
        if end.is_none() && rest.len() < self.limits.block {
            return Step::More;
        }

        let line = &rest[..end.unwrap_or(rest.len())];
        let too_long = line.len() > self.limits.record;
        let text = trim_end(line);
        let length = text.len();
        let begins_part = end.is_some() && !too_long && is_part(text);
        if begins_part && let Some(step) = self.parts(at) {
            return step;
        }
        let rest = self.window.rest(*at);
        let line = &rest[..end.unwrap_or(rest.len())];
        let text = trim_end(line);
        // After a comma the value may continue, so the comma is part of the text here.
        let is_unclosed = || json::is_unclosed(trim_blanks_end(line));
        let is_lost = self.lost_at == Some(self.window.position(*at));
        if !is_lost && json::is_open(text) && (end.is_none() || too_long || is_unclosed()) {
            match self.join(*at, end) {
                Join::Value(length) => {
                    // A container runtime's object, formatted over several lines.
                    if is_part(&self.window.rest(*at)[..length])
                        && let Some(step) = self.parts(at)
                    {
                        return step;
                    }
                    return Step::Record(self.value(at, length));
                }
                Join::List(opening) => {
                    self.list = Some(self.list_at(at, opening));
                    return self.step(at);
                }
                Join::TornList(opening) => match self.open_torn_list(at, opening) {
                    InList::Step(step) => return step,
                    InList::Closed => return self.step(at),
                    // The list has no items.
                    InList::Lost => {}
                },
                Join::More => return Step::More,
                Join::Line => {}
            }
        }
        match end {
            Some(end) if too_long => Step::Record(self.record(at, Kind::TooLong, end)),
            Some(_) => Step::Record(self.record(at, Kind::Text, length)),
            None if too_long => Step::Elide(Kind::TooLong),
            None => Step::More,
        }
    }

    /// Frames the parts of a split line, the first of which begins at `at`; `None` if `at` is not a part.
    fn parts(&mut self, at: &mut usize) -> Option<Step> {
        match self.gather(*at) {
            Some(0) => None,
            Some(length) => Some(Step::Record(self.record(at, Kind::Text, length))),
            None => Some(Step::More),
        }
    }

    /// Opens the list at `at`, and moves `at` past its beginning.
    fn list_at(&mut self, at: &mut usize, opening: Opening) -> List {
        let head = &self.window.rest(*at)[..opening.length];
        let place = Place { offset: self.window.position(*at), line: self.window.line() };
        let list = List::new(head, place, opening.objects);
        self.window.advance(at, opening.length);
        list
    }

    /// Opens a list that contains NUL bytes. Changes nothing if more input is needed, or if no item is within reach.
    fn open_torn_list(&mut self, at: &mut usize, opening: Opening) -> InList {
        let (start, line) = (*at, self.window.line());
        self.list = Some(self.list_at(at, opening));
        self.skip_separators(at);
        let Some(mut list) = self.list.take() else { return InList::Lost };
        let reach = self.limits.record.saturating_sub(*at - start);
        let found = self.step_in_list(at, &mut list, reach);
        match found {
            InList::Step(Step::Record(_)) => self.list = Some(list),
            InList::Closed => {}
            InList::Step(Step::More | Step::Elide(_)) | InList::Lost => {
                *at = start;
                self.window.return_to(line);
            }
        }
        found
    }

    /// Keeps the beginning of a list as a record, in case the list is never closed.
    fn note_unclosed(&mut self, list: &List) {
        let (head, Place { offset, line }) = list.head();
        let end = trim_end(head).len();
        let length = end as u64;
        let record = Record { kind: Kind::Text, start: 0, end, length, line, enclosing: None };
        self.unclosed.push(Block { offset, bytes: head.to_vec().into(), records: vec![record] });
        self.unclosed_lists += 1;
    }

    /// Takes a step where a list item may begin; the item is at most `limit` bytes long.
    fn step_in_list(&mut self, at: &mut usize, list: &mut List, limit: usize) -> InList {
        let rest = self.window.rest(*at);
        let Some(first) = rest.first() else { return InList::Step(Step::More) };
        let text = &rest[..rest.len().min(limit)];
        if *first == b']' {
            match long_list::closing(rest, list.objects, limit) {
                Extent::Incomplete if !self.window.has_ended() => return InList::Step(Step::More),
                Extent::Incomplete | Extent::Invalid { .. } => return InList::Lost,
                Extent::Complete(length) => {
                    self.window.advance(at, length);
                    self.skip_separators(at);
                    return InList::Closed;
                }
            }
        }
        if json::is_open(text)
            && let Extent::Complete(length) = json::extent(text)
        {
            let enclosing = list.item(&text[..length]);
            let record = self.record(at, Kind::Text, length);
            return InList::Step(Step::Record(Record { enclosing, ..record }));
        }
        if !self.window.has_ended() && rest.len() <= limit {
            return InList::Step(Step::More);
        }
        let Some(next) = list.after_damage(text) else { return InList::Lost };
        let damaged = trim_blanks_end(&text[..next]);
        let length = trim_blanks_end(damaged.strip_suffix(b",").unwrap_or(damaged)).len();
        InList::Step(Step::Record(self.record(at, Kind::Text, length)))
    }

    /// Returns how far a value at `at` extends past its line; `line_end` is the length of the line, if known.
    fn join(&mut self, at: usize, line_end: Option<usize>) -> Join {
        let rest = self.window.rest(at);
        let limit = self.limits.record;
        // After a value in the same line it is part of that line, whether or not that line is split into its values.
        let may_go_on = self.line_of_values != Some(self.window.line())
            && self.unclosed_lists < MAX_UNCLOSED_LISTS;
        if let Some(end) = line_end.filter(|_| may_go_on)
            && let Some(0) = rest.get(end)
            && let Some(opening) = long_list::opening(&rest[..end.min(limit)])
        {
            let after = rest[..rest.len().min(limit)].get(end..).unwrap_or_default();
            match after.iter().position(|byte| *byte != 0) {
                None if !self.window.has_ended() && rest.len() <= limit => return Join::More,
                // The word after the bracket decides whether a value begins after the NUL bytes.
                Some(start)
                    if after[start] == b'['
                        && after.len() - start <= json::LONGEST_WORD
                        && !self.window.has_ended()
                        && rest.len() <= limit =>
                {
                    return Join::More;
                }
                // The list continues after the NUL bytes.
                Some(start) if !json::is_open(&after[start..]) => return Join::TornList(opening),
                _ => {}
            }
        }
        let may_join = self.failed_joins < MAX_FAILED_JOINS;
        let window = match line_end {
            Some(end) if !may_join => end,
            _ => rest.len(),
        };
        match json::extent(&rest[..window.min(limit)]) {
            Extent::Complete(length) => return Join::Value(length),
            Extent::Incomplete if may_join && !self.window.has_ended() && rest.len() <= limit => {
                return Join::More;
            }
            Extent::Incomplete
                if window >= limit
                    && let Some(opening) = long_list::opening(&rest[..limit]) =>
            {
                return Join::List(opening);
            }
            // One damaged line.
            Extent::Invalid { .. }
                if line_end.unwrap_or(rest.len()) > limit
                    && let Some(opening) = long_list::opening_before_damage(&rest[..limit]) =>
            {
                return Join::List(opening);
            }
            Extent::Invalid { line } if line <= FEW_LINES => {}
            // The allowance counts whole lines only, so that it does not depend on the buffer's content.
            Extent::Incomplete | Extent::Invalid { .. } => {
                let is_whole_line = line_end.is_some_and(|end| end <= limit);
                self.failed_joins += u32::from(may_join && is_whole_line);
            }
        }
        Join::Line
    }

    /// Returns the extent of a split line's parts: to the last part of every stream that has begun one. `None` if more
    /// input is needed. A line that is never completed extends to its last part.
    fn gather(&mut self, at: usize) -> Option<usize> {
        let text = self.window.rest(at);
        let limit = self.limits.record;
        let mut open = [false; 2];
        let mut start = 0;
        let mut length = 0;
        let mut failures = 0;
        for _ in 0..MAX_PARTS {
            let may_span = self.failed_joins < MAX_FAILED_JOINS;
            let (tag, end) = match LineTag::at_start(&text[start..], may_span) {
                Next::Line(tag, length) => (tag, start + length),
                Next::Open(tag) if self.window.has_ended() => (tag, text.len()),
                Next::Open(_) | Next::Cut if !self.window.has_ended() && text.len() <= limit => {
                    return None;
                }
                Next::Open(_) | Next::Other => break,
                Next::Cut => {
                    failures = 1;
                    break;
                }
            };
            if end > limit {
                break;
            }
            open[usize::from(tag.stream == Stream::Err)] = tag.is_partial;
            length = start + trim_end(&text[start..end]).len();
            if !open.contains(&true) || text.get(end) != Some(&b'\n') {
                break;
            }
            start = end + 1;
        }
        self.failed_joins += failures;
        Some(length)
    }

    fn record(&mut self, at: &mut usize, kind: Kind, length: usize) -> Record {
        let start = *at;
        let kept = if kind == Kind::Text { length } else { length.min(KEPT_BYTES) };
        let line = self.window.line();
        self.window.advance(at, length);
        self.note_line_end(kind);
        Record { kind, start, end: start + kept, length: length as u64, line, enclosing: None }
    }

    /// The text after NUL bytes counts as another line.
    fn note_line_end(&mut self, kind: Kind) {
        if kind == Kind::Nul {
            self.line_of_values = None;
        }
    }

    /// Forms a record from a JSON value: text after it in the same line is another record.
    fn value(&mut self, at: &mut usize, length: usize) -> Record {
        let record = self.record(at, Kind::Text, length);
        self.line_of_values = Some(self.window.line());
        record
    }

    fn skip_separators(&mut self, at: &mut usize) {
        loop {
            let rest = self.window.rest(*at);
            match separator_length(rest) {
                0 => return,
                length => {
                    if rest[0] == b','
                        && let Some(list) = &mut self.list
                    {
                        list.comma();
                    }
                    self.window.advance(at, length);
                }
            }
        }
    }

    /// Returns the first bytes of the next record and discards the rest of it.
    fn elide(&mut self, kind: Kind) -> Block {
        let line = self.window.line();
        self.note_line_end(kind);
        let Head { offset, bytes, length } = self.window.read_over(kind, KEPT_BYTES);
        let record = Record { kind, start: 0, end: bytes.len(), length, line, enclosing: None };
        Block { offset, bytes, records: vec![record] }
    }
}

/// Returns whether a text is a part of a line that continues in another line.
fn is_part(text: &[u8]) -> bool {
    LineTag::of(text).is_some_and(|tag| tag.is_partial)
}

enum Join {
    /// A value with this length in bytes.
    Value(usize),
    /// A list that exceeds the record limit.
    List(Opening),
    /// A list that continues after NUL bytes.
    TornList(Opening),
    /// More input is needed.
    More,
    /// No value: the line is a record.
    Line,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 64 << 20;

    /// Returns offset and length of every record.
    fn records(log: &str, block: usize, record: usize) -> Vec<(u64, usize)> {
        let mut framer = Framer::new(log.as_bytes(), Limits { block, record });
        let mut records = Vec::new();
        while let Some(block) = framer.next_block() {
            records.extend(
                block
                    .records
                    .iter()
                    .map(|record| (block.offset + record.start as u64, record.end - record.start)),
            );
        }
        records
    }

    fn cri(stream: &str, tag: &str, text: &str) -> String {
        format!("2026-11-24T10:09:15.123456789Z {stream} {tag} {text}")
    }

    fn docker(stream: &str, text: &str) -> String {
        let text = serde_json::Value::from(text);
        format!(r#"{{"log":{text},"stream":"{stream}","time":"2026-11-24T10:09:15.123456789Z"}}"#)
    }

    /// Returns lines, and how many of them form each record.
    ///
    /// Based on the documentation of the runtimes; no real sample was available.
    fn table() -> Vec<(Vec<String>, Vec<usize>)> {
        let out = |tag, text| cri("stdout", tag, text);
        let err = |tag, text| cri("stderr", tag, text);
        let long = "x".repeat(16 * 1024);
        let braces = format!("{{{}}}", "x".repeat(16 * 1024 - 2));
        vec![
            (vec![out("F", "a"), out("F", "b")], vec![1, 1]),
            (vec![out("P", "a "), out("P", "b,"), out("F", "c")], vec![3]),
            (vec![out("P:x", "a"), out("F:x", "")], vec![2]),
            (vec![out("P", "a"), err("F", "e"), out("F", "b")], vec![3]),
            (
                vec![out("P", "a"), err("P", "e"), out("F", "b"), err("F", "f"), out("F", "c")],
                vec![4, 1],
            ),
            (vec![out("P", "a"), "text".into(), out("F", "b")], vec![1, 1, 1]),
            (vec![out("P", "a"), out("P", "b")], vec![2]),
            (vec![out("X", "a"), cri("stdlog", "P", "b")], vec![1, 1]),
            (vec!["2026-11-24 10:09:15 stdout P a".into(), "3 P".into()], vec![1, 1]),
            (vec![docker("stdout", "a\n"), docker("stdout", "b\n")], vec![1, 1]),
            (vec![docker("stdout", "a"), docker("stdout", "b"), docker("stdout", "c\n")], vec![3]),
            (vec![docker("stdout", "a\\n"), docker("stdout", "\",\"stream\":\"\n")], vec![2]),
            (
                vec![docker("stdout", &long), docker("stderr", "e\n"), docker("stdout", "\n")],
                vec![3],
            ),
            (vec![docker("stdout", "{a}"), docker("stdout", "{b}")], vec![1, 1]),
            (vec![docker("stdout", &braces), docker("stdout", "}\n")], vec![2]),
        ]
    }

    #[test]
    fn the_parts_of_a_line_are_one_record() {
        for (lines, counts) in table() {
            let log = lines.join("\n") + "\n";
            let mut expected = Vec::new();
            let mut offset = 0;
            let mut rest = &lines[..];
            for count in counts {
                let (record, others) = rest.split_at(count);
                let record = record.join("\n");
                expected.push((offset, record.trim_end().len()));
                offset += record.len() as u64 + 1;
                rest = others;
            }
            for block in [1, 50, 1000, 1 << 22] {
                assert_eq!(records(&log, block, LIMIT), expected, "{lines:?} in blocks of {block}");
            }
        }
    }

    /// A part that is never completed neither consumes the rest of the log nor waits forever.
    #[test]
    fn parts_without_end() {
        let part = cri("stdout", "P", "x");
        let log = format!("{}\nother\n", vec![&part[..]; 50_000].join("\n"));
        let length = part.len() + 1;
        for (limit, groups) in [(LIMIT, 4), (length * 1000 - 1, 50), (length * 1000 - 2, 51)] {
            let whole = records(&log, 1 << 22, limit);
            assert_eq!(whole.len(), groups + 1);
            assert_eq!(whole.last().map(|(_, length)| *length), Some("other".len()));
            assert_eq!(records(&log, 5000, limit), whole);
        }
    }
}
