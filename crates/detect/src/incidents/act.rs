//! What an identity did, as a phrase: `created DaemonSet kube-system/agent`.

use podtrail_event::Finding;

/// Kinds by resource, for reading. Other resources keep their name.
const KINDS: [(&str, &str); 32] = [
    ("certificatesigningrequests", "CertificateSigningRequest"),
    ("clusterrolebindings", "ClusterRoleBinding"),
    ("clusterroles", "ClusterRole"),
    ("configmaps", "ConfigMap"),
    ("cronjobs", "CronJob"),
    ("daemonsets", "DaemonSet"),
    ("deployments", "Deployment"),
    ("endpoints", "Endpoints"),
    ("endpointslices", "EndpointSlice"),
    ("events", "Event"),
    ("ingresses", "Ingress"),
    ("jobs", "Job"),
    ("limitranges", "LimitRange"),
    ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    ("namespaces", "Namespace"),
    ("networkpolicies", "NetworkPolicy"),
    ("nodes", "Node"),
    ("persistentvolumeclaims", "PersistentVolumeClaim"),
    ("persistentvolumes", "PersistentVolume"),
    ("poddisruptionbudgets", "PodDisruptionBudget"),
    ("pods", "Pod"),
    ("replicasets", "ReplicaSet"),
    ("replicationcontrollers", "ReplicationController"),
    ("resourcequotas", "ResourceQuota"),
    ("rolebindings", "RoleBinding"),
    ("roles", "Role"),
    ("secrets", "Secret"),
    ("serviceaccounts", "ServiceAccount"),
    ("services", "Service"),
    ("statefulsets", "StatefulSet"),
    ("storageclasses", "StorageClass"),
    ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
];

/// Returns the kind of a resource, or the resource itself if it is not a common one.
pub(crate) fn kind(resource: &str) -> &str {
    KINDS.iter().find(|(name, _)| *name == resource).map_or(resource, |(_, kind)| kind)
}

/// Returns the resource and subresource of a finding.
pub(super) fn resource(finding: &Finding) -> (Option<&str>, Option<&str>) {
    match finding.resource.as_deref().map(|resource| resource.split_once('/')) {
        Some(Some((resource, subresource))) => (Some(resource), Some(subresource)),
        Some(None) => (finding.resource.as_deref(), None),
        None => (None, None),
    }
}

/// Returns the namespace and name of the object of a finding, as `namespace/name`, if the log contains the name.
pub(super) fn object_name(finding: &Finding) -> Option<String> {
    let name = finding.name.as_deref()?;
    Some(match finding.namespace.as_deref() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    })
}

/// Returns what the first request of a finding did.
pub fn act(finding: &Finding) -> String {
    let mut act = request(finding);
    if let Some(other) = &finding.impersonated_identity {
        act.push_str(" as ");
        act.push_str(other);
    }
    match finding.outcome.as_deref() {
        None | Some("allowed") => act,
        Some(outcome) => format!("{act} ({})", outcome.replace('_', " ")),
    }
}

fn request(finding: &Finding) -> String {
    let verb = finding.verb.as_deref().unwrap_or("?");
    let (Some(resource), subresource) = resource(finding) else {
        return format!("sent {verb} requests for a path of the API");
    };
    let kind = kind(resource);
    let object = match object_name(finding) {
        Some(name) => format!("{kind} {name}"),
        None => match finding.namespace.as_deref() {
            Some(namespace) => format!("{kind} in {namespace}"),
            None => kind.to_owned(),
        },
    };
    match (resource, subresource) {
        (_, Some("exec")) => format!("ran a command in {object}"),
        (_, Some("attach")) => format!("attached to {object}"),
        (_, Some("portforward")) => format!("forwarded ports of {object}"),
        (_, Some("proxy")) => format!("sent requests through the proxy of {object}"),
        (_, Some("log")) => format!("read the log of {object}"),
        (_, Some("token")) => format!("requested a token of {object}"),
        (_, Some("approval")) => format!("approved {object}"),
        (_, Some("ephemeralcontainers")) => format!("added an ephemeral container to {object}"),
        ("pods", Some("binding")) | ("bindings", _) => format!("assigned {object} to a node"),
        (_, Some("eviction")) => format!("evicted {object}"),
        (_, Some("scale")) => format!("{} the scale of {object}", past(verb)),
        (_, Some(subresource)) => format!("{} {subresource} of {object}", past(verb)),
        (resource, None) if resource.starts_with("selfsubject") => {
            "checked its own permissions".to_owned()
        }
        (_, None)
            if matches!(verb, "list" | "watch" | "deletecollection") && finding.name.is_none() =>
        {
            let place = match finding.namespace.as_deref() {
                Some(namespace) => format!(" in {namespace}"),
                None => " in all namespaces".to_owned(),
            };
            format!("{} all {resource}{place}", past(verb))
        }
        (_, None) => format!("{} {object}", past(verb)),
    }
}

fn past(verb: &str) -> &str {
    match verb {
        "create" => "created",
        "update" | "patch" => "changed",
        "delete" | "deletecollection" => "deleted",
        "get" => "read",
        "list" => "listed",
        "watch" => "watched",
        "approve" => "approved",
        "bind" => "bound",
        "impersonate" => "impersonated",
        other => other,
    }
}
