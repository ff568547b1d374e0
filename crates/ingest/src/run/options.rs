//! How to ingest.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use podtrail_event::{QuarantineRecord, RedactionKey};

const MIB: usize = 1024 * 1024;

/// How to ingest; the default suits most machines and logs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name stored in the `cluster` column of every row. Audit events do not name their cluster; without a name
    /// here it is what the envelope says, else `default`.
    pub cluster: Option<String>,
    /// The path of the member of an envelope that names the cluster, such as `fields.site`. It is believed before the members that
    /// are known to name one, and [`cluster`](Self::cluster) before it.
    pub cluster_field: Option<String>,
    /// Records of the quarantine whose reason begins with [`PIECE`](crate::PIECE): they are put together with what follows now.
    pub pieces: Vec<QuarantineRecord>,
    /// The longest record that is read, in bytes. A longer one is quarantined with its first 64 KiB.
    pub max_record_bytes: usize,
    /// Decompressed bytes that are parsed as one piece of work.
    pub block_bytes: usize,
    /// Decompressed bytes of log that may be held at a time; two thirds of it make one commit.
    ///
    /// The rows built from them take about as much again, and each file being read has a buffer of up to
    /// [`max_record_bytes`](Self::max_record_bytes).
    pub memory_bytes: usize,
    /// The key under which secrets in events are replaced by digests, before anything else is made of them; without it
    /// they are kept.
    ///
    /// A record that is quarantined is kept as it is: nobody can tell what is secret in it. `event_id` is a digest of the
    /// redacted event, so the same secret event is another event under another key.
    pub redact: Option<RedactionKey>,
    /// Bytes that a compressed file may expand to, with all layers of compression and all members of an archive. What stands
    /// before that is read. A file that is not compressed may be of any size.
    pub max_expanded_bytes: u64,
    /// What is passed over: folders, such as the lake itself, and files, such as a report that is being written.
    pub exclude: Vec<PathBuf>,
    /// When set, the commit under way is finished and the run ends with [`Summary::interrupted`](crate::Summary).
    pub stop: Arc<AtomicBool>,
}

impl Options {
    /// These, with `bytes` of decompressed log in memory at most, and pieces of work that are small beside that.
    pub fn with_memory(self, bytes: usize) -> Self {
        const PIECES: usize = 16;
        let block_bytes = self.block_bytes.min(bytes / PIECES).max(1);
        Self { memory_bytes: bytes, block_bytes, ..self }
    }

    /// How much of that makes one commit: large ones compress better, and the rest is read meanwhile.
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
            stop: Arc::default(),
        }
    }
}
