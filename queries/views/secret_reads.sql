-- Successful reads of secrets by people, and by accounts with a client of people, shells or scripts. `is_list` is a list or
-- watch of more than one secret. Releases of Helm are left out, whether read by name or listed by label. The selector that
-- the API server applies counts, and it must require that value: the response then holds only releases, or one secret.
SELECT *, coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') AS reader
FROM (
  SELECT
    *,
    verb <> 'get' AND name IS NULL AND required_value(query_value(request_uri, 'fieldSelector'), 'metadata.name') IS NULL AS is_list
  FROM client_requests
  WHERE activity = 'secret' AND resource = 'secrets' AND outcome = 'allowed'
    AND (verb = 'get' OR verb IN ('list', 'watch'))
    AND (identity_kind IN ('human', 'anonymous') OR identity_kind <> 'controller' AND tool_kind <> 'other')
)
WHERE CASE
  WHEN is_list THEN coalesce(required_value(query_value(request_uri, 'labelSelector'), 'owner') <> 'helm', true)
  ELSE name NOT LIKE 'sh.helm.release.%'
END
