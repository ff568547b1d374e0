//! Units of commit, order, and stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use podtrail_ingest::{Input, Options, Progress, ingest_into};

use crate::support::{Folder, Memory, event, gzip, lines, run, run_with};

fn many_files() -> Folder {
    (0..20).fold(Folder::new(), |folder, file| {
        let log = lines((file * 100..file * 100 + 100).map(event));
        folder.with(&format!("{file:02}.log.gz"), gzip(&log))
    })
}

#[test]
fn small_budgets_make_many_commits() {
    let folder = many_files();
    for memory_bytes in [1, 10_000, 300_000, 1 << 30] {
        let options = Options { memory_bytes, block_bytes: 5000, ..Options::default() };
        let (memory, summary) = run(&[folder.input()], &options);
        assert_eq!(summary.events_added, 2000);
        assert_eq!(memory.rows().len(), 2000);
        assert!(memory_bytes > 300_000 || memory.commits > 3);
    }
}

#[test]
fn rows_of_a_unit_are_in_order() {
    let folder = many_files();
    let options = Options { block_bytes: 3000, ..Options::default() };
    let (first, _) = run(&[folder.input()], &options);
    let (second, _) = run(&[folder.input()], &options);
    assert_eq!(first.commits, 1);
    assert_eq!(first.batches, second.batches);
}

#[test]
fn stop_ends_after_the_commit() {
    let folder = many_files();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let memory = Memory {
        on_commit: Some(Box::new(move || flag.store(true, Ordering::Relaxed))),
        ..Memory::default()
    };
    let options = Options { stop, memory_bytes: 100_000, block_bytes: 5000, ..Options::default() };
    let (memory, summary) = run_with(memory, Vec::new(), &[folder.input()], &options);
    assert!(summary.interrupted);
    assert_eq!(memory.commits, 1);
    assert_eq!(summary.events_added, memory.rows().len() as u64);
    assert!(summary.events_added < 2000);
}

#[test]
fn a_failing_sink_ends_the_run() {
    struct Full;
    impl podtrail_ingest::Sink for Full {
        fn commit(
            &mut self,
            _: Vec<arrow::array::RecordBatch>,
            _: Vec<podtrail_ingest::QuarantineRecord>,
        ) -> Result<podtrail_ingest::Committed, podtrail_ingest::IngestError> {
            Err(arrow::error::ArrowError::ComputeError("full".into()).into())
        }
    }
    let folder = many_files();
    let options = Options { memory_bytes: 20_000, block_bytes: 5000, ..Options::default() };
    let inputs = [folder.input()];
    let stdin = Box::new(std::io::empty());
    let result = ingest_into(&mut Full, stdin, &inputs, &options, &podtrail_ingest::NoProgress);
    assert!(result.expect_err("an error").to_string().contains("full"));
}

#[test]
fn progress_counts_bytes_on_disk() {
    #[derive(Default)]
    struct Count {
        total: AtomicU64,
        bytes: AtomicU64,
        files: AtomicU64,
        events: AtomicU64,
    }
    impl Progress for Count {
        fn started(&self, files: usize, bytes_total: u64) {
            assert_eq!(files, 20);
            self.total.store(bytes_total, Ordering::Relaxed);
        }
        fn advance(&self, bytes: u64) {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        fn file_done(&self, _: &str) {
            self.files.fetch_add(1, Ordering::Relaxed);
        }
        fn committed(&self, events: u64) {
            self.events.fetch_add(events, Ordering::Relaxed);
        }
    }
    let folder = many_files();
    let count = Count::default();
    let inputs = [Input::Path(folder.root().to_owned())];
    let stdin = Box::new(std::io::empty());
    let summary = ingest_into(&mut Memory::default(), stdin, &inputs, &Options::default(), &count)
        .expect("a summary");
    assert_eq!(count.bytes.into_inner(), summary.bytes_read);
    assert_eq!(count.total.into_inner(), summary.bytes_read);
    assert_eq!(count.files.into_inner(), 20);
    assert_eq!(count.events.into_inner(), 2000);
}
