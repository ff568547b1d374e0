//! Reads checkpoints: the state of a table at one version, as Parquet.
//!
//! A checkpoint has one part, several parts, or a main part with sidecars (V2 checkpoints, whose main part may also be
//! JSON). Statistics are not read with the files: they are nine tenths of a checkpoint.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::OnceLock;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::metadata::PageIndexPolicy;
use serde_json::{Map, Value};

use crate::error::LakeError;
use crate::log::actions::{Parsed, parse, refusal};
use crate::log::files::{Rows, RowsBuilder, StatsAt};
use crate::log::snapshot::is_inside;
use crate::log::{Removed, decoded};
use crate::spec::TableSpec;
use crate::store::{Folder, LOG};

/// The folder of sidecars, inside the log.
const SIDECARS: &str = "_sidecars";

/// The number of rows that are decoded together.
const BATCH_ROWS: usize = 8192;

/// The columns of a part that describe the table.
const DESCRIPTION: [&str; 4] = ["metaData", "protocol", "txn", "sidecar"];

/// The columns of a file that are read with it.
const OF_FILE: [&str; 4] = ["path", "partitionValues", "size", "modificationTime"];

/// The names of the files of a checkpoint, complete by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The version whose state it is.
    pub(crate) version: u64,
    parts: Vec<String>,
}

impl Checkpoint {
    /// Returns the complete checkpoints among the files of a log, the newest first.
    pub(crate) fn find<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<Self> {
        let mut found = Vec::new();
        let mut in_parts: BTreeMap<(u64, u64), Vec<String>> = BTreeMap::new();
        for name in names {
            let Some((version, rest)) = name.split_once(".checkpoint.") else { continue };
            let Ok(version) = version.parse() else { continue };
            let parts: Vec<&str> = rest.split('.').collect();
            match parts[..] {
                ["parquet"] | [_, "parquet" | "json"] => {
                    found.push(Self { version, parts: vec![name.to_owned()] });
                }
                [number, count, "parquet"] => {
                    if let (Ok(_), Ok(count)) = (number.parse::<u64>(), count.parse::<u64>()) {
                        in_parts.entry((version, count)).or_default().push(name.to_owned());
                    }
                }
                _ => {}
            }
        }
        let complete =
            in_parts.into_iter().filter(|((_, count), parts)| parts.len() as u64 == *count);
        found.extend(complete.map(|((version, _), parts)| Self { version, parts }));
        found.sort_by(|a, b| b.version.cmp(&a.version).then(a.parts.cmp(&b.parts)));
        found
    }

    /// Reads the checkpoint, without the files whose paths are in `replaced`.
    pub(crate) fn read(
        &self,
        spec: &TableSpec,
        root: &Folder,
        replaced: &HashSet<&str>,
    ) -> Result<Content, LakeError> {
        let mut content = Content::default();
        for name in &self.parts {
            let path = format!("{LOG}/{name}");
            if Path::new(name).extension().is_some_and(|extension| extension == "json") {
                let bytes = root.read(&path).map_err(LakeError::io("read", root.show(&path)))?;
                let parsed = parse(spec, &path, &bytes.unwrap_or_default())?;
                content.described.merge_older(parsed);
            } else {
                content.read(spec, root, path, replaced)?;
            }
        }
        let sidecars = std::mem::take(&mut content.described.sidecars);
        for name in sidecars {
            let path = format!("{LOG}/{SIDECARS}/{}", decoded(&name));
            if !is_inside(&path) {
                return Err(damaged(spec, &path, "the sidecar is outside the log"));
            }
            content.read(spec, root, path, replaced)?;
        }
        Ok(content)
    }
}

impl Checkpoint {
    /// Reads the removed files that a V1 checkpoint records.
    pub(crate) fn removed(
        &self,
        spec: &TableSpec,
        root: &Folder,
    ) -> Result<Vec<Removed>, LakeError> {
        let mut removed = Vec::new();
        for name in &self.parts {
            let part = Part { path: format!("{LOG}/{name}"), footer: OnceLock::new() };
            let fail =
                |error: &dyn std::fmt::Display| damaged(spec, &part.path, &error.to_string());
            let builder = part.open(spec, root, |column| column.starts_with("remove."))?;
            let reader = builder.with_batch_size(BATCH_ROWS).build();
            for batch in reader.map_err(|error| fail(&error))? {
                let batch = batch.map_err(|error| fail(&error))?;
                let Some(column) = batch.column_by_name("remove") else { continue };
                for row in (0..column.len()).filter(|row| column.is_valid(*row)) {
                    let file = serde_json::from_value::<Removed>(value(column, row));
                    let mut file = file.map_err(|error| fail(&error))?;
                    file.path = decoded(&file.path);
                    removed.push(file);
                }
            }
        }
        Ok(removed)
    }
}

/// What a checkpoint contains.
#[derive(Default)]
pub(crate) struct Content {
    /// The files, by part.
    pub(crate) files: Vec<Rows>,
    /// Protocol, metadata and transactions.
    pub(crate) described: Parsed,
}

