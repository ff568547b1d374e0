//! Queries over several processes: workers that run parts of plans, and an engine that sends these parts to them.
//!
//! A worker has no state of its own: it reads the files that a plan names, with the credentials of its environment, and
//! streams rows to other workers and to the process that asked. [`Cluster`] plans a query for the workers that answer,
//! and checks the plan against the known defects of the planner; a plan that fails the check runs in this process.

mod access;
mod channels;
mod engine;
mod error;
mod explain;
mod file;
mod guards;
mod version;
mod worker;
mod workers;

pub use access::Access;
pub use engine::{Cluster, ClusterOptions, Message, Tally};
pub use error::ClusterError;
pub use version::build_version;
pub use worker::{Worker, WorkerOptions};
pub use workers::Workers;
