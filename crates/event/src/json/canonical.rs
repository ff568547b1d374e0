//! The identity of an event: a digest that is unaffected if a shipper reorders keys, re-escapes strings or re-indents,
//! and changes with anything else.
//!
//! The digest is computed from a canonical form: the values in sequence, strings decoded and prefixed with their
//! length, numbers as written, the members of an object sorted by key.
//!
//! Of the event itself only the members of the audit API count: other members come from a shipper or store and belong
//! to the envelope. `kind` and `apiVersion` are excluded, because the items of an `EventList` lack them, and so are
//! null members, which equal absent ones. `timestamp` and `metadata`, which only v1beta1 and v1alpha1 have and stores
//! overwrite, count only if the event has no other time.

use std::cmp::Ordering;

use memchr::{memchr2, memmem};
use simd_json::{Node, StaticNode};

use crate::json::tape::node_count;

/// Members of an event in any version of `audit.k8s.io`.
///
/// A new version may add members, which are then not part of the identity: the audit id, the stage and its times are.
pub const EVENT_MEMBERS: [&str; 21] = [
    "annotations",
    "apiVersion",
    "auditID",
    "authenticationMetadata",
    "impersonatedUser",
    "kind",
    "level",
    "metadata",
    "objectRef",
    "requestObject",
    "requestReceivedTimestamp",
    "requestURI",
    "responseObject",
    "responseStatus",
    "sourceIPs",
    "stage",
    "stageTimestamp",
    "timestamp",
    "user",
    "userAgent",
    "verb",
];

/// The times of a stage, which every v1 event has.
const TIMES: [&str; 2] = ["requestReceivedTimestamp", "stageTimestamp"];

/// Returns whether a member of the event itself is part of its identity. `has_time` is set if the event has one of
/// [`TIMES`].
fn counts(name: &str, has_time: bool) -> bool {
    match name {
        "kind" | "apiVersion" => false,
        "timestamp" | "metadata" => !has_time,
        name => EVENT_MEMBERS.contains(&name),
    }
}

/// Maximum depth. Deeper values are left to serde_json, which rejects them at the same limit.
const MAX_DEPTH: usize = 128;

/// The prefix of a length in four bytes. A byte below it is the length of a shorter string.
const LONG_STRING: u8 = 0xf0;

/// The prefix of a string with a lone surrogate, which is not valid text: it stays as written.
const ODD_STRING: u8 = 0xf1;

/// The prefix of a number, `true`, `false` or `null`, which follow as a string.
const LITERAL: u8 = 0xf2;

/// `null` in canonical form.
const NULL: &[u8] = &[LITERAL, 4, b'n', b'u', b'l', b'l'];

const ARRAY_START: u8 = 0xf3;
const ARRAY_END: u8 = 0xf4;
const OBJECT_START: u8 = 0xf5;
const OBJECT_END: u8 = 0xf6;

/// Computes digests of events: 128 bits of BLAKE3, in hexadecimal. Its buffers are reused.
///
/// 128 bits are enough: the server sets the timestamps, so a client cannot prepare two events with the same digest.
#[derive(Default)]
pub(crate) struct Canonical {
    out: Vec<u8>,
    /// Whether a zero was written, which is `-0` or `0` in the text.
    has_zero: bool,
    /// The members on the tape of all objects that are being written.
    order: Vec<TapeMember>,
    members: Vec<Member>,
    open: Vec<OpenValue>,
    sorted: Vec<u8>,
}

/// One member of an object on the tape.
#[derive(Clone, Copy)]
struct TapeMember {
    /// The first eight bytes of the key, which decide most comparisons.
    prefix: u64,
    /// The position of the key.
    at: usize,
}

