//! Entries of the transaction log as written: the details of a commit that the state of a table no longer contains.

pub(crate) mod actions;
pub(crate) mod checkpoint;
pub(crate) mod claims;
pub(crate) mod cleanup;
pub(crate) mod columns;
pub(crate) mod commit;
pub(crate) mod damage;
pub(crate) mod entry;
pub(crate) mod files;
pub(crate) mod history;
pub(crate) mod new_checkpoint;
pub(crate) mod properties;
pub(crate) mod protocol;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod stats;
pub(crate) mod version;

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::LakeError;
use crate::log::stats::FileStats;
use crate::spec::TableSpec;
use crate::store::{Folder, LOG, entry_path};

/// The content of one commit.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The files that it added.
    pub(crate) adds: Vec<Added>,
    /// The files that it removed.
    pub(crate) removes: Vec<Removed>,
    /// The change data files of other engines, relative to the table.
    pub(crate) change_files: Vec<String>,
    /// The number of its actions, of any kind.
    pub(crate) actions: usize,
    /// The commit's description of itself.
    pub(crate) info: Map<String, Value>,
}

/// A file that a commit added.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Added {
    /// Its path on disk, relative to the table, with `/`.
    pub(crate) path: String,
    /// The values of the partition columns.
    #[serde(default)]
    pub(crate) partition_values: HashMap<String, Option<String>>,
    /// Whether its rows are new: a compaction adds files with existing rows.
    pub(crate) data_change: bool,
    stats: Option<String>,
}

/// A file that a commit removed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Removed {
    /// Its path on disk, relative to the table, with `/`.
    #[serde(serialize_with = "entry::encoded")]
    pub(crate) path: String,
    /// When it was removed, in milliseconds since the Unix epoch, if the commit has it.
    pub(crate) deletion_timestamp: Option<i64>,
    /// Whether its rows are removed: a compaction removes files whose rows are in others.
    #[serde(default = "changes_data")]
    pub(crate) data_change: bool,
    extended_file_metadata: Option<bool>,
    partition_values: Option<BTreeMap<String, Option<String>>>,
    size: Option<i64>,
}

/// The default value of the Delta Lake protocol.
fn changes_data() -> bool {
    true
}

impl Added {
    /// Returns the statistics of its rows, if the commit has them.
    pub(crate) fn stats(&self) -> Option<FileStats> {
        serde_json::from_str(self.stats.as_deref()?).ok()
    }
}

/// Reads the file of an entry of the table at `root`; `None` if it does not exist.
pub(crate) fn contents(root: &Folder, version: u64) -> Result<Option<Bytes>, LakeError> {
    let path = entry_path(version);
    root.read(&path).map_err(LakeError::io("read", root.show(&path)))
}

/// Reads the entry of a version of the table at `root`; `None` if it is missing, for example after a log cleanup.
pub(crate) fn read_entry(
    spec: &TableSpec,
    root: &Folder,
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
    let Ok(number) = u64::try_from(version) else { return Ok(None) };
    let Some(contents) = contents(root, number)? else { return Ok(None) };
    let mut entry = Entry::default();
    for line in contents.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let action: Action =
            serde_json::from_slice(line).map_err(|error| LakeError::Unsupported {
                table: spec.name,
                detail: format!("log entry {version} is damaged: {error}"),
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

/// Reads a commit's description of itself; `None` if its entry does not exist. A line that is damaged has none.
pub(crate) fn read_info(
    root: &Folder,
    version: u64,
) -> Result<Option<Map<String, Value>>, LakeError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Action {
        commit_info: Option<Map<String, Value>>,
    }
    let Some(contents) = contents(root, version)? else { return Ok(None) };
    let lines = contents.split(|byte| *byte == b'\n');
    let infos = lines.filter_map(|line| serde_json::from_slice::<Action>(line).ok()?.commit_info);
    Ok(Some(infos.flatten().collect()))
}

/// Decodes a path of the log, which is a URL, to the path on disk.
pub(crate) fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8_lossy().into_owned()
}

/// Returns the versions of the entries that the log of the table at `root` still has, in order and without gaps.
///
/// # Errors
///
/// Returns an error if an entry between others is missing: it may have added or removed any file.
pub(crate) fn versions(spec: &TableSpec, root: &Folder) -> Result<RangeInclusive<i64>, LakeError> {
    let mut versions: Vec<i64> =
        names(root)?.iter().filter_map(|name| entry_version(name)).collect();
    versions.sort_unstable();
    let first = versions.first().copied().unwrap_or(0);
    if let Some((expected, _)) = (first..).zip(&versions).find(|(expected, it)| expected != *it) {
        let detail =
            format!("log entry {expected} is missing; it may have named files that are in use");
        return Err(LakeError::Unsupported { table: spec.name, detail });
    }
    Ok(first..=versions.last().copied().unwrap_or(first - 1))
}

/// Returns the version of the newest checkpoint of the table at `root`, if it has one.
pub(crate) fn last_checkpoint(root: &Folder) -> Result<Option<u64>, LakeError> {
    // `<version>.checkpoint.parquet`, or a longer name if a checkpoint has several files.
    let version = |name: &String| name.split_once(".checkpoint.")?.0.parse().ok();
    Ok(names(root)?.iter().filter_map(version).max())
}

/// Returns the names of the files in the log of the table at `root`.
fn names(root: &Folder) -> Result<Vec<String>, LakeError> {
    let log = root.folder(LOG);
    let files = log.list().map_err(LakeError::io("read", log.show("")))?;
    Ok(files.into_iter().map(|file| file.path).collect())
}

/// Returns the version of a log entry by its name.
pub(crate) fn entry_version(name: &str) -> Option<i64> {
    let number = name.strip_suffix(".json")?;
    (number.len() == 20).then(|| number.parse().ok()).flatten()
}
