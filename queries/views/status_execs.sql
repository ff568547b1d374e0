-- Execs that only query the state of a program or a machine, by the table status_commands. To match, an attacker must
-- run exactly such a command: the words are those that the program receives; no shell, interpreter or wrapper is among
-- them; nothing is substituted or redirected; and the program is found by its name or is in a usual folder. The
-- remaining gap is another program placed under that name, which requires an exec of its own.
SELECT DISTINCT cluster, event_id, what
FROM (
  SELECT cluster, event_id, what, words[1] AS named
  FROM execs
  JOIN status_commands
    ON regexp_like(words[1], '^(' || program || ')$')
    AND regexp_like(array_to_string(array_slice(words, 2, 1000), ' '), '^(' || arguments || ')$')
  WHERE subresource = 'exec' AND words IS NOT NULL AND (input = 'yes' OR NOT coalesce(stdin, false) AND NOT coalesce(tty, false))
)
LEFT JOIN interpreters ON what = 'versions, health' AND regexp_like(named, '^(' || program || ')$')
WHERE program IS NULL