impl TapeMember {
    fn new(nodes: &[Node<'_>], at: usize) -> Self {
        let key = key(nodes, at).as_bytes();
        let byte = |index| key.get(index).map_or(0, |byte| u64::from(*byte));
        let prefix = match key.first_chunk() {
            Some(first) => u64::from_be_bytes(*first),
            None => (0..8).fold(0, |prefix, index| prefix << 8 | byte(index)),
        };
        Self { prefix, at }
    }

    fn order(self, other: Self, nodes: &[Node<'_>]) -> Ordering {
        let keys = || key(nodes, self.at).cmp(key(nodes, other.at));
        self.prefix.cmp(&other.prefix).then_with(keys)
    }
}

/// One member of an object, as ranges of the output.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

struct OpenValue {
    is_object: bool,
    /// Whether the next string is a key.
    expects_key: bool,
    first_member: usize,
    start: usize,
}

impl Canonical {
    /// Returns the digest of an event from the tape of its text; `None` if the tape is inexact or too deep.
    pub(crate) fn digest_of_tape(&mut self, nodes: &[Node<'_>], json: &[u8]) -> Option<String> {
        self.out.clear();
        self.order.clear();
        self.has_zero = false;
        self.node(nodes, 0, 0)?;
        if self.has_zero && may_have_negative_zero(json) {
            return None;
        }
        Some(self.digest())
    }

    /// Returns the digest of an event, given as valid JSON text.
    pub(crate) fn digest_of_text(&mut self, json: &str) -> String {
        self.text(json);
        self.digest()
    }

    fn digest(&self) -> String {
        blake3::hash(&self.out).to_hex()[..32].to_owned()
    }

    fn node(&mut self, nodes: &[Node<'_>], at: usize, depth: usize) -> Option<()> {
        if depth == MAX_DEPTH {
            return None;
        }
        match &nodes[at] {
            Node::String(text) => self.string(text.as_bytes()),
            Node::Static(literal) => self.literal(*literal)?,
            Node::Array { len, .. } => {
                self.out.push(ARRAY_START);
                let mut at = at + 1;
                for _ in 0..*len {
                    self.node(nodes, at, depth + 1)?;
                    at += node_count(&nodes[at]);
                }
                self.out.push(ARRAY_END);
            }
            Node::Object { len, .. } => {
                self.out.push(OBJECT_START);
                let first = self.order.len();
                let mut at = at + 1;
                for _ in 0..*len {
                    let is_null = matches!(nodes[at + 1], Node::Static(StaticNode::Null));
                    if depth > 0 || !is_null {
                        self.order.push(TapeMember::new(nodes, at));
                    }
                    at += 1 + node_count(&nodes[at + 1]);
                }
                if depth == 0 {
                    let has_time =
                        self.order.iter().any(|member| TIMES.contains(&key(nodes, member.at)));
                    self.order.retain(|member| counts(key(nodes, member.at), has_time));
                }
                let members = &mut self.order[first..];
                if !members.is_sorted_by(|a, b| a.order(*b, nodes).is_le()) {
                    members.sort_by(|a, b| a.order(*b, nodes));
                }
                for index in first..self.order.len() {
                    let at = self.order[index].at;
                    self.string(key(nodes, at).as_bytes());
                    self.node(nodes, at + 1, depth + 1)?;
                }
                self.order.truncate(first);
                self.out.push(OBJECT_END);
            }
        }
        Some(())
    }

    fn literal(&mut self, literal: StaticNode) -> Option<()> {
        let mut digits = itoa::Buffer::new();
        let text = match literal {
            StaticNode::Null => "null",
            StaticNode::Bool(true) => "true",
            StaticNode::Bool(false) => "false",
            // The tape does not contain the original notation.
            StaticNode::F64(_) => return None,
            StaticNode::I64(value) => {
                self.has_zero |= value == 0;
                digits.format(value)
            }
            StaticNode::U64(value) => digits.format(value),
        };
        self.marked(LITERAL, text.as_bytes());
        Some(())
    }

    #[inline]
    fn string(&mut self, bytes: &[u8]) {
        match u8::try_from(bytes.len()) {
            Ok(length) if length < LONG_STRING => self.out.push(length),
            _ => {
                // A text of four gigabytes is never parsed.
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                self.out.push(LONG_STRING);
                self.out.extend_from_slice(&length.to_le_bytes());
            }
        }
        self.out.extend_from_slice(bytes);
    }

    fn marked(&mut self, mark: u8, bytes: &[u8]) {
        self.out.push(mark);
        self.string(bytes);
    }

    fn text(&mut self, json: &str) {
        self.out.clear();
        self.members.clear();
        self.open.clear();
        let bytes = json.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'{' | b'[' => {
                    let is_object = byte == b'{';
                    self.out.push(if is_object { OBJECT_START } else { ARRAY_START });
                    self.open.push(OpenValue {
                        is_object,
                        expects_key: is_object,
                        first_member: self.members.len(),
                        start: self.out.len(),
                    });
                }
                b'}' | b']' => self.close(),
                b',' => self.end_member(),
                b':' => {
                    if let Some(member) = self.members.last_mut() {
                        member.key_end = self.out.len();
                    }
                }
                b'"' => {
                    self.begin_member();
                    at = self.quoted(json, at - 1);
                }
                _ => {
                    let rest = &bytes[at - 1..];
                    let is_end = |byte: &u8| b",}] \t\r\n".contains(byte);
                    let length = rest.iter().position(is_end).unwrap_or(rest.len());
                    self.marked(LITERAL, &rest[..length]);
                    at += length - 1;
                }
            }
        }
    }

    /// Begins a member if the next string is a key.
    fn begin_member(&mut self) {
        let start = self.out.len();
        if let Some(container) = self.open.last_mut()
            && container.expects_key
        {
            container.expects_key = false;
            self.members.push(Member { start, key_end: start, end: start });
        }
    }

    fn end_member(&mut self) {
        if let Some(container) = self.open.last_mut()
            && container.is_object
            && let Some(member) = self.members.last_mut()
        {
            container.expects_key = true;
            member.end = self.out.len();
        }
    }

    fn close(&mut self) {
        self.end_member();
        let Some(container) = self.open.pop() else { return };
        if !container.is_object {
            self.out.push(ARRAY_END);
            return;
        }
        let is_event = self.open.is_empty();
        let out = &self.out;
        let key = |member: &Member| key_of_string(&out[member.start..member.key_end]);
        let name = |member: &Member| std::str::from_utf8(key(member)).unwrap_or_default();
        let is_there = |member: &&Member| out[member.key_end..member.end] != *NULL;
        let is_time = |member: &Member| TIMES.contains(&name(member));
        let members = &mut self.members[container.first_member..];
        if is_event || !members.is_sorted_by(|a, b| key(a) <= key(b)) {
            members.sort_by(|a, b| key(a).cmp(key(b)));
            self.sorted.clear();
            let has_time = is_event && members.iter().filter(is_there).any(is_time);
            for member in members.iter() {
                if !is_event || is_there(&member) && counts(name(member), has_time) {
                    self.sorted.extend_from_slice(&out[member.start..member.end]);
                }
            }
            self.out.truncate(container.start);
            self.out.extend_from_slice(&self.sorted);
        }
        self.members.truncate(container.first_member);
        self.out.push(OBJECT_END);
    }

    /// Adds the string that begins at `start`. Returns the index after its closing quote.
    fn quoted(&mut self, json: &str, start: usize) -> usize {
        let bytes = json.as_bytes();
        let mut at = start + 1;
        let mut escaped = false;
        while let Some(step) = memchr2(b'"', b'\\', &bytes[at..]) {
            at += step;
            if bytes[at] == b'"' {
                break;
            }
            escaped = true;
            at = (at + 2).min(bytes.len());
        }
        let end = (at + 1).min(bytes.len());
        let literal = &json[start..end];
        if !escaped {
            self.string(&bytes[start + 1..at]);
        } else if let Ok(text) = serde_json::from_str::<String>(literal) {
            self.string(text.as_bytes());
        } else {
            self.marked(ODD_STRING, literal.as_bytes());
        }
        end
    }
}

/// Returns whether a number of the text may be `-0`.
fn may_have_negative_zero(json: &[u8]) -> bool {
    let stands_alone = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| json.get(before));
        before.is_none_or(|byte| b":[, \t\r\n".contains(byte))
    };
    memmem::find_iter(json, b"-0").any(|at| stands_alone(&at))
}

