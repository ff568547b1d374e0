//! The values of columns with a fixed set of them.

use std::collections::BTreeSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;
use podtrail_event::{Activity, Confidence, IdentityKind, Outcome, Severity};
use strum::VariantNames;

use crate::error::QueryError;
use crate::session::Query;

/// The columns with a fixed set of values.
const ENUMERATIONS: &[(&str, &[&str])] = &[
    ("outcome", Outcome::VARIANTS),
    ("identity_kind", IdentityKind::VARIANTS),
    ("activity", Activity::VARIANTS),
    ("stage", &["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]),
    ("level", &["Metadata", "Request", "RequestResponse"]),
    ("decision", &["allow", "forbid"]),
    ("body_source", &["response", "request", "patch", "version", "none"]),
    ("role", &["container", "init", "ephemeral", "volume", "image volume"]),
    (
        "verb",
        &[
            "get",
            "list",
            "watch",
            "create",
            "update",
            "patch",
            "delete",
            "deletecollection",
            "post",
            "put",
            "head",
            "options",
            "connect",
        ],
    ),
    ("subject_kind", &["User", "Group", "ServiceAccount"]),
    ("pod_security_level", &["privileged", "baseline", "restricted"]),
    ("severity", Severity::VARIANTS),
    ("confidence", Confidence::VARIANTS),
];

/// Kinds, as manifests write them. Queries also name columns of their own `kind`, with values such as `node`.
const KINDS: &[&str] = &[
    "Pod",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "PodTemplate",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ServiceAccount",
];

/// Resources, as request paths write them.
const RESOURCES: &[&str] = &[
    "pods",
    "deployments",
    "replicasets",
    "replicationcontrollers",
    "statefulsets",
    "daemonsets",
    "jobs",
    "cronjobs",
    "secrets",
    "configmaps",
    "services",
    "ingresses",
    "networkpolicies",
    "namespaces",
    "nodes",
    "events",
    "serviceaccounts",
    "persistentvolumes",
    "persistentvolumeclaims",
    "roles",
    "clusterroles",
    "rolebindings",
    "clusterrolebindings",
    "customresourcedefinitions",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "certificatesigningrequests",
    "tokenreviews",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
];

impl Query {
    /// Returns the comparisons of a column with a value that it never has, as sentences that give the values of the
    /// column. Such a comparison returns no rows without an error.
    ///
    /// # Errors
    /// If the plan cannot be traversed.
    pub fn impossible_values(&self) -> Result<BTreeSet<String>, QueryError> {
        let mut messages = BTreeSet::new();
        let found = self.logical_plan().apply_with_subqueries(|node| {
            node.apply_expressions(|expression| {
                expression.apply(|expression| {
                    messages.extend(compared(expression));
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        });
        found.map_err(|error: DataFusionError| QueryError::from(error))?;
        Ok(messages)
    }
}

fn compared(expression: &Expr) -> Vec<String> {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq | Operator::NotEq, right }) => {
            [wrong(left, right), wrong(right, left)].into_iter().flatten().collect()
        }
        Expr::InList(InList { expr, list, .. }) => {
            list.iter().filter_map(|value| wrong(expr, value)).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns a sentence if the first expression is a column that never has the value of the second.
fn wrong(column: &Expr, value: &Expr) -> Option<String> {
    let (Expr::Column(column), Expr::Literal(ScalarValue::Utf8(Some(value)), _)) = (column, value)
    else {
        return None;
    };
    let name = column.name.as_str();
    if let Some((_, values)) = ENUMERATIONS.iter().find(|(known, _)| *known == name) {
        let is_known = values.contains(&value.as_str());
        return (!is_known)
            .then(|| format!("{name} is never '{value}'; values are {}", values.join(", ")));
    }
    match name {
        "kind" | "root_kind" | "role_kind" => {
            let lower = value.to_lowercase();
            let plural = |kind: &str| format!("{}s", kind.to_lowercase()) == lower;
            let meant =
                KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(value) || plural(kind))?;
            (*meant != value).then(|| format!("{name} is never '{value}', but '{meant}'"))
        }
        "resource" => {
            let lower = value.to_lowercase();
            let singular = |plural: &str| {
                let stems = [plural.strip_suffix('s'), plural.strip_suffix("es")];
                stems.contains(&Some(lower.as_str()))
                    || plural.strip_suffix("ies").is_some_and(|stem| format!("{stem}y") == lower)
            };
            let meant =
                RESOURCES.iter().find(|resource| **resource == lower || singular(resource))?;
            (*meant != value).then(|| format!("{name} is never '{value}', but '{meant}'"))
        }
        _ => None,
    }
}
