//! The history of a table, entry by entry, against its state and itself.
//!
//! The state of a table comes from the newest checkpoint and the entries after it. While the log still has all its entries, the
//! state must be what they add up to; and an entry may take rows out only as a compaction, which puts them back, or as a
//! retention.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::LakeError;
use crate::log::snapshot::Snapshot;
use crate::log::{Entry, read_entry, versions};

/// The operation that a retention names in its entry.
const DELETE: &str = "DELETE";

/// A version that took rows out of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The version.
    pub version: i64,
    /// The number of files that it took out.
    pub files: usize,
    /// Their rows, if the log has their number.
    pub rows: Option<u64>,
    /// The choice of rows, as the entry has it.
    pub predicate: Option<String>,
}

/// What the entries of a log add up to.
#[derive(Default)]
pub(crate) struct History {
    /// The active files, each with the number of its rows if the log has it.
    active: BTreeMap<String, Option<u64>>,
    contradictions: Vec<String>,
    pub(crate) removals: Vec<Removal>,
}

impl History {
    /// Reads the log up to the version of `snapshot`; none where its first entries were cleaned up.
    pub(crate) fn read(snapshot: &Snapshot) -> Result<Option<Self>, LakeError> {
        let (spec, root) = (&*snapshot.spec, snapshot.root());
        if *versions(spec, root)?.start() != 0 {
            return Ok(None);
        }
        let mut history = Self::default();
        for version in 0..=snapshot.version() {
            let Some(entry) = read_entry(spec, root, version)? else { return Ok(None) };
            history.add(version, &entry);
        }
        Ok(Some(history))
    }

    fn add(&mut self, version: i64, entry: &Entry) {
        let rows_added = entry
            .adds
            .iter()
            .filter(|add| !add.data_change)
            .map(|add| add.stats().and_then(|stats| stats.num_records))
            .sum::<Option<u64>>();
        let mut moved = Some(0);
        let mut removal = Removal { version, files: 0, rows: Some(0), predicate: None };
        for file in &entry.removes {
            let Some(rows) = self.active.remove(&file.path) else {
                let path = &file.path;
                self.contradictions.push(format!(
                    "entry {version} takes out {path}, which was not part of the table"
                ));
                continue;
            };
            let sum = if file.data_change { &mut removal.rows } else { &mut moved };
            *sum = sum.zip(rows).map(|(sum, rows)| sum + rows);
            removal.files += usize::from(file.data_change);
        }
        if let Some((moved, added)) = moved.zip(rows_added).filter(|(moved, added)| moved != added)
        {
            self.contradictions.push(format!(
                "entry {version} takes out {moved} rows to put them into other files, and puts in {added}"
            ));
        }
        if removal.files > 0 {
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            let parameters = entry.info.get("operationParameters");
            removal.predicate = parameters.and_then(|all| all.get("predicate")).and_then(text);
            if entry.info.get("operation").and_then(text).as_deref() != Some(DELETE) {
                let files = removal.files;
                self.contradictions.push(format!(
                    "entry {version} takes out {files} files with their rows, and is no retention"
                ));
            }
            self.removals.push(removal);
        }
        for file in &entry.adds {
            let rows = file.stats().and_then(|stats| stats.num_records);
            self.active.insert(file.path.clone(), rows);
        }
    }

    /// What does not hold in the history itself, and where `snapshot` is not what it adds up to.
    pub(crate) fn contradictions(&self, snapshot: &Snapshot) -> Vec<String> {
        let state: BTreeSet<&str> =
            snapshot.files().iter().map(|file| file.path.as_str()).collect();
        let entries: BTreeSet<&str> = self.active.keys().map(String::as_str).collect();
        let hidden = entries.difference(&state).map(|path| {
            format!(
                "its entries have {path}, which the state of the table, as of a checkpoint, lacks"
            )
        });
        let made_up = state.difference(&entries).map(|path| {
            format!("the state of the table, as of a checkpoint, has {path}, which no entry adds")
        });
        self.contradictions.iter().cloned().chain(hidden).chain(made_up).collect()
    }
}
