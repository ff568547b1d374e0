//! Small files that an operator writes: tokens, certificates, lists of workers.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

use crate::error::ClusterError;

/// The maximum size of a file, in bytes.
const MOST: u64 = 1 << 20;

/// Returns the text of a file.
///
/// # Errors
/// If it cannot be read, is not UTF-8, or is longer than 1 MiB.
pub(crate) fn read(path: &Path) -> Result<String, ClusterError> {
    let read = || {
        let mut text = String::new();
        File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MOST {
            return Err(Error::new(ErrorKind::FileTooLarge, "longer than 1 MiB"));
        }
        Ok(text)
    };
    read().map_err(|source| ClusterError::File { path: path.into(), source })
}
