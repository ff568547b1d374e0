//! Deduplication: of equal rows, inside one append and against the table, only the first is kept.
//!
//! Equal rows have equal times and are in one partition, or in two that differ in a value that is unknown for one of
//! them (`TableSpec::unknown`). So a duplicate can only be in files of these partitions whose range of times contains a
//! new row, and in such row groups of them. Only the ids of these row groups are read. Memory is bounded by the new
//! rows and what [`KnownIds`] keeps, regardless of the size of the table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use rayon::prelude::*;

use crate::error::LakeError;
use crate::log::snapshot::DataFile;
use crate::partition::{PartitionValues, Partitions};
use crate::spec::TableSpec;
use crate::store::Folder;
use crate::write::known_ids::{FileIds, GroupIds, KnownIds};

/// The number of hexadecimal digits of an id.
const ID_DIGITS: usize = 32;

/// One row of an append: its position in the batches, its sort key and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// Number of its partition.
    pub(crate) partition: usize,
    pub(crate) rarity: Rarity,
    /// Microseconds since the Unix epoch; 0 in tables without a time.
    pub(crate) time: i64,
    pub(crate) id: u128,
    /// Index of the batch.
    pub(crate) batch: usize,
    /// Index of the row in its batch.
    pub(crate) index: usize,
}

impl Row {
    pub(crate) fn key(&self) -> RowKey {
        (self.partition, self.id)
    }
}

/// How often queries read a row, by [`TableSpec::rare_column`], in sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rarity {
    /// `false`, or a table without such a column.
    Common,
    /// `true`.
    Rare,
    /// Null.
    Unknown,
}

impl Rarity {
    fn of(value: Option<bool>) -> Self {
        match value {
            Some(false) => Self::Common,
            Some(true) => Self::Rare,
            None => Self::Unknown,
        }
    }
}

/// The properties that equal rows share.
pub(crate) type RowKey = (usize, u128);

/// The rows of an append without duplicates, in table order, and their partitions.
pub(crate) struct NewRows {
    pub(crate) rows: Vec<Row>,
    pub(crate) partitions: Partitions,
    /// The number of rows dropped because an equal one came before.
    pub(crate) repeated: u64,
}

impl NewRows {
    /// Reads ids, times and partitions of all rows.
    pub(crate) fn collect(spec: &TableSpec, batches: &[RecordBatch]) -> Result<Self, LakeError> {
        let arrow = LakeError::arrow;
        let mut partitions = Partitions::new(spec).map_err(arrow(spec.name))?;
        let mut rows = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
        let mut seen = HashSet::with_capacity(rows.capacity());
        let mut repeated = 0;
        for (batch_index, batch) in batches.iter().enumerate() {
            check_columns(spec, batch)?;
            let numbers = partitions.assign(batch).map_err(arrow(spec.name))?;
            let ids = text_column(spec, batch, spec.id_column)?;
            let times =
                spec.time_column.map(|column| time_column(spec, batch, column)).transpose()?;
            let rare = spec.rare_column.map(|column| boolean_column(spec, batch, column));
            let rare = rare.transpose()?;
            for (index, partition) in numbers.into_iter().enumerate() {
                let id = parse_id(ids.value(index)).ok_or_else(|| LakeError::Rows {
                    table: spec.name,
                    detail: format!(
                        "`{}` does not have {ID_DIGITS} hexadecimal digits: `{}`",
                        spec.id_column,
                        ids.value(index)
                    ),
                })?;
                let time = times.map_or(0, |times| times[index]);
                let rarity = rare.map_or(Rarity::Common, |rare| {
                    Rarity::of(rare.is_valid(index).then(|| rare.value(index)))
                });
                let row = Row { partition, rarity, time, id, batch: batch_index, index };
                if seen.insert(row.key()) {
                    rows.push(row);
                } else {
                    repeated += 1;
                }
            }
        }
        rows.par_sort_unstable();
        Ok(Self { rows, partitions, repeated })
    }

    /// Returns whether any of the rows may equal one in the partition with these values.
    pub(crate) fn may_have_equals_in(&self, values: &PartitionValues) -> bool {
        !self.partitions.comparable(values).is_empty()
    }

