//! A pinned version of the lake.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use podtrail_lake::{Lake, Snapshot};
use tokio::sync::OnceCell;

use super::{Limits, ScanSize, Session};
use crate::error::QueryError;
use crate::scope::Scope;

/// A version of the lake: sessions over it see the same rows, regardless of their scopes and of later additions.
///
/// The newest version of each table is opened when a query first needs it.
pub struct LakeVersion(Arc<Tables>);

/// The tables of a lake.
const TABLES: [&str; 3] = ["events", "quarantine", "findings"];

struct Tables {
    lake: Lake,
    events: OnceCell<Events>,
    size: OnceCell<ScanSize>,
    quarantine: OnceCell<Arc<dyn TableProvider>>,
    findings: OnceCell<Arc<dyn TableProvider>>,
}

struct Events {
    table: Arc<dyn TableProvider>,
    snapshot: Snapshot,
}

impl Events {
    fn of(snapshot: &Snapshot) -> Result<Self, QueryError> {
        Ok(Self { table: snapshot.provider()?, snapshot: snapshot.clone() })
    }

    fn size(&self) -> Result<ScanSize, QueryError> {
        let events = &self.snapshot;
        let (files, bytes) = (events.file_count(), events.bytes());
        Ok(ScanSize { files, rows: events.num_rows()?, bytes })
    }
}

impl LakeVersion {
    /// Returns the newest version of `lake`.
    pub fn newest(lake: &Lake) -> Self {
        Self::with(lake, OnceCell::new())
    }

    /// Returns a version of the events of `lake`, or some of its files, with the newest of the other tables.
    pub(super) fn of(lake: &Lake, events: &Snapshot) -> Result<Self, QueryError> {
        Ok(Self::with(lake, OnceCell::new_with(Some(Events::of(events)?))))
    }

    fn with(lake: &Lake, events: OnceCell<Events>) -> Self {
        Self(Arc::new(Tables {
            lake: lake.clone(),
            events,
            size: OnceCell::new(),
            quarantine: OnceCell::new(),
            findings: OnceCell::new(),
        }))
    }

    /// Opens a session over this version.
    ///
    /// # Errors
    /// Returns an error only if a built-in view fails to plan, which is a bug.
    pub fn session(&self, scope: Scope, limits: Limits) -> Result<Session, QueryError> {
        let tables: Arc<dyn SchemaProvider> = self.0.clone();
        Session::over(&tables, scope, limits)
    }

    /// Returns the size of the table `events`.
    ///
    /// # Errors
    /// If the lake cannot be read.
    pub async fn size(&self) -> Result<ScanSize, QueryError> {
        let events = self.0.events().await?;
        Ok(*self.0.size.get_or_try_init(async || events.size()).await?)
    }
}

impl Tables {
    async fn events(&self) -> Result<&Events, QueryError> {
        let open = async || Events::of(&self.lake.events().await?);
        self.events.get_or_try_init(open).await
    }

    async fn open(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, QueryError> {
        let quarantine = async || Ok::<_, QueryError>(self.lake.quarantine().await?.provider()?);
        let findings = async || Ok::<_, QueryError>(self.lake.findings().await?.rows.provider()?);
        let table = match name {
            "events" => &self.events().await?.table,
            "quarantine" => self.quarantine.get_or_try_init(quarantine).await?,
            "findings" => self.findings.get_or_try_init(findings).await?,
            _ => return Ok(None),
        };
        Ok(Some(table.clone()))
    }
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Tables").field(self.lake.location()).finish()
    }
}

#[async_trait]
impl SchemaProvider for Tables {
    fn table_names(&self) -> Vec<String> {
        TABLES.map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        self.open(name).await.map_err(|error| match error {
            QueryError::Lake(error) => DataFusionError::External(error.into()),
            QueryError::Sql(error) => error,
            error => DataFusionError::External(error.into()),
        })
    }

    fn table_exist(&self, name: &str) -> bool {
        TABLES.contains(&name)
    }
}
