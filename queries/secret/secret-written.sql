/*
id: secret-written
aliases: [system-secret-written]
title: Secret written by a person
severity: low
confidence: medium
risk: 15
attack: [T1552.007, T1565.001, T1098]
tactics: [Credential Access, Impact, Persistence]
description: >-
  A person writes or deletes a secret (info). The severity is low in a platform namespace, where applications of the
  platform use it, and medium for a bootstrap token, with which machines join the cluster.
blind_spots: >-
  The changed keys, whose values are not kept. Platform namespaces that are not in the table system_namespaces.
false_positives:
  - Everyday work
  - Administrators who set up an add-on
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
covers: [CA-012]
controls: [DSP-15]
*/
SELECT
  event_id,
  CASE
    -- The installer of a cluster creates the first one: for severity low, an attacker needs its credential within the
    -- first seconds.
    WHEN events.namespace = 'kube-system' AND name LIKE 'bootstrap-token-%' AND verb IN ('create', 'update', 'patch') AND birth.username IS NULL THEN 'medium'
    WHEN owner IS NOT NULL THEN 'low'
    ELSE 'info'
  END AS severity,
  coalesce(events.username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' writes secret '
    || coalesce(events.namespace || '/', '') || coalesce(name, '*') || ' (' || verb || ')' AS reason
FROM events
LEFT JOIN system_namespaces ON events.namespace LIKE system_namespaces.namespace
LEFT JOIN history_births AS birth
  ON birth.cluster = events.cluster AND birth.username = events.username AND (birth.client_ip IS NOT DISTINCT FROM events.client_ip)
  AND events.time BETWEEN birth.time AND birth.until
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous') AND coalesce(name, '') NOT LIKE 'sh.helm.release.%'
  AND (owner IS NOT NULL OR coalesce(required_value(query_value(request_uri, 'labelSelector'), 'owner') <> 'helm', true))
