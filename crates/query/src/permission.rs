//! What statements may do.

/// What statements may do besides reading the lake; nothing by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Permissions {
    /// Write files (COPY), and create temporary tables and views of the session.
    pub write: bool,
    /// Read files outside the lake: `FROM 'file.csv'` and CREATE EXTERNAL TABLE.
    pub external: bool,
}

/// The permission that a statement would need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// [`Permissions::write`].
    Write,
    /// [`Permissions::external`].
    External,
    /// No permission allows it.
    None,
}
