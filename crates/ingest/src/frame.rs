//! Cutting the decompressed stream into records, and the records into blocks.
//!
//! A record is a line, whatever it holds, with these exceptions. A line that begins with `{` or `[` and does not end with the
//! closing bracket, or ends with a comma behind it, goes on over the next lines for as long as they make one JSON value. A run of NUL bytes, which a crash
//! or a truncation under an open file leaves behind, ends a line and is a record by itself. Lines that a container runtime
//! split are one record from the first part to the last, with what stands between. A list that is longer than the limit is
//! read item by item. What else is longer is cut to its first bytes. When a line turns out not to begin a value it is a
//! record, and the next line starts anew: damage costs the line it is in, or the item of a long list.
//!
//! Records depend on the stream alone, not on how it falls into blocks. Blocks are whole records, for the parsers.

use std::io::{self, BufRead, BufReader, Read};
use std::mem;
use std::sync::Arc;

use arrow::buffer::Buffer;
use memchr::memchr2;

use crate::envelope::Place;
use crate::json::{self, Extent};
use crate::span::{count_lines, is_separator, separator_length};
use crate::split::{Part, Stream};
use crate::wrapper::{self, List, Opening, Wrapper};

/// How much of a record is kept that is too long, or nothing but NUL bytes.
pub(crate) const KEPT_BYTES: usize = 64 * 1024;

/// After so many lines of a file that begin like a value over several lines, and are none however far one reads, a line is
/// a line. It keeps a hostile file from being read again and again.
const MAX_FAILED_JOINS: u32 = 64;

/// A line that was cut off is seen to be none of them within a few lines.
const FEW_LINES: usize = 8;

/// How many lines one record may be split into: 16 KiB each, as the runtimes do, make the longest record four times over.
const MAX_PARTS: usize = 16 * 1024;

/// How much is read at a time: it stays in a core's cache until it is in the buffer.
const READ_BYTES: usize = 128 * 1024;

/// Sizes, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// What a block should hold.
    pub(crate) block: usize,
    /// The longest record.
    pub(crate) record: usize,
}

/// Whole records, with blanks between them.
#[derive(Debug)]
pub(crate) struct Block {
    /// Where `bytes` begins in the decompressed stream.
    pub(crate) offset: u64,
    pub(crate) bytes: Buffer,
    pub(crate) records: Vec<Record>,
}

impl Block {
    /// The first and the second half of its records, if it has more than one.
    pub(crate) fn halves(&self) -> Option<[Self; 2]> {
        let middle = self.records.len() / 2;
        let (first, second) = self.records.split_at(middle);
        let cut = second.first().filter(|_| middle > 0)?.start;
        let (head, tail) = (self.bytes.slice_with_length(0, cut), self.bytes.slice(cut));
        let moved = |record: &Record| Record {
            start: record.start - cut,
            end: record.end - cut,
            ..record.clone()
        };
        let offset = self.offset + cut as u64;
        Some([
            Self { offset: self.offset, bytes: head, records: first.to_vec() },
            Self { offset, bytes: tail, records: second.iter().map(moved).collect() },
        ])
    }
}

/// One record of a block.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    /// Where what is kept of it stands in the block.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Its true length in bytes.
    pub(crate) length: u64,
    /// The line in which it begins, from 1.
    pub(crate) line: u64,
    /// What is around the list that it is an item of, if that is read item by item.
    pub(crate) wrapper: Option<Arc<Wrapper>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One line, or one JSON value; possibly several values in one line, or the parts of a line that was split.
    Text,
    /// A run of NUL bytes.
    Nul,
    /// Longer than the limit.
    TooLong,
}

impl Kind {
    /// Where a record of this kind ends in `bytes`, if it does.
    fn end_in(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Nul => bytes.iter().position(|byte| *byte != 0),
            Self::Text | Self::TooLong => memchr2(b'\n', 0, bytes),
        }
    }
}

/// Reads blocks from a decompressed stream.
pub(crate) struct Framer<R> {
    reader: BufReader<R>,
    limits: Limits,
    /// What was read and not yet given out.
    buffer: Vec<u8>,
    /// Where `buffer` begins in the stream.
    offset: u64,
    /// The line at the point up to which records were made.
    line: u64,
    ended: bool,
    failure: Option<io::Error>,
    failed_joins: u32,
    /// The list whose items are being read, if one is.
    list: Option<List>,
    /// Where the line ends that was looked at last, in the stream.
    line_end: Option<u64>,
    /// How far the stream was searched for ends of lines.
    searched: u64,
    /// The line in which the last value ended, if that line is too long to be one record: the next begins behind it.
    line_of_values: Option<u64>,
    /// Where in the stream the last list ended in damage: what stands there begins no other.
    lost_at: Option<u64>,
}

