/*
id: volume-from-elsewhere
title: Volume from an external server or node-level driver
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1610, T1611, T1105]
tactics: [Execution, Privilege Escalation, Command and Control]
description: >-
  A workload or PersistentVolume is written with a volume from a server outside private networks (NFS, iSCSI, Ceph and
  others, also through a CSI driver), or a workload whose program is on a network or image volume. Volumes whose driver
  exposes a directory of the node (table node_csi_drivers) or is a program of the node (flexVolume) also count.
blind_spots: Servers with host names, which count only where the workload runs a program from them.
false_positives:
  - Applications on network file systems that start their program from them
triage:
  - >-
    SELECT time, username, verb, name, type, driver, source FROM persistent_volumes WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/
covers: [WL-027]
controls: [AIS-06]
*/
WITH found AS (
  SELECT event_id, object, name, type, driver, coalesce(source, image_reference) AS source
  FROM authored_volumes
  UNION ALL
  SELECT event_id, 'PersistentVolume ' || coalesce(name, '') AS object, name, type, driver, source
  FROM persistent_volumes
  WHERE outcome = 'allowed' AND NOT (identity_kind = 'controller' AND NOT created)
),
mounts AS (
  SELECT event_id, mount['name'] AS volume, mount['mount_path'] AS mount_path, command, args, working_dir
  FROM (SELECT event_id, command, args, working_dir, unnest(volume_mounts) AS mount FROM containers)
),
started AS (
  SELECT DISTINCT event_id, volume
  FROM (
    SELECT event_id, volume, mount_path, unnest(array_concat(coalesce(command, make_array()), coalesce(args, make_array()))) AS word
    FROM mounts
    UNION ALL
    -- A program in the working directory: ./agent and bin/agent, or a script that a shell runs.
    SELECT event_id, volume, mount_path, concat(trim(TRAILING '/' FROM working_dir), '/', regexp_replace(word, '^([.]/)+', ''))
    FROM (
      SELECT event_id, volume, mount_path, working_dir, unnest(array_concat(coalesce(command, make_array()), coalesce(args, make_array()))) AS word
      FROM mounts WHERE working_dir IS NOT NULL
    )
    WHERE NOT starts_with(word, '/') AND (contains(word, '/') OR regexp_like(word, '[.](sh|py|pl|rb|js|php|jar|so|bin|elf)$'))
    UNION ALL
    SELECT event_id, volume, mount_path, concat(' ', regexp_match(array_to_string(array_concat(coalesce(command, make_array()), coalesce(args, make_array())), ' '), '\bcd +([^ ;&|]+)')[1], '/')
    FROM mounts
  )
  -- Any command: a shell with a script of the volume, or the program itself.
  WHERE mount_path <> '/' AND (word = mount_path OR starts_with(word, trim(TRAILING '/' FROM mount_path) || '/')
    OR word LIKE '% ' || trim(TRAILING '/' FROM mount_path) || '/%')
)
SELECT DISTINCT event_id, reason
FROM (
  SELECT
    found.event_id,
    'volume ' || coalesce(name, '') || ' of ' || object
      || CASE
        WHEN is_outside THEN ' comes from ' || source || ', outside private networks'
        WHEN drivers.driver IS NOT NULL THEN ' is ' || reaches || ', through driver ' || found.driver
        WHEN type = 'flexVolume' THEN ' runs driver ' || coalesce(found.driver, '') || ' of the node as root'
        -- An image volume from the registry of a container is as trusted as the container.
        WHEN started.volume IS NOT NULL AND NOT (found.type = 'image' AND coalesce(array_has(registries, image_part(source, 'registry')), false)) THEN ' comes from ' || coalesce(source, type) || ', and the workload runs a program in it'
      END AS reason
  FROM (
    SELECT *, type <> 'gitRepo' AND is_private_ip(regexp_replace(source, '^(.*//)?\[?([0-9a-fA-F.:]+?)\]?(:[0-9]+)?(/.*)?$', '\2')) IS FALSE AS is_outside
    FROM found
  ) AS found
  LEFT JOIN (
    SELECT event_id, array_agg(DISTINCT registry) AS registries FROM containers WHERE registry IS NOT NULL AND role <> 'volume' GROUP BY event_id
  ) AS used ON used.event_id = found.event_id
  LEFT JOIN node_csi_drivers AS drivers ON drivers.driver = found.driver
  LEFT JOIN started
    ON started.event_id = found.event_id AND started.volume = found.name
    AND found.type IN ('image', 'nfs', 'iscsi', 'cephfs', 'rbd', 'glusterfs', 'azureFile', 'quobyte', 'flexVolume', 'csi', 'scaleIO', 'storageos')
)
WHERE reason IS NOT NULL
