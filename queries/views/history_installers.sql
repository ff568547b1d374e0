-- Accounts in kube-system that the installer of a cluster creates during installation, such as an add-on manager.
-- `until` is the end of their part. To control one, an attacker would have to be the installer.
SELECT DISTINCT birth.cluster, concat('system:serviceaccount:kube-system:', made.name) AS username, birth.time, birth.until + INTERVAL '1 minute' AS until
FROM history_births AS birth
JOIN (
  SELECT cluster, time, name, username, client_ip FROM events
  WHERE created AND resource = 'serviceaccounts' AND subresource IS NULL AND namespace = 'kube-system'
    AND outcome = 'allowed' AND impersonated_username IS NULL AND name <> 'default'
  UNION ALL
  SELECT cluster, time, name, username, client_ip FROM events_history
  WHERE created AND resource = 'serviceaccounts' AND subresource IS NULL AND namespace = 'kube-system'
    AND outcome = 'allowed' AND impersonated_username IS NULL AND name <> 'default'
) AS made
  ON made.cluster = birth.cluster AND made.username = birth.username AND (made.client_ip IS NOT DISTINCT FROM birth.client_ip)
  AND made.time BETWEEN birth.time AND birth.until
