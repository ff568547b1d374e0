//! A limit on the decompressed size of a file.
//!
//! Memory is bounded without this limit, because everything is read as a stream. The limit bounds the time spent on a
//! decompression bomb.

use std::cell::Cell;
use std::io;

/// Bytes that the decoders of one source may still write, over all layers and members.
#[derive(Debug)]
pub(crate) struct Expansion {
    limit: u64,
    spent: Cell<u64>,
}

impl Expansion {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, spent: Cell::new(0) }
    }

    /// Counts the output of a decoder.
    pub(crate) fn add(&self, bytes: usize) -> io::Result<()> {
        self.spent.set(self.spent.get().saturating_add(bytes as u64));
        if self.is_exceeded() {
            let limit = self.limit;
            let message = format!("decompressed size exceeds {limit} bytes (see --max-expanded)");
            return Err(io::Error::other(message));
        }
        Ok(())
    }

    /// Returns whether the limit is reached.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.spent.get() > self.limit
    }
}
