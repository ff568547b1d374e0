-- Pods that an identity created or gave a debug container: kubectl run and kubectl debug attach to them.
SELECT cluster, username, namespace, name FROM workloads WHERE kind = 'Pod' AND outcome = 'allowed'
UNION
SELECT cluster, username, namespace, name FROM workloads_history WHERE kind = 'Pod' AND outcome = 'allowed'
