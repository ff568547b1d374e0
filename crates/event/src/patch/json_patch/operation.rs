//! The operations of a patch.

use super::error::MAX_DEPTH;
use super::tree::{Parts, Tree};
use crate::json::pointer::reference_tokens;

pub(super) enum Op {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

pub(super) struct Operation<T> {
    pub(super) op: Op,
    pub(super) path: Vec<String>,
    pub(super) from: Vec<String>,
    pub(super) value: T,
}

impl<T: Tree> Operation<T> {
    pub(super) fn read(operation: T) -> Option<Self> {
        let Parts::Object(mut members) = operation.take_apart() else { return None };
        let op = match members.get("op")?.as_str()? {
            "add" => Op::Add,
            "remove" => Op::Remove,
            "replace" => Op::Replace,
            "move" => Op::Move,
            "copy" => Op::Copy,
            "test" => Op::Test,
            _ => return None,
        };
        let path = pointer(members.get("path")?.as_str()?)?;
        let from = match op {
            Op::Move | Op::Copy => pointer(members.get("from")?.as_str()?)?,
            _ => Vec::new(),
        };
        Some(Self { op, path, from, value: members.remove("value").unwrap_or_else(T::null) })
    }
}

/// Returns the decoded tokens of a JSON Pointer; none for the whole document.
pub(super) fn pointer(text: &str) -> Option<Vec<String>> {
    let tokens: Vec<_> = reference_tokens(text).take(MAX_DEPTH + 1).collect();
    // A non-empty pointer without a slash is invalid.
    let leads_nowhere = tokens.is_empty() && !text.is_empty();
    (tokens.len() <= MAX_DEPTH && !leads_nowhere).then_some(tokens)
}

/// Parses an index like `strconv.Atoi`.
pub(super) fn index(token: &str) -> Option<i64> {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { token.parse().ok() } else { None }
}
