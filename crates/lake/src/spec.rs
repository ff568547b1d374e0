//! What a table of the lake looks like: columns, partitions, identity, and how its columns are best encoded.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use podtrail_event::{ExportError, FieldDoc};

/// Delta Lake keeps statistics of this many leaf columns by default (`delta.dataSkippingNumIndexedCols`).
const INDEXED_LEAVES: usize = 32;

/// One id for each row of a batch.
pub(crate) type ComputeIds = fn(&RecordBatch) -> Result<Vec<String>, ExportError>;

/// The shape of one table, shared by everything that writes or reads it.
#[derive(Debug)]
pub(crate) struct TableSpec {
    /// The directory below the lake, and the name in messages.
    pub(crate) name: &'static str,
    /// The application transaction that every append carries.
    pub(crate) application: &'static str,
    /// All columns in table order, partition columns included.
    pub(crate) schema: SchemaRef,
    /// What each column holds.
    pub(crate) documentation: fn() -> Vec<FieldDoc>,
    /// Columns that make up the directories; they are not stored in the files.
    pub(crate) partition_columns: &'static [&'static str],
    /// Column with 32 hexadecimal digits that is equal for equal rows only.
    pub(crate) id_column: &'static str,
    /// A partition column and its value where the source of a row is not known. A row of which that is true equals the row
    /// with its id of any other value.
    pub(crate) unknown: Option<(&'static str, &'static str)>,
    /// Computes the ids of rows, with the columns that are stored in files, from their other columns, where that can be done.
    pub(crate) ids: Option<ComputeIds>,
    /// How rows are kept apart in a file.
    pub(crate) apart: Option<Apart>,
    /// Timestamp (microseconds, UTC, never null) by which rows are sorted; equal rows have equal times.
    pub(crate) time_column: Option<&'static str>,
    /// Columns whose values hardly ever repeat: a dictionary would only be built to be thrown away.
    pub(crate) unique_columns: &'static [&'static str],
    /// Columns that are never compared, only read: no statistics.
    pub(crate) opaque_columns: &'static [&'static str],
    /// Columns that grow slowly from row to row.
    pub(crate) delta_columns: &'static [&'static str],
    /// Columns looked up by equality that the sort order does not help with.
    pub(crate) bloom_columns: &'static [&'static str],
}

/// A column by which rows are sorted before all else: those that are seldom queried stand at the end of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Apart {
    /// A column of strings. Equal rows of different appends may differ in it.
    pub(crate) column: &'static str,
    /// All its values, in order.
    pub(crate) values: &'static [&'static str],
    /// A value that speaks of other rows of the same append, and the one that a row gets instead where an append leaves
    /// rows out.
    pub(crate) together: (&'static str, &'static str),
}

impl Apart {
    /// Where a value stands; after all others where it is none of them.
    pub(crate) fn place(&self, value: Option<&str>) -> usize {
        let place = value.and_then(|value| self.values.iter().position(|known| *known == value));
        place.unwrap_or(self.values.len())
    }
}

impl TableSpec {
    /// The columns by which rows are in order.
    pub(crate) fn sort_columns(&self) -> impl Iterator<Item = &'static str> {
        self.apart
            .map(|apart| apart.column)
            .into_iter()
            .chain(self.time_column)
            .chain([self.id_column])
    }

    /// Whether the column of this name is in the directory name instead of in the files.
    pub(crate) fn is_partition_column(&self, name: &str) -> bool {
        self.partition_columns.contains(&name)
    }

    /// The columns stored in the files.
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

    /// The type in which the values of a column are gathered: large ones by reference.
    pub(crate) fn gathered_type<'f>(&self, field: &'f Field) -> &'f DataType {
        let is_opaque = self.opaque_columns.contains(&field.name().as_str());
        match field.data_type() {
            DataType::Utf8 if is_opaque => &DataType::Utf8View,
            DataType::Binary if is_opaque => &DataType::BinaryView,
            data_type => data_type,
        }
    }

    /// All columns, each with its documentation where Delta Lake looks for comments.
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

    /// Indices into `schema` of the columns stored in the files.
    pub(crate) fn file_column_indices(&self) -> Vec<usize> {
        self.schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| !self.is_partition_column(field.name()))
            .map(|(index, _)| index)
            .collect()
    }

    /// The stored columns of which the log keeps minimum, maximum and null count.
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

/// The number of Parquet columns that a column of this type becomes.
pub(crate) fn leaf_count(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| leaf_count(field.data_type())).sum(),
        DataType::List(field) | DataType::Map(field, _) => leaf_count(field.data_type()),
        _ => 1,
    }
}
