//! Lists that exceed the record limit and are therefore read item by item: where they open and close.
//!
//! A list is a JSON array, or the array in an object such as `{"kind":"EventList","items":[…]}` or
//! `{"hits":{"hits":[…]}}`. Members of such an object before its items are kept for the items; members after them are
//! skipped.
//!
//! Lists within the limit are a family of envelopes (`envelope::batch`). They are read as a whole, so damage in them is
//! bounded from both sides; here only what precedes an item is known.

use std::sync::Arc;

use memchr::{memchr, memchr_iter, memmem};

use crate::framing::span::{Place, Span, count_lines, trim_blanks_end, trim_blanks_start};
use crate::json::{self, Extent};

/// Maximum length of the text before or after the items.
pub(crate) const MAX_MARGIN: usize = 64 * 1024;

/// Maximum number of objects around a list.
const MAX_OBJECTS: usize = 4;

/// Bytes within which an item has the name of its first member.
const MAX_BEGINNING: usize = 64;

/// The objects around a list, with their members up to its first item.
#[derive(Debug)]
pub(crate) struct Enclosing {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Enclosing {
    /// Returns this number of objects, which `head` opens.
    fn new(head: &[u8], objects: usize) -> Self {
        let mut tail = b"}".repeat(objects);
        tail.insert(0, b']');
        Self { head: head.to_vec(), tail }
    }

    /// Returns the objects around a list of this item only, and the position at which they would begin.
    ///
    /// `None` if the item is too short to justify a copy of the objects.
    pub(crate) fn around(&self, item: Span<'_>) -> Option<(Vec<u8>, Place)> {
        const WORTH: usize = 8;
        if item.bytes.len() < self.head.len() / WORTH {
            return None;
        }
        let place = Place {
            offset: item.offset.checked_sub(self.head.len() as u64)?,
            line: item.line.checked_sub(count_lines(&self.head))?,
        };
        Some(([&self.head, item.bytes, &self.tail].concat(), place))
    }
}

/// A list that is read item by item.
#[derive(Debug)]
pub(crate) struct List {
    /// Its beginning, up to the first item, and its position.
    head: Vec<u8>,
    place: Place,
    /// Number of objects around it.
    pub(crate) objects: usize,
    /// The objects around it; `None` for a bare array, and once an item may no longer belong to this list.
    enclosing: Option<Arc<Enclosing>>,
    items: u64,
    /// Number of commas since the last item.
    commas: u64,
    /// The beginning of the first item, up to the name of its first member, by which other items are recognized.
    beginning: Vec<u8>,
    /// Number of values after damage that were mistaken for an item.
    mistakes: u32,
}

impl List {
    /// Opens the list at the end of `head`, which begins at `place`.
    pub(crate) fn new(head: &[u8], place: Place, objects: usize) -> Self {
        let enclosing = (objects > 0).then(|| Arc::new(Enclosing::new(head, objects)));
        Self {
            head: head.to_vec(),
            place,
            objects,
            enclosing,
            items: 0,
            commas: 0,
            beginning: b"{".to_vec(),
            mistakes: 0,
        }
    }

    /// Returns its beginning and position.
    pub(crate) fn head(&self) -> (&[u8], Place) {
        (&self.head, self.place)
    }

    pub(crate) fn comma(&mut self) {
        self.commas += 1;
    }

    /// Takes a complete JSON value as the next item. Returns the objects around it.
    pub(crate) fn item(&mut self, item: &[u8]) -> Option<Arc<Enclosing>> {
        if self.items == 0 {
            let name_end = memchr(b':', &item[..item.len().min(MAX_BEGINNING)]);
            self.beginning = item[..name_end.unwrap_or(1)].to_vec();
        }
        if self.commas != u64::from(self.items > 0) {
            // The list may have ended prematurely.
            self.enclosing = None;
        }
        self.items += 1;
        self.commas = 0;
        self.enclosing.clone()
    }

