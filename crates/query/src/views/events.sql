-- One row per request: its last stage in the log. Stages of one request have the same `audit_id` and `time`; clients
-- can choose `audit_id`, so it alone does not identify a request.
SELECT * FROM stages
WHERE stage_status IN ('complete', 'last')
UNION ALL
-- Few requests have stages in several commits. The first side of a join is held in memory: keys, not all columns.
SELECT early.*
FROM (
  SELECT early.audit_id, early.time, early.cluster, early.date, early.activity, early.stage
  FROM (SELECT * FROM stages WHERE stage_status = 'open' OR stage_status IS NULL) AS early
  LEFT SEMI JOIN (
    SELECT * FROM stages WHERE stage_status IN ('last', 'open') OR stage_status IS NULL
  ) AS late
    ON late.audit_id = early.audit_id
    AND late.time = early.time
    AND late.cluster = early.cluster
    AND late.date = early.date
    AND late.activity = early.activity
    AND late.stage <> early.stage
    AND late.stage <> 'RequestReceived'
    -- A lake created by an older version has no stage marks.
    AND early.stage IN ('RequestReceived', 'ResponseStarted')
) AS followed
RIGHT ANTI JOIN (
  SELECT * FROM stages WHERE stage_status = 'open' OR stage_status IS NULL
) AS early
  ON followed.audit_id = early.audit_id
  AND followed.time = early.time
  AND followed.cluster = early.cluster
  AND followed.date = early.date
  AND followed.activity = early.activity
  AND followed.stage = early.stage
