-- One row a request: the last stage that the log has of it.
-- Stages of one request share audit_id and time; audit_id alone can be chosen by a client.
SELECT * FROM stages{history}
WHERE stage_status IN ('complete', 'last')
UNION ALL
-- What has its other stages in another commit is rare. Of the two sides of a join the first is held in memory: keys, not all columns.
SELECT early.*
FROM (
  SELECT early.audit_id, early.time, early.cluster, early.date, early.activity, early.stage
  FROM (SELECT * FROM stages{history} WHERE stage_status = 'open' OR stage_status IS NULL) AS early
  LEFT SEMI JOIN (
    SELECT * FROM stages{history} WHERE stage_status IN ('last', 'open') OR stage_status IS NULL
  ) AS late
    ON late.audit_id = early.audit_id
    AND late.time = early.time
    AND late.cluster = early.cluster
    AND late.date = early.date
    AND late.activity = early.activity
    AND late.stage <> early.stage
    AND late.stage <> 'RequestReceived'
    -- Nothing is marked in a lake that an older version made.
    AND early.stage IN ('RequestReceived', 'ResponseStarted')
) AS followed
RIGHT ANTI JOIN (
  SELECT * FROM stages{history} WHERE stage_status = 'open' OR stage_status IS NULL
) AS early
  ON followed.audit_id = early.audit_id
  AND followed.time = early.time
  AND followed.cluster = early.cluster
  AND followed.date = early.date
  AND followed.activity = early.activity
  AND followed.stage = early.stage
