//! JSON as framing and envelopes need it: the end of a value, the verbatim members of an object, the text of a string.
//!
//! Events are parsed by `podtrail_event`. The scanners here work where no parser does: on the beginning of a value, on its
//! end, and on damaged text.

use std::borrow::Cow;
use std::iter;

use memchr::{memchr2, memrchr, memrchr3};
use podtrail_event::{Members, Text};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;
use serde_json::value::RawValue;

/// The members of an object in their order, with their values as JSON text.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Object<'a>(#[serde(borrow)] Members<'a>);

impl<'a> Object<'a> {
    /// Parses `text`; `None` if it is not an object.
    pub(crate) fn read(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.0.iter().map(|(key, value)| (&**key, *value))
    }

    /// Returns the value of a member, which may be null.
    pub(crate) fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Returns the text of a member that is a string.
    pub(crate) fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        text(self.get(key)?)
    }

    /// Returns the members of a member that is an object.
    pub(crate) fn object(&self, key: &str) -> Option<Object<'a>> {
        object(self.get(key)?)
    }

    /// Returns the elements of a member that is an array.
    pub(crate) fn list(&self, key: &str) -> Option<Vec<&'a RawValue>> {
        list(self.get(key)?)
    }
}

/// Builds the text of an object.
#[derive(Debug, Default)]
pub(crate) struct ObjectWriter(String);

impl ObjectWriter {
    /// Adds a member whose value is JSON text.
    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quote(key));
        self.0.push(':');
        self.0.push_str(json);
    }

    /// Adds a member that is a string.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.raw(key, &quote(text));
    }

    /// Returns an object with members whose values are JSON text.
    pub(crate) fn write<'a>(members: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>) -> String {
        let mut object = Self::default();
        for (key, json) in members {
            object.raw(key, &json);
        }
        object.finish()
    }

    pub(crate) fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

/// Returns a text as a JSON string.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Returns the text of a string, borrowed if it has no escapes.
pub(crate) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(value.get()).ok().map(|text| text.0)
}

/// Returns a text as bytes.
pub(crate) fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Returns the members of an object.
pub(crate) fn object(value: &RawValue) -> Option<Object<'_>> {
    serde_json::from_str(value.get()).ok()
}

/// Returns the elements of an array.
pub(crate) fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// What a text begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// A JSON value with this length in bytes.
    Complete(usize),
    /// The beginning of a JSON value.
    Incomplete,
    /// Not JSON: the content of this line of the text, from 1, cannot follow the text before it.
    Invalid { line: usize },
}

/// Returns the extent of the JSON object or array at the start of `text`. Any text may follow it.
///
/// A raw newline inside a string is invalid, so a truncated line is soon distinguished from a value over several lines.
pub(crate) fn extent(text: &[u8]) -> Extent {
    let mut values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(IgnoredAny)) => Extent::Complete(values.byte_offset()),
        Some(Err(error)) if !error.is_eof() && !is_in_last_number(text, &error) => {
            Extent::Invalid { line: error.line() }
        }
        Some(Err(_)) | None => Extent::Incomplete,
    }
}

/// Returns whether the error is at the end of a text that ends within a number, such as `[-`: `serde_json` reports it as an
/// invalid number, although digits may follow.
fn is_in_last_number(text: &[u8], error: &serde_json::Error) -> bool {
    let Some(b'-' | b'+' | b'.' | b'e' | b'E') = text.last() else { return false };
    let lines = text.split(|byte| *byte == b'\n');
    let (count, last) = lines.fold((0, 0), |(count, _), line| (count + 1, line.len()));
    error.line() == count && error.column() >= last
}

/// The length of `false`, the longest word that can follow a bracket.
pub(crate) const LONGEST_WORD: usize = 5;

/// Returns whether `text` begins like an object or array. `[pod/name]` does not.
pub(crate) fn is_open(text: &[u8]) -> bool {
    const WORDS: [&[u8]; 3] = [b"true", b"false", b"null"];
    match text {
        [b'{', ..] => true,
        [b'[', rest @ ..] => {
            let is_word = rest.first().is_some_and(u8::is_ascii_alphabetic);
            !is_word || WORDS.iter().any(|word| rest.starts_with(word))
        }
        _ => false,
    }
}

/// Returns whether `text` begins like an object or array and does not end like one.
pub(crate) fn is_unclosed(text: &[u8]) -> bool {
    match (text.first(), text.last()) {
        (Some(b'{'), Some(&last)) => last != b'}',
        (Some(b'['), Some(&last)) => last != b']',
        _ => false,
    }
}

/// Returns the number of open objects and arrays at the end of `prefix`, which must be the beginning of a JSON value.
pub(crate) fn depth(prefix: &[u8]) -> usize {
    brackets(prefix).fold(0, |depth, (_, bracket)| match bracket {
        b'[' | b'{' => depth + 1,
        _ => depth.saturating_sub(1),
    })
}

/// Returns the offsets of the brackets outside strings, and the brackets, in `prefix`, which must be the beginning of a
/// JSON value.
pub(crate) fn brackets(prefix: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let mut at = 0;
    iter::from_fn(move || {
        while let Some(&byte) = prefix.get(at) {
            let start = at;
            at += if byte == b'"' { string_length(&prefix[at..]) } else { 1 };
            if matches!(byte, b'[' | b'{' | b']' | b'}') {
                return Some((start, byte));
            }
        }
        None
    })
}

/// Returns the start of the object at the end of a text by matching brackets from the end.
pub(crate) fn object_at_end(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut rest = text.strip_suffix(b"}")?;
    loop {
        let at = memrchr3(b'{', b'}', b'"', rest)?;
        match rest[at] {
            b'"' => rest = before_string(&rest[..at])?,
            b'}' => {
                depth += 1;
                rest = &rest[..at];
            }
            _ if depth == 0 => return Some(at),
            _ => {
                depth -= 1;
                rest = &rest[..at];
            }
        }
    }
}

/// Returns the text before a string; `text` ends with the string's content, without the closing quote.
fn before_string(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        text = &text[..memrchr(b'"', text)?];
        let escapes = text.iter().rev().take_while(|byte| **byte == b'\\').count();
        if escapes % 2 == 0 {
            return Some(text);
        }
    }
}

/// Returns the length of the string at the start of `text`, quotes included. The end of the text also ends the string.
pub(crate) fn string_length(text: &[u8]) -> usize {
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
