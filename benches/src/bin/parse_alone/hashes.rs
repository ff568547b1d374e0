//! The digests that a table must contain, only.

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::{Log, Tally};

/// Computes SHA-256 of each file, which the table stores with its rows.
pub(crate) fn sha256(logs: &[Log]) -> Tally {
    logs.par_iter()
        .map(|log| Tally { output_bytes: Sha256::digest(&log.plain).len(), ..Tally::default() })
        .reduce(Tally::default, |left, right| left + right)
}

/// Computes BLAKE3 of each line: the minimum cost of an event id, without the canonical form of the event.
pub(crate) fn blake3(logs: &[Log]) -> Tally {
    let tally = |line: &[u8]| Tally {
        lines: 1,
        output_bytes: blake3::hash(line).as_bytes().len(),
        ..Tally::default()
    };
    logs.par_iter()
        .flat_map(|log| log.plain.par_split(|byte| *byte == b'\n').filter(|line| !line.is_empty()))
        .map(tally)
        .reduce(Tally::default, |left, right| left + right)
}
