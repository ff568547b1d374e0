/*
id: dry-run-of-risky-spec
title: Dry run of a dangerous workload
severity: low
confidence: medium
risk: 15
attack: [T1610, T1613]
tactics: [Discovery]
description: >-
  An identity sends, as a dry run, a workload with the privileged Pod Security level. Nothing is stored, and the
  response shows whether a policy would block it.
blind_spots: Bodies that are not logged.
false_positives:
  - Pipelines that check manifests of node agents
triage:
  - >-
    SELECT time, name, role, image, privileged FROM containers WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-078]
controls: [AIS-06]
*/
SELECT
  min(event_id) AS event_id,
  coalesce(username, 'an unknown identity') || ' tries ' || min(object) || coalesce(' in ' || namespace, '') || ' as a dry run, '
    || count(*) || ' times: ' || coalesce(array_to_string(pod_security_failed, ', '), 'privileged') AS reason
FROM workloads
WHERE outcome = 'dry_run' AND pod_security_level = 'privileged' AND identity_kind <> 'controller'
GROUP BY cluster, username, namespace, kind, pod_security_failed
