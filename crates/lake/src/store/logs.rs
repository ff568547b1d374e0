//! Logs in an object store: objects by name, below a path, or by pattern, read in ranges.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::path::Path as StorePath;
use object_store::{Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::time::sleep;

use crate::error::LakeError;
use crate::store::location::{LocationError, ObjectUrl};
use crate::store::patient::Patient;
use crate::store::remote;
use crate::store::waiting::{LONGEST_WAIT, plain, requests, wait};

/// The size of a range: large enough that the transfer takes longer than the request.
const RANGE: u64 = 4 << 20;

/// How often a range is requested that did not arrive whole. The client repeats what the server failed.
const ATTEMPTS: u32 = 5;

/// The characters that make a name a pattern.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// Log objects, as named on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogObjects {
    url: ObjectUrl,
    is_folder: bool,
}

/// An object with a log.
#[derive(Clone)]
pub struct LogObject {
    /// Its URL, with the key as it is.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The store's mark of its contents, which changes with them.
    pub e_tag: Option<String>,
    path: StorePath,
    objects: Arc<dyn ObjectStore>,
}

impl LogObjects {
    /// Parses the URL of an object, of a path that contains objects, or a pattern with `*`, `?`, `[…]` or `**`; `None`
    /// if the text is not a URL.
    ///
    /// # Errors
    /// As [`LakeLocation::parse`](crate::LakeLocation::parse).
    pub fn parse(text: &str) -> Result<Option<Self>, LocationError> {
        let Some(url) = ObjectUrl::parse(text)? else { return Ok(None) };
        let objects = Self { is_folder: text.ends_with('/') || url.key.is_empty(), url };
        if objects.is_pattern() {
            Pattern::new(&objects.url.key).map_err(|error| LocationError::Url {
                detail: format!("not a valid pattern: {error}"),
            })?;
        } else {
            objects.url.path()?;
        }
        Ok(Some(objects))
    }

    fn is_pattern(&self) -> bool {
        self.url.key.contains(WILDCARDS)
    }

    /// Returns the part of the path of a pattern up to the last folder without a wildcard: only what is below is
    /// listed.
    fn literal_folder(&self) -> &str {
        let key = &self.url.key;
        let end = key.find(WILDCARDS).unwrap_or(key.len());
        key[..end].rfind('/').map_or("", |end| &key[..end])
    }

    /// Returns the objects, in the order of their names.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached, or denies the request.
    pub fn find(&self) -> Result<Vec<LogObject>, LakeError> {
        let location = self.to_string();
        let refused = |detail: String| LakeError::Location { location: location.clone(), detail };
        let objects = remote::build(&self.url).map_err(refused)?;
        let objects: Arc<dyn ObjectStore> = Arc::new(Patient::new(objects));
        let found = self.find_in(&objects);
        let mut found: Vec<LogObject> = found
            .map_err(LakeError::io("list", &location))?
            .into_iter()
            .map(|object| LogObject {
                name: format!("{}/{}", self.url.root(), object.location),
                size: object.size,
                e_tag: object.e_tag,
                path: object.location,
                objects: objects.clone(),
            })
            .collect();
        found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn find_in(&self, objects: &Arc<dyn ObjectStore>) -> io::Result<Vec<ObjectMeta>> {
        let path = |text: &str| StorePath::parse(text).map_err(|error| plain(error.into()));
        if !self.is_pattern() && !self.is_folder {
            let (store, path) = (objects.clone(), path(&self.url.key)?);
            match wait(async move { store.head(&path).await }) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                found => return Ok(vec![found?]),
            }
        }
        let folder = if self.is_pattern() { self.literal_folder() } else { &self.url.key };
        let (store, folder) = (objects.clone(), path(folder)?);
        let listed: Vec<ObjectMeta> = wait(async move {
            let folder = Some(folder).filter(|folder| !folder.as_ref().is_empty());
            store.list(folder.as_ref()).try_collect().await
        })?;
        if !self.is_pattern() {
            return Ok(listed);
        }
        let invalid = |error| io::Error::new(ErrorKind::InvalidInput, error);
        let pattern = Pattern::new(&self.url.key).map_err(invalid)?;
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
        let matches = |object: &ObjectMeta| pattern.matches_with(object.location.as_ref(), options);
        Ok(listed.into_iter().filter(matches).collect())
    }
}

impl fmt::Display for LogObjects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.url.root(), self.url.key)
    }
}

impl LogObject {
    /// Returns a reader of its contents, which are requested while they are read.
    pub fn open(&self) -> LogReader {
        LogReader { object: self.clone(), requested: 0, next: None, ahead: Bytes::new() }
    }

