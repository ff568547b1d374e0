//! Blocks of whole records of the decompressed stream, the unit of work of a parser.

use std::sync::Arc;

use arrow::buffer::Buffer;
use memchr::memchr2;

use crate::framing::long_list::Enclosing;

/// Whole records, separated by blanks.
#[derive(Debug)]
pub(crate) struct Block {
    /// Offset of `bytes` in the decompressed stream.
    pub(crate) offset: u64,
    pub(crate) bytes: Buffer,
    pub(crate) records: Vec<Record>,
}

impl Block {
    /// Splits the block into two halves of records; `None` if it has one record.
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
    /// Range of its kept bytes in the block.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Its full length in bytes.
    pub(crate) length: u64,
    /// The line at which it begins, from 1.
    pub(crate) line: u64,
    /// The objects around the list that it is an item of, if the list is read item by item.
    pub(crate) enclosing: Option<Arc<Enclosing>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One line or one JSON value; possibly several values in one line, or the parts of a split line.
    Text,
    /// A run of NUL bytes.
    Nul,
    /// A record that exceeds the limit.
    TooLong,
}

impl Kind {
    /// Returns the end of a record of this kind in `bytes`, if it is there.
    pub(crate) fn end_in(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Nul => bytes.iter().position(|byte| *byte != 0),
            Self::Text | Self::TooLong => memchr2(b'\n', 0, bytes),
        }
    }
}
