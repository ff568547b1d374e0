//! Requests: their sender, content and outcome.

pub(crate) mod activity;
pub(crate) mod admission;
pub(crate) mod exec;
pub mod identity;
pub(crate) mod identity_kind;
pub(crate) mod near_rfc3339;
pub(crate) mod outcome;
pub(crate) mod platform_identities;
pub(crate) mod shell;
pub(crate) mod time_problem;
pub(crate) mod uri;
pub mod user_agent;
