//! RBAC objects that requests write: roles rule by rule, bindings subject by subject.
//!
//! A rule keeps its lists together: a verb and a resource are granted only if they are in the same rule.

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::{Bodies, body_source};
use crate::objects::fields::list_of;
use crate::objects::policy_rule::PolicyRule;
use crate::objects::role_effects::effects;
use crate::objects::workload::CopiedField;
use crate::row;

row! {
    /// Role or binding that a request writes (`rbac.authorization.k8s.io`, `authorization.openshift.io`, or Rancher's
    /// `management.cattle.io`).
    pub struct Rbac<'a> builds RbacBuilder {
        /// Kind: `Role`, `ClusterRole`, `RoleBinding` or `ClusterRoleBinding`; for a Rancher kind, the kind that
        /// Rancher creates from it.
        pub kind: Option<Text<'a>>,
        /// Body that the row shows: `response`, `request`, `patch` or `none`; in the views also `version`, the previous
        /// version with the patch applied.
        pub body_source: Option<Text<'a>>,
        /// `roleRef.kind` of a binding. Rancher's bindings refer to cluster roles.
        pub role_kind: Option<Text<'a>>,
        /// `roleRef.name` of a binding; for a Rancher binding, the cluster role that Rancher creates:
        /// `cattle-globalrole-NAME` for a global role, `NAME` for a role template.
        pub role_name: Option<Text<'a>>,
        /// `subjects` of a binding.
        pub subjects: Option<Vec<Subject<'a>>>,
        /// `rules` of a role, and `externalRules` and `namespacedRules` of a Rancher role.
        pub rules: Option<Vec<PolicyRule<'a>>>,
        /// Whether `subjects` or `rules` contain only what a JSON Patch adds or changes: the others are not in the log.
        pub amends: Option<bool>,
        /// Fields to which a JSON Patch copies or moves a value.
        pub copied: Option<Vec<CopiedField<'a>>>,
        /// Powers that all rules of a role together grant, in any notation: `everything`, `escalate`,
        /// `impersonate`, `impersonate accounts`, `tokens`, `certificates`, `admission`, `node proxy`, `nodes`,
        /// `volumes`, `secrets`, `exec`, `workloads`, `every path`. Null if no rule is visible.
        pub effects: Option<Vec<Text<'a>>>,
        /// Roles into which a ClusterRole is aggregated by its labels `rbac.authorization.k8s.io/aggregate-to-…`:
        /// `admin`, `edit`, `view` or another.
        pub aggregates_to: Option<Vec<Text<'a>>>,
    }
}

row! {
    /// Subject of a binding.
    pub struct Subject<'a> builds SubjectBuilder {
        /// Kind: `User`, `Group` or `ServiceAccount`.
        pub kind: Option<Text<'a>>,
        /// Name of the subject.
        pub name: Option<Text<'a>>,
        /// Namespace of a service account. Null for users and groups.
        pub namespace: Option<Text<'a>>,
    }
}

const PAYLOAD: [&str; 17] = [
    "rules",
    "roleRef",
    "subjects",
    "aggregationRule",
    "userNames",
    "groupNames",
    // Rancher's member.
    "globalRoleName",
    "roleTemplateName",
    "userName",
    "userPrincipalName",
    "groupName",
    "groupPrincipalName",
    "serviceAccount",
    "externalRules",
    "namespacedRules",
    "roleTemplateNames",
    "inheritedClusterRoles",
];

/// The prefix of the cluster role that Rancher creates from a global role.
pub(crate) const GLOBAL_ROLE: &str = "cattle-globalrole-";

