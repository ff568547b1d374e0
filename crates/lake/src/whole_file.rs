//! Small files of a lake beside its tables. Each is complete and durable before it gets its name.

use std::io::{ErrorKind, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::LakeError;
use crate::write::sync_directory;

/// Writes a file that only its owner may read, in place of one that is there.
pub(crate) fn replace(dir: &Path, name: &str, contents: &[u8]) -> Result<(), LakeError> {
    let path = dir.join(name);
    let file = temporary(dir, &path, contents)?;
    file.persist(&path).map_err(|error| LakeError::io("write", &path)(error.error))?;
    sync_directory(dir)
}

/// Writes the same file unless there is one of that name, which is left as it is.
pub(crate) fn create(dir: &Path, name: &str, contents: &[u8]) -> Result<(), LakeError> {
    let path = dir.join(name);
    match temporary(dir, &path, contents)?.persist_noclobber(&path) {
        Ok(_) => sync_directory(dir),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(LakeError::io("write", &path)(error.error)),
    }
}

fn temporary(dir: &Path, path: &Path, contents: &[u8]) -> Result<NamedTempFile, LakeError> {
    let failed = || LakeError::io("write", path);
    let mut file = NamedTempFile::new_in(dir).map_err(failed())?;
    file.write_all(contents).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    Ok(file)
}
