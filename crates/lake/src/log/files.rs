//! The active files of a table in a compact form: a large table has a million of them.
//!
//! Statistics are nine tenths of a log, and a query needs those of few files. They stay where they are until they are
//! needed: those of a checkpoint in the checkpoint, those of log entries compressed in memory.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::LakeError;
use crate::log::checkpoint::Part;
use crate::partition::PartitionValues;
use crate::spec::TableSpec;
use crate::store::Folder;

/// The size of the statistics that are compressed together, in bytes.
const BLOCK_BYTES: usize = 256 << 10;

/// The compression level: the texts repeat each other, so the fastest level makes them ten times smaller.
const LEVEL: i32 = 1;

/// One file of [`Files`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    batch: u32,
    row: u32,
}

impl Position {
    /// Returns the number of the batch, see [`Files::batches`].
    pub(crate) fn batch(self) -> usize {
        self.batch as usize
    }
}

/// The active files of a version. Clones share the rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    batches: Vec<Batch>,
}

/// Files that were read together, without those that were removed since.
#[derive(Debug, Clone)]
struct Batch {
    rows: Arc<Rows>,
    /// Whether each row was removed; empty if none was.
    is_removed: Arc<[bool]>,
    removed: usize,
}

impl Batch {
    fn has(&self, row: usize) -> bool {
        !self.is_removed.get(row).copied().unwrap_or_default()
    }
}

impl Files {
    /// Returns all files, those added last first.
    pub(crate) fn positions(&self) -> impl Iterator<Item = Position> {
        (0..).zip(&self.batches).flat_map(|(number, batch)| {
            let rows = (0..).zip(0..batch.rows.len()).filter(|(_, row)| batch.has(*row));
            rows.map(move |(row, _)| Position { batch: number, row })
        })
    }

    /// Returns the distinct partition values of each batch; [`partition`](Self::partition) is an index into them.
    pub(crate) fn batches(&self) -> impl Iterator<Item = &[PartitionValues]> {
        self.batches.iter().map(|batch| batch.rows.values.as_slice())
    }

    /// Returns one file of each partition, possibly several if the files were not read together.
    pub(crate) fn one_of_each_partition<'a>(
        &'a self,
        files: impl IntoIterator<Item = Position> + 'a,
    ) -> impl Iterator<Item = Position> + 'a {
        let mut seen = HashSet::new();
        files.into_iter().filter(move |at| seen.insert((at.batch, self.partition(*at))))
    }

    fn rows(&self, at: Position) -> (&Rows, usize) {
        (&self.batches[at.batch as usize].rows, at.row as usize)
    }

    /// Returns the path of a file on disk, relative to the table, with `/`.
    pub(crate) fn path(&self, at: Position) -> &str {
        let (rows, row) = self.rows(at);
        rows.path(row)
    }

    /// Returns the size of a file in bytes.
    pub(crate) fn size(&self, at: Position) -> u64 {
        let (rows, row) = self.rows(at);
        rows.sizes[row]
    }

    /// Returns when a file was written, in milliseconds since the Unix epoch.
    pub(crate) fn modified(&self, at: Position) -> i64 {
        let (rows, row) = self.rows(at);
        rows.modified[row]
    }

    /// Returns the number of a file's partition within its batch.
    pub(crate) fn partition(&self, at: Position) -> usize {
        let (rows, row) = self.rows(at);
        rows.partitions[row] as usize
    }

    /// Returns the partition values of a file.
    pub(crate) fn values(&self, at: Position) -> &PartitionValues {
        let (rows, row) = self.rows(at);
        &rows.values[rows.partitions[row] as usize]
    }

    /// Reads the statistics of files, as JSON; `None` where the log has none.
    pub(crate) fn stats(
        &self,
        spec: &TableSpec,
        root: &Folder,
        files: &[Position],
    ) -> Result<Vec<Option<String>>, LakeError> {
        let mut by_batch: HashMap<u32, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for (index, at) in files.iter().enumerate() {
            let (indices, rows) = by_batch.entry(at.batch).or_default();
            indices.push(index);
            rows.push(at.row as usize);
        }
        let mut found = vec![None; files.len()];
        for (batch, (indices, rows)) in by_batch {
            let stats = match &self.batches[batch as usize].rows.stats {
                StatsAt::Checkpoint { part, rows: of_part } => {
                    let rows: Vec<_> = rows.iter().map(|row| of_part[*row]).collect();
                    part.stats(spec, root, &rows)?
                }
                StatsAt::Packed(packed) => packed.get(&rows).map_err(|error| {
                    LakeError::Unsupported { table: spec.name, detail: error.to_string() }
                })?,
            };
            for (index, stats) in indices.into_iter().zip(stats) {
                found[index] = stats;
            }
        }
        Ok(found)
    }

    /// Removes the files with these paths.
    pub(crate) fn remove(&mut self, paths: &HashSet<&str>) {
        if paths.is_empty() {
            return;
        }
        for batch in &mut self.batches {
            let rows = 0..batch.rows.len();
            let gone: Vec<usize> = rows
                .filter(|row| batch.has(*row) && paths.contains(batch.rows.path(*row)))
                .collect();
            if gone.is_empty() {
                continue;
            }
            let mut is_removed = batch.is_removed.to_vec();
            is_removed.resize(batch.rows.len(), false);
            for row in &gone {
                is_removed[*row] = true;
            }
            batch.removed += gone.len();
            batch.is_removed = is_removed.into();
        }
        self.batches.retain(|batch| batch.removed < batch.rows.len());
    }

    /// Adds files that were added after all others.
    pub(crate) fn add_newer(&mut self, rows: Rows) {
        if rows.len() > 0 {
            self.batches.insert(0, Batch::of(rows));
        }
    }

    /// Adds files that were added before all others.
    pub(crate) fn add_older(&mut self, rows: Rows) {
        if rows.len() > 0 {
            self.batches.push(Batch::of(rows));
        }
    }
}

