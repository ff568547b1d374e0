/*
id: port-forward
aliases: [port-forward-to-data-store]
title: Port-forward to a pod
severity: medium
confidence: high
risk: 25
attack: [T1572, T1090]
tactics: [Command and Control, Lateral Movement, Collection]
description: >-
  An identity forwards a port of a pod to its own machine, which bypasses Services, network policies and Ingresses.
  Severity is medium if the pod is a data store or a platform component of another identity, which rarely requires a
  password inside the cluster; otherwise it is low.
blind_spots: >-
  The port: over a WebSocket it is not in the URL. Data stores whose pods have other names.
false_positives:
  - Developers who inspect their applications, which is daily work
  - People who inspect the database of a development environment
triage:
  - >-
    SELECT time, username, verb, kind, name, service_account_name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1572/
covers: [EX-003]
*/
SELECT
  event_id,
  CASE WHEN target IS NOT NULL AND made.name IS NULL THEN 'medium' ELSE 'low' END AS severity,
  'forwards ' || coalesce('port ' || nullif(array_to_string(ports, ', '), '') || ' of ', 'a port of ') || 'pod '
    || coalesce(forwards.name, '') || coalesce(', ' || target, '') AS reason
FROM (
  SELECT
    execs.*,
    CASE
      WHEN owner IS NOT NULL THEN 'of ' || owner
      WHEN what IS NOT NULL THEN 'whose name indicates a ' || what
      WHEN regexp_like(execs.name, '-[0-9]{1,3}$') THEN 'of a StatefulSet'
    END AS target
  FROM execs
  LEFT JOIN system_namespaces ON execs.namespace LIKE system_namespaces.namespace
  LEFT JOIN data_stores ON regexp_like(execs.name, '(^|[-._])(' || data_stores.name || ')([-._0-9]|$)', 'i')
  WHERE subresource = 'portforward' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
) AS forwards
LEFT JOIN own_pods AS made
  ON made.cluster = forwards.cluster AND made.username = forwards.username AND made.namespace = forwards.namespace AND made.name = forwards.name
