//! A bound on what a compressed file may expand to.
//!
//! Memory is bounded without it, since everything is read as a stream. A decompression bomb costs time only, and this ends
//! it.

use std::cell::Cell;
use std::io;

/// How many bytes the decoders of one source may still write, all layers and members together.
#[derive(Debug)]
pub(crate) struct Expansion {
    limit: u64,
    spent: Cell<u64>,
}

impl Expansion {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, spent: Cell::new(0) }
    }

    /// Counts bytes that a decoder wrote.
    pub(crate) fn add(&self, bytes: usize) -> io::Result<()> {
        self.spent.set(self.spent.get().saturating_add(bytes as u64));
        if self.is_exceeded() {
            let limit = self.limit;
            let message = format!("decompressed size exceeds {limit} bytes (see --max-expanded)");
            return Err(io::Error::other(message));
        }
        Ok(())
    }

    /// Whether nothing more may be decompressed.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.spent.get() > self.limit
    }
}
