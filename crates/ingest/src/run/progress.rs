//! Telling how far a run is.

/// Hears how far a run is; called from many threads.
pub trait Progress: Sync {
    /// The run begins: how many files and streams there are, and their size on disk in bytes (streams have none).
    fn started(&self, _files: usize, _bytes_total: u64) {}

    /// That many more bytes were read from disk or stream.
    fn advance(&self, _bytes: u64) {}

    /// A file or stream was read to its end, or given up.
    fn file_done(&self, _name: &str) {}

    /// That many more events are in the table.
    fn committed(&self, _events: u64) {}
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
