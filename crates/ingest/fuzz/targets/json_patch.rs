//! A JSON Patch of a few operations, compared with the json-patch crate where RFC 6902 and the API server agree, and
//! applied to an unknown object.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use podtrail_event::PatchType;
use podtrail_event::fuzzing::shown;
use podtrail_ingest_fuzz::structured::Choices;
use serde_json::{Value, json};

const KEYS: [&str; 5] = ["a", "b", "c", "0", "a/b"];
/// Tokens that RFC 6902 and the API server parse in the same way.
const PLAIN: [&str; 8] = ["a", "b", "c", "0", "1", "2", "-", "a~1b"];
/// Tokens that one of them parses differently, or rejects.
const ODD: [&str; 10] = ["-1", "+1", "01", "-0", "~0", "~2", "", "99999999999999999999", "\u{e9}", "~01"];

static LEAVES: LazyLock<[Value; 5]> = LazyLock::new(|| [json!(true), json!("a"), json!(1), json!({}), json!([])]);

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices::new(input);
    let object = Value::Object(choices.members(&KEYS, &*LEAVES, 4));
    let mut operations = Vec::new();
    let mut is_plain = true;
    while !choices.is_empty() && operations.len() < 12 {
        let op = choices.one(&["add", "remove", "replace", "move", "copy", "test", "add", "x"]);
        let path = pointer(&mut choices, &mut is_plain);
        let mut operation = json!({"op": op, "path": path});
        if matches!(op, "move" | "copy") {
            operation["from"] = json!(pointer(&mut choices, &mut is_plain));
        } else if op != "remove" {
            operation["value"] = choices.value(&KEYS, &*LEAVES, 2);
        }
        operations.push(operation);
    }
    let patch = Value::Array(operations);
    let mut patched = object.clone();
    let result = PatchType::Json.apply(&mut patched, &patch);
    let Value::Array(operations) = &patch else { unreachable!() };
    let unknown = shown(operations.clone());

    if is_plain && let Ok(reference) = serde_json::from_value::<json_patch::Patch>(patch.clone()) {
        let mut expected = object.clone();
        // What the crate reverts of a failed patch is not compared, and sometimes panics.
        match (json_patch::patch_unsafe(&mut expected, &reference), &result) {
            (Ok(()), Ok(())) => assert_eq!(patched, expected, "{object} {patch}"),
            (Ok(()), Err(error)) => panic!("refused: {error}: {object} {patch}"),
            (Err(error), Ok(())) if !goes_beyond(operations) => {
                panic!("taken: {error}: {object} {patch}");
            }
            _ => {}
        }
    }
    // The value set by the last operation is shown, regardless of the object.
    if let (Ok(()), Some(last)) = (&result, operations.last()) {
        let path = last["path"].as_str().unwrap_or_default();
        let names_members = path.split('/').skip(1).all(|token| matches!(token, "a" | "b" | "c"));
        if is_plain && names_members && matches!(last["op"].as_str(), Some("add" | "replace")) {
            assert_eq!(unknown.pointer(path), Some(&last["value"]), "{object} {patch} {unknown}");
        }
    }
});

/// Returns whether the API server may accept what RFC 6902 rejects: missing members are replaced, copied and tested.
fn goes_beyond(operations: &[Value]) -> bool {
    operations.iter().any(|operation| match operation["op"].as_str() {
        Some("replace" | "copy" | "move") => true,
        Some("test") => operation["value"].is_null(),
        _ => false,
    })
}

fn pointer(choices: &mut Choices<'_>, is_plain: &mut bool) -> String {
    let mut pointer = String::new();
    for _ in 0..=choices.below(4) {
        let choice = choices.byte();
        pointer.push('/');
        if choice < 230 {
            pointer.push_str(PLAIN[usize::from(choice) % PLAIN.len()]);
        } else {
            *is_plain = false;
            pointer.push_str(ODD[usize::from(choice) % ODD.len()]);
        }
    }
    if choices.byte() > 250 {
        *is_plain = false;
        pointer = choices.one(&["", "a", "x/a/b"]).to_owned();
    }
    pointer
}
