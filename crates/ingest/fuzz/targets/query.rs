//! Any bytes as the query of a request URI, beside Go's `url.ParseQuery` as its documentation describes it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_event::Parser;

fuzz_target!(|input: &[u8]| {
    let Ok(query) = str::from_utf8(input) else { return };
    let uri = format!("/api/v1/namespaces/a/configmaps?{query}");
    let event = serde_json::json!({
        "auditID": "a", "stage": "ResponseComplete", "verb": "create", "requestURI": uri,
        "objectRef": {"resource": "configmaps", "namespace": "a"},
        "stageTimestamp": "2026-11-23T21:55:01.374797Z",
    });
    let json = event.to_string();
    let mut parser = Parser::default();
    let event = parser.parse(json.as_bytes(), None).expect("an event");
    let query = uri.split_once('?').expect("a query").1;
    let query = query.split('#').next().unwrap_or_default();
    let pairs = parse_query(query);
    let manager =
        pairs.iter().find(|(name, _)| name == b"fieldManager").map(|(_, value)| value.clone());
    if let Some(manager) = manager.and_then(|manager| String::from_utf8(manager).ok()) {
        assert_eq!(event.field_manager.as_deref(), Some(&*manager), "{uri}");
    }
});

/// Pairs between `&`; those with `;` or with a bad escape are dropped.
fn parse_query(query: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((unescape(name)?, unescape(value)?))
    };
    pairs.filter_map(pair).collect()
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    Some(plain)
}
