//! Appending: leave out what the table has, write files, commit, and start again where another writer was faster.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use deltalake::kernel::LogicalFileView;
use deltalake::table::state::DeltaTableState;

use crate::error::LakeError;
use crate::log::snapshot::{DataFile, partition_values};
use crate::spec::TableSpec;
use crate::write::dedupe::{NewRows, Row, RowKey, text_column};
use crate::write::known_ids::KnownIds;
use crate::write::writers::Writing;
use crate::write::{Writer, Written};

/// What an append came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Rows that were added.
    pub rows: u64,
    /// Rows that were left out: the table, or the same call, had them already.
    pub duplicates: u64,
    /// Version of the table that has the rows.
    pub version: i64,
    /// Files that were added.
    pub files: usize,
    /// Their size on disk.
    pub bytes: u64,
}

/// The rows of one append and how far they got. Dropped before its files are committed, it deletes them.
pub(crate) struct Append {
    spec: Arc<TableSpec>,
    root: PathBuf,
    batches: Vec<RecordBatch>,
    new: NewRows,
    written: Vec<Written>,
    duplicates: u64,
    known: Arc<KnownIds>,
    /// Paths of the files that were looked into for duplicates.
    checked: HashSet<String>,
    /// The last field: it is dropped after the files that are not committed.
    _writing: Writing,
}

impl Append {
    /// Takes the rows in; of equal rows, the first.
    pub(crate) fn new(
        spec: Arc<TableSpec>,
        root: PathBuf,
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
        append.leave_out(&known_elsewhere)?;
        Ok(append)
    }

    /// Leaves out what is in files that were not looked into yet, and writes what has no file yet.
    pub(crate) fn prepare(&mut self, state: &DeltaTableState) -> Result<(), LakeError> {
        let active: Vec<DataFile> =
            state.log_data().iter().filter_map(|file| self.unchecked(&file)).collect();
        let known = self.new.find_in(&self.spec, &self.root, &active, &self.known)?;
        self.checked.extend(active.into_iter().map(|file| file.path));
        self.leave_out(&known)?;
        self.write_missing()
    }

    fn leave_out(&mut self, known: &HashSet<RowKey>) -> Result<(), LakeError> {
        if known.is_empty() {
            return Ok(());
        }
        self.duplicates += self.new.remove(known);
        self.part()
    }

    /// The file, if it may hold a duplicate and was not looked into yet. A large table has tens of thousands of files, and
    /// statistics are dear to read: most files are of other partitions, and are left out before that.
    fn unchecked(&self, file: &LogicalFileView) -> Option<DataFile> {
        let values = partition_values(&self.spec, file);
        let is_candidate =
            self.new.may_have_equals_in(&values) && !self.checked.contains(file.path().as_ref());
        is_candidate.then(|| DataFile::new(file, values))
    }

    /// Takes back what rows say of others that are left out now, and every file that says it.
    fn part(&mut self) -> Result<(), LakeError> {
        self.written.clear();
        let Some(apart) = self.spec.apart else { return Ok(()) };
        let (together, alone) = apart.together;
        self.new.move_to(apart.place(Some(alone)), apart.place(Some(together)));
        for batch in &mut self.batches {
            let column = text_column(&self.spec, batch, apart.column)?;
            let parted: StringArray = column
                .iter()
                .map(|value| if value == Some(together) { Some(alone) } else { value })
                .collect();
            let mut columns = batch.columns().to_vec();
            let index = batch.schema().index_of(apart.column);
            let arrow = LakeError::arrow(self.spec.name);
            columns[index.map_err(arrow)?] = Arc::new(parted);
            let parted = RecordBatch::try_new(batch.schema(), columns);
            *batch = parted.map_err(LakeError::arrow(self.spec.name))?;
        }
        Ok(())
    }

    /// Writes what has no file yet.
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

    /// The files to commit; none where every row is a duplicate.
    pub(crate) fn written(&mut self) -> &mut [Written] {
        &mut self.written
    }

    /// What came of it, at this version of the table.
    pub(crate) fn summary(&self, version: i64) -> Appended {
        let bytes = self.written.iter().map(|file| file.add.size).sum::<i64>();
        Appended {
            rows: self.new.rows.len() as u64,
            duplicates: self.duplicates,
            version,
            files: self.written.len(),
            bytes: u64::try_from(bytes).unwrap_or_default(),
        }
    }
}