/// The next thing in the buffer.
enum Step {
    Record(Record),
    /// It is not all there: read on.
    More,
    /// Its end is too far away to be held.
    Elide(Kind),
}

/// What is found in a list that is read item by item.
enum InList {
    Step(Step),
    /// Its end.
    Closed,
    /// Damage that leads to no further item.
    Lost,
}

impl<R: Read> Framer<R> {
    pub(crate) fn new(reader: R, limits: Limits) -> Self {
        let limits = Limits { block: limits.block.max(1), record: limits.record.max(1) };
        Self {
            reader: BufReader::with_capacity(READ_BYTES, reader),
            limits,
            buffer: Vec::new(),
            offset: 0,
            line: 1,
            ended: false,
            failure: None,
            failed_joins: 0,
            list: None,
            line_end: None,
            searched: 0,
            line_of_values: None,
            lost_at: None,
        }
    }

    /// The error that ended the stream before its time.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// The same for a stream that begins inside a file, at an offset in bytes and in a line.
    pub(crate) fn starting_at(self, place: Place) -> Self {
        Self { offset: place.offset, line: place.line, ..self }
    }

    /// Where the next block would begin: after the last one, the length of the stream.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next block; none at the end of the stream. A block has at least one record.
    pub(crate) fn next_block(&mut self) -> Option<Block> {
        let mut wanted = self.limits.block;
        loop {
            self.fill(wanted);
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
                return Some(self.cut(at, records));
            }
            self.buffer.drain(..at);
            self.offset += at as u64;
            if let Some(kind) = elided {
                return Some(self.elide(kind));
            }
            if self.ended && self.buffer.is_empty() {
                return None;
            }
            let at_most = self.limits.record.saturating_add(1);
            wanted = self.buffer.len().saturating_mul(2).min(at_most).max(self.limits.block);
        }
    }

    /// Reads until the buffer has `wanted` bytes, or the stream ends.
    fn fill(&mut self, wanted: usize) {
        let missing = wanted.saturating_sub(self.buffer.len());
        if missing > 0 && !self.ended {
            let mut buffer = mem::take(&mut self.buffer);
            self.read_into(&mut buffer, missing);
            self.buffer = buffer;
        }
    }

    fn read_into(&mut self, buffer: &mut Vec<u8>, count: usize) {
        buffer.reserve(count);
        let wanted = buffer.len() + count;
        while buffer.len() < wanted && !self.ended {
            match self.reader.fill_buf() {
                Ok([]) => self.ended = true,
                Ok(read) => {
                    let taken = read.len().min(wanted - buffer.len());
                    buffer.extend_from_slice(&read[..taken]);
                    self.reader.consume(taken);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.failure = Some(error);
                }
            }
        }
    }

    /// Makes a record of what stands at `at`, and moves `at` behind it.
    fn step(&mut self, at: &mut usize) -> Step {
        self.skip_separators(at);
        if let Some(mut list) = self.list.take() {
            match self.step_in_list(at, &mut list) {
                InList::Step(step) => {
                    self.list = Some(list);
                    return step;
                }
                InList::Closed => {}
                InList::Lost => self.lost_at = Some(self.offset + *at as u64),
            }
        }
        let rest = &self.buffer[*at..];
        let Some(&first) = rest.first() else { return Step::More };
        if first == 0 {
            let end = rest.iter().position(|byte| *byte != 0);
            return match end.or(self.ended.then_some(rest.len())) {
                Some(end) => Step::Record(self.record(at, Kind::Nul, end)),
                None if rest.len() >= self.limits.block => Step::Elide(Kind::Nul),
                None => Step::More,
            };
        }
        if self.line_of_values == Some(self.line) && json::is_open(rest) {
            match json::extent(&rest[..rest.len().min(self.limits.record)]) {
                Extent::Complete(length) => return Step::Record(self.value(at, length)),
                Extent::Incomplete if !self.ended && rest.len() <= self.limits.record => {
                    return Step::More;
                }
                Extent::Incomplete | Extent::Invalid { .. } => {}
            }
        }
        let end = self.line_end(*at);
        let rest = &self.buffer[*at..];
        let end = end.or(self.ended.then_some(rest.len()));
        if end.is_none() && rest.len() < self.limits.block {
            return Step::More;
        }

        let line = &rest[..end.unwrap_or(rest.len())];
        let too_long = line.len() > self.limits.record;
        let text = trim_end(line);
        let length = text.len();
        if end.is_some() && !too_long && Part::of(text).is_some_and(|part| part.is_partial) {
            return match self.gather(rest) {
                Some(length) => Step::Record(self.record(at, Kind::Text, length)),
                None => Step::More,
            };
        }
        // Behind a comma the value may go on: it is part of the text here.
        let is_unclosed = || json::is_unclosed(line.trim_ascii_end());
        let is_lost = self.lost_at == Some(self.offset + *at as u64);
        if !is_lost && json::is_open(text) && (end.is_none() || too_long || is_unclosed()) {
            match self.join(*at, end) {
                Join::Value(length) if end.is_none() => {
                    return Step::Record(self.value(at, length));
                }
                Join::Value(length) => return Step::Record(self.record(at, Kind::Text, length)),
                Join::List(opening) => {
                    let head = &self.buffer[*at..*at + opening.length];
                    self.list = Some(List::new(head, opening.objects));
                    self.advance(at, opening.length);
                    return self.step(at);
                }
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

    /// The same where an item of a list may begin.
    fn step_in_list(&mut self, at: &mut usize, list: &mut List) -> InList {
        let rest = &self.buffer[*at..];
        let Some(first) = rest.first() else { return InList::Step(Step::More) };
        let text = &rest[..rest.len().min(self.limits.record)];
        if *first == b']' {
            match wrapper::closing(rest, list.objects) {
                Extent::Incomplete if !self.ended => return InList::Step(Step::More),
                Extent::Incomplete | Extent::Invalid { .. } => return InList::Lost,
                Extent::Complete(length) => {
                    self.advance(at, length);
                    self.skip_separators(at);
                    return InList::Closed;
                }
            }
        }
        if json::is_open(text)
            && let Extent::Complete(length) = json::extent(text)
        {
            let wrapper = list.item(&text[..length]);
            let record = self.record(at, Kind::Text, length);
            return InList::Step(Step::Record(Record { wrapper, ..record }));
        }
        if !self.ended && rest.len() <= self.limits.record {
            return InList::Step(Step::More);
        }
        let Some(next) = list.after_damage(text) else { return InList::Lost };
        let damaged = text[..next].trim_ascii_end();
        let length = damaged.strip_suffix(b",").unwrap_or(damaged).trim_ascii_end().len();
        InList::Step(Step::Record(self.record(at, Kind::Text, length)))
    }

    /// Where the line ends in which `at` is, counted from `at`. Each byte is searched once: a line may have many values.
    fn line_end(&mut self, at: usize) -> Option<usize> {
        let here = self.offset + at as u64;
        let known = self.line_end.filter(|end| *end >= here);
        if known.is_none() {
            let from = self.searched.max(here);
            let start = usize::try_from(from - self.offset).unwrap_or(self.buffer.len());
            let rest = self.buffer.get(start..).unwrap_or_default();
            self.line_end = memchr2(b'\n', 0, rest).map(|end| from + end as u64);
            self.searched = self.line_end.unwrap_or(self.offset + self.buffer.len() as u64);
        }
        let end = known.or(self.line_end)? - here;
        usize::try_from(end).ok()
    }

    /// Whether a value begins at `at` that does not end with its line; `line_end` is the length of that, if known.
    fn join(&mut self, at: usize, line_end: Option<usize>) -> Join {
        let rest = &self.buffer[at..];
        let limit = self.limits.record;
        if let Some(end) = line_end
            && let Some(0) = rest.get(end)
            && let Some(opening) = wrapper::opening(&rest[..end.min(limit)])
        {
            let after = rest[..rest.len().min(limit)].get(end..).unwrap_or_default();
            match after.iter().position(|byte| *byte != 0) {
                None if !self.ended && rest.len() <= limit => return Join::More,
                // The list goes on behind the NUL bytes.
                Some(start) if !json::is_open(&after[start..]) => return Join::List(opening),
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
            Extent::Incomplete if may_join && !self.ended && rest.len() <= limit => {
                return Join::More;
            }
            Extent::Incomplete
                if window >= limit
                    && let Some(opening) = wrapper::opening(&rest[..limit]) =>
            {
                return Join::List(opening);
            }
            // One line with damage in it.
            Extent::Invalid { .. }
                if line_end.unwrap_or(rest.len()) > limit
                    && let Some(opening) = wrapper::opening_before_damage(&rest[..limit]) =>
            {
                return Join::List(opening);
            }
            Extent::Invalid { line } if line <= FEW_LINES => {}
            // The allowance is for whole lines only, so that it does not depend on what is in the buffer.
            Extent::Incomplete | Extent::Invalid { .. } => {
                let is_whole_line = line_end.is_some_and(|end| end <= limit);
                self.failed_joins += u32::from(may_join && is_whole_line);
            }
        }
        Join::Line
    }

    /// How far the parts of a line reach that was split: to the last part of every stream that has begun one. None if it is
    /// not all there. What is never finished reaches as far as there are parts.
    fn gather(&self, text: &[u8]) -> Option<usize> {
        let limit = self.limits.record;
        let mut open = [false; 2];
        let mut start = 0;
        let mut length = 0;
        for _ in 0..MAX_PARTS {
            let rest = &text[start..];
            let line = match Kind::Text.end_in(rest) {
                Some(end) => &rest[..end],
                None if self.ended => rest,
                None if text.len() > limit => break,
                None => return None,
            };
            let part = if start + line.len() > limit { None } else { Part::of(trim_end(line)) };
            let Some(part) = part else { break };
            open[usize::from(part.stream == Stream::Err)] = part.is_partial;
            length = start + trim_end(line).len();
            if !open.contains(&true) || rest.get(line.len()) != Some(&b'\n') {
                break;
            }
            start += line.len() + 1;
        }
        Some(length)
    }

    fn record(&mut self, at: &mut usize, kind: Kind, length: usize) -> Record {
        let start = *at;
        let kept = if kind == Kind::Text { length } else { length.min(KEPT_BYTES) };
        let line = self.line;
        self.advance(at, length);
        Record { kind, start, end: start + kept, length: length as u64, line, wrapper: None }
    }

    /// A value in a line that is too long to be one record.
    fn value(&mut self, at: &mut usize, length: usize) -> Record {
        let record = self.record(at, Kind::Text, length);
        self.line_of_values = Some(self.line);
        record
    }

    /// Moves `at` on, and counts the lines.
    fn advance(&mut self, at: &mut usize, length: usize) {
        let end = *at + length;
        self.line += count_lines(&self.buffer[*at..end]);
        *at = end;
    }

    fn skip_separators(&mut self, at: &mut usize) {
        loop {
            let rest = &self.buffer[*at..];
            match separator_length(rest) {
                0 => return,
                length => {
                    self.line += u64::from(rest[0] == b'\n');
                    if rest[0] == b','
                        && let Some(list) = &mut self.list
                    {
                        list.comma();
                    }
                    *at += length;
                }
            }
        }
    }

    /// Gives out the buffer up to `at`.
    fn cut(&mut self, at: usize, records: Vec<Record>) -> Block {
        let rest = self.buffer.split_off(at);
        let mut bytes = mem::replace(&mut self.buffer, rest);
        // Rows refer to it: what is short must not hold the memory of a whole block.
        bytes.shrink_to_fit();
        let block = Block { offset: self.offset, bytes: bytes.into(), records };
        self.offset += at as u64;
        block
    }

    /// Gives out the first bytes of the record at the start of the buffer and reads over the rest of it.
    fn elide(&mut self, kind: Kind) -> Block {
        const CHUNK: usize = 256 * 1024;
        let mut bytes = mem::take(&mut self.buffer);
        let mut length = bytes.len() as u64;
        bytes.truncate(KEPT_BYTES);
        bytes.shrink_to_fit();
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            chunk.clear();
            if !self.ended {
                self.read_into(&mut chunk, CHUNK);
            }
            let end = kind.end_in(&chunk);
            let skipped = end.unwrap_or(chunk.len());
            length += skipped as u64;
            bytes.extend_from_slice(&chunk[..skipped.min(KEPT_BYTES - bytes.len())]);
            chunk.drain(..skipped);
            if end.is_some() || self.ended {
                break;
            }
        }
        self.buffer = chunk;
        let (start, end, line) = (0, bytes.len(), self.line);
        let record = Record { kind, start, end, length, line, wrapper: None };
        let block = Block { offset: self.offset, bytes: bytes.into(), records: vec![record] };
        self.offset += length;
        block
    }
}

/// Without the blanks at the end and, after JSON, the commas. What begins with another byte keeps that.
fn trim_end(line: &[u8]) -> &[u8] {
    let is_json = json::is_open(line);
    let is_trimmed = |byte: u8| is_separator(byte) && (is_json || byte != b',');
    let end = line.iter().rposition(|byte| !is_trimmed(*byte)).map_or(0, |last| last + 1);
    &line[..end]
}

enum Join {
    /// A value of that many bytes.
    Value(usize),
    /// A list that is longer than a record may be, or has NUL bytes in it.
    List(Opening),
    /// Not to be decided yet.
    More,
    /// None: the line stands for itself.
    Line,
}
