/*
id: control-plane-node-opened
title: Control plane taint removed from a node
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1610, T1685]
tactics: [Defense Impairment, Execution]
description: >-
  The taints that keep workloads off a control plane node, or its role label, are removed by hand or by a stolen
  account. Pods can then run where the cluster keys are stored. Where the response does not show the node, the removal
  of all taints counts.
blind_spots: A control plane node without the usual labels and taints. Writes logged at Metadata level.
false_positives:
  - Administrators of small clusters, who run workloads on the control plane on purpose
triage:
  - >-
    SELECT time, username, verb, name, outcome FROM events WHERE resource = 'nodes' AND name = '<name>' AND activity = 'write' ORDER BY time
  - >-
    SELECT time, username, object, node_name, node_selector FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
covers: [DE-009]
*/
WITH touched AS (
  SELECT
    event_id, act, identity_kind,
    bool_or(change = 'control plane opened') AS is_opened,
    bool_or(change = 'taint removed' AND field IN ('node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master', 'node-role.kubernetes.io/controlplane', 'node-role.kubernetes.io/etcd')) AS is_named,
    -- All taints, or one named only by its index, of a node that the response does not show.
    bool_or(change = 'taint removed' AND NOT compared AND (field = '' OR regexp_like(field, '^[0-9-]+$'))) AS is_unknown,
    bool_or(change = 'label' AND after IS NULL AND starts_with(field, 'node-role.kubernetes.io/')
      AND field IN ('node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master', 'node-role.kubernetes.io/controlplane', 'node-role.kubernetes.io/etcd')) AS is_unlabelled,
    string_agg(what, '; ') AS what
  FROM guard_writes
  WHERE in_scope AND kind = 'node' AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
  GROUP BY event_id, act, identity_kind
)
SELECT touched.event_id, act || ': ' || what AS reason
FROM touched
JOIN events ON events.event_id = touched.event_id
WHERE is_opened OR is_named OR is_unlabelled
  OR (is_unknown AND coalesce(json_get_str(response_object, 'kind'), '') <> 'Node')
