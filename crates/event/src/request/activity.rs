//! The activity of a request, which determines its partition.

use strum::{IntoStaticStr, VariantNames};

use crate::objects::kinds::rbac_kind;

/// The activity of a request: the last partition column, which keeps the few important requests in separate files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Activity {
    /// A write of an object that creates pods, of `ephemeralcontainers`, `scale`, `binding` or `eviction`.
    Workload,
    /// A write of roles, bindings, certificate signing requests or service accounts.
    Rbac,
    /// Access to a pod, a node or a credential: exec, attach, port-forward, proxy, a service account token.
    Access,
    /// Any request on Secrets, reads included.
    Secret,
    /// Any other write.
    Write,
    /// Everything else: reads, watches and requests without a resource.
    Read,
}

/// The properties that determine an activity.
pub(crate) struct Request<'a> {
    pub(crate) verb: &'a str,
    pub(crate) api_group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) makes_pods: bool,
}

impl Activity {
    /// Every activity.
    pub const ALL: [Self; 6] =
        [Self::Workload, Self::Rbac, Self::Access, Self::Secret, Self::Write, Self::Read];

    pub(crate) fn of(request: &Request<'_>) -> Self {
        let Request { verb, api_group, resource, subresource, makes_pods } = *request;
        match (api_group, resource, subresource) {
            ("", "pods", "exec" | "attach" | "portforward" | "proxy")
            | ("", "nodes" | "services", "proxy")
            | ("", "serviceaccounts", "token") => return Self::Access,
            ("", "secrets", _) => return Self::Secret,
            _ => {}
        }
        let writes = matches!(verb, "create" | "update" | "patch" | "delete" | "deletecollection");
        if !writes {
            return Self::Read;
        }
        match (api_group, resource, subresource) {
            (_, _, "status") => Self::Write,
            ("rbac.authorization.k8s.io" | "certificates.k8s.io", _, _)
            | (
                "authorization.openshift.io",
                "roles" | "clusterroles" | "rolebindings" | "clusterrolebindings",
                _,
            )
            | ("", "serviceaccounts", _) => Self::Rbac,
            ("management.cattle.io", resource, _) if rbac_kind(api_group, resource).is_some() => {
                Self::Rbac
            }
            _ if makes_pods => Self::Workload,
            _ => Self::Write,
        }
    }

    /// Returns the name used in the `activity` column.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
