//! What a request writes when it writes RBAC: roles rule by rule, bindings subject by subject.
//!
//! A rule keeps its lists together: a verb and a resource count as granted only when they stand in the same rule.

use crate::body::Json;
use crate::column::Text;
use crate::extract::{Bodies, body_source, list_of};
use crate::row;
use crate::workload::CopiedField;

row! {
    /// The role or binding that a request writes (`rbac.authorization.k8s.io`).
    pub struct Rbac<'a> builds RbacBuilder {
        /// `Role`, `ClusterRole`, `RoleBinding` or `ClusterRoleBinding`.
        pub kind: Option<Text<'a>>,
        /// Which body the row shows: `response`, `request`, `patch` or `none`; in the views also `version`, what a patch makes of the version before.
        pub body_source: Option<Text<'a>>,
        /// `roleRef.kind` of a binding.
        pub role_kind: Option<Text<'a>>,
        /// `roleRef.name` of a binding.
        pub role_name: Option<Text<'a>>,
        /// `subjects` of a binding.
        pub subjects: Option<Vec<Subject<'a>>>,
        /// `rules` of a role.
        pub rules: Option<Vec<PolicyRule<'a>>>,
        /// Whether `subjects` or `rules` are only what a JSON Patch adds or changes: the others are not in the log.
        pub amends: Option<bool>,
        /// The fields to which a JSON Patch copies or moves a value.
        pub copied: Option<Vec<CopiedField<'a>>>,
    }
}

row! {
    /// Who a binding grants to.
    pub struct Subject<'a> builds SubjectBuilder {
        /// `User`, `Group` or `ServiceAccount`.
        pub kind: Option<Text<'a>>,
        /// The subject's name.
        pub name: Option<Text<'a>>,
        /// The namespace of a service account.
        pub namespace: Option<Text<'a>>,
    }
}

row! {
    /// One rule of a role.
    pub struct PolicyRule<'a> builds PolicyRuleBuilder {
        /// `apiGroups`; the empty string is the core group.
        pub api_groups: Option<Vec<Text<'a>>>,
        /// `resources`, with subresources as `pods/exec`.
        pub resources: Option<Vec<Text<'a>>>,
        /// `resourceNames`; empty is every name.
        pub resource_names: Option<Vec<Text<'a>>>,
        /// `verbs`.
        pub verbs: Option<Vec<Text<'a>>>,
        /// `nonResourceURLs`.
        pub non_resource_urls: Option<Vec<Text<'a>>>,
    }
}

const PAYLOAD: [&str; 4] = ["rules", "roleRef", "subjects", "aggregationRule"];

/// Whether a request is a patch that leaves what a role or binding grants alone.
pub(crate) fn leaves_alone(bodies: &Bodies<'_, '_>) -> bool {
    bodies.leaves_alone(&PAYLOAD)
}

/// Whether a body is a role or binding of this kind, with what it grants.
pub(crate) fn is_object(kind: &str, json: &Json<'_>) -> bool {
    json.text("kind").is_none_or(|named| &*named == kind)
        && PAYLOAD.iter().any(|key| json.member(key).is_some())
}

/// The cluster role of a cluster role binding that every cluster has, by the binding's name.
///
/// The API server gives its own bindings the name of their role, and makes them anew when they name another. `roleRef`
/// cannot be changed. Only powerful roles are told by a name: an attacker who makes a binding under another name that
/// looks like these gains nothing, as a role that is not known counts as any.
fn role_of_default_binding(binding: &str) -> Option<&str> {
    match binding {
        "kubeadm:cluster-admins" => Some("cluster-admin"),
        "cluster-admin"
        | "system:kube-controller-manager"
        | "system:kube-scheduler"
        | "system:node" => Some(binding),
        _ => None,
    }
}

/// The role or binding that a request writes; `None` for a patch that leaves what it grants alone.
pub(crate) fn rbac<'a>(
    kind: &'static str,
    name: Option<&str>,
    bodies: &Bodies<'a, '_>,
) -> Option<Rbac<'a>> {
    let body = bodies.object(kind, &PAYLOAD);
    if leaves_alone(bodies) {
        return None;
    }
    let mut rbac = Rbac {
        kind: Some(kind.into()),
        body_source: Some(body_source(body.as_ref())),
        copied: bodies.copied(),
        ..Rbac::default()
    };
    let Some(body) = body else { return Some(rbac) };
    rbac.amends =
        Some(body.source == "patch" && (bodies.amends("subjects") || bodies.amends("rules")));
    if let Some(role) = body.json.get("roleRef") {
        rbac.role_kind = role.text("kind");
        rbac.role_name = role.text("name");
    }
    if rbac.role_name.is_none() && kind == "ClusterRoleBinding" {
        let role = name.and_then(role_of_default_binding);
        rbac.role_kind = role.map(|_| "ClusterRole".into());
        rbac.role_name = role.map(|role| role.to_owned().into());
    }
    rbac.subjects = list_of(body.json, "subjects", |subject| Subject {
        kind: subject.text("kind"),
        name: subject.text("name"),
        namespace: subject.text("namespace"),
    });
    rbac.rules = list_of(body.json, "rules", |rule| PolicyRule {
        api_groups: rule.texts("apiGroups"),
        resources: rule.texts("resources"),
        resource_names: rule.texts("resourceNames"),
        verbs: rule.texts("verbs"),
        non_resource_urls: rule.texts("nonResourceURLs"),
    });
    Some(rbac)
}
