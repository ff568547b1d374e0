//! Classification of users by name, groups and credential.
//!
//! A spelling proves nothing: a user in no table is a person, or an external client that authenticates like one.

use std::borrow::Cow;
use std::ops::Deref;

use crate::request::identity_kind::IdentityKind;
use crate::request::platform_identities::{cloud_of_account, platform_identity};

/// A user as an audit event shows it.
#[derive(Debug, Clone, Copy)]
pub struct User<'a, T> {
    /// `user.username`.
    pub username: Option<&'a str>,
    /// `user.groups`; `None` or empty if the log does not have them.
    pub groups: Option<&'a [T]>,
    /// Extra `authentication.kubernetes.io/credential-id`, from Kubernetes 1.32 on.
    pub credential: Option<&'a str>,
}

/// The kind of a user, and the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The kind.
    pub kind: IdentityKind,
    /// The evidence: the group, the table or the credential that decides, or that none does.
    pub evidence: Cow<'static, str>,
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

/// The prefix of the user names of service accounts.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// Returns namespace and name of the service account with this user name.
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

impl Identity {
    fn new(kind: IdentityKind, evidence: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, evidence: evidence.into() }
    }

    /// Classifies a user.
    ///
    /// A controller is recognized by its name AND its namespace: any user can create an account `job-controller`
    /// elsewhere. The API server adds service accounts, nodes and bootstrap tokens to groups of their own: such a name
    /// without its group comes from another authenticator, such as a client certificate. Users of a managed platform do
    /// not authenticate with a client certificate.
    ///
    /// ```
    /// # use podtrail_event::identity::{Identity, User};
    /// let groups = ["system:masters"];
    /// let user = User { username: Some("system:admin"), groups: Some(&groups), credential: None };
    /// assert_eq!(Identity::of(&user).kind.as_str(), "human");
    /// assert_eq!(Identity::of(&user).evidence, "group system:masters");
    /// ```
    pub fn of<T: Deref<Target = str>>(user: &User<'_, T>) -> Self {
        use IdentityKind::{
            Anonymous, CloudServiceAccount, Controller, Human, Node, ServiceAccount, System,
            Unknown,
        };
        let Some(username) = user.username.filter(|name| !name.is_empty()) else {
            return Self::new(Unknown, "no user in the log");
        };
        let groups = user.groups.filter(|groups| !groups.is_empty());
        let in_group =
            |group: &str| groups.map(|groups| groups.iter().any(|other| **other == *group));
        // Groups that are not in the log may be any.
        let may_be_in = |group: &str| in_group(group).unwrap_or(true);
        let with_group = |kind, group: &'static str| match in_group(group) {
            Some(true) => Self::new(kind, format!("group {group}")),
            Some(false) => Self::new(Human, format!("not in group {group}")),
            None => Self::new(kind, "name; its groups are not in the log"),
        };
        if username.starts_with(SERVICE_ACCOUNT) {
            return match service_account(username) {
                Some(("kube-system", name)) if CONTROLLERS.contains(&name) => {
                    with_group(Controller, "system:serviceaccounts")
                }
                Some(_) => with_group(ServiceAccount, "system:serviceaccounts"),
                None => Self::new(Human, "not the name of a service account"),
            };
        }
        let has_form =
            |prefix: &str| username.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
        if matches!(username, "system:anonymous" | "system:unauthenticated") {
            return Self::new(Anonymous, "user name");
        }
        if has_form("system:node:") {
            return with_group(Node, "system:nodes");
        }
        if has_form("system:bootstrap:") {
            return with_group(System, "system:bootstrappers");
        }
        let has_certificate = user.credential.is_some_and(|id| id.starts_with("X509SHA256="));
        let is_master = in_group("system:masters") == Some(true);
        if let Some(identity) = platform_identity(username) {
            let platform = identity.platform;
            return match identity.group {
                Some(group) if !may_be_in(group) => {
                    Self::new(Human, format!("not in group {group}, as the user of {platform} is"))
                }
                // Its users authenticate with tokens of the provider, and have the rights of their own roles.
                None if platform.has_tokens_only() && has_certificate => {
                    Self::new(Human, format!("client certificate, which no user of {platform} has"))
                }
                None if platform.has_tokens_only() && is_master => Self::new(
                    Human,
                    format!("group system:masters, which no user of {platform} has"),
                ),
                _ => Self::new(identity.kind, format!("user of {platform}")),
            };
        }
        match cloud_of_account(username) {
            Some(cloud) if !has_certificate && !is_master => {
                return Self::new(CloudServiceAccount, format!("service account of {cloud}"));
            }
            _ => {}
        }
        let evidence = if is_master { "group system:masters" } else { "in no table" };
        Self::new(Human, evidence)
    }
}

