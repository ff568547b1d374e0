/*
id: workload-write-new-for-identity
aliases: [new-client-of-identity, new-kind-of-identity, new-namespace-of-identity]
title: Workload write that is new for its identity
severity: low
confidence: low
risk: 8
attack: [T1610, T1078]
tactics: [Execution, Initial Access]
description: >-
  An identity with workload writes in its baseline writes one from an address and with a client that none of its earlier
  writes used, of a kind with a wide or lasting effect that it never wrote (DaemonSet, CronJob, StatefulSet, Job,
  ReplicationController, or a bare ReplicaSet), or, as info, in a namespace that is new to it. The cause is a new task,
  a new machine or a stolen credential.
blind_spots: Activity before the log begins. Identities with few writes, which have no baseline.
false_positives:
  - New laptops, VPN addresses and new tools
  - New tasks
  - People who change teams; platform engineers
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-005, WS-007, WS-004]
controls: [AIS-06]
parameters:
  learning_seconds: {type: integer, default: 600, description: How long the log must run before a client or namespace counts as new}
  writes: {type: integer, default: 5, description: Number of workload writes that establish a baseline}
  kind_learning_seconds: {type: integer, default: 300, description: How long the log must run before a kind counts as new}
  kind_writes: {type: integer, default: 10, description: Number of workload writes that establish a baseline for kinds}
*/
SELECT
  event_id,
  CASE WHEN is_new_client OR is_new_kind THEN 'low' ELSE 'info' END AS severity,
  concat(
    identity, ' writes ', object, ' in ' || namespace, ' for the first time ',
    concat_ws(' and ',
      CASE WHEN is_new_client THEN concat('from ', coalesce(client_ip, 'an unknown address'), ' with ', coalesce(nullif(client, ''), 'no client name')) END,
      CASE WHEN is_new_kind THEN concat('of kind ', kind) END,
      CASE WHEN is_new_namespace THEN 'in this namespace' END),
    ', after ', nth - 1, ' other writes') AS reason
FROM (
  SELECT
    *,
    nth_of_client_ip = 1 AND nth_of_client = 1 AND nth > $writes AND log_seconds >= $learning_seconds AS is_new_client,
    nth_of_namespace = 1 AND nth > $writes AND log_seconds >= $learning_seconds AND namespace IS NOT NULL AS is_new_namespace,
    nth_of_kind = 1 AND nth > $kind_writes AND log_seconds >= $kind_learning_seconds
      AND kind IN ('DaemonSet', 'CronJob', 'StatefulSet', 'Job', 'ReplicaSet', 'ReplicationController') AS is_new_kind
  FROM history_writes_numbered
  WHERE in_scope
)
WHERE is_new_client OR is_new_kind OR is_new_namespace
