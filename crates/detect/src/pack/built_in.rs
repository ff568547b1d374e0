//! The folder `queries` of the repository, compiled into the binary.

use include_dir::{Dir, include_dir};

/// Its files.
pub(crate) static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../queries");

/// The folder in it with the saved queries.
pub(crate) const SAVED: &str = "hunts";
