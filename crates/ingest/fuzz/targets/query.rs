//! Any bytes as a request URI: its query compared with Go's documented `url.ParseQuery`, its path with Go's
//! `path.Clean`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_event::{dry_run_fault, proxied_path, query_value, request_path};

fuzz_target!(|input: &[u8]| {
    let Ok(uri) = str::from_utf8(input) else { return };
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let pairs = parse_query(query);
    for (name, _) in &pairs {
        let first = pairs.iter().find(|(other, _)| other == name).map(|(_, value)| &**value);
        assert_eq!(query_value(uri, name).as_deref(), first, "{uri}");
    }
    let dry_runs: Vec<&str> =
        pairs.iter().filter(|(name, _)| name == "dryRun").map(|(_, value)| &**value).collect();
    if dry_runs.iter().any(|value| *value != "All") {
        assert!(dry_run_fault(uri).is_some(), "{uri}");
    }
    if dry_runs.is_empty() {
        assert_eq!(query_value(uri, "dryRun"), None, "{uri}");
    }

    let cleaned = unescape(path, false).map(|path| clean(&path));
    assert_eq!(request_path(uri), cleaned, "{uri}");
    if let Some(behind) = proxied_path(uri) {
        assert!(cleaned.is_some());
        assert_eq!(clean(&behind), behind, "{uri}");
    }
    let proxied = format!("/api/v1/nodes/n/proxy/{uri}");
    let (path, _) = proxied.split_once('?').unwrap_or((&proxied, ""));
    let expected = unescape(path, false).map(|path| clean(&path["/api/v1/nodes/n/proxy".len()..]));
    assert_eq!(proxied_path(&proxied), expected, "{proxied}");
});

/// Returns the pairs between `&`; those with `;` or an invalid escape are dropped.
fn parse_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((unescape(name, true)?, unescape(value, true)?))
    };
    pairs.filter_map(pair).collect()
}

fn unescape(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'+' if plus_is_space => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    Some(String::from_utf8_lossy(&plain).into_owned())
}

/// Applies `path.Clean` to a path that begins with a slash: the four rules of Go's documentation, until none applies.
fn clean(path: &str) -> String {
    let mut path = format!("/{path}");
    loop {
        let mut next = path.replace("//", "/").replace("/./", "/");
        if let Some(shorter) = next.strip_suffix("/.") {
            next = format!("{shorter}/");
        }
        if next == path {
            if let Some(rest) = path.strip_prefix("/../") {
                next = format!("/{rest}");
            } else if path == "/.." {
                next = "/".to_owned();
            } else if let Some(at) = format!("{path}/").find("/../") {
                let before = &path[..path[..at].rfind('/').unwrap_or(0)];
                next = format!("{before}/{}", path.get(at + 4..).unwrap_or_default());
            }
        }
        if next == path {
            break;
        }
        path = next;
    }
    if path.len() > 1 && path.ends_with('/') {
        path.pop();
    }
    path
}
