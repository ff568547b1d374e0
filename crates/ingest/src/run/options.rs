//! Options of a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use podtrail_event::{QuarantineRecord, RedactionKey};

use crate::source::shard::Shard;

const MIB: usize = 1024 * 1024;

/// Options of a run. The default suits most machines and logs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The value of the `cluster` column in every row. Audit events do not name their cluster. Without this option, the
    /// name comes from the envelope, else it is `default`.
    pub cluster: Option<String>,
    /// The path of the envelope member that names the cluster, such as `fields.site`. It takes precedence over the
    /// known members; [`cluster`](Self::cluster) takes precedence over it.
    pub cluster_field: Option<String>,
    /// Quarantined records whose reason begins with [`PIECE`](crate::PIECE), which this run joins with the parts that
    /// it reads.
    pub pieces: Vec<QuarantineRecord>,
    /// The longest record that is read, in bytes. A longer one is quarantined with its first 64 KiB.
    pub max_record_bytes: usize,
    /// Decompressed bytes that are parsed as one unit of work.
    pub block_bytes: usize,
    /// Decompressed bytes of log that may be held at a time. Two thirds of this make one commit.
    ///
    /// The rows built from them need about the same amount again, and each open file has a buffer of up to
    /// [`max_record_bytes`](Self::max_record_bytes).
    pub memory_bytes: usize,
    /// The key with which secrets in events are replaced by digests, before any other processing. Without a key,
    /// secrets are kept.
    ///
    /// A quarantined record is not redacted, because its secrets cannot be located. `event_id` is a digest of the
    /// redacted event, so an event that contains a secret has another `event_id` under another key.
    pub redact: Option<RedactionKey>,
    /// Bytes to which a compressed file may expand, over all layers of compression and all archive members. Data before
    /// the limit is read. An uncompressed file may have any size.
    pub max_expanded_bytes: u64,
    /// Paths to skip: folders, such as the lake itself, and files, such as a report that is being written.
    pub exclude: Vec<PathBuf>,
    /// The share of the inputs to read; `None` for all of them.
    pub shard: Option<Shard>,
    /// When set, the current commit is completed and the run ends with [`Summary::interrupted`](crate::Summary).
    pub stop: Arc<AtomicBool>,
}

impl Options {
    /// Returns these options with at most `bytes` of decompressed log in memory, and units of work that are small in
    /// comparison.
    pub fn with_memory(self, bytes: usize) -> Self {
        const BLOCKS: usize = 16;
        let block_bytes = self.block_bytes.min(bytes / BLOCKS).max(1);
        Self { memory_bytes: bytes, block_bytes, ..self }
    }

    /// Returns the part of the memory that makes one commit: large commits compress better, and reading continues
    /// meanwhile.
    pub(crate) fn commit_bytes(&self) -> usize {
        (self.memory_bytes / 3 * 2).max(1)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cluster: None,
            cluster_field: None,
            pieces: Vec::new(),
            max_record_bytes: 64 * MIB,
            block_bytes: 4 * MIB,
            memory_bytes: 96 * MIB,
            redact: None,
            max_expanded_bytes: 256 * 1024 * MIB as u64,
            exclude: Vec::new(),
            shard: None,
            stop: Arc::default(),
        }
    }
}
