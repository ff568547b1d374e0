//! Fields of an object in a body, which may be partial.

use crate::column::{Map, Text};
use crate::json::value::Json;

/// Returns one row per list element, without elements with which a strategic merge patch only removes or orders.
pub(crate) fn list_of<'a, T>(
    json: &Json<'a>,
    key: &str,
    row: impl Fn(&Json<'a>) -> T,
) -> Option<Vec<T>> {
    let elements = json.get(key)?.elements()?;
    Some(elements.iter().filter(|element| !is_removed(element)).map(row).collect())
}

/// Returns whether a list element is not in the object that is written: null, or a directive of a strategic merge patch
/// (`$patch: delete`, or only `$patch: replace`).
pub(crate) fn is_removed(element: &Json<'_>) -> bool {
    match element {
        Json::Null => true,
        Json::Object(members) => element
            .text("$patch")
            .is_some_and(|directive| &*directive == "delete" || members.len() == 1),
        _ => false,
    }
}

/// Returns the strings under a name in every element of a list, skipping elements without it.
pub(crate) fn each_text<'a>(json: &Json<'a>, list: &str, key: &str) -> Option<Vec<Text<'a>>> {
    let rows = list_of(json, list, |element| element.text(key))?;
    Some(rows.into_iter().flatten().collect())
}

/// Returns the names of an object's members that are set, not removed.
pub(crate) fn set_keys<'a>(json: &Json<'a>, key: &str) -> Option<Vec<Text<'a>>> {
    let Json::Object(members) = json.get(key)? else { return None };
    let set = members.iter().filter(|(_, value)| *value != Json::Null);
    Some(set.map(|(name, _)| name.clone()).collect())
}

/// Returns a boolean whose default is `false`: three-valued, because a partial body does not show what it leaves
/// unchanged.
pub(crate) fn posture(json: Option<&Json<'_>>, key: &str, whole: bool) -> Option<bool> {
    match json.and_then(|json| json.member(key)) {
        Some(Json::Bool(value)) => Some(*value),
        Some(Json::Null) => Some(false),
        Some(_) => None,
        None => whole.then_some(false),
    }
}

pub(crate) fn annotations<'a>(metadata: &Json<'a>) -> Option<Map<'a, Text<'a>>> {
    // A copy of the whole object, which the body already contains.
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let mut annotations = metadata.text_map("annotations")?;
    annotations.0.retain(|(key, _)| &**key != LAST_APPLIED);
    Some(annotations)
}
