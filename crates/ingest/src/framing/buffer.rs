//! The part of the decompressed stream that was read and not yet handed out.

use std::io::{self, BufRead, BufReader, Read};
use std::mem;

use arrow::buffer::Buffer;
use memchr::memchr2;

use crate::framing::block::Kind;
use crate::framing::span::{Place, count_lines};

/// Bytes per read; small enough to stay in a core's cache until they are copied to the window.
const READ_BYTES: usize = 128 * 1024;

/// A window of the stream, which grows at its end and is handed out from its start.
pub(crate) struct Window<R> {
    reader: BufReader<R>,
    bytes: Vec<u8>,
    /// Offset of `bytes` in the stream.
    offset: u64,
    /// The line at the end of the last record, from 1.
    line: u64,
    ended: bool,
    failure: Option<io::Error>,
    /// Offset in the stream of the line end found last.
    line_end: Option<u64>,
    /// Offset in the stream up to which line ends were searched.
    searched: u64,
}

/// The first bytes of a record that was discarded.
pub(crate) struct Head {
    /// Its offset in the stream.
    pub(crate) offset: u64,
    pub(crate) bytes: Buffer,
    /// Its full length in bytes.
    pub(crate) length: u64,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(READ_BYTES, reader),
            bytes: Vec::new(),
            offset: 0,
            line: 1,
            ended: false,
            failure: None,
            line_end: None,
            searched: 0,
        }
    }

    /// Sets the position of the stream's start, if the stream begins inside a file.
    pub(crate) fn starting_at(self, place: Place) -> Self {
        Self { offset: place.offset, line: place.line, ..self }
    }

    /// Returns the error that ended the stream prematurely.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Returns whether the stream has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the bytes from `at` on.
    pub(crate) fn rest(&self, at: usize) -> &[u8] {
        &self.bytes[at..]
    }

    /// Returns the offset of `at` in the stream.
    pub(crate) fn position(&self, at: usize) -> u64 {
        self.offset + at as u64
    }

    /// Returns the line at the end of the last record, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Returns to an earlier line.
    pub(crate) fn return_to(&mut self, line: u64) {
        self.line = line;
    }

    /// Reads until `wanted` bytes are available or the stream ends.
    pub(crate) fn fill(&mut self, wanted: usize) {
        let missing = wanted.saturating_sub(self.bytes.len());
        if missing > 0 && !self.ended {
            let mut bytes = mem::take(&mut self.bytes);
            self.read_into(&mut bytes, missing);
            self.bytes = bytes;
        }
    }

    fn read_into(&mut self, bytes: &mut Vec<u8>, count: usize) {
        bytes.reserve(count);
        let wanted = bytes.len() + count;
        while bytes.len() < wanted && !self.ended {
            match self.reader.fill_buf() {
                Ok([]) => self.ended = true,
                Ok(read) => {
                    let taken = read.len().min(wanted - bytes.len());
                    bytes.extend_from_slice(&read[..taken]);
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

    /// Returns the end of the line at `at`, relative to `at`. Each byte is searched once, because a line may have many
    /// values.
    pub(crate) fn line_end(&mut self, at: usize) -> Option<usize> {
        let here = self.position(at);
        let known = self.line_end.filter(|end| *end >= here);
        if known.is_none() {
            let from = self.searched.max(here);
            let start = usize::try_from(from - self.offset).unwrap_or(self.bytes.len());
            let rest = self.bytes.get(start..).unwrap_or_default();
            self.line_end = memchr2(b'\n', 0, rest).map(|end| from + end as u64);
            self.searched = self.line_end.unwrap_or(self.position(self.bytes.len()));
        }
        let end = known.or(self.line_end)? - here;
        usize::try_from(end).ok()
    }

    /// Advances `at` and counts the lines.
    pub(crate) fn advance(&mut self, at: &mut usize, length: usize) {
        let end = *at + length;
        self.line += count_lines(&self.bytes[*at..end]);
        *at = end;
    }

    /// Hands out the bytes before `at`, with their offset in the stream.
    pub(crate) fn give_out(&mut self, at: usize) -> (u64, Buffer) {
        let rest = self.bytes.split_off(at);
        let mut bytes = mem::replace(&mut self.bytes, rest);
        // Rows refer to this buffer: a short one must not keep the memory of a whole block.
        bytes.shrink_to_fit();
        let offset = self.offset;
        self.offset += at as u64;
        (offset, bytes.into())
    }

    /// Discards the bytes before `at`.
    pub(crate) fn drop_before(&mut self, at: usize) {
        self.bytes.drain(..at);
        self.offset += at as u64;
    }

    /// Discards the record of this kind at the start of the window, and returns at most `kept` of its first bytes.
    pub(crate) fn read_over(&mut self, kind: Kind, kept: usize) -> Head {
        const CHUNK: usize = 256 * 1024;
        let mut bytes = mem::take(&mut self.bytes);
        let mut length = bytes.len() as u64;
        bytes.truncate(kept);
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
            bytes.extend_from_slice(&chunk[..skipped.min(kept - bytes.len())]);
            chunk.drain(..skipped);
            if end.is_some() || self.ended {
                break;
            }
        }
        self.bytes = chunk;
        let offset = self.offset;
        self.offset += length;
        Head { offset, bytes: bytes.into(), length }
    }
}
