-- The beginning of a cluster's log, including the look-back: first-seen findings require that the log has run for some
-- time.
SELECT cluster, min(time) AS log_begins
FROM (
  SELECT cluster, time, time_problem FROM stages
  UNION ALL
  SELECT cluster, time, time_problem FROM stages_history
)
-- A single event with an implausible time must not lengthen a log.
WHERE time_problem IS DISTINCT FROM 'absurd'
GROUP BY cluster
