//! Escapes text from a log for terminals and spreadsheets.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Escapes every character that a terminal would interpret as `\u{…}`: control characters, bidirectional characters
/// and invisible ones.
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

/// Returns the text as a CSV cell: terminal control characters are escaped as by [`escape`], except for line ends and
/// tabs, which are allowed inside a cell; a cell that a spreadsheet would evaluate gets a leading apostrophe, which
/// makes it text (OWASP, CSV injection).
pub(crate) fn spreadsheet_cell(text: &str) -> Cow<'_, str> {
    let is_kept = |character| matches!(character, '\n' | '\t') || !is_unsafe(character);
    let text = if text.chars().all(is_kept) {
        Cow::Borrowed(text)
    } else {
        let mut cell = String::with_capacity(text.len() + 16);
        for character in text.chars() {
            if is_kept(character) {
                cell.push(character);
            } else {
                cell.push_str(&escape(character.encode_utf8(&mut [0; 4])));
            }
        }
        cell.into()
    };
    if is_formula(&text) { format!("'{text}").into() } else { text }
}

/// Returns whether a spreadsheet may evaluate a cell: leading blanks may be ignored, and wide and small forms of the
/// signs are treated as the signs.
fn is_formula(cell: &str) -> bool {
    const SIGNS: [char; 13] =
        ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−'];
    let is_blank_first = cell.starts_with(['\n', '\t', '\r']);
    is_blank_first || cell.trim_start().starts_with(SIGNS)
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

/// A writer for CSV or JSON rows on a terminal: control characters become `\uXXXX`, which denotes the same text in
/// JSON. Line ends are kept.
pub struct TerminalWriter<W> {
    inner: W,
    /// An incomplete character or line end.
    rest: Vec<u8>,
}

impl<W: Write> TerminalWriter<W> {
    /// Returns a writer to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, rest: Vec::new() }
    }

    /// Returns the inner writer; an incomplete character is lost.
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
        // The next byte decides whether a carriage return is half of a line end.
        let is_open = self.rest[..whole].ends_with(b"\r");
        let rest = self.rest.split_off(whole - usize::from(is_open));
        let text = String::from_utf8_lossy(&self.rest);
        let mut escaped = String::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let is_line_end =
                character == '\n' || character == '\r' && characters.peek() == Some(&'\n');
            if is_unsafe(character) && !is_line_end {
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

/// Replaces characters of a JSON text that a terminal would interpret by JSON escapes; they occur in strings only.
pub fn escape_json(line: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(line);
    if escape(&text) == text {
        return;
    }
    let mut escaped = String::with_capacity(line.len() + 16);
    let mut buffer = [0; 4];
    for character in text.chars() {
        let alone = character.encode_utf8(&mut buffer);
        if escape(alone) == *alone {
            escaped.push(character);
        } else {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            escaped.extend(units.into_iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    *line = escaped.into_bytes();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escape("kubectl/v1.36 – é"), "kubectl/v1.36 – é");
        assert_eq!(escape("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(escape("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(escape("\u{9b}2J\u{202e}txt"), "\\u{9b}2J\\u{202e}txt");
    }

    #[test]
    fn no_cell_contains_a_formula_or_control_character() {
        for (text, cell) in [
            ("a=b", "a=b"),
            ("", ""),
            ("a\nb\tc", "a\nb\tc"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            ("\n=1", "'\n=1"),
            ("\nx", "'\nx"),
            ("\r=1", "\\r=1"),
            (" =1", "' =1"),
            ("\u{3000}＝1", "'\u{3000}＝1"),
            ("＝1", "'＝1"),
            ("＋1", "'＋1"),
            ("－1", "'－1"),
            ("＠a", "'＠a"),
            ("\u{1b}[31m=", "\\u{1b}[31m="),
            ("a\u{9b}b\u{202e}c\0", "a\\u{9b}b\\u{202e}c\\u{0}"),
            ("\u{feff}=1", "\\u{feff}=1"),
        ] {
            assert_eq!(spreadsheet_cell(text), cell, "{text:?}");
        }
    }

    #[test]
    fn line_ends_of_csv_are_kept_on_a_terminal() {
        let mut out = Vec::new();
        let mut writer = TerminalWriter::new(&mut out);
        for byte in b"a,b\r\nc\rd\r\n" {
            writer.write_all(&[*byte]).unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), "a,b\r\nc\\u000dd\r\n");
    }

    #[test]
    fn json_on_a_terminal_has_the_same_value() {
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

    #[test]
    fn terminal_control_characters_are_escaped() {
        let json = "{\"a\":\"\u{9b}2J\u{202e}\u{e0041}\u{7f} é\"}";
        let mut line = json.as_bytes().to_vec();
        escape_json(&mut line);
        let escaped = String::from_utf8(line).unwrap();
        assert_eq!(escaped, r#"{"a":"\u009b2J\u202e\udb40\udc41\u007f é"}"#);
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(value(&escaped), value(json));
    }
}
