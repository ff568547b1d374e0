/*
id: secrets-collected-slowly
title: Many secrets read over a day
severity: medium
confidence: low
risk: 30
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  Within a day, a person, or a service account in a shell, reads many secrets one by one, with pauses of any length, and
  had not read most of them before. This indicates slow credential collection. Helm releases do not count, and a secret
  counts once.
blind_spots: Fewer reads, and service accounts with the user agent of a controller.
false_positives:
  - Administrators who move applications, and dashboards through which people view many secrets
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
covers: [CA-003]
controls: [DSP-15]
parameters:
  secrets:
    type: integer
    default: 20
    description: Number of names in a day
  namespaces:
    type: integer
    default: 3
    description: Number of namespaces
  new_secrets:
    type: integer
    default: 25
    description: Alternatively, number of names in any namespace that the identity had not read before
*/
WITH reads AS (
  SELECT
    secret_reads.*, known.name IS NOT NULL AS is_known,
    -- Two rows of days that overlap by half: any twelve hours lie within one of them.
    unnest(make_array(
      floor(date_part('epoch', time) / 86400) * 2, floor((date_part('epoch', time) + 43200) / 86400) * 2 + 1)) AS day
  FROM secret_reads
  LEFT JOIN (
    SELECT DISTINCT cluster AS known_cluster, username AS known_username, namespace AS known_namespace, name
    FROM events_history
    WHERE activity = 'secret' AND verb = 'get' AND outcome = 'allowed'
  ) AS known
    ON known_cluster = secret_reads.cluster AND known_username = secret_reads.username
    AND known_namespace = secret_reads.namespace AND known.name = secret_reads.name
  WHERE NOT is_list
),
days AS (
  SELECT
    cluster, username, impersonated_username, day,
    array_agg(event_id ORDER BY time, event_id) AS event_ids,
    count(DISTINCT concat_ws('/', namespace, name)) AS names,
    count(DISTINCT CASE WHEN is_known THEN concat_ws('/', namespace, name) END) AS known,
    count(DISTINCT namespace) AS namespaces
  FROM reads
  GROUP BY cluster, username, impersonated_username, day
)
SELECT
  event_ids AS event_id,
  coalesce(min(username), 'an unknown identity') || coalesce(' as ' || min(impersonated_username), '') || ' reads ' || min(names) || ' secrets of '
    || min(namespaces) || ' namespaces within a day' AS reason
FROM days
WHERE names >= $secrets AND (namespaces >= $namespaces OR names - known >= $new_secrets)
GROUP BY event_ids
