//! The members of one event, read in one pass over its text.
//!
//! simd-json makes that pass. Texts that it cannot represent exactly, such as numbers beyond 64 bits, or rejects, such
//! as a lone surrogate, are parsed by serde_json, which also reports errors. Both parsers produce the same members and
//! the same digest.

use std::mem;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use simd_json::{Buffers, INPUT_PADDING, Node, StaticNode, Tape};

use crate::column::Text;
use crate::json::canonical::Canonical;
use crate::json::tape::node_count;
use crate::json::value::Json;

/// One event as its members, in the order of the text.
pub(crate) struct Document<'a, 't> {
    pub(crate) members: Vec<Member<'a, 't>>,
    /// See [`Canonical`].
    pub(crate) digest: String,
}

/// One member of an event.
pub(crate) struct Member<'a, 't> {
    pub(crate) key: Text<'a>,
    pub(crate) value: Value<'a, 't>,
}

/// The value of a member, which is parsed on demand.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a, 't> {
    /// The text of the value.
    pub(crate) json: &'a str,
    /// The nodes of the value, if there is a tape.
    tape: Option<&'t [Node<'a>]>,
}

impl<'a> Value<'a, '_> {
    /// Returns a value that consists of text only.
    pub(crate) fn of_text(json: &'a str) -> Self {
        Self { json, tape: None }
    }

    /// Parses the value; `None` if no type represents it, such as half a surrogate pair.
    pub(crate) fn read(self) -> Option<Json<'a>> {
        match self.tape {
            Some(nodes) => Some(Json::of_tape(nodes, 0)),
            None => serde_json::from_str(self.json).ok(),
        }
    }
}

/// Reads documents, with reusable buffers.
pub(crate) struct Reader {
    /// A copy of the text: simd-json unescapes strings in place.
    copy: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
    canonical: Canonical,
}

impl Default for Reader {
    fn default() -> Self {
        const USUAL_LENGTH: usize = 16 * 1024;
        Self {
            copy: Vec::with_capacity(USUAL_LENGTH),
            buffers: Buffers::new(USUAL_LENGTH),
            tape: Tape(Vec::with_capacity(USUAL_LENGTH / 8)),
            canonical: Canonical::default(),
        }
    }
}

impl Reader {
    /// Reads a JSON object, and passes it to a function.
    pub(crate) fn read<'a, T, E: From<serde_json::Error>>(
        &'a mut self,
        json: &'a [u8],
        make: impl FnOnce(Document<'a, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { copy, buffers, tape, canonical } = self;
        copy.clear();
        copy.extend_from_slice(json);
        copy.resize(json.len() + INPUT_PADDING, b' ');
        let start = copy.as_ptr().addr();
        let mut nodes = mem::replace(tape, Tape(Vec::new())).reset();
        let document = match simd_json::fill_tape_padded(copy, json.len(), buffers, &mut nodes) {
            Ok(()) => of_tape(json, start, &nodes.0, canonical),
            Err(_) => None,
        };
        let result = match document.map_or_else(|| of_text(json, canonical), Ok) {
            Ok(document) => make(document),
            Err(error) => Err(error.into()),
        };
        *tape = nodes.reset();
        result
    }
}

fn of_text<'a, 't>(
    json: &'a [u8],
    canonical: &mut Canonical,
) -> serde_json::Result<Document<'a, 't>> {
    let raw: &RawValue = serde_json::from_slice(json)?;
    let Members(members) = serde_json::from_str(raw.get())?;
    let members = members
        .into_iter()
        .map(|(key, json)| Member { key, value: Value::of_text(json.get()) })
        .collect();
    Ok(Document { members, digest: canonical.digest_of_text(raw.get()) })
}

/// Returns the document of a tape of `json`, whose copy starts at the address `start`; `None` if the tape is inexact.
fn of_tape<'a, 't>(
    json: &'a [u8],
    start: usize,
    nodes: &'t [Node<'a>],
    canonical: &mut Canonical,
) -> Option<Document<'a, 't>> {
    let Some(Node::Object { len, .. }) = nodes.first() else { return None };
    let text = std::str::from_utf8(json).ok()?;
    let digest = canonical.digest_of_tape(nodes, json)?;

    // The positions of keys in the text, of values on the tape and, last, of the object's end.
    let mut places = Vec::with_capacity(*len);
    let mut at = 1;
    for _ in 0..*len {
        let Node::String(key) = nodes[at] else { return None };
        let offset = key.as_ptr().addr().checked_sub(start)?;
        // A key with escapes was changed in the copy.
        if text.get(offset..offset + key.len()) != Some(key) || json[offset + key.len()] != b'"' {
            return None;
        }
        let end = at + 1 + node_count(&nodes[at + 1]);
        places.push((offset, key, &nodes[at + 1..end]));
        at = end;
    }
    let end = text.rfind('}')?;

    let mut members = Vec::with_capacity(*len);
    for (index, &(offset, key, value)) in places.iter().enumerate() {
        let after_key = &text[offset + key.len() + 1..];
        let value_start = text.len() - after_key.trim_start_matches(is_between).len();
        // A quote precedes the next key.
        let before_next = places.get(index + 1).map_or(end, |next| next.0 - 1);
        let json = text.get(value_start..before_next)?.trim_end_matches(is_between);
        members.push(Member { key: key.into(), value: Value { json, tape: Some(value) } });
    }
    Some(Document { members, digest })
}

/// Returns whether a character is between a key and its value, or a value and the next key.
fn is_between(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | ':' | ',')
}

impl<'a> Json<'a> {
    /// Returns the value at a node of a tape that is known not to be too deep.
    fn of_tape(nodes: &[Node<'a>], at: usize) -> Self {
        match nodes[at] {
            Node::String(text) => Json::Text(text.into()),
            Node::Static(StaticNode::Null) => Json::Null,
            Node::Static(StaticNode::Bool(value)) => Json::Bool(value),
            Node::Static(StaticNode::I64(value)) => Json::Number(Some(value)),
            Node::Static(StaticNode::U64(value)) => Json::Number(i64::try_from(value).ok()),
            Node::Static(StaticNode::F64(_)) => Json::Number(None),
            Node::Array { len, .. } => {
                let mut elements = Vec::with_capacity(len);
                let mut at = at + 1;
                for _ in 0..len {
                    elements.push(Self::of_tape(nodes, at));
                    at += node_count(&nodes[at]);
                }
                Json::Array(elements)
            }
            Node::Object { len, .. } => {
                let mut members = Vec::with_capacity(len);
                let mut at = at + 1;
                for _ in 0..len {
                    let Node::String(key) = nodes[at] else { unreachable!("a key is a string") };
                    members.push((key.into(), Self::of_tape(nodes, at + 1)));
                    at += 1 + node_count(&nodes[at + 1]);
                }
                Json::Object(members)
            }
        }
    }
}

/// Returns the members of an object in their order, with their values as JSON text; `None` if it is not an object.
pub(crate) fn members(json: &str) -> Option<Vec<(Text<'_>, &RawValue)>> {
    serde_json::from_str::<Members<'_>>(json).ok().map(|members| members.0)
}

/// The members of a JSON object in their order, with their values as JSON text.
#[derive(Debug)]
pub struct Members<'a>(pub Vec<(Text<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(20);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
