//! Positions and parts of the decompressed stream, and the separators between its records.
//!
//! White space, separators and line ends are bytes that need no parser, so the JSON scanners of `json` are not used.

use std::ops::Range;

use crate::json;

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

/// Bytes of the decompressed stream and their position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) bytes: &'a [u8],
    /// Offset in bytes, from 0.
    pub(crate) offset: u64,
    /// Line, from 1.
    pub(crate) line: u64,
}

impl<'a> Span<'a> {
    /// Returns the span of bytes at a position.
    pub(crate) fn at(place: Place, bytes: &'a [u8]) -> Self {
        Self { bytes, offset: place.offset, line: place.line }
    }

    pub(crate) fn place(self) -> Place {
        Place { offset: self.offset, line: self.line }
    }

    /// Returns a part of the span, without surrounding blanks and commas.
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        let mut start = range.start;
        loop {
            match separator_length(&self.bytes[start..range.end]) {
                0 => break,
                length => start += length,
            }
        }
        let mut end = range.end;
        while end > start && is_separator(self.bytes[end - 1]) {
            end -= 1;
        }
        Self {
            bytes: &self.bytes[start..end],
            offset: self.offset + start as u64,
            line: self.line + count_lines(&self.bytes[..start]),
        }
    }

    /// Returns the span after the first `length` bytes, without surrounding blanks and commas.
    pub(crate) fn after(self, length: usize) -> Self {
        self.part(length..self.bytes.len())
    }

    /// Returns the span of `part`, which must be a subslice of this span's bytes.
    pub(crate) fn locate(self, part: &'a [u8]) -> Self {
        let start = part.as_ptr().addr().saturating_sub(self.bytes.as_ptr().addr());
        self.part(start..start + part.len())
    }

    /// Returns the span of `part` and advances past it, so that consecutive parts are located in one pass.
    pub(crate) fn take(&mut self, part: &'a [u8]) -> Self {
        let part = self.locate(part);
        let end = part.offset - self.offset + part.bytes.len() as u64;
        *self = self.after(usize::try_from(end).unwrap_or(usize::MAX));
        part
    }
}

/// Returns whether a byte between two records is a separator: a blank, or a comma of an array that is read item by
/// item.
pub(crate) fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',')
}

/// Returns whether a byte is JSON white space. A form feed, which is ASCII white space, is damage.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns a text without leading JSON white space.
pub(crate) fn trim_blanks_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len());
    &text[start..]
}

/// Returns a text without trailing JSON white space.
pub(crate) fn trim_blanks_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    &text[..end]
}

/// Returns the length of the separator at the start of `bytes`, or 0. Concatenated files contain byte order marks.
pub(crate) fn separator_length(bytes: &[u8]) -> usize {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    match bytes.first() {
        Some(byte) if is_separator(*byte) => 1,
        _ if bytes.starts_with(BOM) => BOM.len(),
        _ => 0,
    }
}

/// Returns the line without trailing blanks and, after JSON, trailing commas. Other text keeps its commas.
pub(crate) fn trim_end(line: &[u8]) -> &[u8] {
    let is_json = json::is_open(line);
    let is_trimmed = |byte: u8| is_separator(byte) && (is_json || byte != b',');
    let end = line.iter().rposition(|byte| !is_trimmed(*byte)).map_or(0, |last| last + 1);
    &line[..end]
}

/// Returns the number of line ends.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
