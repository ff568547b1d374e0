//! Output files that are complete or absent: written under a temporary name and renamed once they are on disk.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::NamedTempFile;

/// A file that gets its name when it is complete. Dropped before that, it leaves nothing behind.
pub(crate) struct OutputFile {
    path: PathBuf,
    temporary: BufWriter<NamedTempFile>,
}

impl OutputFile {
    /// Creates the temporary file in the directory of `path`, so that a directory that is not writable is reported before any
    /// work is done.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A temporary file is private to its owner by default; the umask still applies.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let temporary = builder.prefix(".podtrail-").tempfile_in(folder.unwrap_or(Path::new(".")));
        let temporary = temporary.with_context(|| cannot_write(path))?;
        Ok(Self { path: path.to_owned(), temporary: BufWriter::new(temporary) })
    }

    /// Returns the final path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path until [`finish`](Self::finish), so that an input folder that holds it can leave it out.
    pub(crate) fn temporary_path(&self) -> &Path {
        self.temporary.get_ref().path()
    }

    /// Flushes, syncs and renames the file.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let Self { path, temporary } = self;
        let file = temporary.into_inner().map_err(io::IntoInnerError::into_error);
        let file = file.with_context(|| cannot_write(&path))?;
        file.as_file().sync_all().with_context(|| cannot_write(&path))?;
        let named: Result<File, _> = file.persist(&path);
        named.map_err(|error| error.error).with_context(|| cannot_write(&path))?;
        Ok(())
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
