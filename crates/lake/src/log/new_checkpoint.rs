//! Writes checkpoints: "Checkpoints" of the Delta Lake protocol, V1 with one part.
//!
//! Files are written in batches, with their statistics, which are nine tenths of a checkpoint: the memory does not depend
//! on the number of files.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};

use crate::error::LakeError;
use crate::log::actions::Protocol;
use crate::log::checkpoint::Checkpoint;
use crate::log::entry::{Transaction, encoded};
use crate::log::files::Position;
use crate::log::properties::deleted_file_retention;
use crate::log::state::LogState;
use crate::log::{Removed, read_entry, versions};
use crate::spec::TableSpec;
use crate::store::{Folder, LOG, NewFile};

/// The file that names the newest checkpoint.
const HINT: &str = "_last_checkpoint";

/// The number of files that are written together.
const BATCH_ROWS: usize = 4096;

/// The number of rows of a page: a query reads the statistics of few files.
const PAGE_ROWS: usize = 512;

/// The number of rows of a row group, whose encoded pages are in memory together.
const GROUP_ROWS: usize = 32 << 10;

/// A feature whose tables may need checkpoints of another kind.
const V2_CHECKPOINT: &str = "v2Checkpoint";

/// The columns of a checkpoint.
static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    let flag = |name: &str| Field::new(name, DataType::Boolean, true);
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    let texts = |name: &str| {
        let item = Arc::new(Field::new("element", DataType::Utf8, true));
        Field::new(name, DataType::List(item), true)
    };
    let map = |name: &str| {
        let members = [Field::new("key", DataType::Utf8, false), text("value")];
        let entries =
            Field::new("key_value", DataType::Struct(Fields::from(members.to_vec())), false);
        Field::new(name, DataType::Map(Arc::new(entries), false), true)
    };
    let object = |name: &str, members: Vec<Field>| {
        Field::new(name, DataType::Struct(Fields::from(members)), true)
    };
    let format = object("format", vec![text("provider"), map("options")]);
    Arc::new(Schema::new(vec![
        object("txn", vec![text("appId"), long("version"), long("lastUpdated")]),
        object(
            "add",
            vec![
                text("path"),
                map("partitionValues"),
                long("size"),
                long("modificationTime"),
                flag("dataChange"),
                text("stats"),
            ],
        ),
        object(
            "remove",
            vec![
                text("path"),
                long("deletionTimestamp"),
                flag("dataChange"),
                flag("extendedFileMetadata"),
                map("partitionValues"),
                long("size"),
            ],
        ),
        object(
            "metaData",
            vec![
                text("id"),
                text("name"),
                text("description"),
                format,
                text("schemaString"),
                texts("partitionColumns"),
                map("configuration"),
                long("createdTime"),
            ],
        ),
        object(
            "protocol",
            vec![
                int("minReaderVersion"),
                int("minWriterVersion"),
                texts("readerFeatures"),
                texts("writerFeatures"),
            ],
        ),
    ]))
});

/// A row of a checkpoint: one action.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    txn: Option<&'a Transaction>,
    add: Option<Add<'a>>,
    remove: Option<&'a Removed>,
    meta_data: Option<MetaData>,
    protocol: Option<&'a Protocol>,
}

/// A file of the table. Its rows are not new to a reader of the checkpoint.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Add<'a> {
    #[serde(serialize_with = "encoded")]
    path: &'a str,
    partition_values: BTreeMap<&'a str, Option<&'a str>>,
    size: u64,
    modification_time: i64,
    data_change: bool,
    stats: Option<String>,
}

/// The metadata of the table, with all members that the protocol has.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetaData {
    id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    format: Option<Format>,
    schema_string: String,
    #[serde(default)]
    partition_columns: Vec<String>,
    #[serde(default)]
    configuration: BTreeMap<String, Option<String>>,
    created_time: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Format {
    provider: String,
    #[serde(default)]
    options: BTreeMap<String, Option<String>>,
}

