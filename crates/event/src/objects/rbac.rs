//! What a request writes when it writes RBAC: roles rule by rule, bindings subject by subject.
//!
//! A rule keeps its lists together: a verb and a resource count as granted only when they stand in the same rule.

use crate::analysis::role_effects::effects;
use crate::json::value::Json;
use crate::objects::extract::{Bodies, body_source, list_of};
use crate::objects::workload::CopiedField;
use crate::row;
use crate::tables::column::Text;

row! {
    /// The role or binding that a request writes (`rbac.authorization.k8s.io`, `authorization.openshift.io`, or `management.cattle.io` of Rancher).
    pub struct Rbac<'a> builds RbacBuilder {
        /// `Role`, `ClusterRole`, `RoleBinding` or `ClusterRoleBinding`; of Rancher's kinds the one that it makes of them.
        pub kind: Option<Text<'a>>,
        /// Which body the row shows: `response`, `request`, `patch` or `none`; in the views also `version`, what a patch makes of the version before.
        pub body_source: Option<Text<'a>>,
        /// `roleRef.kind` of a binding; Rancher's name roles of the cluster.
        pub role_kind: Option<Text<'a>>,
        /// `roleRef.name` of a binding; of Rancher's the cluster role that it makes: `cattle-globalrole-NAME` of a global role, `NAME` of a role template.
        pub role_name: Option<Text<'a>>,
        /// `subjects` of a binding.
        pub subjects: Option<Vec<Subject<'a>>>,
        /// `rules` of a role; `externalRules` and `namespacedRules` of Rancher's besides.
        pub rules: Option<Vec<PolicyRule<'a>>>,
        /// Whether `subjects` or `rules` are only what a JSON Patch adds or changes: the others are not in the log.
        pub amends: Option<bool>,
        /// The fields to which a JSON Patch copies or moves a value.
        pub copied: Option<Vec<CopiedField<'a>>>,
        /// What a role allows in effect, by all its rules together and however they spell it: `everything`, `escalate`, `impersonate`, `impersonate accounts`, `tokens`, `certificates`, `admission`, `node proxy`, `nodes`, `volumes`, `secrets`, `exec`, `workloads`, `every path`. Null where no rule is visible.
        pub effects: Option<Vec<Text<'a>>>,
        /// The roles that a ClusterRole becomes a part of, by its labels `rbac.authorization.k8s.io/aggregate-to-…`: `admin`, `edit`, `view` or another.
        pub aggregates_to: Option<Vec<Text<'a>>>,
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

const PAYLOAD: [&str; 17] = [
    "rules",
    "roleRef",
    "subjects",
    "aggregationRule",
    "userNames",
    "groupNames",
    // Rancher's.
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

/// What Rancher calls the cluster role that it makes of a global role.
pub(crate) const GLOBAL_ROLE: &str = "cattle-globalrole-";

/// The kind of Kubernetes that Rancher makes of one of its own; others are what they are.
fn kind_in_effect(kind: &'static str) -> &'static str {
    match kind {
        "GlobalRole" | "RoleTemplate" => "ClusterRole",
        "GlobalRoleBinding" | "ClusterRoleTemplateBinding" => "ClusterRoleBinding",
        "ProjectRoleTemplateBinding" => "RoleBinding",
        kind => kind,
    }
}

/// The label by which a ClusterRole becomes a part of the role that it names behind this.
const AGGREGATE_TO: &str = "rbac.authorization.k8s.io/aggregate-to-";

/// Whether a request is a patch that leaves what a role or binding grants alone.
pub(crate) fn leaves_alone(bodies: &Bodies<'_, '_>) -> bool {
    bodies.leaves_alone(&PAYLOAD) && !bodies.patch().is_some_and(sets_aggregation)
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

/// Fills what a role or binding grants.
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

/// The rules of a role, and those that Rancher keeps under other names, whatever namespace they hold in.
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

/// Whether a role of Rancher takes over one that allows everything in a cluster.
fn inherits_everything(json: &Json<'_>) -> bool {
    ["roleTemplateNames", "inheritedClusterRoles"].into_iter().any(|list| {
        let names = json.texts(list).into_iter().flatten();
        names.into_iter().any(|name| matches!(&*name, "cluster-owner" | "cluster-admin"))
    })
}

/// The cluster role that Rancher makes of the role which one of its bindings names.
fn rancher_role<'a>(json: &Json<'a>) -> Option<Text<'a>> {
    let global = json.text("globalRoleName").filter(|name| !name.is_empty());
    if let Some(name) = global {
        return Some(format!("{GLOBAL_ROLE}{}", &*name).into());
    }
    json.text("roleTemplateName").filter(|name| !name.is_empty())
}

/// The one subject of a binding of Rancher: a user or group by its name or by that of its identity provider, or a
/// service account as `namespace:name`.
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

/// OpenShift's references name no kind: without a namespace they mean a role of the cluster.
fn openshift_role_kind<'a>(role: &Json<'a>) -> Option<Text<'a>> {
    role.get("name")?;
    let is_local = role.text("namespace").is_some_and(|namespace| !namespace.is_empty());
    Some(if is_local { "Role" } else { "ClusterRole" }.into())
}

/// `subjects`; OpenShift has `userNames` and `groupNames` besides, which say the same or, in old clients, alone.
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

/// `SystemUser` and `SystemGroup` are OpenShift's names of users and groups that no identity provider has.
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

/// Whether a patch sets a label of aggregation. A value that a JSON Patch copies from elsewhere counts as set.
fn sets_aggregation(patch: &Json<'_>) -> bool {
    let Some(Json::Object(labels)) = patch.at(&["metadata", "labels"]) else { return false };
    labels.iter().any(|(key, value)| key.starts_with(AGGREGATE_TO) && *value != Json::Null)
}

fn aggregates_to<'a>(json: &Json<'a>) -> Option<Vec<Text<'a>>> {
    let Json::Object(labels) = json.at(&["metadata", "labels"])? else { return None };
    let is_set = |value: &Json<'_>| match value {
        Json::Text(text) => &**text == "true",
        // What a JSON Patch copies, without the object.
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

/// Whether an aggregation rule takes in roles that it does not name: all of them, all but some, or the default ones,
/// `cluster-admin` among them.
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
