//! Where the files of a lake are: a local directory or an object store, behind one interface.
//!
//! Everything else in this crate names files by their path inside the lake. What differs between stores is here: how
//! a file becomes durable (`local`: sync; `object`: the answer to its upload), how a name is taken by one writer only
//! (`local`: a hard link; `object`: a conditional request), and who else may be writing.

mod local;
pub(crate) mod location;
pub(crate) mod logs;
pub(crate) mod object;
mod patient;
mod reader;
pub(crate) mod registry;
#[cfg_attr(not(feature = "cloud"), path = "no_remote.rs")]
mod remote;
pub(crate) mod requests;
mod small;
mod upload;
pub(crate) mod waiting;

use std::fmt::{self, Debug};
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

use crate::error::LakeError;
pub(crate) use crate::store::reader::Opened;
use crate::store::reader::bad_path;
use crate::store::upload::Upload;
use crate::store::waiting::wait;

/// The directory of the log, inside a table.
pub(crate) const LOG: &str = "_delta_log";

/// Returns the path of a log entry inside its table.
pub(crate) fn entry_path(version: u64) -> String {
    format!("{LOG}/{version:020}.json")
}

/// A file of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its path inside the folder that was listed, with `/`.
    pub(crate) path: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was last written.
    pub(crate) modified: SystemTime,
}

/// A store of files. Paths are relative to the lake, with `/`.
pub(crate) trait Store: Debug + Send + Sync {
    /// Returns the URL of the lake, which ends with a slash.
    fn url(&self) -> &Url;

    /// Returns the store for asynchronous requests. Its paths are relative to the root of the store, see
    /// [`prefix`](Self::prefix).
    fn objects(&self) -> &Arc<dyn ObjectStore>;

    /// Returns the path of the lake from the root of the store.
    fn prefix(&self) -> &StorePath;

    /// Returns a path as messages show it.
    fn show(&self, path: &str) -> String;

    /// Returns which of the folders contain a log, in their order.
    fn have_logs(&self, folders: &[&str]) -> io::Result<Vec<bool>>;

    /// Creates a folder if folders are not just parts of names here.
    fn make_folder(&self, path: &str) -> io::Result<()>;

    /// Proves, before the first write of a process, that only one writer can take a name.
    fn check_writable(&self) -> io::Result<()>;

    /// Reads a file; `None` if it does not exist.
    fn read(&self, path: &str) -> io::Result<Option<Bytes>>;

    /// Opens a file for reading at any position.
    fn open(&self, path: &str) -> io::Result<Opened>;

    /// Begins to write a file with a unique name.
    fn write(&self, path: &str) -> io::Result<Box<dyn NewFile>>;

    /// Writes a small file that only its owner may read, unless there is one. Complete and durable before it gets its
    /// name.
    fn create(&self, path: &str, contents: &[u8]) -> io::Result<()>;

    /// Writes such a file in place of one that may be there.
    fn replace(&self, path: &str, contents: &[u8]) -> io::Result<()>;

    /// Removes a file, which may be gone already.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes a file durable that was written through [`objects`](Self::objects).
    fn sync(&self, path: &str) -> io::Result<()>;

    /// Lists the files in a folder itself.
    fn list(&self, folder: &str) -> io::Result<Vec<Listed>>;

    /// Lists the files below a folder. As in every Delta Lake engine, names that begin with `_` or `.` are not data.
    fn list_data(&self, folder: &str) -> io::Result<Vec<Listed>>;

    /// Returns the place of a file outside of `folder` that a path inside it leads to, through a link.
    ///
    /// # Errors
    /// Returns an error if the file does not exist.
    fn outside(&self, folder: &str, path: &str) -> io::Result<Option<String>>;

    /// Locks a file that names a purpose, shared or exclusively.
    fn lock(&self, path: &str, how: Lock) -> io::Result<Locked>;
}

/// A file that is being written. Nobody sees it before it is closed, or no log names it before.
pub(crate) trait NewFile: Write + Send {
    /// Makes the file and its name durable. Returns its size in bytes.
    fn close(self: Box<Self>) -> io::Result<u64>;
}

/// How a lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Shared with others who share it; waits for a holder who does not.
    Shared,
    /// For one holder; does not wait.
    Exclusive,
}

/// The result of taking a lock.
#[derive(Debug)]
pub(crate) enum Locked {
    /// Held until it is dropped, or the process ends.
    Held(Guard),
    /// Another process holds it.
    Busy,
    /// This store has no locks.
    Unknown,
}

/// A lock, held while this value exists.
#[derive(Debug, Clone)]
pub(crate) struct Guard(
    #[expect(dead_code, reason = "the file is locked while it is open")] Arc<File>,
);

