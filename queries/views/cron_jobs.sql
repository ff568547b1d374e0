-- The CronJobs of authored_workloads. `is_frequent` is whether the schedule runs every five minutes or more often; lists of
-- minutes count from twelve entries.
SELECT
  *,
  coalesce(regexp_like(schedule, '^\s*(@every +([1-5]?[0-9]s|[1-5]m)|(\*|(\*|0|0-59)/[1-5]|[0-9]+(,[0-9]+){11,}) +(\*|\*/1|0-23) +(\*|\*/1) +(\*|\*/1) +(\*|\*/1|0-6|1-7))\s*$'), false) AS is_frequent
FROM authored_workloads
WHERE kind = 'CronJob'
