//! JSON Patch as the API server applies it where RFC 6902 is silent or differs, and where both agree.

use podtrail_event::{JsonPatchError, PatchError, PatchType};
use proptest::prelude::*;
use serde_json::{Value, json};

fn patched(object: &Value, patch: &Value) -> Result<Value, PatchError> {
    let mut object = object.clone();
    PatchType::Json.apply(&mut object, patch).map(|()| object)
}

#[test]
fn extensions_of_the_rfc_follow_the_api_server() {
    let object = json!({"a": {"b": 1}, "l": [1, 2, 3]});
    for (what, patch, expected) in [
        (
            "a negative index counts from the end",
            json!([{"op": "replace", "path": "/l/-1", "value": 9}]),
            json!({"a": {"b": 1}, "l": [1, 2, 9]}),
        ),
        (
            "where an element is added it counts the new one",
            json!([{"op": "add", "path": "/l/-1", "value": 9}, {"op": "add", "path": "/l/-4", "value": 8}]),
            json!({"a": {"b": 1}, "l": [1, 8, 2, 3, 9]}),
        ),
        (
            "an index has a sign and zeros",
            json!([{"op": "remove", "path": "/l/+01"}, {"op": "remove", "path": "/l/-0"}]),
            json!({"a": {"b": 1}, "l": [3]}),
        ),
        (
            "what stands before the first slash is passed over",
            json!([{"op": "add", "path": "nothing/a/b", "value": 2}]),
            json!({"a": {"b": 2}, "l": [1, 2, 3]}),
        ),
        (
            "replace sets what is not there",
            json!([{"op": "replace", "path": "/a/c", "value": true}]),
            json!({"a": {"b": 1, "c": true}, "l": [1, 2, 3]}),
        ),
        (
            "what is not there is copied as null",
            json!([{"op": "copy", "from": "/a/x", "path": "/a/b"}]),
            json!({"a": {"b": null}, "l": [1, 2, 3]}),
        ),
        (
            "an add without a value sets null",
            json!([{"op": "add", "path": "/a/b"}]),
            json!({"a": {"b": null}, "l": [1, 2, 3]}),
        ),
        (
            "escapes",
            json!([{"op": "add", "path": "/a/~1~01", "value": 2}]),
            json!({"a": {"b": 1, "/~1": 2}, "l": [1, 2, 3]}),
        ),
    ] {
        assert_eq!(patched(&object, &patch).unwrap(), expected, "{what}");
    }
}

#[test]
fn the_last_of_two_keys_counts() {
    let text = r#"[{"op":"add","path":"/metadata","path":"/a/b","value":0,"value":2}]"#;
    let patch: Value = serde_json::from_str(text).unwrap();
    assert_eq!(patched(&json!({"a": {}}), &patch).unwrap(), json!({"a": {"b": 2}}));
}

#[test]
fn patches_that_the_api_server_rejects_are_errors() {
    let object = json!({"a": {"b": 1}, "l": [1]});
    for patch in [
        json!([{"op": "add", "path": "/x/y", "value": 1}]),
        json!([{"op": "add", "path": "/l/3", "value": 1}]),
        json!([{"op": "add", "path": "/l/-3", "value": 1}]),
        json!([{"op": "replace", "path": "/l/-", "value": 1}]),
        json!([{"op": "add", "path": "", "value": {}}]),
        json!([{"op": "add", "path": "a", "value": 1}]),
        json!([{"op": "remove", "path": "/x"}]),
        json!([{"op": "move", "from": "/x", "path": "/a/b"}]),
        json!([{"op": "test", "path": "/a/b", "value": 2}]),
        json!([{"op": "test", "path": "/a/b"}]),
        json!([{"op": "ADD", "path": "/a/b", "value": 2}]),
        json!([{"Op": "add", "Path": "/a/b", "value": 2}]),
        json!(["add"]),
    ] {
        assert!(patched(&object, &patch).is_err(), "{patch}");
    }
    let twice = |copy| json!({"op": "copy", "from": "/a", "path": format!("/a/{copy}")});
    let doubling: Vec<_> = (0..64).map(twice).collect();
    assert!(matches!(
        patched(&object, &json!(doubling)),
        Err(PatchError::Json(JsonPatchError::TooMuch | JsonPatchError::TooDeep))
    ));
}

proptest! {
    #[test]
    fn results_equal_those_of_the_rfc_where_it_applies(
        object in value(),
        operations in proptest::collection::vec(operation(), 1..6),
    ) {
        let patch: json_patch::Patch = serde_json::from_value(json!(operations)).unwrap();
        let mut expected = object.clone();
        // Without undoing a failed patch, in which the library has a defect.
        if json_patch::patch_unsafe(&mut expected, &patch).is_ok() {
            prop_assert_eq!(patched(&object, &json!(operations)).unwrap(), expected);
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!(true)), Just(json!("a")), Just(json!(1)), Just(Value::Null)];
    let inner = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|members| json!(members)),
        ]
    });
    proptest::collection::btree_map("[abc]", inner, 1..4).prop_map(|members| json!(members))
}

/// Pointers that both parse in the same way: none is the whole document, and none leads through
/// null.
fn operation() -> impl Strategy<Value = Value> {
    let path = || "/[abc](/(a|b|c|0|1|2|-)){0,3}";
    let op = prop_oneof![
        Just("add"),
        Just("remove"),
        Just("replace"),
        Just("move"),
        Just("copy"),
        Just("test")
    ];
    (op, path(), path(), value()).prop_map(
        |(op, path, from, value)| json!({"op": op, "path": path, "from": from, "value": value}),
    )
}
