//! Lookup of members by paths, in the spellings of shippers.

use std::borrow::Cow;

use podtrail_event::Micros;
use serde_json::value::RawValue;

use crate::instant::instant;
use crate::json::{self, Object};

/// Returns the member at a path such as `host.name`: one key with dots, or nested objects. `None` for null.
pub(super) fn find<'a>(object: &Object<'a>, path: &str) -> Option<&'a RawValue> {
    let nested = || {
        let (head, rest) = path.split_once('.')?;
        find(&object.object(head)?, rest)
    };
    let value = object.get(path).or_else(nested)?;
    (value.get() != "null").then_some(value)
}

/// Returns the first non-empty string at one of the paths.
pub(super) fn find_text<'a>(object: &Object<'a>, paths: &[&str]) -> Option<Cow<'a, str>> {
    let text = |path| json::text(find(object, path)?).filter(|text| !text.is_empty());
    paths.iter().find_map(|path| text(path))
}

/// Returns the first time at one of the paths.
pub(super) fn find_time(object: &Object<'_>, paths: &[&str]) -> Option<Micros> {
    paths.iter().find_map(|path| instant(find(object, path)?))
}
