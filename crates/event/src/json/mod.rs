//! JSON of events.
//!
//! An event is read by `simd-json` in one pass ([`members`]), its bodies on demand as borrowed values ([`value`]);
//! `serde_json::Value` is used where objects are changed: for patches and for versions of a guard. Two readers work on
//! the text itself, because no parser keeps it: [`canonical`], since an id must not depend on how a parser represents
//! numbers, and [`tokens`], since redaction must leave every other byte as it is.

pub(crate) mod canonical;
pub(crate) mod members;
pub(crate) mod pointer;
pub(crate) mod tape;
pub(crate) mod tokens;
pub(crate) mod value;
