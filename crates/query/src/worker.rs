//! What a process needs to run parts of the plans of sessions in other processes.

use std::path::Path;
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::prelude::SessionContext;
use podtrail_lake::EnvironmentStores;

use crate::functions::register;
use crate::session::{runtime, settings};

/// Returns a state that runs parts of plans: it has the functions and settings of sessions, but no tables.
///
/// # Errors
/// If a function cannot be registered, which is a bug.
pub fn worker_state(mut builder: SessionStateBuilder) -> Result<SessionState> {
    let config = builder.config().take().unwrap_or_default();
    let context = SessionContext::new_with_state(builder.with_config(settings(config)).build());
    register(&context)?;
    Ok(context.state())
}

/// Returns the runtime environment of all queries of a worker: their memory in bytes, the folder for what does not fit,
/// and the object stores of this process's environment.
///
/// # Errors
/// If the folder cannot be used.
pub fn worker_runtime(memory: usize, spill_dir: Option<&Path>) -> Result<Arc<RuntimeEnv>> {
    let mut runtime =
        runtime(memory).with_object_store_registry(Arc::new(EnvironmentStores::default()));
    if let Some(dir) = spill_dir {
        let mode = DiskManagerMode::Directories(vec![dir.to_owned()]);
        runtime = runtime.with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode));
    }
    runtime.build_arc()
}

/// Returns the names of all functions that plans of sessions may call, with their kinds, in order.
///
/// # Errors
/// If a function cannot be registered, which is a bug.
pub fn function_names() -> Result<Vec<String>> {
    let state = worker_state(SessionStateBuilder::new().with_default_features())?;
    let of_kind = |kind: &str, names: std::collections::HashSet<String>| {
        names.into_iter().map(|name| format!("{kind} {name}")).collect::<Vec<_>>()
    };
    let mut names = of_kind("scalar", state.udfs());
    names.extend(of_kind("aggregate", state.udafs()));
    names.extend(of_kind("window", state.udwfs()));
    names.sort();
    Ok(names)
}
