/*
title: All requests for an object
description: >-
  Every request for an object, including reads, dry runs and denied requests. Requests for all objects of a kind (list,
  deletecollection) name no object and are not included.
parameters:
  name: {type: text, description: 'Object name; * matches any characters', default: '*'}
  namespace: {type: text, description: 'Namespace; * matches any characters, and none', default: '*'}
  resource: {type: text, description: 'Resource, such as pods; * matches any characters', default: '*'}
*/
SELECT
  time, verb, concat_ws('/', resource, subresource) AS resource, namespace, name, outcome, status_code, username,
  impersonated_username, client_ip, user_agent, cluster, event_id
FROM events
WHERE glob(name, $name)
  AND glob(coalesce(namespace, ''), $namespace)
  AND glob(resource, $resource)
ORDER BY time, event_id
