//! Any bytes between two events: the events are read regardless of the bytes between them, and every byte is accounted
//! for.
//!
//! The last byte of the input determines how it is read the second time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_event::RedactionKey;
use podtrail_ingest::Options;
use podtrail_ingest_fuzz::accounting;
use podtrail_ingest_fuzz::run::{Run, options, run, set_up};

const FIRST: &str = concat!(
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"first","#,
    r#""stage":"ResponseComplete","requestURI":"/api","verb":"get","user":{"username":"alice"},"#,
    r#""sourceIPs":["10.0.0.1"],"responseStatus":{"metadata":{},"code":200},"#,
    r#""requestReceivedTimestamp":"2026-11-23T21:55:01.374797Z","#,
    r#""stageTimestamp":"2026-11-23T21:55:01.374797Z"}"#,
    "\n",
);
const LAST: &str = concat!(
    "\n",
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"last","#,
    r#""stage":"ResponseComplete","stageTimestamp":"2026-11-23T21:55:01.374797Z"}"#,
);
const BLOCKS: [usize; 6] = [1, 300, 1000, 1500, 700, 5000];

fuzz_target!(init: set_up(), |input: &[u8]| {
    let Some((&choice, bytes)) = input.split_last() else { return };
    let log = [FIRST.as_bytes(), bytes, LAST.as_bytes()].concat();
    let whole = run(&log, &options());
    check_ends(&log, &whole);
    accounting::check(&log, &whole);

    let block_bytes = BLOCKS[usize::from(choice) % BLOCKS.len()];
    match choice % 3 {
        0 => {
            let again = run(&log, &Options { block_bytes, ..options() });
            assert_eq!(again.rows, whole.rows);
            assert_eq!(again.damage, whole.damage);
        }
        1 => {
            let redact = Some(RedactionKey::new([7; 32]));
            let again = run(&log, &Options { redact, ..options() });
            let places = |run: &Run| -> Vec<_> {
                run.rows.iter().map(|row| (row.offset, row.line)).collect()
            };
            assert_eq!(places(&again), places(&whole));
            assert_eq!(again.damage, whole.damage);
        }
        // Exceeds the record limit.
        _ => {
            let limited = Options { max_record_bytes: 500, ..options() };
            let whole = run(&log, &limited);
            check_ends(&log, &whole);
            let again = run(&log, &Options { block_bytes, ..limited });
            assert_eq!(again.rows, whole.rows);
            assert_eq!(again.damage, whole.damage);
        }
    }
});

fn check_ends(log: &[u8], run: &Run) {
    accounting::expect_row(log, 0, "first", run);
    accounting::expect_row(log, log.len() - LAST.len() + 1, "last", run);
}
