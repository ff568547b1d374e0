//! User names under which the components of a cluster work, by distribution.
//!
//! A name is here only if a document or the source code of the distribution says so: how a name is spelled says nothing
//! about who is behind it. Whoever can sign client certificates, or write `aws-auth`, can take any of these names; that
//! is found where it is done (certificate requests, bindings, `aws-auth`), and by addresses and clients.

use crate::identity::IdentityKind;

/// How a row of the table names users.
#[derive(Debug, Clone, Copy)]
enum Named {
    /// One user.
    Exactly(&'static str),
    /// A number between two texts.
    Numbered(&'static str, &'static str),
}

impl Named {
    fn is(self, username: &str) -> bool {
        match self {
            Self::Exactly(name) => name == username,
            Self::Numbered(before, after) => {
                username.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).is_some_and(
                    |number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()),
                )
            }
        }
    }
}

/// One user of the platform.
#[derive(Debug, Clone, Copy)]
struct PlatformIdentity {
    named: Named,
    kind: IdentityKind,
    /// A group without which it is not this user, where groups are in the log.
    group: Option<&'static str>,
}

const fn controller(name: &'static str) -> PlatformIdentity {
    PlatformIdentity { named: Named::Exactly(name), kind: IdentityKind::Controller, group: None }
}

const fn component(name: &'static str) -> PlatformIdentity {
    PlatformIdentity { named: Named::Exactly(name), kind: IdentityKind::System, group: None }
}

const MASTERS: Option<&str> = Some("system:masters");

/// The table. Service accounts and nodes have names of their own form and are not in it.
const IDENTITIES: &[PlatformIdentity] = &[
    // Kubernetes: apiserver/pkg/authentication/user, cmd/kubeadm/app/constants, RBAC bootstrap policy.
    PlatformIdentity { group: MASTERS, ..controller("system:apiserver") },
    controller("system:cloud-controller-manager"),
    controller("system:kube-controller-manager"),
    controller("system:kube-scheduler"),
    component("system:kube-proxy"),
    component("system:kube-dns"),
    component("system:monitoring"),
    component("system:addon-manager"),
    component("system:cluster-autoscaler"),
    component("system:konnectivity-server"),
    component("system:node-problem-detector"),
    component("front-proxy-client"),
    component("kube-apiserver-kubelet-client"),
    component("kube-apiserver-etcd-client"),
    // k3s and RKE2: pkg/daemons/control/deps. The program's name stands in them.
    component("system:k3s-controller"),
    component("system:rke2-controller"),
    PlatformIdentity { group: MASTERS, ..component("system:k3s-supervisor") },
    PlatformIdentity { group: MASTERS, ..component("system:rke2-supervisor") },
    component("k3s-cloud-controller-manager"),
    component("rke2-cloud-controller-manager"),
    // RKE: pki/constants.go.
    component("kube-apiserver-proxy-client"),
    // EKS: "Understand Amazon EKS created RBAC roles and users".
    component("eks:addon-manager"),
    component("eks:authenticator"),
    component("eks:az-poller"),
    component("eks:certificate-controller"),
    component("eks:cloud-controller-manager"),
    component("eks:cloud-provider-extraction-migration"),
    component("eks:cluster-bootstrap"),
    component("eks:cluster-event-watcher"),
    component("eks:coredns-autoscaler"),
    component("eks:extension-metrics-apiserver"),
    component("eks:fargate-manager"),
    component("eks:fargate-scheduler"),
    component("eks:k8s-metrics"),
    component("eks:kms-storage-migrator"),
    component("eks:monitoring"),
    component("eks:network-policy-controller"),
    component("eks:network-webhooks"),
    component("eks:node-manager"),
    component("eks:nodewatcher"),
    component("eks:pod-identity-mutating-webhook"),
    component("eks:service-operations"),
    component("eks:support-engineer"),
    component("eks:tagging-controller"),
    component("eks:vpc-resource-controller"),
    // GKE: cluster/gce/gci of kubernetes/kubernetes, and documented service agents.
    component("system:clustermetrics"),
    component("system:gcp-controller-manager"),
    component("system:gke-common-webhooks"),
    component("system:gke-controller-manager"),
    component("system:glbc"),
    component("system:l7-lb-controller"),
    component("system:managed-certificate-controller"),
    component("system:resource-tracker"),
    component("system:storageversionmigrator"),
    component("system:vpa-recommender"),
    PlatformIdentity {
        named: Named::Numbered("service-", "@container-engine-robot.iam.gserviceaccount.com"),
        kind: IdentityKind::System,
        group: None,
    },
    // AKS: documented in the queries of its diagnostic logs.
    component("aksService"),
    component("aksProblemDetector"),
    component("nodeclient"),
];

/// The kind of a user that the table names. `groups` are those of the request, if the log has them.
pub(crate) fn platform_identity(
    username: &str,
    has_group: impl Fn(&str) -> bool,
) -> Option<IdentityKind> {
    let identity = IDENTITIES.iter().find(|identity| identity.named.is(username))?;
    identity.group.is_none_or(has_group).then_some(identity.kind)
}
