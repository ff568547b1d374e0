//! What every detection of a pack must say about itself, and what its query may compare.

use std::collections::BTreeSet;
use std::fmt;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::scalar::ScalarValue;
use podtrail_query::{Limits, QueryError, Scope, Session};

use crate::pack::Pack;
use crate::pack::attack_names::AttackNames;
use crate::pack::detection::Head;
use crate::pack::lint_sql::{misses_applied, words};
use crate::run::facts::{FACTS, facts};

/// The version of the ATT&CK matrix that `attack_techniques` and `attack_tactics` are from.
pub const ATTACK_VERSION: &str = "19";

/// Controls of the Cloud Controls Matrix of the CSA that detections give evidence for.
const CONTROLS: [&str; 4] = ["IAM-16", "AIS-06", "DSP-15", "IPY-03"];

/// Columns that have a few values only.
const ENUMERATIONS: &[(&str, &[&str])] = &[
    (
        "outcome",
        &[
            "allowed",
            "dry_run",
            "denied_authn",
            "denied_authz",
            "denied_admission",
            "invalid",
            "conflict",
            "error",
            "unknown",
        ],
    ),
    (
        "identity_kind",
        &[
            "human",
            "service_account",
            "cloud_service_account",
            "node",
            "controller",
            "system",
            "anonymous",
            "unknown",
        ],
    ),
    ("activity", &["workload", "rbac", "access", "secret", "write", "read"]),
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
];

/// What is wrong with a detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The detection's id.
    pub detection: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.detection, self.message)
    }
}

/// Checks every detection: its head, its columns, the values that it compares, its ATT&CK ids.
///
/// # Errors
/// When the pack's tables and views cannot be set up.
pub async fn lint(pack: &Pack) -> Result<Vec<Problem>, QueryError> {
    let session = Session::in_memory(&[], Scope::default(), Limits::default())?;
    pack.prepare(&session).await?;
    let no_facts = facts(&[], |_, _| None).map_err(|error| QueryError::Sql(error.into()))?;
    session.add_table(FACTS, no_facts)?;
    let names = pack.attack_names();
    let mut problems = Vec::new();
    let never = pack.never_routine();
    for detection in pack.detections() {
        let mut messages = head(&detection.head, &names);
        if detection.head.routine.is_some() && never.contains(&detection.head.id) {
            messages.push("what it finds is never routine, as `never_excepted` has it".to_owned());
        }
        messages.extend(misses_applied(&detection.sql));
        match session.sql(&detection.sql).await {
            Err(error) => messages.push(error.to_string()),
            Ok(query) => {
                let columns: BTreeSet<_> =
                    query.schema().fields().iter().map(|field| field.name().clone()).collect();
                for column in ["event_id", "reason"] {
                    if !columns.contains(column) {
                        messages.push(format!("its query must return a column '{column}'"));
                    }
                }
                messages.extend(impossible_values(query.logical_plan())?);
                // Binding also proves that every parameter of the query is declared.
                match detection.parameters().map(|values| query.with_param_values(values)) {
                    Err(error) => messages.push(error.to_string()),
                    Ok(Err(error)) => messages.push(error.strip_backtrace()),
                    Ok(Ok(_)) => {}
                }
            }
        }
        let id = &detection.head.id;
        problems
            .extend(messages.into_iter().map(|message| Problem { detection: id.clone(), message }));
    }
    problems.extend(unread(pack, &session).await?);
    Ok(problems)
}

/// The views whose columns show what an attacker may do.
const SECURITY_VIEWS: &[&str] = &[
    "workloads",
    "containers",
    "volumes",
    "bindings",
    "role_rules",
    "execs",
    "token_requests",
    "certificate_requests",
    "services",
    "ingresses",
    "secrets",
    "config_maps",
    "namespaces",
    "persistent_volumes",
    "network_policies",
    "webhooks",
];

/// Columns of these views that no query of the pack reads, and of which its table `unread_columns` does not state why.
async fn unread(pack: &Pack, session: &Session) -> Result<Vec<Problem>, QueryError> {
    // Who has no such table lints a detection of their own, which need not read everything.
    let Some(known) = pack.unread_columns() else { return Ok(Vec::new()) };
    let read: BTreeSet<_> = pack.queries().flat_map(words).collect();
    let mut problems = Vec::new();
    for view in SECURITY_VIEWS {
        let rows = session.sql(&format!("SELECT * FROM {view}")).await?;
        for field in rows.schema().fields() {
            let column = field.name();
            let is_known = known.contains(&(*view, column.as_str()));
            let message = match (read.contains(column), is_known) {
                (false, false) => format!(
                    "no detection reads the column '{column}': one should, or the table unread_columns state why none does"
                ),
                (true, true) => {
                    format!("the column '{column}' of the table unread_columns is read")
                }
                _ => continue,
            };
            problems.push(Problem { detection: (*view).to_owned(), message });
        }
    }
    Ok(problems)
}

fn head(head: &Head, names: &AttackNames) -> Vec<String> {
    let mut messages = Vec::new();
    let lists = [
        ("attack", head.attack.is_empty()),
        ("tactics", head.tactics.is_empty()),
        ("blind_spots", head.blind_spots.is_none()),
        ("false_positives", head.false_positives.is_empty()),
        ("triage", head.triage.is_empty()),
        ("references", head.references.is_empty()),
        ("covers", head.covers.is_empty()),
    ];
    let missing = lists.iter().filter(|(_, is_missing)| *is_missing);
    messages.extend(missing.map(|(key, _)| format!("its head says nothing under '{key}'")));
    let unknown = |kind: &str, value: &str| {
        let successor = names.successor(value).map(|new| format!(": there it is {new}"));
        let successor = successor.unwrap_or_default();
        format!("'{value}' is no {kind} of ATT&CK {ATTACK_VERSION}{successor}")
    };
    let techniques = head.attack.iter().filter(|id| names.technique(id).is_none());
    messages.extend(techniques.map(|id| unknown("technique", id)));
    let tactics = head.tactics.iter().filter(|name| names.tactic_id(name).is_none());
    messages.extend(tactics.map(|name| unknown("tactic", name)));
    let strange = head.controls.iter().filter(|control| !CONTROLS.contains(&control.as_str()));
    messages.extend(strange.map(|control| format!("'{control}' is no control of the pack")));
    messages
}

/// Comparisons of a column with a value that it never has.
fn impossible_values(plan: &LogicalPlan) -> Result<BTreeSet<String>, QueryError> {
    let mut messages = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                compared(expression, &mut messages);
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })
    .map_err(|error: DataFusionError| QueryError::from(error))?;
    Ok(messages)
}

fn compared(expression: &Expr, messages: &mut BTreeSet<String>) {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq | Operator::NotEq, right }) => {
            check(left, right, messages);
            check(right, left, messages);
        }
        Expr::InList(InList { expr, list, .. }) => {
            for value in list {
                check(expr, value, messages);
            }
        }
        _ => {}
    }
}

fn check(column: &Expr, value: &Expr, messages: &mut BTreeSet<String>) {
    let (Expr::Column(column), Expr::Literal(ScalarValue::Utf8(Some(value)), _)) = (column, value)
    else {
        return;
    };
    let known = ENUMERATIONS.iter().find(|(name, _)| *name == column.name);
    if let Some((name, values)) = known
        && !values.contains(&value.as_str())
    {
        messages.insert(format!("{name} is never '{value}': it is one of {}", values.join(", ")));
    }
}
