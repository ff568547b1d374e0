//! Appends: drop rows that the table has, write files, commit, and retry if another writer committed first.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::error::LakeError;
use crate::log::files::Position;
use crate::log::snapshot::data_files;
use crate::log::state::LogState;
use crate::partition::PartitionValues;
use crate::spec::TableSpec;
use crate::store::Folder;
use crate::write::dedupe::{NewRows, Row, RowKey};
use crate::write::known_ids::KnownIds;
use crate::write::writers::Writing;
use crate::write::{Writer, Written};

/// The result of an append.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Rows that were added.
    pub rows: u64,
    /// Rows that were dropped because the table, or the same call, had them already.
    pub duplicates: u64,
    /// Version of the table that contains the rows.
    pub version: i64,
    /// Files that were added.
    pub files: usize,
    /// Their size on disk in bytes.
    pub bytes: u64,
}

/// The rows of one append and their progress. Dropped before its files are committed, it deletes them.
pub(crate) struct Append {
    spec: Arc<TableSpec>,
    root: Folder,
    batches: Vec<RecordBatch>,
    new: NewRows,
    written: Vec<Written>,
    duplicates: u64,
    known: Arc<KnownIds>,
    /// Paths of the files that were searched for duplicates.
    checked: HashSet<String>,
    /// The last field: it is dropped after the files that are not committed.
    _writing: Writing,
}

impl Append {
    /// Takes the rows; of equal rows, the first.
    pub(crate) fn new(
        spec: Arc<TableSpec>,
        root: Folder,
        batches: Vec<RecordBatch>,
        known: Arc<KnownIds>,
    ) -> Result<Self, LakeError> {
        let new = NewRows::collect(&spec, &batches)?;
        let writing = Writing::begin(&root)?;
        let mut append = Self {
            spec,
            root,
            batches,
            duplicates: new.repeated,
            new,
            written: Vec::new(),
            known,
            checked: HashSet::new(),
            _writing: writing,
        };
        let known_elsewhere = append.new.known_elsewhere();
        append.leave_out(&known_elsewhere);
        Ok(append)
    }

    /// Drops rows that are in files not searched yet, and writes rows that have no file yet.
    pub(crate) fn prepare(&mut self, state: &LogState) -> Result<(), LakeError> {
        let unchecked = self.unchecked(state);
        let active = data_files(&self.spec, &self.root, &state.files, &unchecked)?;
        let known = self.new.find_in(&self.spec, &self.root, &active, &self.known)?;
        self.checked.extend(active.into_iter().map(|file| file.path));
        self.leave_out(&known);
        self.write_missing()
    }

    /// Drops rows, and the files that contain one of them.
    fn leave_out(&mut self, known: &HashSet<RowKey>) {
        self.duplicates += self.new.remove(known);
        self.written.retain(|file| file.rows.iter().all(|row| !known.contains(&row.key())));
    }

    /// Returns the files that may contain a duplicate and were not searched yet. Most files of a large table are of
    /// other partitions, and their statistics are not read.
    fn unchecked(&self, state: &LogState) -> Vec<Position> {
        let files = &state.files;
        let is_candidate = |values: &PartitionValues| self.new.may_have_equals_in(values);
        let candidates: Vec<Vec<bool>> =
            files.batches().map(|values| values.iter().map(is_candidate).collect()).collect();
        files
            .positions()
            .filter(|at| candidates[at.batch()][files.partition(*at)])
            .filter(|at| !self.checked.contains(files.path(*at)))
            .collect()
    }

    /// Writes rows that have no file yet.
    pub(crate) fn write_missing(&mut self) -> Result<(), LakeError> {
        let have: HashSet<RowKey> =
            self.written.iter().flat_map(|file| &file.rows).map(Row::key).collect();
        let missing: Vec<_> =
            self.new.rows.iter().filter(|row| !have.contains(&row.key())).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let writer = Writer::new(&self.spec, &self.root, &self.new.partitions, &self.batches)?;
        self.written.extend(writer.write(&missing)?);
        Ok(())
    }

    /// Returns the files to commit; none if every row is a duplicate.
    pub(crate) fn written(&mut self) -> &mut [Written] {
        &mut self.written
    }

    /// Returns the result at this version of the table.
    pub(crate) fn summary(&self, version: i64) -> Appended {
        Appended {
            rows: self.new.rows.len() as u64,
            duplicates: self.duplicates,
            version,
            files: self.written.len(),
            bytes: self.written.iter().map(Written::size).sum(),
        }
    }
}
