//! Writes entries of a transaction log with a known outcome.
//!
//! The Delta library treats every "already exists" as the commit of another writer. It may be our own: a client repeats
//! a request after a lost response, and the store rejects it, because the first one succeeded. An entry that could not
//! be written is therefore read back. It is ours if its contents are equal, because they contain a unique id.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use deltalake::DeltaResult;
use deltalake::kernel::Version;
use deltalake::kernel::transaction::TransactionError;
use deltalake::logstore::{
    CommitOrBytes, LogStore, LogStoreConfig, LogStoreRef, StorageConfig, default_logstore,
};
use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use uuid::Uuid;

use crate::store::object::{Created, create_decided};
use crate::store::{Folder, entry_path};

/// It is unknown whether an entry was written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Undecided(object_store::Error);

/// The log of a table.
pub(crate) struct DecidedLog {
    inner: LogStoreRef,
}

impl DecidedLog {
    /// Opens the log of the table in a folder, through `objects`, whose root is that of the folder's store.
    pub(crate) fn open(
        folder: &Folder,
        objects: Arc<dyn ObjectStore>,
    ) -> Result<LogStoreRef, object_store::path::Error> {
        let table: Arc<dyn ObjectStore> =
            Arc::new(PrefixStore::new(objects.clone(), folder.object("")?));
        let inner = default_logstore(table, objects, &folder.url(), &StorageConfig::default());
        Ok(Arc::new(Self { inner }))
    }
}

impl fmt::Debug for DecidedLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("DecidedLog").field(self.inner.root_url()).finish()
    }
}

#[async_trait]
impl LogStore for DecidedLog {
    /// The library decides by the name whether a log is written with conditional requests.
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn refresh(&self) -> DeltaResult<()> {
        self.inner.refresh().await
    }

    async fn read_commit_entry(&self, version: Version) -> DeltaResult<Option<Bytes>> {
        self.inner.read_commit_entry(version).await
    }

    async fn write_commit_entry(
        &self,
        version: Version,
        entry: CommitOrBytes,
        operation: Uuid,
    ) -> Result<(), TransactionError> {
        let CommitOrBytes::LogBytes(contents) = entry else {
            return Err(TransactionError::LogStoreError {
                msg: "an entry cannot be staged here".to_owned(),
                source: "log entries are written with conditional requests".into(),
            });
        };
        let table = self.inner.object_store(Some(operation));
        match create_decided(&*table, &Path::from(entry_path(version)), contents).await {
            Created::Written => Ok(()),
            Created::Taken => Err(TransactionError::VersionAlreadyExists(version)),
            Created::Unknown(error) => Err(TransactionError::LogStoreError {
                msg: error.to_string(),
                source: Box::new(Undecided(error)),
            }),
        }
    }

    async fn abort_commit_entry(
        &self,
        version: Version,
        entry: CommitOrBytes,
        operation: Uuid,
    ) -> Result<(), TransactionError> {
        self.inner.abort_commit_entry(version, entry, operation).await
    }

    async fn get_latest_version(&self, start: Version) -> DeltaResult<Version> {
        self.inner.get_latest_version(start).await
    }

    fn object_store(&self, operation: Option<Uuid>) -> Arc<dyn ObjectStore> {
        self.inner.object_store(operation)
    }

    fn root_object_store(&self, operation: Option<Uuid>) -> Arc<dyn ObjectStore> {
        self.inner.root_object_store(operation)
    }

    fn config(&self) -> &LogStoreConfig {
        self.inner.config()
    }
}
