//! Entry points to private code for fuzz targets, which call them thousands of times a second.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::column::Text;
use crate::json::canonical::Canonical;
use crate::json::value::Json;
use crate::objects::bodies::Bodies;
use crate::objects::extract;
use crate::patch::json_patch;
use crate::request::shell;

/// Returns the digests of an event: of simd-json's tape, and of serde_json's text; `None` if the respective parser
/// rejects it.
pub fn digests(json: &[u8]) -> (Option<String>, Option<String>) {
    let mut canonical = Canonical::default();
    let mut copy = json.to_vec();
    let tape = simd_json::to_tape(&mut copy).ok();
    let of_tape = tape.and_then(|tape| canonical.digest_of_tape(&tape.0, json));
    let raw: Option<&RawValue> = serde_json::from_slice(json).ok();
    (of_tape, raw.map(|raw| canonical.digest_of_text(raw.get())))
}

/// Returns what a JSON Patch reveals about an unknown object.
pub fn shown(operations: Vec<Value>) -> Value {
    json_patch::of_unknown(operations).node.into_tree()
}

/// Returns the words of the single program that a command runs.
pub fn simple_command(command: &[&str]) -> Option<Vec<String>> {
    let command: Vec<Text<'_>> = command.iter().map(|word| Text::from(*word)).collect();
    let words = shell::simple_command(&command)?;
    Some(words.iter().map(|word| word.to_string()).collect())
}

/// What a search finds in an object of an unknown kind.
#[derive(Debug)]
pub struct Found {
    /// Number of places with pod specs, containers and host paths.
    pub places: usize,
    /// Whether a container is privileged.
    pub is_privileged: bool,
}

/// Searches an object for pod specs.
pub fn embedded(group: &str, object: &str) -> Found {
    let (workload, embedded) = extract::embedded(None, group, "things", &Bodies::of_object(object));
    let containers = workload.iter().flat_map(|workload| workload.containers.iter().flatten());
    Found {
        places: embedded.and_then(|embedded| embedded.places).map_or(0, |places| places.len()),
        is_privileged: containers.into_iter().any(|container| container.privileged == Some(true)),
    }
}

/// Returns whether a text is a value that bodies can contain.
pub fn is_body(json: &str) -> bool {
    serde_json::from_str::<Json<'_>>(json).is_ok()
}
