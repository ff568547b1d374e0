//! User names of cluster components, by distribution.
//!
//! A name is listed only if a document or the source code of the distribution names it: the spelling of a name proves
//! nothing. A subject that can sign client certificates, or write `aws-auth`, can take any of these names. Detections
//! find that where it is done (certificate requests, bindings, `aws-auth`), and by addresses and clients.

use std::fmt;

use crate::request::identity_kind::IdentityKind;

use Platform::{Aks, Eks, Gke, K3s, Kubernetes, OpenShift, Rke};

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

/// The platform whose documents or code name a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    Kubernetes,
    K3s,
    Rke,
    Eks,
    Gke,
    Aks,
    OpenShift,
}

impl Platform {
    /// Returns whether users of the platform authenticate with tokens of the provider, never with a client certificate.
    pub(crate) fn has_tokens_only(self) -> bool {
        matches!(self, Self::Eks | Self::Gke)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kubernetes => "Kubernetes",
            Self::K3s => "k3s and RKE2",
            Self::Rke => "RKE",
            Self::Eks => "EKS",
            Self::Gke => "GKE",
            Self::Aks => "AKS",
            Self::OpenShift => "OpenShift",
        })
    }
}

/// One user of the platform.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlatformIdentity {
    pub(crate) platform: Platform,
    named: Named,
    pub(crate) kind: IdentityKind,
    /// A group that the user must have, if the log has groups.
    pub(crate) group: Option<&'static str>,
}

const fn controller(platform: Platform, name: &'static str) -> PlatformIdentity {
    let named = Named::Exactly(name);
    PlatformIdentity { platform, named, kind: IdentityKind::Controller, group: None }
}

const fn component(platform: Platform, name: &'static str) -> PlatformIdentity {
    PlatformIdentity { kind: IdentityKind::System, ..controller(platform, name) }
}

const fn service_agent(domain: &'static str) -> PlatformIdentity {
    let named = Named::Numbered("service-", domain);
    PlatformIdentity { named, ..component(Gke, "") }
}

const MASTERS: Option<&str> = Some("system:masters");

/// The table. Service accounts and nodes have names of their own form and are not listed.
const IDENTITIES: &[PlatformIdentity] = &[
    // Kubernetes: apiserver/pkg/authentication/user, cmd/kubeadm/app/constants, RBAC bootstrap policy.
    PlatformIdentity { group: MASTERS, ..controller(Kubernetes, "system:apiserver") },
    controller(Kubernetes, "system:cloud-controller-manager"),
    controller(Kubernetes, "system:kube-controller-manager"),
    controller(Kubernetes, "system:kube-scheduler"),
    component(Kubernetes, "system:kube-proxy"),
    component(Kubernetes, "system:kube-dns"),
    component(Kubernetes, "system:monitoring"),
    component(Kubernetes, "system:addon-manager"),
    component(Kubernetes, "system:cluster-autoscaler"),
    component(Kubernetes, "system:konnectivity-server"),
    component(Kubernetes, "system:node-problem-detector"),
    component(Kubernetes, "front-proxy-client"),
    component(Kubernetes, "kube-apiserver-kubelet-client"),
    component(Kubernetes, "kube-apiserver-etcd-client"),
    // k3s and RKE2: pkg/daemons/control/deps. The names contain that of the program.
    component(K3s, "system:k3s-controller"),
    component(K3s, "system:rke2-controller"),
    PlatformIdentity { group: MASTERS, ..component(K3s, "system:k3s-supervisor") },
    PlatformIdentity { group: MASTERS, ..component(K3s, "system:rke2-supervisor") },
    component(K3s, "k3s-cloud-controller-manager"),
    component(K3s, "rke2-cloud-controller-manager"),
    // RKE: pki/constants.go.
    component(Rke, "kube-apiserver-proxy-client"),
    // EKS: "Understand Amazon EKS created RBAC roles and users".
    component(Eks, "eks:addon-manager"),
    component(Eks, "eks:authenticator"),
    component(Eks, "eks:az-poller"),
    component(Eks, "eks:certificate-controller"),
    component(Eks, "eks:cloud-controller-manager"),
    component(Eks, "eks:cloud-provider-extraction-migration"),
    component(Eks, "eks:cluster-bootstrap"),
    component(Eks, "eks:cluster-event-watcher"),
    component(Eks, "eks:coredns-autoscaler"),
    component(Eks, "eks:extension-metrics-apiserver"),
    component(Eks, "eks:fargate-manager"),
    component(Eks, "eks:fargate-scheduler"),
    component(Eks, "eks:k8s-metrics"),
    component(Eks, "eks:kms-storage-migrator"),
    component(Eks, "eks:monitoring"),
    component(Eks, "eks:network-policy-controller"),
    component(Eks, "eks:network-webhooks"),
    component(Eks, "eks:node-manager"),
    component(Eks, "eks:nodewatcher"),
    component(Eks, "eks:pod-identity-mutating-webhook"),
    component(Eks, "eks:service-operations"),
    component(Eks, "eks:support-engineer"),
    component(Eks, "eks:tagging-controller"),
    component(Eks, "eks:vpc-resource-controller"),
    // GKE: cluster/gce/gci of kubernetes/kubernetes, and documented service agents.
    component(Gke, "system:clustermetrics"),
    component(Gke, "system:gcp-controller-manager"),
    component(Gke, "system:gke-common-webhooks"),
    component(Gke, "system:gke-controller-manager"),
    component(Gke, "system:glbc"),
    component(Gke, "system:l7-lb-controller"),
    component(Gke, "system:managed-certificate-controller"),
    component(Gke, "system:resource-tracker"),
    component(Gke, "system:storageversionmigrator"),
    component(Gke, "system:vpa-recommender"),
    component(Gke, "system:gke-master-healthcheck"),
    component(Gke, "system:kubestore-collector"),
    service_agent("@container-engine-robot.iam.gserviceaccount.com"),
    service_agent("@gcp-sa-gkehub.iam.gserviceaccount.com"),
    service_agent("@gcp-sa-anthosconfigmanagement.iam.gserviceaccount.com"),
    service_agent("@gcp-sa-gkenode.iam.gserviceaccount.com"),
    // AKS: documented in the queries of its diagnostic logs.
    component(Aks, "aksService"),
    component(Aks, "aksProblemDetector"),
    component(Aks, "nodeclient"),
    // OpenShift: bootstrap manifests of cluster-kube-apiserver-operator and of the control plane's operators.
    PlatformIdentity {
        group: MASTERS,
        ..component(OpenShift, "system:kube-apiserver-cert-syncer")
    },
    component(OpenShift, "system:openshift-aggregator"),
    component(OpenShift, "system:openshift-master"),
];

