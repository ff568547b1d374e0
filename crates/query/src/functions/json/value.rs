//! JSON text, read one level at a time. Numbers keep their notation; of two members with the same name, the last one
//! counts.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The maximum nesting of values that are read completely: clients can nest a body arbitrarily deep.
const MAX_NESTED: usize = 128;

/// Why a text could not be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not JSON.
    NotJson,
    /// It nests deeper than [`MAX_NESTED`].
    TooDeep,
}

/// The outermost level of a JSON text.
pub(super) enum Level<'a> {
    Object(Vec<(Cow<'a, str>, &'a str)>),
    Array(Vec<&'a str>),
    /// The text of a string, number, `true`, `false` or `null`.
    Scalar(&'a str),
}

impl<'a> Level<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, Fault> {
        let text = trimmed(text);
        let level = match text.as_bytes().first() {
            Some(b'{') => serde_json::from_str(text).map(|Members(members)| Self::Object(members)),
            Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text)
                .map(|elements| Self::Array(elements.into_iter().map(RawValue::get).collect())),
            _ => serde_json::from_str::<&RawValue>(text).map(|_| Self::Scalar(text)),
        };
        level.map_err(|_| Fault::NotJson)
    }

    pub(super) fn member(&self, name: &str) -> Option<&'a str> {
        let Self::Object(members) = self else { return None };
        members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Returns the element at an index; a negative index counts from the end.
    pub(super) fn element(&self, index: i64) -> Option<&'a str> {
        let Self::Array(elements) = self else { return None };
        elements.get(position(index, elements.len())?).copied()
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// Returns the position of an element in a list of this length; a negative index counts from the end.
pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// Returns a value as text: a string without quotes; `None` for `null`.
pub(super) fn as_text(json: &str) -> Result<Option<Cow<'_, str>>, Fault> {
    match json.as_bytes().first() {
        Some(b'"') => string(json).map(Some),
        _ if json == "null" => Ok(None),
        _ => Ok(Some(Cow::Borrowed(json))),
    }
}

fn string(json: &str) -> Result<Cow<'_, str>, Fault> {
    serde_json::from_str::<Key<'_>>(json).map(|Key(text)| text).map_err(|_| Fault::NotJson)
}

struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value::<&RawValue>()?.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A whole value, as in PostgreSQL's `jsonb`: members are ordered by the length of their names, and names are unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    String(Cow<'a, str>),
    Number(Number<'a>),
    Boolean(bool),
    Array(Vec<Value<'a>>),
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, Fault> {
        let text = trimmed(text);
        // Text that serde_json accepts is read in one pass; reading level by level would read a deeply nested text once
        // per level.
        serde_json::from_str::<&RawValue>(text).map_err(|_| Fault::NotJson)?;
        Reader { text, at: 0 }.value(0)
    }

    /// Creates an object from these members; of two with the same name, the last one counts.
    pub(super) fn object(mut members: Vec<(Cow<'a, str>, Self)>) -> Self {
        members.reverse();
        // A stable sort: of equal names, the last one comes first and is kept.
        members.sort_by(|(a, _), (b, _)| order_of_names(a, b));
        members.dedup_by(|(a, _), (b, _)| a == b);
        Self::Object(members)
    }

    /// Implements `@>`: returns whether a value is part of this one. At the top level, an array contains a scalar that
    /// is one of its elements.
    pub(super) fn contains(&self, part: &Self) -> bool {
        match (self, part) {
            (Self::Array(elements), part) if !part.is_container() => elements.contains(part),
            _ => self.holds(part),
        }
    }

    fn holds(&self, part: &Self) -> bool {
        match (self, part) {
            (Self::Object(members), Self::Object(parts)) => parts.iter().all(|(key, part)| {
                members.iter().any(|(other, value)| other == key && value.holds(part))
            }),
            (Self::Array(elements), Self::Array(parts)) => {
                parts.iter().all(|part| elements.iter().any(|element| element.holds(part)))
            }
            _ => self == part,
        }
    }

    pub(super) fn is_container(&self) -> bool {
        matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// Implements `||`: the members of both objects, where the second object takes precedence; otherwise the elements
    /// of both.
    pub(super) fn concat(self, other: Self) -> Self {
        match (self, other) {
            (Self::Object(mut members), Self::Object(others)) => {
                members.extend(others);
                Self::object(members)
            }
            (first, second) => {
                let mut elements = first.into_elements();
                elements.extend(second.into_elements());
                Self::Array(elements)
            }
        }
    }

    fn into_elements(self) -> Vec<Self> {
        match self {
            Self::Array(elements) => elements,
            value => vec![value],
        }
    }

    /// Returns the order of two values, as in `jsonb`.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.order(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Array(a), Self::Array(b)) => a.len().cmp(&b.len()).then_with(|| {
                let orders = a.iter().zip(b).map(|(a, b)| a.order(b));
                orders.fold(Ordering::Equal, Ordering::then)
            }),
            (Self::Object(a), Self::Object(b)) => a.len().cmp(&b.len()).then_with(|| {
                let orders = a.iter().zip(b).map(|((name, value), (other_name, other))| {
                    order_of_names(name, other_name).then_with(|| value.order(other))
                });
                orders.fold(Ordering::Equal, Ordering::then)
            }),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::String(_) => 1,
            Self::Number(_) => 2,
            Self::Boolean(_) => 3,
            Self::Array(_) => 4,
            Self::Object(_) => 5,
        }
    }
}

