//! Entries of the transaction log, read as they are: what one commit did, which the state of a table no longer tells.

pub(crate) mod claims;
pub(crate) mod commit;
pub(crate) mod damage;
pub(crate) mod entries_only;
pub(crate) mod history;
pub(crate) mod protocol;
pub(crate) mod snapshot;
pub(crate) mod stats;
pub(crate) mod version;

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::Path;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::LakeError;
use crate::log::stats::FileStats;
use crate::spec::TableSpec;

/// What one commit did.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The files that it added.
    pub(crate) adds: Vec<Added>,
    /// The files that it took out.
    pub(crate) removes: Vec<Removed>,
    /// The files with which engines record changes, relative to the table.
    pub(crate) change_files: Vec<String>,
    /// The number of its actions, of any kind.
    pub(crate) actions: usize,
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

/// A file that a commit took out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Removed {
    /// Its path relative to the table, with `/`, as it is on disk.
    pub(crate) path: String,
    /// When, in milliseconds since the Unix epoch, if the commit has it.
    pub(crate) deletion_timestamp: Option<i64>,
    /// Whether its rows are gone: a compaction takes out files whose rows are in others.
    #[serde(default = "changes_data")]
    pub(crate) data_change: bool,
}

/// What the Delta Lake protocol has a reader assume.
fn changes_data() -> bool {
    true
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
        remove: Option<Removed>,
        cdc: Option<ChangeFile>,
        commit_info: Option<Map<String, Value>>,
    }
    #[derive(Deserialize)]
    struct ChangeFile {
        path: String,
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
        entry.actions += 1;
        entry.info.extend(action.commit_info.unwrap_or_default());
        if let Some(mut add) = action.add {
            add.path = decoded(&add.path);
            entry.adds.push(add);
        }
        if let Some(mut remove) = action.remove {
            remove.path = decoded(&remove.path);
            entry.removes.push(remove);
        }
        entry.change_files.extend(action.cdc.map(|file| decoded(&file.path)));
    }
    Ok(Some(entry))
}

/// A path of the log, where it is a URL, as it is on disk.
pub(crate) fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// The versions of the entries that the log of the table at `root` still has, in order and without gaps.
///
/// # Errors
/// If an entry between others is gone: it may have added or taken out any file.
pub(crate) fn versions(spec: &TableSpec, root: &Path) -> Result<RangeInclusive<i64>, LakeError> {
    let log = root.join("_delta_log");
    let mut versions = Vec::new();
    for entry in fs::read_dir(&log).map_err(LakeError::io("read", &log))? {
        let name = entry.map_err(LakeError::io("read", &log))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
        let number = number.filter(|number| number.len() == 20);
        versions.extend(number.and_then(|number| number.parse::<i64>().ok()));
    }
    versions.sort_unstable();
    let first = versions.first().copied().unwrap_or(0);
    if let Some((expected, _)) = (first..).zip(&versions).find(|(expected, it)| expected != *it) {
        let detail = format!(
            "entry {expected} of its log is gone, which may have named files that are in use"
        );
        return Err(LakeError::Unsupported { table: spec.name, detail });
    }
    Ok(first..=versions.last().copied().unwrap_or(first - 1))
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
