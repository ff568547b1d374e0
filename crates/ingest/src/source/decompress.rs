//! Decompression. Content determines the format, not the file name.
//!
//! Every member, stream or frame of a compressed file is read. Memory is bounded, regardless of the expanded size:
//! decoders write into the reader's buffer and reject a window that is too large.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use bzip2::bufread::MultiBzDecoder;
use encoding_rs::Encoding;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use crate::source::archive::is_tar;
use crate::source::expansion::Expansion;
use crate::source::lz4::{self, Frames};
use crate::source::utf16;

/// Maximum layers of compression. Files compressed twice occur (object stores compress compressed files); deeper
/// nesting is an attack.
const MAX_LAYERS: usize = 4;

/// Enough for every magic number: that of tar is at byte 257, and its checksum covers 512 bytes.
const HEAD_BYTES: usize = 512;

const INPUT_BUFFER: usize = 128 * 1024;

/// Memory limit of xz in KiB. `xz -9` needs 65 MiB; a header can request 4 GiB.
pub(crate) const XZ_MEMORY_KIB: u32 = 256 * 1024;

/// The reason why a source cannot be decoded.
pub(crate) enum Refusal {
    /// The source cannot be read.
    Io(io::Error),
    /// An unsupported format; the text names it and the next step.
    Format(&'static str),
}

/// The content beneath all compression.
pub(crate) enum Content<'a> {
    Text(Box<dyn Read + 'a>),
    Tar(Box<dyn Read + 'a>),
    Zip {
        stream: Box<dyn Read + 'a>,
        /// Whether the source was compressed.
        was_compressed: bool,
    },
}

/// Decompresses `reader`, and converts UTF-16 to UTF-8. The decoders' output counts against `expansion`.
pub(crate) fn decode<'a>(
    reader: Box<dyn Read + 'a>,
    expansion: &'a Expansion,
) -> Result<Content<'a>, Refusal> {
    let mut peeked = Peeked::new(reader);
    for layers in 0..=MAX_LAYERS {
        let format = match Format::of(&peeked.head) {
            Format::Text => return Ok(Content::Text(Box::new(peeked))),
            Format::Tar => return Ok(Content::Tar(Box::new(peeked))),
            Format::Zip => {
                let stream = Box::new(peeked);
                return Ok(Content::Zip { stream, was_compressed: layers > 0 });
            }
            Format::Foreign(reason) => return Err(Refusal::Format(reason)),
            format => format,
        };
        if layers == MAX_LAYERS {
            break;
        }
        peeked = Peeked::new(format.layer(peeked, expansion).map_err(Refusal::Io)?);
    }
    Err(Refusal::Format("more than four layers of compression"))
}

/// Returns whether a file is neither compressed nor an archive.
pub(crate) fn is_plain(mut file: &File) -> io::Result<bool> {
    file.rewind()?;
    let peeked = Peeked::new(Box::new(file));
    Ok(matches!(Format::of(&peeked.head), Format::Text))
}

