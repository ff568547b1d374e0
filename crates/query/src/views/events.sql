-- One row a request: the last stage that the log has of it.
-- Stages of one request share audit_id and time; audit_id alone can be chosen by a client.
SELECT * FROM stages{history}
WHERE stage IS NULL OR stage NOT IN ('RequestReceived', 'ResponseStarted')
UNION ALL
-- Of the two sides of a join the first is held in memory: the keys of the last stages, not all columns of the others.
SELECT early.*
FROM (SELECT * FROM stages{history} WHERE stage <> 'RequestReceived') AS late
RIGHT ANTI JOIN (
  SELECT * FROM stages{history} WHERE stage IN ('RequestReceived', 'ResponseStarted')
) AS early
  ON late.audit_id = early.audit_id
  AND late.time = early.time
  AND late.cluster = early.cluster
  AND late.date = early.date
  AND late.activity = early.activity
  AND late.stage <> early.stage
