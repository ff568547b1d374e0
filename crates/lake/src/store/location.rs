//! Where a lake is, as a user names it.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use object_store::ObjectStore;
use object_store::path::Path as StorePath;
use url::Url;

use crate::error::LakeError;
use crate::store::local::Local;
use crate::store::object::Objects;
use crate::store::patient::Patient;
use crate::store::requests::{Counted, Counters, Requests};
use crate::store::small::Cached;
use crate::store::{Folder, Store, remote};

/// The schemes of object stores, as errors list them.
const ACCEPTED: &str = "a local path, s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH, or \
                        abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PATH";

/// The reason why a text is not a location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// The scheme of the URL is not one of an object store.
    #[error("{scheme}:// is not supported; use {ACCEPTED}")]
    Scheme {
        /// The scheme, such as `https`.
        scheme: String,
    },
    /// The URL is incomplete or contains what no location has.
    #[error("{detail}; use {ACCEPTED}")]
    Url {
        /// What is wrong with it.
        detail: String,
    },
}

impl LocationError {
    fn url(detail: impl Into<String>) -> Self {
        Self::Url { detail: detail.into() }
    }
}

/// A path in an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectUrl {
    /// `s3`, `gs`, `az` or `abfss`.
    pub(crate) scheme: String,
    /// The bucket or container; for `abfss`, `container@account.host`.
    pub(crate) bucket: String,
    /// The path in it, literally as keys are written, without a slash at its ends.
    pub(crate) key: String,
}

impl ObjectUrl {
    /// Parses a URL; `None` if the text is not one. The path is not decoded: it is the text of a key.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, LocationError> {
        let Some(scheme) = scheme(text) else { return Ok(None) };
        let rest = &text[scheme.len() + "://".len()..];
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "s3" | "gs" | "az" | "abfss") {
            return Err(LocationError::Scheme { scheme });
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        // Never repeated in the message: it may be a secret.
        if bucket.contains(':') || bucket.contains('@') && scheme != "abfss" {
            return Err(LocationError::url(
                "a location must not contain credentials or a port: set the variables of the environment",
            ));
        }
        if bucket.is_empty() || bucket.starts_with('@') {
            return Err(LocationError::url(format!("{scheme}:// names no bucket")));
        }
        if scheme == "abfss" && !bucket.contains('@') {
            return Err(LocationError::url("abfss:// names no storage account"));
        }
        if bucket.contains(['?', '#', ' ', '\\', '%']) {
            return Err(LocationError::url(format!("'{bucket}' is not the name of a bucket")));
        }
        let (bucket, key) = (bucket.to_owned(), key.trim_matches('/').to_owned());
        Ok(Some(Self { scheme, bucket, key }))
    }

    /// Returns the path as one of the store.
    pub(crate) fn path(&self) -> Result<StorePath, LocationError> {
        StorePath::parse(&self.key).map_err(|error| LocationError::url(error.to_string()))
    }

    /// Returns the URL of the bucket or container itself.
    pub(crate) fn root(&self) -> String {
        format!("{}://{}", self.scheme, self.bucket)
    }

    /// Returns the URL with its path escaped, and a slash at its end.
    fn url(&self) -> Result<Url, LocationError> {
        let invalid =
            || LocationError::url(format!("'{}' is not the name of a bucket", self.bucket));
        let mut url = Url::parse(&format!("{}/", self.root())).map_err(|_| invalid())?;
        let keys = self.key.split('/').filter(|part| !part.is_empty());
        url.path_segments_mut().map_err(|()| invalid())?.pop_if_empty().extend(keys).push("");
        Ok(url)
    }
}

/// Returns the scheme of a URL (RFC 3986, section 3.1).
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some(scheme)
}

/// A directory, or a path in an object store, that contains or shall contain a lake.
#[derive(Clone)]
pub struct LakeLocation {
    /// As it was given.
    shown: String,
    root: Root,
    counters: Arc<Counters>,
    /// The store of a path in an object store, made when it is first needed.
    store: Arc<OnceLock<Arc<dyn Store>>>,
}

#[derive(Clone)]
enum Root {
    Directory(PathBuf),
    Bucket(ObjectUrl),
    /// A URL with the store to use for it.
    Given(Url, Arc<dyn ObjectStore>),
    /// A path that is a URL of something else.
    Refused(LocationError),
}

impl LakeLocation {
    /// Parses a location: a local path, or the URL of a path in an object store (`s3`, `gs`, `az`, `abfss`).
    ///
    /// Credentials, region and endpoint of a store come from the standard environment variables (`AWS_…`, `GOOGLE_…`,
    /// `AZURE_…`), a web identity or the metadata service of the machine, when the lake is opened.
    ///
    /// # Errors
    /// Returns an error for a URL with another scheme, without a bucket, or with credentials in it.
    pub fn parse(text: impl AsRef<OsStr>) -> Result<Self, LocationError> {
        let text = text.as_ref();
        let shown = text.to_string_lossy().into_owned();
        let root = match text.to_str().map(ObjectUrl::parse).transpose()?.flatten() {
            Some(url) => {
                url.path()?;
                Root::Bucket(url)
            }
            None => Root::Directory(PathBuf::from(text)),
        };
        Ok(Self::new(shown, root))
    }

    /// Returns the location of a URL whose files are in `objects`, whose root is that of the URL's host.
    pub fn with_store(url: Url, objects: Arc<dyn ObjectStore>) -> Self {
        Self::new(url.to_string(), Root::Given(url, objects))
    }

