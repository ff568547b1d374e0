/*
id: many-secrets-mounted
title: Many secrets in one workload
severity: low
confidence: medium
risk: 10
attack: [T1610, T1552.007]
tactics: [Execution, Credential Access]
description: >-
  A workload is written that uses many secrets of its namespace as volumes or variables, or one whose name indicates a
  kubeconfig or a token. It reads secrets without a read request for secrets.
false_positives:
  - Umbrella charts
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/configuration/secret/
covers: [WL-047]
controls: [AIS-06, DSP-15]
parameters:
  secrets:
    type: integer
    default: 6
    description: Minimum number of secrets
*/
-- Clusters before 1.24 mount the token of the pod's own account as a secret, which every pod has. To have a secret left
-- out this way, an attacker must give the pod that account, whose token it gets anyway.
WITH used AS (
  SELECT event_id, object, secret_name AS secret FROM authored_volumes WHERE secret_name IS NOT NULL
  UNION
  SELECT event_id, object, unnest(projected_secrets) AS secret FROM authored_volumes
  UNION
  SELECT event_id, object, unnest(env_from_secrets) AS secret FROM authored_containers
  UNION
  SELECT event_id, object, variable['secret_name'] AS secret
  FROM (SELECT event_id, object, unnest(env) AS variable FROM authored_containers)
  WHERE variable['secret_name'] IS NOT NULL
)
SELECT event_id, object || ' uses the secrets ' || string_agg(secret, ', ' ORDER BY secret) AS reason
FROM used
LEFT JOIN (SELECT event_id, coalesce(service_account_name, 'default') AS account FROM authored_workloads) AS pod USING (event_id)
WHERE NOT coalesce(starts_with(secret, account || '-token-') AND strpos(substr(secret, length(account || '-token-') + 1), '-') = 0, false)
GROUP BY event_id, object
HAVING count(*) >= $secrets OR bool_or(regexp_like(secret, '(^|[-.])kube-?config($|[-.])|-token-[bcdfghjklmnpqrstvwxz2456789]{5}$'))
