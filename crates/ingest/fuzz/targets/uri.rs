//! Any bytes around a credential in a request URI: the credential is found at any level of nesting, and redaction is
//! idempotent.
//!
//! The first byte chooses how.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_event::{RedactionKey, redact};

const CREDENTIAL: &str = "hunter2xyzzy";

fuzz_target!(|input: &[u8]| {
    let Some((&choice, rest)) = input.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let key = RedactionKey::new([7; 32]);
    let redacted = |uri: &str| -> Option<String> {
        let event = serde_json::json!({"auditID": "a", "objectRef": {"resource": "pods"}, "requestURI": uri});
        let redacted = redact(event.to_string().as_bytes(), &key)?;
        let event: serde_json::Value = serde_json::from_slice(&redacted).expect("JSON");
        Some(event["requestURI"].as_str().expect("a URI").to_owned())
    };
    let uri = match choice % 8 {
        0 => text.into_owned(),
        1 => format!("/x?{text}&token={CREDENTIAL}"),
        2 => format!("/x?pw={CREDENTIAL};{text}"),
        3 => format!("/x?{text};key={CREDENTIAL}&{text}"),
        4 => format!("/x?a=https%3A%2F%2Fb%2F%3Fcode%3D{CREDENTIAL}&{text}"),
        5 => format!("/x?next=https://u:{CREDENTIAL}@b/&{text}"),
        6 => format!("{text}?Token[]={CREDENTIAL}#{text}"),
        _ => format!("/x#{text}&auth={CREDENTIAL}"),
    };
    let once = redacted(&uri);
    if choice % 8 != 0 {
        let once = once.as_deref().unwrap_or(&uri);
        assert!(!once.contains(CREDENTIAL), "{uri}: {once}");
    }
    if let Some(once) = once {
        if let Some(again) = redacted(&once) {
            panic!("redacting is not done at once: {uri}: {once}: {again}");
        }
    }
});
