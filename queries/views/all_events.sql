-- Events of the examined period and of the look-back; `in_scope` is whether an event is in the examined period.
SELECT *, true AS in_scope FROM events
UNION ALL
SELECT *, false AS in_scope FROM events_history
