//! A session and its scope, and what happens to a statement.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use chrono::Utc;
use futures::TryStreamExt;
use podtrail_detect::ParamValues;
use podtrail_lake::Lake;
use podtrail_query::{
    LakeVersion, Limits, Permission, Permissions, Planned, Prepared, QueryError, Scope, Session,
    Statement,
};
use podtrail_report::{RowFormat, RowWriter, thousands};

use super::why;
use crate::args::SqlArgs;
use crate::output;

/// A query that opens this much of a lake, and all of it, is announced to a person.
const ANNOUNCED_BYTES: u64 = 256 << 20;

pub(super) struct Desk {
    version: LakeVersion,
    session: Session,
    /// What `RESET scope` goes back to.
    start: Scope,
    limits: Limits,
    permissions: Permissions,
    timeout: Option<Duration>,
    verbose: bool,
    pub(super) format: RowFormat,
}

impl Desk {
    pub(super) fn open(lake: &Path, scope: Scope, arguments: &SqlArgs) -> anyhow::Result<Self> {
        let version = LakeVersion::newest(&Lake::open(lake)?);
        let limits = Limits { memory: arguments.memory, ..Limits::default() };
        let permissions =
            Permissions { write: arguments.allow_write, external: arguments.allow_external };
        Ok(Self {
            session: session(&version, scope.clone(), limits, permissions)?,
            version,
            start: scope,
            limits,
            permissions,
            timeout: arguments.timeout,
            verbose: arguments.verbose,
            format: arguments.format,
        })
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn version(&self) -> &LakeVersion {
        &self.version
    }

    /// Carries out one statement. Ctrl-C and the time-out end it, and leave the session as it was.
    pub(super) async fn run(
        &mut self,
        statement: Statement,
        values: Option<ParamValues>,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<()> {
        let timeout = self.timeout;
        let answer = Box::pin(self.answer(statement, values, out));
        let limited = async {
            let Some(limit) = timeout else { return answer.await };
            match tokio::time::timeout(limit, answer).await {
                Ok(result) => result,
                Err(_) => bail!(
                    "the statement took longer than {} (--timeout)",
                    humantime::format_duration(limit)
                ),
            }
        };
        let result = tokio::select! {
            result = limited => result,
            _ = tokio::signal::ctrl_c() => bail!("cancelled"),
        };
        result.map_err(with_hint)
    }

    async fn answer(
        &mut self,
        statement: Statement,
        values: Option<ParamValues>,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<()> {
        let rows = match self.session.plan(statement, self.permissions).await? {
            Planned::Rows(rows) => rows,
            Planned::Set { variable, value } => return self.set(&variable, &value),
            Planned::Reset { variable } => return self.reset(&variable),
        };
        let rows = match values {
            Some(values) => rows.with_param_values(values).map_err(QueryError::from)?,
            None => rows,
        };
        let query = Prepared::of(rows).await?;
        self.announce(&query).await?;
        let schema = query.schema();
        let mut batches = query.run()?;
        if schema.fields().is_empty() {
            // CREATE and DROP are done, and have no rows.
            return Ok(());
        }
        let mut writer = RowWriter::new(&schema, self.format, out)?;
        let mut is_empty = true;
        while let Some(batch) = batches.try_next().await? {
            is_empty &= batch.num_rows() == 0;
            writer.write(&batch)?;
        }
        writer.finish()?;
        if is_empty && (self.verbose || output::is_heard()) {
            why::tell(&self.session).await;
        }
        Ok(())
    }

    /// Tells a person what a query reads, if it is everything, and much.
    async fn announce(&self, query: &Prepared) -> anyhow::Result<()> {
        if !self.verbose && !output::is_heard() {
            return Ok(());
        }
        let size = query.size()?;
        if size.files == 0 || (!self.verbose && size.bytes < ANNOUNCED_BYTES) {
            return Ok(());
        }
        let all = self.version.size().await?;
        let is_large = size.files == all.files && size.bytes >= ANNOUNCED_BYTES;
        if !self.verbose && !is_large {
            return Ok(());
        }
        let files = if size.files == all.files {
            format!("all {} files", thousands(size.files as u64))
        } else {
            format!("{} of {} files", thousands(size.files as u64), thousands(all.files as u64))
        };
        let rows = size.rows.map(|rows| format!(", {} rows", thousands(rows))).unwrap_or_default();
        let advice = if is_large {
            "; Ctrl-C cancels, a scope such as --since 7d makes it less"
        } else {
            ""
        };
        output::tell(&format!("reading {files} of the lake{rows}, {}{advice}", bytes(size.bytes)));
        Ok(())
    }

    fn set(&mut self, variable: &str, value: &str) -> anyhow::Result<()> {
        let Some(part) = variable.strip_prefix("scope.") else {
            let what = format!("SET {variable}");
            return Err(QueryError::Refused { what, needs: Permission::None }.into());
        };
        let mut scope = self.session.scope().clone();
        scope.set(part, value, Utc::now())?;
        self.rescope(scope)
    }

    fn reset(&mut self, variable: &str) -> anyhow::Result<()> {
        if variable != "scope" {
            let what = format!("RESET {variable}");
            return Err(QueryError::Refused { what, needs: Permission::None }.into());
        }
        self.rescope(self.start.clone())
    }

    fn rescope(&mut self, scope: Scope) -> anyhow::Result<()> {
        self.session = session(&self.version, scope, self.limits, self.permissions)?;
        if self.verbose || output::is_heard() {
            output::tell(&format!("scope: {}", self.session.scope()));
        }
        Ok(())
    }
}

fn session(
    version: &LakeVersion,
    scope: Scope,
    limits: Limits,
    permissions: Permissions,
) -> Result<Session, QueryError> {
    let session = version.session(scope, limits)?;
    Ok(if permissions.external { session.with_external_files() } else { session })
}

/// The error with the next step, where there is one.
fn with_hint(error: anyhow::Error) -> anyhow::Error {
    let hint = match error.downcast_ref::<QueryError>() {
        Some(QueryError::Refused { needs: Permission::Write, .. }) => "--allow-write allows it",
        Some(QueryError::Refused { needs: Permission::External, .. }) => {
            "--allow-external allows it"
        }
        Some(QueryError::Refused { needs: Permission::None, .. }) => {
            "only scope.from, to, since, identity, namespace and cluster can be set"
        }
        Some(QueryError::UnknownTable { name, .. }) if name.contains(['/', '.']) => {
            "--allow-external allows files as tables"
        }
        Some(QueryError::UnknownTable { nearest, .. }) if nearest.is_empty() => {
            "SHOW TABLES lists the tables"
        }
        Some(QueryError::UnknownColumn { nearest, .. }) if nearest.is_empty() => {
            "DESCRIBE lists the columns of a table"
        }
        _ => return error,
    };
    anyhow::anyhow!("{error}\nhint: {hint}")
}

/// A number of bytes for people.
fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}