    /// Returns the start of the next item after damage at the start of `text`; an item ends within `text`.
    ///
    /// List elements in an event's body are not mistaken for items: after the last element the event continues.
    pub(crate) fn after_damage(&mut self, text: &[u8]) -> Option<usize> {
        const MAX_MISTAKES: u32 = 64;
        let mut from = 1;
        while self.mistakes < MAX_MISTAKES {
            let start = from + memmem::find(text.get(from..)?, &self.beginning)?;
            from = start + 1;
            if trim_blanks_end(&text[..start]).ends_with(b",") {
                match self.runs_on(&text[start..]) {
                    Ok(()) => {
                        // The damaged text was an item too.
                        self.items += 1;
                        self.commas = 0;
                        return Some(start);
                    }
                    Err(length) => {
                        self.mistakes += 1;
                        from = start + length.max(1);
                    }
                }
            }
        }
        None
    }

    /// Checks that items follow one another in `text`, to its end, the end of the list or the next damage. Otherwise
    /// returns how far they do.
    fn runs_on(&self, text: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        loop {
            match json::extent(&text[at..]) {
                Extent::Complete(length) => at += length,
                Extent::Incomplete | Extent::Invalid { .. } if at > 0 => return Ok(()),
                Extent::Incomplete | Extent::Invalid { .. } => return Err(at),
            }
            let rest = trim_blanks_start(&text[at..]);
            match rest.split_first() {
                Some((b',', next)) => {
                    let next = trim_blanks_start(next);
                    at = text.len() - next.len();
                    match next.first() {
                        None => return Ok(()),
                        Some(b'{') => {}
                        Some(_) => return Err(at),
                    }
                }
                Some((b']', _)) => {
                    let after = match closing(rest, self.objects, MAX_MARGIN) {
                        Extent::Complete(length) => trim_blanks_start(&rest[length..]).first(),
                        Extent::Incomplete => None,
                        Extent::Invalid { .. } => return Err(at),
                    };
                    let is_end = !matches!(after, Some(b',' | b']' | b'}'));
                    return if is_end { Ok(()) } else { Err(at) };
                }
                None | Some(_) => return Ok(()),
            }
        }
    }
}

/// The opening of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Bytes up to the first item.
    pub(crate) length: usize,
    /// Number of objects around the list.
    pub(crate) objects: usize,
}

/// Returns the outermost array that is open at the end of `prefix`, which must be the beginning of a JSON value.
///
/// `None` if the array is not the purpose of the value, such as a list in the body of a long event.
pub(crate) fn opening(prefix: &[u8]) -> Option<Opening> {
    let mut depth = 0_usize;
    let mut list: Option<Opening> = None;
    for (at, bracket) in json::brackets(prefix) {
        if matches!(bracket, b'[' | b'{') {
            if bracket == b'[' && list.is_none() {
                list = Some(Opening { length: at + 1, objects: depth });
            }
            depth += 1;
            continue;
        }
        depth = depth.saturating_sub(1);
        if depth == 0 {
            // Another value follows.
            return None;
        }
        list = list.filter(|list| list.objects < depth);
    }
    list.filter(|list| {
        list.length <= MAX_MARGIN
            && list.objects <= MAX_OBJECTS
            && memmem::find(&prefix[..list.length], b"\"auditID\"").is_none()
    })
}

/// Returns the first array of objects in `prefix`, which contains damage, so that brackets cannot be matched.
pub(crate) fn opening_before_damage(prefix: &[u8]) -> Option<Opening> {
    /// Maximum number of arrays before the list.
    const MAX_ARRAYS: usize = 16;
    let brackets = memchr_iter(b'[', &prefix[..prefix.len().min(MAX_MARGIN)]);
    brackets.take(MAX_ARRAYS).find_map(|bracket| {
        let (head, items) = prefix.split_at(bracket + 1);
        let is_of_objects = trim_blanks_start(items).first() == Some(&b'{');
        opening(head).filter(|opening| is_of_objects && opening.length == head.len())
    })
}

/// Returns the length of a list's end and of the objects around it, at most `limit` bytes. `text` begins with the
/// bracket.
pub(crate) fn closing(text: &[u8], objects: usize, limit: usize) -> Extent {
    if objects == 0 {
        return Extent::Complete(1);
    }
    // As if the list had been empty.
    let mut whole = b"{\"\":".repeat(objects);
    whole.push(b'[');
    let added = whole.len();
    let margin = MAX_MARGIN.min(limit);
    whole.extend_from_slice(&text[..text.len().min(margin)]);
    match json::extent(&whole) {
        Extent::Complete(length) => Extent::Complete(length - added),
        Extent::Incomplete if text.len() > margin => Extent::Invalid { line: 1 },
        extent => extent,
    }
}
