//! Any bytes as a file: decompressed, unpacked, framed, classified, parsed.
#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use podtrail_ingest::Options;
use podtrail_ingest_fuzz::run::{Run, options, run, set_up};

fuzz_target!(init: set_up(), |file: &[u8]| {
    let whole = run(file, &options());
    let Run { summary, .. } = &whole;
    let is_reported = summary.files > 0 || !summary.problems.is_empty() || !summary.notes.is_empty();
    assert!(is_reported, "a file vanished: {summary:?}");

    // How much of damaged data is read may depend on how it is read.
    let is_broken = summary.problems.iter().any(|problem| !problem.message.starts_with("quarantined"));
    if is_broken {
        return;
    }
    let again = if file.len() % 2 == 0 {
        run(file, &Options { block_bytes: 1000, ..options() })
    } else {
        let again = run(&gzip(file), &options());
        // Deeper than the allowed layers of compression.
        if again.summary.problems.iter().any(|problem| problem.message.contains("four times")) {
            return;
        }
        again
    };
    assert_eq!(again.rows, whole.rows);
    assert_eq!(again.damage, whole.damage);
});

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}
