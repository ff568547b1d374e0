//! Verification of a table: each file against the log, its columns and ids, and stray files in its directory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, new_null_array};
use arrow::compute::{max, min};
use arrow::datatypes::{Schema, TimestampMicrosecondType};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;

use crate::error::LakeError;
use crate::log::claims::{Measured, instant};
use crate::log::damage::damages;
use crate::log::history::{History, Removal};
use crate::log::snapshot::{DataFile, Snapshot};
use crate::maintain::merged_rows::Footer;
use crate::maintain::vacuum::{Orphan, unnamed};
use crate::partition::{PartitionValues, directory};
use crate::spec::TableSpec;
use crate::store::{Folder, Opened};
use crate::write::dedupe::parse_id;

/// Size of the rows of one file that are in memory: an estimate, by their uncompressed size in the file.
const HELD_BYTES: u64 = 16 << 20;

/// Maximum number of rows of one file in memory.
const BATCH_ROWS: u64 = 4096;

/// Number of ids of a partition that are compared at a time: 64 MiB.
const COMPARED_IDS: u64 = 2 << 20;

/// The result of verifying a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The table.
    pub table: &'static str,
    /// The version that was read; -1 if no version could be read.
    pub version: i64,
    /// The number of its files.
    pub files: usize,
    /// The number of rows that could be read.
    pub rows: u64,
    /// Whether ids were compared with the digests of their rows; otherwise only with each other.
    pub digests: bool,
    /// Problems by file.
    pub problems: Vec<Problem>,
    /// Files that no version names: of killed runs, or of a running append.
    pub orphans: Vec<Orphan>,
    /// Versions that removed rows from the table, as a retention does.
    pub removals: Vec<Removal>,
}

impl Verified {
    /// Returns the result for a table of which no version could be read.
    fn nothing(spec: &TableSpec) -> Self {
        Self {
            table: spec.name,
            version: -1,
            files: 0,
            rows: 0,
            digests: spec.ids.is_some(),
            problems: Vec::new(),
            orphans: Vec::new(),
            removals: Vec::new(),
        }
    }
}

/// A problem of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Its path inside the table.
    pub path: String,
    /// What was found, and what was expected.
    pub detail: String,
}

/// Checks the log of the table at `root`, and all files of its newest version, if it could be read.
pub(crate) fn verify(
    spec: &TableSpec,
    root: &Folder,
    snapshot: Result<Snapshot, LakeError>,
) -> Verified {
    let mut problems = damages(spec, root);
    let read = snapshot.and_then(|snapshot| {
        let files = snapshot.files()?.to_vec();
        Ok((snapshot, files))
    });
    let mut verified = match read {
        Ok((snapshot, files)) => verify_files(&snapshot, &files, !problems.is_empty()),
        Err(error) => {
            // The problems of the log files are more precise than the error of reading them.
            if problems.is_empty() {
                problems.push(Problem { path: "_delta_log".to_owned(), detail: error.to_string() });
            }
            Verified::nothing(spec)
        }
    };
    verified.problems.append(&mut problems);
    verified.problems.sort_unstable();
    verified.problems.dedup();
    verified
}

/// Checks all files of a snapshot; `is_damaged` is set if its log has problems.
fn verify_files(snapshot: &Snapshot, files: &[Arc<DataFile>], is_damaged: bool) -> Verified {
    let spec = &*snapshot.spec;
    let checks: Vec<(u64, Vec<String>)> =
        files.par_iter().map(|file| check(spec, snapshot.root(), file)).collect();
    let rows = checks.iter().map(|(rows, _)| rows).sum();
    let mut problems: Vec<Problem> = files
        .iter()
        .zip(checks)
        .flat_map(|(file, (_, details))| {
            details.into_iter().map(|detail| Problem { path: file.path.clone(), detail })
        })
        .collect();
    problems.extend(repeated_ids(snapshot, files));
    let of_log = |detail: String| Problem { path: "_delta_log".to_owned(), detail };
    let orphans = unnamed(snapshot).unwrap_or_else(|error| {
        // Damage was already found file by file.
        if !(is_damaged && matches!(error, LakeError::Unsupported { .. })) {
            problems.push(of_log(error.to_string()));
        }
        Vec::new()
    });
    let mut removals = Vec::new();
    // A log with gaps is reported above.
    if let Ok(Some(history)) = History::read(snapshot) {
        problems.extend(history.contradictions(snapshot).into_iter().map(of_log));
        removals = history.removals;
    }
    Verified {
        table: spec.name,
        version: snapshot.version(),
        files: files.len(),
        rows,
        digests: spec.ids.is_some(),
        problems,
        orphans,
        removals,
    }
}

