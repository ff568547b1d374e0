//! JSON values that can be decomposed and rebuilt.

use std::collections::BTreeMap;

/// A JSON value that can be decomposed and rebuilt.
pub(crate) trait Tree: Clone + PartialEq {
    fn take_apart(self) -> Parts<Self>;
    fn null() -> Self;
    fn array(elements: Vec<Self>) -> Self;
    fn object(members: BTreeMap<String, Self>) -> Self;
    fn as_str(&self) -> Option<&str>;
    fn text(&self) -> String;
    /// Returns the depth, and the approximate size in bytes.
    fn measure(&self) -> (usize, usize);
}

/// A decomposed value. The last value of a duplicate key counts.
pub(crate) enum Parts<T> {
    Scalar(T),
    Array(Vec<T>),
    Object(BTreeMap<String, T>),
}

impl Tree for serde_json::Value {
    fn take_apart(self) -> Parts<Self> {
        match self {
            Self::Array(elements) => Parts::Array(elements),
            Self::Object(members) => Parts::Object(members.into_iter().collect()),
            scalar => Parts::Scalar(scalar),
        }
    }

    fn null() -> Self {
        Self::Null
    }

    fn array(elements: Vec<Self>) -> Self {
        Self::Array(elements)
    }

    fn object(members: BTreeMap<String, Self>) -> Self {
        Self::Object(members.into_iter().collect())
    }

    fn as_str(&self) -> Option<&str> {
        self.as_str()
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn measure(&self) -> (usize, usize) {
        match self {
            Self::String(text) => (0, text.len() + 2),
            Self::Array(elements) => {
                measured(elements.iter().map(|element| (1, element.measure())))
            }
            Self::Object(members) => {
                measured(members.iter().map(|(name, value)| (name.len() + 4, value.measure())))
            }
            _ => (0, 4),
        }
    }
}

impl Tree for crate::json::value::Json<'_> {
    fn take_apart(self) -> Parts<Self> {
        match self {
            Self::Array(elements) => Parts::Array(elements),
            Self::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name.to_string(), value));
                Parts::Object(members.collect())
            }
            scalar => Parts::Scalar(scalar),
        }
    }

    fn null() -> Self {
        Self::Null
    }

    fn array(elements: Vec<Self>) -> Self {
        Self::Array(elements)
    }

    fn object(members: BTreeMap<String, Self>) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn measure(&self) -> (usize, usize) {
        match self {
            Self::Text(text) => (0, text.len() + 2),
            Self::Array(elements) => {
                measured(elements.iter().map(|element| (1, element.measure())))
            }
            Self::Object(members) => {
                measured(members.iter().map(|(name, value)| (name.len() + 4, value.measure())))
            }
            _ => (0, 4),
        }
    }
}

fn measured(children: impl Iterator<Item = (usize, (usize, usize))>) -> (usize, usize) {
    children.fold((1, 2), |(deepest, total), (own, (depth, size))| {
        (deepest.max(depth + 1), total + own + size)
    })
}
