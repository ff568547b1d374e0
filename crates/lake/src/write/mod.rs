//! Writes Parquet files: rows of one partition, sorted, bounded in size, with the `Add` action that makes them visible.

pub(crate) mod append;
pub(crate) mod dedupe;
pub(crate) mod known_ids;
pub(crate) mod writer_properties;
pub(crate) mod writers;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, RecordBatch, StringViewArray};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriterOptions,
    compute_leaves,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use uuid::Uuid;

use crate::error::LakeError;
use crate::log::entry::AddFile;
use crate::log::stats::FileStats;
use crate::partition::{PartitionValues, Partitions, directory};
use crate::spec::{TableSpec, leaf_count};
use crate::store::{Folder, NewFile};
use crate::write::dedupe::Row;
use crate::write::writer_properties::{
    PARTITION_KEY, ROW_GROUP_BYTES, ROW_GROUP_ROWS, writer_properties,
};

/// Four full row groups: engines that read a file as one task can use all cores.
const FILE_ROWS: usize = 4 * ROW_GROUP_ROWS;

/// Maximum in-memory size of the rows of a file, which matters if bodies are large.
const FILE_BYTES: usize = 512 << 20;

/// A column is collected from the batches in slices that stay in a core's cache until they are encoded.
const SLICE_ROWS: usize = 4096;

/// A file that is deleted unless it is kept.
#[derive(Debug)]
struct Unkept(Option<(Folder, String)>);

impl Drop for Unkept {
    fn drop(&mut self) {
        if let Some((root, path)) = self.0.take()
            && let Err(error) = root.remove(&path)
        {
            // An orphan is invisible to readers: the log does not name it.
            tracing::debug!(path = %root.show(&path), %error, "cannot remove an uncommitted file");
        }
    }
}

/// A file that no commit names yet. Dropping it deletes it.
#[derive(Debug)]
pub(crate) struct Written {
    /// The `Add` action of the file.
    pub(crate) add: AddFile,
    /// The rows of the append in it, in order; none if existing rows were rewritten.
    pub(crate) rows: Vec<Row>,
    file: Unkept,
}

impl Written {
    /// Returns its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.add.size
    }

    /// Keeps the file when this value is dropped.
    pub(crate) fn keep(&mut self) {
        self.file.0 = None;
    }

    /// Deletes the file when this value is dropped.
    pub(crate) fn unkeep(&mut self, root: &Folder) {
        self.file.0 = Some((root.clone(), self.add.path.clone()));
    }
}

/// Writes rows of one append into files.
pub(crate) struct Writer<'a> {
    spec: &'a TableSpec,
    root: &'a Folder,
    partitions: &'a Partitions,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    bytes: RowBytes,
}

