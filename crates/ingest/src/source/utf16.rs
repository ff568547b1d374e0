//! UTF-16 text, as PowerShell writes redirected output.

use std::io::Read;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;

/// Returns the UTF-16 encoding of a text that begins with `head`: it has a byte order mark, or begins like JSON.
pub(crate) fn encoding_of(head: &[u8]) -> Option<&'static Encoding> {
    const LITTLE: &[&[u8]] = &[b"\xff\xfe", b"{\0\"\0", b"[\0{\0"];
    const BIG: &[&[u8]] = &[b"\xfe\xff", b"\0{\0\"", b"\0[\0{"];
    let begins = |marks: &[&[u8]]| marks.iter().any(|mark| head.starts_with(mark));
    if begins(LITTLE) {
        Some(UTF_16LE)
    } else if begins(BIG) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Converts a text to UTF-8. An unpaired surrogate becomes U+FFFD.
pub(crate) fn to_utf8<'a>(reader: impl Read + 'a, encoding: &'static Encoding) -> impl Read + 'a {
    DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(reader)
}