/// Reads text that is known to be JSON.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value<'a>, Fault> {
        if depth > MAX_NESTED {
            return Err(Fault::TooDeep);
        }
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                let mut members = Vec::new();
                while self.is_in(b'}') {
                    let name = string(self.scalar())?;
                    // The colon follows.
                    self.peek();
                    self.at += 1;
                    members.push((name, self.value(depth + 1)?));
                }
                Ok(Value::object(members))
            }
            Some(b'[') => {
                self.at += 1;
                let mut elements = Vec::new();
                while self.is_in(b']') {
                    elements.push(self.value(depth + 1)?);
                }
                Ok(Value::Array(elements))
            }
            Some(_) => Ok(match self.scalar() {
                "null" => Value::Null,
                "true" => Value::Boolean(true),
                "false" => Value::Boolean(false),
                text if text.starts_with('"') => Value::String(string(text)?),
                text => Value::Number(Number(text)),
            }),
            None => Err(Fault::NotJson),
        }
    }

    /// Returns whether another part of an object or array follows, and advances to it, or past the end.
    fn is_in(&mut self, end: u8) -> bool {
        if self.peek() == Some(b',') {
            self.at += 1;
        }
        let is_in = self.peek().is_some_and(|byte| byte != end);
        if !is_in {
            self.at += 1;
        }
        is_in
    }

    /// Returns the next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        while bytes.get(self.at).is_some_and(is_space) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Returns the text of the string, number or word that begins here.
    fn scalar(&mut self) -> &'a str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut is_escaped = false;
        let end = if rest.starts_with('"') {
            rest.bytes()
                .skip(1)
                .position(|byte| {
                    let ends = byte == b'"' && !is_escaped;
                    is_escaped = byte == b'\\' && !is_escaped;
                    ends
                })
                .map(|position| position + 2)
        } else {
            rest.bytes()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))
        };
        let scalar = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += scalar.len();
        scalar
    }
}

/// Formats the value like `jsonb`, except that numbers keep their notation.
impl fmt::Display for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::String(text) => quoted(text, formatter),
            Self::Number(Number(text)) => formatter.write_str(text),
            Self::Boolean(value) => write!(formatter, "{value}"),
            Self::Array(elements) => {
                formatter.write_str("[")?;
                for (index, element) in elements.iter().enumerate() {
                    write!(formatter, "{}{element}", if index > 0 { ", " } else { "" })?;
                }
                formatter.write_str("]")
            }
            Self::Object(members) => {
                formatter.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    formatter.write_str(if index > 0 { ", " } else { "" })?;
                    quoted(name, formatter)?;
                    write!(formatter, ": {value}")?;
                }
                formatter.write_str("}")
            }
        }
    }
}