/// Returns the number of rows in a file, and its problems.
fn check(spec: &TableSpec, root: &Folder, file: &DataFile) -> (u64, Vec<String>) {
    let mut found = Found::default();
    let mut problems = Vec::new();
    match root.outside(&file.path) {
        Err(error) => return (0, vec![format!("cannot be read: {error}")]),
        // A symbolic link: files outside of the table are not opened.
        Ok(Some(place)) => return (0, vec![format!("is outside the table, at {place}")]),
        Ok(None) => {}
    }
    let opened = match root.open(&file.path) {
        Err(error) => return (0, vec![format!("cannot be read: {error}")]),
        Ok(opened) => opened,
    };
    if opened.size() != file.size {
        let size = opened.size();
        problems.push(format!("has {size} bytes, but the log records {}", file.size));
    }
    if let Err(detail) = found.read(spec, root, file, opened) {
        problems.push(detail);
        return (found.rows, problems);
    }
    if found.wrong_ids > 0 {
        let (count, first) = (found.wrong_ids, &found.first_wrong_id);
        problems.push(format!(
            "{count} rows do not match the digest in `{}`, the first is {first}",
            spec.id_column
        ));
    }
    let rows = file.stats.as_ref().and_then(|stats| stats.num_records);
    if let Some(rows) = rows.filter(|rows| *rows != found.rows) {
        problems.push(format!("has {} rows, but the log records {rows}", found.rows));
    }
    if let Some(stats) = &file.stats {
        problems.extend(found.measured.contradictions(spec, stats));
    }
    let logged = directory(spec.partition_columns, &file.partition_values);
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let written = found.partition.as_deref().unwrap_or(folder);
    if written != logged {
        problems.push(format!("was written for {written}, but the log records {logged}"));
    }
    if let Some(((first, last), date)) = found.times.zip(date(spec, file)) {
        let is_on = |micros| day(micros).is_some_and(|day| day == date);
        if !is_on(first) || !is_on(last) {
            let [first, last] = [first, last].map(instant);
            problems.push(format!("has times from {first} to {last}, but its directory is {date}"));
        }
    }
    (found.rows, problems)
}

/// The content of a file.
#[derive(Default)]
struct Found {
    rows: u64,
    times: Option<(i64, i64)>,
    wrong_ids: u64,
    first_wrong_id: String,
    measured: Measured,
    /// The directory in its footer; `None` in files of other writers.
    partition: Option<String>,
}

impl Found {
    /// Reads all columns of all rows.
    fn read(
        &mut self,
        spec: &TableSpec,
        root: &Folder,
        file: &DataFile,
        opened: Opened,
    ) -> Result<(), String> {
        let footer = Footer::read(spec, root, file).map_err(|error| error.to_string())?;
        self.partition = footer.partition;
        let batch_rows = (HELD_BYTES / footer.row_bytes).clamp(1, BATCH_ROWS);
        let text = |error: &dyn std::error::Error| format!("cannot be read: {error}");
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened)
            .map_err(|error| text(&error))?
            .with_batch_size(usize::try_from(batch_rows).unwrap_or(1))
            .build()
            .map_err(|error| text(&error))?;
        for batch in reader {
            let batch = batch.map_err(|error| text(&error))?;
            self.add(spec, &with_omitted_columns(spec, &batch).map_err(|error| text(&error))?)?;
        }
        Ok(())
    }

    fn add(&mut self, spec: &TableSpec, batch: &RecordBatch) -> Result<(), String> {
        self.rows += batch.num_rows() as u64;
        self.measured.add(batch);
        if let Some(column) = spec.time_column {
            let times = batch
                .column_by_name(column)
                .and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>())
                .filter(|times| times.null_count() == 0)
                .ok_or_else(|| format!("column `{column}` is missing or has nulls"))?;
            let bounds = min(times).zip(max(times));
            self.times = match (self.times, bounds) {
                (Some(before), Some(now)) => Some((before.0.min(now.0), before.1.max(now.1))),
                (before, now) => before.or(now),
            };
        }
        let ids = batch
            .column_by_name(spec.id_column)
            .and_then(|ids| ids.as_string_opt::<i32>())
            .ok_or_else(|| format!("text column `{}` is missing", spec.id_column))?;
        let digests = match spec.ids {
            Some(ids) => Some(ids(batch).map_err(|error| error.to_string())?),
            None => None,
        };
        for (row, id) in ids.iter().enumerate() {
            let id = id.unwrap_or_default();
            let digest = digests.as_ref().and_then(|digests| digests.get(row));
            if parse_id(id).is_none() || digest.is_some_and(|digest| digest != id) {
                if self.wrong_ids == 0 {
                    id.clone_into(&mut self.first_wrong_id);
                }
                self.wrong_ids += 1;
            }
        }
        Ok(())
    }
}

