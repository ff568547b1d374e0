/*
id: config-map-with-credentials
title: ConfigMap with credentials
severity: low
confidence: medium
risk: 8
attack: [T1552.001]
tactics: [Credential Access]
description: >-
  A person or a pipeline writes a ConfigMap with a key named like a credential. Many identities that may not read
  secrets can read ConfigMaps.
blind_spots: Credentials under other keys, and inside files.
false_positives:
  - Keys that hold the name of a secret, not its value
triage:
  - >-
    SELECT time, username, verb, namespace, name, keys FROM config_maps WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT username, verb, time FROM events WHERE resource = 'configmaps' AND namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/configuration/configmap/
  - https://attack.mitre.org/techniques/T1552/001/
covers: [CA-013]
controls: [DSP-15]
parameters:
  key_names:
    type: text
    default: '(passw(or)?d|passwd|secret[-_.]?(access[-_.]?)?key|api[-_.]?key|access[-_.]?key([-_.]?id)?|private[-_.]?key|client[-_.]?secret|auth[-_.]?token|access[-_.]?token|credentials?|kubeconfig|id_rsa|dockerconfigjson)'
    description: Keys that hold credentials, as a regular expression
*/
SELECT event_id, coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' writes ConfigMap ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' with key ' || key AS reason
FROM (SELECT *, unnest(keys) AS key FROM config_maps)
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node')
  AND regexp_like(key, $key_names, 'i') AND NOT regexp_like(key, '(path|file|name|url|policy|length|ttl|enabled)$', 'i')
