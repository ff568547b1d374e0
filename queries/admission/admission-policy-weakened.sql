/*
id: admission-policy-weakened
aliases: [admission-policy-changed, policy-definition-removed]
title: Admission policy changed, weakened or deleted
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  An admission policy, its binding, its exemption or a webhook is deleted, emptied, narrowed, redirected, given a
  condition or set to let requests pass, with any verb or form of patch. The version is compared with the previous one.
  Where the log does not show a previous version, settings that let requests pass count, and so do writes by a person
  without a visible result. For accounts, a write counts if it empties the policy, exempts from it, makes its expression
  a constant, or hides the result. Changes by an account in the product's own namespace to objects named after the
  product, and a certificate renewed by an account, are not reported; an attacker would need a token of the policy
  engine or of an account that may write webhooks. A certificate written by a person counts. The deletion of a
  CustomResourceDefinition that configures a policy engine or a security agent counts too, because all policies of that
  kind are deleted with it. Other changes of policies and exemptions are low.
blind_spots: >-
  At Metadata level, the content that an account writes. Whether an expression changed by an account still denies
  anything. Exemptions inside the configuration of an engine. Renewed certificates. Kinds that are not in the table
  guard_kinds.
false_positives:
  - Upgrades of policy engines, and people who maintain policies by hand
  - Maintenance of policies
  - Removal of a policy engine
triage:
  - >-
    SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time
  - >-
    SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
  - https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
covers: [DE-004]
*/
WITH written AS (
  SELECT
    *, split_part(username, ':', 3) AS account_namespace,
    row_number() OVER (PARTITION BY cluster, username, resource, name, change ORDER BY time, event_id) AS nth
  FROM guard_writes
),
-- The namespaces whose services implement the webhooks: their own accounts renew certificates.
served AS (SELECT DISTINCT event_id, service_namespace FROM webhooks WHERE service_namespace IS NOT NULL),
judged AS (
  SELECT
    written.*,
    change IN ('removed', 'emptied', 'not enforced', 'exempted', 'narrowed', 'redirected', 'condition', 'weakened', 'collected', 'unseen', 'certificate')
    AND CASE
      -- The webhook trusts another authority, or none. Accounts that renew certificates do so repeatedly, or belong to
      -- the namespace of the webhook or of cert-manager: an attacker needs the token of one of them.
      WHEN change = 'certificate' THEN identity_kind IN ('human', 'anonymous', 'node')
        OR (identity_kind IN ('service_account', 'cloud_service_account') AND nth = 1 AND service_namespace IS NULL AND account_namespace <> 'cert-manager')
      -- A complete version that shows no gap is an ordinary policy, even without a previous version to compare.
      WHEN change = 'weakened' AND NOT compared THEN false
      WHEN identity_kind IN ('human', 'anonymous', 'node') THEN true
      -- Automation that writes the same object again changes nothing that the log shows.
      WHEN change IN ('removed', 'emptied', 'exempted', 'collected') THEN true
      WHEN change = 'unseen' THEN request_object IS NOT NULL
      WHEN change = 'condition' THEN true
      ELSE compared AND change <> 'weakened'
    END AS weakens
  FROM written
  LEFT JOIN served
    ON served.event_id = written.event_id AND identity_kind = 'service_account' AND service_namespace = account_namespace
  WHERE in_scope AND kind IN ('policy', 'exemption') AND identity_kind <> 'controller'
),
acts AS (
  SELECT
    event_id, act, string_agg(DISTINCT what, '; ') FILTER (WHERE weakens OR change NOT IN ('certificate', 'unseen')) AS what,
    bool_or(change NOT IN ('certificate', 'unseen')) AS is_change,
    -- A product renews and narrows its configuration. It removes its policies only when it is uninstalled.
    bool_or(weakens) AND (NOT coalesce(bool_or(is_own AND weakens), false) OR (bool_or(weakens AND change IN ('removed', 'emptied') AND verb IN ('delete', 'deletecollection')
      AND NOT regexp_like(username, '(admission-controller|controller-manager|operator|:kyverno|gatekeeper-admin|kubewarden-controller)$')))) AS is_weakened
  FROM judged
  GROUP BY event_id, act
)
SELECT event_id, CASE WHEN is_weakened THEN 'medium' ELSE 'low' END AS severity, act || ': ' || what AS reason
FROM acts
WHERE is_weakened OR is_change
UNION ALL
-- All policies of a kind are deleted with its definition.
SELECT
  event_id, 'medium' AS severity,
  verb || ' of CustomResourceDefinition ' || coalesce(name, 'all kinds') || coalesce(', of ' || guard_kinds.product, '') || ', by ' || coalesce(username, 'an unknown identity') AS reason
FROM (
  SELECT *, split_part(name, '.', 1) AS plural, substr(name, strpos(name, '.') + 1) AS defined_group
  FROM events
  WHERE activity = 'write' AND resource = 'customresourcedefinitions' AND subresource IS NULL
    AND verb IN ('delete', 'deletecollection') AND outcome = 'allowed' AND identity_kind <> 'controller'
) AS deleted
LEFT JOIN guard_kinds ON defined_group = guard_kinds.api_group AND plural LIKE guard_kinds.resource AND guard_kinds.kind <> 'log'
WHERE guard_kinds.kind IS NOT NULL OR verb = 'deletecollection'
