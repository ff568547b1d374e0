//! The identity of an event: a digest that does not change when a shipper re-orders keys, re-escapes strings or
//! re-indents, and changes with anything else.
//!
//! The canonical form is the JSON text without white space, members sorted by key, strings with the fewest escapes,
//! numbers as written. `kind` and `apiVersion` of the event itself are left out, because the items of an `EventList`
//! do not have them.

use std::cell::RefCell;

use memchr::memchr2;

/// Digest of an event, given as JSON text that is known to be valid: 128 bits of BLAKE3.
///
/// 128 bits are enough: timestamps are the server's, so nobody can prepare two events that share a digest.
pub(crate) fn event_digest(json: &str) -> String {
    thread_local!(static CANONICAL: RefCell<Canonical> = RefCell::default());
    CANONICAL.with_borrow_mut(|canonical| {
        canonical.write(json, &["kind", "apiVersion"]);
        let digest = blake3::hash(&canonical.out);
        let mut id = digest.to_hex().to_string();
        id.truncate(32);
        id
    })
}

/// The canonical form of a JSON text, with buffers that are used again.
#[derive(Default)]
struct Canonical {
    out: Vec<u8>,
    members: Vec<Member>,
    open: Vec<Container>,
    sorted: Vec<u8>,
}

/// One member of an object, as ranges of the output.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
}

struct Container {
    is_object: bool,
    first_member: usize,
    start: usize,
}

impl Canonical {
    fn write(&mut self, json: &str, left_out: &[&str]) {
        self.out.clear();
        self.members.clear();
        self.open.clear();
        let bytes = json.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'{' | b'[' => {
                    self.out.push(byte);
                    self.open.push(Container {
                        is_object: byte == b'{',
                        first_member: self.members.len(),
                        start: self.out.len(),
                    });
                    at += 1;
                }
                b'}' | b']' => {
                    self.close(byte, left_out);
                    at += 1;
                }
                b',' => {
                    self.end_member();
                    self.out.push(b',');
                    at += 1;
                }
                b':' => {
                    if let Some(member) = self.members.last_mut() {
                        member.key_end = self.out.len();
                    }
                    self.out.push(b':');
                    at += 1;
                }
                b'"' => {
                    self.begin_member();
                    at = self.string(json, at);
                }
                _ => {
                    let rest = &bytes[at..];
                    let length = rest
                        .iter()
                        .position(|b| {
                            matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n')
                        })
                        .unwrap_or(rest.len());
                    self.out.extend_from_slice(&rest[..length]);
                    at += length;
                }
            }
        }
    }

    /// A string begins: it is a key when it follows `{` or `,` inside an object.
    fn begin_member(&mut self) {
        let Some(container) = self.open.last() else { return };
        let start = self.out.len();
        if container.is_object && matches!(self.out.last(), Some(b'{' | b',')) {
            self.members.push(Member { start, key_end: start, end: start });
        }
    }

    fn end_member(&mut self) {
        if self.open.last().is_some_and(|container| container.is_object)
            && let Some(member) = self.members.last_mut()
        {
            member.end = self.out.len();
        }
    }

    fn close(&mut self, bracket: u8, left_out: &[&str]) {
        self.end_member();
        if let Some(container) = self.open.pop()
            && container.is_object
        {
            let top = self.open.is_empty();
            let out = &self.out;
            let key = |member: &Member| &out[member.start..member.key_end];
            let members = &mut self.members[container.first_member..];
            let drops = top && members.iter().any(|member| is_key(key(member), left_out));
            if drops || !members.is_sorted_by(|a, b| key(a) <= key(b)) {
                members.sort_by(|a, b| key(a).cmp(key(b)));
                self.sorted.clear();
                for member in members.iter().filter(|m| !(top && is_key(key(m), left_out))) {
                    if !self.sorted.is_empty() {
                        self.sorted.push(b',');
                    }
                    self.sorted.extend_from_slice(&out[member.start..member.end]);
                }
                self.out.truncate(container.start);
                self.out.extend_from_slice(&self.sorted);
            }
            self.members.truncate(container.first_member);
        }
        self.out.push(bracket);
    }

    /// Copies the string that begins at `start`; returns the index after its closing quote.
    fn string(&mut self, json: &str, start: usize) -> usize {
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
        // A lone surrogate has no character: such a string stays as it is written.
        match escaped.then(|| serde_json::from_str::<String>(literal)) {
            Some(Ok(text)) if serde_json::to_writer(&mut self.out, &text).is_ok() => {}
            _ => self.out.extend_from_slice(literal.as_bytes()),
        }
        end
    }
}

fn is_key(literal: &[u8], keys: &[&str]) -> bool {
    literal
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
        .is_some_and(|name| keys.iter().any(|key| key.as_bytes() == name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn canonical(json: &str) -> String {
        let mut canonical = Canonical::default();
        canonical.write(json, &[]);
        String::from_utf8(canonical.out).unwrap()
    }

    #[test]
    fn order_space_and_escapes_do_not_count() {
        let a = r#"{"b":[1,{"y":2,"x":"\u0026\/"}],"a":"é"}"#;
        let b = "{ \"a\": \"\\u00e9\",\n \"b\": [ 1, {\"x\":\"&/\", \"y\":2} ] }";
        assert_eq!(canonical(a), r#"{"a":"é","b":[1,{"x":"&/","y":2}]}"#);
        assert_eq!(canonical(a), canonical(b));
    }

    #[test]
    fn the_envelope_does_not_count() {
        let logged = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"1","requestObject":{"kind":"Pod"}}"#;
        let item = r#"{"auditID":"1","requestObject":{"kind":"Pod"}}"#;
        let other = r#"{"auditID":"1","requestObject":{"kind":"Job"}}"#;
        assert_eq!(event_digest(logged), event_digest(item));
        assert_ne!(event_digest(item), event_digest(other));
    }

    #[test]
    fn odd_texts_keep_their_difference() {
        for (a, b) in [
            (r#"{"a":1}"#, r#"{"a":1.0}"#),
            (r#"{"a":18446744073709551617}"#, r#"{"a":18446744073709551616}"#),
            (r#"{"a":"\ud800"}"#, r#"{"a":"\ud801"}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"{"a":[]}"#, r#"{"a":{}}"#),
            (r#"{"a":"\"","b":1}"#, r#"{"a":"\\","b":1}"#),
        ] {
            assert_ne!(canonical(a), canonical(b));
        }
        assert_eq!(canonical("{}"), "{}");
        assert_eq!(canonical(r#"{"":{"":{}}}"#), r#"{"":{"":{}}}"#);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
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

    proptest! {
        #[test]
        fn is_the_same_value_and_a_fixed_point(value in json()) {
            let text = canonical(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value);
            prop_assert_eq!(canonical(&text), text);
        }
    }
}
