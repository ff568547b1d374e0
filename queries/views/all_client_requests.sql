-- Client requests of the examined period and of the look-back; `in_scope` is whether a request is in the examined period.
SELECT *, true AS in_scope FROM client_requests
UNION ALL
SELECT *, false AS in_scope FROM client_requests_history