impl Content {
    fn read(
        &mut self,
        spec: &TableSpec,
        root: &Folder,
        path: String,
        replaced: &HashSet<&str>,
    ) -> Result<(), LakeError> {
        let part = Part { path, footer: OnceLock::new() };
        let builder = part.open(spec, root, |column| {
            let column: Vec<&str> = column.split('.').collect();
            match column[..] {
                ["add", "deletionVector", member] => member == "storageType",
                ["add", member, ..] => OF_FILE.contains(&member),
                [first, ..] => DESCRIPTION.contains(&first),
                [] => false,
            }
        })?;
        let fail = |error: &dyn std::fmt::Display| damaged(spec, &part.path, &error.to_string());
        let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(|error| fail(&error))?;
        let mut files = RowsBuilder::default();
        let mut rows = Vec::new();
        let mut first_row = 0_u32;
        for batch in reader {
            let batch = batch.map_err(|error| fail(&error))?;
            let added = Added::of(spec, &batch).map_err(|detail| fail(&detail))?;
            if let Some(added) = added {
                for row in 0..batch.num_rows() {
                    if added.add.is_null(row) {
                        continue;
                    }
                    let read = added.push(row, replaced, &mut files, &mut self.described);
                    if read.map_err(|detail| fail(&detail))? {
                        rows.push(first_row + u32::try_from(row).unwrap_or(u32::MAX));
                    }
                }
            }
            self.describe(&batch).map_err(|detail| fail(&detail))?;
            let count = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX);
            first_row = first_row.checked_add(count).ok_or_else(|| fail(&"too many rows"))?;
        }
        rows.shrink_to_fit();
        self.files.push(files.finish(StatsAt::Checkpoint { part, rows }));
        Ok(())
    }

    /// Reads what describes the table from the rows of a part.
    fn describe(&mut self, batch: &RecordBatch) -> Result<(), String> {
        for name in DESCRIPTION {
            let Some(column) = batch.column_by_name(name) else { continue };
            for row in (0..batch.num_rows()).filter(|row| column.is_valid(*row)) {
                self.described.describe(name, value(column, row))?;
            }
        }
        Ok(())
    }
}

/// The column `add` of some rows.
struct Added<'b> {
    add: &'b StructArray,
    paths: &'b arrow::array::StringArray,
    sizes: &'b arrow::array::Int64Array,
    modified: &'b arrow::array::Int64Array,
    partitions: &'b MapArray,
    keys: &'b arrow::array::StringArray,
    values: &'b arrow::array::StringArray,
    vectors: Option<&'b ArrayRef>,
    columns: &'static [&'static str],
}

impl<'b> Added<'b> {
    /// Returns `None` if the part has no such column, as the main part with sidecars.
    fn of(spec: &TableSpec, batch: &'b RecordBatch) -> Result<Option<Self>, String> {
        let Some(add) = batch.column_by_name("add") else { return Ok(None) };
        let missing = |name: &str| format!("column `{name}` is missing or has another type");
        let add = add.as_struct_opt().ok_or_else(|| missing("add"))?;
        let column =
            |name: &str| add.column_by_name(name).ok_or_else(|| missing(&format!("add.{name}")));
        let number = |name: &str| {
            let column = column(name)?.as_primitive_opt::<Int64Type>();
            column.ok_or_else(|| missing(&format!("add.{name}")))
        };
        let partitions = column("partitionValues")?
            .as_map_opt()
            .ok_or_else(|| missing("add.partitionValues"))?;
        let text = |array: &'b ArrayRef, name: &str| {
            array.as_string_opt::<i32>().ok_or_else(|| missing(name))
        };
        Ok(Some(Self {
            add,
            paths: text(column("path")?, "add.path")?,
            sizes: number("size")?,
            modified: number("modificationTime")?,
            partitions,
            keys: text(partitions.keys(), "add.partitionValues")?,
            values: text(partitions.values(), "add.partitionValues")?,
            vectors: add.column_by_name("deletionVector"),
            columns: spec.partition_columns,
        }))
    }

    /// Adds the file of a row to `files`; returns false if it is replaced.
    fn push(
        &self,
        row: usize,
        replaced: &HashSet<&str>,
        files: &mut RowsBuilder,
        described: &mut Parsed,
    ) -> Result<bool, String> {
        if self.paths.is_null(row) || self.sizes.is_null(row) || self.modified.is_null(row) {
            return Err("a file lacks its path, size or modification time".to_owned());
        }
        let path = self.paths.value(row);
        let path = if path.contains('%') {
            decoded(path).into()
        } else {
            std::borrow::Cow::Borrowed(path)
        };
        if replaced.contains(&*path) {
            return Ok(false);
        }
        let refused = refusal(&path, self.vectors.is_some_and(|vectors| vectors.is_valid(row)));
        described.refused = described.refused.take().or(refused);
        let size = u64::try_from(self.sizes.value(row))
            .map_err(|_| format!("{path} has a negative size"))?;
        let offsets = self.partitions.value_offsets();
        let start = usize::try_from(offsets[row]).unwrap_or_default();
        let end = usize::try_from(offsets[row + 1]).unwrap_or_default();
        let entries = if self.partitions.is_valid(row) { start..end } else { 0..0 };
        let value = |column: &&str| {
            let entry = entries.clone().find(|entry| self.keys.value(*entry) == *column)?;
            let value = self.values.is_valid(entry).then(|| self.values.value(entry));
            value.filter(|text| !text.is_empty())
        };
        let values: Vec<Option<&str>> = self.columns.iter().map(value).collect();
        files.push(&path, size, self.modified.value(row), &values);
        Ok(true)
    }
}

