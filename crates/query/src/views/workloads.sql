-- One row a request that writes a workload. `name` is the object's, `object` is kind and name for people.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, api_group, resource, subresource, namespace, name, object_uid, outcome, status_code, dry_run, level,
  -- What the control plane makes from an owner's template is not anybody's own act. To satisfy this takes the credential of
  -- the controller that makes such objects for such owners; whether it was its controller that used it, whether the owner
  -- exists and says the same, is asked by the detections controller-* and owner-*.
  identity_kind = 'controller' AND workload['owner'] IS NOT NULL
    AND coalesce(controller_makes(username, verb, resource, workload['owner']['kind']), false) AS made_by_controller,
  workload['kind'] AS kind,
  concat(workload['kind'], ' ', coalesce(name, concat(workload['generate_name'], '*'))) AS object,
  workload['generate_name'] AS generate_name,
  workload['body_source'] AS body_source,
  workload['owner'] AS owner,
  workload['labels'] AS labels,
  workload['annotations'] AS annotations,
  workload['pod_labels'] AS pod_labels,
  workload['pod_annotations'] AS pod_annotations,
  workload['host_pid'] AS host_pid,
  workload['host_ipc'] AS host_ipc,
  workload['host_network'] AS host_network,
  workload['host_users'] AS host_users,
  workload['share_process_namespace'] AS share_process_namespace,
  workload['service_account_name'] AS service_account_name,
  workload['automount_service_account_token'] AS automount_service_account_token,
  workload['node_name'] AS node_name,
  workload['node_selector'] AS node_selector,
  workload['node_affinity'] AS node_affinity,
  workload['tolerations'] AS tolerations,
  workload['priority_class_name'] AS priority_class_name,
  workload['runtime_class_name'] AS runtime_class_name,
  workload['scheduler_name'] AS scheduler_name,
  workload['run_as_user'] AS run_as_user,
  workload['run_as_non_root'] AS run_as_non_root,
  workload['sysctls'] AS sysctls,
  workload['seccomp_profile'] AS seccomp_profile,
  workload['app_armor_profile'] AS app_armor_profile,
  workload['host_process'] AS host_process,
  workload['replicas'] AS replicas,
  workload['schedule'] AS schedule,
  workload['suspend'] AS suspend,
  workload['volumes'] AS volumes,
  workload['containers'] AS containers,
  workload['pod_security_level'] AS pod_security_level,
  workload['pod_security_failed'] AS pod_security_failed,
  workload['posture'] AS posture,
  workload['added_by_admission'] AS added_by_admission
FROM events{history}
WHERE activity = 'workload' AND workload IS NOT NULL