/// A folder of a lake.
#[derive(Clone)]
pub(crate) struct Folder {
    store: Arc<dyn Store>,
    /// Inside the lake; empty for the lake itself.
    path: String,
}

impl Folder {
    /// Returns the folder of the lake itself.
    pub(crate) fn of(store: Arc<dyn Store>) -> Self {
        Self { store, path: String::new() }
    }

    /// Returns a folder inside this one.
    pub(crate) fn folder(&self, name: &str) -> Self {
        Self { store: self.store.clone(), path: self.inside(name) }
    }

    fn inside(&self, path: &str) -> String {
        match (self.path.is_empty(), path.is_empty()) {
            (true, _) => path.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}/{path}", self.path),
        }
    }

    /// As [`Store::check_writable`].
    pub(crate) fn check_writable(&self) -> Result<(), LakeError> {
        self.store.check_writable().map_err(LakeError::io("write to", self.store.show("")))
    }

    /// Returns the store, for what concerns more than one folder.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Returns its URL, which ends with a slash.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.store.url().clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            // Escapes what needs it.
            parts
                .pop_if_empty()
                .extend(self.path.split('/').filter(|part| !part.is_empty()))
                .push("");
        }
        url
    }

    /// Returns a file of the folder as messages show it.
    pub(crate) fn show(&self, path: &str) -> String {
        self.store.show(&self.inside(path))
    }

    /// Returns the path of a file of the folder from the root of the store.
    pub(crate) fn object(&self, path: &str) -> Result<StorePath, object_store::path::Error> {
        let prefix = self.store.prefix();
        let inside = self.inside(path);
        match (prefix.as_ref().is_empty(), inside.is_empty()) {
            (true, _) => StorePath::parse(inside),
            (false, true) => Ok(prefix.clone()),
            (false, false) => StorePath::parse(format!("{prefix}/{inside}")),
        }
    }

    /// As [`Store::make_folder`].
    pub(crate) fn make(&self) -> io::Result<()> {
        self.store.make_folder(&self.path)
    }

    /// As [`Store::read`].
    pub(crate) fn read(&self, path: &str) -> io::Result<Option<Bytes>> {
        self.store.read(&self.inside(path))
    }

    /// As [`Store::open`].
    pub(crate) fn open(&self, path: &str) -> io::Result<Opened> {
        self.store.open(&self.inside(path))
    }

    /// As [`Store::write`].
    pub(crate) fn write(&self, path: &str) -> io::Result<Box<dyn NewFile>> {
        self.store.write(&self.inside(path))
    }

    /// Begins to write a file that nobody sees before it is closed, in place of one that may be there.
    pub(crate) fn upload(&self, path: &str) -> io::Result<Upload> {
        Ok(Upload::new(self.store.objects().clone(), self.object(path).map_err(bad_path)?))
    }

    /// Writes a small file in place of one that may be there.
    pub(crate) fn put(&self, path: &str, contents: Vec<u8>) -> io::Result<()> {
        let (objects, path) = (self.store.objects().clone(), self.object(path).map_err(bad_path)?);
        wait(async move { objects.put(&path, contents.into()).await }).map(drop)
    }

    /// As [`Store::create`].
    pub(crate) fn create(&self, path: &str, contents: &[u8]) -> io::Result<()> {
        self.store.create(&self.inside(path), contents)
    }

    /// As [`Store::replace`].
    pub(crate) fn replace(&self, path: &str, contents: &[u8]) -> io::Result<()> {
        self.store.replace(&self.inside(path), contents)
    }

    /// As [`Store::remove`].
    pub(crate) fn remove(&self, path: &str) -> io::Result<()> {
        self.store.remove(&self.inside(path))
    }

    /// As [`Store::sync`].
    pub(crate) fn sync(&self, path: &str) -> io::Result<()> {
        self.store.sync(&self.inside(path))
    }

    /// As [`Store::list`].
    pub(crate) fn list(&self) -> io::Result<Vec<Listed>> {
        self.store.list(&self.path)
    }

    /// As [`Store::list_data`].
    pub(crate) fn list_data(&self) -> io::Result<Vec<Listed>> {
        self.store.list_data(&self.path)
    }

    /// As [`Store::outside`].
    pub(crate) fn outside(&self, path: &str) -> io::Result<Option<String>> {
        self.store.outside(&self.path, path)
    }

    /// As [`Store::lock`].
    pub(crate) fn lock(&self, path: &str, how: Lock) -> io::Result<Locked> {
        self.store.lock(&self.inside(path), how)
    }
}

impl Debug for Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Folder").field(&self.show("")).finish()
    }
}
