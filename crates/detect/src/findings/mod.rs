//! Findings: what a detection reports, how the lake stores it, and how it changes over runs.

pub(crate) mod continuity;
pub(crate) mod delivery;
pub(crate) mod finding;
pub(crate) mod lifecycle;
pub(crate) mod stored;
