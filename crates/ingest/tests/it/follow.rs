//! Logs that grow and rotate while they are read.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use podtrail_ingest::{NoProgress, Options, Summary, follow};

use crate::support::{Folder, Memory, event, gzip, lines, messages};

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a log");
    file.write_all(bytes).expect("written");
}

/// Follows a folder; after each poll, `act` changes the folder or ends the run.
fn follow_folder(
    folder: &Folder,
    mut act: impl FnMut(u64) -> bool + Send + 'static,
) -> (Memory, Summary) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut memory = Memory::default();
    let (stopped, mut seen) = (stop.clone(), 0);
    let options = Options { stop, ..Options::default() };
    let deadline = Instant::now() + Duration::from_mins(1);
    let summary = follow(
        &mut memory,
        &[folder.input()],
        &options,
        Duration::from_millis(20),
        &NoProgress,
        &mut |summary| {
            seen += summary.records;
            if !act(seen) || Instant::now() > deadline {
                stopped.store(true, Ordering::Relaxed);
            }
        },
    );
    (memory, summary.expect("a summary"))
}

fn ids(ids: impl IntoIterator<Item = usize>) -> Vec<String> {
    let mut ids: Vec<_> = ids.into_iter().map(|id| format!("id-{id}")).collect();
    ids.sort();
    ids
}

fn audit_ids(memory: &Memory) -> Vec<String> {
    let mut ids = memory.audit_ids();
    ids.sort();
    ids
}

#[test]
fn lines_are_read_once_and_only_when_complete() {
    let first = lines((0..3).map(event));
    let half = event(3).len() / 2;
    let folder =
        Folder::new().with("audit.log", [&first[..], &event(3).as_bytes()[..half]].concat());
    let path = folder.path("audit.log");
    let (memory, summary) = follow_folder(&folder, move |seen| {
        if seen == 3 {
            append(
                &path,
                [&event(3).as_bytes()[half..], b"\n", &lines([event(4)])].concat().as_slice(),
            );
        }
        seen < 5
    });
    assert_eq!(audit_ids(&memory), ids(0..5));
    assert_eq!((summary.records, summary.quarantined), (5, 0));
    let rows = memory.rows();
    let last = rows.last().expect("rows");
    let before = lines((0..4).map(event)).len();
    assert_eq!((last.offset, last.line), (i64::try_from(before).expect("small"), 5));
}

#[test]
fn rotation_neither_loses_nor_repeats_records() {
    let folder = Folder::new().with("audit.log", lines((0..3).map(event)));
    let (path, rotated) =
        (folder.path("audit.log"), folder.path("audit-2026-11-23T00-00-00.000.log"));
    let packed = folder.path("old.log.gz");
    let (memory, summary) = follow_folder(&folder, move |seen| {
        if seen == 3 {
            // Written after the last poll, then renamed; then a new file takes the name.
            append(&path, &lines([event(3)]));
            fs::rename(&path, &rotated).expect("renamed");
            append(&path, &lines((4..6).map(event)));
            fs::write(&packed, gzip(&lines((6..8).map(event)))).expect("written");
        }
        seen < 8
    });
    assert_eq!(audit_ids(&memory), ids(0..8));
    assert_eq!((summary.records, summary.quarantined), (8, 0));
}

#[test]
fn a_truncated_log_is_read_from_its_beginning() {
    let folder = Folder::new().with("audit.log", lines((0..3).map(event)));
    let path = folder.path("audit.log");
    let (memory, _) = follow_folder(&folder, move |seen| {
        if seen == 3 {
            fs::write(&path, lines([event(3)])).expect("written");
        }
        seen < 4
    });
    assert_eq!(audit_ids(&memory), ids(0..4));
}

#[test]
fn files_that_are_not_logs_are_reported_once() {
    let folder = Folder::new()
        .with("audit.log", lines([event(0)]))
        .with("notes.txt", "these are my notes\n".repeat(10));
    let path = folder.path("audit.log");
    let reported = Arc::new(AtomicBool::new(false));
    let mut looks = 0;
    let (memory, summary) = follow_folder(&folder, move |seen| {
        looks += 1;
        assert!(!reported.swap(looks > 4, Ordering::Relaxed), "reported repeatedly");
        append(&path, &lines([event(looks)]));
        seen < 4
    });
    assert!(memory.audit_ids().len() >= 4);
    assert_eq!(memory.quarantine.len(), 0);
    let problems = messages(&summary.problems);
    assert_eq!(problems, ["notes.txt: not an audit log: text without audit events"]);
}