impl<'a> Writer<'a> {
    /// Creates a writer of rows of these batches into the table at `root`.
    pub(crate) fn new(
        spec: &'a TableSpec,
        root: &'a Folder,
        partitions: &'a Partitions,
        batches: &[RecordBatch],
    ) -> Result<Self, LakeError> {
        let columns = spec.file_column_indices();
        let file_schema = spec.file_schema();
        let fields = file_schema
            .fields()
            .iter()
            .map(|field| Field::clone(field).with_data_type(spec.gathered_type(field).clone()));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batches = batches
            .iter()
            .map(|batch| {
                let columns = columns.iter().zip(schema.fields());
                let columns = columns
                    .map(|(&column, field)| gathered(batch.column(column), field.data_type()));
                RecordBatch::try_new(schema.clone(), columns.collect())
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(LakeError::arrow(spec.name))?;
        let bytes = RowBytes::new(&batches);
        Ok(Self { spec, root, partitions, schema, batches, bytes })
    }

    /// Writes rows, sorted by partition, in parallel. After an error no files remain.
    pub(crate) fn write(&self, rows: &[Row]) -> Result<Vec<Written>, LakeError> {
        let files: Vec<&[Row]> = rows
            .chunk_by(|a, b| a.partition == b.partition)
            .flat_map(|rows| self.bytes.split(rows, FILE_ROWS, FILE_BYTES))
            .collect();
        let written = files.into_par_iter().map(|rows| self.write_file(rows));
        let written: Vec<Result<Written, LakeError>> = written.collect();
        written.into_iter().collect()
    }

    fn write_file(&self, rows: &[Row]) -> Result<Written, LakeError> {
        let partition = self.partitions.values(rows[0].partition);
        let columns = self.stored_columns(rows);
        let schema =
            Arc::new(self.schema.project(&columns).map_err(LakeError::arrow(self.spec.name))?);
        let mut file = FileWriter::create(self.spec, self.root, partition, schema)?;
        for group in self.bytes.split(rows, ROW_GROUP_ROWS, ROW_GROUP_BYTES) {
            let indices: Vec<_> = group.iter().map(|row| (row.batch, row.index)).collect();
            file.write_group(|column| {
                let arrays: Vec<_> =
                    self.batches.iter().map(|batch| &**batch.column(columns[column])).collect();
                indices.chunks(SLICE_ROWS).map(move |indices| interleave(&arrays, indices))
            })?;
        }
        Ok(Written { rows: rows.to_vec(), ..file.close()? })
    }

    /// Returns the indices of the columns that a file with these rows contains.
    fn stored_columns(&self, rows: &[Row]) -> Vec<usize> {
        let has_value = |column: usize| {
            rows.iter().any(|row| self.batches[row.batch].column(column).is_valid(row.index))
        };
        let fields = self.schema.fields().iter().enumerate();
        let stored = fields
            .filter(|(column, field)| self.spec.is_in_every_file(field) || has_value(*column));
        stored.map(|(column, _)| column).collect()
    }
}

/// The destination of a file, which is taken out of its writer to be closed.
struct Sink(Option<Box<dyn NewFile>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(file) => file.write(bytes),
            None => Err(io::Error::other("the file is closed")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// One data file that is being written. Dropped before it is closed, it is deleted.
pub(crate) struct FileWriter<'a> {
    spec: &'a TableSpec,
    partition: &'a PartitionValues,
    /// Its path inside the table.
    path: String,
    /// Its path or URL.
    place: String,
    schema: SchemaRef,
    writer: SerializedFileWriter<Sink>,
    columns: ArrowRowGroupWriterFactory,
    unkept: Unkept,
}

impl<'a> FileWriter<'a> {
    /// Creates a file in a partition of the table at `root`, with the columns of `schema`. Those without a value in any row
    /// may be omitted, as far as [`TableSpec::is_in_every_file`] permits: readers return null for them. Each would have an
    /// entry in the footer, which every query reads.
    pub(crate) fn create(
        spec: &'a TableSpec,
        root: &Folder,
        partition: &'a PartitionValues,
        schema: SchemaRef,
    ) -> Result<Self, LakeError> {
        let directory = directory(spec.partition_columns, partition);
        let name = format!("part-{}.zstd.parquet", Uuid::now_v7());
        let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
        let place = root.show(&path);
        root.check_writable()?;
        let sink = root.write(&path).map_err(LakeError::io("create", &place))?;
        let unkept = Unkept(Some((root.clone(), path.clone())));

        let parquet = LakeError::parquet;
        let properties = writer_properties(spec, &schema).map_err(parquet("write", &place))?;
        // The Arrow types follow from the Parquet types: repeating them would double the footer, which every query
        // reads from every file.
        let options =
            ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let (mut writer, columns) =
            ArrowWriter::try_new_with_options(Sink(Some(sink)), schema.clone(), options)
                .and_then(ArrowWriter::into_serialized_writer)
                .map_err(parquet("write", &place))?;
        let named = KeyValue::new(PARTITION_KEY.to_owned(), directory);
        writer.append_key_value_metadata(named);
        Ok(Self { spec, partition, path, place, schema, writer, columns, unkept })
    }

    /// Adds a row group. Its rows are in table order and follow the previous ones; `values` returns those of a column
    /// by number, slice by slice.
    ///
    /// Columns are encoded in parallel, each from its first value to its last: memory is needed for the buffers and
    /// compressors of as many columns as there are cores, not of two hundred.
    pub(crate) fn write_group<V: Iterator<Item = Result<ArrayRef, ArrowError>>>(
        &mut self,
        values: impl Fn(usize) -> V + Sync,
    ) -> Result<(), LakeError> {
        self.encode(values).map_err(LakeError::parquet("write", &self.place))
    }

    fn encode<V: Iterator<Item = Result<ArrayRef, ArrowError>>>(
        &mut self,
        values: impl Fn(usize) -> V + Sync,
    ) -> Result<(), ParquetError> {
        let number = self.writer.flushed_row_groups().len();
        let mut writers = self.columns.create_column_writers(number)?.into_iter();
        let fields = self.schema.fields().iter();
        let columns: Vec<(&Field, Vec<ArrowColumnWriter>)> = fields
            .map(|field| (&**field, writers.by_ref().take(leaf_count(field.data_type())).collect()))
            .collect();
        let chunks = columns.into_par_iter().with_max_len(1).enumerate();
        let chunks = chunks
            .map(|(column, (field, leaves))| encode_column(field, values(column), leaves))
            .collect::<Result<Vec<_>, ParquetError>>()?;
        let mut group = self.writer.next_row_group()?;
        for chunk in chunks.into_iter().flatten() {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        Ok(())
    }

    /// Closes the file and makes it durable.
    pub(crate) fn close(mut self) -> Result<Written, LakeError> {
        let parquet = LakeError::parquet;
        let footer = self.writer.finish().map_err(parquet("write", &self.place))?;
        let sink = self.writer.inner_mut().0.take();
        let closed = sink.map_or(Ok(0), NewFile::close);
        let size = closed.map_err(LakeError::io("write", &self.place))?;

        let indexed = self.spec.indexed_columns();
        let stats = FileStats::from_footer(&footer, &self.schema, &indexed)
            .map_err(parquet("read back", &self.place))?;
        let stats = serde_json::to_string(&stats).map_err(|error| LakeError::Rows {
            table: self.spec.name,
            detail: format!("statistics: {error}"),
        })?;
        let add = AddFile {
            path: self.path,
            partition_values: self
                .spec
                .partition_columns
                .iter()
                .copied()
                .zip(self.partition.iter().cloned())
                .collect(),
            size,
            modification_time: now_millis(),
            data_change: true,
            stats,
        };
        Ok(Written { add, rows: Vec::new(), file: self.unkept })
    }
}

/// Encodes a column of a row group, with one writer for each of its leaves.
fn encode_column(
    field: &Field,
    values: impl Iterator<Item = Result<ArrayRef, ArrowError>>,
    mut writers: Vec<ArrowColumnWriter>,
) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
    for slice in values {
        for (leaf, writer) in compute_leaves(field, &slice?)?.iter().zip(&mut writers) {
            writer.write(leaf)?;
        }
    }
    writers.into_iter().map(ArrowColumnWriter::close).collect()
}

/// Returns a column with its values by reference, if its type requires that.
fn gathered(column: &ArrayRef, data_type: &DataType) -> ArrayRef {
    match (column.data_type(), data_type) {
        (DataType::Utf8, DataType::Utf8View) => {
            Arc::new(StringViewArray::from(column.as_string::<i32>()))
        }
        (DataType::Binary, DataType::BinaryView) => {
            Arc::new(BinaryViewArray::from(column.as_binary::<i32>()))
        }
        _ => column.clone(),
    }
}

/// The memory of rows: an estimate, exact for the columns that can be large.
struct RowBytes {
    batches: Vec<BatchBytes>,
}

struct BatchBytes {
    average: usize,
    large: Vec<Vec<u32>>,
}

impl RowBytes {
    fn new(batches: &[RecordBatch]) -> Self {
        Self { batches: batches.iter().map(BatchBytes::new).collect() }
    }

    fn of(&self, row: &Row) -> usize {
        let batch = &self.batches[row.batch];
        let large = batch.large.iter().map(|lengths| lengths[row.index] as usize);
        batch.average + large.sum::<usize>()
    }

    /// Splits rows into pieces within both limits; a single row is a piece of any size.
    fn split<'r>(&self, rows: &'r [Row], max_rows: usize, max_bytes: usize) -> Vec<&'r [Row]> {
        let mut pieces = Vec::new();
        let mut start = 0;
        let mut bytes = 0;
        for (index, row) in rows.iter().enumerate() {
            let row_bytes = self.of(row);
            if index > start && (index - start == max_rows || bytes + row_bytes > max_bytes) {
                pieces.push(&rows[start..index]);
                start = index;
                bytes = 0;
            }
            bytes += row_bytes;
        }
        pieces.push(&rows[start..]);
        pieces
    }
}

impl BatchBytes {
    fn new(batch: &RecordBatch) -> Self {
        let mut small = 0;
        let mut large = Vec::new();
        for array in batch.columns() {
            match array.data_type() {
                DataType::Utf8View => large.push(array.as_string_view().lengths().collect()),
                DataType::BinaryView => large.push(array.as_binary_view().lengths().collect()),
                _ => small += array.get_array_memory_size(),
            }
        }
        Self { average: small / batch.num_rows().max(1), large }
    }
}

fn now_millis() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