fn quoted(text: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

fn order_of_names(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// A number as text; two different texts can be equal numbers.
#[derive(Debug, Clone)]
pub(super) struct Number<'a>(&'a str);

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Equal
    }
}

impl Eq for Number<'_> {}

impl Number<'_> {
    fn order(&self, other: &Self) -> Ordering {
        let (a, b) = (self.decimal(), other.decimal());
        let magnitude = || a.point.cmp(&b.point).then_with(|| a.digits.cmp(&b.digits));
        match a.sign.cmp(&b.sign) {
            Ordering::Equal if a.sign < 0 => magnitude().reverse(),
            Ordering::Equal if a.sign > 0 => magnitude(),
            order => order,
        }
    }

    fn decimal(&self) -> Decimal {
        let text = self.0;
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        // A number with an exponent outside 64 bits sorts after all others.
        let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') {
            i64::MIN / 2
        } else {
            i64::MAX / 2
        });
        let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(mantissa) => (true, mantissa),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading = (all.len() - digits.len()) as i64;
        let point = exponent.saturating_add(whole.len() as i64).saturating_sub(leading);
        let digits = digits.trim_end_matches('0').to_owned();
        match (digits.is_empty(), is_negative) {
            (true, _) => Decimal { sign: 0, point: 0, digits },
            (false, true) => Decimal { sign: -1, point, digits },
            (false, false) => Decimal { sign: 1, point, digits },
        }
    }
}

/// `0.DIGITS` times ten to the power of `point`, without leading or trailing zeros in the digits.
struct Decimal {
    sign: i8,
    point: i64,
    digits: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        Value::read(a).unwrap().order(&Value::read(b).unwrap())
    }

    #[test]
    fn numbers_are_compared_by_value() {
        for (a, b) in
            [("1", "1.0"), ("1e2", "100"), ("-0.0", "0"), ("0.01", "1E-2"), ("1.50", "1.5")]
        {
            assert_eq!(order(a, b), Ordering::Equal, "{a} {b}");
        }
        for (less, more) in [
            ("9007199254740992", "9007199254740993"),
            ("-2", "-1"),
            ("-1", "0"),
            ("9", "10"),
            ("1e308", "1e400"),
            ("1e400", "1e99999999999999999999"),
            ("0.09", "0.1"),
            ("18446744073709551616", "18446744073709551617"),
        ] {
            assert_eq!(order(less, more), Ordering::Less, "{less} {more}");
            assert_eq!(order(more, less), Ordering::Greater, "{less} {more}");
        }
    }

    #[test]
    fn values_are_read_completely() {
        for (text, expected) in [
            (r#" { "b" : [ 1 , -2.50e+1 ,[ ] ,{ } ] , "a":null,"c\\\"}":"]\\" } "#, None),
            (r"[]", Some("[]")),
            (r"{}", Some("{}")),
            (r"[true,false ,null]", Some("[true, false, null]")),
            ("[1\n,\t2\r]", Some("[1, 2]")),
            (r#""\u0061,\\""#, Some(r#""a,\\""#)),
            (r#"{"a":{"b":{}},"a":[[[]]]}"#, Some(r#"{"a": [[[]]]}"#)),
            ("-0.0", Some("-0.0")),
        ] {
            let written = Value::read(text).unwrap().to_string();
            let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(parsed(&written), parsed(text));
            if let Some(expected) = expected {
                assert_eq!(written, expected, "{text}");
            }
        }
        for text in ["", " ", "[1,]", "[1 2]", "{\"a\" 1}", "{a:1}", "[", "nul", "1]", "\"a", "'a'"]
        {
            assert!(matches!(Value::read(text), Err(Fault::NotJson)), "{text}");
        }
    }

    #[test]
    fn values_nested_too_deeply_are_rejected() {
        let wide = format!("{}{}", "[".repeat(MAX_NESTED), "]".repeat(MAX_NESTED));
        assert!(Value::read(&wide).is_ok());
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(Value::read(&deep), Err(Fault::TooDeep)));
        assert!(Level::read(&deep).is_ok());
    }
}
