-- When the log of a cluster begins, with the look-back: what is first-seen is new only once the log has run for a while.
SELECT cluster, min(time) AS log_begins
FROM (SELECT cluster, time FROM stages UNION ALL SELECT cluster, time FROM stages_history)
GROUP BY cluster