enum Format {
    Text,
    Utf16(&'static Encoding),
    Gzip,
    Zstd,
    Bzip2,
    Xz,
    Lz4,
    Tar,
    Zip,
    Foreign(&'static str),
}

impl Format {
    fn of(head: &[u8]) -> Self {
        const FOREIGN: &[(&[u8], &str)] = &[
            (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
            (b"Rar!\x1a\x07", "a RAR archive: unpack it first"),
            (b"PAR1", "a Parquet file: export it as JSON lines first"),
            (b"PARE", "an encrypted Parquet file: export it as JSON lines first"),
            (b"Obj\x01", "an Avro file: export it as JSON lines first"),
            (b"ORC", "an ORC file: export it as JSON lines first"),
            (b"SQLite format 3\0", "an SQLite database"),
            (b"\x7fELF", "a program"),
            (b"\xff\x06\0\0sNaPpY", "compressed with Snappy: decompress it first"),
            (b"LZIP", "compressed with lzip: decompress it first"),
            (b"\x1f\x9d", "compressed with compress (.Z): decompress it first"),
        ];
        const ZIP: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];
        let begins = |marks: &[&[u8]]| marks.iter().any(|mark| head.starts_with(mark));
        if begins(&[b"\x1f\x8b"]) {
            return Self::Gzip;
        }
        let skippable_frame =
            head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18];
        if begins(&[b"\x28\xb5\x2f\xfd"]) || skippable_frame {
            return Self::Zstd;
        }
        if is_bzip2(head) {
            return Self::Bzip2;
        }
        if begins(&[b"\xfd7zXZ\0"]) {
            return Self::Xz;
        }
        if begins(&[lz4::FRAME, lz4::LEGACY_FRAME]) {
            return Self::Lz4;
        }
        if begins(&ZIP) {
            return Self::Zip;
        }
        if is_tar(head) {
            return Self::Tar;
        }
        if let Some(encoding) = utf16::encoding_of(head) {
            return Self::Utf16(encoding);
        }
        let foreign = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic));
        foreign.map_or(Self::Text, |(_, reason)| Self::Foreign(reason))
    }

    /// Returns the stream with this layer of compression removed.
    fn layer<'a>(
        self,
        reader: impl Read + 'a,
        expansion: &'a Expansion,
    ) -> io::Result<Box<dyn Read + 'a>> {
        let reader = BufReader::with_capacity(INPUT_BUFFER, reader);
        Ok(match self {
            Self::Gzip => Layer::of("gzip", Sips(MultiGzDecoder::new(reader)), expansion),
            Self::Zstd => Layer::of("zstd", zstd::Decoder::with_buffer(reader)?, expansion),
            Self::Bzip2 => Layer::of("bzip2", Sips(MultiBzDecoder::new(reader)), expansion),
            Self::Xz => {
                let decoder = XzReader::new_mem_limit(reader, true, XZ_MEMORY_KIB);
                Layer::of("xz", Sips(decoder), expansion)
            }
            Self::Lz4 => Layer::of("lz4", Frames::new(reader)?, expansion),
            Self::Utf16(encoding) => Box::new(utf16::to_utf8(reader, encoding)),
            Self::Text | Self::Tar | Self::Zip | Self::Foreign(_) => Box::new(reader),
        })
    }
}

/// Returns whether a bzip2 stream begins here. Its mark is only three letters, so the first block, or the end, must
/// follow.
fn is_bzip2(head: &[u8]) -> bool {
    const BLOCK: &[u8] = b"\x31\x41\x59\x26\x53\x59";
    const END: &[u8] = b"\x17\x72\x45\x38\x50\x90";
    head.starts_with(b"BZh")
        && head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level))
        && head.get(4..10).is_some_and(|block| block == BLOCK || block == END)
}

/// A reader whose first bytes were inspected. It returns them again, then the error that occurred, then the rest.
struct Peeked<'a> {
    head: Vec<u8>,
    given: usize,
    error: Option<io::Error>,
    reader: Box<dyn Read + 'a>,
}

impl<'a> Peeked<'a> {
    fn new(mut reader: Box<dyn Read + 'a>) -> Self {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let error = reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).err();
        Self { head, given: 0, error, reader }
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut head = &self.head[self.given..];
        if !head.is_empty() {
            let read = head.read(buffer)?;
            self.given += read;
            return Ok(read);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.reader.read(buffer),
        }
    }
}

/// A reader of small pieces: decoders discard the output of the call that encounters damage.
pub(crate) struct Sips<R>(pub(crate) R);

impl<R: Read> Read for Sips<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const SIP: usize = 16 * 1024;
        let length = buffer.len().min(SIP);
        self.0.read(&mut buffer[..length])
    }
}

/// A decoder that names its format in errors and counts its output.
pub(crate) struct Layer<'a, R> {
    name: &'static str,
    reader: R,
    expansion: &'a Expansion,
}

impl<'a, R: Read + 'a> Layer<'a, R> {
    pub(crate) fn of(
        name: &'static str,
        reader: R,
        expansion: &'a Expansion,
    ) -> Box<dyn Read + 'a> {
        Box::new(Self { name, reader, expansion })
    }
}

impl<R: Read> Read for Layer<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer).map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::Interrupted => return error,
                io::ErrorKind::UnexpectedEof => "ends unexpectedly".to_owned(),
                _ => format!("is damaged ({error})"),
            };
            io::Error::new(error.kind(), format!("the {} data {what}", self.name))
        })?;
        self.expansion.add(read)?;
        Ok(read)
    }
}
