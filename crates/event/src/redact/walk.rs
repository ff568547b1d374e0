//! Replaces the secrets in a JSON text with digests.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::key::{RedactionKey, is_digest};
use super::marks::{Mark, marks};
use super::names::{Cover, cover, is_body, is_copy};
use super::query::redact_query;
use super::subject::Scope;
use crate::json::tokens::{Token, TokenKind, Tokens, decode};

/// Maximum nesting of JSON in strings; deeper texts are treated as secret as a whole.
const MAX_NESTING: usize = 3;

/// Members of an event that contain no body, and that a client could hide by making them resemble one.
const UNTOUCHED: [&str; 15] = [
    "apiVersion",
    "auditID",
    "impersonatedUser",
    "kind",
    "level",
    "metadata",
    "objectRef",
    "requestReceivedTimestamp",
    "sourceIPs",
    "stage",
    "stageTimestamp",
    "timestamp",
    "user",
    "userAgent",
    "verb",
];

/// Error messages that quote the object: a patch that does not decode (apiserver, endpoints/handlers/patch.go), a body
/// that does not decode (json-iterator, until Kubernetes 1.22), a value of the wrong type (structured-merge-diff).
const QUOTING_MESSAGES: [&str; 3] =
    ["patch: Invalid value: ", ", bigger context ...|", ": expected string, got "];

/// The parameters of a redaction.
pub(super) struct Walk<'a> {
    pub(super) key: &'a RedactionKey,
    /// A secret that is replaced in every string that contains it.
    pub(super) secret: Option<&'a str>,
}

/// The properties of a value that follow from its position.
#[derive(Debug, Clone, Copy)]
struct Mode {
    scope: Scope,
    cover: Cover,
    /// Whether it should be, or be the text of, an object with secrets; if it is neither, it is treated as a secret
    /// itself.
    is_copy: bool,
    is_uri: bool,
}

impl Mode {
    fn new(scope: Scope) -> Self {
        Self { scope, cover: Cover::None, is_copy: false, is_uri: false }
    }

    /// Returns the mode of a member of an object in this mode.
    fn member(self, name: Option<&str>) -> Self {
        let mut mode = Self { is_copy: false, is_uri: false, ..self };
        let Some(name) = name.filter(|_| self.cover == Cover::None) else { return mode };
        mode.cover = cover(self.scope, name);
        let has_secrets = matches!(self.scope, Scope::Secret | Scope::Token);
        mode.is_copy = has_secrets && (is_copy(name) || is_body(name));
        mode.is_uri = self.scope != Scope::Nothing && name.eq_ignore_ascii_case("requestURI");
        mode
    }

    /// Returns the mode with the properties of a mark.
    fn marked(self, mark: &Mark) -> Self {
        let mut mode = self;
        if let (Scope::ByKind, Some(scope)) = (mode.scope, mark.scope) {
            mode.scope = scope;
        }
        if let (Scope::Secret, Cover::None, Some(target)) = (mode.scope, mode.cover, mark.target) {
            mode.cover = target.cover;
            mode.is_copy |= target.is_copy;
        }
        mode
    }
}

/// An object or array that is being read.
struct OpenValue {
    mode: Mode,
    /// The mode of the next value in it.
    next: Mode,
}

/// The result for JSON in a string.
enum Nested {
    /// It is not JSON.
    Unreadable,
    /// It contains nothing to redact.
    Clean,
    Redacted(String),
}

