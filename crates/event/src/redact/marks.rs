//! Properties of values that are known only after the surrounding object, or the value itself, was read to its end,
//! because members may have any order.

use std::collections::HashMap;

use super::names::{Cover, cover, is_copy};
use super::subject::{Scope, scope_of_kind};
use crate::json::pointer::reference_tokens;
use crate::json::tokens::{TokenKind, Tokens, decode};

/// The known properties of a value.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mark {
    /// The scope, if the value is an object of a kind that contains secrets.
    pub(super) scope: Option<Scope>,
    /// The target, if the value is the `value` of an object, which may be a JSON Patch operation (RFC 6902).
    pub(super) target: Option<Target>,
}

/// The target path of a JSON Patch operation, if the patch is for a Secret.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Target {
    pub(super) cover: Cover,
    /// Whether it is an annotation that should contain the text of the object.
    pub(super) is_copy: bool,
}

impl Target {
    /// An unknown target.
    const UNKNOWN: Self = Self { cover: Cover::Text, is_copy: false };

    /// Adds a JSON Pointer (RFC 6901); an operation may have two `path` members.
    fn add(&mut self, pointer: &str) {
        for token in reference_tokens(pointer) {
            if self.cover == Cover::None {
                self.cover = cover(Scope::Secret, &token);
            }
            self.is_copy |= is_copy(&token);
        }
    }
}

/// Returns the marks of a valid JSON text, by the start of each value.
pub(super) fn marks(json: &str) -> HashMap<usize, Mark> {
    let mut marks: HashMap<usize, Mark> = HashMap::new();
    let mut open: Vec<OpenValue> = Vec::new();
    for token in Tokens::new(json) {
        let text = || decode(&json[token.start..token.end]);
        match token.kind {
            TokenKind::Key => {
                if let Some(container) = open.last_mut() {
                    container.member = Member::named(text().as_deref());
                }
                continue;
            }
            TokenKind::Close => {
                if let Some(container) = open.pop() {
                    container.finish(&mut marks);
                }
                continue;
            }
            TokenKind::Open | TokenKind::Text | TokenKind::Literal => {}
        }
        if let Some(container) = open.last_mut() {
            let text = if token.kind == TokenKind::Text { text() } else { None };
            container.note(token.start, text.as_deref());
        }
        if token.kind == TokenKind::Open {
            open.push(OpenValue { start: token.start, ..OpenValue::default() });
        }
    }
    marks
}

/// The relevant members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Member {
    #[default]
    Other,
    Kind,
    Path,
    Value,
}

impl Member {
    fn named(key: Option<&str>) -> Self {
        match key {
            Some("kind") => Self::Kind,
            Some(key) if key.eq_ignore_ascii_case("path") => Self::Path,
            Some(key) if key.eq_ignore_ascii_case("value") => Self::Value,
            _ => Self::Other,
        }
    }
}

/// An object or array that is being read.
#[derive(Debug, Default)]
struct OpenValue {
    start: usize,
    /// The member whose value is next.
    member: Member,
    scope: Option<Scope>,
    target: Option<Target>,
    /// The starts of the values of `value`.
    values: Vec<usize>,
}

impl OpenValue {
    /// Notes a value that begins at `start`; `text` is its content if it is a string.
    fn note(&mut self, start: usize, text: Option<&str>) {
        match self.member {
            Member::Other => {}
            Member::Kind => self.scope = self.scope.or(text.and_then(scope_of_kind)),
            Member::Path => match text {
                Some(pointer) => self.target.get_or_insert_default().add(pointer),
                None => self.target = Some(Target::UNKNOWN),
            },
            Member::Value => self.values.push(start),
        }
    }

    fn finish(self, marks: &mut HashMap<usize, Mark>) {
        if self.scope.is_some() {
            marks.entry(self.start).or_default().scope = self.scope;
        }
        let target = self.target.unwrap_or(Target::UNKNOWN);
        for value in self.values {
            marks.entry(value).or_default().target = Some(target);
        }
    }
}
