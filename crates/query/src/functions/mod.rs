//! The SQL functions: paths, images and user names as Kubernetes interprets them.
//!
//! Each is a pure function registered with the engine, with its [`datafusion::logical_expr::Documentation`].

mod attribution;
mod bounded;
mod columns;
mod decode;
pub(crate) mod documentation;
mod grants;
mod guards;
mod history;
mod identity;
mod image;
pub(crate) mod json;
mod names;
mod network;
mod path;
mod pod_security;
mod request;
mod shell;
mod spec_write;
mod strings;
mod time;

use datafusion::error::Result;
use datafusion::functions::datetime::date_bin;
use datafusion::logical_expr::{ScalarUDF, WindowUDF};
use datafusion::prelude::SessionContext;

/// Returns the scalar functions, in the order of the documentation.
pub fn functions() -> Vec<ScalarUDF> {
    let of_strings = [
        path::path_within(),
        path::path_overlaps(),
        path::normalize_path(),
        image::image_part(),
        identity::user_agent_tool(),
        identity::user_agent_version(),
        identity::identity_kind(),
        identity::is_controller(),
        identity::makes(),
        network::is_private_ip(),
        network::cidr_contains(),
        network::network_of(),
        spec_write::writes_spec(),
        names::glob(),
        decode::decode_command(),
        shell::as_run(),
        shell::without_port_checks(),
        request::query_value(),
        request::required_value(),
        request::request_path(),
        request::proxied_path(),
        request::dry_run_fault(),
    ];
    let mut functions: Vec<_> = of_strings.into_iter().map(ScalarUDF::from).collect();
    functions.push(ScalarUDF::from(pod_security::PodSecurityLevel::new()));
    functions.push(ScalarUDF::from(time::DateDiff::new()));
    functions
}

/// Returns the function `cidr_contains`, for the predicates of a scope.
pub(crate) fn cidr_contains() -> ScalarUDF {
    network::cidr_contains().into()
}

/// The window functions that queries may use. The others belong to views.
pub(crate) const WINDOW_FUNCTIONS: &[&str] = &[time::SessionNumber::NAME];

pub(crate) fn register(context: &SessionContext) -> Result<()> {
    bounded::register(context);
    for function in functions() {
        context.register_udf(function);
    }
    context.register_udwf(WindowUDF::from(time::SessionNumber::new()));
    context.register_udwf(WindowUDF::from(attribution::Attribute::new()));
    context.register_udwf(WindowUDF::from(history::OfHistory::workload_changes()));
    context.register_udwf(WindowUDF::from(history::OfHistory::patched_workload()));
    context.register_udwf(WindowUDF::from(history::OfHistory::patched_rbac()));
    context.register_udwf(WindowUDF::from(grants::Grants::new()));
    context.register_udwf(WindowUDF::from(guards::GuardChanges::new()));
    // The name of this function in TimescaleDB and DuckDB.
    context.register_udf(date_bin().as_ref().clone().with_aliases(["time_bucket"]));
    datafusion_functions_json::register_all(&mut *context.state_ref().write())
}
