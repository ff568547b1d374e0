/*
id: imitated-pod-name
title: Pod name that imitates a controller's pod
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1610, T1036.005]
tactics: [Execution, Stealth]
description: >-
  A pod without an owner is created by hand with a name like those of Deployment pods, with a hash and five random
  characters. It stays unnoticed among the pods of the Deployment.
blind_spots: Owners and generated names, where the body is not logged.
false_positives:
  - Pods restored from a backup
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1036/005/
covers: [WL-032]
controls: [AIS-06]
*/
SELECT event_id, object || ' in ' || namespace || ' has the name pattern of a Deployment pod and no owner' AS reason
FROM pods_workloads
WHERE kind = 'Pod' AND created AND subresource IS NULL
  AND identity_kind <> 'controller' AND owner IS NULL AND generate_name IS NULL
  -- The server generates random names from these letters. At least one digit excludes words.
  AND regexp_like(name, '-[bcdfghjklmnpqrstvwxz2456789]{7,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$')
  AND regexp_like(name, '-[a-z0-9]*[0-9][a-z0-9]*-[a-z0-9]{5}$')
