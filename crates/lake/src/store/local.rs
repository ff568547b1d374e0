//! A lake in a local directory.
//!
//! `object_store` writes the log: it stages an entry and gives it its name with a hard link, which fails if the name is
//! taken. Data files are written here, and everything is synced: a power cut must not empty what the log names.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use tempfile::NamedTempFile;
use url::Url;

use crate::store::{Guard, LOG, Listed, Lock, Locked, NewFile, Opened, Store};

/// A directory.
#[derive(Debug)]
pub(crate) struct Local {
    /// Absolute, without symbolic links if it exists.
    dir: PathBuf,
    url: Url,
    prefix: StorePath,
    objects: Arc<dyn ObjectStore>,
}

impl Local {
    /// Creates the store of an absolute path. Its log is written through `objects`, which a test may replace.
    pub(crate) fn new(dir: &Path, objects: Option<Arc<dyn ObjectStore>>) -> io::Result<Self> {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
        let invalid = |detail: String| io::Error::new(ErrorKind::InvalidInput, detail);
        let url = Url::from_directory_path(&dir)
            .map_err(|()| invalid("not an absolute path".to_owned()))?;
        let prefix = StorePath::from_absolute_path(&dir);
        let prefix = prefix.map_err(|error| invalid(error.to_string()))?;
        let objects = objects.unwrap_or_else(|| Arc::new(LocalFileSystem::new()));
        Ok(Self { dir, url, prefix, objects })
    }

    fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.dir.clone() } else { self.dir.join(path) }
    }

    fn has_log(&self, folder: &str) -> io::Result<bool> {
        let entries = match fs::read_dir(self.path(folder).join(LOG)) {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(false);
            }
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            // Entries and checkpoints, without files that are still being written, such as
            // `00000000000000000000.json#1`.
            if path.extension().is_some_and(|it| it == "json" || it == "parquet") {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Store for Local {
    fn url(&self) -> &Url {
        &self.url
    }

    fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    fn prefix(&self) -> &StorePath {
        &self.prefix
    }

    fn show(&self, path: &str) -> String {
        self.path(path).display().to_string()
    }

    fn have_logs(&self, folders: &[&str]) -> io::Result<Vec<bool>> {
        folders.iter().map(|folder| self.has_log(folder)).collect()
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        fs::create_dir_all(self.path(path))
    }

    /// A file system without hard links fails with an error of its own.
    fn check_writable(&self) -> io::Result<()> {
        Ok(())
    }

    fn read(&self, path: &str) -> io::Result<Option<Bytes>> {
        match fs::read(self.path(path)) {
            Ok(contents) => Ok(Some(contents.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn open(&self, path: &str) -> io::Result<Opened> {
        let file = File::open(self.path(path))?;
        let size = file.metadata()?.len();
        Ok(Opened::file(file, size))
    }

    fn write(&self, path: &str) -> io::Result<Box<dyn NewFile>> {
        let path = self.path(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file = File::create_new(&path)?;
        Ok(Box::new(Writing { file, path }))
    }

    fn create(&self, path: &str, contents: &[u8]) -> io::Result<()> {
        let path = self.path(path);
        match temporary(&path, contents)?.persist_noclobber(&path) {
            Ok(_) => sync_parent(&path),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error.error),
        }
    }

    fn replace(&self, path: &str, contents: &[u8]) -> io::Result<()> {
        let path = self.path(path);
        temporary(&path, contents)?.persist(&path).map_err(|error| error.error)?;
        sync_parent(&path)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.path(path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// `object_store` does not sync what it writes.
    fn sync(&self, path: &str) -> io::Result<()> {
        let path = self.path(path);
        File::open(&path)?.sync_all()?;
        sync_parent(&path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let mut files = Vec::new();
        for (path, name, is_directory) in entries(&self.path(folder))? {
            if !is_directory {
                files.extend(listed(&path, name)?);
            }
        }
        Ok(files)
    }

    fn list_data(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let mut files = Vec::new();
        list_below(&self.path(folder), "", &mut files)?;
        Ok(files)
    }

    fn outside(&self, folder: &str, path: &str) -> io::Result<Option<String>> {
        let folder = self.path(folder).canonicalize()?;
        let target = folder.join(path).canonicalize()?;
        Ok((!target.starts_with(&folder)).then(|| target.display().to_string()))
    }

    fn lock(&self, path: &str, how: Lock) -> io::Result<Locked> {
        let file =
            File::options().create(true).truncate(false).write(true).open(self.path(path))?;
        let held = |file| Locked::Held(Guard(Arc::new(file)));
        match how {
            Lock::Shared => match file.lock_shared() {
                Ok(()) => Ok(held(file)),
                Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Locked::Unknown),
                Err(error) => Err(error),
            },
            Lock::Exclusive => match file.try_lock() {
                Ok(()) => Ok(held(file)),
                Err(TryLockError::WouldBlock) => Ok(Locked::Busy),
                Err(TryLockError::Error(_)) => Ok(Locked::Unknown),
            },
        }
    }
}

/// A data file that is being written.
struct Writing {
    file: File,
    path: PathBuf,
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl NewFile for Writing {
    fn close(self: Box<Self>) -> io::Result<u64> {
        // The log is synced when it is written; it must not name a file that a power cut can still empty.
        self.file.sync_all()?;
        sync_parent(&self.path)?;
        Ok(self.file.metadata()?.len())
    }
}

fn temporary(path: &Path, contents: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the name of a new file durable.
fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if cfg!(unix) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn list_below(directory: &Path, prefix: &str, files: &mut Vec<Listed>) -> io::Result<()> {
    for (path, name, is_directory) in entries(directory)? {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let inside = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if is_directory {
            list_below(&path, &inside, files)?;
        } else {
            files.extend(listed(&path, inside)?);
        }
    }
    Ok(())
}

/// Returns path, name and whether it is a directory for each entry of a directory; links are not followed. Names that
/// are not Unicode are left out: podtrail writes none, and the log cannot name them.
fn entries(directory: &Path) -> io::Result<Vec<(PathBuf, String, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((entry.path(), name, kind.is_dir()));
        }
    }
    Ok(entries)
}

/// Returns the size and age of a file, or of a link; `None` if its writer has removed it.
fn listed(path: &Path, name: String) -> io::Result<Option<Listed>> {
    match path.symlink_metadata() {
        Ok(metadata) => {
            let (size, modified) = (metadata.len(), metadata.modified()?);
            Ok(Some(Listed { path: name, size, modified }))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
