-- One row per environment variable of a container that makes a program load external code (`how` is `code`) or that
-- routes its requests through another host (`traffic`). A value taken from a Secret or ConfigMap is not visible, and
-- counts. A value with a command, such as `$(curl …)`, is code, regardless of the variable.
SELECT
  set.event_id, set.cluster, set.username, set.identity_kind, set.impersonated_username, set.verb, set.namespace, set.object,
  set.workload_name, set.kind, set.outcome, set.made_by_controller, set.role, set.container, set.privileged,
  set.variable['name'] AS variable, set.variable['value'] AS value, set.variable['secret_name'] AS secret_name, listed.program,
  CASE WHEN listed.how = 'traffic' THEN 'traffic' ELSE 'code' END AS how
FROM (
  SELECT
    event_id, cluster, username, identity_kind, impersonated_username, verb, namespace, object, workload_name, kind, outcome,
    made_by_controller, role, name AS container, privileged, unnest(env) AS variable
  FROM containers
) AS set
JOIN code_loading_variables AS listed
  ON regexp_like(set.variable['name'], concat('^(', listed.variable, ')$'))
WHERE listed.how <> 'options' OR set.variable['value'] IS NULL OR regexp_like(set.variable['value'], listed.value)
