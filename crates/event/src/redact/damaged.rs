//! Redaction of secrets in records that could not be parsed.
//!
//! In a damaged record, secrets cannot be located: a part of a line may be missing, and the text before and after the
//! gap is read as one. So any text that may contain a secret is replaced as a whole. Text that shows who did what is
//! kept if it precedes that.

use memchr::memmem;

use super::key::RedactionKey;
use super::signs::{has_credential_in_uri, has_sign, valid};
use super::subject::Subject;
use super::walk::Walk;

/// Members of events, and of Secrets, that contain or quote bodies. Names are also found in JSON inside a string.
const BODIES: [&str; 9] = [
    "requestObject",
    "responseObject",
    "responseStatus",
    "stringData",
    "\"data\"",
    "\\\"data\\\"",
    "webhook.admission.k8s.io",
    "last-applied-configuration",
    "\"message\"",
];

/// Members that every event has, at its beginning and at its end.
const HEAD: &str = "auditID";
const TAIL: &str = "requestReceivedTimestamp";

/// Length of a part of a line that a container runtime has split; joined parts are longer.
const PART: usize = 16 * 1024;

/// Maximum length of a text without beginning or end that is kept: it has no room for the body of an event.
const SHORT: usize = 4 * 1024;

/// Maximum length of text before an event in a line: a time, a host, a program name.
const LINE_HEAD: usize = 1024;

/// Returns the bytes of an unparsable record with digests in place of potential secrets; `None` if they can be kept
/// unchanged.
pub fn redact_damaged(record: &[u8], key: &RedactionKey) -> Option<Vec<u8>> {
    let find = |text: &str| memmem::find(record, text.as_bytes());
    if let Some(json) = valid(record) {
        if !has_sign(record) {
            return None;
        }
        let Subject { scope, name } = Subject::of(json);
        let walk = Walk { key, secret: name.as_deref() };
        return walk.record(json, scope).map(String::into_bytes);
    }
    // Before an event that begins further on there is the rest of another event.
    let has_begun = record.trim_ascii_start().starts_with(b"{") || record.starts_with(b"[");
    if find(HEAD).is_some_and(|head| head > LINE_HEAD && !has_begun) {
        return Some(key.digest(record).into_bytes());
    }
    if find(HEAD).is_none() {
        // The rest of an event, or a part from its middle, does not show what it is.
        let end = find(TAIL);
        return (end.is_some() || has_sign(record) || record.len() > SHORT).then(|| {
            [
                key.digest(&record[..end.unwrap_or(record.len())]).as_bytes(),
                &record[end.unwrap_or(record.len())..],
            ]
            .concat()
        });
    }
    // Only the end that was cut off is missing.
    let is_cut =
        serde_json::from_slice::<serde::de::IgnoredAny>(record).is_err_and(|error| error.is_eof());
    let may_be_joined = record.len() > PART && !is_cut;
    if !may_be_joined && !has_sign(record) {
        return None;
    }
    let mut start = BODIES.iter().filter_map(|name| find(name)).min();
    if has_credential_in_uri(record) {
        start = start.into_iter().chain(find("requestURI")).min();
    }
    let start = start.unwrap_or(0);
    Some([&record[..start], key.digest(&record[start..]).as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"kind":"Event","auditID":"a","requestURI":"/api/v1/x","objectRef":{"resource":"RESOURCE"},"#;
    const TAIL: &str = r#""requestReceivedTimestamp":"2026-11-23T21:55:01Z"}"#;

    fn redact(record: &str) -> Option<String> {
        let redacted = redact_damaged(record.as_bytes(), &RedactionKey::new([7; 32]));
        redacted.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    fn head(resource: &str) -> String {
        HEAD.replace("RESOURCE", resource)
    }

    #[test]
    fn no_part_of_a_secret_remains() {
        let long = "hunter2".repeat(5000);
        for record in [
            // The end is missing, the beginning, both, and the middle.
            format!(r#"{}"requestObject":{{"kind":"Secret","data":{{"a":"{long}"#, head("secrets")),
            format!(r#"{long}"}}}},{TAIL}"#),
            long.clone(),
            format!(
                r#"{}"requestObject":{{"kind":"Secret","data":{{"a":{long}"}}}},{TAIL}"#,
                head("secrets")
            ),
            // The end of the first line and the beginning of the second are missing.
            format!(r#"{}"requestObject":{{"spec":"x {long}":""}}}},{TAIL}"#, head("pods")),
            format!(r#"{long}{}"requestObject":{{}},{TAIL}"#, head("pods")),
            // JSON in a string.
            format!(
                r#"{{"log":"{}\"requestObject\":{{\"data\":{{\"a\":\"{long}"#,
                head("secrets").replace('"', "\\\"")
            ),
            // Small, and in another order.
            format!(r#"{}"stringData":{{"a":"hunter2""#, head("secrets")),
            r#"{"kind":"Secret","metadata":{"name":"a"},"data":{"a":"hunter2"}}"#.to_owned(),
            r#"{"kind":"Secret","data":{"a":"hunter2"#.to_owned(),
            r#"{"auditID":"a","requestURI":"/x?token=hunter2","objectRef":{},"verb"}"#.to_owned(),
        ] {
            let redacted = redact(&record).unwrap_or_else(|| panic!("{record}"));
            assert!(!redacted.contains("hunter2"), "{redacted}");
            assert!(redacted.contains("redacted:"), "{redacted}");
            assert!(redacted.len() < 400, "{redacted}");
        }
        let named =
            redact(&format!(r#"{}"requestObject":{{"data":{{"a":"x"#, head("secrets"))).unwrap();
        assert!(named.starts_with(&head("secrets")), "{named}");
    }

    #[test]
    fn text_without_secrets_is_kept() {
        let long = "x".repeat(50_000);
        for record in [
            "I1123 22:00:00 a line of text".to_owned(),
            format!(r#"{}"requestObject":{{"spec":"{long}"#, head("pods")),
            format!(r#"{}"requestObject":{{"spec":}}}},{TAIL}"#, head("pods")),
            r#"{"kind":"Policy"}"#.to_owned(),
            String::new(),
        ] {
            assert_eq!(redact(&record), None, "{record}");
        }
    }
}
