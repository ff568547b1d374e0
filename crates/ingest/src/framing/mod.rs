//! Splits a decompressed stream into records, and groups records into blocks.

pub(crate) mod block;
pub(crate) mod buffer;
pub(crate) mod container_line;
pub(crate) mod frame;
pub(crate) mod long_list;
pub(crate) mod span;