    fn new(shown: String, root: Root) -> Self {
        Self { shown, root, counters: Arc::default(), store: Arc::default() }
    }

    /// Returns the directory of a local lake.
    pub fn directory(&self) -> Option<&Path> {
        match &self.root {
            Root::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    /// Returns the number of requests to the object store that were made for this location and its copies.
    pub fn requests(&self) -> Requests {
        self.counters.read()
    }

    /// Opens the folder of the lake. No request is made, and nothing is created.
    pub(crate) fn open(&self) -> Result<Folder, LakeError> {
        let refused = |detail: String| LakeError::Location { location: self.shown.clone(), detail };
        let local = |dir: &Path, objects| {
            let opened = std::path::absolute(dir).and_then(|dir| Local::new(&dir, objects));
            let opened = opened.map_err(LakeError::io("open", &self.shown))?;
            Ok(Folder::of(Arc::new(opened)))
        };
        match &self.root {
            Root::Directory(dir) => local(dir, None),
            Root::Given(url, objects) if url.scheme() == "file" => {
                let dir =
                    url.to_file_path().map_err(|()| refused("not a local path".to_owned()))?;
                local(&dir, Some(objects.clone()))
            }
            Root::Given(url, objects) => {
                let path = StorePath::from_url_path(url.path());
                let path = path.map_err(|error| refused(error.to_string()))?;
                Ok(self.remembered(url.clone(), path, objects.clone()))
            }
            Root::Bucket(bucket) => {
                if let Some(store) = self.store.get() {
                    return Ok(Folder::of(store.clone()));
                }
                let refuse = |error: LocationError| refused(error.to_string());
                let (url, path) = (bucket.url().map_err(refuse)?, bucket.path().map_err(refuse)?);
                let objects = remote::build(bucket).map_err(refused)?;
                Ok(self.remembered(url, path, objects))
            }
            Root::Refused(error) => Err(refused(error.to_string())),
        }
    }

    fn remembered(&self, mut url: Url, path: StorePath, objects: Arc<dyn ObjectStore>) -> Folder {
        let store = self.store.get_or_init(|| {
            let counted = Arc::new(Counted::new(objects, self.counters.clone()));
            if let Ok(mut parts) = url.path_segments_mut() {
                parts.pop_if_empty().push("");
            }
            let patient = Arc::new(Patient::new(counted));
            Arc::new(Objects::new(url, path, Arc::new(Cached::new(patient))))
        });
        Folder::of(store.clone())
    }

    /// Creates the directory of a local lake.
    pub(crate) fn make(&self) -> io::Result<()> {
        match self.directory() {
            Some(directory) => std::fs::create_dir_all(directory),
            None => Ok(()),
        }
    }
}

impl fmt::Display for LakeLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for LakeLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("LakeLocation").field(&self.shown).finish()
    }
}

impl From<&Path> for LakeLocation {
    /// A path that is the URL of something else is refused when the lake is opened: it never becomes a directory.
    fn from(path: &Path) -> Self {
        Self::parse(path).unwrap_or_else(|error| {
            Self::new(path.to_string_lossy().into_owned(), Root::Refused(error))
        })
    }
}

impl From<&PathBuf> for LakeLocation {
    fn from(path: &PathBuf) -> Self {
        Self::from(path.as_path())
    }
}

impl From<PathBuf> for LakeLocation {
    fn from(path: PathBuf) -> Self {
        Self::from(path.as_path())
    }
}

impl From<&Self> for LakeLocation {
    fn from(location: &Self) -> Self {
        location.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_paths_or_urls_of_known_stores() {
        let url = |text: &str| ObjectUrl::parse(text).unwrap().unwrap().url().unwrap().to_string();
        assert_eq!(url("s3://bucket/lakes/a b%20/"), "s3://bucket/lakes/a%20b%2520/");
        assert_eq!(url("gs://bucket"), "gs://bucket/");
        assert_eq!(url("S3://My_Bucket/X"), "s3://My_Bucket/X/");
        assert_eq!(
            url("abfss://c@account.dfs.core.windows.net/lake"),
            "abfss://c@account.dfs.core.windows.net/lake/"
        );
        for path in ["lake", "./s3:/x", "/srv/lake", "a#1", "C:\\lake", "x y://z"] {
            assert_eq!(LakeLocation::parse(path).unwrap().directory(), Some(Path::new(path)));
        }
    }

    #[test]
    fn other_urls_are_refused_with_what_is_accepted() {
        for (text, detail) in [
            ("https://example.com/lake", "https:// is not supported; use a local path, s3://"),
            ("file:///lake", "file:// is not supported"),
            ("s3://", "s3:// names no bucket"),
            ("gs:///lake", "gs:// names no bucket"),
            ("s3://key:secret@bucket/lake", "must not contain credentials"),
            ("s3://bucket:9000/lake", "must not contain credentials or a port"),
            ("abfss://container/lake", "names no storage account"),
            ("s3://bucket/a//b", "a//b"),
            ("s3://bucket/../b", ".."),
        ] {
            let error = LakeLocation::parse(text).unwrap_err().to_string();
            assert!(error.contains(detail) && !error.contains("secret"), "{error}");
            let opened = LakeLocation::from(Path::new(text)).open().unwrap_err().to_string();
            assert!(opened.contains(detail), "{opened}");
        }
    }
}
