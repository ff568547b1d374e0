/*
id: system-secret-written
title: Secret in a system namespace written by a person
severity: low
confidence: medium
risk: 15
attack: [T1552.007, T1098]
tactics: [Persistence, Credential Access]
description: >-
  A person creates, changes or deletes a secret in a platform namespace, where components with cluster-wide rights read
  it. A bootstrap token that a person creates or changes is medium: nodes join with it, and where their certificates are
  approved automatically, its holder becomes a node.
blind_spots: Platform namespaces that are not in the table system_namespaces.
false_positives:
  - Administrators who set up an add-on
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE activity = 'rbac' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
covers: [CA-012]
controls: [DSP-15]
*/
SELECT DISTINCT
  event_id,
  coalesce(events.username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' writes secret ' || events.namespace || '/' || coalesce(name, '*') || ' (' || verb || ')' AS reason,
  -- The installer of a cluster creates the first one: for severity low, an attacker needs its credential within the
  -- first seconds.
  CASE WHEN events.namespace = 'kube-system' AND name LIKE 'bootstrap-token-%' AND verb IN ('create', 'update', 'patch') AND birth.username IS NULL THEN 'medium' ELSE 'low' END AS severity
FROM events
JOIN system_namespaces ON events.namespace LIKE system_namespaces.namespace
LEFT JOIN history_births AS birth
  ON birth.cluster = events.cluster AND birth.username = events.username AND (birth.client_ip IS NOT DISTINCT FROM events.client_ip)
  AND events.time BETWEEN birth.time AND birth.until
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous') AND coalesce(name, '') NOT LIKE 'sh.helm.release.%'
