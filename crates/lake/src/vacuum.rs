//! Removing files that the newest version of a table does not need: those that killed runs left behind, which no version names,
//! and those that a compaction or a retention has taken out.
//!
//! The log is read from the first entry that it still has. An append that is under way has written files that no version names
//! yet, and a query that is under way reads files of the version that it began with: what is young stays.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::error::LakeError;
use crate::snapshot::Snapshot;
use crate::spec::TableSpec;

const LOG_DIRECTORY: &str = "_delta_log";

/// What was not needed any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// The files that were removed, or would be, in order.
    pub removed: Vec<Orphan>,
    /// How many files are not needed, but so young that an append or a query under way may need them.
    pub young: usize,
    /// How many entries and checkpoints of the log were removed, which a later checkpoint replaces.
    pub log_entries: usize,
}

/// A file that the newest version of its table does not have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Whether an older version has it, which cannot be read without it.
    pub is_named: bool,
}

/// What the log says last of a file.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Active,
    /// Taken out, in milliseconds since the Unix epoch, if it says when.
    Removed(Option<i64>),
}

/// Removes the files that neither `snapshot` nor a version after it needs, for at least `min_age`.
pub(crate) fn vacuum(
    snapshot: &Snapshot,
    min_age: Duration,
    dry_run: bool,
) -> Result<Vacuumed, LakeError> {
    let root = snapshot.root();
    // The files first: what is committed after they were listed is in the log when that is read.
    let mut files = Vec::new();
    list_data_files(root, &mut files)?;
    list_log_leftovers(&root.join(LOG_DIRECTORY), &mut files)?;
    // Of a log that was cleaned up, a checkpoint names what its entries did; the entries that are left know better.
    let mut named: HashMap<String, Fate> =
        snapshot.files().iter().map(|file| (file.path.clone(), Fate::Active)).collect();
    named.extend(named_files(&snapshot.spec, &root.join(LOG_DIRECTORY))?);

    let mut vacuumed = Vacuumed::default();
    for path in files {
        let Some(relative) = relative_path(root, &path) else { continue };
        let fate = named.get(&relative);
        if matches!(fate, Some(Fate::Active | Fate::Removed(None))) {
            continue;
        }
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            // Whoever wrote it has removed it.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(LakeError::io("read", &path)(error)),
        };
        let unneeded_since = match fate {
            Some(Fate::Removed(Some(millis))) => {
                UNIX_EPOCH + Duration::from_millis(u64::try_from(*millis).unwrap_or_default())
            }
            _ => metadata.modified().map_err(LakeError::io("read", &path))?,
        };
        let is_old =
            SystemTime::now().duration_since(unneeded_since).is_ok_and(|age| age >= min_age);
        if !is_old {
            vacuumed.young += 1;
            continue;
        }
        if !dry_run {
            remove(&path)?;
        }
        let orphan = Orphan { path, size: metadata.len(), is_named: fate.is_some() };
        vacuumed.removed.push(orphan);
    }
    vacuumed.removed.sort_unstable();
    Ok(vacuumed)
}

fn remove(path: &Path) -> Result<(), LakeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(LakeError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// The Parquet files below a directory. As in every Delta Lake engine, names with `_` or `.` before them are not data.
fn list_data_files(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), LakeError> {
    for (path, name, is_directory) in entries(directory)? {
        if name.starts_with(['_', '.']) {
            continue;
        }
        if is_directory {
            list_data_files(&path, files)?;
        } else if name.ends_with(".parquet") {
            files.push(path);
        }
    }
    Ok(())
}

/// Entries of the log that were being written: `object_store` names them `….json#1` until they are whole.
fn list_log_leftovers(log: &Path, files: &mut Vec<PathBuf>) -> Result<(), LakeError> {
    for (path, name, is_directory) in entries(log)? {
        let is_staged = name.rsplit_once('#').is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !is_directory
            && (is_staged || Path::new(&*name).extension().is_some_and(|it| it == "tmp"))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Path, name and whether it is a directory of everything in a directory; links are not followed.
fn entries(directory: &Path) -> Result<Vec<(PathBuf, String, bool)>, LakeError> {
    let error = || LakeError::io("read", directory);
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(error())? {
        let entry = entry.map_err(error())?;
        let kind = entry.file_type().map_err(error())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        entries.push((entry.path(), name, kind.is_dir()));
    }
    Ok(entries)
}

/// The path of a file as the log names it; nothing if podtrail cannot have written it.
fn relative_path(root: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<_>> =
        path.strip_prefix(root).ok()?.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

/// The files that any entry of the log adds or removes, and what became of them.
fn named_files(spec: &TableSpec, log: &Path) -> Result<HashMap<String, Fate>, LakeError> {
    let mut versions: Vec<(u64, PathBuf)> = entries(log)?
        .into_iter()
        .filter_map(|(path, name, _)| {
            let version = name.strip_suffix(".json").filter(|version| version.len() == 20)?;
            Some((version.parse().ok()?, path))
        })
        .collect();
    versions.sort_unstable();
    let mut named = HashMap::new();
    let first = versions.first().map_or(0, |&(version, _)| version);
    for (expected, (version, path)) in (first..).zip(versions) {
        if version != expected {
            let detail = format!(
                "entry {expected} of its log is gone, which may have named files that are in use"
            );
            return Err(LakeError::Unsupported { table: spec.name, detail });
        }
        read_entry(spec, version, &path, &mut named)?;
    }
    Ok(named)
}

/// Reads one entry. One that cannot be understood may name any file.
fn read_entry(
    spec: &TableSpec,
    version: u64,
    path: &Path,
    named: &mut HashMap<String, Fate>,
) -> Result<(), LakeError> {
    #[derive(Deserialize)]
    struct Action {
        add: Option<Named>,
        remove: Option<Removed>,
        cdc: Option<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        path: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Removed {
        path: String,
        deletion_timestamp: Option<i64>,
    }

    let damaged = |detail: String| LakeError::Unsupported {
        table: spec.name,
        detail: format!("entry {version} of its log is damaged: {detail}"),
    };
    let file = File::open(path).map_err(LakeError::io("open", path))?;
    let mut actions = 0;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(LakeError::io("read", path))?;
        if line.trim().is_empty() {
            continue;
        }
        let action: Action =
            serde_json::from_str(&line).map_err(|error| damaged(error.to_string()))?;
        actions += 1;
        let kept = [action.add, action.cdc].into_iter().flatten();
        let kept = kept.map(|file| (file.path, Fate::Active));
        let removed = action.remove.map(|file| (file.path, Fate::Removed(file.deletion_timestamp)));
        named.extend(kept.chain(removed).map(|(path, fate)| {
            (percent_decode_str(&path).decode_utf8_lossy().into_owned(), fate)
        }));
    }
    if actions == 0 { Err(damaged("it is empty".to_owned())) } else { Ok(()) }
}
