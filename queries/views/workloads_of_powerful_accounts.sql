-- One row per role of powerful_accounts that the account of a written pod has at that time. A pod without the
-- token does not have the account's rights.
SELECT DISTINCT
  written.event_id, written.identity_kind,
  written.object || ' runs as service account ' || account || ', which holds ' || role_name AS reason
FROM authored_workloads AS written
JOIN powerful_accounts AS held
  ON held.cluster = written.cluster AND held.account_namespace = written.namespace
  AND held.account = coalesce(written.service_account_name, 'default')
WHERE held.granted_at <= written.time AND (held.revoked_at IS NULL OR held.revoked_at > written.time)
  AND written.body_source IN ('request', 'response')
  AND (written.automount_service_account_token IS DISTINCT FROM false)
