//! Makes text from a log safe to show on a terminal and in a spreadsheet.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// The text with every character that a terminal would obey written as `\u{…}`: control characters, and those that
/// change the direction of text or cannot be seen.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            other if is_unsafe(other) => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(other));
            }
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// A leading apostrophe makes a spreadsheet take a formula for text (OWASP, CSV injection).
pub(crate) fn defuse(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// A writer for a terminal that many rows go through as CSV or JSON: what a terminal would obey becomes `\uXXXX`, which is
/// the same text in JSON. Line ends stay.
pub struct TerminalWriter<W> {
    inner: W,
    /// The beginning of a character.
    rest: Vec<u8>,
}

impl<W: Write> TerminalWriter<W> {
    /// A writer to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, rest: Vec::new() }
    }

    /// The writer behind it; the beginning of a character that never ended is lost.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for TerminalWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.rest.len(),
        };
        let rest = self.rest.split_off(whole);
        let text = String::from_utf8_lossy(&self.rest);
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            if is_unsafe(character) && character != '\n' {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            } else {
                escaped.push(character);
            }
        }
        self.inner.write_all(escaped.as_bytes())?;
        self.rest = rest;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_spelled_out() {
        assert_eq!(escape("kubectl/v1.36 – é"), "kubectl/v1.36 – é");
        assert_eq!(escape("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(escape("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(escape("\u{9b}2J\u{202e}txt"), "\\u{9b}2J\\u{202e}txt");
    }

    #[test]
    fn a_terminal_gets_json_that_means_the_same() {
        let mut out = Vec::new();
        let mut writer = TerminalWriter::new(&mut out);
        let json = "{\"a\":\"é\u{9b}\u{202e}\u{e0041}\"}\n";
        for byte in json.as_bytes() {
            writer.write_all(&[*byte]).unwrap();
        }
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(shown, "{\"a\":\"é\\u009b\\u202e\\udb40\\udc41\"}\n");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(json));
    }
}
