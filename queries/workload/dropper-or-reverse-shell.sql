/*
id: dropper-or-reverse-shell
title: Dropper or reverse shell in a command
severity: high
attack: [T1610, T1059.004, T1105]
description: >-
  A workload is written whose command, arguments, hooks or probes download and run code, decode and run it, or connect
  a shell to another host.
blind_spots: Writes that are logged at Metadata level, and code that the image brings along.
false_positives:
  - Bootstrap scripts that pipe an installer into a shell
references:
  - https://attack.mitre.org/techniques/T1059/004/
*/
WITH patterns (what, pattern) AS (
  VALUES
    ('a connection through /dev/tcp', '/dev/(tcp|udp)/'),
    ('netcat with a shell', '\b(nc|ncat|netcat)\b[^|;&]*\s(-[a-z]*[ec]\b|--(sh-)?exec)'),
    ('netcat behind a pipe to a shell', 'mkfifo\b.*\b(nc|ncat|netcat|telnet|openssl)\b'),
    ('an interactive shell on a socket', '\b(ba|da|z|k|a)?sh\s+-i\b[^|;]*(>&|0>&1|<&)'),
    ('socat with a shell', '\bsocat\b.*\bexec:'),
    ('a scripted socket shell', '\b(python[0-9.]*|perl|ruby|php|lua|node)\b.*\bsocket\b.*(/bin/(ba)?sh|pty\.spawn|dup2|subprocess|exec)'),
    ('a PHP socket shell', 'fsockopen\(.*(exec|shell_exec|system|proc_open|passthru|popen)'),
    ('a download piped into a shell', '\b(curl|wget|fetch)\b[^;]*[^|]\|\s*(sudo\s+(-\S+\s+)*)?(/\S*/)?(ba|da|z|k|a)?sh\b'),
    -- With -c or -m the program is an argument, and the download only its input.
    ('a download piped into an interpreter', '\b(curl|wget|fetch)\b[^;]*[^|]\|\s*(sudo\s+(-\S+\s+)*)?(/\S*/)?(python[0-9.]*|perl|ruby|php|node)\s*(-\s|-?$|[;&|)])'),
    ('a download run in a substitution', '(\b(ba|da|z|k|a)?sh(\s+-\S+)*|\bpython[0-9.]*\s+-c|\beval|\bsource|(^|\s)\.|[;&|])\s*["'']?(\$\(|`|<\()\s*(curl|wget)\b'),
    ('a download made executable', '\b(curl|wget)\b.*\bchmod\s+(\S*\+\S*x|0?[1357]\d\d)\b'),
    ('decoded code piped into an interpreter', '\bbase64\s+(-d|-D|--decode)\b.*\|\s*(/\S*/)?((ba|da|z|k|a)?sh|python[0-9.]*|perl)\b'),
    ('decoded code run by eval', '\b(eval|exec)\b.*\bbase64\b.*(-d|-D|--decode|b64decode)')
),
lines AS (
  SELECT
    event_id, role, name, object,
    concat_ws(' ', array_to_string(command, ' '), array_to_string(args, ' ')) AS line
  FROM containers
  WHERE outcome = 'allowed' AND NOT made_by_controller
  UNION ALL
  SELECT event_id, role, name, object, array_to_string(handler['command'], ' ') AS line
  FROM (SELECT *, unnest(handlers) AS handler FROM containers)
  WHERE outcome = 'allowed' AND NOT made_by_controller
),
connecting AS (
  SELECT
    *,
    -- Whether a port is open is asked like this: (echo > /dev/tcp/db/5432). And the pod's own ports are no other host.
    regexp_replace(line,
      '(^|[(;&|!]|\s-c|\b(echo|true|do|until|while|if))\s*[<>]\s*/dev/(tcp|udp)/[^\s);&|]+|/dev/(tcp|udp)/(localhost|127\.)',
      ' ', 'g') AS connections
  FROM lines
)
SELECT
  event_id,
  role || ' ' || coalesce(name, '') || ' of ' || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM connecting
JOIN patterns ON regexp_like(connections, pattern, 'is')
