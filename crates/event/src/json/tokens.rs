//! The token positions of a JSON text, so that single tokens can be replaced and the rest stays unchanged.
//!
//! The text is known to be valid JSON. There is no recursion: clients can nest a body arbitrarily deep.

use std::borrow::Cow;

use memchr::memchr2;

use crate::column::Text;

/// The kind of a token. Commas and colons are not tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// An object or array begins.
    Open,
    /// An object or array ends.
    Close,
    /// The name of a member.
    Key,
    /// Another string.
    Text,
    /// A number, `true`, `false` or `null`.
    Literal,
}

/// A token, as a range of the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The tokens of a valid JSON text, in order.
pub(crate) struct Tokens<'a> {
    json: &'a str,
    at: usize,
    /// For each open container, whether it is an object.
    open: Vec<bool>,
    key_follows: bool,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(json: &'a str) -> Self {
        Self { json, at: 0, open: Vec::new(), key_follows: false }
    }

    /// Skips the rest of the container that was opened last. Returns the position of its end.
    pub(crate) fn skip_container(&mut self) -> usize {
        let depth = self.open.len();
        while self.open.len() >= depth && self.next().is_some() {}
        self.at
    }

    /// Returns the index after the string that begins at `start`.
    fn end_of_string(&self, start: usize) -> usize {
        let bytes = self.json.as_bytes();
        let mut at = start + 1;
        while let Some(step) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            at += step;
            if bytes[at] == b'"' {
                return at + 1;
            }
            at += 2;
        }
        bytes.len()
    }

    fn end_of_literal(&self, start: usize) -> usize {
        let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
        let rest = &self.json.as_bytes()[start..];
        rest.iter().position(is_end).map_or(self.json.len(), |length| start + length)
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            let byte = *self.json.as_bytes().get(start)?;
            self.at += 1;
            let kind = match byte {
                b' ' | b'\t' | b'\r' | b'\n' => continue,
                b',' => {
                    self.key_follows = self.open.last() == Some(&true);
                    continue;
                }
                b':' => {
                    self.key_follows = false;
                    continue;
                }
                b'{' | b'[' => {
                    self.open.push(byte == b'{');
                    self.key_follows = byte == b'{';
                    TokenKind::Open
                }
                b'}' | b']' => {
                    self.open.pop();
                    TokenKind::Close
                }
                b'"' => {
                    self.at = self.end_of_string(start);
                    if self.key_follows { TokenKind::Key } else { TokenKind::Text }
                }
                _ => {
                    self.at = self.end_of_literal(start);
                    TokenKind::Literal
                }
            };
            return Some(Token { kind, start, end: self.at });
        }
    }
}

/// Returns the text of a string literal; `None` if it contains half a surrogate pair, which is not valid text.
pub(crate) fn decode(literal: &str) -> Option<Cow<'_, str>> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.into());
    }
    serde_json::from_str::<Text<'_>>(literal).ok().map(|text| text.0)
}

/// Returns the members of an object, with their values as JSON text; empty if the value is not an object.
pub(crate) fn members(json: &str) -> Vec<(Cow<'_, str>, &str)> {
    let mut tokens = Tokens::new(json);
    let mut members = Vec::new();
    let opens = |token: Token| json.as_bytes()[token.start] == b'{';
    if !tokens.next().is_some_and(opens) {
        return members;
    }
    let mut key = None;
    while let Some(token) = tokens.next() {
        let end = match token.kind {
            TokenKind::Key => {
                key = decode(&json[token.start..token.end]);
                continue;
            }
            TokenKind::Close => break,
            TokenKind::Open => tokens.skip_container(),
            TokenKind::Text | TokenKind::Literal => token.end,
        };
        members.extend(key.take().map(|key| (key, &json[token.start..end])));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::TokenKind::{Close, Key, Literal, Open, Text};
    use super::*;

    #[test]
    fn every_token_is_at_its_reported_position() {
        let json = r#" { "a\"," : [ 1 , "b\\" , { } , [ true,"c"] ] ,"d":null,"e":"f" } "#;
        let tokens: Vec<_> =
            Tokens::new(json).map(|token| (token.kind, &json[token.start..token.end])).collect();
        assert_eq!(
            tokens,
            [
                (Open, "{"),
                (Key, r#""a\",""#),
                (Open, "["),
                (Literal, "1"),
                (Text, r#""b\\""#),
                (Open, "{"),
                (Close, "}"),
                (Open, "["),
                (Literal, "true"),
                (Text, r#""c""#),
                (Close, "]"),
                (Close, "]"),
                (Key, r#""d""#),
                (Literal, "null"),
                (Key, r#""e""#),
                (Text, r#""f""#),
                (Close, "}"),
            ]
        );
    }

    #[test]
    fn members_are_those_of_the_object_itself() {
        let json = r#"{"a":{"b":[1,{"c":2}]},"d\u0065":"x","f":[],"a":3}"#;
        let members = members(json);
        let expected = [("a", r#"{"b":[1,{"c":2}]}"#), ("de", r#""x""#), ("f", "[]"), ("a", "3")];
        assert_eq!(members.len(), expected.len());
        for ((key, value), expected) in members.iter().zip(expected) {
            assert_eq!((&**key, *value), expected);
        }
        assert!(super::members("[1]").is_empty());
    }
}
