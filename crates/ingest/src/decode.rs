//! Decompression, by content: a name says nothing.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// A compressed file inside a compressed file is seen in the wild (object stores compress what was compressed); deeper
/// nesting is an attack.
const MAX_LAYERS: usize = 4;

/// Enough to see every magic number; that of tar stands at byte 257.
const HEAD_BYTES: usize = 512;

const INPUT_BUFFER: usize = 128 * 1024;

/// Why a source cannot be decoded.
pub(crate) enum Refusal {
    /// It cannot be read.
    Io(io::Error),
    /// It is a format that is not read here; the text says which, and what to do.
    Format(&'static str),
}

/// The decompressed stream of `reader`, which may be gzip, zstd, either in the other, or neither.
///
/// All members of a gzip file and all frames of a zstd file are read. Memory is bounded, whatever a stream expands to.
pub(crate) fn decode<'a>(reader: impl Read + 'a) -> Result<Box<dyn Read + 'a>, Refusal> {
    let mut peeked = Peeked::new(Box::new(reader) as Box<dyn Read + 'a>);
    for _ in 0..MAX_LAYERS {
        let format = Format::of(&peeked.head);
        let layer: Box<dyn Read + 'a> = match format {
            Format::Plain => return Ok(Box::new(peeked)),
            Format::Foreign(reason) => return Err(Refusal::Format(reason)),
            Format::Gzip => {
                let decoder = MultiGzDecoder::new(BufReader::with_capacity(INPUT_BUFFER, peeked));
                Box::new(Named { name: "gzip", reader: Sips(decoder) })
            }
            Format::Zstd => {
                let decoder =
                    zstd::Decoder::with_buffer(BufReader::with_capacity(INPUT_BUFFER, peeked))
                        .map_err(Refusal::Io)?;
                Box::new(Named { name: "zstd", reader: decoder })
            }
        };
        peeked = Peeked::new(layer);
    }
    match Format::of(&peeked.head) {
        Format::Plain => Ok(Box::new(peeked)),
        _ => Err(Refusal::Format("compressed more than four times over")),
    }
}

enum Format {
    Plain,
    Gzip,
    Zstd,
    Foreign(&'static str),
}

impl Format {
    fn of(head: &[u8]) -> Self {
        const FOREIGN: &[(&[u8], &str)] = &[
            (b"PK\x03\x04", "a zip archive: unpack it first"),
            (b"BZh", "compressed with bzip2: decompress it first"),
            (b"\xfd7zXZ\0", "compressed with xz: decompress it first"),
            (b"\x04\x22\x4d\x18", "compressed with lz4: decompress it first"),
            (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
            (b"PAR1", "a Parquet file"),
            (b"Obj\x01", "an Avro file"),
            (b"SQLite format 3\0", "an SQLite database"),
            (b"\x7fELF", "a program"),
            (b"\xff\xfe", "UTF-16 text: convert it to UTF-8 first"),
            (b"\xfe\xff", "UTF-16 text: convert it to UTF-8 first"),
        ];
        if head.starts_with(&[0x1f, 0x8b]) {
            return Self::Gzip;
        }
        let skippable_frame =
            head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18];
        if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || skippable_frame {
            return Self::Zstd;
        }
        if head.get(257..262) == Some(b"ustar") {
            return Self::Foreign("a tar archive: unpack it first");
        }
        let foreign = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic));
        foreign.map_or(Self::Plain, |(_, reason)| Self::Foreign(reason))
    }
}

/// A reader whose first bytes were looked at; gives them again, then the error met on the way, then the rest.
struct Peeked<R> {
    head: Vec<u8>,
    given: usize,
    error: Option<io::Error>,
    reader: R,
}

impl<R: Read> Peeked<R> {
    fn new(mut reader: R) -> Self {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let error = reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).err();
        Self { head, given: 0, error, reader }
    }
}

impl<R: Read> Read for Peeked<R> {
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

/// Reads in small pieces: the gzip decoder forgets what it wrote in the call that meets the damage.
struct Sips<R>(R);

impl<R: Read> Read for Sips<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const SIP: usize = 16 * 1024;
        let length = buffer.len().min(SIP);
        self.0.read(&mut buffer[..length])
    }
}

/// Says in errors which decoder met them.
struct Named<R> {
    name: &'static str,
    reader: R,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::Interrupted => return error,
                io::ErrorKind::UnexpectedEof => "ends too early".to_owned(),
                _ => format!("is damaged ({error})"),
            };
            io::Error::new(error.kind(), format!("the {} data {what}", self.name))
        })
    }
}
