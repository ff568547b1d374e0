//! An object of an unknown kind with a privileged pod spec somewhere in it: the search finds it, and ends soon.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use podtrail_event::fuzzing::{embedded, is_body};
use podtrail_ingest_fuzz::structured::Choices;
use serde_json::{Value, json};

const KEYS: [&str; 40] = [
    "spec", "template", "manifest", "a", "b", "kind", "name", "value", "op", "path", "from", "containers",
    "initContainers", "image", "securityContext", "privileged", "command", "volumes", "hostPath", "hostPID",
    "hostNetwork", "roleRef", "subjects", "rules", "verbs", "resources", "location", "parameters", "assign",
    "files", "units", "url", "podSpec.hostPID", "x.securityContext.privileged", "mutate", "validate", "match",
    "binaryData", "metadata", "annotations",
];
/// The text around the pod spec.
const LAYERS: [&str; 5] = ["a", "manifest", "template", "spec", "x"];

static LEAVES: LazyLock<[Value; 13]> = LazyLock::new(|| {
    [
        json!(true), json!("a"), json!("/"), json!("add"), json!("/spec/hostPID"), json!(["*"]),
        json!("hostPID: true\ncontainers: [{image: a}]"), json!("{{ x }}: {containers: {{y}}}"),
        json!("&a [*a, ontainers]"), json!({"name": "a"}), json!("{\"hostPath\": {\"path\": \"/\"}}"),
        json!("privileged"), json!("true"),
    ]
});

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices::new(input);
    let group = choices.one(&["example.com", "kyverno.io", "resource.k8s.io"]);
    let plants = choices.below(3) != 0;
    let mut value = json!({"containers": [{"name": "c", "image": "x", "securityContext": {"privileged": true}}]});
    if !plants {
        value = choices.value(&KEYS, &*LEAVES, 5);
    }
    let mut texts = 0;
    for _ in 0..choices.below(6) {
        let layer = choices.byte();
        value = match layer % 4 {
            0 if texts < 2 => {
                texts += 1;
                Value::String(value.to_string())
            }
            1 => {
                let mut elements = vec![value];
                for _ in 0..choices.below(3) {
                    elements.push(choices.value(&KEYS, &*LEAVES, 3));
                }
                Value::Array(elements)
            }
            _ => with(&mut choices, value),
        };
    }
    let mut object = with(&mut choices, value);
    if plants {
        object["kind"] = json!("Thing");
    }
    let text = object.to_string();
    if !is_body(&text) {
        return;
    }
    let found = embedded(group, &text);
    assert!(found.places <= 20);
    if plants && group != "kyverno.io" {
        assert!(found.is_privileged, "{text}");
    }
});

fn with(choices: &mut Choices<'_>, value: Value) -> Value {
    let mut members = choices.members(&KEYS, &*LEAVES, 3);
    members.insert(choices.one(&LAYERS).to_owned(), value);
    Value::Object(members)
}
