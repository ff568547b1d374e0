-- One row per quarantined record.
SELECT
  record.quarantine_id,
  record.source_file,
  record.source_sha256,
  record.source_line,
  record.source_offset,
  record.cluster,
  record.length,
  record.reason,
  record.quarantined_at,
  record.bytes,
  release.quarantined_at AS released_at
FROM quarantine_log AS record
LEFT JOIN quarantine_log AS release ON release.releases = record.quarantine_id
WHERE record.releases IS NULL
