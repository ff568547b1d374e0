-- One row per incident that `detect` has recorded: findings of one intruder, in their current states. An incident is open as long as one of its findings is.
SELECT
  incident_id,
  CASE
    WHEN bool_or(state IN ('new', 'delivered', 'seen_again')) THEN 'open'
    WHEN bool_or(state = 'acknowledged') THEN 'acknowledged'
    WHEN bool_or(state = 'closed') THEN 'closed'
    ELSE 'suppressed'
  END AS state,
  make_array('info', 'low', 'medium', 'high', 'critical')[CAST(max(severity_rank) AS BIGINT)] AS severity,
  first_value(title ORDER BY severity_rank DESC, risk DESC, first_seen, finding_id) AS title,
  min(first_seen) AS first_seen,
  max(last_seen) AS last_seen,
  count(*) AS findings,
  array_agg(DISTINCT identity) FILTER (WHERE identity IS NOT NULL) AS identities,
  array_agg(DISTINCT client_ip) FILTER (WHERE client_ip IS NOT NULL) AS client_ips,
  array_agg(DISTINCT incident_reason) FILTER (WHERE incident_reason IS NOT NULL) AS links,
  min(cluster) AS cluster,
  max(state_at) AS state_at
FROM (
  SELECT *, array_position(make_array('info', 'low', 'medium', 'high', 'critical'), severity) AS severity_rank
  FROM findings
  WHERE incident_id IS NOT NULL
)
GROUP BY incident_id
