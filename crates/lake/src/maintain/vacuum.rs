//! Removes files that the newest version of a table does not need: files that killed runs left behind, which no version
//! names, and files that a compaction or retention has removed from the table.
//!
//! The log is read from its first existing entry. A running query reads files of the version that it started with, so
//! recently removed files stay. A running append has written files that no version names yet: while there may be one,
//! unnamed files of the last day stay, regardless of the minimum age.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::LakeError;
use crate::log::snapshot::Snapshot;
use crate::log::{read_entry, versions};
use crate::spec::TableSpec;
use crate::store::{Folder, LOG, Listed};
use crate::write::writers::Alone;

/// Longer than any writer takes from its first file to its commit.
const UNCOMMITTED: Duration = Duration::from_hours(24);

/// The files that were not needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// The files that were removed, or would be, in order.
    pub removed: Vec<Orphan>,
    /// Number of files that are not needed, but so young that a running query may need them.
    pub young: usize,
    /// Number of unnamed files younger than a day that stay because a writer was active.
    pub uncommitted: usize,
    /// Number of log entries and checkpoints that were removed because a later checkpoint replaces them.
    pub log_entries: usize,
}

/// A file that is not part of the newest version of its table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// Its absolute path or URL.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether an older version contains the file and cannot be read without it.
    pub is_named: bool,
}

/// The last mention of a file in the log.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Active,
    /// Removed, in milliseconds since the Unix epoch, if the log has the time.
    Removed(Option<i64>),
}

/// Removes the files that neither `snapshot` nor a later version needs, and that have not been needed for `min_age`.
pub(crate) fn vacuum(
    snapshot: &Snapshot,
    min_age: Duration,
    dry_run: bool,
) -> Result<Vacuumed, LakeError> {
    let alone = Alone::try_begin(snapshot.root());
    let now = SystemTime::now();
    let is_older = |than: Duration, since| now.duration_since(since).is_ok_and(|age| age >= than);
    let mut vacuumed = Vacuumed::default();
    for Unneeded { file, inside, since } in unneeded(snapshot)? {
        if !is_older(min_age, since) {
            vacuumed.young += 1;
        } else if !file.is_named && alone.is_none() && !is_older(UNCOMMITTED, since) {
            vacuumed.uncommitted += 1;
        } else {
            if !dry_run {
                let removed = snapshot.root().remove(&inside);
                removed.map_err(LakeError::io("remove", &file.path))?;
            }
            vacuumed.removed.push(file);
        }
    }
    vacuumed.removed.sort_unstable();
    Ok(vacuumed)
}

/// Returns the files that no version names, in order: of killed runs, or of a running append.
pub(crate) fn unnamed(snapshot: &Snapshot) -> Result<Vec<Orphan>, LakeError> {
    let files = unneeded(snapshot)?.into_iter().map(|unneeded| unneeded.file);
    let mut unnamed: Vec<_> = files.filter(|file| !file.is_named).collect();
    unnamed.sort_unstable();
    Ok(unnamed)
}

/// A file that is not part of the newest version, and since when; for an unnamed file, its last modification.
struct Unneeded {
    file: Orphan,
    /// Its path inside the table.
    inside: String,
    since: SystemTime,
}

fn unneeded(snapshot: &Snapshot) -> Result<Vec<Unneeded>, LakeError> {
    let root = snapshot.root();
    // Files are listed first: a commit after the listing is in the log when the log is read.
    let mut files = data_files(root)?;
    files.append(&mut log_leftovers(root)?);
    // After a log cleanup, a checkpoint names the files of removed entries; existing entries take precedence.
    let active = snapshot.listed();
    let mut named: HashMap<String, Fate> =
        snapshot.positions().iter().map(|at| (active.path(*at).to_owned(), Fate::Active)).collect();
    named.extend(named_files(&snapshot.spec, root)?);

    let mut unneeded = Vec::new();
    for Listed { path, size, modified } in files {
        let fate = named.get(&path);
        if matches!(fate, Some(Fate::Active | Fate::Removed(None))) {
            continue;
        }
        let since = match fate {
            Some(Fate::Removed(Some(millis))) => {
                UNIX_EPOCH + Duration::from_millis(u64::try_from(*millis).unwrap_or_default())
            }
            _ => modified,
        };
        let file = Orphan { path: root.show(&path), size, is_named: fate.is_some() };
        unneeded.push(Unneeded { file, inside: path, since });
    }
    Ok(unneeded)
}

/// Lists the Parquet files of a table.
fn data_files(root: &Folder) -> Result<Vec<Listed>, LakeError> {
    let mut files = root.list_data().map_err(LakeError::io("read", root.show("")))?;
    files.retain(|file| file.path.ends_with(".parquet"));
    Ok(files)
}

/// Lists log entries that were being written: `object_store` names them `….json#1` until they are complete.
fn log_leftovers(root: &Folder) -> Result<Vec<Listed>, LakeError> {
    let log = root.folder(LOG);
    let mut files = log.list().map_err(LakeError::io("read", log.show("")))?;
    files.retain(|file| {
        let is_staged = file.path.rsplit_once('#').is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        is_staged || Path::new(&file.path).extension().is_some_and(|it| it == "tmp")
    });
    for file in &mut files {
        file.path = format!("{LOG}/{}", file.path);
    }
    Ok(files)
}

/// Returns the files that any entry of the log adds or removes, with their last mention.
fn named_files(spec: &TableSpec, root: &Folder) -> Result<HashMap<String, Fate>, LakeError> {
    let mut named = HashMap::new();
    for version in versions(spec, root)? {
        let Some(entry) = read_entry(spec, root, version)? else { continue };
        // An entry that cannot be parsed may name any file.
        if entry.actions == 0 {
            let detail = format!("log entry {version} is damaged: it is empty");
            return Err(LakeError::Unsupported { table: spec.name, detail });
        }
        let removed = entry.removes.into_iter();
        named.extend(removed.map(|file| (file.path, Fate::Removed(file.deletion_timestamp))));
        let kept = entry.adds.into_iter().map(|file| file.path).chain(entry.change_files);
        named.extend(kept.map(|path| (path, Fate::Active)));
    }
    Ok(named)
}
