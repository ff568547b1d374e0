//! Any bytes as one audit event, without its row: its id does not depend on its notation, and redaction is idempotent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_event::{Parser, RedactionKey, redact};
use podtrail_ingest_fuzz::canonical::reordered;

fuzz_target!(|json: &[u8]| {
    let key = RedactionKey::new([7; 32]);
    if let Some(redacted) = redact(json, &key) {
        let again = redact(&redacted, &key);
        assert!(again.is_none_or(|again| again == redacted), "redacting is not done at once");
    }
    let Some(id) = event_id(json) else { return };
    let json = str::from_utf8(json).expect("an event is text").trim();
    let reordered = reordered(json);
    assert_eq!(event_id(reordered.as_bytes()), Some(id), "{reordered}");
});

fn event_id(json: &[u8]) -> Option<String> {
    let mut parser = Parser::default();
    let event = parser.parse(json, None).ok()?;
    assert!(event.time.is_some());
    event.event_id.map(|id| id.to_string())
}
