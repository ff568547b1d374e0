/*
id: unusual-projected-token
title: Unusual projected service account token
severity: low
confidence: medium
risk: 5
attack: [T1610, T1528]
tactics: [Execution, Credential Access]
description: >-
  A workload mounts a service account token for an audience other than the API server, or with a lifetime of more than a
  day. Such a token gives access outside the cluster, or long after the pod is gone.
blind_spots: Tokens that a webhook adds later, where the response is not logged.
false_positives:
  - Identities for clouds, service meshes and vaults
references:
  - https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
covers: [WL-046]
controls: [AIS-06]
parameters:
  seconds:
    type: integer
    default: 86400
    description: Lifetime above which a token is reported
*/
SELECT DISTINCT
  event_id,
  'volume ' || coalesce(name, '') || ' of ' || object || ' has a token for ' || coalesce(token['audience'], 'the API server')
    || coalesce(' of ' || token['expiration_seconds']::TEXT || ' seconds', '') AS reason
FROM (
  SELECT event_id, name, object, unnest(projected_tokens) AS token
  FROM authored_volumes
)
WHERE token['audience'] <> '' OR token['expiration_seconds'] > $seconds
