/*
id: resource-enumeration
title: Enumeration of many resource kinds
severity: low
confidence: medium
risk: 10
attack: [T1613]
tactics: [Discovery]
description: >-
  An identity lists, within a minute, many of the kinds that describe the structure and protection of a cluster, without
  watching them as controllers and consoles do.
blind_spots: Slow enumeration, and lists that the audit policy does not log.
false_positives:
  - Backups and inventories, and commands that print everything
references:
  - https://attack.mitre.org/techniques/T1613/
covers: [DI-002]
parameters:
  kinds:
    type: integer
    default: 5
    description: Minimum number of kinds within a minute
  resources:
    type: text_list
    default: [secrets, serviceaccounts, roles, rolebindings, clusterroles, clusterrolebindings, nodes, namespaces, configmaps, networkpolicies, persistentvolumes, persistentvolumeclaims, ingresses, mutatingwebhookconfigurations, validatingwebhookconfigurations, validatingadmissionpolicies, customresourcedefinitions, certificatesigningrequests, storageclasses]
    description: Kinds that describe the structure and protection of a cluster
*/
WITH lists AS (
  -- One row for requests repeated within five seconds.
  SELECT cluster, identity, resource, min(time) AS time, min(event_id) AS event_id
  FROM (
    SELECT event_id, cluster, coalesce(impersonated_username, username) AS identity, resource, time
    FROM events
    WHERE verb = 'list' AND subresource IS NULL AND array_has($resources, resource)
      AND identity_kind IN ('human', 'service_account', 'cloud_service_account')
  )
  GROUP BY cluster, identity, resource, date_bin(INTERVAL '5 seconds', time)
),
watched AS (
  SELECT DISTINCT cluster, coalesce(impersonated_username, username) AS identity, resource
  FROM events
  WHERE verb = 'watch' AND array_has($resources, resource)
),
-- A sliding minute that begins at any of the lists, not a calendar minute.
windows AS (
  SELECT
    *,
    cardinality(array_distinct(array_agg(resource) OVER (
      PARTITION BY cluster, identity ORDER BY time RANGE BETWEEN CURRENT ROW AND INTERVAL '60 seconds' FOLLOWING
    ))) >= $kinds AS begins_one
  FROM lists
  LEFT ANTI JOIN watched USING (cluster, identity, resource)
),
of_windows AS (
  SELECT
    *,
    max(CASE WHEN begins_one THEN 1 ELSE 0 END) OVER (
      PARTITION BY cluster, identity ORDER BY time RANGE BETWEEN INTERVAL '60 seconds' PRECEDING AND CURRENT ROW
    ) = 1 AS is_in_one
  FROM windows
),
sessions AS (
  SELECT *, session_number(time, 60) OVER (PARTITION BY cluster, identity ORDER BY time, event_id) AS session FROM of_windows WHERE is_in_one
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(identity, 'an unknown identity') || ' lists ' || count(DISTINCT resource) || ' kinds of resources within a minute: '
    || array_to_string(array_sort(array_agg(DISTINCT resource)), ', ') AS reason
FROM sessions
GROUP BY cluster, identity, session
