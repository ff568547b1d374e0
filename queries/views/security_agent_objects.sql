-- One row per object that is a workload of a security product, by its name or by an image in a write of it.
SELECT cluster, resource, namespace, name, min(product) AS product
FROM (
  SELECT cluster, resource, namespace, name, product
  FROM (
    SELECT DISTINCT cluster, resource, namespace, name
    FROM all_events
    WHERE activity = 'workload' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  )
  JOIN security_agents ON regexp_like(concat_ws('/', namespace, name), '(^|[-/])(' || agent || ')(-|$)')
  UNION ALL
  SELECT cluster, resource, namespace, workload_name AS name, product
  FROM (SELECT * FROM containers UNION ALL SELECT * FROM containers_history) AS container
  JOIN security_agent_images AS known ON concat(container.registry, '/', container.repository) LIKE known.repository
  WHERE workload_name IS NOT NULL
)
GROUP BY cluster, resource, namespace, name
