//! Zip archives.
//!
//! The central directory of a zip archive is at its end, and the headers of members do not always contain their length.
//! So a file on disk is read from its end, and an archive in a stream is first copied to an unnamed temporary file. The
//! directory is read entry by entry: a million members need no memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use bzip2::bufread::BzDecoder;
use deflate64::Deflate64Decoder;
use flate2::bufread::DeflateDecoder;
use lzma_rust2::XzReader;
use rawzip::{
    CompressionMethod, FileReader, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipArchive,
    ZipFileHeaderRecord, ZipLocator, ZipVerification,
};

use super::{TakeMember, name_of};
use crate::source::decompress::{Layer, Sips, XZ_MEMORY_KIB};
use crate::source::expansion::Expansion;

/// Maximum size of a zip archive in a stream.
const MAX_SPOOLED: u64 = 4 * 1024 * 1024 * 1024;

/// A file that can be read from its end.
pub(crate) struct Spool {
    pub(crate) file: File,
    pub(crate) length: u64,
}

impl Spool {
    /// Copies a stream to a temporary file.
    pub(crate) fn of(stream: impl Read) -> io::Result<Self> {
        let mut file = tempfile::tempfile()?;
        let length = io::copy(&mut stream.take(MAX_SPOOLED + 1), &mut file)?;
        if length > MAX_SPOOLED {
            let message =
                format!("zip archive in a stream exceeds {MAX_SPOOLED} bytes: unpack it first");
            return Err(io::Error::other(message));
        }
        file.rewind()?;
        Ok(Self { file, length })
    }
}

/// Passes every file in the archive to `take`. Folders and links have no content.
///
/// # Errors
///
/// Returns why the archive could not be read to its end. The members before that were passed on.
pub(crate) fn read_zip(
    spool: Spool,
    expansion: &Expansion,
    take: TakeMember<'_>,
) -> Result<(), String> {
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let archive = ZipLocator::new()
        .locate_in_reader(FileReader::from(spool.file), &mut buffer, spool.length)
        .map_err(|(_, error)| {
            format!("zip archive without a central directory ({error}): repair it first (zip -FF)")
        })?;
    let mut entries = archive.entries(&mut buffer);
    loop {
        let entry = match entries.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => return Ok(()),
            Err(error) => {
                return Err(format!("damaged central directory of the zip archive ({error})"));
            }
        };
        if entry.is_dir() || entry.mode().is_symlink() {
            continue;
        }
        let name = name_of(entry.file_path().as_bytes());
        let contents = open(&archive, &entry, expansion);
        if take(&name, contents).is_break() || expansion.is_exceeded() {
            return Ok(());
        }
    }
}

fn open<'a>(
    archive: &'a ZipArchive<FileReader>,
    header: &ZipFileHeaderRecord<'_>,
    expansion: &'a Expansion,
) -> Result<Box<dyn Read + 'a>, String> {
    const INPUT_BUFFER: usize = 64 * 1024;
    if header.flags().is_encrypted() {
        return Err("encrypted: unpack the archive with its password first".to_owned());
    }
    let damaged = |error: &dyn std::fmt::Display| format!("damaged zip data ({error})");
    let entry = archive.get_entry(header.wayfinder()).map_err(|error| damaged(&error))?;
    let claim = entry.reader().claim_verifier();
    let input = BufReader::with_capacity(INPUT_BUFFER, entry.reader());
    let contents: Box<dyn Read + 'a> = match header.compression_method() {
        CompressionMethod::STORE => Box::new(input),
        CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(input)),
        CompressionMethod::DEFLATE64 => Box::new(Deflate64Decoder::with_buffer(input)),
        CompressionMethod::BZIP2 => Box::new(BzDecoder::new(input)),
        CompressionMethod::XZ => Box::new(XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB)),
        CompressionMethod::ZSTD => {
            Box::new(zstd::Decoder::with_buffer(input).map_err(|error| damaged(&error))?)
        }
        method => {
            let number = method.as_u16();
            return Err(format!(
                "unsupported zip compression method {number}: unpack the archive first"
            ));
        }
    };
    let verified = Verified { reader: Sips(contents), crc: flate2::Crc::new(), length: 0, claim };
    Ok(Layer::of("zip", verified, expansion))
}

/// Verifies length and checksum at the end. (The library's own check discards the bytes of the call that fails.)
struct Verified<R> {
    reader: R,
    crc: flate2::Crc,
    length: u64,
    claim: ZipVerification,
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.crc.update(&buffer[..read]);
        self.length += read as u64;
        if read == 0 && !buffer.is_empty() {
            let actual = ZipVerification { crc: self.crc.sum(), uncompressed_size: self.length };
            self.claim
                .valid(actual)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        Ok(read)
    }
}
