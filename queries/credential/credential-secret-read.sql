/*
id: credential-secret-read
title: Secret with a platform credential read
severity: low
confidence: medium
risk: 15
attack: [T1552.007, T1528]
tactics: [Credential Access]
description: >-
  A person, or a service account in a shell, reads a secret whose name indicates a token, a kubeconfig, a private key or
  a registry password. Such a credential works outside the application.
blind_spots: Secrets with other names. Values returned by a list.
false_positives:
  - Administrators who renew or check a credential
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-016]
controls: [DSP-15]
parameters:
  names:
    type: text
    default: '(^|[-_.])(tokens?|kubeconfig|admin-?conf|dockercfg|dockerconfigjson|regcred|registry|pull-?secrets?|image-?pull|bootstrap-token|tls|certs?|ca|private-?key|ssh|id-rsa|aws|gcp|azure|vault|root|admin)([-_.]|$)'
    description: Names of secrets that hold credentials, as a regular expression
*/
SELECT event_id, coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' reads secret ' || coalesce(namespace || '/', '') || name AS reason
FROM client_requests
WHERE activity = 'secret' AND resource = 'secrets' AND (verb = 'get' OR verb IN ('list', 'watch') AND name IS NOT NULL) AND outcome = 'allowed'
  AND (identity_kind IN ('human', 'anonymous') OR identity_kind <> 'controller' AND tool_kind <> 'other')
  AND regexp_like(name, $names)
