//! A cache of log entries, which never change once they exist.
//!
//! Every commit and every query of a process reads the newest entries of a log, several times: for the state of the
//! table, and for what the state does not have. An entry is requested once; one that this process has written is not
//! requested at all.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

use crate::store::LOG;

/// Maximum size of all entries in memory.
const MAX_BYTES: usize = 32 << 20;

/// Maximum size of one entry in memory.
const MAX_ENTRY: usize = 1 << 20;

/// A store with the cache.
#[derive(Debug)]
pub(crate) struct Cached {
    inner: Arc<dyn ObjectStore>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Path, Entry>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    meta: ObjectMeta,
    bytes: Bytes,
}

impl Kept {
    fn keep(&mut self, meta: ObjectMeta, bytes: Bytes) {
        if bytes.len() > MAX_ENTRY {
            return;
        }
        if self.bytes + bytes.len() > MAX_BYTES {
            // Readers go forward: what was read long ago is hardly read again.
            *self = Self::default();
        }
        self.bytes += bytes.len();
        let replaced = self.entries.insert(meta.location.clone(), Entry { meta, bytes });
        self.bytes -= replaced.map_or(0, |entry| entry.bytes.len());
    }

    fn forget(&mut self, path: &Path) {
        self.bytes -= self.entries.remove(path).map_or(0, |entry| entry.bytes.len());
    }
}

impl Cached {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, kept: Arc::default() }
    }

    fn kept<T>(&self, with: impl FnOnce(&mut Kept) -> T) -> T {
        with(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns whether a path is that of a log entry, of any table.
fn is_entry(path: &Path) -> bool {
    let mut parts = path.as_ref().rsplit('/');
    let name = parts.next().and_then(|name| name.strip_suffix(".json"));
    let is_number = |name: &str| name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit());
    name.is_some_and(is_number) && parts.next() == Some(LOG)
}

/// Returns whether a request is for an object as it is.
fn is_plain(options: &GetOptions) -> bool {
    options.range.is_none()
        && options.if_match.is_none()
        && options.if_none_match.is_none()
        && options.if_modified_since.is_none()
        && options.if_unmodified_since.is_none()
        && options.version.is_none()
}

fn answer(entry: Entry) -> GetResult {
    let range: Range<u64> = 0..entry.meta.size;
    let bytes = entry.bytes;
    let payload = GetResultPayload::Stream(stream::once(async move { Ok(bytes) }).boxed());
    GetResult { payload, meta: entry.meta, range, attributes: Attributes::default() }
}

impl fmt::Display for Cached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for Cached {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if !is_entry(location) || options.mode != PutMode::Create {
            self.kept(|kept| kept.forget(location));
            return self.inner.put_opts(location, payload, options).await;
        }
        let bytes: Bytes = payload.iter().flat_map(|part| part.iter().copied()).collect();
        let result = self.inner.put_opts(location, payload, options).await?;
        let meta = ObjectMeta {
            location: location.clone(),
            // Nothing reads the time of an entry that it did not list.
            last_modified: DateTime::<Utc>::default(),
            size: bytes.len() as u64,
            e_tag: result.e_tag.clone(),
            version: result.version.clone(),
        };
        self.kept(|kept| kept.keep(meta, bytes));
        Ok(result)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if !is_entry(location) || !is_plain(&options) {
            return self.inner.get_opts(location, options).await;
        }
        if let Some(entry) = self.kept(|kept| kept.entries.get(location).cloned()) {
            return Ok(answer(entry));
        }
        let is_head = options.head;
        let found = self.inner.get_opts(location, options).await?;
        if is_head {
            return Ok(found);
        }
        let meta = found.meta.clone();
        let bytes = found.bytes().await?;
        if bytes.len() as u64 != meta.size {
            let source = format!("truncated: {} of {} bytes", bytes.len(), meta.size).into();
            return Err(Error::Generic { store: "object store", source });
        }
        let entry = Entry { meta, bytes };
        self.kept(|kept| kept.keep(entry.meta.clone(), entry.bytes.clone()));
        Ok(answer(entry))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let kept = self.kept.clone();
        let forgotten = locations.inspect(move |location| {
            if let Ok(location) = location {
                kept.lock().unwrap_or_else(PoisonError::into_inner).forget(location);
            }
        });
        self.inner.delete_stream(forgotten.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).boxed().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_of_a_log_never_change() {
        for (path, expected) in [
            ("lake/events/_delta_log/00000000000000000012.json", true),
            ("events/_delta_log/00000000000000000012.json", true),
            ("events/_delta_log/_last_checkpoint", false),
            ("events/_delta_log/00000000000000000010.checkpoint.parquet", false),
            ("events/00000000000000000012.json", false),
            ("events/_delta_log/0000000000000000012a.json", false),
        ] {
            assert_eq!(is_entry(&Path::from(path)), expected, "{path}");
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let mut kept = Kept::default();
        for number in 0..100 {
            let meta = ObjectMeta {
                location: Path::from(format!("{number}")),
                last_modified: DateTime::<Utc>::default(),
                size: 0,
                e_tag: None,
                version: None,
            };
            kept.keep(meta.clone(), vec![0; MAX_ENTRY].into());
            kept.keep(meta.clone(), vec![0; MAX_ENTRY].into());
            kept.keep(meta, vec![0; MAX_ENTRY + 1].into());
            let held: usize = kept.entries.values().map(|entry| entry.bytes.len()).sum();
            assert!(held == kept.bytes && held <= MAX_BYTES && held > 0, "{held}");
        }
    }
}
