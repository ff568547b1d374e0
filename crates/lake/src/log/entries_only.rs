//! A view of a table's directory without some files of its log.
//!
//! A checkpoint, and the hint to the newest one, only spare reading the entries before it. The library fails on a hint
//! that names a missing checkpoint, and on a damaged checkpoint, although the entries contain the same information.
//! Without these files it reads the entries.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// The files that are hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// `_last_checkpoint`, which names the newest checkpoint.
    Hint,
    /// The hint and all checkpoints.
    Checkpoints,
}

impl LeftOut {
    fn hides(self, path: &Path) -> bool {
        let name = path.filename().unwrap_or_default();
        name == "_last_checkpoint" || self == Self::Checkpoints && name.contains(".checkpoint.")
    }
}

/// A store with a part of every log hidden.
#[derive(Debug)]
pub(crate) struct EntriesOnly {
    inner: Arc<dyn ObjectStore>,
    left_out: LeftOut,
}

impl EntriesOnly {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, left_out: LeftOut) -> Self {
        Self { inner, left_out }
    }
}

impl fmt::Display for EntriesOnly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} without checkpoints", self.inner)
    }
}

#[async_trait]
impl ObjectStore for EntriesOnly {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.left_out.hides(location) {
            let source = "left out of the log".into();
            return Err(Error::NotFound { path: location.to_string(), source });
        }
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let left_out = self.left_out;
        let is_there = move |file: &ObjectMeta| std::future::ready(!left_out.hides(&file.location));
        self.inner.list_with_offset(prefix, offset).try_filter(is_there).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let left_out = self.left_out;
        let is_there = move |file: &ObjectMeta| std::future::ready(!left_out.hides(&file.location));
        self.inner.list(prefix).try_filter(is_there).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut listed = self.inner.list_with_delimiter(prefix).await?;
        listed.objects.retain(|file| !self.left_out.hides(&file.location));
        Ok(listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
