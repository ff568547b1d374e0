//! Rows and columns: how events, findings and quarantined records become Arrow, and back.

pub(crate) mod batch;
pub mod column;
pub(crate) mod event;
pub(crate) mod export;
pub(crate) mod finding_state;
pub(crate) mod quarantine;
pub(crate) mod stage_status;
