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
  A pod is created by hand whose name ends like those that Deployments give, in a hash and five random characters, and
  that nothing owns: among the pods of the Deployment nobody sees it.
blind_spots: Where the body is not logged, an owner and a generated name are not visible.
false_positives:
  - Pods that a backup restores
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
SELECT event_id, object || ' in ' || namespace || ' is named like a pod of a Deployment and owned by nothing' AS reason
FROM pods_workloads
WHERE kind = 'Pod' AND created AND subresource IS NULL
  AND identity_kind <> 'controller' AND owner IS NULL AND generate_name IS NULL
  -- The server takes random names from these letters; one digit at least keeps words out.
  AND regexp_like(name, '-[bcdfghjklmnpqrstvwxz2456789]{7,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$')
  AND regexp_like(name, '-[a-z0-9]*[0-9][a-z0-9]*-[a-z0-9]{5}$')
