/*
id: node-changed
aliases: [control-plane-node-opened, node-changed-by-person, many-nodes-closed]
title: Node opened for workloads, labelled or cordoned
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1610, T1685, T1499]
tactics: [Defense Impairment, Execution, Impact]
description: >-
  The taints that keep workloads off a control plane node, or its role label, are removed by hand or by a stolen account
  (medium): pods can then run where the cluster keys are stored. Where the response does not show the node, the removal
  of all taints counts. A person who cordons three or more nodes within an hour moves new pods to the remaining ones, or
  leaves them pending (low). Other changes of labels and taints by a person are info.
blind_spots: A control plane node without the usual labels and taints.
false_positives:
  - Administrators of small clusters, who run workloads on the control plane on purpose
  - Maintenance of nodes
  - Replacement of nodes
triage:
  - >-
    SELECT time, username, verb, name, outcome FROM events WHERE resource = 'nodes' AND name = '<name>' AND activity = 'write' ORDER BY time
  - >-
    SELECT time, username, object, node_name, node_selector FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, name, outcome FROM events WHERE resource = 'nodes' AND activity = 'write' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
  - https://kubernetes.io/docs/concepts/architecture/nodes/
  - https://kubernetes.io/docs/concepts/architecture/nodes/#manual-node-administration
covers: [DE-009]
*/
WITH touched AS (
  SELECT
    event_id, cluster, username, name, date_bin(INTERVAL '1 hour', time) AS hour, act, identity_kind,
    bool_or(change = 'cordoned') AS is_cordoned,
    bool_or(change = 'control plane opened'
      OR change = 'taint removed' AND field IN ('node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master', 'node-role.kubernetes.io/controlplane', 'node-role.kubernetes.io/etcd')
      OR change = 'label' AND after IS NULL AND field IN ('node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master', 'node-role.kubernetes.io/controlplane', 'node-role.kubernetes.io/etcd')) AS is_opened,
    -- All taints, or one named only by its index, of a node that the response does not show.
    bool_or(change = 'taint removed' AND NOT compared AND (field = '' OR regexp_like(field, '^[0-9-]+$'))) AS is_unknown,
    string_agg(what, '; ') AS what
  FROM guard_writes
  WHERE in_scope AND kind = 'node' AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
  GROUP BY event_id, cluster, username, name, date_bin(INTERVAL '1 hour', time), act, identity_kind
),
cordons AS (
  SELECT cluster, username, hour, count(DISTINCT name) AS nodes
  FROM touched
  WHERE is_cordoned
  GROUP BY cluster, username, hour
),
judged AS (
  SELECT
    touched.*, nodes,
    CASE
      WHEN is_opened OR is_unknown AND coalesce(json_get_str(response_object, 'kind'), '') <> 'Node' THEN 'medium'
      WHEN identity_kind IN ('human', 'anonymous') THEN CASE WHEN is_cordoned AND nodes >= 3 THEN 'low' ELSE 'info' END
    END AS severity
  FROM touched
  JOIN (SELECT event_id, response_object FROM events WHERE resource = 'nodes') AS answer ON answer.event_id = touched.event_id
  LEFT JOIN cordons ON cordons.cluster = touched.cluster AND cordons.username = touched.username AND cordons.hour = touched.hour
)
SELECT
  event_id, severity,
  act || ': ' || what || CASE WHEN severity = 'low' THEN ', one of ' || nodes || ' nodes within an hour' ELSE '' END AS reason
FROM judged
WHERE severity IS NOT NULL
