//! A part of the decompressed stream.

use std::ops::Range;

use crate::envelope::Place;

/// Bytes of the decompressed stream, and where they stand in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) bytes: &'a [u8],
    /// From 0.
    pub(crate) offset: u64,
    /// From 1.
    pub(crate) line: u64,
}

impl<'a> Span<'a> {
    /// Bytes that stand at a place.
    pub(crate) fn at(place: Place, bytes: &'a [u8]) -> Self {
        Self { bytes, offset: place.offset, line: place.line }
    }

    pub(crate) fn place(self) -> Place {
        Place { offset: self.offset, line: self.line }
    }

    /// A part of the span, without blanks and commas around it.
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

    /// What follows the first `length` bytes, without blanks and commas around it.
    pub(crate) fn after(self, length: usize) -> Self {
        self.part(length..self.bytes.len())
    }

    /// The span of `part`, which must be a part of this one's bytes.
    pub(crate) fn locate(self, part: &'a [u8]) -> Self {
        let start = part.as_ptr().addr().saturating_sub(self.bytes.as_ptr().addr());
        self.part(start..start + part.len())
    }

    /// The same; the span then begins behind it, so that many parts in their order are located in one pass.
    pub(crate) fn take(&mut self, part: &'a [u8]) -> Self {
        let part = self.locate(part);
        let end = part.offset - self.offset + part.bytes.len() as u64;
        *self = self.after(usize::try_from(end).unwrap_or(usize::MAX));
        part
    }
}

/// Whether a byte between two records means nothing: blanks, and the commas of an array that is read item by item.
pub(crate) fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',')
}

/// Whether a byte is white space of JSON. A form feed, which ASCII counts among it, is damage.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// A text without the white space of JSON before it.
pub(crate) fn trim_blanks_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_blank(*byte)).unwrap_or(text.len());
    &text[start..]
}

/// A text without the white space of JSON behind it.
pub(crate) fn trim_blanks_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_blank(*byte)).map_or(0, |last| last + 1);
    &text[..end]
}

/// How long the separator is with which `bytes` begin, 0 if with none. Concatenated files bring their byte order marks.
pub(crate) fn separator_length(bytes: &[u8]) -> usize {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    match bytes.first() {
        Some(byte) if is_separator(*byte) => 1,
        _ if bytes.starts_with(BOM) => BOM.len(),
        _ => 0,
    }
}

/// The number of line ends.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