    /// Returns the rows of unknown source that equal a row of a known source.
    pub(crate) fn known_elsewhere(&self) -> HashSet<RowKey> {
        let by_partition = self.by_partition();
        let unknown = by_partition.iter().filter(|(partition, _)| {
            self.partitions.is_unknown(self.partitions.values(**partition))
        });
        unknown
            .flat_map(|(partition, rows)| {
                let comparable = self.partitions.comparable(self.partitions.values(*partition));
                let others = comparable.iter().filter(|other| *other != partition);
                let others = others.filter_map(|other| by_partition.get(other)).copied();
                let ids: HashSet<u128> = others.flatten().map(|row| row.id).collect();
                rows.iter().filter(move |row| ids.contains(&row.id)).map(Row::key)
            })
            .collect()
    }

    fn by_partition(&self) -> HashMap<usize, &[Row]> {
        let partitions = self.rows.chunk_by(|a, b| a.partition == b.partition);
        partitions.map(|rows| (rows[0].partition, rows)).collect()
    }

    /// Returns which of the rows are in the files, which may be of any partition.
    pub(crate) fn find_in(
        &self,
        spec: &TableSpec,
        root: &Folder,
        files: &[DataFile],
        known: &KnownIds,
    ) -> Result<HashSet<RowKey>, LakeError> {
        let wanted: HashMap<usize, Wanted> = self
            .by_partition()
            .into_iter()
            .map(|(partition, rows)| (partition, Wanted::new(rows)))
            .collect();
        let found: Vec<Vec<RowKey>> = files
            .par_iter()
            .map(|file| {
                let mut keys = Vec::new();
                for partition in self.partitions.comparable(&file.partition_values) {
                    if let Some(wanted) = wanted.get(&partition)
                        && wanted.may_be_in(spec, file)
                    {
                        let ids = wanted.find(spec, root, &file.path, known)?;
                        keys.extend(ids.into_iter().map(|id| (partition, id)));
                    }
                }
                Ok(keys)
            })
            .collect::<Result<_, LakeError>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Removes the rows with these keys. Returns their number.
    pub(crate) fn remove(&mut self, keys: &HashSet<RowKey>) -> u64 {
        let before = self.rows.len();
        self.rows.retain(|row| !keys.contains(&row.key()));
        (before - self.rows.len()) as u64
    }
}

/// The new rows of one partition.
struct Wanted {
    /// In order.
    times: Vec<i64>,
    ids: HashSet<u128>,
}

impl Wanted {
    fn new(rows: &[Row]) -> Self {
        let mut times: Vec<i64> = rows.iter().map(|row| row.time).collect();
        times.sort_unstable();
        Self { times, ids: rows.iter().map(|row| row.id).collect() }
    }

    /// Returns whether the time of any row is in this range. Logs that are read in parallel produce rows of a few short
    /// periods far apart: the time between them is not searched.
    fn any_within(&self, first: i64, last: i64) -> bool {
        let next = self.times.partition_point(|&time| time < first);
        self.times.get(next).is_some_and(|&time| time <= last)
    }

    fn may_be_in(&self, spec: &TableSpec, file: &DataFile) -> bool {
        let range = spec.time_column.and_then(|column| file.stats.as_ref()?.time_range(column));
        range.is_none_or(|(first, last)| self.any_within(first, last))
    }

    /// Returns the wanted ids that are in the file.
    fn find(
        &self,
        spec: &TableSpec,
        root: &Folder,
        path: &str,
        known: &KnownIds,
    ) -> Result<Vec<u128>, LakeError> {
        let file = match known.of(path) {
            Some(file) if !file.groups.iter().any(|group| self.lacks(group)) => file,
            before => {
                let file = Arc::new(self.read(spec, root, path, before.as_deref())?);
                known.keep(path, file.clone());
                file
            }
        };
        let groups = file.groups.iter().filter(|group| self.may_be_in_group(group));
        let ids = groups.filter_map(|group| group.ids.as_deref()).flatten();
        Ok(ids.filter(|id| self.ids.contains(id)).copied().collect())
    }

    fn may_be_in_group(&self, group: &GroupIds) -> bool {
        group.times.is_none_or(|(first, last)| self.any_within(first, last))
    }

    /// Returns whether a row group has to be read for these rows.
    fn lacks(&self, group: &GroupIds) -> bool {
        group.ids.is_none() && self.may_be_in_group(group)
    }

