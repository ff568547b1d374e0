/*
title: Commands run in pods
description: >-
  One row per exec or attach, with the decoded command line (Base64, hexadecimal, percent-encoding). The audit log does
  not contain commands typed into an open shell.
parameters:
  identity: {type: text, description: 'User name; * matches any characters', default: '*'}
  namespace: {type: text, description: 'Namespace; * matches any characters', default: '*'}
*/
SELECT
  time, username, impersonated_username, subresource, namespace, name, container, outcome, command_line,
  decode_command(command_line) AS decoded, stdin, tty, client_ip, user_agent, cluster, event_id
FROM execs
WHERE subresource <> 'portforward' AND glob(username, $identity) AND glob(namespace, $namespace)
ORDER BY time, event_id
