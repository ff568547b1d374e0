//! Checks of a pack: lint of its files, and the case files of its detections.

pub(crate) mod cases;
pub(crate) mod lint;
pub(crate) mod lint_exceptions;
mod lint_sql;
