//! The state of a table at one version: the newest checkpoint before it, and the log entries after that.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::error::LakeError;
use crate::log::actions::{Metadata, Parsed, Protocol, parse};
use crate::log::checkpoint::Checkpoint;
use crate::log::damage::damages;
use crate::log::entry::Transaction;
use crate::log::files::{Files, Packer, RowsBuilder, StatsAt};
use crate::log::{contents, entry_version};
use crate::maintain::verify::Problem;
use crate::spec::TableSpec;
use crate::store::{Folder, LOG, entry_path};

/// The number of entries that are parsed in parallel, and so in memory together.
const WINDOW: u64 = 64;

/// After this time, the log is read from its newest checkpoint again: entries that follow an old version may be gone.
const LONGEST_AGE: Duration = Duration::from_hours(1);

/// The state of a table at one version.
#[derive(Debug, Clone)]
pub(crate) struct LogState {
    /// The version, from 0.
    pub(crate) version: u64,
    pub(crate) protocol: Protocol,
    pub(crate) metadata: Metadata,
    /// The active files.
    pub(crate) files: Files,
    /// Why the table cannot be read although its log can.
    pub(crate) refused: Option<String>,
    transactions: HashMap<String, Transaction>,
    read_at: Instant,
}

impl LogState {
    /// Reads the state at a version, or at the newest.
    ///
    /// An unusable checkpoint is replaced by the one before it, or by all entries.
    pub(crate) fn read(
        spec: &TableSpec,
        root: &Folder,
        version: Option<u64>,
    ) -> Result<Self, LakeError> {
        Self::read_listed(spec, root, version).map_err(|error| damaged(spec, root, error))
    }

    fn read_listed(
        spec: &TableSpec,
        root: &Folder,
        version: Option<u64>,
    ) -> Result<Self, LakeError> {
        let read_at = Instant::now();
        let log = root.folder(LOG);
        let listed = log.list().map_err(LakeError::io("read", log.show("")))?;
        let names = || listed.iter().map(|file| file.path.as_str());
        let mut entries: Vec<u64> =
            names().filter_map(entry_version).filter_map(|it| u64::try_from(it).ok()).collect();
        entries.sort_unstable();
        let mut checkpoints = Checkpoint::find(names());
        let newest = entries.last().copied().max(checkpoints.first().map(|it| it.version));
        let missing = |version: u64| LakeError::Unsupported {
            table: spec.name,
            detail: format!("version {version} does not exist"),
        };
        if let Some(version) = version {
            if newest.is_none_or(|newest| version > newest) {
                return Err(missing(version));
            }
            checkpoints.retain(|checkpoint| checkpoint.version <= version);
        }
        let mut failed: Option<LakeError> = None;
        for checkpoint in checkpoints.iter().map(Some).chain([None]) {
            let base = checkpoint.map(|checkpoint| checkpoint.version);
            // An unusable checkpoint does not prove that its version exists.
            let Some(version) = version.or(base.max(entries.last().copied())) else { break };
            let first = base.map_or(0, |base| base + 1);
            let start = entries.partition_point(|entry| *entry < first);
            let after = entries[start..].iter().take_while(|entry| **entry <= version);
            let read = if after.copied().eq(first..=version) {
                Self::replay(spec, root, checkpoint, version, read_at)
            } else {
                let detail = format!("entries between {first} and {version} are missing");
                Err(LakeError::Damaged { table: spec.name, path: LOG.to_owned(), detail })
            };
            match read {
                Ok(state) => {
                    if let Some(error) = failed {
                        tracing::warn!(
                            table = spec.name, %error,
                            "a checkpoint of the log is unusable: read the log entries instead"
                        );
                    }
                    return Ok(state);
                }
                Err(error) => failed = Some(failed.unwrap_or(error)),
            }
        }
        Err(failed.unwrap_or_else(|| missing(0)))
    }

    fn replay(
        spec: &TableSpec,
        root: &Folder,
        checkpoint: Option<&Checkpoint>,
        version: u64,
        read_at: Instant,
    ) -> Result<Self, LakeError> {
        let first = checkpoint.map_or(0, |checkpoint| checkpoint.version + 1);
        let mut replay = Replay::default();
        let mut end = version + 1;
        while end > first {
            let start = end.saturating_sub(WINDOW).max(first);
            let parsed = (start..end).into_par_iter().map(|version| {
                let missing = || LakeError::Damaged {
                    table: spec.name,
                    path: entry_path(version),
                    detail: "was removed while the log was read".to_owned(),
                };
                read(spec, root, version)?.ok_or_else(missing)
            });
            let parsed: Vec<Parsed> = parsed.collect::<Result<_, LakeError>>()?;
            for entry in parsed.into_iter().rev() {
                replay.add_older(spec, entry)?;
            }
            end = start;
        }
        let (mut files, mut described) = (Files::default(), Parsed::default());
        if let Some(checkpoint) = checkpoint {
            let seen = replay.seen.iter().map(String::as_str).collect();
            let mut content = checkpoint.read(spec, root, &seen)?;
            content.files.into_iter().for_each(|rows| files.add_older(rows));
            if content.described.added.is_empty() {
                described = content.described;
            } else {
                // Files in a main part that is JSON.
                let mut older = Replay { seen: replay.seen.clone(), ..Replay::default() };
                older.add_older(spec, std::mem::take(&mut content.described))?;
                described = older.finish(spec, &mut files)?;
            }
        }
        let mut newer = replay.finish(spec, &mut files)?;
        newer.merge_older(described);
        let lacks = |what: &str| LakeError::Damaged {
            table: spec.name,
            path: LOG.to_owned(),
            detail: format!("version {version} has no {what}"),
        };
        Ok(Self {
            version,
            protocol: newer.protocol.ok_or_else(|| lacks("protocol"))?,
            metadata: newer.metadata.ok_or_else(|| lacks("metadata"))?,
            files,
            refused: newer.refused,
            transactions: newer.transactions,
            read_at,
        })
    }

