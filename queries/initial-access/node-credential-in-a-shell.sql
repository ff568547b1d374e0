/*
id: node-credential-in-a-shell
title: Node credential used from a shell
severity: high
confidence: high
risk: 60
attack: [T1078, T1552.004]
tactics: [Credential Access, Privilege Escalation]
description: >-
  Requests with a node's credential come from kubectl, curl or a plain HTTP library instead of a kubelet. An attacker
  has read the kubelet's key on the node, and can read everything that the node's pods can.
blind_spots: Attackers who copy the kubelet's user agent.
false_positives:
  - Administrators who debug with the kubelet's kubeconfig on the node
triage:
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/node/
  - https://attack.mitre.org/techniques/T1078/
covers: [IA-004, CA-006]
controls: [IAM-16]
*/
SELECT
  event_id,
  username || ' uses ' || coalesce(user_agent, '?') || ': ' || verb || ' ' || concat_ws('/', resource, subresource) AS reason
FROM client_requests
WHERE identity_kind = 'node' AND tool_kind <> 'other' AND resource IS NOT NULL AND outcome NOT IN ('unknown', 'denied_authn')