impl Walk<'_> {
    /// Returns the event with digests for its secrets; `None` if it has none. It must be valid JSON.
    pub(super) fn event(&self, json: &str, scope: Scope) -> Option<String> {
        self.text(json, Mode::new(scope), true, 0)
    }

    /// Redacts another record with the content of an event.
    pub(super) fn record(&self, json: &str, scope: Scope) -> Option<String> {
        self.text(json, Mode::new(scope), false, 0)
    }

    fn text(&self, json: &str, root: Mode, is_event: bool, nesting: usize) -> Option<String> {
        let marks = marks(json);
        let mut redacted = String::new();
        let mut copied = 0;
        let mut open: Vec<OpenValue> = Vec::new();
        let mut tokens = Tokens::new(json);
        while let Some(token) = tokens.next() {
            let Token { kind, start, mut end } = token;
            if kind == TokenKind::Close {
                open.pop();
                continue;
            }
            let depth = open.len();
            if kind == TokenKind::Key {
                if let Some(container) = open.last_mut() {
                    let name = decode(&json[start..end]);
                    container.next = container.mode.member(name.as_deref());
                    if is_event && depth == 1 && name.is_some_and(|name| is_untouched(&name)) {
                        container.next.scope = Scope::Nothing;
                    }
                }
                continue;
            }
            let mode = marked(open.last().map_or(root, |container| container.next), &marks, start);
            let replacement = match kind {
                TokenKind::Open if mode.cover == Cover::Whole => {
                    end = tokens.skip_container();
                    Some(self.key.digest(&json.as_bytes()[start..end]))
                }
                TokenKind::Open => {
                    open.push(OpenValue { mode, next: mode });
                    None
                }
                TokenKind::Text => self.string(&json[start..end], mode, nesting),
                _ => self.literal(&json[start..end], mode),
            };
            if let Some(replacement) = replacement {
                redacted.push_str(&json[copied..start]);
                redacted.push_str(&serde_json::Value::from(replacement).to_string());
                copied = end;
            }
        }
        if copied == 0 {
            return None;
        }
        redacted.push_str(&json[copied..]);
        Some(redacted)
    }

    /// Returns the replacement of a number; `true`, `false` and `null` are not secret.
    fn literal(&self, literal: &str, mode: Mode) -> Option<String> {
        let is_number = literal.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let is_secret = mode.cover != Cover::None || mode.is_copy;
        (is_number && is_secret).then(|| self.key.digest(literal.as_bytes()))
    }

    /// Returns the replacement of a string; `None` if it stays.
    fn string(&self, literal: &str, mode: Mode, nesting: usize) -> Option<String> {
        let is_secret = mode.cover != Cover::None;
        let Some(text) = decode(literal) else {
            let is_secret = is_secret || mode.scope == Scope::Secret || mode.is_copy;
            return is_secret.then(|| self.key.digest(literal.as_bytes()));
        };
        if text.is_empty() || is_digest(&text) {
            return None;
        }
        if is_secret {
            return Some(self.key.digest(&plain(&text, mode.cover)));
        }
        let text = match self.nested(&text, mode, nesting) {
            Some(Nested::Redacted(text)) => return Some(text),
            Some(Nested::Unreadable) => return Some(self.key.digest(text.as_bytes())),
            Some(Nested::Clean) | None => text,
        };
        if mode.scope == Scope::Secret && QUOTING_MESSAGES.iter().any(|part| text.contains(part)) {
            return Some(self.key.digest(text.as_bytes()));
        }
        let query = if mode.is_uri { redact_query(&text, self.key) } else { None };
        match self.secret.filter(|secret| text.contains(secret)) {
            Some(secret) => {
                let text = query.map_or(text, Cow::Owned);
                Some(text.replace(secret, &self.key.digest(secret.as_bytes())))
            }
            None => query,
        }
    }

    /// Redacts a string that is, or should be, the text of an object with secrets.
    fn nested(&self, text: &str, mode: Mode, nesting: usize) -> Option<Nested> {
        let is_json = text.trim_start().starts_with(['{', '[']);
        if !is_json && !mode.is_copy {
            return None;
        }
        let is_suspicious = match mode.scope {
            Scope::Nothing | Scope::Bodies => return None,
            Scope::ByKind => text.contains("\"kind\"") && text.contains("\"Secret"),
            Scope::Secret => text.to_ascii_lowercase().contains("data"),
            Scope::Token => text.to_ascii_lowercase().contains("token"),
        };
        let json = (nesting < MAX_NESTING).then(|| serde_json::from_str::<&RawValue>(text));
        match json {
            Some(Ok(_)) => {
                let root = Mode { is_copy: mode.is_copy, ..Mode::new(mode.scope) };
                let redacted = self.text(text, root, false, nesting + 1);
                Some(redacted.map_or(Nested::Clean, Nested::Redacted))
            }
            _ if mode.is_copy || is_suspicious => Some(Nested::Unreadable),
            _ => None,
        }
    }
}

fn marked(mode: Mode, marks: &HashMap<usize, Mark>, start: usize) -> Mode {
    marks.get(&start).map_or(mode, |mark| mode.marked(mark))
}

fn is_untouched(member: &str) -> bool {
    UNTOUCHED.contains(&member)
}

/// Returns the bytes of a secret: values of `data` are Base64-decoded, so that they equal those of `stringData` and of
/// a token.
fn plain(text: &str, cover: Cover) -> Cow<'_, [u8]> {
    match cover {
        Cover::Base64 => match STANDARD.decode(text) {
            Ok(bytes) => bytes.into(),
            Err(_) => text.as_bytes().into(),
        },
        _ => text.as_bytes().into(),
    }
}
