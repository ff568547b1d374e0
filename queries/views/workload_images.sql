-- One row per image of a workload write: of a container, or of an image volume (`role` is `image volume`).
SELECT
  event_id, cluster, time, namespace, username, identity_kind, outcome, made_by_controller, object, role, name, image,
  registry, repository, tag, digest
FROM containers
WHERE image IS NOT NULL
UNION ALL
SELECT
  event_id, cluster, time, namespace, username, identity_kind, outcome, made_by_controller, object, 'image volume' AS role,
  name, image_reference AS image, image_part(image_reference, 'registry') AS registry,
  image_part(image_reference, 'repository') AS repository, image_part(image_reference, 'tag') AS tag,
  image_part(image_reference, 'digest') AS digest
FROM volumes
WHERE image_reference IS NOT NULL
