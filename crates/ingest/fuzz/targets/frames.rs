//! Any bytes as a log, split into records: no byte is skipped, and the division into blocks makes no difference.
//!
//! The first byte chooses the sizes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_ingest::fuzzing::{frames, lost};

const BLOCKS: [usize; 8] = [1, 2, 3, 7, 16, 33, 64, 200];
const RECORDS: [usize; 4] = [1 << 20, 1 << 20, 40, 150];

fuzz_target!(|input: &[u8]| {
    let Some((&choice, log)) = input.split_first() else { return };
    let block = BLOCKS[usize::from(choice) % BLOCKS.len()];
    let record = RECORDS[usize::from(choice) / BLOCKS.len() % RECORDS.len()];
    let whole = frames(log, 1 << 20, record);
    if let Some(text) = lost(log, &whole) {
        panic!("lost: {:?} of {whole:?}", text.escape_ascii().to_string());
    }
    for frame in &whole {
        assert!(log[frame.offset..].starts_with(&frame.bytes), "{frame:?}");
        let lines = log[..frame.offset].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(frame.line, lines as u64 + 1, "{frame:?}");
        assert!(frame.bytes.len() <= frame.length && frame.length > 0, "{frame:?}");
        assert!(!frame.is_text || frame.bytes.len() == frame.length, "{frame:?}");
    }
    for pair in whole.windows(2) {
        assert!(pair[0].offset + pair[0].length <= pair[1].offset, "one byte is in two records: {pair:?}");
    }
    if record < 1 << 20 {
        return;
    }
    let split = frames(log, block, record);
    assert!(lost(log, &split).is_none(), "lost in blocks of {block}: {split:?}");
});
