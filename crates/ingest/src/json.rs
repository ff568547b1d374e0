//! Where a JSON value ends.

use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// What stands at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// A JSON value of that many bytes.
    Complete(usize),
    /// The beginning of one.
    Incomplete,
    /// Neither: what stands on that line of the text, from 1, cannot follow what stands before it.
    Invalid { line: usize },
}

/// How far the JSON object or array at the start of `text` reaches. What follows it does not matter.
///
/// A raw newline inside a string is invalid, so a line that was cut off is soon told from a value over several lines.
pub(crate) fn extent(text: &[u8]) -> Extent {
    let mut values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(IgnoredAny)) => Extent::Complete(values.byte_offset()),
        Some(Err(error)) if !error.is_eof() => Extent::Invalid { line: error.line() },
        Some(Err(_)) | None => Extent::Incomplete,
    }
}

/// Whether `text` begins as an object or array does.
pub(crate) fn is_open(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'{' | b'['))
}

/// Whether `text` begins as an object or array does and does not end as it would.
pub(crate) fn is_unclosed(text: &[u8]) -> bool {
    match (text.first(), text.last()) {
        (Some(b'{'), Some(&last)) => last != b'}',
        (Some(b'['), Some(&last)) => last != b']',
        _ => false,
    }
}
