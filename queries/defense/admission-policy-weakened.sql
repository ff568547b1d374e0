/*
id: admission-policy-weakened
title: Admission policy deleted or weakened
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  An admission policy, its binding, its exemption or a webhook is deleted, emptied, narrowed, redirected, given a condition or
  set to let pass what it should refuse, by whatever verb or form of patch. It is compared with the version before. Of a version
  that the log does not show, what lets something pass counts, and what a person writes without the result being in the
  log; of an account what empties it, exempts from it, makes its expression a constant, or hides the result. Quiet is what an account in the product's own namespace does with objects that are named
  after the product, and a new certificate alone by an account: an attacker would need a token of the policy engine itself,
  or of some account that may write webhooks. A person's new certificate counts.
blind_spots: >-
  At Metadata level what an account writes. Whether an expression that was changed by an account still refuses anything.
  Exemptions inside the configuration of an engine.
false_positives:
  - Upgrades of policy engines, and people who maintain policies by hand
triage:
  - "SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
covers: [DE-004]
*/
WITH written AS (
  SELECT
    *, split_part(username, ':', 3) AS account_namespace,
    row_number() OVER (PARTITION BY cluster, username, resource, name, change ORDER BY time, event_id) AS nth
  FROM guard_writes
),
-- The namespaces whose services answer the webhooks: their own accounts renew certificates.
served AS (SELECT DISTINCT event_id, service_namespace FROM webhooks WHERE service_namespace IS NOT NULL)
SELECT written.event_id, act || ': ' || string_agg(DISTINCT what, '; ') AS reason
FROM written
LEFT JOIN served
  ON served.event_id = written.event_id AND identity_kind = 'service_account' AND service_namespace = account_namespace
WHERE in_scope AND kind IN ('policy', 'exemption') AND identity_kind <> 'controller'
  AND change IN ('removed', 'emptied', 'not enforced', 'exempted', 'narrowed', 'redirected', 'condition', 'weakened', 'collected', 'unseen', 'certificate')
  AND CASE
    -- Another authority is believed, or nobody is. Accounts that renew certificates do so again and again, or are those of
    -- the webhook's own namespace or of cert-manager's: an attacker needs the token of one of them.
    WHEN change = 'certificate' THEN identity_kind IN ('human', 'anonymous', 'node')
      OR (identity_kind IN ('service_account', 'cloud_service_account') AND nth = 1 AND service_namespace IS NULL AND account_namespace <> 'cert-manager')
    -- A whole version that is not compared, and shows no gap, is a policy like others.
    WHEN change = 'weakened' AND NOT compared THEN false
    WHEN identity_kind IN ('human', 'anonymous', 'node') THEN true
    -- Automation that writes the same again is not known to change anything.
    WHEN change IN ('removed', 'emptied', 'exempted', 'collected') THEN true
    WHEN change = 'unseen' THEN request_object IS NOT NULL
    WHEN change = 'condition' THEN true
    ELSE compared AND change <> 'weakened'
  END
GROUP BY written.event_id, act
-- A product renews and narrows what it configures; it does not remove its guard but as it is uninstalled.
HAVING NOT coalesce(bool_or(is_own), false) OR (bool_or(change IN ('removed', 'emptied') AND verb IN ('delete', 'deletecollection')
  AND NOT regexp_like(username, '(admission-controller|controller-manager|operator|:kyverno|gatekeeper-admin|kubewarden-controller)$')))
