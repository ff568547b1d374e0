//! Opens sources: determines length and digest, and returns a reader that counts.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::run::progress::Progress;

/// Bytes of a file that are read at a time for its digest: more than the usual 8 KiB, and less than a core's cache.
const DIGESTED_BYTES: usize = 128 * 1024;

/// The SHA-256 of a file, and the number of bytes that it covers.
pub(crate) struct FileDigest {
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
    pub(crate) length: u64,
}

/// Opens a regular file and hashes its current content. A log may grow meanwhile: the caller must stop reading where
/// the digest ends.
pub(crate) fn open_file(path: &Path) -> io::Result<(File, FileDigest)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut hasher = Sha256::new();
    let mut reader = BufReader::with_capacity(DIGESTED_BYTES, (&file).take(length));
    let digested = io::copy(&mut reader, &mut HashWriter(&mut hasher))?;
    if digested < length {
        return Err(io::Error::other("file became shorter while it was read"));
    }
    file.rewind()?;
    let sha256 = format!("{:x}", hasher.finalize());
    Ok((file, FileDigest { sha256, length }))
}

/// The largest object that is copied to a temporary file, in bytes.
#[cfg(feature = "lake")]
const COPIED_BYTES: u64 = 256 << 20;

/// What was opened of an object.
#[cfg(feature = "lake")]
pub(crate) enum OpenedObject {
    /// A copy of it, and its digest.
    Copy(File, FileDigest),
    /// Its contents, requested while they are read.
    Stream(podtrail_lake::LogReader),
}

/// Opens an object. Its digest requires its whole contents before the first event, so it is copied to a temporary file
/// and transferred once; one that is too large for that has no digest.
#[cfg(feature = "lake")]
pub(crate) fn open_object(object: &podtrail_lake::LogObject) -> io::Result<OpenedObject> {
    if object.size > COPIED_BYTES {
        return Ok(OpenedObject::Stream(object.open()));
    }
    let mut copy = tempfile::tempfile()?;
    let mut hasher = Sha256::new();
    let mut reader = object.open();
    let mut chunk = vec![0; DIGESTED_BYTES];
    let mut length = 0;
    loop {
        let count = reader.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        hasher.update(&chunk[..count]);
        io::Write::write_all(&mut copy, &chunk[..count])?;
        length += count as u64;
    }
    copy.rewind()?;
    let sha256 = format!("{:x}", hasher.finalize());
    Ok(OpenedObject::Copy(copy, FileDigest { sha256, length }))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts the bytes read, for one source and for the run.
pub(crate) struct Counter<'a> {
    of_source: Cell<u64>,
    of_run: &'a AtomicU64,
    progress: &'a dyn Progress,
}

impl<'a> Counter<'a> {
    pub(crate) fn new(of_run: &'a AtomicU64, progress: &'a dyn Progress) -> Self {
        Self { of_source: Cell::new(0), of_run, progress }
    }

    pub(crate) fn of_source(&self) -> u64 {
        self.of_source.get()
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.of_source.set(self.of_source.get() + bytes);
        self.of_run.fetch_add(bytes, Ordering::Relaxed);
        self.progress.advance(bytes);
    }
}

/// A reader whose bytes are counted.
pub(crate) struct Counted<'a, R> {
    pub(crate) reader: R,
    pub(crate) counter: &'a Counter<'a>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.counter.add(read as u64);
        Ok(read)
    }
}
