//! An event whose values are written in every JSON notation: its id depends neither on the notation nor on the order of
//! keys, and redaction is idempotent. One in 32 is converted to a row and exported, which yields an equal event.
#![no_main]

use arrow::array::{AsArray, RecordBatch};
use libfuzzer_sys::fuzz_target;
use podtrail_event::fuzzing::digests;
use podtrail_event::{BatchBuilder, Exporter, Parser, RedactionKey, redact};
use podtrail_ingest_fuzz::canonical::{canonical, reordered};
use podtrail_ingest_fuzz::structured::Choices;

const HEAD: &str = r#""auditID":"a","stage":"ResponseComplete","stageTimestamp":"2026-11-23T21:55:01.374797Z","verb":"create","#;

fuzz_target!(|input: &[u8]| {
    let (of_tape, of_text) = digests(input);
    if of_tape.is_some() {
        assert_eq!(of_tape, of_text, "digests of bytes");
    }
    let mut choices = Choices::new(input);
    let exports = choices.byte().is_multiple_of(32);
    let resource = choices.one(&["things", "pods", "secrets", "roles"]);
    let mut json = format!(r#"{{{HEAD}"objectRef":{{"resource":"{resource}"}}"#);
    for _ in 0..=choices.below(3) {
        let name = choices.one(&["requestObject", "responseObject", "annotations", "extra", "user", "requestURI"]);
        json.push_str(&format!(",\"{name}\":"));
        write(&mut choices, &mut json, 5);
    }
    json.push('}');

    let (of_tape, of_text) = digests(json.as_bytes());
    if of_tape.is_some() {
        assert_eq!(of_tape, of_text, "{json}");
    }
    let key = RedactionKey::new([7; 32]);
    if let Some(redacted) = redact(json.as_bytes(), &key) {
        let again = redact(&redacted, &key);
        assert!(again.is_none_or(|again| again == redacted), "redacting is not done at once: {json}");
    }
    if of_text.is_none() {
        return;
    }
    let other = reordered(&json);
    assert_eq!(digests(other.as_bytes()).1, of_text, "{json} {other}");
    let Some(id) = event_id(&json) else { return };
    assert_eq!(event_id(&other).as_deref(), Some(&*id), "{json} {other}");
    if exports {
        let batch = row(&json).expect("an event");
        let exported = export(&batch);
        assert_eq!(canonical(&exported), canonical(&json));
        assert_eq!(event_id(&exported).as_deref(), Some(&*id), "as exported: {exported}");
        let column = batch.column_by_name("event_id").expect("a column").as_string::<i32>();
        assert_eq!(column.value(0), id);
    }
});

/// Writes a value as JSON text.
fn write(choices: &mut Choices<'_>, json: &mut String, depth: usize) {
    const KEYS: [&str; 9] = ["a", "b", "\\u0061", "kind", "apiVersion", "name", "data", "token", "\\ud83d\\ude00"];
    const NUMBERS: [&str; 14] = [
        "0", "-0", "1", "1.0", "1e0", "1E+0", "-0.0", "0e9", "18446744073709551616", "9223372036854775808",
        "-9223372036854775809", "1e400", "0.1000000000000000055", "100000000000000000000e-20",
    ];
    const TEXTS: [&str; 14] = [
        "", "a", "\\u0061", "\\/", "/", "\\\\", "\\\"", "\\n", "\\ud800", "\\ud83d\\ude00", "\u{1f600}", "\\u0000",
        "\u{7f}\u{80}", "\\udc00\\ud800",
    ];
    const SPACE: [&str; 6] = ["", " ", "\n", "\t", "\r\n", "  "];
    match choices.byte() {
        0..70 if depth > 0 => {
            json.push('{');
            for index in 0..choices.below(5) {
                if index > 0 {
                    json.push(',');
                }
                json.push_str(choices.one(&SPACE));
                json.push_str(&format!("\"{}\"{}:", choices.one(&KEYS), choices.one(&SPACE)));
                write(choices, json, depth - 1);
            }
            json.push('}');
        }
        70..120 if depth > 0 => {
            json.push('[');
            for index in 0..choices.below(4) {
                if index > 0 {
                    json.push(',');
                }
                json.push_str(choices.one(&SPACE));
                write(choices, json, depth - 1);
            }
            json.push_str(choices.one(&SPACE));
            json.push(']');
        }
        120..160 => json.push_str(choices.one(&NUMBERS)),
        160..180 => json.push_str(choices.one(&["true", "false", "null"])),
        180..190 => {
            let text = String::from_utf8_lossy(choices.raw()).into_owned();
            json.push_str(&serde_json::to_string(&text).expect("text"));
        }
        190..196 => json.push_str(&String::from_utf8_lossy(choices.raw())),
        196..204 => {
            let length = choices.below(256);
            json.push_str(&format!("\"{}\"", "x".repeat(length)));
        }
        _ => {
            json.push('"');
            for _ in 0..=choices.below(3) {
                json.push_str(choices.one(&TEXTS));
            }
            json.push('"');
        }
    }
}

fn event_id(json: &str) -> Option<String> {
    let mut parser = Parser::default();
    let event = parser.parse(json.as_bytes(), None).ok()?;
    event.event_id.map(|id| id.to_string())
}

fn row(json: &str) -> Option<RecordBatch> {
    let mut parser = Parser::default();
    let event = parser.parse(json.as_bytes(), None).ok()?;
    let mut builder = BatchBuilder::default();
    builder.append(&event);
    Some(builder.finish())
}

fn export(batch: &RecordBatch) -> String {
    let mut line = Vec::new();
    Exporter::new(batch).expect("columns").write(0, &mut line).expect("an event");
    String::from_utf8(line).expect("text")
}
