//! The specification of a table: columns, partitions, identity, and encodings of its columns.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use podtrail_event::{ExportError, FieldDoc};

/// Number of leaf columns for which Delta Lake keeps statistics by default (`delta.dataSkippingNumIndexedCols`).
const INDEXED_LEAVES: usize = 32;

/// Computes one id for each row of a batch.
pub(crate) type ComputeIds = fn(&RecordBatch) -> Result<Vec<String>, ExportError>;

/// The specification of one table, shared by readers and writers.
#[derive(Debug)]
pub(crate) struct TableSpec {
    /// The directory in the lake, and the name in messages.
    pub(crate) name: &'static str,
    /// The application transaction that every append carries.
    pub(crate) application: &'static str,
    /// All columns in table order, partition columns included.
    pub(crate) schema: SchemaRef,
    /// The documentation of each column.
    pub(crate) documentation: fn() -> Vec<FieldDoc>,
    /// Columns that form the directories; they are not stored in the files.
    pub(crate) partition_columns: &'static [&'static str],
    /// Column with 32 hexadecimal digits that are equal for equal rows only.
    pub(crate) id_column: &'static str,
    /// A partition column, and its value for rows whose source is unknown. Such a row equals a row with the same id and
    /// any other value.
    pub(crate) unknown: Option<(&'static str, &'static str)>,
    /// Computes the ids of rows from their other columns, if that is possible, given the columns stored in files.
    pub(crate) ids: Option<ComputeIds>,
    /// The first sort column, of booleans: rows that queries rarely read (`true`), and those of which this is not known
    /// (null), are at the end of a file. Equal rows of different appends may differ in it.
    pub(crate) rare_column: Option<&'static str>,
    /// Timestamp (microseconds, UTC, never null) by which rows are sorted; equal rows have equal times.
    pub(crate) time_column: Option<&'static str>,
    /// Columns whose values rarely repeat, for which a dictionary would be built and discarded.
    pub(crate) unique_columns: &'static [&'static str],
    /// Columns that are read but never compared: no statistics.
    pub(crate) opaque_columns: &'static [&'static str],
    /// Columns that increase slowly from row to row.
    pub(crate) delta_columns: &'static [&'static str],
    /// Columns that are looked up by equality and are not in the sort order.
    pub(crate) bloom_columns: &'static [&'static str],
}

impl TableSpec {
    /// Returns the sort columns of rows.
    pub(crate) fn sort_columns(&self) -> impl Iterator<Item = &'static str> {
        self.rare_column.into_iter().chain(self.time_column).chain([self.id_column])
    }

    /// Returns whether the column is stored in the directory name instead of the files.
    pub(crate) fn is_partition_column(&self, name: &str) -> bool {
        self.partition_columns.contains(&name)
    }

    /// Returns whether every file contains the column, even without a value in it. Files are merged by the sort columns.
    pub(crate) fn is_in_every_file(&self, field: &Field) -> bool {
        !field.is_nullable() || self.sort_columns().any(|column| column == field.name())
    }

    /// Returns the columns stored in the files. A file may omit columns without a value.
    pub(crate) fn file_schema(&self) -> SchemaRef {
        let fields: Vec<_> = self
            .schema
            .fields()
            .iter()
            .filter(|field| !self.is_partition_column(field.name()))
            .cloned()
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// Returns the type in which the values of a column are collected: large values by reference.
    pub(crate) fn gathered_type<'f>(&self, field: &'f Field) -> &'f DataType {
        let is_opaque = self.opaque_columns.contains(&field.name().as_str());
        match field.data_type() {
            DataType::Utf8 if is_opaque => &DataType::Utf8View,
            DataType::Binary if is_opaque => &DataType::BinaryView,
            data_type => data_type,
        }
    }

    /// Returns all columns, each with its documentation as the comment that Delta Lake reads.
    pub(crate) fn commented_schema(&self) -> Schema {
        let documentation = (self.documentation)();
        let fields = self.schema.fields().iter().map(|field| {
            let documented =
                documentation.iter().find(|documented| documented.name == field.name());
            let comment = documented.map(|field| ("comment".to_owned(), field.doc.clone()));
            Field::clone(field).with_metadata(comment.into_iter().collect())
        });
        Schema::new(fields.collect::<Vec<_>>())
    }

    /// Returns the indices into `schema` of the columns stored in the files.
    pub(crate) fn file_column_indices(&self) -> Vec<usize> {
        self.schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| !self.is_partition_column(field.name()))
            .map(|(index, _)| index)
            .collect()
    }

    /// Returns the stored columns for which the log keeps minimum, maximum and null count.
    pub(crate) fn indexed_columns(&self) -> Vec<Arc<Field>> {
        let mut leaves = 0;
        let mut indexed = Vec::new();
        for field in self.file_schema().fields() {
            leaves += leaf_count(field.data_type());
            if leaves > INDEXED_LEAVES {
                break;
            }
            let name = field.name().as_str();
            let skipped =
                self.unique_columns.contains(&name) || self.opaque_columns.contains(&name);
            if !field.data_type().is_nested() && !skipped {
                indexed.push(field.clone());
            }
        }
        indexed
    }
}

/// Returns the number of Parquet leaf columns for a column of this type.
pub(crate) fn leaf_count(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| leaf_count(field.data_type())).sum(),
        DataType::List(field) | DataType::Map(field, _) => leaf_count(field.data_type()),
        _ => 1,
    }
}
