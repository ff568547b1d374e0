//! What a user name says about who is behind it.

/// The kind of an authenticated user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    /// A person, or an external client that authenticates like one.
    Human,
    /// A service account that is not a controller of the control plane.
    ServiceAccount,
    /// A kubelet.
    Node,
    /// A controller of the control plane: it writes what other objects ask for.
    Controller,
    /// Another component of the control plane or a `system:` user.
    System,
    /// Nobody: `system:anonymous`, or no user at all.
    Anonymous,
}

/// Service accounts of `kube-system` under which kube-controller-manager runs its controllers
/// (`cmd/kube-controller-manager/names` and the RBAC bootstrap policy of kubernetes/kubernetes).
const CONTROLLERS: &[&str] = &[
    "attachdetach-controller",
    "bootstrap-signer",
    "certificate-controller",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "device-taint-eviction-controller",
    "disruption-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "kube-apiserver-serving-clustertrustbundle-publisher",
    "legacy-service-account-token-cleaner",
    "namespace-controller",
    "node-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "podcertificaterequestcleaner-controller",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "route-controller",
    "selinux-warning-controller",
    "service-account-controller",
    "service-ca-cert-publisher",
    "service-cidrs-controller",
    "service-controller",
    "statefulset-controller",
    "storage-version-migrator-controller",
    "token-cleaner",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
];

/// How the user names of service accounts begin.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// Namespace and name of the service account that a user name stands for.
///
/// ```
/// # use podtrail_event::identity::service_account;
/// assert_eq!(service_account("system:serviceaccount:ci:deployer"), Some(("ci", "deployer")));
/// assert_eq!(service_account("alice"), None);
/// ```
pub fn service_account(username: &str) -> Option<(&str, &str)> {
    let (namespace, name) = username.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    let is_account = !namespace.is_empty() && !name.is_empty() && !name.contains(':');
    is_account.then_some((namespace, name))
}

impl IdentityKind {
    /// The kind of a user name; `None` is a request that did not authenticate.
    ///
    /// A controller is known by its name AND its namespace: anybody can call an account `job-controller` elsewhere.
    pub fn of(username: Option<&str>) -> Self {
        let Some(username) = username else { return Self::Anonymous };
        if let Some(account) = username.strip_prefix(SERVICE_ACCOUNT) {
            return match account.strip_prefix("kube-system:") {
                Some(name) if CONTROLLERS.contains(&name) => Self::Controller,
                _ => Self::ServiceAccount,
            };
        }
        match username {
            "" | "system:anonymous" | "system:unauthenticated" => Self::Anonymous,
            "system:apiserver"
            | "system:cloud-controller-manager"
            | "system:kube-controller-manager"
            | "system:kube-scheduler" => Self::Controller,
            name if name.starts_with("system:node:") => Self::Node,
            name if name.starts_with("system:") => Self::System,
            _ => Self::Human,
        }
    }

    /// The name used in the `identity_kind` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::ServiceAccount => "service_account",
            Self::Node => "node",
            Self::Controller => "controller",
            Self::System => "system",
            Self::Anonymous => "anonymous",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_is_known_by_name_and_namespace() {
        for (username, kind) in [
            (Some("alice@corp.example"), "human"),
            (Some("kubernetes-admin"), "human"),
            (Some("system:serviceaccount:kube-system:job-controller"), "controller"),
            (Some("system:serviceaccount:default:job-controller"), "service_account"),
            (Some("system:serviceaccount:kube-system:vendor-controller"), "service_account"),
            (Some("system:serviceaccount:kube-system:service-ca-cert-publisher"), "controller"),
            (Some("system:serviceaccount:kube-system:job-controller:x"), "service_account"),
            (Some("system:serviceaccount:kube-system"), "service_account"),
            (Some("system:kube-controller-manager"), "controller"),
            (Some("system:kube-controller-manager2"), "system"),
            (Some("job-controller"), "human"),
            (Some("system:kube-scheduler"), "controller"),
            (Some("system:node:worker-1"), "node"),
            (Some("system:admin"), "system"),
            (Some("system:anonymous"), "anonymous"),
            (Some(""), "anonymous"),
            (None, "anonymous"),
        ] {
            assert_eq!(IdentityKind::of(username).as_str(), kind, "{username:?}");
        }
    }

    #[test]
    fn a_service_account_has_a_namespace_and_a_name() {
        for (username, account) in [
            ("system:serviceaccount:ci:deployer", Some(("ci", "deployer"))),
            ("system:serviceaccount:ci:", None),
            ("system:serviceaccount::deployer", None),
            ("system:serviceaccount:ci", None),
            ("system:serviceaccount:ci:deployer:x", None),
            ("system:serviceaccounts:ci", None),
            ("alice", None),
            ("", None),
        ] {
            assert_eq!(service_account(username), account, "{username}");
        }
    }
}
