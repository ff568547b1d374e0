//! Opening a source: how long it is, what its digest is, and a reader that counts.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::progress::Progress;

/// The SHA-256 of a file, and how many bytes it was taken of.
pub(crate) struct FileDigest {
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
    pub(crate) length: u64,
}

/// Opens a regular file and hashes what it holds now. A log that is still written to grows meanwhile: the reader ends
/// where the digest does.
pub(crate) fn open_file(path: &Path) -> io::Result<(io::Take<File>, FileDigest)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut hasher = Sha256::new();
    let digested = io::copy(&mut (&file).take(length), &mut HashWriter(&mut hasher))?;
    if digested < length {
        return Err(io::Error::other("it became shorter while it was read"));
    }
    file.rewind()?;
    let sha256 = format!("{:x}", hasher.finalize());
    Ok((file.take(length), FileDigest { sha256, length }))
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
pub(crate) struct Counted<'a, R> {
    pub(crate) reader: R,
    pub(crate) of_source: &'a AtomicU64,
    pub(crate) of_run: &'a AtomicU64,
    pub(crate) progress: &'a dyn Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.of_source.fetch_add(read as u64, Ordering::Relaxed);
        self.of_run.fetch_add(read as u64, Ordering::Relaxed);
        self.progress.advance(read as u64);
        Ok(read)
    }
}
