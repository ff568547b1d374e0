-- One row per subject of a binding write; a binding whose subjects are not visible has one row with a null subject.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, namespace, name, outcome, kind, body_source, role_kind, role_name,
  subject['kind'] AS subject_kind,
  subject['name'] AS subject_name,
  subject['namespace'] AS subject_namespace,
  outcome_uncertain,
  amends, copied, partial_answer, created
FROM (
  SELECT
    *,
    rbac['kind'] AS kind,
    rbac['body_source'] AS body_source,
    rbac['role_kind'] AS role_kind,
    rbac['role_name'] AS role_name,
    rbac['amends'] AS amends,
    rbac['copied'] AS copied,
    unnest(CASE
      WHEN cardinality(rbac['subjects']) > 0 THEN rbac['subjects']
      ELSE make_array(NULL)
    END) AS subject
  FROM {rbac_writes}
  WHERE activity = 'rbac' AND rbac['kind'] IN ('RoleBinding', 'ClusterRoleBinding')
)
