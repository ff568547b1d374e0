//! A pinned version of the lake.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use podtrail_lake::{Lake, Snapshot};

use super::{Limits, ScanSize, Session};
use crate::error::QueryError;
use crate::scope::Scope;

/// One version of the lake: sessions over it see the same rows, whatever their scopes and whatever is added meanwhile.
pub struct LakeVersion {
    events: Arc<dyn TableProvider>,
    quarantine: Arc<dyn TableProvider>,
    findings: Arc<dyn TableProvider>,
    size: ScanSize,
}

impl LakeVersion {
    /// The newest version of `lake`.
    ///
    /// # Errors
    /// When the lake cannot be read.
    pub async fn newest(lake: &Lake) -> Result<Self, QueryError> {
        Self::of(lake, &lake.events().await?).await
    }

    /// A version of the events of `lake`, or some of its files, with the newest of the other tables.
    pub(super) async fn of(lake: &Lake, events: &Snapshot) -> Result<Self, QueryError> {
        let size = ScanSize {
            files: events.files().len(),
            rows: events.num_rows(),
            bytes: events.files().iter().map(|file| file.size).sum(),
        };
        let quarantine = lake.quarantine().await?.provider()?;
        let findings = lake.findings().await?.rows.provider()?;
        Ok(Self { events: events.provider()?, quarantine, findings, size })
    }

    /// A session over this version.
    ///
    /// # Errors
    /// When a view cannot be planned.
    pub async fn session(&self, scope: Scope, limits: Limits) -> Result<Session, QueryError> {
        let session = Session::over(&self.events, scope, limits)?;
        session.define_quarantine(self.quarantine.clone())?;
        session.define_findings(self.findings.clone()).await?;
        Ok(session)
    }

    /// All that the table `events` holds.
    pub fn size(&self) -> ScanSize {
        self.size
    }
}
