//! Progress reports of a run.

/// Receives the progress of a run. Called from many threads.
pub trait Progress: Sync {
    /// Reports the start: the number of files and streams, and their size on disk in bytes (0 for streams).
    fn started(&self, _files: usize, _bytes_total: u64) {}

    /// Reports that more bytes were read from disk or stream.
    fn advance(&self, _bytes: u64) {}

    /// Reports that a file or stream was read to its end, or abandoned.
    fn file_done(&self, _name: &str) {}

    /// Reports that more events were stored.
    fn committed(&self, _events: u64) {}
}

/// Discards progress reports.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}