    /// Requests a range, until it has arrived whole.
    async fn range(self, from: u64, to: u64) -> io::Result<Bytes> {
        let mut attempt = 1;
        loop {
            let options = GetOptions { if_match: self.e_tag.clone(), ..GetOptions::default() };
            let options = options.with_range(Some(from..to));
            let bytes = async {
                let found = self.objects.get_opts(&self.path, options).await?;
                found.bytes().await
            };
            let error = match bytes.await {
                Ok(bytes) if bytes.len() as u64 == to - from => return Ok(bytes),
                Ok(bytes) => {
                    let message = format!("truncated: {} of {} bytes", bytes.len(), to - from);
                    io::Error::new(ErrorKind::UnexpectedEof, message)
                }
                Err(Error::Precondition { .. }) => {
                    return Err(io::Error::other("the object was replaced while it was read"));
                }
                Err(error) => plain(error),
            };
            let is_final =
                matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied);
            if is_final || attempt == ATTEMPTS {
                return Err(error);
            }
            sleep(Duration::from_millis(100) * 3_u32.pow(attempt)).await;
            attempt += 1;
        }
    }
}

impl fmt::Debug for LogObject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("LogObject").field(&self.name).finish()
    }
}

/// A reader of a log object. The next range is requested while one is read.
pub struct LogReader {
    object: LogObject,
    /// The position up to which the object was requested.
    requested: u64,
    next: Option<Receiver<io::Result<Bytes>>>,
    ahead: Bytes,
}

impl LogReader {
    /// Requests the next range, if there is one.
    fn request(&mut self) -> io::Result<()> {
        let (from, to) = (self.requested, (self.requested + RANGE).min(self.object.size));
        if from == to {
            return Ok(());
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let range = self.object.clone().range(from, to);
        requests()?.spawn(async move {
            // The reader may have been dropped.
            let _ = sender.send(range.await);
        });
        self.requested = to;
        self.next = Some(receiver);
        Ok(())
    }
}

impl Read for LogReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            if self.next.is_none() {
                self.request()?;
            }
            let Some(next) = self.next.take() else { return Ok(0) };
            let arrived = next.recv_timeout(LONGEST_WAIT).map_err(|_| {
                io::Error::new(ErrorKind::TimedOut, "the store did not answer in time")
            })?;
            self.ahead = arrived?;
            self.request()?;
        }
        let count = buffer.len().min(self.ahead.len());
        self.ahead.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn found(text: &str) -> Vec<String> {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        for key in
            ["logs/a/1.gz", "logs/a/b/2.gz", "logs/a/b/3.txt", "logs/c.gz", "logs2/d.gz", "e"]
        {
            let (store, path) = (objects.clone(), StorePath::from(key));
            wait(async move { store.put(&path, "x".into()).await }).unwrap();
        }
        let found = LogObjects::parse(text).unwrap().unwrap().find_in(&objects).unwrap();
        let mut keys: Vec<_> =
            found.into_iter().map(|object| object.location.to_string()).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn objects_are_found_by_name_folder_or_pattern() {
        assert_eq!(found("s3://b/logs/c.gz"), ["logs/c.gz"]);
        assert_eq!(found("s3://b/e"), ["e"]);
        assert_eq!(found("s3://b/logs/a"), ["logs/a/1.gz", "logs/a/b/2.gz", "logs/a/b/3.txt"]);
        assert_eq!(found("s3://b/logs/a/"), found("s3://b/logs/a"));
        assert_eq!(found("s3://b").len(), 6);
        assert_eq!(found("s3://b/logs/**/*.gz"), ["logs/a/1.gz", "logs/a/b/2.gz", "logs/c.gz"]);
        assert_eq!(found("s3://b/logs/*.gz"), ["logs/c.gz"]);
        assert_eq!(found("s3://b/log*/?.gz"), ["logs/c.gz", "logs2/d.gz"]);
        assert_eq!(found("s3://b/nothing"), Vec::<String>::new());
    }

    #[test]
    fn only_what_is_below_the_literal_part_of_a_pattern_is_listed() {
        for (pattern, folder) in [
            ("s3://b/logs/2026/**/*.gz", "logs/2026"),
            ("s3://b/logs/20*/x/y.gz", "logs"),
            ("s3://b/*", ""),
        ] {
            assert_eq!(LogObjects::parse(pattern).unwrap().unwrap().literal_folder(), folder);
        }
        assert!(LogObjects::parse("s3://b/***").unwrap_err().to_string().contains("pattern"));
        assert_eq!(LogObjects::parse("logs/*.gz"), Ok(None));
    }

    #[test]
    fn an_object_is_read_whole_in_ranges() {
        let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        for size in [0, 1, RANGE - 1, RANGE, RANGE + 1, 3 * RANGE + 5] {
            let contents: Vec<u8> =
                (0..size).map(|byte| u8::try_from(byte / 1021 % 256).unwrap()).collect();
            let (store, path) = (objects.clone(), StorePath::from("log"));
            let written = contents.clone();
            wait(async move { store.put(&path, written.into()).await }).unwrap();
            let object = LogObject {
                name: String::new(),
                size,
                e_tag: None,
                path: StorePath::from("log"),
                objects: objects.clone(),
            };
            let mut read = Vec::new();
            object.open().read_to_end(&mut read).unwrap();
            assert!(read == contents, "{size}");
            let replaced = LogObject { e_tag: Some("other".to_owned()), ..object };
            let result = replaced.open().read_to_end(&mut read);
            assert!(size == 0 || result.unwrap_err().to_string().contains("was replaced"));
        }
    }
}