/// Returns the Kubernetes kind that Rancher creates from one of its own kinds; other kinds unchanged.
fn kind_in_effect(kind: &'static str) -> &'static str {
    match kind {
        "GlobalRole" | "RoleTemplate" => "ClusterRole",
        "GlobalRoleBinding" | "ClusterRoleTemplateBinding" => "ClusterRoleBinding",
        "ProjectRoleTemplateBinding" => "RoleBinding",
        kind => kind,
    }
}

/// The prefix of the label by which a ClusterRole is aggregated into the role named in the rest of the label.
const AGGREGATE_TO: &str = "rbac.authorization.k8s.io/aggregate-to-";

/// Returns whether a request is a patch that leaves the granted rights unchanged.
pub(crate) fn leaves_alone(bodies: &Bodies<'_, '_>) -> bool {
    bodies.leaves_alone(&PAYLOAD) && !bodies.patch().is_some_and(sets_aggregation)
}

/// Returns whether a body is a role or binding of this kind with its rights.
pub(crate) fn is_object(kind: &str, json: &Json<'_>) -> bool {
    json.text("kind").is_none_or(|named| &*named == kind)
        && PAYLOAD.iter().any(|key| json.member(key).is_some())
}

/// Returns the cluster role of a default cluster role binding, by the binding's name.
///
/// The API server names its own bindings after their role, and recreates them if they name another role. `roleRef` is
/// immutable. Only powerful roles are inferred from a name: an attacker who creates a similarly named binding gains
/// nothing, because an unknown role counts as any role.
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

/// Returns the role or binding that a request writes; `None` for a patch that leaves the granted rights unchanged.
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
        kind: Some(kind_in_effect(kind).into()),
        body_source: Some(body_source(body.as_ref())),
        copied: bodies.copied(),
        ..Rbac::default()
    };
    let Some(body) = body else { return Some(rbac) };
    rbac.amends =
        Some(body.source == "patch" && (bodies.amends("subjects") || bodies.amends("rules")));
    read(&mut rbac, body.json);
    if rbac.role_name.is_none() && kind == "ClusterRoleBinding" {
        let role = name.and_then(role_of_default_binding);
        rbac.role_kind = role.map(|_| "ClusterRole".into());
        rbac.role_name = role.map(|role| role.to_owned().into());
    }
    Some(rbac)
}

/// Fills the columns on the rights that a role or binding grants.
pub(crate) fn read<'a>(rbac: &mut Rbac<'a>, json: &Json<'a>) {
    if let Some(role) = json.get("roleRef") {
        rbac.role_kind = role.text("kind").or_else(|| openshift_role_kind(role));
        rbac.role_name = role.text("name");
    } else if let Some(role) = rancher_role(json) {
        rbac.role_kind = Some("ClusterRole".into());
        rbac.role_name = Some(role);
    }
    rbac.subjects = subjects(json).or_else(|| rancher_subject(json));
    rbac.rules = rules(json);
    let selects_all =
        json.get("aggregationRule").is_some_and(is_broad) || inherits_everything(json);
    rbac.effects = effects(rbac.rules.as_deref(), selects_all);
    rbac.aggregates_to = aggregates_to(json);
}

/// Returns the rules of a role, and those that Rancher keeps under other names, regardless of their namespace.
fn rules<'a>(json: &Json<'a>) -> Option<Vec<PolicyRule<'a>>> {
    let rule = |rule: &Json<'a>| PolicyRule {
        api_groups: rule.texts("apiGroups"),
        resources: rule.texts("resources"),
        resource_names: rule.texts("resourceNames"),
        verbs: rule.texts("verbs"),
        non_resource_urls: rule.texts("nonResourceURLs"),
    };
    let mut rules = list_of(json, "rules", rule);
    let external = list_of(json, "externalRules", rule).into_iter().flatten();
    let mut others: Vec<_> = external.collect();
    if let Some(Json::Object(namespaces)) = json.get("namespacedRules") {
        for (_, of_namespace) in namespaces {
            others.extend(of_namespace.elements().into_iter().flatten().map(rule));
        }
    }
    if !others.is_empty() {
        rules.get_or_insert_default().extend(others);
    }
    rules
}

/// Returns whether a Rancher role inherits from a role that allows everything in a cluster.
fn inherits_everything(json: &Json<'_>) -> bool {
    ["roleTemplateNames", "inheritedClusterRoles"].into_iter().any(|list| {
        let names = json.texts(list).into_iter().flatten();
        names.into_iter().any(|name| matches!(&*name, "cluster-owner" | "cluster-admin"))
    })
}

/// Returns the cluster role that Rancher creates from the role named in a Rancher binding.
fn rancher_role<'a>(json: &Json<'a>) -> Option<Text<'a>> {
    let global = json.text("globalRoleName").filter(|name| !name.is_empty());
    if let Some(name) = global {
        return Some(format!("{GLOBAL_ROLE}{}", &*name).into());
    }
    json.text("roleTemplateName").filter(|name| !name.is_empty())
}

/// Returns the single subject of a Rancher binding: a user or group by its own name or by that of its identity
/// provider, or a service account as `namespace:name`.
fn rancher_subject<'a>(json: &Json<'a>) -> Option<Vec<Subject<'a>>> {
    let first = |keys: [&str; 2]| {
        keys.into_iter().find_map(|key| json.text(key).filter(|name| !name.is_empty()))
    };
    let of_kind = |kind: &'static str, name| Subject {
        kind: Some(kind.into()),
        name: Some(name),
        namespace: None,
    };
    let users = first(["userName", "userPrincipalName"]).map(|name| of_kind("User", name));
    let groups = first(["groupName", "groupPrincipalName"]).map(|name| of_kind("Group", name));
    let account = json.text("serviceAccount").filter(|name| !name.is_empty()).map(|account| {
        let (namespace, name) = account.split_once(':').unwrap_or(("", &account));
        Subject {
            kind: Some("ServiceAccount".into()),
            namespace: Some(namespace.to_owned().into()),
            name: Some(name.to_owned().into()),
        }
    });
    let found: Vec<_> = users.into_iter().chain(groups).chain(account).collect();
    (!found.is_empty()).then_some(found)
}

