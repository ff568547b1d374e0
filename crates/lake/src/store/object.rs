//! A lake in an object store.
//!
//! An object appears complete or not at all, and is durable once the store confirms its upload. A conditional request
//! reserves a name, and the store must support such requests ([`Objects::check_writable`]). Object stores have no locks.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path as StorePath;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use tokio::time::{Instant, sleep};
use url::Url;
use uuid::Uuid;

use crate::store::reader::{bad_path, read_whole, whole};
use crate::store::upload::Upload;
use crate::store::waiting::wait;
use crate::store::{Listed, Lock, Locked, NewFile, Opened, Store};

/// The object that proves that a store honours conditions.
const PROBE: &str = "_podtrail_probe";

/// How long the outcome of a conditional request is looked for, after the client has given up on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// The shortest and longest time between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A place in an object store.
#[derive(Debug)]
pub(crate) struct Objects {
    url: Url,
    prefix: StorePath,
    objects: Arc<dyn ObjectStore>,
    /// Whether the store was found to honour conditions.
    is_checked: AtomicBool,
}

impl Objects {
    /// Creates the store of the lake at `prefix`.
    pub(crate) fn new(url: Url, prefix: StorePath, objects: Arc<dyn ObjectStore>) -> Self {
        Self { url, prefix, objects, is_checked: AtomicBool::new(false) }
    }

    fn path(&self, path: &str) -> io::Result<StorePath> {
        let path = match (self.prefix.as_ref().is_empty(), path.is_empty()) {
            (true, _) => StorePath::parse(path),
            (false, true) => return Ok(self.prefix.clone()),
            (false, false) => StorePath::parse(format!("{}/{path}", self.prefix)),
        };
        path.map_err(bad_path)
    }
}

/// Returns an object by its path inside a folder.
fn listed(folder: &StorePath, object: &ObjectMeta) -> Option<Listed> {
    let inside = object.location.as_ref().strip_prefix(folder.as_ref())?;
    let path = inside.trim_start_matches('/').to_owned();
    let modified = SystemTime::from(object.last_modified);
    Some(Listed { path, size: object.size, modified })
}