/// Writes the checkpoint of a state, and the hint to it. Tables with V2 checkpoints get none.
pub(crate) fn write_checkpoint(
    spec: &TableSpec,
    root: &Folder,
    state: &LogState,
) -> Result<(), LakeError> {
    let features = [&state.protocol.reader_features, &state.protocol.writer_features];
    if features.into_iter().flatten().flatten().any(|feature| feature == V2_CHECKPOINT) {
        return Ok(());
    }
    let path = format!("{LOG}/{:020}.checkpoint.parquet", state.version);
    let place = root.show(&path);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    // The types of the protocol are those of Parquet.
    let options =
        ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let parquet = || LakeError::parquet("write", &place);
    let file = root.upload(&path).map_err(LakeError::io("create", &place))?;
    let mut writer =
        ArrowWriter::try_new_with_options(file, SCHEMA.clone(), options).map_err(parquet())?;
    let mut actions = 0;
    let mut write = |rows: &[Row<'_>]| -> Result<(), LakeError> {
        actions += rows.len();
        writer.write(&batch(spec, rows)?).map_err(parquet())
    };
    let metadata = MetaData::deserialize(&state.metadata.action);
    let metadata = metadata.map_err(|error| unsupported(spec, &error))?;
    let mut rows = vec![
        Row { protocol: Some(&state.protocol), ..Row::default() },
        Row { meta_data: Some(metadata), ..Row::default() },
    ];
    rows.extend(state.transactions().map(|txn| Row { txn: Some(txn), ..Row::default() }));
    write(&rows)?;
    let removed = removed(spec, root, state)?;
    for removed in removed.chunks(BATCH_ROWS) {
        let rows = removed.iter().map(|file| Row { remove: Some(file), ..Row::default() });
        write(&rows.collect::<Vec<_>>())?;
    }
    let files: Vec<Position> = state.files.positions().collect();
    for positions in files.chunks(BATCH_ROWS) {
        let texts = state.files.stats(spec, root, positions)?;
        let rows = positions.iter().zip(texts).map(|(at, stats)| {
            let values = state.files.values(*at).iter().map(Option::as_deref);
            let add = Add {
                path: state.files.path(*at),
                partition_values: spec.partition_columns.iter().copied().zip(values).collect(),
                size: state.files.size(*at),
                modification_time: state.files.modified(*at),
                data_change: false,
                stats,
            };
            Row { add: Some(add), ..Row::default() }
        });
        write(&rows.collect::<Vec<_>>())?;
    }
    let file = writer.into_inner().map_err(parquet())?;
    let size = Box::new(file).close().map_err(LakeError::io("write", &place))?;
    root.sync(&path).map_err(LakeError::io("write", &place))?;
    let hint = serde_json::json!({
        "version": state.version, "size": actions, "sizeInBytes": size, "numOfAddFiles": files.len(),
    });
    let hint_path = format!("{LOG}/{HINT}");
    let written = root.put(&hint_path, hint.to_string().into_bytes());
    written.map_err(LakeError::io("write", root.show(&hint_path)))
}

fn batch(spec: &TableSpec, rows: &[Row<'_>]) -> Result<RecordBatch, LakeError> {
    let fields: Vec<FieldRef> = SCHEMA.fields().iter().cloned().collect();
    serde_arrow::to_record_batch(&fields, &rows).map_err(|error| unsupported(spec, &error))
}

fn unsupported(spec: &TableSpec, error: &dyn std::fmt::Display) -> LakeError {
    LakeError::Unsupported {
        table: spec.name,
        detail: format!("a checkpoint of its log cannot be written: {error}"),
    }
}

/// Returns the files that were removed within the retention period of removed files
/// (`delta.deletedFileRetentionDuration`), and are not part of the table again: from the checkpoint before, and the entries
/// after it.
fn removed(spec: &TableSpec, root: &Folder, state: &LogState) -> Result<Vec<Removed>, LakeError> {
    let log = root.folder(LOG);
    let listed = log.list().map_err(LakeError::io("read", log.show("")))?;
    let checkpoints = Checkpoint::find(listed.iter().map(|file| file.path.as_str()));
    let mut removed = HashMap::new();
    let mut first = *versions(spec, root)?.start();
    for checkpoint in checkpoints.iter().filter(|checkpoint| checkpoint.version < state.version) {
        // An unusable checkpoint is replaced by the one before it, or by the entries.
        let Ok(files) = checkpoint.removed(spec, root) else { continue };
        removed.extend(files.into_iter().map(|file| (file.path.clone(), file)));
        first = i64::try_from(checkpoint.version).unwrap_or(i64::MAX).saturating_add(1);
        break;
    }
    for version in first..=i64::try_from(state.version).unwrap_or(i64::MAX) {
        let Some(entry) = read_entry(spec, root, version)? else { continue };
        removed.extend(entry.removes.into_iter().map(|file| (file.path.clone(), file)));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let oldest = now.saturating_sub(deleted_file_retention(state)).as_millis();
    let oldest = i64::try_from(oldest).unwrap_or(i64::MAX);
    removed.retain(|_, file| file.deletion_timestamp.unwrap_or_default() > oldest);
    if !removed.is_empty() {
        let active: HashSet<&str> =
            state.files.positions().map(|at| state.files.path(at)).collect();
        removed.retain(|path, _| !active.contains(path.as_str()));
    }
    let mut removed: Vec<Removed> = removed.into_values().collect();
    removed.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(removed)
}
