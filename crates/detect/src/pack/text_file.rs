//! Files that people write by hand: small ones.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The most that is read of a file that people write, in bytes: detections, exceptions, tables, settings.
///
/// What reads them takes many times their size in memory, and for some contents a time that grows with its square.
pub const MOST_WRITTEN: u64 = 1 << 20;

/// Reads the text of a file that has at most `most` bytes.
///
/// # Errors
/// When it cannot be read, is no text, or is longer.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    let mut bytes = Vec::new();
    // A pipe or a device does not say how long it is.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it is longer than {most} bytes, the most that is read");
        return Err(Error::new(ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}
