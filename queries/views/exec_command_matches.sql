-- One row per exec and pattern of command_patterns that its command matches, with the detection, severity and ATT&CK
-- techniques of the table exec_commands.
SELECT
  event_id, detection, kind, severity, string_to_array(attack, ' ') AS attack, shows_nothing,
  'command in ' || object || ' ' || does || ' ' || what || ': ' || left(line, 300) AS reason
FROM exec_command_lines
JOIN (
  SELECT command_patterns.*, detection, severity, attack, does
  FROM command_patterns
  JOIN exec_commands ON exec_commands.kind = command_patterns.kind
) AS commands ON regexp_like(CASE kind WHEN 'guarded file' THEN secrets WHEN 'download' THEN downloads ELSE code END, pattern, 'is')
