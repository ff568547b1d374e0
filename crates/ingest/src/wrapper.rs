//! Lists that are too long to be held, so that their items are read one by one: where they open and close.
//!
//! A list is a JSON array, or the array in an object such as `{"kind":"EventList","items":[…]}` or `{"hits":{"hits":[…]}}`. What
//! such an object says beside its items is passed over.

use memchr::{memchr2, memmem};

use crate::json::{self, Extent};

/// What may stand before or after the items.
pub(crate) const MAX_MARGIN: usize = 64 * 1024;

/// Objects around a list.
const MAX_OBJECTS: usize = 4;

/// Where the items of a list begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Bytes up to the first item.
    pub(crate) length: usize,
    /// How many objects are around the list.
    pub(crate) objects: usize,
}

/// The list that is still open at the end of `prefix`, which must be the beginning of a JSON value. It is the outermost array.
///
/// None if the value is not made for its list: an event that is too long for what its body lists.
pub(crate) fn opening(prefix: &[u8]) -> Option<Opening> {
    let mut depth = 0_usize;
    let mut list = None;
    let mut at = 0;
    while let Some(byte) = prefix.get(at) {
        match byte {
            b'"' => at += string_length(&prefix[at..]),
            b'[' | b'{' => {
                if *byte == b'[' && list.is_none() {
                    list = Some(Opening { length: at + 1, objects: depth });
                }
                depth += 1;
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                list = list.filter(|list| list.objects < depth);
                at += 1;
            }
            _ => at += 1,
        }
    }
    list.filter(|list| {
        list.length <= MAX_MARGIN
            && list.objects <= MAX_OBJECTS
            && memmem::find(&prefix[..list.length], b"\"auditID\"").is_none()
    })
}

/// How far the end of a list reaches, with the objects around it. `text` begins with the bracket.
pub(crate) fn closing(text: &[u8], objects: usize) -> Extent {
    if objects == 0 {
        return Extent::Complete(1);
    }
    // As if the list had been empty.
    let mut whole = b"{\"\":".repeat(objects);
    whole.push(b'[');
    let added = whole.len();
    whole.extend_from_slice(&text[..text.len().min(MAX_MARGIN)]);
    match json::extent(&whole) {
        Extent::Complete(length) => Extent::Complete(length - added),
        Extent::Incomplete if text.len() > MAX_MARGIN => Extent::Invalid { line: 1 },
        extent => extent,
    }
}

/// How long the string is that begins `text`, with its quotes; the end of the text ends it too.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    text.len()
}
