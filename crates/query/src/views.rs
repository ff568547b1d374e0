//! The views: plain SQL over the lake, one instance for the scope and one for the look-back before it.

mod columns;

use podtrail_event::IMPERSONATION_PROXIES;

pub(crate) use columns::ViewColumns;

/// Placeholder for the first instant of the view's period, or NULL.
const FROM: &str = "{from}";
/// Placeholder for the user names of impersonation proxies, as a list of SQL strings.
const PROXIES: &str = "{proxies}";
/// Placeholder for the columns of the events table, attributed to the effective user of proxied requests.
const COLUMNS_BY_USER: &str = "{columns_by_user}";
/// Placeholders for the writes of a column's objects: a view with one shows the writes whose bodies contain the
/// object, and those that the view `patched_…` reconstructs.
const WRITES: &[(&str, &str)] = &[("{workload_writes}", "workload"), ("{rbac_writes}", "rbac")];

/// The suffix of the views over the look-back before the scope.
pub(crate) const HISTORY_SUFFIX: &str = "_history";

/// The suffix of the views over everything up to the end of the scope, including before the look-back: an object may be
/// older than the look-back. Only other views read them.
pub(crate) const EVER_SUFFIX: &str = "_ever";

/// The suffix of the views over scope and look-back, for all identities: an owner or a binding may be older than the
/// scope. Only other views read them.
pub(crate) const KNOWN_SUFFIX: &str = "_known";

const STAGES: &str = include_str!("views/stages.sql");

/// The same query, in which `lake` is the table of last stages.
const EVENTS: &str = concat!(
    "-- One row per request: its last stage in the log. Stages of one request have the same `audit_id` and `time`; clients\n",
    "-- can choose `audit_id`, so it alone does not identify a request.\n\n",
    include_str!("views/stages.sql"),
);

/// The views that others are built on, ordered by dependency.
pub(crate) const BASE_VIEWS: &[(&str, &str)] = &[("stages", STAGES), ("events", EVENTS)];

/// The views that only other views read, ordered by dependency.
pub(crate) const HIDDEN_VIEWS: &[(&str, &str)] = &[
    ("patched_workload", include_str!("views/patched_workload.sql")),
    ("patched_rbac", include_str!("views/patched_rbac.sql")),
];

/// The other views, ordered by dependency.
pub(crate) const VIEWS: &[(&str, &str)] = &[
    ("workloads", include_str!("views/workloads.sql")),
    ("containers", include_str!("views/containers.sql")),
    ("volumes", include_str!("views/volumes.sql")),
    ("workload_tree", include_str!("views/workload_tree.sql")),
    ("live_workloads", include_str!("views/live_workloads.sql")),
    ("changes", include_str!("views/changes.sql")),
    ("bindings", include_str!("views/bindings.sql")),
    ("grants", include_str!("views/grants.sql")),
    ("role_rules", include_str!("views/role_rules.sql")),
    ("execs", include_str!("views/execs.sql")),
    ("token_requests", include_str!("views/token_requests.sql")),
    ("certificate_requests", include_str!("views/certificate_requests.sql")),
    ("services", include_str!("views/services.sql")),
    ("ingresses", include_str!("views/ingresses.sql")),
    ("secrets", include_str!("views/secrets.sql")),
    ("config_maps", include_str!("views/config_maps.sql")),
    ("namespaces", include_str!("views/namespaces.sql")),
    ("persistent_volumes", include_str!("views/persistent_volumes.sql")),
    ("network_policies", include_str!("views/network_policies.sql")),
    ("webhooks", include_str!("views/webhooks.sql")),
    ("identities", include_str!("views/identities.sql")),
    ("coverage", include_str!("views/coverage.sql")),
];

/// The view `findings`.
pub(crate) const FINDINGS: &str = include_str!("views/findings.sql");

/// The views over the view `findings`, ordered by dependency.
pub(crate) const INCIDENT_VIEWS: &[(&str, &str)] = &[
    ("incidents", include_str!("views/incidents.sql")),
    ("incident_findings", include_str!("views/incident_findings.sql")),
    ("incident_steps", include_str!("views/incident_steps.sql")),
];

/// The view `quarantine`.
pub(crate) const QUARANTINE: &str = include_str!("views/quarantine.sql");

/// The names of the views, `stages` first; with the suffix `_history`, each shows the look-back before the scope.
pub const VIEW_NAMES: &[&str] = &[
    "stages",
    "events",
    "workloads",
    "containers",
    "volumes",
    "workload_tree",
    "live_workloads",
    "changes",
    "bindings",
    "grants",
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
    "identities",
    "coverage",
];

/// Returns the SQL of a view whose period begins at `from`, an SQL expression.
pub(crate) fn sql(text: &str, from: &str) -> String {
    let of_column = WRITES.iter().find(|(writes, _)| text.contains(writes));
    let text = match of_column {
        Some((writes, column)) => {
            let whole = format!(
                "(SELECT * FROM events \
                 WHERE verb <> 'patch' OR {column}['body_source'] IS DISTINCT FROM 'patch') AS written"
            );
            let patched = format!("patched_{column}");
            format!(
                "{}\nUNION ALL\n{}",
                text.replace(writes, &whole),
                text.replace(writes, &patched)
            )
        }
        None => text.to_owned(),
    };
    text.replace(FROM, from)
}

/// Returns the SQL of the base views, in which requests by these accounts are attributed to the users that they
/// impersonate.
pub(crate) fn with_proxies(text: &str, proxies: &[String]) -> String {
    if !text.contains(PROXIES) {
        return text.to_owned();
    }
    let declared = proxies.iter().map(String::as_str);
    let names = IMPERSONATION_PROXIES.iter().copied().chain(declared);
    let list: Vec<String> = names.map(|name| format!("'{}'", name.replace('\'', "''"))).collect();
    let schema = podtrail_event::schema();
    let columns: Vec<String> = schema.fields().iter().map(|field| by_user(field.name())).collect();
    text.replace(PROXIES, &list.join(", ")).replace(COLUMNS_BY_USER, &columns.join(",\n  "))
}

/// Returns a column of the events; for a request through an impersonation proxy, the value of the impersonated user.
fn by_user(column: &str) -> String {
    let otherwise = match column {
        "username" => "impersonated_username",
        "user_uid" => "impersonated_uid",
        "user_groups" => "impersonated_groups",
        "user_extra" => "impersonated_extra",
        "identity_kind" => "identity_kind(impersonated_username)",
        "identity_evidence" => "'named by an impersonation proxy'",
        "impersonated_username"
        | "impersonated_uid"
        | "impersonated_groups"
        | "impersonated_extra" => "NULL",
        other => return other.to_owned(),
    };
    format!("CASE WHEN proxy_username IS NULL THEN {column} ELSE {otherwise} END AS {column}")
}

/// Returns what one row of a view is; empty for an unknown name.
pub(crate) fn description(name: &str) -> String {
    match name {
        "findings" => comment(FINDINGS),
        "findings_log" => {
            "One row per state of a finding; the last row is the current state.".to_owned()
        }
        "quarantine" => comment(QUARANTINE),
        _ => {
            let mut views = BASE_VIEWS.iter().chain(VIEWS).chain(INCIDENT_VIEWS);
            let view = views.find(|(view, _)| *view == name);
            view.map(|(_, text)| comment(text)).unwrap_or_default()
        }
    }
}

/// Returns the comment at the beginning of a query, as one line.
pub(crate) fn comment(sql: &str) -> String {
    let lines = sql.lines().map_while(|line| line.strip_prefix("--")).map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}
