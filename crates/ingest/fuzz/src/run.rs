//! Ingests bytes into memory.

use std::collections::BTreeMap;
use std::io::Cursor;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use podtrail_ingest::{
    Committed, IngestError, Input, NoProgress, Options, QuarantineRecord, Sink, Summary,
    ingest_into,
};

const MIB: usize = 1024 * 1024;

/// An event and its position.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub file: String,
    pub offset: usize,
    pub line: usize,
    pub audit_id: String,
    pub event_id: String,
}

/// A record in the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    pub file: String,
    pub offset: usize,
    pub line: usize,
    pub length: usize,
    pub bytes: Vec<u8>,
    pub reason: String,
}

impl Damage {
    /// Whether this position is a part of the log.
    pub fn covers(&self, offset: usize) -> bool {
        (self.offset..self.offset + self.length).contains(&offset)
    }
}

/// The result of a run, in the order of files and offsets.
#[derive(Debug, Default)]
pub struct Run {
    pub rows: Vec<Row>,
    pub damage: Vec<Damage>,
    pub summary: Summary,
}

/// Small limits: an input is small, and decompression must take only a moment.
pub fn options() -> Options {
    let options = Options::default().with_memory(32 * MIB);
    Options { max_expanded_bytes: 16 * MIB as u64, ..options }
}

/// Limits the threads: a run is short.
pub fn set_up() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("the first pool");
}

/// Ingests `bytes` as if from standard input, and checks the invariants of every run.
pub fn run(bytes: &[u8], options: &Options) -> Run {
    let mut sink = Memory::default();
    let stdin = Box::new(Cursor::new(bytes.to_vec()));
    let summary = ingest_into(&mut sink, stdin, &[Input::Stdin], options, &NoProgress);
    let summary = summary.expect("memory takes every row");
    let Memory(mut run) = sink;
    run.rows.sort();
    run.damage.sort();

    assert_eq!(summary.events_added, run.rows.len() as u64, "{summary:?}");
    assert_eq!(summary.quarantined, run.damage.len() as u64, "{summary:?}");
    assert_eq!(summary.records, summary.events_added + summary.quarantined, "{summary:?}");
    let is_reported = run.damage.is_empty() || !summary.problems.is_empty();
    assert!(is_reported, "what is quarantined is reported: {summary:?}");
    run.summary = summary;
    run
}

/// A sink that keeps its rows.
#[derive(Default)]
struct Memory(Run);

impl Sink for Memory {
    fn commit(
        &mut self,
        events: Vec<RecordBatch>,
        quarantine: Vec<QuarantineRecord>,
    ) -> Result<Committed, IngestError> {
        let mut added = 0;
        for batch in &events {
            self.0.rows.extend(rows(batch));
            added += batch.num_rows() as u64;
        }
        self.0.damage.extend(quarantine.into_iter().map(|record| Damage {
            file: record.source_file,
            offset: usize::try_from(record.source_offset).expect("an offset"),
            line: usize::try_from(record.source_line.expect("a line")).expect("a line"),
            length: usize::try_from(record.length).expect("a length"),
            bytes: record.bytes,
            reason: record.reason,
        }));
        Ok(Committed { added, duplicates: 0 })
    }
}

fn rows(batch: &RecordBatch) -> Vec<Row> {
    let mut never_null: BTreeMap<&str, &dyn Array> = BTreeMap::new();
    for name in ["cluster", "date", "activity", "time", "outcome", "identity_kind"] {
        never_null.insert(name, batch.column_by_name(name).expect("a column"));
    }
    for (name, column) in never_null {
        assert_eq!(column.null_count(), 0, "{name} is null");
    }
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name).expect("a column").as_string::<i32>();
        assert!(column.is_valid(row), "{name} is null");
        column.value(row).to_owned()
    };
    let number = |name: &str, row: usize| {
        let column = batch.column_by_name(name).expect("a column").as_primitive::<Int64Type>();
        assert!(column.is_valid(row), "{name} is null");
        usize::try_from(column.value(row)).expect("not negative")
    };
    let row = |row| Row {
        file: text("source_file", row),
        offset: number("source_offset", row),
        line: number("source_line", row),
        audit_id: text("audit_id", row),
        event_id: text("event_id", row),
    };
    (0..batch.num_rows()).map(row).collect()
}
