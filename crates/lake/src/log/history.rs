//! Checks the history of a table, entry by entry, against its state and against itself.
//!
//! The state of a table comes from the newest checkpoint and the entries after it. While the log has all its entries,
//! the state must equal their sum. An entry may remove rows only as a compaction, which adds them again, or as a
//! retention.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::LakeError;
use crate::log::snapshot::Snapshot;
use crate::log::{Entry, read_entry, versions};

/// The operation name of a retention.
const DELETE: &str = "DELETE";

/// A version that removed rows from a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The version.
    pub version: i64,
    /// The number of files that it removed.
    pub files: usize,
    /// The number of their rows, if the log has it.
    pub rows: Option<u64>,
    /// The predicate that selected the rows, as in the entry.
    pub predicate: Option<String>,
}

/// The sum of a log's entries.
#[derive(Default)]
pub(crate) struct History {
    /// The active files, each with its number of rows if the log has it.
    active: BTreeMap<String, Option<u64>>,
    contradictions: Vec<String>,
    pub(crate) removals: Vec<Removal>,
}

impl History {
    /// Reads the log up to the version of `snapshot`; `None` if its first entries were cleaned up.
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
                    "entry {version} removes {path}, which was not part of the table"
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
                "entry {version} rewrites {moved} rows into other files, which have {added} rows"
            ));
        }
        if removal.files > 0 {
            let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
            let parameters = entry.info.get("operationParameters");
            removal.predicate = parameters.and_then(|all| all.get("predicate")).and_then(text);
            if entry.info.get("operation").and_then(text).as_deref() != Some(DELETE) {
                let files = removal.files;
                self.contradictions.push(format!(
                    "entry {version} removes {files} files with their rows, but is not a retention"
                ));
            }
            self.removals.push(removal);
        }
        for file in &entry.adds {
            let rows = file.stats().and_then(|stats| stats.num_records);
            self.active.insert(file.path.clone(), rows);
        }
    }

    /// Returns the contradictions within the history, and between the history and `snapshot`.
    pub(crate) fn contradictions(&self, snapshot: &Snapshot) -> Vec<String> {
        let state: BTreeSet<&str> =
            snapshot.positions().iter().map(|at| snapshot.listed().path(*at)).collect();
        let entries: BTreeSet<&str> = self.active.keys().map(String::as_str).collect();
        let hidden = entries.difference(&state).map(|path| {
            format!("the log entries add {path}, but the state from the checkpoint lacks it")
        });
        let made_up = state.difference(&entries).map(|path| {
            format!("the state from the checkpoint contains {path}, but no log entry adds it")
        });
        self.contradictions.iter().cloned().chain(hidden).chain(made_up).collect()
    }
}
