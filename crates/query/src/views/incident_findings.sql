-- One row per finding of an incident, in its current state.
SELECT * FROM findings WHERE incident_id IS NOT NULL
