//! `podtrail quarantine`: lists quarantined records and ingests them again.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{ArrayRef, AsArray, BinaryArray, RecordBatch, StringArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::DateTime;
use futures::TryStreamExt;
use podtrail_event::quarantine_records;
use podtrail_ingest::Retry;
use podtrail_lake::Lake;
use podtrail_query::{Limits, Parameters, Scope, Session};
use podtrail_report::{RowFormat, RowWriter, escape, seconds, thousands};
use tokio::runtime::Runtime;

use crate::args::QuarantineArgs;
use crate::commands::ingest;
use crate::exit::{Exit, UsageError};
use crate::output;

/// The number of id digits shown, enough to be unique.
const SHORT_ID: usize = 12;

/// The number of bytes of a record that the table shows.
const SHOWN_BYTES: usize = 48;

pub(crate) fn run(runtime: &Runtime, arguments: &QuarantineArgs) -> anyhow::Result<Exit> {
    let lake = Lake::open(&arguments.lake)?;
    // A quarantined record has no time, identity or namespace that a scope could select.
    let session = Session::open(&lake, Scope::default(), Limits::default())?;
    if arguments.retry {
        return retry(runtime, &lake, &session, arguments);
    }
    match &arguments.bytes {
        Some(id) => runtime.block_on(print_bytes(&session, id)),
        None => runtime.block_on(list(&session, arguments.format.for_spreadsheets())),
    }
}

async fn list(session: &Session, format: RowFormat) -> anyhow::Result<Exit> {
    const SQL: &str = "
        SELECT quarantine_id, quarantined_at, source_file, source_line, source_offset, source_sha256, cluster, length,
            reason, bytes
        FROM quarantine WHERE released_at IS NULL
        ORDER BY quarantined_at DESC, source_file, source_offset";
    let records = session.query(SQL, Parameters::default()).await?;
    let schema = records.schema();
    let mut records = records.run();
    let shape = if format.is_for_people() { for_people } else { for_machines };
    let mut out = output::data_stdout();
    let empty = shape(&RecordBatch::new_empty(schema))?;
    let mut rows = RowWriter::new(&empty.schema(), format, &mut out)?;
    while let Some(batch) = records.try_next().await? {
        rows.write(&shape(&batch)?)?;
    }
    rows.finish()?;
    out.flush()?;
    Ok(Exit::Ok)
}

/// Returns short columns, with only the first bytes of each record.
fn for_people(batch: &RecordBatch) -> anyhow::Result<RecordBatch> {
    let text = |name| anyhow::Ok(column(batch, name)?.as_string::<i32>());
    let ids = text("quarantine_id")?.iter().flatten().map(|id| &id[..id.len().min(SHORT_ID)]);
    let times = column(batch, "quarantined_at")?.as_primitive::<TimestampMicrosecondType>();
    let times = times.values().iter();
    let times =
        times.map(|micros| seconds(DateTime::from_timestamp_micros(*micros).unwrap_or_default()));
    let lines = column(batch, "source_line")?.as_primitive::<Int64Type>();
    let places = text("source_file")?.iter().zip(lines).map(|(file, line)| match line {
        Some(line) => format!("{}:{line}", file.unwrap_or_default()),
        None => file.unwrap_or_default().to_owned(),
    });
    let heads = bytes_column(batch)?.iter().map(|bytes| head(bytes.unwrap_or_default()));
    let texts = |values: StringArray| Arc::new(values) as ArrayRef;
    Ok(RecordBatch::try_from_iter([
        ("id", texts(StringArray::from_iter_values(ids))),
        ("refused", texts(StringArray::from_iter_values(times))),
        ("where", texts(StringArray::from_iter_values(places))),
        ("offset", column(batch, "source_offset")?.clone()),
        ("length", column(batch, "length")?.clone()),
        ("reason", column(batch, "reason")?.clone()),
        ("begins with", texts(StringArray::from_iter_values(heads))),
    ])?)
}

/// Returns the beginning of a record; invalid UTF-8 is escaped byte by byte.
fn head(bytes: &[u8]) -> String {
    let mut shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let is_cut = shown.len() < bytes.len();
    // The cut may split a character.
    if is_cut
        && let Err(error) = std::str::from_utf8(shown)
        && error.error_len().is_none()
    {
        shown = &shown[..error.valid_up_to()];
    }
    let mut head = String::new();
    for chunk in shown.utf8_chunks() {
        head.push_str(chunk.valid());
        head.push_str(&chunk.invalid().escape_ascii().to_string());
    }
    if is_cut {
        head.push('…');
    }
    head
}

