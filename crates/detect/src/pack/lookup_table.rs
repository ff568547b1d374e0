//! Lookup tables that detections share, such as sensitive paths or attack tools: CSV files, joined in SQL.
//!
//! The first line names the columns; every value is a string; lines that begin with `#` contain source and date.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

/// Why a file is not a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The text is not CSV, or its lines differ in length.
    #[error("invalid CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The columns do not form a table.
    #[error("invalid columns: {0}")]
    Columns(#[from] ArrowError),
    /// The source of the rows is missing.
    #[error("missing source; add a line '# source: …'")]
    NoSource,
}

/// Parses a table; an empty value is null.
pub(crate) fn read(text: &str) -> Result<RecordBatch, TableError> {
    if !text.lines().any(|line| line.starts_with("# source:")) {
        return Err(TableError::NoSource);
    }
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let names = reader.headers()?.clone();
    let mut columns: Vec<_> = names.iter().map(|_| StringBuilder::new()).collect();
    for row in reader.records() {
        for (column, value) in columns.iter_mut().zip(&row?) {
            column.append_option((!value.is_empty()).then_some(value));
        }
    }
    let fields: Vec<_> = names.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    let columns = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