    /// Reads the newest state, given an older one.
    pub(crate) fn advance(
        self: Arc<Self>,
        spec: &TableSpec,
        root: &Folder,
    ) -> Result<Arc<Self>, LakeError> {
        if self.read_at.elapsed() > LONGEST_AGE {
            return Self::read(spec, root, None).map(Arc::new);
        }
        let mut newer = Vec::new();
        let mut version = self.version;
        let read_at = Instant::now();
        while let Some(entry) =
            read(spec, root, version + 1).map_err(|error| damaged(spec, root, error))?
        {
            newer.push(entry);
            version += 1;
        }
        if newer.is_empty() {
            return Ok(self);
        }
        if self.refused.is_some() {
            // The file may be gone.
            return Self::read(spec, root, Some(version)).map(Arc::new);
        }
        let mut state = Self { version, read_at, ..Self::clone(&self) };
        let mut replay = Replay::default();
        for entry in newer.into_iter().rev() {
            replay.add_older(spec, entry)?;
        }
        state.files.remove(&replay.seen.iter().map(String::as_str).collect());
        let newer = replay.finish(spec, &mut state.files)?;
        state.protocol = newer.protocol.unwrap_or(state.protocol);
        state.metadata = newer.metadata.unwrap_or(state.metadata);
        state.refused = newer.refused.or(state.refused);
        state.transactions.extend(newer.transactions);
        Ok(Arc::new(state))
    }

    /// Returns all application transactions.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = &Transaction> {
        self.transactions.values()
    }

    /// Returns the number of an application transaction.
    pub(crate) fn transaction(&self, application: &str) -> Option<i64> {
        self.transactions.get(application).map(|transaction| transaction.version)
    }
}

/// Reads and parses an entry; `None` if it does not exist.
fn read(spec: &TableSpec, root: &Folder, version: u64) -> Result<Option<Parsed>, LakeError> {
    let contents = contents(root, version)?;
    contents.map(|contents| parse(spec, &entry_path(version), &contents)).transpose()
}

/// Replaces the error by the first problem that a check of the whole log finds, which is more precise.
fn damaged(spec: &TableSpec, root: &Folder, error: LakeError) -> LakeError {
    if !matches!(error, LakeError::Damaged { .. }) {
        return error;
    }
    match damages(spec, root).into_iter().next() {
        Some(Problem { path, detail }) => LakeError::Damaged { table: spec.name, path, detail },
        None => error,
    }
}

/// Entries from the newest to the oldest: of several actions for one file, the newest decides.
#[derive(Default)]
struct Replay {
    /// The paths of files in newer entries.
    seen: HashSet<String>,
    files: RowsBuilder,
    stats: Packer,
    described: Parsed,
}

impl Replay {
    fn add_older(&mut self, spec: &TableSpec, mut entry: Parsed) -> Result<(), LakeError> {
        for file in std::mem::take(&mut entry.added) {
            if self.seen.contains(&file.path) {
                continue;
            }
            let values: Vec<Option<&str>> = file.values.iter().map(Option::as_deref).collect();
            self.files.push(&file.path, file.size, file.modified, &values);
            self.stats.push(file.stats.as_deref()).map_err(packing(spec))?;
            self.described.refused = self.described.refused.take().or(file.refused);
            self.seen.insert(file.path);
        }
        self.seen.extend(std::mem::take(&mut entry.removed));
        self.described.merge_older(entry);
        Ok(())
    }

    /// Adds the files to older ones. Returns what describes the table.
    fn finish(self, spec: &TableSpec, older: &mut Files) -> Result<Parsed, LakeError> {
        let stats = self.stats.finish().map_err(packing(spec))?;
        older.add_newer(self.files.finish(StatsAt::Packed(stats)));
        Ok(self.described)
    }
}

fn packing(spec: &TableSpec) -> impl Fn(std::io::Error) -> LakeError {
    let table = spec.name;
    move |error| LakeError::Unsupported { table, detail: format!("statistics of files: {error}") }
}
