-- One row per step of an incident: the findings whose first event is the same, in their current states.
SELECT
  incident_id,
  min(first_seen) AS time,
  max(last_seen) AS last_time,
  make_array('info', 'low', 'medium', 'high', 'critical')[CAST(max(severity_rank) AS BIGINT)] AS severity,
  min(identity) AS identity,
  min(client_ip) AS client_ip,
  min(verb) AS verb,
  min(resource) AS resource,
  min(namespace) AS namespace,
  min(name) AS name,
  min(outcome) AS outcome,
  array_agg(title ORDER BY severity_rank DESC, risk DESC, title) AS titles,
  array_agg(finding_id ORDER BY severity_rank DESC, risk DESC, title) AS finding_ids,
  first_event_id AS event_id,
  min(cluster) AS cluster
FROM (
  SELECT
    *,
    array_position(make_array('info', 'low', 'medium', 'high', 'critical'), severity) AS severity_rank,
    event_ids[1] AS first_event_id
  FROM findings
  WHERE incident_id IS NOT NULL
)
GROUP BY incident_id, first_event_id
