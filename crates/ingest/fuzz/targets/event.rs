//! Any bytes as one audit event: its row reproduces it, and its identity does not depend on its notation.
#![no_main]

use arrow::array::{AsArray, RecordBatch};
use libfuzzer_sys::fuzz_target;
use podtrail_event::{BatchBuilder, Exporter, Parser, RedactionKey, redact};
use podtrail_ingest_fuzz::canonical::{canonical, reordered};

fuzz_target!(|json: &[u8]| {
    let key = RedactionKey::new([7; 32]);
    let redacted = redact(json, &key);
    if let Some(redacted) = &redacted {
        let again = redact(redacted, &key);
        assert!(again.is_none_or(|again| again == *redacted), "redacting is not done at once");
    }
    let Some(batch) = row(json, None) else {
        assert!(row(json, Some(key)).is_none(), "only redacted it is an event");
        return;
    };
    let json = str::from_utf8(json).expect("an event is text").trim();
    let id = event_id(&batch);

    let exported = export(&batch);
    assert_eq!(canonical(&exported), canonical(json));
    let again = row(exported.as_bytes(), None).expect("an event");
    assert_eq!(event_id(&again), id, "as exported: {exported}");
    assert_eq!(export(&again), exported);

    let reordered = reordered(json);
    let again = row(reordered.as_bytes(), None).expect("an event");
    assert_eq!(event_id(&again), id, "with other white space: {reordered}");

    let batch = row(json.as_bytes(), Some(key.clone())).expect("redacted, it is an event");
    let redacted = redacted.unwrap_or_else(|| json.as_bytes().to_vec());
    let redacted = str::from_utf8(&redacted).expect("text");
    assert_eq!(canonical(&export(&batch)), canonical(redacted.trim()));
    let again = row(redacted.as_bytes(), Some(key)).expect("an event");
    assert_eq!(again, batch, "redacted twice");
});

fn row(json: &[u8], redaction: Option<RedactionKey>) -> Option<RecordBatch> {
    let mut parser = Parser::new(redaction);
    let event = parser.parse(json, None).ok()?;
    let mut builder = BatchBuilder::default();
    builder.append(&event);
    Some(builder.finish())
}

fn export(batch: &RecordBatch) -> String {
    let mut line = Vec::new();
    Exporter::new(batch).expect("columns").write(0, &mut line).expect("an event");
    String::from_utf8(line).expect("text")
}

fn event_id(batch: &RecordBatch) -> &str {
    batch.column_by_name("event_id").expect("a column").as_string::<i32>().value(0)
}