/// Returns the row of the table for a user name.
pub(crate) fn platform_identity(username: &str) -> Option<&'static PlatformIdentity> {
    IDENTITIES.iter().find(|identity| identity.named.is(username))
}

/// Returns the cloud provider with this documented form of service account names: Google Cloud's addresses, and IBM
/// Cloud's service IDs. Names of AWS roles and Entra ID applications can also be those of people, or are chosen by
/// their users.
pub(crate) fn cloud_of_account(username: &str) -> Option<&'static str> {
    let google = username.strip_suffix(".gserviceaccount.com");
    if google.is_some_and(|rest| rest.split_once('@').is_some_and(|(name, _)| !name.is_empty())) {
        return Some("Google Cloud");
    }
    username.starts_with("IAM#ServiceId-").then_some("IBM Cloud")
}

/// Accounts through which all users of a cluster act, as documented by the products that run them, in their own
/// installations. They authenticate the user and impersonate them (`Impersonate-User`).
pub const IMPERSONATION_PROXIES: &[&str] = &[
    // Rancher: the agent of an imported cluster, and the server itself.
    "system:serviceaccount:cattle-system:cattle",
    "system:serviceaccount:cattle-system:kontainer-engine",
    "system:serviceaccount:cattle-system:rancher",
    // Teleport: charts teleport-kube-agent and teleport-cluster.
    "system:serviceaccount:teleport:teleport",
    "system:serviceaccount:teleport:teleport-agent",
    "system:serviceaccount:teleport:teleport-cluster",
    "system:serviceaccount:teleport:teleport-kube-agent",
    "system:serviceaccount:teleport-agent:teleport-agent",
    "system:serviceaccount:teleport-agent:teleport-kube-agent",
    "system:serviceaccount:teleport-cluster:teleport-cluster",
    // Pinniped: the impersonation proxy of its Concierge.
    "system:serviceaccount:pinniped-concierge:pinniped-concierge",
    "system:serviceaccount:pinniped-concierge:pinniped-concierge-impersonation-proxy",
    // GKE Connect gateway.
    "system:serviceaccount:gke-connect:connect-agent-sa",
    // Azure Arc cluster connect.
    "system:serviceaccount:azure-arc:azure-arc-kube-aad-proxy-sa",
    // Tailscale: the API server proxy of its operator, inside the operator or standalone.
    "system:serviceaccount:tailscale:kube-apiserver-auth-proxy",
    "system:serviceaccount:tailscale:operator",
    // kube-oidc-proxy, OpenUnison, vCluster Platform (Loft), KubeSphere, Capsule, Open Cluster Management, Karmada.
    "system:serviceaccount:kube-oidc-proxy:kube-oidc-proxy",
    "system:serviceaccount:openunison:openunison-orchestra",
    "system:serviceaccount:loft:loft",
    "system:serviceaccount:vcluster-platform:loft",
    "system:serviceaccount:kubesphere-system:kubesphere",
    "system:serviceaccount:capsule-system:capsule-proxy",
    "system:serviceaccount:open-cluster-management-agent-addon:cluster-proxy",
    "system:serviceaccount:karmada-cluster:karmada-impersonator",
];
