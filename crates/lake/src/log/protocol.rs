//! Checks that a Delta table can be read and written correctly: only plain tables are supported.

use crate::error::LakeError;
use crate::log::columns::{Column, Columns};
use crate::log::state::LogState;
use crate::spec::TableSpec;

/// Features without effect on a reader of active files and their Parquet columns.
const READABLE: [&str; 4] =
    ["timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "columnMapping"];

/// Features without requirements for a writer that only appends.
const APPENDABLE: [&str; 7] = [
    "appendOnly",
    "changeDataFeed",
    "columnMapping",
    "invariants",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];

/// The reader versions whose requirements are known; from 3 on, features are listed by name.
const READER_VERSIONS: std::ops::RangeInclusive<i32> = 1..=3;

/// The last writer version that requires only append-only and invariants.
const PLAIN_WRITER_VERSION: i32 = 2;
/// From this writer version on, features are listed by name.
const LISTED_WRITER_VERSION: i32 = 7;

/// Rejects a table that reading plain Parquet files would misread.
pub(crate) fn check_readable(spec: &TableSpec, state: &LogState) -> Result<(), LakeError> {
    let version = state.protocol.min_reader_version;
    if !READER_VERSIONS.contains(&version) {
        return Err(unsupported(spec, format!("its reader version is {version}")));
    }
    refuse_unknown(spec, "reading", state.protocol.reader_features.as_deref(), &READABLE)?;
    let mapping = state.metadata.configuration.get("delta.columnMapping.mode");
    if mapping.is_some_and(|mode| mode != "none") {
        return Err(unsupported(spec, "it uses column mapping"));
    }
    let partition_columns = &state.metadata.partition_columns;
    if partition_columns != spec.partition_columns {
        return Err(unsupported(spec, format!("it is partitioned by {partition_columns:?}")));
    }
    for (wanted, stored) in columns(spec, state)? {
        if stored.as_ref().is_some_and(|stored| stored.data_type != wanted.data_type) {
            return Err(unsupported(spec, format!("column `{}` has another type", wanted.name)));
        }
    }
    match &state.refused {
        Some(detail) => Err(unsupported(spec, detail)),
        None => Ok(()),
    }
}

/// Rejects a table to which plain Parquet files cannot be added.
pub(crate) fn check_appendable(spec: &TableSpec, state: &LogState) -> Result<(), LakeError> {
    check_readable(spec, state)?;
    refuse_unknown(spec, "appending", state.protocol.writer_features.as_deref(), &APPENDABLE)?;
    let version = state.protocol.min_writer_version;
    if version > PLAIN_WRITER_VERSION && version < LISTED_WRITER_VERSION {
        return Err(unsupported(spec, format!("its writer version is {version}")));
    }
    for (wanted, stored) in columns(spec, state)? {
        if stored.is_none() {
            let detail = format!(
                "column `{}` is missing: another podtrail version created the table",
                wanted.name
            );
            return Err(unsupported(spec, detail));
        }
    }
    Ok(())
}

/// Returns each expected column with the stored one.
fn columns(spec: &TableSpec, state: &LogState) -> Result<Vec<(Column, Option<Column>)>, LakeError> {
    let stored = &state.metadata.columns;
    let wanted = Columns::of(&spec.schema).map_err(LakeError::arrow(spec.name))?;
    let pair = |column: Column| (column.clone(), stored.get(&column.name).cloned());
    Ok(wanted.fields.into_iter().map(pair).collect())
}

fn refuse_unknown(
    spec: &TableSpec,
    action: &str,
    features: Option<&[String]>,
    known: &[&str],
) -> Result<(), LakeError> {
    let unknown: Vec<String> = features
        .unwrap_or_default()
        .iter()
        .filter(|feature| !known.contains(&feature.as_str()))
        .cloned()
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(unsupported(spec, format!("{action} requires the table features {}", unknown.join(", "))))
}

fn unsupported(spec: &TableSpec, detail: impl Into<String>) -> LakeError {
    LakeError::Unsupported { table: spec.name, detail: detail.into() }
}
