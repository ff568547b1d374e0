/*
id: added-by-admission
title: Privileges or commands injected by an admission webhook
severity: high
confidence: high
risk: 50
attack: [T1610, T1525, T1546]
tactics: [Persistence, Privilege Escalation, Stealth]
description: >-
  The stored object differs from the controller's request: a webhook or mutating admission policy gave the pod host
  namespaces, privileges, hostPath volumes, another account or another command. The finding names the last change of
  such a configuration and includes it as evidence, because its author is responsible. It is critical where the pod can
  take over its node. Sidecars with the capabilities of a network proxy, and images taken from a mirror under the same
  name, are left out; pod-differs-from-template reports an injected container of this kind.
blind_spots: >-
  Logs without request and response bodies of the objects that controllers create. Environment variables, and volumes
  other than hostPath.
false_positives:
  - Security or observability agents that inject privileged containers into pods
triage:
  - >-
    SELECT time, username, verb, resource, name, client_ip FROM events WHERE api_group = 'admissionregistration.k8s.io' AND verb <> 'get' ORDER BY time
  - SELECT annotations FROM events WHERE event_id = '<event_id>'
  - SELECT added_by_admission FROM workloads WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
  - https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
covers: [WS-022, DE-010]
controls: [AIS-06, IAM-16]
*/
WITH added AS (
  SELECT
    cluster, event_id, time, object, username, namespace, owner,
    added['fact'] AS fact, added['container'] AS container, added['value'] AS value
  FROM (
    SELECT cluster, event_id, time, object, username, namespace, owner, unnest(added_by_admission) AS added
    FROM workloads
    WHERE outcome = 'allowed' AND identity_kind = 'controller' AND cardinality(added_by_admission) > 0
  )
),
new_containers AS (
  SELECT DISTINCT cluster, event_id, container FROM added WHERE fact = 'container'
),
-- The image that the request names, by the last path element of its repository.
notable AS (
  SELECT
    added.*,
    CASE
      WHEN fact IN ('host pid', 'host ipc', 'host process', 'privileged') THEN 3
      WHEN fact IN ('host path', 'writable host path') AND value = '/' THEN 3
      WHEN fact = 'capability' AND value IN ('ALL', 'SYS_ADMIN', 'SYS_MODULE', 'SYS_PTRACE', 'SYS_RAWIO', 'BPF', 'DAC_READ_SEARCH') THEN 3
      WHEN fact = 'host network' THEN 2
      WHEN fact = 'service account' THEN 2
      WHEN fact = 'proc mount' THEN 2
      WHEN fact = 'writable host path' AND sensitive.is_sensitive THEN 2
      WHEN fact IN ('command', 'args', 'handler') AND new_containers.container IS NULL THEN 2
      ELSE 0
    END AS weight
  FROM added
  LEFT JOIN new_containers
    ON new_containers.cluster = added.cluster AND new_containers.event_id = added.event_id
    AND new_containers.container = added.container
  LEFT JOIN (
    SELECT DISTINCT value AS path, true AS is_sensitive
    FROM added
    JOIN sensitive_paths AS known
      ON value = known.path OR starts_with(value, known.path || '/') OR starts_with(known.path, value || '/')
    WHERE fact = 'writable host path'
  ) AS sensitive ON sensitive.path = value
),
pods AS (
  SELECT
    cluster, event_id, time, min(object) AS object, min(owner['kind'] || ' ' || owner['name']) AS owner,
    count(DISTINCT CASE WHEN weight = 3 THEN fact END) AS strong,
    string_agg(DISTINCT concat_ws(' ', fact, container, value), '; ') AS what
  FROM notable
  WHERE weight > 0
  GROUP BY cluster, event_id, time
),
configured AS (
  SELECT event_id, time, cluster, coalesce(impersonated_username, username) AS author, resource, name
  FROM all_events
  WHERE api_group = 'admissionregistration.k8s.io' AND activity IN ('write', 'workload') AND outcome IN ('allowed', 'unknown')
    AND resource IN ('mutatingwebhookconfigurations', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings')
    AND verb IN ('create', 'update', 'patch')
),
blamed AS (
  SELECT
    pods.cluster, pods.event_id,
    last_value(configured.event_id ORDER BY configured.time, configured.event_id) AS configuration,
    last_value(author || ' wrote ' || resource || coalesce(' ' || configured.name, '') ORDER BY configured.time, configured.event_id) AS who
  FROM pods
  JOIN configured ON configured.cluster = pods.cluster AND configured.time <= pods.time
  GROUP BY pods.cluster, pods.event_id
)
SELECT
  CASE
    WHEN min(configuration) IS NULL THEN array_agg(pods.event_id ORDER BY time, pods.event_id)
    ELSE array_prepend(min(configuration), array_agg(pods.event_id ORDER BY time, pods.event_id))
  END AS event_id,
  CASE WHEN max(strong) > 1 THEN 'critical' ELSE 'high' END AS severity,
  'admission gave ' || min(object) || coalesce(' of ' || pods.owner, '') || ': ' || left(min(what), 400)
    || coalesce('; earlier, ' || min(who), '') AS reason
FROM pods
LEFT JOIN blamed ON blamed.cluster = pods.cluster AND blamed.event_id = pods.event_id
GROUP BY pods.cluster, pods.owner
