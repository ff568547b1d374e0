//! The rows of a query, in formats for people and machines.

use std::borrow::Cow;
use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::writer::{JsonArray, LineDelimited};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use podtrail_event::ExportError;
use podtrail_query::QueryError;

use crate::escape::{TerminalWriter, escape, spreadsheet_cell};
use crate::markdown::{escape_markdown, markdown_header, markdown_row};
use crate::table::Table;

/// The output format of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// A table for reading.
    Table,
    /// One line per column, for rows that are wider than the screen.
    Vertical,
    /// Comma-separated values with a header, unchanged; lists and structs are JSON.
    Csv,
    /// CSV for spreadsheets: a cell that would run as a formula has a leading apostrophe, and terminal control
    /// characters are escaped.
    Spreadsheet,
    /// One JSON array.
    Json,
    /// One JSON object per line.
    JsonLines,
    /// A Parquet file.
    Parquet,
    /// A GitHub Flavored Markdown table.
    Markdown,
}

/// The names of the formats, in the order of the documentation.
const NAMES: [(&str, RowFormat); 8] = [
    ("table", RowFormat::Table),
    ("vertical", RowFormat::Vertical),
    ("csv", RowFormat::Csv),
    ("spreadsheet", RowFormat::Spreadsheet),
    ("json", RowFormat::Json),
    ("jsonl", RowFormat::JsonLines),
    ("parquet", RowFormat::Parquet),
    ("markdown", RowFormat::Markdown),
];

impl RowFormat {
    /// Returns whether the format is for reading: terminal control characters are then escaped; otherwise they are
    /// data.
    pub fn is_for_people(self) -> bool {
        matches!(self, Self::Table | Self::Vertical | Self::Markdown)
    }

    /// Returns the same format, but CSV for spreadsheets, for lists that people read.
    #[must_use]
    pub fn for_spreadsheets(self) -> Self {
        if self == Self::Csv { Self::Spreadsheet } else { self }
    }
}

impl FromStr for RowFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let format = NAMES.iter().find(|(name, _)| *name == text).map(|(_, format)| *format);
        format.ok_or_else(|| {
            let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("'{text}' is none of {}", names.join(", "))
        })
    }
}

/// Why rows could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The output failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A value cannot be written in this format.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// The rows cannot be written as Parquet.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// The rows cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// An event cannot be written as JSON.
    #[error(transparent)]
    Export(#[from] ExportError),
}

type Out<'a> = &'a mut (dyn Write + Send);

/// Writes rows in one format, as they arrive.
///
/// Memory: a table is laid out in groups of at most 10,000 rows or 32 MiB of text, each with its own column widths;
/// Parquet buffers a row group; the other formats buffer nothing.
pub struct RowWriter<'a>(Form<'a>);

