/*
title: All requests for an object
description: >-
  Every request on an object, reads, dry runs and refused requests too. What was done to all objects of its kind at once
  (list, deletecollection) names none, and is not here.
parameters:
  name: {type: text, description: 'Its name; * stands for any characters', default: '*'}
  namespace: {type: text, description: 'Its namespace; * stands for any characters, and for none', default: '*'}
  resource: {type: text, description: 'Its resource, such as pods; * stands for any characters', default: '*'}
*/
SELECT
  time, verb, concat_ws('/', resource, subresource) AS resource, namespace, name, outcome, status_code, username,
  impersonated_username, client_ip, user_agent, cluster, event_id
FROM events
WHERE glob(name, $name)
  AND glob(coalesce(namespace, ''), $namespace)
  AND glob(resource, $resource)
ORDER BY time, event_id