/// Returns the ids that occur more than once in a partition.
///
/// Ids are digests, so each remainder of a division covers an about equal share of them: large partitions are compared
/// in several passes, which bounds the memory.
fn repeated_ids(snapshot: &Snapshot, files: &[Arc<DataFile>]) -> Vec<Problem> {
    let spec = &*snapshot.spec;
    let mut partitions: BTreeMap<&PartitionValues, Vec<&Arc<DataFile>>> = BTreeMap::new();
    for file in files {
        partitions.entry(&file.partition_values).or_default().push(file);
    }
    let mut problems = Vec::new();
    for files in partitions.into_values() {
        let rows: u64 = files
            .iter()
            .filter_map(|file| Some(Footer::read(spec, snapshot.root(), file).ok()?.rows))
            .sum();
        let passes = u128::from(rows.div_ceil(COMPARED_IDS).max(1));
        for pass in 0..passes {
            let mut ids: Vec<(u128, u32)> = Vec::new();
            for (number, file) in (0..).zip(&files) {
                // Files that cannot be read are already reported.
                let read = read_ids(spec, snapshot.root(), &file.path, |id| {
                    if id % passes == pass {
                        ids.push((id, number));
                    }
                });
                let _ = read;
            }
            ids.par_sort_unstable();
            for pair in ids.chunk_by(|a, b| a.0 == b.0).filter(|equal| equal.len() > 1) {
                let place = |(_, number): &(u128, u32)| files[*number as usize].path.clone();
                let [first, second] = [&pair[0], &pair[1]].map(place);
                problems.push(Problem {
                    path: second,
                    detail: format!("{:032x} is also in {first}", pair[0].0),
                });
            }
        }
    }
    problems
}

/// Returns rows of a file with nulls in the columns that the file omits.
fn with_omitted_columns(spec: &TableSpec, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let omitted = spec
        .file_schema()
        .fields()
        .iter()
        .filter(|field| {
            !spec.is_in_every_file(field) && batch.column_by_name(field.name()).is_none()
        })
        .cloned()
        .collect::<Vec<_>>();
    let nulls = omitted.iter().map(|field| new_null_array(field.data_type(), batch.num_rows()));
    let columns = batch.columns().iter().cloned().chain(nulls).collect();
    let fields = batch.schema_ref().fields().iter().cloned().chain(omitted.iter().cloned());
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)
}

/// Passes on the ids of a file, up to the first read error.
fn read_ids(
    spec: &TableSpec,
    root: &Folder,
    path: &str,
    mut take: impl FnMut(u128),
) -> Result<(), Box<dyn std::error::Error>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(root.open(path)?)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [spec.id_column]);
    for batch in builder.with_projection(mask).build()? {
        let batch = batch?;
        let ids = batch.columns().first().and_then(|ids| ids.as_string_opt::<i32>());
        ids.into_iter().flatten().flatten().filter_map(parse_id).for_each(&mut take);
    }
    Ok(())
}

/// Returns the day in the directory name of a file.
fn date(spec: &TableSpec, file: &DataFile) -> Option<NaiveDate> {
    let index = spec.partition_columns.iter().position(|column| *column == "date")?;
    file.partition_values.get(index)?.as_ref()?.parse().ok()
}

fn day(micros: i64) -> Option<NaiveDate> {
    Some(DateTime::from_timestamp_micros(micros)?.date_naive())
}
