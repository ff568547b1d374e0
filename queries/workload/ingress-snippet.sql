/*
id: ingress-snippet
title: Ingress with a configuration snippet
severity: medium
confidence: medium
risk: 25
attack: [T1190, T1552.007]
tactics: [Credential Access, Privilege Escalation]
description: >-
  An Ingress is written with an annotation whose text the controller inserts into its configuration (snippets of
  ingress-nginx, NGINX and HAProxy). Lua code or a path of the controller's file system can expose its token, which
  reads the secrets of all namespaces (CVE-2021-25742). Severity is low where every statement only sets headers, limits,
  timeouts or responses.
blind_spots: Writes logged at Metadata level. Annotations of other controllers.
false_positives:
  - Applications with their own rewrites or proxies in a snippet
triage:
  - >-
    SELECT time, username, verb, namespace, name, request_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, hosts, backend_services FROM ingresses WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
  - https://github.com/kubernetes/kubernetes/issues/126811
covers: [IA-007]
*/
WITH written AS (
  SELECT
    event_id, time, cluster, username, verb, namespace, name, in_scope, annotation,
    CASE WHEN starts_with(ltrim(request_object), '[') THEN request_object ELSE json_get_str(json_get_json(request_object, 'metadata', 'annotations'), annotation) END AS text
  FROM (
    SELECT
      event_id, time, cluster, username, verb, namespace, name, request_object, in_scope,
      unnest(make_array(
        'nginx.ingress.kubernetes.io/server-snippet', 'nginx.ingress.kubernetes.io/configuration-snippet', 'nginx.ingress.kubernetes.io/auth-snippet',
        'nginx.ingress.kubernetes.io/stream-snippet', 'nginx.ingress.kubernetes.io/modsecurity-snippet',
        'ingress.kubernetes.io/server-snippet', 'ingress.kubernetes.io/configuration-snippet',
        'nginx.org/server-snippets', 'nginx.org/location-snippets', 'haproxy.org/backend-config-snippet', 'haproxy.org/frontend-config-snippet',
        'haproxy-ingress.github.io/config-backend', 'haproxy-ingress.github.io/config-frontend')) AS annotation
    FROM all_events
    WHERE activity = 'write' AND resource = 'ingresses' AND subresource IS NULL AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
      AND identity_kind <> 'controller' AND regexp_like(request_object, 'snippet|/config-(back|front)end')
  )
  WHERE NOT starts_with(ltrim(request_object), '[') OR contains(replace(request_object, '~1', '/'), annotation)
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, namespace, name, annotation, text ORDER BY time, event_id) AS nth
  FROM written
  WHERE text <> ''
),
statements AS (
  -- Quoted text, except variables, and comments have no effect on what a statement does.
  SELECT
    event_id, username, namespace, name, annotation, text,
    unnest(string_to_array(translate(regexp_replace(regexp_replace(text, '(^|\n)\s*#[^\n]*', ';', 'g'), '"[^"\n]*"|''[^''\n]*''', 'x', 'g'), concat('{}', chr(10)), ';;;'), ';')) AS statement
  FROM numbered
  WHERE in_scope AND nth = 1
)
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' writes Ingress ' || coalesce(namespace || '/', '') || coalesce(name, '') || ' with ' || annotation || ': ' || left(text, 200) AS reason,
  CASE
    WHEN bool_and(regexp_like(trim(statement), '^(|x|(more_(set|clear)_(input_)?headers|add_header|proxy_set_header|proxy_hide_header|proxy_pass_header|expires|etag|limit_(req|conn|rate|except)\w*|client_(max_body_size|body_buffer_size|body_timeout|header_timeout|header_buffer_size)|large_client_header_buffers|proxy_(\w+_timeout|buffer\w*|http_version|max_temp_file_size|request_buffering|next_upstream\w*|cookie_path|cookie_domain|cookie_flags|redirect|ignore_client_abort|intercept_errors)|keepalive\w*|send_timeout|gzip\w*|brotli\w*|if|return|rewrite|deny|allow|satisfy|set|default_type|underscores_in_headers|chunked_transfer_encoding|charset|http-(request|response) (set|add|del|replace)-header|timeout|option|compression)(\s.*)?)$', 's'))
      -- Server variables, as in headers, but no code.
      AND NOT regexp_like(text, 'lua|/run/secrets|/etc/|/proc/|\bperl\b|njs|\bjs_', 'i') THEN 'low'
    ELSE 'medium'
  END AS severity
FROM statements
GROUP BY event_id, username, namespace, name, annotation, text
