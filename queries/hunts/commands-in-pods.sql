/*
title: Commands run in pods
description: >-
  One row an exec or attach, with what the command line hides in Base64, hexadecimal or percent signs. What is typed into a
  shell that stays open is not in an audit log.
parameters:
  identity: {type: text, description: 'The user name; * stands for any characters', default: '*'}
  namespace: {type: text, description: 'The namespace; * stands for any characters', default: '*'}
*/
SELECT
  time, username, impersonated_username, subresource, namespace, name, container, outcome, command_line,
  decode_command(command_line) AS decoded, stdin, tty, client_ip, user_agent, cluster, event_id
FROM execs
WHERE subresource <> 'portforward' AND glob(username, $identity) AND glob(namespace, $namespace)
ORDER BY time, event_id
