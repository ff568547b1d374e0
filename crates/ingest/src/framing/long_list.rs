//! Lists that are too long to be held, so that their items are read one by one: where they open and close.
//!
//! A list is a JSON array, or the array in an object such as `{"kind":"EventList","items":[…]}` or `{"hits":{"hits":[…]}}`. What
//! such an object says before its items is kept for them; what it says after them is passed over.

use std::sync::Arc;

use memchr::{memchr, memchr_iter, memmem};

use crate::envelope::Place;
use crate::framing::span::{Span, count_lines, trim_blanks_end, trim_blanks_start};
use crate::json::{self, Extent};

/// What may stand before or after the items.
pub(crate) const MAX_MARGIN: usize = 64 * 1024;

/// Objects around a list.
const MAX_OBJECTS: usize = 4;

/// Bytes in which the first member of an item has its name.
const MAX_BEGINNING: usize = 64;

/// The objects around a list, up to its first item.
#[derive(Debug)]
pub(crate) struct Wrapper {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Wrapper {
    /// The wrapper that `head` opens, with so many objects around the list.
    fn new(head: &[u8], objects: usize) -> Self {
        let mut tail = b"}".repeat(objects);
        tail.insert(0, b']');
        Self { head: head.to_vec(), tail }
    }

    /// The wrapper around this item alone, and where it would begin.
    ///
    /// None if the item is so short that it cannot be worth the copy of what is around it.
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

/// A list whose items are being read.
#[derive(Debug)]
pub(crate) struct List {
    /// What it began with, and where.
    head: Vec<u8>,
    place: Place,
    /// How many objects are around it.
    pub(crate) objects: usize,
    /// None around a bare array, and once it is not certain any more that an item is one of this list.
    wrapper: Option<Arc<Wrapper>>,
    items: u64,
    /// Commas since the last item.
    commas: u64,
    /// How the first item begins, up to the name of its first member: so do the others.
    beginning: Vec<u8>,
    /// Values that were taken for the next item behind damage, and were none.
    mistakes: u32,
}

impl List {
    /// The list that is opened by the end of `head`, which stands at `place`.
    pub(crate) fn new(head: &[u8], place: Place, objects: usize) -> Self {
        let wrapper = (objects > 0).then(|| Arc::new(Wrapper::new(head, objects)));
        Self {
            head: head.to_vec(),
            place,
            objects,
            wrapper,
            items: 0,
            commas: 0,
            beginning: b"{".to_vec(),
            mistakes: 0,
        }
    }

    /// What it began with, and where.
    pub(crate) fn head(&self) -> (&[u8], Place) {
        (&self.head, self.place)
    }

    pub(crate) fn comma(&mut self) {
        self.commas += 1;
    }

    /// This whole JSON value comes next; gives what is around it.
    pub(crate) fn item(&mut self, item: &[u8]) -> Option<Arc<Wrapper>> {
        if self.items == 0 {
            let name_end = memchr(b':', &item[..item.len().min(MAX_BEGINNING)]);
            self.beginning = item[..name_end.unwrap_or(1)].to_vec();
        }
        if self.commas != u64::from(self.items > 0) {
            // The list may have ended before its time.
            self.wrapper = None;
        }
        self.items += 1;
        self.commas = 0;
        self.wrapper.clone()
    }

    /// Where the next item begins behind damage at the start of `text`; an item goes no further than `text` does.
    ///
    /// What a body of an event lists is not taken for an item: behind its last element the event goes on.
    pub(crate) fn after_damage(&mut self, text: &[u8]) -> Option<usize> {
        const MAX_MISTAKES: u32 = 64;
        let mut from = 1;
        while self.mistakes < MAX_MISTAKES {
            let start = from + memmem::find(text.get(from..)?, &self.beginning)?;
            from = start + 1;
            if trim_blanks_end(&text[..start]).ends_with(b",") {
                match self.runs_on(&text[start..]) {
                    Ok(()) => {
                        // What is damaged was an item too.
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

    /// Whether items follow one another in `text`, to its end, that of the list or the next damage; else how far they do.
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
            b'"' => at += json::string_length(&prefix[at..]),
            b'[' | b'{' => {
                if *byte == b'[' && list.is_none() {
                    list = Some(Opening { length: at + 1, objects: depth });
                }
                depth += 1;
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    // What follows is another value.
                    return None;
                }
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

/// The same where damage follows in `prefix`, so that nothing is known of how brackets close: the first array of objects.
pub(crate) fn opening_before_damage(prefix: &[u8]) -> Option<Opening> {
    /// Arrays that may stand before the list.
    const MAX_ARRAYS: usize = 16;
    let brackets = memchr_iter(b'[', &prefix[..prefix.len().min(MAX_MARGIN)]);
    brackets.take(MAX_ARRAYS).find_map(|bracket| {
        let (head, items) = prefix.split_at(bracket + 1);
        let is_of_objects = trim_blanks_start(items).first() == Some(&b'{');
        opening(head).filter(|opening| is_of_objects && opening.length == head.len())
    })
}

/// How far the end of a list reaches, with the objects around it: no further than `limit` bytes. `text` begins with the bracket.
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