/// One Parquet file of a checkpoint.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its path inside the table.
    path: String,
    footer: OnceLock<ArrowReaderMetadata>,
}

impl Part {
    /// Opens the part, for the columns for which `wants` returns true.
    fn open(
        &self,
        spec: &TableSpec,
        root: &Folder,
        wants: impl Fn(&str) -> bool,
    ) -> Result<ParquetRecordBatchReaderBuilder<crate::store::Opened>, LakeError> {
        let file = root.open(&self.path).map_err(LakeError::io("read", root.show(&self.path)))?;
        let footer = if let Some(footer) = self.footer.get() {
            footer.clone()
        } else {
            // The library's own types, whatever types the writer had in memory.
            let options = ArrowReaderOptions::new()
                .with_skip_arrow_metadata(true)
                .with_page_index_policy(PageIndexPolicy::Optional);
            let footer = ArrowReaderMetadata::load(&file, options)
                .map_err(|error| damaged(spec, &self.path, &error.to_string()))?;
            self.footer.get_or_init(|| footer).clone()
        };
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer);
        let columns = builder.parquet_schema().columns().iter().enumerate();
        let wanted = columns.filter(|(_, column)| wants(&column.path().string()));
        let wanted: Vec<usize> = wanted.map(|(index, _)| index).collect();
        let mask = ProjectionMask::leaves(builder.parquet_schema(), wanted);
        Ok(builder.with_projection(mask))
    }

    /// Reads the statistics in these rows.
    pub(crate) fn stats(
        &self,
        spec: &TableSpec,
        root: &Folder,
        rows: &[u32],
    ) -> Result<Vec<Option<String>>, LakeError> {
        let fail = |error: &dyn std::fmt::Display| damaged(spec, &self.path, &error.to_string());
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_unstable_by_key(|index| rows[*index]);
        let mut sorted: Vec<usize> = order.iter().map(|index| rows[*index] as usize).collect();
        sorted.dedup();
        let ranges = sorted.chunk_by(|a, b| a + 1 == *b).map(|run| run[0]..run[0] + run.len());
        let builder = self.open(spec, root, |column| column == "add.stats")?;
        let count = builder.metadata().file_metadata().num_rows();
        let count = usize::try_from(count).unwrap_or_default();
        if sorted.last().is_some_and(|last| *last >= count) {
            return Err(fail(&"it was replaced by a shorter file"));
        }
        let selection = RowSelection::from_consecutive_ranges(ranges, count);
        let reader = builder.with_row_selection(selection).with_batch_size(BATCH_ROWS).build();
        let mut texts = Vec::with_capacity(sorted.len());
        for batch in reader.map_err(|error| fail(&error))? {
            let batch = batch.map_err(|error| fail(&error))?;
            let stats = batch.column_by_name("add").and_then(|add| add.as_struct_opt());
            let stats = stats.and_then(|add| add.column_by_name("stats"));
            match stats.map(|stats| stats.as_string_opt::<i32>()) {
                Some(Some(stats)) => texts.extend(stats.iter().map(|text| text.map(str::to_owned))),
                Some(None) => return Err(fail(&"column `add.stats` has another type")),
                None => texts.extend((0..batch.num_rows()).map(|_| None)),
            }
        }
        if texts.len() != sorted.len() {
            return Err(fail(&"rows are missing"));
        }
        let mut found = vec![None; rows.len()];
        for index in order {
            if let Ok(at) = sorted.binary_search(&(rows[index] as usize)) {
                found[index].clone_from(&texts[at]);
            }
        }
        Ok(found)
    }
}

fn damaged(spec: &TableSpec, path: &str, detail: &str) -> LakeError {
    LakeError::Damaged { table: spec.name, path: path.to_owned(), detail: detail.to_owned() }
}

/// Returns a value of a checkpoint as it is in log entries.
fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|item| value(&items, item)).collect()
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let entries = map.value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let entry = |entry| {
                let key = keys.as_string_opt::<i32>()?.value(entry).to_owned();
                Some((key, value(values, entry)))
            };
            Value::Object((0..entries.len()).filter_map(entry).collect())
        }
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            let members = members.filter(|(_, column)| column.is_valid(row));
            let members = members.map(|(field, column)| (field.name().clone(), value(column, row)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}
