//! The views: plain SQL over `stages`, each once for the scope and once for the look-back before it.

/// Stands in the SQL of a view for the suffix of the views that it is made of.
pub(crate) const HISTORY: &str = "{history}";

/// The SQL of every view, in the order in which they build on each other.
pub(crate) const VIEWS: &[(&str, &str)] = &[
    ("events", include_str!("views/events.sql")),
    ("workloads", include_str!("views/workloads.sql")),
    ("containers", include_str!("views/containers.sql")),
    ("volumes", include_str!("views/volumes.sql")),
    ("bindings", include_str!("views/bindings.sql")),
    ("role_rules", include_str!("views/role_rules.sql")),
    ("execs", include_str!("views/execs.sql")),
];

/// The names of the views, `stages` first; with `_history` each shows the look-back before the scope.
pub const VIEW_NAMES: &[&str] =
    &["stages", "events", "workloads", "containers", "volumes", "bindings", "role_rules", "execs"];
