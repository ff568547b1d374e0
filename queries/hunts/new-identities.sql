/*
title: Identities first seen in the scope
description: >-
  User names in the scope that do not occur in the log before it, with their requests. If the scope has no start, all
  are new.
parameters:
  kinds: {type: text_list, description: 'Kinds of identities', default: [human, service_account, anonymous]}
*/
SELECT
  i.username, i.identity_kind, i.first_seen, i.last_seen, i.requests, i.denied, i.workload_writes, i.verbs, i.namespaces,
  i.client_ips, i.user_agents, i.cluster
FROM identities AS i
LEFT JOIN identities_history AS h ON h.cluster = i.cluster AND h.username = i.username
WHERE h.username IS NULL AND array_has($kinds, i.identity_kind)
ORDER BY i.first_seen, i.username
