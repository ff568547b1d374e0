/*
id: secrets-of-a-system-namespace
title: Secrets of a system namespace listed
severity: medium
confidence: medium
risk: 30
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  A person, or a service account in a shell, lists the secrets of a platform namespace, which hold credentials that
  reach beyond one application. A client that does so continuously counts as a dashboard.
blind_spots: Platform namespaces that are not in the table system_namespaces.
false_positives:
  - Administrators who repair an add-on
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE activity = 'rbac' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-002]
controls: [DSP-15]
parameters:
  routine_requests:
    type: integer
    default: 50
    description: Number of lists of one namespace by one client that count as a dashboard
*/
WITH lists AS (
  SELECT *, count(*) OVER (PARTITION BY cluster, username, client_ip, tool, namespace) AS requests
  FROM client_requests
  WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('list', 'watch') AND outcome = 'allowed'
    AND (identity_kind IN ('human', 'anonymous') OR identity_kind <> 'controller' AND tool_kind <> 'other')
  -- Helm stores its releases in secrets and lists them by label. A field selector by name requests a single secret. The
  -- selector that the API server applies counts, and it must require that value: the response then holds only Helm
  -- releases, or that one secret.
  AND coalesce(required_value(query_value(request_uri, 'labelSelector'), 'owner') <> 'helm', true)
  AND coalesce(name, required_value(query_value(request_uri, 'fieldSelector'), 'metadata.name')) IS NULL
)
SELECT DISTINCT event_id, coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' lists the secrets of ' || lists.namespace AS reason
FROM lists
JOIN system_namespaces ON lists.namespace LIKE system_namespaces.namespace
WHERE requests < $routine_requests
