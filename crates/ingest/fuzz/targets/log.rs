//! Any bytes as a log, parsed to rows without threads: the output does not depend on blocks, nor its positions on
//! redaction.
//!
//! The first byte chooses the sizes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_event::RedactionKey;
use podtrail_ingest::fuzzing::read;
use podtrail_ingest_fuzz::set_up_pool;

const BLOCKS: [usize; 6] = [1, 3, 30, 100, 300, 1000];
const RECORD: usize = 1 << 20;

fuzz_target!(init: set_up_pool(), |input: &[u8]| {
    let Some((&choice, log)) = input.split_first() else { return };
    let whole = read(log, 1 << 20, RECORD, None);
    if choice.is_multiple_of(4) {
        let redacted = read(log, 1 << 20, RECORD, Some(RedactionKey::new([7; 32])));
        assert_eq!(redacted.events, whole.events);
    } else {
        let block = BLOCKS[usize::from(choice) % BLOCKS.len()];
        assert_eq!(read(log, block, RECORD, None), whole, "in blocks of {block}");
    }
});