enum Form<'a> {
    Table(Box<Group<'a>>),
    Vertical { out: Out<'a>, rows: usize },
    Csv { writer: Box<csv::Writer<Out<'a>>>, text: CsvText },
    Json(arrow::json::Writer<Tail<'a>, JsonArray>),
    JsonLines(arrow::json::Writer<Out<'a>, LineDelimited>),
    Parquet(Box<ArrowWriter<Out<'a>>>),
    Markdown(Out<'a>),
}

impl<'a> RowWriter<'a> {
    /// Creates a writer of rows of `schema`.
    ///
    /// # Errors
    /// If `out` fails, or the format does not support the columns.
    pub fn new(schema: &SchemaRef, format: RowFormat, out: Out<'a>) -> Result<Self, ReportError> {
        Self::fitted(schema, format, None, out)
    }

    /// Creates a writer of rows of `schema`, whose tables fit a terminal of this width: the widest cells are shortened,
    /// and rows of too many columns are written with one line per column.
    ///
    /// # Errors
    /// If `out` fails, or the format does not support the columns.
    pub fn fitted(
        schema: &SchemaRef,
        format: RowFormat,
        width: Option<usize>,
        out: Out<'a>,
    ) -> Result<Self, ReportError> {
        let json = || arrow::json::WriterBuilder::new().with_explicit_nulls(true);
        Ok(Self(match format {
            RowFormat::Table => Form::Table(Box::new(Group::new(schema, width, out))),
            RowFormat::Vertical => Form::Vertical { out, rows: 0 },
            RowFormat::Csv | RowFormat::Spreadsheet => {
                let text = match format {
                    RowFormat::Csv => CsvText::Unchanged,
                    _ => CsvText::Spreadsheet,
                };
                let mut writer = Box::new(csv::Writer::from_writer(out));
                // Without rows, the header is still written.
                let names = schema.fields().iter().map(|field| text.cell(field.name()));
                csv_record(&mut writer, names)?;
                writer.flush()?;
                Form::Csv { writer, text }
            }
            RowFormat::Json => Form::Json(json().build(Tail(out))),
            RowFormat::JsonLines => Form::JsonLines(json().build(out)),
            RowFormat::Parquet => {
                let zstd = Compression::ZSTD(ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(zstd).build();
                let writer = ArrowWriter::try_new(out, schema.clone(), Some(properties))?;
                Form::Parquet(Box::new(writer))
            }
            RowFormat::Markdown => {
                let names = schema.fields().iter().map(|field| escape_markdown(field.name()));
                markdown_header(out, names)?;
                Form::Markdown(out)
            }
        }))
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If the output fails, or a value cannot be formatted.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), ReportError> {
        match &mut self.0 {
            Form::Table(group) => each_row(batch, |cells| {
                group.add(cells.map(|cell| escape(&cell).into_owned()).collect())
            }),
            Form::Vertical { out, rows } => vertical(batch, rows, *out),
            Form::Csv { writer, text } => csv_rows(batch, writer, *text),
            Form::Json(writer) => Ok(writer.write(batch)?),
            Form::JsonLines(writer) => Ok(writer.write(batch)?),
            Form::Parquet(writer) => Ok(writer.write(batch)?),
            Form::Markdown(out) => each_row(batch, |cells| {
                Ok(markdown_row(*out, cells.map(|cell| escape_markdown(&cell)))?)
            }),
        }
    }

    /// Writes the end of the output.
    ///
    /// # Errors
    /// If the output fails.
    pub fn finish(self) -> Result<(), ReportError> {
        match self.0 {
            Form::Table(group) => group.finish(),
            Form::Vertical { out, rows } => Ok(count(out, rows)?),
            Form::Json(mut writer) => {
                writer.finish()?;
                Ok(writer.into_inner().0.write_all(b"\n")?)
            }
            Form::JsonLines(mut writer) => Ok(writer.finish()?),
            Form::Parquet(writer) => {
                writer.close()?;
                Ok(())
            }
            Form::Csv { .. } | Form::Markdown(_) => Ok(()),
        }
    }
}

/// Writes all rows of a query.
///
/// # Errors
/// See [`RowWriter`].
pub fn write_rows(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    format: RowFormat,
    out: Out<'_>,
) -> Result<(), ReportError> {
    write_fitted_rows(schema, batches, format, None, out)
}

/// Writes all rows of a query, for a terminal of this width.
///
/// # Errors
/// See [`RowWriter`].
pub(crate) fn write_fitted_rows(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    format: RowFormat,
    width: Option<usize>,
    out: Out<'_>,
) -> Result<(), ReportError> {
    let mut writer = RowWriter::fitted(schema, format, width, out)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}

/// The output of a JSON array, to which a line end is appended.
struct Tail<'a>(Out<'a>);

impl Write for Tail<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Calls `take` with the cells of each row, as text; null is empty.
fn each_row(
    batch: &RecordBatch,
    mut take: impl FnMut(&mut dyn Iterator<Item = String>) -> Result<(), ReportError>,
) -> Result<(), ReportError> {
    let options = FormatOptions::default().with_display_error(true).with_null("");
    let formatters = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
    let formatters = formatters.collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        take(&mut formatters.iter().map(|column| column.value(row).to_string()))?;
    }
    Ok(())
}

/// A table that is written in groups of rows.
struct Group<'a> {
    out: Out<'a>,
    table: Table,
    rows: usize,
    /// The width of the terminal.
    width: Option<usize>,
    is_shortened: bool,
}

impl<'a> Group<'a> {
    fn new(schema: &Schema, width: Option<usize>, out: Out<'a>) -> Self {
        let names = schema.fields().iter().map(|field| escape(field.name()).into_owned());
        Self { out, table: Table::new(names.collect()), rows: 0, width, is_shortened: false }
    }

    fn add(&mut self, cells: Vec<String>) -> Result<(), ReportError> {
        self.rows += 1;
        self.table.add(cells);
        if self.table.is_full() {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> std::io::Result<()> {
        if let Some(width) = self.width.filter(|width| !self.table.fits(*width)) {
            if !self.table.shorten(width) && self.table.len() > 0 {
                let (names, rows) = self.table.cells();
                let first = self.rows - rows.len() + 1;
                for (number, row) in (first..).zip(rows) {
                    vertical_row(number, names, row.iter(), self.out)?;
                }
                self.table.clear();
                return Ok(());
            }
            self.is_shortened = true;
        }
        self.table.write(self.out)
    }

    fn finish(mut self) -> Result<(), ReportError> {
        if self.table.len() > 0 || self.rows == 0 {
            self.write()?;
        }
        count(self.out, self.rows)?;
        if self.is_shortened && self.rows > 0 {
            writeln!(
                self.out,
                "(cells are shortened to the terminal; --format vertical or \\x shows them whole)"
            )?;
        }
        Ok(())
    }
}

fn count(out: Out<'_>, rows: usize) -> std::io::Result<()> {
    writeln!(out, "{rows} row{}", if rows == 1 { "" } else { "s" })
}

/// The maximum width of names: a query may name a column as it likes, and a width has 16 bits.
const MAX_WIDTH: usize = 200;

/// Writes rows in the format of psql's `\x`.
fn vertical(batch: &RecordBatch, rows: &mut usize, out: Out<'_>) -> Result<(), ReportError> {
    let schema = batch.schema();
    let names: Vec<_> = schema.fields().iter().map(|field| escape(field.name())).collect();
    each_row(batch, |cells| {
        *rows += 1;
        let cells = cells.map(|cell| escape(&cell).into_owned());
        Ok(vertical_row(*rows, &names, cells, out)?)
    })
}

/// Writes one row, with one line per column.
fn vertical_row(
    number: usize,
    names: &[impl AsRef<str>],
    cells: impl Iterator<Item = impl AsRef<str>>,
    out: Out<'_>,
) -> std::io::Result<()> {
    let longest = names.iter().map(|name| name.as_ref().chars().count()).max().unwrap_or(0);
    let width = longest.min(MAX_WIDTH);
    writeln!(out, "-[ {number} ]{}", "-".repeat(width))?;
    for (name, cell) in names.iter().zip(cells) {
        writeln!(out, "{:<width$} | {}", name.as_ref(), cell.as_ref())?;
    }
    Ok(())
}

/// How text is written in CSV.
#[derive(Debug, Clone, Copy)]
enum CsvText {
    Unchanged,
    Spreadsheet,
}

impl CsvText {
    fn cell(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Unchanged => Cow::Borrowed(text),
            Self::Spreadsheet => spreadsheet_cell(text),
        }
    }
}

fn csv_rows(
    batch: &RecordBatch,
    writer: &mut csv::Writer<Out<'_>>,
    text: CsvText,
) -> Result<(), ReportError> {
    let columns = batch.columns().iter().map(|column| csv_column(column, text));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let options = FormatOptions::default().with_display_error(false).with_null("");
    let cells = columns.iter().map(|column| ArrayFormatter::try_new(column, &options));
    let cells = cells.collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        let record = cells.iter().map(|column| column.value(row).try_to_string());
        csv_record(writer, record.collect::<Result<Vec<_>, _>>()?)?;
    }
    Ok(writer.flush()?)
}

/// Writes a line. An error of the output is kept, so that a reader who stops early is not a failure.
fn csv_record<T: AsRef<str>>(
    writer: &mut csv::Writer<Out<'_>>,
    cells: impl IntoIterator<Item = T>,
) -> std::io::Result<()> {
    for cell in cells {
        writer.write_field(cell.as_ref()).map_err(of_output)?;
    }
    writer.write_record(None::<&[u8]>).map_err(of_output)
}

/// Returns the error of the output itself: a wrapped error would hide that the reader stopped early.
fn of_output(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

/// Converts a column for CSV: nested values become JSON.
fn csv_column(column: &ArrayRef, text: CsvText) -> Result<ArrayRef, ReportError> {
    if column.data_type().is_nested() && !is_text(column.data_type()) {
        return nested_as_json(column, text);
    }
    if !is_text(column.data_type()) {
        return Ok(column.clone());
    }
    let strings = cast(column, &DataType::Utf8)?;
    if matches!(text, CsvText::Unchanged) {
        return Ok(strings);
    }
    let quoted = strings.as_string::<i32>().iter().map(|text| text.map(spreadsheet_cell));
    Ok(Arc::new(quoted.collect::<StringArray>()))
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        DataType::RunEndEncoded(_, values) => is_text(values.data_type()),
        _ => false,
    }
}

fn nested_as_json(column: &ArrayRef, text: CsvText) -> Result<ArrayRef, ReportError> {
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
        let json = match text {
            CsvText::Unchanged => buffer.clone(),
            CsvText::Spreadsheet => {
                let mut json = TerminalWriter::new(Vec::new());
                json.write_all(&buffer)?;
                json.into_inner()
            }
        };
        texts.push(Some(String::from_utf8_lossy(&json).into_owned()));
    }
    Ok(Arc::new(StringArray::from(texts)))
}
