/*
id: aws-auth-changed
title: AWS identity mapping changed (aws-auth)
severity: high
confidence: medium
risk: 50
attack: [T1098]
tactics: [Persistence, Privilege Escalation]
description: >-
  The ConfigMap aws-auth is changed. It maps AWS roles and users to identities in the cluster, including system:masters.
blind_spots: EKS access entries, which CloudTrail records.
false_positives:
  - Node groups that come and go
triage:
  - >-
    SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time
references:
  - https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
covers: [RB-023]
controls: [IAM-16]
*/
SELECT event_id, verb || ' of ConfigMap aws-auth by ' || coalesce(username, 'an unknown identity') AS reason
FROM config_maps
WHERE name = 'aws-auth' AND namespace = 'kube-system' AND outcome = 'allowed'
  AND coalesce(username, '') NOT IN ('eks:node-manager', 'eks:cluster-bootstrap', 'eks:vpc-resource-controller')
