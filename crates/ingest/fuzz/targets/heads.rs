//! Any text as the file of a detection, and as a file of exceptions: read or refused, and what is read is not empty.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

#[path = "../../../detect/src/exception.rs"]
#[allow(dead_code, unreachable_pub)]
mod exception;
#[path = "../../../detect/src/head.rs"]
#[allow(dead_code, unreachable_pub)]
mod head;
#[path = "../../../detect/src/pattern.rs"]
#[allow(dead_code, unreachable_pub)]
mod pattern;
#[path = "../../../detect/src/severity.rs"]
#[allow(dead_code, unreachable_pub)]
mod severity;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    if let Ok((head, sql)) = head::read("a", text) {
        assert!(head.id == "a" && !sql.is_empty());
        check_parameters(&head);
    }
    // Most inputs are spent on what stands behind the first keys.
    let whole = format!("/*\nid: a\ntitle: a\nseverity: low\nattack: [T1610]\ndescription: a\n{text}\n*/\nSELECT 1");
    if let Ok((head, sql)) = head::read("a", &whole) {
        assert!(!head.id.is_empty() && !sql.is_empty());
        check_parameters(&head);
    }
    let exception = format!("- id: a\n  reason: a\n  owner: a\n  detections: [a]\n  identities: [a]\n  {text}");
    for text in [text, &exception] {
        let Ok(exceptions) = exception::parse_exceptions(Path::new("a"), text) else { continue };
        for exception in &exceptions {
            assert!(exception.detections.iter().all(|pattern| !pattern.text().is_empty()), "{text}");
            assert!(exception.detections.iter().count() > 0 && exception.identities.iter().count() > 0, "{text}");
            assert!(exception.images.as_ref().is_none_or(|images| images.iter().count() > 0), "{text}");
            assert_eq!(exception.origin, exception::Origin::User, "{text}");
        }
    }
});

fn check_parameters(head: &head::Head) {
    for parameter in head.parameters.values() {
        parameter.default_text();
        assert!(!parameter.type_name().is_empty());
    }
}
