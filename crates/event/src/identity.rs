//! What the name and the groups of a user say about who is behind it.
//!
//! A spelling says nothing: whatever no table names is a person, or an external client that authenticates like one.

use std::ops::Deref;

use crate::platform_identities::platform_identity;

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
    /// Another component of the platform, or a machine that joins by a bootstrap token.
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
    /// The kind of a user name with its groups; `None` is a request that did not authenticate, or whose groups are not
    /// in the log.
    ///
    /// A controller is known by its name AND its namespace: anybody can call an account `job-controller` elsewhere. The
    /// API server puts service accounts, nodes and bootstrap tokens into groups of their own: a name of their form
    /// without its group comes from another authenticator, such as a certificate that somebody had signed for it.
    ///
    /// ```
    /// # use podtrail_event::IdentityKind;
    /// let groups = ["system:masters"];
    /// assert_eq!(IdentityKind::of(Some("system:admin"), Some(&groups)), IdentityKind::Human);
    /// ```
    pub fn of<T: Deref<Target = str>>(username: Option<&str>, groups: Option<&[T]>) -> Self {
        let Some(username) = username else { return Self::Anonymous };
        let groups = groups.filter(|groups| !groups.is_empty());
        let has_group =
            |group: &str| groups.is_none_or(|groups| groups.iter().any(|other| **other == *group));
        if username.starts_with(SERVICE_ACCOUNT) {
            return match service_account(username) {
                Some(_) if !has_group("system:serviceaccounts") => Self::Human,
                Some(("kube-system", name)) if CONTROLLERS.contains(&name) => Self::Controller,
                Some(_) => Self::ServiceAccount,
                None => Self::Human,
            };
        }
        match username {
            "" | "system:anonymous" | "system:unauthenticated" => Self::Anonymous,
            name if is_of(name, "system:node:", "system:nodes", has_group) => Self::Node,
            name if is_of(name, "system:bootstrap:", "system:bootstrappers", has_group) => {
                Self::System
            }
            name => platform_identity(name, has_group).unwrap_or(Self::Human),
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

/// Whether a user name has a form, and the group that goes with it.
fn is_of(username: &str, prefix: &str, group: &str, has_group: impl Fn(&str) -> bool) -> bool {
    username.strip_prefix(prefix).is_some_and(|name| !name.is_empty()) && has_group(group)
}

/// What the controllers of kube-controller-manager make: the account, the resource, and the kind of owner that it makes
/// it for (`pkg/controller` of kubernetes/kubernetes).
const MAKES: &[(&str, &str, &str)] = &[
    ("cronjob-controller", "jobs", "CronJob"),
    ("daemon-set-controller", "pods", "DaemonSet"),
    ("deployment-controller", "replicasets", "Deployment"),
    ("job-controller", "pods", "Job"),
    ("replicaset-controller", "pods", "ReplicaSet"),
    ("replication-controller", "pods", "ReplicationController"),
    ("statefulset-controller", "pods", "StatefulSet"),
];

/// Whether a user writes such an object for an owner of this kind as a matter of course: a controller with an account
/// of its own for what it makes, or the controller manager, where its controllers have none, for what any of them makes.
///
/// Only two controllers change what they made: that of Deployments scales ReplicaSets, that of StatefulSets mends the
/// labels of pods.
///
/// ```
/// # use podtrail_event::identity::makes;
/// let controller = "system:serviceaccount:kube-system:replicaset-controller";
/// assert!(makes(controller, "create", "pods", "ReplicaSet"));
/// assert!(!makes(controller, "create", "pods", "Job"));
/// assert!(!makes(controller, "patch", "pods", "ReplicaSet"));
/// assert!(!makes("system:kube-scheduler", "create", "pods", "ReplicaSet"));
/// ```
pub fn makes(username: &str, verb: &str, resource: &str, owner_kind: &str) -> bool {
    let is_made = |(account, made, owner): &(&str, &str, &str)| {
        let is_its = match username {
            "system:kube-controller-manager" => true,
            _ => service_account(username) == Some(("kube-system", account)),
        };
        let is_verb = match verb {
            "create" => true,
            "update" | "patch" => matches!(*owner, "Deployment" | "StatefulSet"),
            _ => false,
        };
        is_its && is_verb && *made == resource && *owner == owner_kind
    };
    MAKES.iter().any(is_made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_known_by_name_namespace_and_group() {
        let accounts = ["system:serviceaccounts", "system:authenticated"];
        let masters = ["system:masters", "system:authenticated"];
        let nodes = ["system:nodes", "system:authenticated"];
        let bootstrappers = ["system:bootstrappers", "system:authenticated"];
        let certificate = ["system:authenticated"];
        for (username, groups, kind) in [
            ("alice@corp.example", None, "human"),
            ("kubernetes-admin", Some(masters), "human"),
            ("system:admin", Some(masters), "human"),
            ("system:admin", None, "human"),
            ("system:serviceaccount:kube-system:job-controller", Some(accounts), "controller"),
            ("system:serviceaccount:kube-system:job-controller", None, "controller"),
            ("system:serviceaccount:kube-system:job-controller", Some(masters), "human"),
            ("system:serviceaccount:default:job-controller", Some(accounts), "service_account"),
            ("system:serviceaccount:kube-system:vendor-controller", None, "service_account"),
            ("system:serviceaccount:kube-system:job-controller:x", Some(accounts), "human"),
            ("system:serviceaccount:kube-system", None, "human"),
            ("system:kube-controller-manager", None, "controller"),
            ("system:kube-controller-manager2", None, "human"),
            ("system:backup-scheduler", None, "human"),
            ("kube-scheduler", None, "human"),
            ("job-controller", None, "human"),
            ("system:kube-scheduler", None, "controller"),
            ("system:apiserver", Some(masters), "controller"),
            ("system:node:worker-1", Some(nodes), "node"),
            ("system:node:", Some(nodes), "human"),
            ("system:bootstrap:abcdef", Some(bootstrappers), "system"),
            ("system:bootstrap:abcdef", Some(masters), "human"),
            ("eks:node-manager", None, "system"),
            ("eks:alice", None, "human"),
            ("k3s-cloud-controller-manager", None, "system"),
            ("service-12@container-engine-robot.iam.gserviceaccount.com", None, "system"),
            ("service-x@container-engine-robot.iam.gserviceaccount.com", None, "human"),
            ("system:anonymous", None, "anonymous"),
            ("", None, "anonymous"),
        ] {
            let groups = groups.as_ref().map(<[&str; 2]>::as_slice);
            assert_eq!(IdentityKind::of(Some(username), groups).as_str(), kind, "{username:?}");
        }
        assert_eq!(IdentityKind::of::<&str>(None, None).as_str(), "anonymous");
        let alone = Some(certificate.as_slice());
        assert_eq!(IdentityKind::of(Some("system:apiserver"), alone).as_str(), "human");
        assert_eq!(IdentityKind::of(Some("system:node:worker-1"), alone).as_str(), "human");
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
