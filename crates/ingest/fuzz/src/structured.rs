//! Values generated from the bytes of an input, so that every input is a value and a small change of one is a small
//! change of the other.

use serde_json::{Map, Value, json};

/// Bytes that make choices; when they are used up, the first choice is taken.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Returns up to 15 bytes of the input unchanged.
    pub fn raw(&mut self) -> &'a [u8] {
        let length = (self.below(16)).min(self.0.len());
        let (raw, rest) = self.0.split_at(length);
        self.0 = rest;
        raw
    }

    /// Returns the remaining bytes.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Returns a known word, or occasionally bytes of the input.
    pub fn word(&mut self, known: &[&str]) -> String {
        let choice = usize::from(self.byte());
        if choice < 240 {
            known[choice % known.len()].to_owned()
        } else {
            String::from_utf8_lossy(self.raw()).into_owned()
        }
    }

    /// Returns a value with these member names and these leaves.
    pub fn value(&mut self, keys: &[&str], leaves: &[Value], depth: usize) -> Value {
        match self.byte() {
            0..80 if depth > 0 => Value::Object(self.members(keys, leaves, depth)),
            80..140 if depth > 0 => {
                let length = self.below(4);
                (0..length).map(|_| self.value(keys, leaves, depth - 1)).collect()
            }
            140..150 => Value::Null,
            150..160 => json!(String::from_utf8_lossy(self.raw())),
            _ => leaves[self.below(leaves.len())].clone(),
        }
    }

    pub fn members(&mut self, keys: &[&str], leaves: &[Value], depth: usize) -> Map<String, Value> {
        let length = self.below(5);
        (0..length)
            .map(|_| (self.word(keys), self.value(keys, leaves, depth.saturating_sub(1))))
            .collect()
    }
}
