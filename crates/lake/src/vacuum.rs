//! Removing what killed runs left behind: files in the directory of a table that no version of it names.
//!
//! The log is read from its first entry on, so a file that any version names stays, whether it is active or not. An append
//! that is under way has written files that no version names yet: young files stay too.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::error::LakeError;
use crate::spec::TableSpec;

const LOG_DIRECTORY: &str = "_delta_log";

/// What was left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// The files that were removed, or would be, in order.
    pub removed: Vec<Orphan>,
    /// How many files no version names, but are too young to be told from those of an append under way.
    pub young: usize,
}

/// A file that no version of its table names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
}

/// Removes the files of the table at `root` that no version names and that are at least `min_age` old.
pub(crate) fn vacuum(
    spec: &TableSpec,
    root: &Path,
    min_age: Duration,
    dry_run: bool,
) -> Result<Vacuumed, LakeError> {
    // The files first: what is committed after they were listed is in the log when that is read.
    let mut files = Vec::new();
    list_data_files(root, &mut files)?;
    list_log_leftovers(&root.join(LOG_DIRECTORY), &mut files)?;
    let named = named_files(spec, &root.join(LOG_DIRECTORY))?;

    let mut vacuumed = Vacuumed::default();
    for path in files {
        if relative_path(root, &path).is_none_or(|relative| named.contains(&relative)) {
            continue;
        }
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            // Whoever wrote it has removed it.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(LakeError::io("read", &path)(error)),
        };
        let modified = metadata.modified().map_err(LakeError::io("read", &path))?;
        let is_old = SystemTime::now().duration_since(modified).is_ok_and(|age| age >= min_age);
        if !is_old {
            vacuumed.young += 1;
            continue;
        }
        if !dry_run {
            remove(&path)?;
        }
        vacuumed.removed.push(Orphan { path, size: metadata.len() });
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

/// The files that any entry of the log adds or removes.
fn named_files(spec: &TableSpec, log: &Path) -> Result<HashSet<String>, LakeError> {
    let mut versions: Vec<(u64, PathBuf)> = entries(log)?
        .into_iter()
        .filter_map(|(path, name, _)| {
            let version = name.strip_suffix(".json").filter(|version| version.len() == 20)?;
            Some((version.parse().ok()?, path))
        })
        .collect();
    versions.sort_unstable();
    let mut named = HashSet::new();
    for (expected, (version, path)) in (0..).zip(versions) {
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
    named: &mut HashSet<String>,
) -> Result<(), LakeError> {
    #[derive(Deserialize)]
    struct Action {
        add: Option<Named>,
        remove: Option<Named>,
        cdc: Option<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        path: String,
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
        let files = [action.add, action.remove, action.cdc].into_iter().flatten();
        named.extend(
            files.map(|file| percent_decode_str(&file.path).decode_utf8_lossy().into_owned()),
        );
    }
    if actions == 0 { Err(damaged("it is empty".to_owned())) } else { Ok(()) }
}
