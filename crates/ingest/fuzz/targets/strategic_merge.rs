//! The three kinds of merge patches: a merge patch compared with the json-patch crate, a strategic one without lists
//! compared with a merge patch, and each of them idempotent.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use podtrail_event::{PatchHints, PatchType};
use podtrail_ingest_fuzz::structured::Choices;
use serde_json::{Value, json};

const KEYS: [&str; 22] = [
    "spec", "template", "containers", "name", "image", "env", "value", "ports", "containerPort", "protocol",
    "volumes", "finalizers", "nodeSelector", "args", "$patch", "$retainKeys", "$setElementOrder/containers",
    "$setElementOrder/finalizers", "$deleteFromPrimitiveList/finalizers", "metadata", "ownerReferences", "uid",
];
const PLAIN: [&str; 6] = ["spec", "template", "name", "image", "a", "b"];

static LEAVES: LazyLock<[Value; 10]> = LazyLock::new(|| {
    [
        json!("a"), json!("b"), json!(80), json!("delete"), json!("replace"), json!("merge"), json!(true),
        json!({"name": "a"}), json!({"name": "a", "$patch": "delete"}), json!([{"name": "b"}, {"name": "a"}]),
    ]
});

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices::new(input);
    let is_plain = choices.below(2) == 0;
    let (keys, leaves) = if is_plain { (&PLAIN[..], &LEAVES[..3]) } else { (&KEYS[..], &LEAVES[..]) };
    let object = Value::Object(choices.members(keys, leaves, 5));
    let patch = Value::Object(choices.members(keys, leaves, 5));
    let has_directive = has_directive(&patch);
    let is_plain = is_plain && !has_directive;
    let of = |kind: PatchType, object: &Value| {
        let mut object = object.clone();
        kind.apply(&mut object, &patch).ok().map(|()| object)
    };
    let merged = of(PatchType::Merge, &object);
    let mut expected = object.clone();
    json_patch::merge(&mut expected, &patch);
    assert_eq!(merged.as_ref(), Some(&expected), "{object} {patch}");

    let hints = PatchHints { built_in: true, ..PatchHints::default() };
    PatchType::of(&patch, hints);
    for kind in [PatchType::Merge, PatchType::StrategicMerge, PatchType::Apply] {
        let Some(once) = of(kind, &object) else { continue };
        if is_plain {
            if !has_list(&patch) {
                assert_eq!(Some(&once), merged.as_ref(), "{kind:?}: {object} {patch}");
            }
        }
        if !has_directive && !has_null_in_list(&patch) {
            assert_eq!(of(kind, &once).as_ref(), Some(&once), "{kind:?} twice: {object} {patch}");
        }
    }
});

fn has_list(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(members) => members.values().any(has_list),
        _ => false,
    }
}

fn has_directive(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(has_directive),
        Value::Object(members) => members.iter().any(|(name, value)| name.starts_with('$') || has_directive(value)),
        _ => false,
    }
}

/// Returns whether a null is in a list: if it is part of an element's key, the element is duplicated, as in the API
/// server.
fn has_null_in_list(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null_in_list),
        _ => false,
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}
