//! Parquet encodings of the columns of a table.

use arrow::datatypes::{DataType, Schema};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::spec::{TableSpec, leaf_count};

/// The key in a footer with the directory of the file's partition: the values of partition columns are not in the rows.
pub(crate) const PARTITION_KEY: &str = "podtrail.partition";

/// The lowest level already reduces audit logs to a twentieth of their JSON; higher levels were not measured.
const ZSTD_LEVEL: i32 = 1;

/// Small enough that a query for a few minutes of a day skips most of a file.
pub(crate) const ROW_GROUP_ROWS: usize = 32 * 1024;

/// Maximum in-memory size of the rows of a row group, which matters if bodies are large: one group for a usual commit.
pub(crate) const ROW_GROUP_BYTES: usize = 96 << 20;

/// One look-up in a hundred reads a row group unnecessarily.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;

/// Returns the writer properties of a file with the columns of `schema`.
pub(crate) fn writer_properties(
    spec: &TableSpec,
    schema: &Schema,
) -> Result<WriterProperties, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("podtrail ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_sorting_columns(Some(sorting_columns(spec, schema)));
    for field in schema.fields() {
        let name = field.name().as_str();
        let path = ColumnPath::from(name);
        if spec.opaque_columns.contains(&name) {
            builder = builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::None);
        } else if !field.data_type().is_nested() {
            builder = builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page);
        }
        if spec.unique_columns.contains(&name) || spec.opaque_columns.contains(&name) {
            builder = builder.set_column_dictionary_enabled(path.clone(), false);
        }
        if spec.delta_columns.contains(&name) {
            builder = builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
        }
        if spec.bloom_columns.contains(&name) {
            builder = builder
                .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
                .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64);
        }
    }
    Ok(builder.build())
}

fn sorting_columns(spec: &TableSpec, schema: &Schema) -> Vec<SortingColumn> {
    spec.sort_columns()
        .filter_map(|name| leaf_index(schema, name))
        .filter_map(|leaf| i32::try_from(leaf).ok())
        .map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: false })
        .collect()
}

/// Returns the number of the Parquet column of a top-level column.
fn leaf_index(schema: &Schema, name: &str) -> Option<usize> {
    let index = schema.index_of(name).ok()?;
    let types = schema.fields().iter().take(index).map(|field| field.data_type());
    Some(types.map(DataType::clone).map(|data_type| leaf_count(&data_type)).sum())
}