impl Store for Objects {
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
        if path.is_empty() {
            self.url.as_str().trim_end_matches('/').to_owned()
        } else {
            format!("{}{path}", self.url)
        }
    }

    /// One listing shows which tables there are: the log is the first that is written of a table.
    fn have_logs(&self, folders: &[&str]) -> io::Result<Vec<bool>> {
        let (objects, prefix) = (self.objects.clone(), self.prefix.clone());
        let listed = wait(async move {
            let prefix = Some(prefix).filter(|prefix| !prefix.as_ref().is_empty());
            objects.list_with_delimiter(prefix.as_ref()).await
        })?;
        let names: HashSet<&str> =
            listed.common_prefixes.iter().filter_map(StorePath::filename).collect();
        Ok(folders.iter().map(|folder| names.contains(folder)).collect())
    }

    fn make_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    /// Creates an object twice: the second attempt must fail. A server that ignores the condition would let two
    /// writers commit the same version, and one of them would lose its rows.
    fn check_writable(&self) -> io::Result<()> {
        if self.is_checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        let (objects, path) = (self.objects.clone(), self.path(PROBE)?);
        let is_refused = wait(async move {
            // The object stays: it spares later runs the second request.
            for _ in 0..2 {
                let contents = Uuid::now_v7().to_string().into_bytes();
                match objects.put_opts(&path, contents.into(), create_only()).await {
                    Ok(_) => {}
                    Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                        return Ok(true);
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(false)
        })?;
        if !is_refused {
            return Err(io::Error::new(
                ErrorKind::Unsupported,
                "this store ignores the condition of a write (If-None-Match: *), so that two writers could \
                 overwrite each other's commits; use a store with conditional writes",
            ));
        }
        self.is_checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn read(&self, path: &str) -> io::Result<Option<Bytes>> {
        read_whole(&self.objects, self.path(path)?)
    }

    fn open(&self, path: &str) -> io::Result<Opened> {
        Opened::object(&self.objects, &self.path(path)?)
    }

    fn write(&self, path: &str) -> io::Result<Box<dyn NewFile>> {
        Ok(Box::new(Upload::new(self.objects.clone(), self.path(path)?)))
    }

    fn create(&self, path: &str, contents: &[u8]) -> io::Result<()> {
        let (objects, path) = (self.objects.clone(), self.path(path)?);
        let contents = Bytes::copy_from_slice(contents);
        wait(async move {
            match create_decided(&*objects, &path, contents).await {
                Created::Written | Created::Taken => Ok(()),
                Created::Unknown(error) => Err(error),
            }
        })
    }

    fn replace(&self, path: &str, contents: &[u8]) -> io::Result<()> {
        let (objects, path) = (self.objects.clone(), self.path(path)?);
        let contents = Bytes::copy_from_slice(contents);
        wait(async move { objects.put(&path, contents.into()).await }).map(drop)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let (objects, path) = (self.objects.clone(), self.path(path)?);
        match wait(async move { objects.delete(&path).await }) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let (objects, path) = (self.objects.clone(), self.path(folder)?);
        let asked = path.clone();
        let found = wait(async move { objects.list_with_delimiter(Some(&asked)).await })?;
        Ok(found.objects.iter().filter_map(|object| listed(&path, object)).collect())
    }

    fn list_data(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let (objects, path) = (self.objects.clone(), self.path(folder)?);
        let asked = path.clone();
        let found: Vec<ObjectMeta> =
            wait(async move { objects.list(Some(&asked)).try_collect().await })?;
        let files = found.iter().filter_map(|object| listed(&path, object));
        let is_data =
            |file: &Listed| !file.path.split('/').any(|name| name.starts_with(['_', '.']));
        Ok(files.filter(is_data).collect())
    }

    /// Object stores have no links. A missing object is detected when it is read.
    fn outside(&self, _: &str, _: &str) -> io::Result<Option<String>> {
        Ok(None)
    }

    fn lock(&self, _: &str, _: Lock) -> io::Result<Locked> {
        Ok(Locked::Unknown)
    }
}

/// Returns the options of a request that must fail if the object exists.
fn create_only() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..PutOptions::default() }
}

/// The outcome of creating an object.
#[derive(Debug)]
pub(crate) enum Created {
    /// The object exists, with these contents.
    Written,
    /// The object exists with other contents: these were not and will never be written.
    Taken,
    /// It is unknown which of both.
    Unknown(Error),
}

/// Creates an object with contents that no other writer has, and finds out whether that succeeded.
///
/// An error does not mean that nothing was written: the answer may have been lost, or the client may have repeated a
/// request that had succeeded and so was refused the second time. The object decides. If there is none yet, a request
/// may still be under way: the same contents are written again, until some contents have the name.
pub(crate) async fn create_decided(
    objects: &dyn ObjectStore,
    path: &StorePath,
    contents: Bytes,
) -> Created {
    let started = Instant::now();
    let mut pause = PAUSES.0;
    loop {
        let put = objects.put_opts(path, contents.clone().into(), create_only()).await;
        let Err(error) = put else { return Created::Written };
        let is_final = matches!(
            error,
            Error::NotSupported { .. }
                | Error::NotImplemented { .. }
                | Error::PermissionDenied { .. }
                | Error::Unauthenticated { .. }
        );
        match whole(objects, path).await {
            Ok(Some(there)) if there == contents => return Created::Written,
            Ok(Some(_)) => return Created::Taken,
            Ok(None) | Err(_) if is_final || started.elapsed() > PATIENCE => {
                return Created::Unknown(error);
            }
            Ok(None) | Err(_) => {}
        }
        tracing::debug!(%path, %error, "the outcome of a write is unknown: trying again");
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}
