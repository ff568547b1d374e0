//! An object store that fails as real ones do: a request is applied and its answer lost, refused although it was
//! applied, refused without a reason, applied late, throttled, or cut off.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is applied, and the answer is lost.
    AnswerLost,
    /// It is applied, repeated by the client, and refused the second time.
    RefusedAfterSuccess,
    /// It is refused as if the object existed, and is not applied.
    RefusedForNoReason,
    /// It is not applied.
    Throttled,
    /// It fails, and is applied a little later.
    AppliedLate,
    /// It is applied, and answered as if credentials had expired.
    DeniedAfterSuccess,
    /// Half of the answer arrives.
    CutOff,
}

/// The faults of writes.
pub(crate) const OF_WRITES: [Fault; 5] = [
    Fault::AnswerLost,
    Fault::RefusedAfterSuccess,
    Fault::RefusedForNoReason,
    Fault::Throttled,
    Fault::AppliedLate,
];

/// A store with faults.
pub(crate) struct Faulty {
    inner: Arc<dyn ObjectStore>,
    /// What happens to the next creations of log entries.
    commits: Mutex<VecDeque<Fault>>,
    /// One in this many requests fails; 0 for none.
    one_in: AtomicU64,
    random: AtomicU64,
    /// Whether conditions of writes are ignored.
    is_unconditional: bool,
    /// Whether nothing of a log can be read after the next write to it.
    goes_blind: AtomicBool,
    is_blind: AtomicBool,
}

impl Faulty {
    pub(crate) fn new(inner: impl ObjectStore) -> Arc<Self> {
        Arc::new(Self::over(Arc::new(inner)))
    }

    fn over(inner: Arc<dyn ObjectStore>) -> Self {
        let (commits, one_in) = (Mutex::default(), AtomicU64::new(0));
        Self {
            inner,
            commits,
            one_in,
            random: AtomicU64::new(1),
            is_unconditional: false,
            goes_blind: AtomicBool::new(false),
            is_blind: AtomicBool::new(false),
        }
    }

    /// A store that overwrites objects whatever the condition.
    pub(crate) fn unconditional(inner: impl ObjectStore) -> Arc<Self> {
        Arc::new(Self { is_unconditional: true, ..Self::over(Arc::new(inner)) })
    }

    /// Refuses every request after the next creation of a log entry; or no longer.
    pub(crate) fn go_blind(&self, goes_blind: bool) {
        self.goes_blind.store(goes_blind, Ordering::Relaxed);
        self.is_blind.store(false, Ordering::Relaxed);
    }

    fn check_sight(&self, path: &Path) -> Result<()> {
        if self.is_blind.load(Ordering::Relaxed) {
            let source = "the token has expired".into();
            return Err(Error::PermissionDenied { path: path.to_string(), source });
        }
        Ok(())
    }

    /// Sets what happens to the next creations of log entries.
    pub(crate) fn next_commits(&self, faults: impl IntoIterator<Item = Fault>) {
        self.commits.lock().unwrap().extend(faults);
    }

    /// Lets one in `one_in` requests fail, in an order that follows from a seed.
    pub(crate) fn fail_one_in(&self, one_in: u64, seed: u64) {
        self.random.store(seed | 1, Ordering::Relaxed);
        self.one_in.store(one_in, Ordering::Relaxed);
    }

    fn random(&self) -> u64 {
        let step = |mut x: u64| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            Some(x)
        };
        self.random.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap()
    }

    fn chance(&self, faults: &[Fault]) -> Option<Fault> {
        let one_in = self.one_in.load(Ordering::Relaxed);
        if one_in == 0 || !self.random().is_multiple_of(one_in) {
            return None;
        }
        Some(faults[usize::try_from(self.random()).unwrap() % faults.len()])
    }
}

fn is_entry(path: &Path) -> bool {
    path.as_ref().contains("_delta_log/") && path.extension() == Some("json")
}

fn lost() -> Error {
    Error::Generic { store: "faulty", source: "the connection was closed".into() }
}

fn refused(path: &Path) -> Error {
    Error::AlreadyExists { path: path.to_string(), source: "412 or 409".into() }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Faulty")
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        if self.is_unconditional {
            options.mode = PutMode::Overwrite;
        }
        self.check_sight(location)?;
        let is_commit = is_entry(location) && options.mode == PutMode::Create;
        if is_commit && self.goes_blind.load(Ordering::Relaxed) {
            self.is_blind.store(true, Ordering::Relaxed);
        }
        let planned = if is_commit { self.commits.lock().unwrap().pop_front() } else { None };
        let is_new = options.mode == PutMode::Create;
        let fault =
            planned.or_else(|| self.chance(if is_new { &OF_WRITES } else { &OF_WRITES[..1] }));
        match fault {
            None | Some(Fault::CutOff) => self.inner.put_opts(location, payload, options).await,
            Some(Fault::AnswerLost) => {
                self.inner.put_opts(location, payload, options).await?;
                Err(lost())
            }
            Some(Fault::RefusedAfterSuccess) => {
                self.inner.put_opts(location, payload, options).await?;
                Err(refused(location))
            }
            Some(Fault::DeniedAfterSuccess) => {
                self.inner.put_opts(location, payload, options).await?;
                let source = "the token has expired".into();
                Err(Error::PermissionDenied { path: location.to_string(), source })
            }
            Some(Fault::RefusedForNoReason) => Err(refused(location)),
            Some(Fault::Throttled) => Err(lost()),
            Some(Fault::AppliedLate) => {
                let (inner, location) = (self.inner.clone(), location.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                    drop(inner.put_opts(&location, payload, options).await);
                });
                Err(lost())
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check_sight(location)?;
        match self.chance(&[Fault::Throttled, Fault::CutOff]) {
            Some(Fault::Throttled) => Err(lost()),
            Some(Fault::CutOff) if !options.head => {
                let found = self.inner.get_opts(location, options).await?;
                let (meta, range) = (found.meta.clone(), found.range.clone());
                let attributes = found.attributes.clone();
                let bytes = found.bytes().await?;
                let half = bytes.slice(..bytes.len() / 2);
                let parts = stream::iter([Ok(half), Err(lost())]);
                let payload = GetResultPayload::Stream(parts.boxed());
                Ok(GetResult { payload, meta, range, attributes })
            }
            _ => self.inner.get_opts(location, options).await,
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.chance(&[Fault::Throttled]) {
            Some(_) => stream::once(async { Err(lost()) }).boxed(),
            None => self.inner.list(prefix),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        match self.chance(&[Fault::Throttled]) {
            Some(_) => Err(lost()),
            None => self.inner.list_with_delimiter(prefix).await,
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// Returns the paths of all objects, in order.
pub(crate) async fn objects(store: &dyn ObjectStore) -> Vec<String> {
    let listed: Vec<_> =
        store.list(None).map(|object| object.unwrap().location.to_string()).collect().await;
    let mut listed = listed;
    listed.sort_unstable();
    listed
}

/// Writes an object.
pub(crate) async fn write(store: &dyn ObjectStore, path: &str, contents: &str) {
    store.put(&Path::parse(path).unwrap(), contents.to_owned().into()).await.unwrap();
}
