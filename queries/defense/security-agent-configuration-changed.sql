/*
id: security-agent-configuration-changed
title: Configuration of a security agent changed
severity: low
confidence: low
risk: 10
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  A person changes a config map or service of a security product by hand: its rules, or the way to it.
blind_spots: >-
  Agents in namespaces that security_namespaces does not have.
false_positives:
  - Maintenance of rules
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, name, keys FROM config_maps WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1685/
covers: [DE-010]
*/
SELECT DISTINCT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || ' in ' || events.namespace || ', a namespace of ' || product || ', by ' || coalesce(username, 'nobody') AS reason
FROM events
JOIN security_namespaces ON events.namespace = security_namespaces.namespace
WHERE activity IN ('write', 'workload') AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous', 'node') AND subresource IS NULL
  AND verb IN ('update', 'patch') AND resource IN ('configmaps', 'services', 'endpoints', 'endpointslices')