/// Returns the bytes of a key in the output.
fn key_of_string(written: &[u8]) -> &[u8] {
    match written {
        [ODD_STRING, written @ ..] => key_of_string(written),
        [LONG_STRING, _, _, _, _, key @ ..] | [_, key @ ..] => key,
        [] => &[],
    }
}

/// Returns the key of a member.
fn key<'a>(nodes: &[Node<'a>], at: usize) -> &'a str {
    match nodes[at] {
        Node::String(key) => key,
        _ => unreachable!("a key is a string"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use simd_json::Buffers;

    use super::*;

    /// Returns the digest of an event with this value in it: not all of its own members count.
    fn digest(value: &str) -> String {
        event_digest(&format!(r#"{{"requestObject":{value}}}"#))
    }

    /// Returns the digest computed from a tape, if that is exact.
    fn digest_of_tape(value: &str) -> Option<String> {
        event_digest_of_tape(&format!(r#"{{"requestObject":{value}}}"#))
    }

    fn event_digest(json: &str) -> String {
        Canonical::default().digest_of_text(json)
    }

    fn event_digest_of_tape(json: &str) -> Option<String> {
        let mut copy = json.as_bytes().to_vec();
        let mut tape = simd_json::Tape(Vec::new());
        simd_json::fill_tape(&mut copy, &mut Buffers::default(), &mut tape).ok()?;
        Canonical::default().digest_of_tape(&tape.0, json.as_bytes())
    }

    #[test]
    fn order_whitespace_and_escapes_do_not_count() {
        let a = r#"{"b":[1,{"y":2,"x":"\u0026\/"}],"a":"é"}"#;
        let b = "{ \"a\": \"\\u00e9\",\n \"b\": [ 1, {\"x\":\"&/\", \"y\":2} ] }";
        assert_eq!(digest(a), digest(b));
        assert_eq!(digest_of_tape(a), Some(digest(a)));
        assert_eq!(digest_of_tape(b), Some(digest(a)));
    }

    /// Zeros are the most frequent numbers: only the few others take the slower path.
    #[test]
    fn zeros_are_read_from_the_tape() {
        let zeros = r#"{"uid":"7d-0a","restartCount":0,"codes":[0, 10]}"#;
        assert_eq!(digest_of_tape(zeros), Some(digest(zeros)));
        assert_eq!(digest_of_tape(r#"{"restartCount":-0}"#), None);
        assert_eq!(digest_of_tape("-0"), None);
    }

    #[test]
    fn different_long_strings_have_different_forms() {
        let text = |length| format!(r#"{{"a":"{}","b":1}}"#, "x".repeat(length));
        let digests: std::collections::HashSet<_> = [0, 1, 239, 240, 241, 255, 256, 70_000]
            .map(|length| {
                assert_eq!(digest_of_tape(&text(length)), Some(digest(&text(length))));
                digest(&text(length))
            })
            .into();
        assert_eq!(digests.len(), 8);
    }

    #[test]
    fn the_envelope_does_not_count() {
        let logged = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"1","requestObject":{"kind":"Pod"}}"#;
        let item = r#"{"auditID":"1","requestObject":{"kind":"Pod"}}"#;
        let other = r#"{"auditID":"1","requestObject":{"kind":"Job"}}"#;
        let lifted = r#"{"auditID":"1","cluster":"prod","@timestamp":1.5e9,"userAgent":null,"requestObject":{"kind":"Pod"}}"#;
        for same in [logged, lifted] {
            assert_eq!(event_digest(same), event_digest(item));
            assert!(event_digest_of_tape(same).is_none_or(|tape| tape == event_digest(item)));
        }
        assert_ne!(event_digest(item), event_digest(other));
    }

    /// A store writes a `timestamp` of its own.
    #[test]
    fn a_timestamp_counts_if_it_is_the_only_one() {
        let event = |times: &str| format!(r#"{{"auditID":"1",{times}}}"#);
        let (a, b) = (r#""timestamp":"a""#, r#""timestamp":"b""#);
        assert_ne!(event_digest(&event(a)), event_digest(&event(b)));
        let late = |text: &str| event(&format!(r#"{text},"stageTimestamp":"c""#));
        assert_eq!(event_digest(&late(a)), event_digest(&late(b)));
        assert_eq!(event_digest_of_tape(&late(a)), Some(event_digest(&late(b))));
        let none = |text: &str| event(&format!(r#"{text},"stageTimestamp":null"#));
        assert_ne!(event_digest(&none(a)), event_digest(&none(b)));
        assert_eq!(event_digest_of_tape(&none(a)), Some(event_digest(&event(a))));
    }

    #[test]
    fn different_unusual_strings_have_different_forms() {
        for (a, b) in [
            (r#"{"a":1}"#, r#"{"a":1.0}"#),
            (r#"{"a":1}"#, r#"{"a":"1"}"#),
            (r#"{"a":0}"#, r#"{"a":-0}"#),
            (r#"{"a":[0]}"#, r#"{"a":[ -0]}"#),
            (r#"{"a":"1","b":"22"}"#, r#"{"a":"1","b":22}"#),
            (r#"{"a":18446744073709551617}"#, r#"{"a":18446744073709551616}"#),
            (r#"{"a":"\ud800"}"#, r#"{"a":"\ud801"}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"{"a":[]}"#, r#"{"a":{}}"#),
            (r#"{"a":[1,2]}"#, r#"{"a":[12]}"#),
            (r#"{"a":"\"","b":1}"#, r#"{"a":"\\","b":1}"#),
            (r#"{"":{"":{}}}"#, r#"{"":{}}"#),
        ] {
            assert_ne!(digest(a), digest(b));
            assert!(digest_of_tape(a).is_none_or(|tape| tape == digest(a)), "{a}");
            assert!(digest_of_tape(b).is_none_or(|tape| tape == digest(b)), "{b}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..6).prop_map(|map| Value::from(
                    map.into_iter().collect::<serde_json::Map<_, _>>()
                )),
            ]
        })
    }

    /// Returns a value with the members of its objects in reverse order.
    fn reversed(value: &Value) -> String {
        match value {
            Value::Array(elements) => {
                let elements: Vec<_> = elements.iter().map(reversed).collect();
                format!("[{}]", elements.join(" ,"))
            }
            Value::Object(members) => {
                let member = |(key, value): (&String, _)| {
                    format!("{}: {}", Value::from(key.as_str()), reversed(value))
                };
                let members: Vec<_> = members.iter().rev().map(member).collect();
                format!("{{{}}}", members.join(",\n"))
            }
            leaf => leaf.to_string(),
        }
    }

    proptest! {
        #[test]
        fn is_independent_of_parser_and_order(value in json()) {
            let text = value.to_string();
            let other = reversed(&value);
            prop_assert_eq!(digest(&text), digest(&other));
            for text in [&text, &other] {
                if let Some(tape) = digest_of_tape(text) {
                    prop_assert_eq!(tape, digest(text));
                }
            }
        }

        #[test]
        fn changes_with_the_value(a in json(), b in json()) {
            let (a, b) = (a.to_string(), b.to_string());
            prop_assert_eq!(digest(&a) == digest(&b), a == b);
        }
    }
}
