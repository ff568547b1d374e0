//! SQL over the lake: a DataFusion session whose views include a scope.
//!
//! A [`Scope`] (time, identity, client address, namespace, cluster) is part of the views themselves, so no query has to repeat it,
//! and it prunes partitions and files. The views are plain SQL, in `src/views/`.

mod advice;
mod cached_views;
mod encoded_rows;
mod engine;
mod error;
mod functions;
mod glob;
mod last_stages;
mod narrow_structs;
mod nearest;
mod parameters;
mod permission;
mod scope;
mod session;
mod time;
mod values;
mod views;
mod worker;

pub use engine::{LocalEngine, PlannedQuery, QueryEngine};
pub use error::QueryError;
pub use functions::functions;
pub use glob::glob_matches;
pub use parameters::{Parameters, Value};
pub use permission::{Permission, Permissions};
pub use scope::{SCOPE_VARIABLES, Scope, ScopeError, instant_sql};
pub use session::{
    ColumnDoc, FunctionDoc, LakeVersion, Limits, Optimized, Planned, Prepared, Query, ScanSize,
    Session, Shared, Statement, TableDoc, is_complete, parse,
};
pub use time::{Bound, TimeError, parse_bound};
pub use views::VIEW_NAMES;
pub use worker::{function_names, worker_runtime, worker_state};
