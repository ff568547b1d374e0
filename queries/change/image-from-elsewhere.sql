/*
id: image-from-elsewhere
title: Image replaced by one from another registry
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1525]
tactics: [Execution, Persistence]
description: >-
  The image of an existing workload is replaced by one from a public registry that the cluster had not used before,
  where the previous image came from a private registry, or by one from a registry addressed by IP.
blind_spots: Repositories used only before the log begins count as new.
false_positives:
  - Migrations to a vendor's image
references:
  - https://attack.mitre.org/techniques/T1525/
covers: [WL-058, WL-036]
controls: [AIS-06]
*/
WITH replaced AS (
  SELECT
    event_id, time, cluster, object, before, after,
    regexp_replace(after, '(@.*|:[^/:]*)$', '') AS repository,
    CASE WHEN regexp_like(before, '^([^/]*[.:][^/]*|localhost)/') THEN split_part(before, '/', 1) ELSE 'docker.io' END AS registry_before,
    CASE WHEN regexp_like(after, '^([^/]*[.:][^/]*|localhost)/') THEN split_part(after, '/', 1) ELSE 'docker.io' END AS registry_after
  FROM workload_changes
  WHERE change = 'image' AND before IS NOT NULL AND after IS NOT NULL
),
used AS (
  SELECT cluster, repository, min(first_used) AS first_used
  FROM (
    SELECT cluster, regexp_replace(image, '(@.*|:[^/:]*)$', '') AS repository, min(time) AS first_used
    FROM containers WHERE outcome = 'allowed' AND image IS NOT NULL GROUP BY cluster, image
    UNION ALL
    SELECT cluster, regexp_replace(image, '(@.*|:[^/:]*)$', '') AS repository, min(time) AS first_used
    FROM containers_history WHERE outcome = 'allowed' AND image IS NOT NULL GROUP BY cluster, image
  )
  GROUP BY cluster, repository
)
-- The previous image is not in the log: in a platform namespace, an image that belongs to no platform counts.
SELECT DISTINCT event_id, object || ' of kube-system now uses ' || after || ', which belongs to no platform; the previous image is not in the log' AS reason
FROM workload_changes
LEFT JOIN platform_images AS known
  ON regexp_replace(CASE WHEN regexp_like(after, '^([^/]*[.:][^/]*|localhost)/') THEN after ELSE 'docker.io/' || after END, '(@.*|:[^/:]*)$', '') LIKE known.repository
LEFT JOIN platform_component_images AS component
  ON regexp_like(regexp_replace(after, '(@.*|:[^/:]*)$', ''), concat('^(', component.image, ')$'))
WHERE change = 'image' AND before IS NULL AND after IS NOT NULL
  AND verb IN ('update', 'patch') AND coalesce(namespace, '') = 'kube-system' AND known.repository IS NULL AND component.image IS NULL
  AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous', 'node')
UNION
SELECT DISTINCT event_id, object || ' now uses ' || after || ' instead of ' || before AS reason
FROM replaced
LEFT JOIN used ON used.cluster = replaced.cluster AND used.repository = replaced.repository
LEFT JOIN public_registries AS public_before ON public_before.registry = registry_before
LEFT JOIN public_registries AS public_after ON public_after.registry = registry_after
WHERE registry_before <> registry_after
  AND (regexp_like(registry_after, '^[0-9]+(\.[0-9]+){3}(:[0-9]+)?$')
    OR (public_after.registry IS NOT NULL AND public_before.registry IS NULL
      AND (used.first_used IS NULL OR used.first_used >= replaced.time)))
