/*
id: system-namespace-workload
title: Workload in a system namespace by an outside identity
aliases: [system-namespace-by-person, system-namespace-change-by-person, system-namespace-by-foreign-account]
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1036.005]
tactics: [Execution, Stealth]
description: >-
  A person, an unauthenticated client or a service account from outside the platform namespaces writes a workload in a
  platform namespace. It stays unnoticed among components, and many policies do not apply there. Severity is medium
  where a person creates it, and low where a person changes one, or where a service account creates one.
blind_spots: Platform namespaces that are not in the table system_namespaces.
false_positives:
  - Administrators who install, repair or upgrade add-ons by hand
  - CI and GitOps controllers that install add-ons
references:
  - https://attack.mitre.org/techniques/T1036/005/
covers: [WL-030]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE WHEN is_person AND created THEN 'medium' ELSE 'low' END AS severity,
  CASE WHEN is_person THEN identity_kind || ' ' ELSE 'foreign account ' END || coalesce(username, '')
    || CASE WHEN created THEN ' creates ' ELSE ' changes ' END || object || ' in ' || written.namespace AS reason
FROM (
  SELECT *, identity_kind IN ('human', 'anonymous') AS is_person, split_part(username, ':', 3) AS home
  FROM authored_workloads
  WHERE identity_kind IN ('human', 'anonymous', 'service_account', 'cloud_service_account') AND subresource IS NULL
) AS written
JOIN system_namespaces AS system ON written.namespace LIKE system.namespace
LEFT JOIN system_namespaces AS own ON NOT is_person AND home LIKE own.namespace
WHERE own.namespace IS NULL
  AND (created OR (is_person AND verb IN ('update', 'patch') AND (status_code IS DISTINCT FROM 201)))
