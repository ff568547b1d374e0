//! JSON of events: members in one pass, bodies as borrowed values, and the canonical form for event ids.

pub(crate) mod canonical;
pub(crate) mod members;
pub(crate) mod tape;
pub(crate) mod value;
