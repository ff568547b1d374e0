//! Analysis of objects: posture, changes between versions, grants, attribution and the state of guards.

pub(crate) mod attribution;
pub(crate) mod change;
pub(crate) mod changes;
pub(crate) mod expression;
pub(crate) mod field_changes;
pub(crate) mod grants;
pub(crate) mod guard;
pub(crate) mod history;
