//! Sources: expands the inputs that a user names into decompressed streams.

pub(crate) mod archive;
pub(crate) mod decompress;
pub(crate) mod expansion;
pub(crate) mod input;
pub(crate) mod lz4;
pub(crate) mod must_gather;
pub(crate) mod open;
pub(crate) mod shard;
pub(crate) mod sniff;
pub(crate) mod utf16;
pub(crate) mod walk;
