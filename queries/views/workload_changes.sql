-- Changes of existing workloads that were allowed and that no controller derived from an owner's template.
SELECT * FROM changes
WHERE outcome = 'allowed' AND NOT made_by_controller
