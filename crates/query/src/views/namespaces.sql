-- One row per write of a Namespace, with the labels that it sets; a null value means that a patch removes the label.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  namespace_labels AS labels,
  namespace_labels['pod-security.kubernetes.io/enforce'] AS enforce,
  namespace_labels['pod-security.kubernetes.io/audit'] AS audit,
  namespace_labels['pod-security.kubernetes.io/warn'] AS warn,
  created
FROM events
WHERE activity = 'write' AND resource = 'namespaces' AND subresource IS NULL