    /// Reads the row groups that these rows need and that were not read before.
    fn read(
        &self,
        spec: &TableSpec,
        root: &Folder,
        path: &str,
        before: Option<&FileIds>,
    ) -> Result<FileIds, LakeError> {
        let place = root.show(path);
        let parquet = |action| LakeError::parquet(action, place.clone());
        let file = root.open(path).map_err(LakeError::io("open", &place))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::default())
            .map_err(parquet("read"))?;
        let mut groups = match before {
            Some(before) => before.groups.clone(),
            None => row_groups(spec, &metadata).map_err(parquet("read"))?,
        };
        let mask = ProjectionMask::columns(metadata.parquet_schema(), [spec.id_column]);
        for (number, group) in groups.iter_mut().enumerate().filter(|(_, group)| self.lacks(group))
        {
            let (file, metadata) = (file.clone(), metadata.clone());
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
                .with_row_groups(vec![number])
                .with_projection(mask.clone())
                .build()
                .map_err(parquet("read"))?;
            let mut ids = Vec::new();
            for batch in reader {
                let batch = batch.map_err(LakeError::arrow(spec.name))?;
                let column = batch.columns().first().and_then(|ids| ids.as_string_opt::<i32>());
                let Some(texts) = column else {
                    let detail = format!("{place} has no text column `{}`", spec.id_column);
                    return Err(LakeError::Unsupported { table: spec.name, detail });
                };
                ids.extend(texts.iter().flatten().filter_map(parse_id));
            }
            group.ids = Some(ids.into());
        }
        Ok(FileIds { groups })
    }
}

/// Returns the row groups of a file of which no ids were read, with their ranges of times.
fn row_groups(
    spec: &TableSpec,
    file: &ArrowReaderMetadata,
) -> Result<Vec<GroupIds>, parquet::errors::ParquetError> {
    let groups = file.metadata().row_groups();
    let mut times = vec![None; groups.len()];
    if let Some(column) = spec.time_column {
        let converter = StatisticsConverter::try_new(column, file.schema(), file.parquet_schema())?;
        let firsts = converter.row_group_mins(groups)?;
        let lasts = converter.row_group_maxes(groups)?;
        if let (Some(firsts), Some(lasts)) = (
            firsts.as_primitive_opt::<TimestampMicrosecondType>(),
            lasts.as_primitive_opt::<TimestampMicrosecondType>(),
        ) {
            times = firsts.iter().zip(lasts).map(|(first, last)| first.zip(last)).collect();
        }
    }
    Ok(times.into_iter().map(|times| GroupIds { times, ids: None }).collect())
}

/// Parses an id of 32 hexadecimal digits.
pub(crate) fn parse_id(text: &str) -> Option<u128> {
    let digit = |byte| char::from(byte).to_digit(16).map(u128::from);
    let mut digits = (text.len() == ID_DIGITS).then(|| text.bytes())?;
    digits.try_fold(0, |id, byte| Some(id << 4 | digit(byte)?))
}

/// Checks the columns; large values may be given by reference.
fn check_columns(spec: &TableSpec, batch: &RecordBatch) -> Result<(), LakeError> {
    let schema = batch.schema();
    let same = schema.fields().len() == spec.schema.fields().len()
        && schema.fields().iter().zip(spec.schema.fields()).all(|(given, column)| {
            given.name() == column.name()
                && (given.data_type() == column.data_type()
                    || given.data_type() == spec.gathered_type(column))
        });
    if same {
        return Ok(());
    }
    Err(LakeError::other_columns(spec.name))
}

fn text_column<'a>(
    spec: &TableSpec,
    batch: &'a RecordBatch,
    column: &str,
) -> Result<&'a StringArray, LakeError> {
    batch
        .column_by_name(column)
        .and_then(|array| array.as_string_opt::<i32>())
        .filter(|array| array.null_count() == 0)
        .ok_or_else(|| null_in(spec, column))
}

fn boolean_column<'a>(
    spec: &TableSpec,
    batch: &'a RecordBatch,
    column: &str,
) -> Result<&'a BooleanArray, LakeError> {
    let column = batch.column_by_name(column).and_then(|array| array.as_boolean_opt());
    column.ok_or_else(|| LakeError::other_columns(spec.name))
}

fn time_column<'a>(
    spec: &TableSpec,
    batch: &'a RecordBatch,
    column: &str,
) -> Result<&'a [i64], LakeError> {
    batch
        .column_by_name(column)
        .and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>())
        .filter(|array| array.null_count() == 0)
        .map(|array| &array.values()[..])
        .ok_or_else(|| null_in(spec, column))
}

fn null_in(spec: &TableSpec, column: &str) -> LakeError {
    LakeError::Rows { table: spec.name, detail: format!("`{column}` has nulls") }
}
