//! Compression and decompression only.

use std::io::{Read, Write};

use anyhow::Result;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use rayon::prelude::*;

use crate::{Log, Tally};

/// The size of a page that a Parquet writer compresses.
const PAGE: usize = 1 << 20;

/// Compresses the log as the API server does at rotation.
pub(crate) fn gzip(plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

/// Compresses with zstd level 1, page by page.
pub(crate) fn zstd(logs: &[Log]) -> Result<Tally> {
    let pages: Vec<&[u8]> = logs.iter().flat_map(|log| log.plain.chunks(PAGE)).collect();
    pages
        .into_par_iter()
        .map_init(
            || zstd::bulk::Compressor::new(1),
            |compressor, page| match compressor {
                Ok(compressor) => Ok(output(compressor.compress(page)?.len())),
                Err(error) => Err(anyhow::anyhow!("{error}")),
            },
        )
        .try_reduce(Tally::default, |left, right| Ok(left + right))
}

/// Decompresses with flate2 and zlib-rs: a stream through a small buffer, one task per file.
pub(crate) fn zlib_rs(logs: &[Log]) -> Result<Tally> {
    each_file(logs, |log| {
        let mut decoder = MultiGzDecoder::new(&*log.gzip);
        let mut buffer = vec![0; 256 << 10];
        let mut length = 0;
        loop {
            match decoder.read(&mut buffer)? {
                0 => return Ok(length),
                read => length += read,
            }
        }
    })
}

/// Decompresses with libdeflate: the whole file into a buffer of the exact size, because it has no streams; one task
/// per file.
pub(crate) fn libdeflate(logs: &[Log]) -> Result<Tally> {
    each_file(logs, |log| {
        let mut plain = vec![0; log.plain.len()];
        Ok(libdeflater::Decompressor::new().gzip_decompress(&log.gzip, &mut plain)?)
    })
}

fn each_file(logs: &[Log], decode: impl Fn(&Log) -> Result<usize> + Sync + Send) -> Result<Tally> {
    logs.par_iter()
        .map(|log| decode(log).map(output))
        .try_reduce(Tally::default, |left, right| Ok(left + right))
}

fn output(output_bytes: usize) -> Tally {
    Tally { output_bytes, ..Tally::default() }
}