impl Batch {
    fn of(rows: Rows) -> Self {
        Self { rows: Arc::new(rows), is_removed: Arc::default(), removed: 0 }
    }
}

/// Files in columns.
#[derive(Debug)]
pub(crate) struct Rows {
    paths: String,
    /// The end of each path in `paths`.
    ends: Vec<usize>,
    sizes: Vec<u64>,
    modified: Vec<i64>,
    /// An index into `values` for each file.
    partitions: Vec<u32>,
    values: Vec<PartitionValues>,
    stats: StatsAt,
}

/// Where the statistics of files are.
#[derive(Debug)]
pub(crate) enum StatsAt {
    /// In these rows of a part of a checkpoint.
    Checkpoint {
        /// The part.
        part: Part,
        /// The row of each file.
        rows: Vec<u32>,
    },
    /// In memory.
    Packed(Packed),
}

impl Rows {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn path(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.paths[start..self.ends[row]]
    }
}

/// Collects files into columns.
#[derive(Debug, Default)]
pub(crate) struct RowsBuilder {
    paths: String,
    ends: Vec<usize>,
    sizes: Vec<u64>,
    modified: Vec<i64>,
    partitions: Vec<u32>,
    values: Vec<PartitionValues>,
    numbers: HashMap<Box<[u8]>, u32>,
    key: Vec<u8>,
}

impl RowsBuilder {
    /// Adds a file: path, size in bytes, time in milliseconds, partition values in the order of the columns.
    pub(crate) fn push(&mut self, path: &str, size: u64, modified: i64, values: &[Option<&str>]) {
        self.paths.push_str(path);
        self.ends.push(self.paths.len());
        self.sizes.push(size);
        self.modified.push(modified);
        let number = self.number(values);
        self.partitions.push(number);
    }

    fn number(&mut self, values: &[Option<&str>]) -> u32 {
        self.key.clear();
        for value in values {
            let length = value.map_or(u64::MAX, |value| value.len() as u64);
            self.key.extend_from_slice(&length.to_le_bytes());
            self.key.extend_from_slice(value.unwrap_or_default().as_bytes());
        }
        if let Some(number) = self.numbers.get(self.key.as_slice()) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.numbers.insert(self.key.as_slice().into(), number);
        self.values.push(values.iter().map(|value| value.map(str::to_owned)).collect());
        number
    }

    /// Returns the files, whose statistics are at `stats`.
    pub(crate) fn finish(mut self, stats: StatsAt) -> Rows {
        self.paths.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.sizes.shrink_to_fit();
        self.modified.shrink_to_fit();
        self.partitions.shrink_to_fit();
        Rows {
            paths: self.paths,
            ends: self.ends,
            sizes: self.sizes,
            modified: self.modified,
            partitions: self.partitions,
            values: self.values,
            stats,
        }
    }
}

/// Texts in compressed blocks.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    blocks: Vec<Box<[u8]>>,
    /// Block, start and length of each text.
    texts: Vec<Option<(u32, u32, u32)>>,
}

impl Packed {
    /// Returns the texts with these numbers.
    fn get(&self, numbers: &[usize]) -> std::io::Result<Vec<Option<String>>> {
        let mut found = vec![None; numbers.len()];
        // An empty text may be in a block that was never begun.
        let mut by_block: HashMap<u32, Vec<usize>> = HashMap::new();
        for (index, number) in numbers.iter().enumerate() {
            match self.texts[*number] {
                Some((_, _, 0)) => found[index] = Some(String::new()),
                Some((block, ..)) => by_block.entry(block).or_default().push(index),
                None => {}
            }
        }
        for (block, indices) in by_block {
            let block = zstd::decode_all(&*self.blocks[block as usize])?;
            for index in indices {
                if let Some((_, start, length)) = self.texts[numbers[index]] {
                    let text = &block[start as usize..(start + length) as usize];
                    found[index] = Some(String::from_utf8_lossy(text).into_owned());
                }
            }
        }
        Ok(found)
    }
}

/// Compresses texts.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    packed: Packed,
    block: Vec<u8>,
}

impl Packer {
    /// Adds a text; they are numbered from 0.
    pub(crate) fn push(&mut self, text: Option<&str>) -> std::io::Result<()> {
        let Some(text) = text else {
            self.packed.texts.push(None);
            return Ok(());
        };
        if self.block.len() + text.len() > BLOCK_BYTES {
            self.flush()?;
        }
        let length = |bytes: usize| u32::try_from(bytes).map_err(std::io::Error::other);
        let place =
            (length(self.packed.blocks.len())?, length(self.block.len())?, length(text.len())?);
        self.packed.texts.push(Some(place));
        self.block.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if !self.block.is_empty() {
            self.packed.blocks.push(zstd::bulk::compress(&self.block, LEVEL)?.into());
            self.block.clear();
        }
        Ok(())
    }

    /// Returns the compressed texts.
    pub(crate) fn finish(mut self) -> std::io::Result<Packed> {
        self.flush()?;
        Ok(self.packed)
    }
}
