-- One row a request: the last stage that the log has of it.
-- Stages of one request share audit_id and time; audit_id alone can be chosen by a client.
SELECT * FROM stages{history}
WHERE stage IS NULL OR stage NOT IN ('RequestReceived', 'ResponseStarted')
UNION ALL
SELECT * FROM stages{history} AS early
WHERE early.stage IN ('RequestReceived', 'ResponseStarted')
  AND NOT EXISTS (
    SELECT 1 FROM stages{history} AS late
    WHERE late.audit_id = early.audit_id
      AND late.time = early.time
      AND late.cluster = early.cluster
      AND late.date = early.date
      AND late.activity = early.activity
      AND late.stage <> early.stage
      AND late.stage <> 'RequestReceived'
  )