/// Returns all columns, with the bytes as text, or as Base64 if they are not valid UTF-8.
fn for_machines(batch: &RecordBatch) -> anyhow::Result<RecordBatch> {
    let bytes = bytes_column(batch)?;
    let texts: StringArray =
        bytes.iter().map(|bytes| std::str::from_utf8(bytes.unwrap_or_default()).ok()).collect();
    let encoded: StringArray = bytes
        .iter()
        .map(|bytes| bytes.filter(|bytes| std::str::from_utf8(bytes).is_err()))
        .map(|bytes| bytes.map(|bytes| BASE64.encode(bytes)))
        .collect();
    let schema = batch.schema();
    let kept = schema.fields().iter().zip(batch.columns());
    let kept = kept.filter(|(field, _)| field.name() != "bytes");
    let columns =
        kept.map(|(field, column)| (field.name().as_str(), column.clone(), true)).chain([
            ("text", Arc::new(texts) as ArrayRef, true),
            ("base64", Arc::new(encoded) as ArrayRef, true),
        ]);
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> anyhow::Result<&'a ArrayRef> {
    batch.column_by_name(name).with_context(|| format!("no column `{name}`"))
}

fn bytes_column(batch: &RecordBatch) -> anyhow::Result<&BinaryArray> {
    Ok(column(batch, "bytes")?.as_binary::<i32>())
}

/// Prints one record unchanged; on a terminal, control characters are escaped.
async fn print_bytes(session: &Session, id: &str) -> anyhow::Result<Exit> {
    // The id becomes part of a statement.
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(UsageError(format!("invalid id '{id}'; expected hexadecimal digits")).into());
    }
    let id = id.to_ascii_lowercase();
    let sql = format!("SELECT bytes FROM quarantine WHERE quarantine_id LIKE '{id}%' LIMIT 2");
    let batches = session.sql(&sql).await?.collect().await?;
    let mut found = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_binary::<i32>().iter())
        .map(Option::unwrap_or_default);
    let bytes = match (found.next(), found.next()) {
        (Some(bytes), None) => bytes,
        (None, _) => {
            return Err(UsageError(format!(
                "no record with id {id}; `podtrail quarantine` lists all"
            ))
            .into());
        }
        (Some(_), Some(_)) => {
            return Err(UsageError(format!("id {id} is ambiguous; use more digits")).into());
        }
    };
    let mut out = output::raw_stdout();
    if output::is_terminal() {
        writeln!(out, "{}", escape(&String::from_utf8_lossy(bytes)))?;
    } else {
        out.write_all(bytes)?;
    }
    out.flush()?;
    Ok(Exit::Ok)
}

/// Ingests the quarantined records again.
fn retry(
    runtime: &Runtime,
    lake: &Lake,
    session: &Session,
    arguments: &QuarantineArgs,
) -> anyhow::Result<Exit> {
    const SQL: &str = "
        SELECT *, CAST(NULL AS VARCHAR) AS releases FROM quarantine WHERE released_at IS NULL";
    let options =
        ingest::options(runtime, lake, arguments.cluster.as_deref(), arguments.no_redact)?;
    let mut retry = Retry::new(lake, runtime.handle(), &options);
    let mut records = runtime.block_on(session.query(SQL, Parameters::default()))?.run();
    while let Some(batch) = runtime.block_on(records.try_next())? {
        retry.add(&quarantine_records(&batch)?)?;
    }
    let summary = retry.finish()?;
    let mut out = output::stdout();
    writeln!(
        out,
        "{} of {} records released, {} events added to {} ({} duplicates)",
        thousands(summary.released),
        thousands(summary.records),
        thousands(summary.events_added),
        escape(&arguments.lake.to_string()),
        thousands(summary.duplicates),
    )?;
    out.flush()?;
    if summary.cut > 0 {
        output::warn(&format!(
            "{} records kept only their beginning; ingest their files again",
            thousands(summary.cut)
        ));
    }
    Ok(if summary.released == summary.records { Exit::Ok } else { Exit::PartlyBad })
}
