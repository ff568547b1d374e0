//! Repeats reads that fail for a while.
//!
//! The client of a store repeats requests that the server failed, but not those whose answer ended early or could not be
//! understood. Reading again is always safe, and cheaper than the run that would fail.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::time::sleep;

/// How often a read is tried, each time after a longer pause.
const ATTEMPTS: u32 = 5;

/// The pause before the second attempt.
const PAUSE: Duration = Duration::from_millis(50);

/// The largest answer that is kept until it is complete. The client itself continues larger ones where they ended.
pub(crate) const COLLECTED: u64 = 4 << 20;

/// A store whose reads are repeated.
#[derive(Debug)]
pub(crate) struct Patient(Arc<dyn ObjectStore>);

impl Patient {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self(inner)
    }
}

/// The attempts at one read.
struct Attempts(u32);

impl Attempts {
    /// Returns the error if it is final; else waits.
    async fn after(&mut self, error: Error) -> Result<()> {
        self.0 += 1;
        if self.0 >= ATTEMPTS || !matches!(error, Error::Generic { .. }) {
            return Err(error);
        }
        tracing::debug!(%error, "reading again");
        sleep(PAUSE * 3_u32.pow(self.0 - 1)).await;
        Ok(())
    }
}

async fn get(store: &dyn ObjectStore, path: &Path, options: GetOptions) -> Result<GetResult> {
    let is_head = options.head;
    let found = store.get_opts(path, options).await?;
    let length = found.range.end - found.range.start;
    if is_head || length > COLLECTED || matches!(found.payload, GetResultPayload::File(..)) {
        return Ok(found);
    }
    let (meta, range, attributes) =
        (found.meta.clone(), found.range.clone(), found.attributes.clone());
    let bytes = found.bytes().await?;
    if bytes.len() as u64 != length {
        let source = format!("truncated: {} of {length} bytes", bytes.len()).into();
        return Err(Error::Generic { store: "object store", source });
    }
    let payload = GetResultPayload::Stream(stream::once(async move { Ok(bytes) }).boxed());
    Ok(GetResult { payload, meta, range, attributes })
}

/// Continues a listing after the last object that it has returned.
fn list(
    store: Arc<dyn ObjectStore>,
    prefix: Option<Path>,
    offset: Option<Path>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let open =
        |store: &Arc<dyn ObjectStore>, prefix: &Option<Path>, offset: &Option<Path>| match offset {
            Some(offset) => store.list_with_offset(prefix.as_ref(), offset),
            None => store.list(prefix.as_ref()),
        };
    let listing = open(&store, &prefix, &offset);
    let state = (listing, offset, Attempts(0));
    stream::try_unfold(state, move |(mut listing, mut offset, mut attempts)| {
        let (store, prefix) = (store.clone(), prefix.clone());
        async move {
            loop {
                match listing.try_next().await {
                    Ok(None) => return Ok(None),
                    Ok(Some(object)) => {
                        offset = Some(object.location.clone());
                        return Ok(Some((object, (listing, offset, Attempts(0)))));
                    }
                    Err(error) => {
                        attempts.after(error).await?;
                        listing = open(&store, &prefix, &offset);
                    }
                }
            }
        }
    })
    .boxed()
}

impl fmt::Display for Patient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[async_trait]
impl ObjectStore for Patient {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut attempts = Attempts(0);
        loop {
            match get(&*self.0, location, options.clone()).await {
                Ok(found) => return Ok(found),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        list(self.0.clone(), prefix.cloned(), None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        list(self.0.clone(), prefix.cloned(), Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut attempts = Attempts(0);
        loop {
            match self.0.list_with_delimiter(prefix).await {
                Ok(listed) => return Ok(listed),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}
