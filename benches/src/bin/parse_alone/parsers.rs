//! Three parsers that do the same work: parse every line into an [`Event`].

use anyhow::Result;
use rayon::prelude::*;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use sonic_rs::LazyValue;

use crate::envelope::Event;
use crate::{Log, Tally};

/// The part of a log per task: large enough that tasks cost nothing, small enough for the cache of a core.
const CHUNK: usize = 1 << 20;

/// Parses with serde_json; the bodies are borrowed as [`RawValue`].
pub(crate) fn serde_json(logs: &[Log]) -> Result<Tally> {
    each_line(
        logs,
        || (),
        |(), line| {
            let event: Event<'_, &RawValue> = serde_json::from_slice(line)?;
            let bodies = [event.request_object, event.response_object];
            let body_bytes = bodies.iter().flatten().map(|body| body.get().len()).sum();
            Ok(tally(event.envelope_bytes(), body_bytes))
        },
    )
}

/// Parses with sonic-rs; the bodies are borrowed as [`LazyValue`].
pub(crate) fn sonic_rs(logs: &[Log]) -> Result<Tally> {
    each_line(
        logs,
        || (),
        |(), line| {
            let event: Event<'_, LazyValue<'_>> = sonic_rs::from_slice(line)?;
            let bodies = [&event.request_object, &event.response_object];
            let body_bytes = bodies.into_iter().flatten().map(|body| body.as_raw_str().len()).sum();
            Ok(tally(event.envelope_bytes(), body_bytes))
        },
    )
}

/// Parses with simd-json. It writes into its input, so each line is copied first, and it has no raw values: the
/// bodies are skipped, which is less work than the others do.
pub(crate) fn simd_json(logs: &[Log]) -> Result<Tally> {
    let buffers = || (Vec::new(), simd_json::Buffers::default());
    each_line(logs, buffers, |(copy, buffers), line| {
        copy.clear();
        copy.extend_from_slice(line);
        let event: Event<'_, IgnoredAny> =
            simd_json::serde::from_slice_with_buffers(copy, buffers)?;
        Ok(tally(event.envelope_bytes(), 0))
    })
}

fn tally(envelope_bytes: usize, body_bytes: usize) -> Tally {
    Tally { lines: 1, envelope_bytes, body_bytes, output_bytes: 0 }
}

fn each_line<S>(
    logs: &[Log],
    state: impl Fn() -> S + Sync + Send,
    parse: impl Fn(&mut S, &[u8]) -> Result<Tally> + Sync + Send,
) -> Result<Tally> {
    let chunks: Vec<&[u8]> = logs.iter().flat_map(|log| chunks(&log.plain)).collect();
    chunks
        .into_par_iter()
        .map_init(state, |state, chunk| {
            let mut sum = Tally::default();
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', chunk) {
                sum = sum + parse(state, &chunk[start..end])?;
                start = end + 1;
            }
            Ok(sum)
        })
        .try_reduce(Tally::default, |left, right| Ok(left + right))
}

/// Splits a log into parts that end with a line.
fn chunks(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let from = CHUNK.min(rest.len());
        let end = memchr::memchr(b'\n', &rest[from..]).map_or(rest.len(), |at| from + at + 1);
        let (chunk, after) = rest.split_at(end);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}
