//! Entries of the transaction log, read as they are: what one commit did, which the state of a table no longer tells.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::LakeError;
use crate::spec::TableSpec;
use crate::stats::FileStats;

/// What one commit did.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The files that it added.
    pub(crate) adds: Vec<Added>,
    /// What it says about itself.
    pub(crate) info: Map<String, Value>,
}

/// A file that a commit added.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Added {
    /// Its path relative to the table, with `/`, as it is on disk.
    pub(crate) path: String,
    /// The values of the partition columns.
    #[serde(default)]
    pub(crate) partition_values: HashMap<String, Option<String>>,
    /// Whether its rows are new: a compaction adds files with rows that were there.
    pub(crate) data_change: bool,
    stats: Option<String>,
}

impl Added {
    /// Statistics of its rows, if the commit has them.
    pub(crate) fn stats(&self) -> Option<FileStats> {
        serde_json::from_str(self.stats.as_deref()?).ok()
    }
}

/// Reads the entry of a version of the table at `root`; `None` if it is gone, as engines that clean logs up leave it.
pub(crate) fn read_entry(
    spec: &TableSpec,
    root: &Path,
    version: i64,
) -> Result<Option<Entry>, LakeError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Action {
        add: Option<Added>,
        commit_info: Option<Map<String, Value>>,
    }
    let path = root.join("_delta_log").join(format!("{version:020}.json"));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LakeError::io("read", &path)(error)),
    };
    let mut entry = Entry::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let action: Action =
            serde_json::from_str(line).map_err(|error| LakeError::Unsupported {
                table: spec.name,
                detail: format!("entry {version} of its log is damaged: {error}"),
            })?;
        entry.info.extend(action.commit_info.unwrap_or_default());
        if let Some(mut add) = action.add {
            add.path = percent_decode_str(&add.path).decode_utf8_lossy().into_owned();
            entry.adds.push(add);
        }
    }
    Ok(Some(entry))
}

/// The version of the newest checkpoint of the table at `root`, if it has one.
pub(crate) fn last_checkpoint(root: &Path) -> Result<Option<u64>, LakeError> {
    let log = root.join("_delta_log");
    let mut last = None;
    for entry in fs::read_dir(&log).map_err(LakeError::io("read", &log))? {
        let name = entry.map_err(LakeError::io("read", &log))?.file_name();
        // `<version>.checkpoint.parquet`, and longer names where a checkpoint has several files.
        let parts = name.to_str().and_then(|name| name.split_once(".checkpoint."));
        last = last.max(parts.and_then(|(version, _)| version.parse().ok()));
    }
    Ok(last)
}
