//! Runs of a pack: a hunt over a session, and incremental detection over a lake.

pub(crate) mod event_ids;
pub(crate) mod evidence;
pub(crate) mod examined;
pub(crate) mod health;
pub(crate) mod hunt;
pub(crate) mod incremental;
pub(crate) mod uncertain_writes;
pub(crate) mod visibility;