/// Returns the role kind of an OpenShift reference, which has none: without a namespace it refers to a cluster role.
fn openshift_role_kind<'a>(role: &Json<'a>) -> Option<Text<'a>> {
    role.get("name")?;
    let is_local = role.text("namespace").is_some_and(|namespace| !namespace.is_empty());
    Some(if is_local { "Role" } else { "ClusterRole" }.into())
}

/// Returns `subjects`. OpenShift also has `userNames` and `groupNames`, which repeat the subjects or, with old clients,
/// replace them.
fn subjects<'a>(json: &Json<'a>) -> Option<Vec<Subject<'a>>> {
    let of_kubernetes = list_of(json, "subjects", |subject| Subject {
        kind: subject.text("kind").map(plain_kind),
        name: subject.text("name"),
        namespace: subject.text("namespace"),
    });
    if of_kubernetes.as_ref().is_some_and(|subjects| !subjects.is_empty()) {
        return of_kubernetes;
    }
    let users = json.texts("userNames").into_iter().flatten().map(user);
    let groups = json.texts("groupNames").into_iter().flatten().map(|name| Subject {
        kind: Some("Group".into()),
        name: Some(name),
        namespace: None,
    });
    let of_openshift: Vec<_> = users.chain(groups).collect();
    if of_openshift.is_empty() { of_kubernetes } else { Some(of_openshift) }
}

/// Returns the plain kind: OpenShift uses `SystemUser` and `SystemGroup` for users and groups without an identity
/// provider.
fn plain_kind(kind: Text<'_>) -> Text<'_> {
    match &*kind {
        "SystemUser" => "User".into(),
        "SystemGroup" => "Group".into(),
        _ => kind,
    }
}

fn user(name: Text<'_>) -> Subject<'_> {
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let Some((namespace, account)) = account else {
        return Subject { kind: Some("User".into()), name: Some(name), namespace: None };
    };
    Subject {
        kind: Some("ServiceAccount".into()),
        namespace: Some(namespace.to_owned().into()),
        name: Some(account.to_owned().into()),
    }
}

/// Returns whether a patch sets an aggregation label. A value that a JSON Patch copies from elsewhere counts as set.
fn sets_aggregation(patch: &Json<'_>) -> bool {
    let Some(Json::Object(labels)) = patch.at(&["metadata", "labels"]) else { return false };
    labels.iter().any(|(key, value)| key.starts_with(AGGREGATE_TO) && *value != Json::Null)
}

fn aggregates_to<'a>(json: &Json<'a>) -> Option<Vec<Text<'a>>> {
    let Json::Object(labels) = json.at(&["metadata", "labels"])? else { return None };
    let is_set = |value: &Json<'_>| match value {
        Json::Text(text) => &**text == "true",
        // A value that a JSON Patch copies, without the object.
        Json::Object(_) => true,
        _ => false,
    };
    let names = labels
        .iter()
        .filter(|(_, value)| is_set(value))
        .filter_map(|(key, _)| Some(Text::from(key.strip_prefix(AGGREGATE_TO)?.to_owned())));
    let names: Vec<_> = names.collect();
    (!names.is_empty()).then_some(names)
}

/// Returns whether an aggregation rule selects roles that it does not name: all of them, all but some, or the default
/// roles, which include `cluster-admin`.
fn is_broad(rule: &Json<'_>) -> bool {
    const DEFAULTS: &str = "kubernetes.io/bootstrapping";
    rule.list("clusterRoleSelectors").iter().any(|selector| {
        let labels = match selector.get("matchLabels") {
            Some(Json::Object(labels)) => labels.as_slice(),
            _ => &[],
        };
        let expressions = selector.list("matchExpressions");
        let is_empty = labels.is_empty() && expressions.is_empty();
        let excludes = !expressions.is_empty()
            && labels.is_empty()
            && expressions.iter().all(|expression| {
                matches!(expression.text("operator").as_deref(), Some("NotIn" | "DoesNotExist"))
            });
        let takes_defaults = labels.iter().any(|(key, _)| &**key == DEFAULTS)
            || expressions.iter().any(|expression| {
                expression.text("key").as_deref() == Some(DEFAULTS)
                    && matches!(expression.text("operator").as_deref(), Some("In" | "Exists"))
            });
        is_empty || excludes || takes_defaults
    })
}