impl IdentityKind {
    /// Classifies a user by name only.
    ///
    /// ```
    /// # use podtrail_event::IdentityKind;
    /// assert_eq!(IdentityKind::of_name("system:kube-scheduler").as_str(), "controller");
    /// ```
    pub fn of_name(username: &str) -> Self {
        let user = User::<&str> { username: Some(username), groups: None, credential: None };
        Identity::of(&user).kind
    }
}

/// The objects that kube-controller-manager's controllers create: the account, the resource, and the kind of the owner
/// (`pkg/controller` of kubernetes/kubernetes).
const MAKES: &[(&str, &str, &str)] = &[
    ("cronjob-controller", "jobs", "CronJob"),
    ("daemon-set-controller", "pods", "DaemonSet"),
    ("deployment-controller", "replicasets", "Deployment"),
    ("job-controller", "pods", "Job"),
    ("replicaset-controller", "pods", "ReplicaSet"),
    ("replication-controller", "pods", "ReplicationController"),
    ("statefulset-controller", "pods", "StatefulSet"),
];

/// Returns whether a user routinely writes such an object for an owner of this kind: a controller with its own account,
/// or the controller manager if its controllers have none.
///
/// Only two controllers change objects that they created: the Deployment controller scales ReplicaSets, and the
/// StatefulSet controller repairs the labels of pods.
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

/// Returns whether a user is a controller that creates objects for their owners. Anybody may create an account whose
/// name only resembles one.
///
/// ```
/// # use podtrail_event::identity::creates_for_owners;
/// assert!(creates_for_owners("system:serviceaccount:kube-system:job-controller"));
/// assert!(!creates_for_owners("system:serviceaccount:kube-system:vendor-controller"));
/// assert!(!creates_for_owners("system:serviceaccount:default:job-controller"));
/// ```
pub fn creates_for_owners(username: &str) -> bool {
    username == "system:kube-controller-manager"
        || MAKES
            .iter()
            .any(|(account, ..)| service_account(username) == Some(("kube-system", account)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_classified_by_name_namespace_and_group() {
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
            ("eks:node-manager", Some(masters), "human"),
            ("eks:alice", None, "human"),
            ("ci@shop.iam.gserviceaccount.com", None, "cloud_service_account"),
            ("ci@shop.iam.gserviceaccount.com", Some(masters), "human"),
            ("ci@gserviceaccount.com.example", None, "human"),
            ("IAM#ServiceId-1234", None, "cloud_service_account"),
            ("k3s-cloud-controller-manager", None, "system"),
            ("service-12@container-engine-robot.iam.gserviceaccount.com", None, "system"),
            (
                "service-x@container-engine-robot.iam.gserviceaccount.com",
                None,
                "cloud_service_account",
            ),
            ("system:anonymous", None, "anonymous"),
            ("", None, "unknown"),
        ] {
            let groups = groups.as_ref().map(<[&str; 2]>::as_slice);
            let user = User { username: Some(username), groups, credential: None };
            assert_eq!(Identity::of(&user).kind.as_str(), kind, "{username:?}");
        }
        let groups = Some(certificate.as_slice());
        for username in ["system:apiserver", "system:node:worker-1"] {
            let user = User { username: Some(username), groups, credential: None };
            assert_eq!(Identity::of(&user).kind.as_str(), "human");
        }
        let credential = Some("X509SHA256=8c6976e5b5410415bde908bd4dee15df");
        for (username, kind, evidence) in [
            ("eks:addon-manager", "human", "client certificate, which no user of EKS has"),
            ("ci@shop.iam.gserviceaccount.com", "human", "in no table"),
            ("k3s-cloud-controller-manager", "system", "user of k3s and RKE2"),
        ] {
            let user = User { username: Some(username), groups, credential };
            let identity = Identity::of(&user);
            assert_eq!((identity.kind.as_str(), &*identity.evidence), (kind, evidence));
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
