/*
id: admission-webhook-changed
title: Admission webhook changed
severity: low
confidence: low
risk: 10
attack: [T1546, T1685]
tactics: [Persistence, Defense Impairment]
description: >-
  An admission webhook configuration is created, changed or deleted. A webhook sees and may alter every object that
  matches its rules, and its removal lets through what it would have denied.
false_positives:
  - Certificate injectors that renew the bundle, policy engines and GitOps
triage:
  - >-
    SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
covers: [DE-002]
*/
SELECT DISTINCT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') AS reason
FROM webhooks
WHERE outcome = 'allowed' AND identity_kind NOT IN ('controller', 'system')
