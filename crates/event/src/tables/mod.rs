//! Rows and columns: how events, findings and quarantined records become Arrow, and back.

pub(crate) mod batch;
pub(crate) mod event;
pub(crate) mod export;
pub(crate) mod finding;
pub(crate) mod quarantine;
pub(crate) mod severity;
pub(crate) mod superseded;
