/*
id: threat-indicator
title: Threat intelligence indicator match
severity: high
confidence: medium
risk: 40
attack: [T1078, T1204.003]
tactics: [Initial Access, Execution]
description: >-
  A request has an address, an image, a user name or a user agent that a list of indicators (--indicators) contains. All
  entries of sourceIPs, images of containers of all roles and of image volumes, and real and impersonated users are
  compared. The severity is that of the indicator. One finding per day for each identity and indicator, with its first
  50 events as evidence.
blind_spots: >-
  Indicators that are in no list. Addresses behind a proxy or load balancer that does not pass them on. The digest of an
  image named only by its tag.
false_positives:
  - Addresses of clouds, VPNs and mobile networks that changed owner since they were listed
  - Security teams that examine a listed host
  - Addresses before the last of sourceIPs, which come from X-Forwarded-For and can be forged by a client
triage:
  - >-
    SELECT time, username, verb, object, outcome, source_ips, user_agent FROM events WHERE array_has(source_ips, '<ip>') ORDER BY time
  - SELECT time, username, object, image FROM containers WHERE image LIKE '%<image>%' ORDER BY time
references:
  - https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html
  - https://attack.mitre.org/techniques/T1078/
covers: [IA-005]
*/
WITH requests AS (
  SELECT event_id, time, cluster, username, impersonated_username, source_ips, user_agent FROM events
),
addresses AS (
  -- The networks of an address with the listed prefix lengths: a join by value, however long the list is.
  SELECT ip, value, severity, listed
  FROM (
    SELECT ip, network_of(ip, length) AS network
    FROM (SELECT DISTINCT ip FROM (SELECT unnest(source_ips) AS ip FROM requests))
    CROSS JOIN (SELECT DISTINCT length FROM threat_indicators WHERE kind = 'address')
  )
  JOIN threat_indicators ON kind = 'address' AND key = network
),
agents AS (
  SELECT agent, value, severity, listed
  FROM (SELECT DISTINCT user_agent AS agent FROM requests)
  JOIN threat_indicators ON kind = 'user_agent' AND key = lower(agent)
  UNION ALL
  SELECT agent, value, severity, listed
  FROM (SELECT DISTINCT user_agent AS agent FROM requests)
  JOIN (SELECT * FROM threat_indicators WHERE kind = 'user_agent_pattern') ON glob(lower(agent), key)
),
images AS (
  SELECT event_id, time, cluster, username, impersonated_username, image, registry || '/' || repository AS name, tag, digest
  FROM containers
  UNION ALL
  SELECT
    event_id, time, cluster, username, impersonated_username, image_reference,
    image_part(image_reference, 'registry') || '/' || image_part(image_reference, 'repository'),
    image_part(image_reference, 'tag'), image_part(image_reference, 'digest')
  FROM volumes
  WHERE image_reference IS NOT NULL
),
matches AS (
  SELECT
    event_id, time, cluster, username, impersonated_username, value, severity, listed,
    'from ' || CASE WHEN ip = value OR starts_with(value, ip || '/') THEN ip ELSE ip || ' of ' || value END
      || CASE WHEN array_length(source_ips) > 1
        THEN ' (address ' || array_position(source_ips, ip) || ' of ' || array_length(source_ips) || ')' ELSE '' END AS seen
  FROM (SELECT *, unnest(source_ips) AS source_ip FROM requests)
  JOIN addresses ON ip = source_ip
  UNION ALL
  SELECT
    event_id, time, cluster, username, impersonated_username, value, severity, listed, 'with the user agent "' || agent || '"'
  FROM requests
  JOIN agents ON agent = user_agent
  UNION ALL
  SELECT event_id, time, cluster, username, impersonated_username, value, severity, listed, 'as this user'
  FROM requests
  JOIN threat_indicators ON kind = 'user' AND key = lower(username)
  UNION ALL
  SELECT
    event_id, time, cluster, username, impersonated_username, value, severity, listed,
    'impersonating ' || impersonated_username
  FROM requests
  JOIN threat_indicators ON kind = 'user' AND key = lower(impersonated_username)
  UNION ALL
  SELECT event_id, time, cluster, username, impersonated_username, value, severity, listed, 'with the image ' || image
  FROM images
  JOIN threat_indicators ON kind = 'image' AND key = name AND (threat_indicators.tag IS NULL OR threat_indicators.tag = images.tag)
  UNION ALL
  SELECT event_id, time, cluster, username, impersonated_username, value, severity, listed, 'with the image ' || image
  FROM images
  JOIN threat_indicators ON kind = 'digest' AND key = digest
)
SELECT
  array_slice(array_agg(event_id ORDER BY time), 1, 50) AS event_id,
  coalesce(username, 'an unknown identity') || ' ' || min(seen) || ', ' || count(DISTINCT event_id) || ' requests: listed by ' || min(listed)
    AS reason,
  severity,
  -- An event may match several indicators: each is a finding.
  value || ' ' || CAST(date_trunc('day', time) AS VARCHAR) AS key
FROM matches
GROUP BY cluster, username, impersonated_username, value, severity, date_trunc('day', time)
