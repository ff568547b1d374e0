//! Whole records of the decompressed stream, as many together as a parser takes at a time.

use std::sync::Arc;

use arrow::buffer::Buffer;
use memchr::memchr2;

use crate::framing::long_list::Wrapper;

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
    pub(crate) fn end_in(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Nul => bytes.iter().position(|byte| *byte != 0),
            Self::Text | Self::TooLong => memchr2(b'\n', 0, bytes),
        }
    }
}
