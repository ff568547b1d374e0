/*
id: secrets-listed
aliases: [secrets-of-all-namespaces, secrets-of-a-system-namespace, secrets-of-a-namespace]
title: Secrets listed
severity: medium
routine: low
confidence: high
risk: 45
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  A person, or a service account in a shell, lists or watches secrets and gets all their values. Those of all
  namespaces, or of a platform namespace, hold credentials that reach beyond one application: medium, unless a client
  lists one namespace continuously, as a dashboard does. Those of another namespace are low.
blind_spots: >-
  Reads of secrets one by one, and lists by controllers. Platform namespaces that are not in the table
  system_namespaces. Reads of etcd or its backups.
false_positives:
  - Administrators who look for a secret in all namespaces
  - Backup tools that sign in with a client certificate
  - Administrators who repair an add-on
  - People who check which secrets exist
  - Dashboards, which list what they show
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-001, CA-002]
controls: [DSP-15]
parameters:
  routine_requests:
    type: integer
    default: 50
    description: Number of lists of one namespace by one client that count as a dashboard
*/
SELECT
  event_id,
  CASE
    WHEN lists.namespace IS NULL THEN 'medium'
    WHEN owner IS NOT NULL AND requests < $routine_requests THEN 'medium'
    ELSE 'low'
  END AS severity,
  reader || ' lists the secrets of ' || coalesce(lists.namespace, 'all namespaces') || ' (' || verb || ') with ' || coalesce(user_agent, '?') AS reason
FROM (
  SELECT *, count(*) OVER (PARTITION BY cluster, username, client_ip, tool, namespace) AS requests
  FROM secret_reads
  WHERE is_list
) AS lists
LEFT JOIN system_namespaces ON lists.namespace LIKE system_namespaces.namespace
