//! Text files that people write, which are small.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The maximum size of a file that people write, in bytes: detections, exceptions, tables and settings.
///
/// Their parsers use many times this size in memory, and for some contents time that grows with its square.
pub const MAX_WRITTEN: u64 = 1 << 20;

/// Reads the text of a file of at most `most` bytes.
///
/// # Errors
/// If it cannot be read, is not UTF-8, or is longer.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    let mut bytes = Vec::new();
    // A pipe or a device does not report its length.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("file exceeds the maximum of {most} bytes");
        return Err(Error::new(ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "not valid UTF-8"))
}
