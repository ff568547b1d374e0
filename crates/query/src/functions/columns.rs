//! The arguments of a window function as columns, and its result as a struct of columns taken from other rows.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, StringArray, UInt32Array};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::{as_boolean_array, as_string_array};
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;

/// The arguments of a function, by position.
pub(super) struct Arguments<'a> {
    arrays: &'a [ArrayRef],
}

impl<'a> Arguments<'a> {
    pub(super) fn new(arrays: &'a [ArrayRef]) -> Self {
        Self { arrays }
    }

    pub(super) fn array(&self, position: usize) -> Result<&'a ArrayRef> {
        self.arrays
            .get(position)
            .ok_or_else(|| exec_datafusion_err!("missing argument {}", position + 1))
    }

    pub(super) fn text(&self, position: usize) -> Result<StringArray> {
        let array = cast(self.array(position)?, &DataType::Utf8)?;
        Ok(as_string_array(&array)?.clone())
    }

    pub(super) fn boolean(&self, position: usize) -> Result<BooleanArray> {
        Ok(as_boolean_array(self.array(position)?)?.clone())
    }
}

/// Returns the value in a row; `None` is null.
pub(super) fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

pub(super) fn boolean(column: &BooleanArray, row: usize) -> Option<bool> {
    column.is_valid(row).then(|| column.value(row))
}

/// Converts row numbers of the same partition for [`from_rows`].
pub(super) fn rows(rows: impl Iterator<Item = Option<usize>>) -> Result<UInt32Array> {
    rows.map(|row| {
        let row = row.map(u32::try_from).transpose();
        row.or_else(|_| exec_err!("too many rows in one cluster"))
    })
    .collect()
}

/// Returns for each row the value of a column in another row; null if there is no other row.
pub(super) fn from_rows(column: &dyn Array, rows: &UInt32Array) -> Result<ArrayRef> {
    Ok(take(column, rows, None)?)
}

pub(super) fn strings<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
