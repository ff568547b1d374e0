-- Writes that the platform or its makers do as a matter of course, with the reason. What a detection with `routine` in its head
-- says of them has that severity: it is told, but it is not news.
-- The first minutes of a cluster, whose birth is in the log when its API server makes the namespace kube-system.
SELECT event.cluster, event.event_id, 'set-up of a new cluster by an administrator' AS routine
FROM events AS event
JOIN (
  SELECT cluster, min(time) AS time
  FROM events
  WHERE activity = 'write' AND username = 'system:apiserver' AND verb = 'create' AND resource = 'namespaces'
    AND name = 'kube-system' AND outcome = 'allowed'
  GROUP BY cluster
) AS birth
  ON birth.cluster = event.cluster AND event.time BETWEEN birth.time AND birth.time + INTERVAL '15 minutes'
WHERE event.activity IN ('workload', 'rbac', 'write') AND array_has(event.user_groups, 'system:masters')
  AND event.impersonated_username IS NULL
UNION ALL
-- An account of kube-system is as good as the cluster. Its images must be those of a publisher of such software or of a
-- registry that not everybody can push to.
SELECT cluster, event_id, 'an add-on by an account of kube-system' AS routine
FROM (
  SELECT
    container.cluster, container.event_id, container.namespace,
    bool_and(platform.product IS NOT NULL) AS is_platform,
    bool_and(platform.product IS NOT NULL OR public.registry IS NULL) AS is_ours
  FROM containers AS container
  LEFT JOIN platform_images AS platform
    ON concat(container.registry, '/', container.repository) LIKE platform.repository
  LEFT JOIN public_registries AS public ON container.registry = public.registry
  WHERE starts_with(username, 'system:serviceaccount:kube-system:') AND impersonated_username IS NULL
    AND container.registry IS NOT NULL
  GROUP BY container.cluster, container.event_id, container.namespace
)
WHERE is_platform OR (is_ours AND namespace = 'kube-system')
UNION ALL
SELECT cluster, event_id, 'an add-on by an account of kube-system' AS routine
FROM config_maps
WHERE namespace = 'kube-system' AND starts_with(username, 'system:serviceaccount:kube-system:')
  AND impersonated_username IS NULL
UNION ALL
-- An update that leaves all that matters as it was.
SELECT cluster, event_id, 'an update that makes nothing weaker' AS routine
FROM changes
GROUP BY cluster, event_id
HAVING bool_and(
  change IN ('replicas', 'schedule', 'suspend', 'container removed', 'volume removed', 'env', 'env added', 'env removed', 'security strengthened')
  OR (change = 'image' AND before IS NOT NULL AND image_part(before, 'repository') = image_part(after, 'repository')
    AND image_part(before, 'registry') = image_part(after, 'registry'))
)
