-- When the log of a cluster begins, with the look-back: what is first-seen is new only once the log has run for a while.
SELECT cluster, min(time) AS log_begins
FROM (
  SELECT cluster, time, time_problem FROM stages
  UNION ALL
  SELECT cluster, time, time_problem FROM stages_history
)
-- One event at a time that cannot be must not make a log a long one.
WHERE time_problem IS DISTINCT FROM 'absurd'
GROUP BY cluster
