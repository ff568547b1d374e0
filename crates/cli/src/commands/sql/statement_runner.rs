//! The state of `podtrail sql`: a session, its scope, and the execution of statements.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::TryStreamExt;
use podtrail_lake::{Lake, LakeLocation};
use podtrail_query::{
    LakeVersion, Limits, Parameters, Permission, Permissions, Planned, QueryError, SCOPE_VARIABLES,
    ScanSize, Scope, Session, Statement, parse,
};
use podtrail_report::{RowFormat, RowWriter, thousands};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use super::empty_result;
use super::sink::Sink;
use crate::args::SqlArgs;
use crate::clock;
use crate::engine::{Engine, Stopped, TICK};
use crate::output;
use crate::query_engine::Chosen;

/// A query that reads at least this much of a lake, and all of its files, is announced on a terminal.
const ANNOUNCED_BYTES: u64 = 256 << 20;

pub(super) struct StatementRunner {
    version: LakeVersion,
    session: Session,
    /// The scope that `RESET scope` restores.
    start: Scope,
    limits: Limits,
    permissions: Permissions,
    timeout: Option<Duration>,
    engine: Engine,
    queries: Chosen,
    verbose: bool,
    pub(super) format: RowFormat,
}

impl StatementRunner {
    pub(super) fn open(
        lake: &LakeLocation,
        scope: Scope,
        arguments: &SqlArgs,
    ) -> anyhow::Result<Self> {
        let version = LakeVersion::newest(&Lake::open(lake)?);
        let limits = Limits { memory: arguments.memory, ..Limits::default() };
        let permissions =
            Permissions { write: arguments.allow_write, external: arguments.allow_external };
        let queries = Chosen::of(&arguments.engine, arguments.verbose)?;
        let session = session(&version, scope.clone(), limits, permissions, &queries)?;
        Ok(Self {
            session,
            queries,
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

    /// Parses the statements of a text. Ctrl-C and the time limit also end parsing, because the parser backtracks
    /// over nested brackets.
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

    /// Runs statements up to the first that fails. Returns the sink, unless it had to be abandoned.
    pub(super) async fn run_all(
        &mut self,
        statements: Vec<Statement>,
        values: Option<&Parameters>,
        mut sink: Sink,
    ) -> (Option<Sink>, anyhow::Result<()>) {
        for statement in statements {
            match Box::pin(self.run(statement, values.cloned(), sink)).await {
                (Some(back), Ok(())) => sink = back,
                failed => return failed,
            }
        }
        (Some(sink), Ok(()))
    }

    /// Runs one statement. Ctrl-C, the time limit and the memory limit end it and leave the session unchanged. If it
    /// cannot be cancelled, it is abandoned and a new session starts. Returns the sink, unless it had to be
    /// abandoned.
    async fn run(
        &mut self,
        statement: Statement,
        values: Option<Parameters>,
        sink: Sink,
    ) -> (Option<Sink>, anyhow::Result<()>) {
        let temporary = sink.temporary().map(Path::to_owned);
        let (sink, result) = match self.carry_out(statement, values, sink).await {
            Ok((sink, result)) => (Some(sink), result),
            Err(error) => {
                if let Some(temporary) = temporary {
                    // The abandoned writer no longer removes the file.
                    let _ = std::fs::remove_file(temporary);
                }
                (None, Err(error))
            }
        };
        let shown = match result {
            Ok(shown) => shown,
            Err(error) => return (sink, Err(error)),
        };
        if shown.is_empty && (self.verbose || output::is_heard()) {
            empty_result::explain_no_rows(&self.session).await;
        }
        (sink, shown.change.map_or(Ok(()), |change| self.change(change)))
    }

    /// Computes the rows of a statement and prints them, each on a thread of its own: formatting wide rows, or
    /// writing to a pipe without a reader, may exceed the time limit. An error next to the sink is an error of the
    /// statement; an error instead of the sink means that the sink was abandoned.
    async fn carry_out(
        &mut self,
        statement: Statement,
        values: Option<Parameters>,
        sink: Sink,
    ) -> anyhow::Result<(Sink, anyhow::Result<Shown>)> {
        let memory = self.limits.memory;
        let (stop, stopped) = watch::channel(false);
        let (sender, steps) = mpsc::channel(1);
        let (reads, mut size) = oneshot::channel();
        let (session, permissions) = (self.session.clone(), self.permissions);
        let mut is_stopped = stopped.clone();
        let mut query = self.engine.start(memory, move |threads| {
            let answer = async move {
                answer(&session, permissions, statement, values, reads, &sender).await
            };
            threads.block_on(async move {
                tokio::select! {
                    result = Box::pin(answer) => result,
                    _ = is_stopped.wait_for(|stop| *stop) => Ok(None),
                }
            })
        })?;
        let is_writing = Arc::new(AtomicBool::new(false));
        let print = Printer { steps, stopped, format: self.format, is_writing: is_writing.clone() };
        let mut printing = self.engine.start(memory, move |threads| print.run(threads, sink))?;
        let (mut answered, mut printed) = (None, None);
        let mut is_announced = false;
        let mut time = Duration::ZERO;
        let interrupt = tokio::signal::ctrl_c();
        tokio::pin!(interrupt);
        let why = loop {
            let asked = Instant::now();
            tokio::select! {
                biased;
                _ = &mut interrupt => break Stopped::Cancelled,
                size = &mut size, if !is_announced => {
                    is_announced = true;
                    if let Ok(size) = size {
                        // If the size cannot be announced, the query reports the error.
                        let _ = self.announce(size).await;
                    }
                }
                result = &mut query, if answered.is_none() => answered = Some(result),
                result = &mut printing, if printed.is_none() => printed = Some(result),
                () = tokio::time::sleep(TICK) => {}
            }
            match (answered.take(), printed.take()) {
                (Some(answered), Some(printed)) => return both(answered, printed),
                // The remaining rows have no reader.
                (None, Some(Ok(Printed { sink, result: Err(error) }))) => {
                    // The work may have ended, and then nothing receives this.
                    let _ = stop.send(true);
                    if query.end().await.is_none() {
                        self.begin_anew()?;
                    }
                    return Ok((sink, Err(error)));
                }
                one => (answered, printed) = one,
            }
            if query.is_exhausted() {
                break query.exhausted();
            }
            // Time that a person spends in the pager does not count against the time limit.
            if !(output::is_terminal() && is_writing.load(Ordering::Relaxed)) {
                time += asked.elapsed();
            }
            if let Some(limit) = self.timeout.filter(|limit| time > *limit) {
                break Stopped::Time(limit);
            }
        };
        let _ = stop.send(true);
        if output::is_terminal() {
            // The user may still be in the pager.
            while printed.is_none() && !printing.is_exhausted() {
                printed = printing.end().await;
            }
        }
        let (query, printing) = tokio::join!(
            async { if answered.is_some() { answered } else { query.end().await } },
            async { if printed.is_some() { printed } else { printing.end().await } }
        );
        if query.is_none() || printing.is_none() {
            self.begin_anew()?;
        }
        match printing {
            Some(Ok(printed)) => Ok((printed.sink, Err(why.into()))),
            _ => Err(why.into()),
        }
    }

    /// Starts new threads and a new session, to replace those that were abandoned.
    fn begin_anew(&mut self) -> anyhow::Result<()> {
        let left = std::mem::replace(&mut self.engine, Engine::new()?);
        left.abandon();
        let scope = self.session.scope().clone();
        self.session = session(&self.version, scope, self.limits, self.permissions, &self.queries)?;
        if self.permissions.write {
            output::note("started a new session; tables and views created in the old one are lost");
        }
        Ok(())
    }

    /// Announces on a terminal what a query reads, if it reads the whole lake and the lake is large.
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
        let advice =
            if is_large { "; Ctrl-C cancels, a scope such as --since 7d reads less" } else { "" };
        output::note(&format!("reading {files} of the lake{rows}, {}{advice}", bytes(size.bytes)));
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
                scope.set(part, &value, clock::now())?;
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
        self.session = session(&self.version, scope, self.limits, self.permissions, &self.queries)?;
        if self.verbose || output::is_heard() {
            output::note(&format!("scope: {}", self.session.scope()));
        }
        Ok(())
    }
}

/// The results of a statement with rows, in this order.
enum Step {
    Columns(SchemaRef),
    Rows(RecordBatch),
    /// All rows were sent.
    Done,
}

/// A change that a statement makes to the session.
enum Change {
    Set { variable: String, value: String },
    Reset { variable: String },
}

/// What was printed of a statement.
struct Shown {
    /// Whether the statement returns rows, and returned none.
    is_empty: bool,
    change: Option<Change>,
}

/// Combines the results of computing and of printing a statement.
fn both(
    answered: Result<anyhow::Result<Option<Change>>, Stopped>,
    printed: Result<Printed, Stopped>,
) -> anyhow::Result<(Sink, anyhow::Result<Shown>)> {
    let printed = printed?;
    // If printing failed, computing failed only because of that.
    let shown = printed.result.and_then(|is_empty| {
        let change = answered?.map_err(with_hint)?;
        Ok(Shown { is_empty, change })
    });
    Ok((printed.sink, shown))
}

/// Runs a statement, and sends its results. Ends if the receiver is gone.
async fn answer(
    session: &Session,
    permissions: Permissions,
    statement: Statement,
    values: Option<Parameters>,
    reads: oneshot::Sender<ScanSize>,
    steps: &mpsc::Sender<Step>,
) -> anyhow::Result<Option<Change>> {
    let rows = match session.plan(statement, permissions).await? {
        Planned::Rows(rows) => rows,
        Planned::Set { variable, value } => return Ok(Some(Change::Set { variable, value })),
        Planned::Reset { variable } => return Ok(Some(Change::Reset { variable })),
    };
    let rows = match values {
        Some(values) => rows.with_parameters(values)?,
        None => rows,
    };
    for message in rows.impossible_values()? {
        output::warn(&message);
    }
    let query = rows.prepare().await?;
    // The receiver of the announcement may have been stopped.
    let _ = reads.send(query.size()?);
    let schema = query.schema();
    let mut batches = query.run();
    if schema.fields().is_empty() {
        // CREATE and DROP have run, and return no rows.
        return Ok(None);
    }
    steps.send(Step::Columns(schema)).await?;
    while let Some(batch) = batches.try_next().await? {
        steps.send(Step::Rows(batch)).await?;
    }
    steps.send(Step::Done).await?;
    Ok(None)
}

/// Rows are formatted in pieces of this many bytes, so that printing can be stopped in between.
const PIECE_BYTES: usize = 8 << 20;

/// Prints the rows of one statement.
struct Printer {
    steps: mpsc::Receiver<Step>,
    stopped: watch::Receiver<bool>,
    format: RowFormat,
    /// Whether it is formatting or writing now.
    is_writing: Arc<AtomicBool>,
}

/// The result of printing.
struct Printed {
    sink: Sink,
    /// Whether the statement returns rows, and returned none.
    result: anyhow::Result<bool>,
}

impl Printer {
    fn run(mut self, threads: &Handle, sink: Sink) -> Printed {
        let mut out = Stoppable { sink, stopped: self.stopped.clone() };
        let result = self.write(threads, &mut out);
        let mut sink = out.sink;
        // A pipe is written to immediately, not after the statement has ended.
        self.is_writing.store(true, Ordering::Relaxed);
        let flushed = sink.flush();
        self.is_writing.store(false, Ordering::Relaxed);
        Printed { sink, result: result.and_then(|is_empty| Ok(flushed.map(|()| is_empty)?)) }
    }

    fn write(&mut self, threads: &Handle, out: &mut Stoppable) -> anyhow::Result<bool> {
        let mut is_empty = false;
        let mut out = Some(out);
        let mut writer = None;
        loop {
            let step = threads.block_on(async {
                tokio::select! {
                    step = self.steps.recv() => step,
                    _ = self.stopped.wait_for(|stop| *stop) => None,
                }
            });
            self.is_writing.store(true, Ordering::Relaxed);
            match step {
                None => return Ok(is_empty),
                Some(Step::Columns(schema)) => {
                    is_empty = true;
                    if let Some(out) = out.take() {
                        let width = out.sink.width();
                        writer = Some(RowWriter::fitted(&schema, self.format, width, out)?);
                    }
                }
                Some(Step::Rows(batch)) => {
                    is_empty &= batch.num_rows() == 0;
                    if let Some(writer) = &mut writer {
                        pieces(&batch).try_for_each(|piece| writer.write(&piece))?;
                    }
                }
                Some(Step::Done) => {
                    if let Some(writer) = writer.take() {
                        writer.finish()?;
                    }
                }
            }
            self.is_writing.store(false, Ordering::Relaxed);
        }
    }
}

/// Splits a batch into batches of at most `PIECE_BYTES`.
fn pieces(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> {
    let rows = batch.num_rows();
    let row_bytes = batch.get_array_memory_size() / rows.max(1);
    let at_a_time = (PIECE_BYTES / row_bytes.max(1)).max(1);
    (0..rows).step_by(at_a_time).map(move |first| batch.slice(first, at_a_time.min(rows - first)))
}

/// A sink that rejects writes once printing is to stop.
struct Stoppable {
    sink: Sink,
    stopped: watch::Receiver<bool>,
}

impl Write for Stoppable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if *self.stopped.borrow() {
            return Err(io::Error::other("output stopped"));
        }
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

fn session(
    version: &LakeVersion,
    scope: Scope,
    limits: Limits,
    permissions: Permissions,
    queries: &Chosen,
) -> Result<Session, QueryError> {
    let session = version.session(scope, limits)?.with_engine(queries.engine.clone());
    Ok(if permissions.external { session.with_external_files() } else { session })
}

/// Adds the next step to an error, if one is known.
fn with_hint(error: anyhow::Error) -> anyhow::Error {
    let variables = format!("only the variables of scope can be set: {SCOPE_VARIABLES}");
    let hint = match error.downcast_ref::<QueryError>() {
        Some(QueryError::Refused { needs: Permission::Write, .. }) => "--allow-write allows it",
        Some(QueryError::Refused { needs: Permission::External, .. }) => {
            "--allow-external allows it"
        }
        Some(QueryError::Refused { needs: Permission::None, .. }) => variables.as_str(),
        Some(QueryError::UnknownTable { name, .. }) if name.contains(['/', '.']) => {
            "--allow-external allows files as tables"
        }
        Some(QueryError::UnknownTable { nearest, instead: None, .. }) if nearest.is_empty() => {
            "SHOW TABLES lists all tables"
        }
        Some(QueryError::UnknownFunction { nearest, instead: None, .. }) if nearest.is_empty() => {
            "podtrail schema --functions lists all functions"
        }
        Some(QueryError::UnknownColumn { nearest, views, is_quoted: false, .. })
            if nearest.is_empty() && views.is_empty() =>
        {
            "\\d TABLE lists the columns of a table; single quotes enclose strings"
        }
        _ => return error,
    };
    anyhow::anyhow!("{error}\nhint: {hint}")
}

/// Returns a number of bytes with a unit.
fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}
