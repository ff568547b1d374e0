//! The inputs that a user names.

use std::ffi::OsStr;
use std::path::PathBuf;

#[cfg(feature = "lake")]
use podtrail_lake::LogObjects;

/// One input, as named on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, or a folder that is read recursively.
    Path(PathBuf),
    /// A pattern with `*`, `?`, `[…]` or `**`.
    Glob(String),
    /// Objects in an object store.
    #[cfg(feature = "lake")]
    Objects(LogObjects),
}

impl Input {
    /// Parses a command line argument: `-`, a path, a pattern, or the URL of objects. An existing file is a path,
    /// regardless of its name.
    pub fn parse(argument: impl AsRef<OsStr>) -> Self {
        let argument = argument.as_ref();
        if argument == "-" {
            return Self::Stdin;
        }
        #[cfg(feature = "lake")]
        if let Some(Ok(Some(objects))) = argument.to_str().map(LogObjects::parse) {
            return Self::Objects(objects);
        }
        let path = PathBuf::from(argument);
        match argument.to_str() {
            Some(text) if text.contains(['*', '?', '[']) && path.symlink_metadata().is_err() => {
                Self::Glob(text.to_owned())
            }
            _ => Self::Path(path),
        }
    }
}
