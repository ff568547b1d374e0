//! Rows of the quarantine.

use podtrail_event::{QuarantineRecord, redact_damaged};

use crate::run::parse::{Damaged, Fault, Origin};

/// Returns the row of a damaged record. The time is in microseconds since the Unix epoch.
pub(crate) fn quarantine_record(
    origin: &Origin,
    damaged: Damaged,
    quarantined_at: i64,
) -> QuarantineRecord {
    let key = origin.redaction.as_ref().filter(|_| damaged.fault != Fault::Nul);
    let bytes = key.and_then(|key| redact_damaged(&damaged.bytes, key)).unwrap_or(damaged.bytes);
    let length = damaged.length.max(bytes.len() as u64);
    QuarantineRecord {
        source_file: origin.file.clone(),
        source_sha256: origin.sha256.clone(),
        source_line: i64::try_from(damaged.line).ok(),
        source_offset: i64::try_from(damaged.offset).unwrap_or(i64::MAX),
        cluster: origin.cluster.clone(),
        length: i64::try_from(length).unwrap_or(i64::MAX),
        reason: damaged.reason,
        quarantined_at,
        bytes,
        releases: None,
    }
}
