-- One row per finding, in its current state.
SELECT *
FROM findings_log
LEFT SEMI JOIN (
  SELECT finding_id, max(sequence) AS sequence FROM findings_log GROUP BY finding_id
) AS last USING (finding_id, sequence)
