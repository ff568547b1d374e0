//! Rows of a query: table, CSV, JSON and JSON lines.

use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::{ContentArrangement, Table, presets};

use crate::escape::{defuse, escape};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// A table for people.
    Table,
    /// Comma-separated values with a header; lists and structs are JSON.
    Csv,
    /// One JSON array.
    Json,
    /// One JSON object a line.
    JsonLines,
}

impl FromStr for RowFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "table" => Ok(Self::Table),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "jsonl" => Ok(Self::JsonLines),
            other => Err(format!("'{other}' is none of table, csv, json, jsonl")),
        }
    }
}

/// Why rows could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The output failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A value cannot be written in this format.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// Writes rows of `schema`; without rows a table or CSV still has its header.
///
/// # Errors
/// When `out` fails, or a value has no text form.
pub fn write_rows(
    schema: &Schema,
    batches: &[RecordBatch],
    format: RowFormat,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    match format {
        RowFormat::Table => table(schema, batches, out),
        RowFormat::Csv => csv(schema, batches, out),
        RowFormat::Json => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::JsonArray>(out);
            writer.write_batches(&batches.iter().collect::<Vec<_>>())?;
            writer.finish()?;
            Ok(writer.into_inner().write_all(b"\n")?)
        }
        RowFormat::JsonLines => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::LineDelimited>(out);
            writer.write_batches(&batches.iter().collect::<Vec<_>>())?;
            Ok(writer.finish()?)
        }
    }
}

fn table(schema: &Schema, batches: &[RecordBatch], out: &mut dyn Write) -> Result<(), ReportError> {
    let options = FormatOptions::default().with_display_error(true).with_null("");
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(schema.fields().iter().map(|field| escape(field.name()).into_owned()));
    for batch in batches {
        let columns = batch.columns().iter();
        let formatters = columns
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            table.add_row(
                formatters.iter().map(|column| escape(&column.value(row).to_string()).into_owned()),
            );
        }
    }
    writeln!(out, "{table}")?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    Ok(writeln!(out, "{rows} row{}", if rows == 1 { "" } else { "s" })?)
}

fn csv(schema: &Schema, batches: &[RecordBatch], out: &mut dyn Write) -> Result<(), ReportError> {
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(out);
    if batches.iter().all(|batch| batch.num_rows() == 0) {
        let columns = schema
            .fields()
            .iter()
            .map(|_| Arc::new(StringArray::from_iter_values([""; 0])) as ArrayRef);
        let named = schema.fields().iter().map(|field| field.name().clone()).zip(columns);
        return Ok(writer.write(&RecordBatch::try_from_iter(named)?)?);
    }
    for batch in batches {
        let columns = batch.columns().iter().map(csv_column).collect::<Result<Vec<_>, _>>()?;
        let names = batch.schema_ref().fields().iter().map(|field| field.name().clone());
        writer.write(&RecordBatch::try_from_iter_with_nullable(
            names.zip(columns).map(|(name, column)| (name, column, true)),
        )?)?;
    }
    Ok(())
}

/// A column as CSV can hold it: nested values as JSON, strings that a spreadsheet would run as text.
fn csv_column(column: &ArrayRef) -> Result<ArrayRef, ReportError> {
    if column.data_type().is_nested() {
        return nested_as_json(column);
    }
    if !matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        return Ok(column.clone());
    }
    let strings = cast(column, &DataType::Utf8)?;
    let quoted = strings.as_string::<i32>().iter().map(|text| text.map(defuse));
    Ok(Arc::new(quoted.collect::<StringArray>()))
}

fn nested_as_json(column: &ArrayRef) -> Result<ArrayRef, ReportError> {
    let field = Arc::new(arrow::datatypes::Field::new("v", column.data_type().clone(), true));
    let options = arrow::json::writer::EncoderOptions::default();
    let mut encoder = arrow::json::writer::make_encoder(&field, column, &options)?;
    let mut texts: Vec<Option<String>> = Vec::with_capacity(column.len());
    let mut buffer = Vec::new();
    for row in 0..column.len() {
        if column.is_null(row) {
            texts.push(None);
            continue;
        }
        buffer.clear();
        encoder.encode(row, &mut buffer);
        texts.push(Some(String::from_utf8_lossy(&buffer).into_owned()));
    }
    Ok(Arc::new(StringArray::from(texts)))
}
