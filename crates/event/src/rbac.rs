//! What a request writes when it writes RBAC: roles rule by rule, bindings subject by subject.
//!
//! A rule keeps its lists together: a verb and a resource count as granted only when they stand in the same rule.

use crate::body::Json;
use crate::column::Text;
use crate::extract::{Bodies, body_source, list_of};
use crate::row;

row! {
    /// The role or binding that a request writes (`rbac.authorization.k8s.io`).
    pub struct Rbac<'a> builds RbacBuilder {
        /// `Role`, `ClusterRole`, `RoleBinding` or `ClusterRoleBinding`.
        pub kind: Option<Text<'a>>,
        /// Which body the row shows: `response`, `request`, `patch` or `none`.
        pub body_source: Option<Text<'a>>,
        /// `roleRef.kind` of a binding.
        pub role_kind: Option<Text<'a>>,
        /// `roleRef.name` of a binding.
        pub role_name: Option<Text<'a>>,
        /// `subjects` of a binding.
        pub subjects: Option<Vec<Subject<'a>>>,
        /// `rules` of a role.
        pub rules: Option<Vec<PolicyRule<'a>>>,
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

/// The role or binding that a request writes; `None` for a patch that leaves what it grants alone.
pub(crate) fn rbac<'a>(kind: &'static str, bodies: &Bodies<'a, '_>) -> Option<Rbac<'a>> {
    const PAYLOAD: [&str; 4] = ["rules", "roleRef", "subjects", "aggregationRule"];
    if bodies.leaves_alone(&PAYLOAD) {
        return None;
    }
    let body = bodies.object(kind, &PAYLOAD);
    let mut rbac = Rbac {
        kind: Some(kind.into()),
        body_source: Some(body_source(body.as_ref())),
        ..Rbac::default()
    };
    let Some(body) = body else { return Some(rbac) };
    read(&mut rbac, body.json);
    Some(rbac)
}

/// Fills what a role or binding grants.
pub(crate) fn read<'a>(rbac: &mut Rbac<'a>, json: &Json<'a>) {
    if let Some(role) = json.get("roleRef") {
        rbac.role_kind = role.text("kind");
        rbac.role_name = role.text("name");
    }
    rbac.subjects = list_of(json, "subjects", |subject| Subject {
        kind: subject.text("kind"),
        name: subject.text("name"),
        namespace: subject.text("namespace"),
    });
    rbac.rules = list_of(json, "rules", |rule| PolicyRule {
        api_groups: rule.texts("apiGroups"),
        resources: rule.texts("resources"),
        resource_names: rule.texts("resourceNames"),
        verbs: rule.texts("verbs"),
        non_resource_urls: rule.texts("nonResourceURLs"),
    });
}
