//! Incidents: findings that belong together, because one intruder made them.
//!
//! [`join`] decides which findings belong together and why; [`incident`] turns the findings of an incident into a
//! story: title, steps, entities, limits, and what to do. A recorded finding contains the id of its incident and the
//! reason, so a story needs nothing but findings. docs/incidents.md describes what joins and what does not.

pub(crate) mod act;
pub(crate) mod incident;
pub(crate) mod join;
pub(crate) mod recorded;
pub(crate) mod response;
pub(crate) mod traces;
