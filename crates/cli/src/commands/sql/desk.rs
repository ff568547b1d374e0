//! A session and its scope, and what happens to a statement.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::Utc;
use futures::TryStreamExt;
use podtrail_detect::ParamValues;
use podtrail_lake::Lake;
use podtrail_query::{
    LakeVersion, Limits, Permission, Permissions, Planned, Prepared, QueryError, ScanSize, Scope,
    Session, Statement, parse,
};
use podtrail_report::{RowFormat, RowWriter, thousands};
use tokio::sync::{mpsc, oneshot};

use super::why;
use crate::args::SqlArgs;
use crate::engine::{Engine, Stopped, TICK, Work};
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
    engine: Engine,
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
            timeout: (!arguments.timeout.is_zero()).then_some(arguments.timeout),
            engine: Engine::new()?,
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

    /// The statements of a text. Ctrl-C and the time-out end this, too: where brackets nest the parser tries one way after
    /// another.
    pub(super) async fn parse(&mut self, text: String) -> anyhow::Result<Vec<Statement>> {
        let mut work = self.engine.start(self.limits.memory, move |_| parse(&text))?;
        let started = Instant::now();
        let interrupt = tokio::signal::ctrl_c();
        tokio::pin!(interrupt);
        let stopped = loop {
            tokio::select! {
                biased;
                _ = &mut interrupt => break Stopped::Cancelled,
                statements = &mut work => return Ok(statements??),
                () = tokio::time::sleep(TICK) => {}
            }
            if work.is_exhausted() {
                break work.exhausted();
            }
            if let Some(limit) = self.timeout.filter(|limit| started.elapsed() > *limit) {
                break Stopped::Time(limit);
            }
        };
        self.begin_anew()?;
        Err(stopped.into())
    }

    /// Carries out one statement. Ctrl-C, the time-out and the memory limit end it, and leave the session as it was; where it
    /// cannot be ended it is left behind, and the session begins anew.
    pub(super) async fn run(
        &mut self,
        statement: Statement,
        values: Option<ParamValues>,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<()> {
        let (sender, mut steps) = mpsc::channel(1);
        let (cancel, cancelled) = oneshot::channel::<()>();
        let (session, permissions) = (self.session.clone(), self.permissions);
        let mut work = self.engine.start(self.limits.memory, move |threads| {
            threads.block_on(async move {
                tokio::select! {
                    result = Box::pin(answer(&session, permissions, statement, values, &sender)) => result,
                    _ = cancelled => Ok(()),
                }
            })
        })?;
        match self.show(&mut steps, &work, out).await {
            Ok(shown) => {
                work.await?.map_err(with_hint)?;
                if shown.is_empty && (self.verbose || output::is_heard()) {
                    why::tell(&self.session).await;
                }
                shown.change.map_or(Ok(()), |change| self.change(change))
            }
            Err(error) => {
                let is_exhausted = work.is_exhausted();
                drop(cancel);
                if is_exhausted || !work.has_ended().await {
                    self.begin_anew()?;
                }
                Err(error)
            }
        }
    }

    /// Writes what comes of a statement until it has ended, or has to be.
    async fn show<T>(
        &self,
        steps: &mut mpsc::Receiver<Step>,
        work: &Work<T>,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<Shown> {
        let mut shown = Shown { is_empty: false, change: None };
        let mut out = Some(out);
        let mut writer = None;
        let mut time = Duration::ZERO;
        let interrupt = tokio::signal::ctrl_c();
        tokio::pin!(interrupt);
        loop {
            let asked = Instant::now();
            let step = tokio::select! {
                biased;
                _ = &mut interrupt => return Err(Stopped::Cancelled.into()),
                step = steps.recv() => step,
                () = tokio::time::sleep(TICK) => Some(Step::None),
            };
            time += asked.elapsed();
            let received = Instant::now();
            if work.is_exhausted() {
                return Err(work.exhausted().into());
            }
            if let Some(limit) = self.timeout.filter(|limit| step.is_some() && time > *limit) {
                return Err(Stopped::Time(limit).into());
            }
            match step {
                None => break,
                Some(Step::None) => continue,
                Some(Step::Change(change)) => shown.change = Some(change),
                Some(Step::Reads(size)) => self.announce(size).await?,
                Some(Step::Columns(schema)) => {
                    shown.is_empty = true;
                    if let Some(out) = out.take() {
                        writer = Some(RowWriter::new(&schema, self.format, out)?);
                    }
                }
                Some(Step::Rows(batch)) => {
                    shown.is_empty &= batch.num_rows() == 0;
                    if let Some(writer) = &mut writer {
                        writer.write(&batch)?;
                    }
                }
                Some(Step::Done) => {
                    if let Some(writer) = writer.take() {
                        writer.finish()?;
                    }
                }
            }
            // A person who reads page by page takes nothing of the statement's time.
            if !output::is_terminal() {
                time += received.elapsed();
            }
        }
        Ok(shown)
    }

    /// New threads and a new session, in place of those that something was left behind in.
    fn begin_anew(&mut self) -> anyhow::Result<()> {
        let left = std::mem::replace(&mut self.engine, Engine::new()?);
        left.abandon();
        let scope = self.session.scope().clone();
        self.session = session(&self.version, scope, self.limits, self.permissions)?;
        if self.permissions.write {
            output::tell("the session begins anew: tables and views that were made in it are gone");
        }
        Ok(())
    }

    /// Tells a person what a query reads, if it is everything, and much.
    async fn announce(&self, size: ScanSize) -> anyhow::Result<()> {
        if !self.verbose && !output::is_heard() {
            return Ok(());
        }
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

    fn change(&mut self, change: Change) -> anyhow::Result<()> {
        match change {
            Change::Set { variable, value } => {
                let Some(part) = variable.strip_prefix("scope.") else {
                    let what = format!("SET {variable}");
                    let refused = QueryError::Refused { what, needs: Permission::None };
                    return Err(with_hint(refused.into()));
                };
                let mut scope = self.session.scope().clone();
                scope.set(part, &value, Utc::now())?;
                self.rescope(scope)
            }
            Change::Reset { variable } if variable == "scope" => self.rescope(self.start.clone()),
            Change::Reset { variable } => {
                let what = format!("RESET {variable}");
                let refused = QueryError::Refused { what, needs: Permission::None };
                Err(with_hint(refused.into()))
            }
        }
    }

    fn rescope(&mut self, scope: Scope) -> anyhow::Result<()> {
        self.session = session(&self.version, scope, self.limits, self.permissions)?;
        if self.verbose || output::is_heard() {
            output::tell(&format!("scope: {}", self.session.scope()));
        }
        Ok(())
    }
}

/// What comes of a statement, in this order.
enum Step {
    /// It changes the session.
    Change(Change),
    /// It is planned, and will read these files.
    Reads(ScanSize),
    Columns(SchemaRef),
    Rows(RecordBatch),
    /// These were all rows.
    Done,
    /// Nothing yet.
    None,
}

/// What a statement changes of the session.
enum Change {
    Set { variable: String, value: String },
    Reset { variable: String },
}

/// What was shown of a statement.
struct Shown {
    /// Whether it has rows, and there is none.
    is_empty: bool,
    change: Option<Change>,
}

/// Carries out a statement, and sends what comes of it. It ends when nobody takes that any more.
async fn answer(
    session: &Session,
    permissions: Permissions,
    statement: Statement,
    values: Option<ParamValues>,
    steps: &mpsc::Sender<Step>,
) -> anyhow::Result<()> {
    let rows = match session.plan(statement, permissions).await? {
        Planned::Rows(rows) => rows,
        Planned::Set { variable, value } => {
            return Ok(steps.send(Step::Change(Change::Set { variable, value })).await?);
        }
        Planned::Reset { variable } => {
            return Ok(steps.send(Step::Change(Change::Reset { variable })).await?);
        }
    };
    let rows = match values {
        Some(values) => rows.with_param_values(values).map_err(QueryError::from)?,
        None => rows,
    };
    let query = Prepared::of(rows).await?;
    steps.send(Step::Reads(query.size()?)).await?;
    let schema = query.schema();
    let mut batches = query.run()?;
    if schema.fields().is_empty() {
        // CREATE and DROP are done, and have no rows.
        return Ok(());
    }
    steps.send(Step::Columns(schema)).await?;
    while let Some(batch) = batches.try_next().await? {
        steps.send(Step::Rows(batch)).await?;
    }
    Ok(steps.send(Step::Done).await?)
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
