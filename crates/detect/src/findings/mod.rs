//! Findings: what a detection reports, how it is stored in the lake, and what becomes of it over runs.

pub(crate) mod continuity;
pub(crate) mod delivery;
pub(crate) mod finding;
pub(crate) mod lifecycle;
pub(crate) mod stored;
pub(crate) mod visibility;
