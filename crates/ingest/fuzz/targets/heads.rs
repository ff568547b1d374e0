//! Any text as a detection file, and as a file of exceptions: accepted or rejected; an accepted file is not empty, and
//! text after the first keys does not change them.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

/// The modules of the pack, without the crate around them, which needs a query engine.
#[allow(dead_code, unreachable_pub)]
#[path = "../../../detect/src/pack"]
mod pack {
    pub mod exception;
    pub mod head;
    pub mod pattern;
    pub mod severity;
}

use pack::{exception, head, pattern, severity};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    check_head(text);
    // Most inputs are spent on the text after the first keys.
    let whole = format!("/*\nid: a\ntitle: a\nseverity: low\nattack: [T1610]\ndescription: a\n{text}\n*/\nSELECT 1");
    if let Some(head) = check_head(&whole) {
        assert_eq!((&*head.title, head.severity, head.attack), ("a", severity::Severity::Low, vec!["T1610".to_owned()]), "{text}");
    }
    check_exceptions(text);
    let exception = format!("- id: a\n  reason: a\n  owner: a\n  detections: [a]\n  identities: [a]\n  {text}");
    if let Some(first) = check_exceptions(&exception).first() {
        let is_a = |mut texts: Vec<&str>| texts.pop() == Some("a") && texts.is_empty();
        assert!(first.id == "a" && is_a(texts(&first.detections)), "{text}");
        assert!(is_a(first.identities.iter().map(pattern::IdentityPattern::text).collect()), "{text}");
    }
});

fn check_head(text: &str) -> Option<head::Head> {
    let (head, sql) = head::read("a", text).ok()?;
    assert_eq!(head.id, "a");
    assert!(!sql.is_empty() && sql.trim() == sql && !sql.ends_with(';'), "{text}");
    let is_technique = |id: &String| id.starts_with('T') && matches!(id.len(), 5 | 9);
    assert!(head.attack.iter().all(is_technique), "{text}");
    Some(head)
}

fn check_exceptions(text: &str) -> Vec<exception::Exception> {
    let Ok(exceptions) = exception::parse_exceptions(Path::new("a"), text) else { return Vec::new() };
    for exception in &exceptions {
        let exception::Exception { providers, namespaces, resources, commands, names, clusters, .. } = exception;
        let lists = [Some(&exception.detections), providers.as_ref(), namespaces.as_ref(), resources.as_ref()];
        let lists = lists.into_iter().chain([commands.as_ref(), names.as_ref(), clusters.as_ref()]).flatten();
        let identities = exception.identities.iter().map(pattern::IdentityPattern::text).collect();
        let images = exception.images.as_ref().map(|images| images.iter().map(pattern::ImagePattern::text).collect());
        for patterns in lists.map(texts).chain([identities]).chain(images) {
            assert!(!patterns.is_empty() && patterns.iter().all(|pattern| !pattern.is_empty()), "{text}");
        }
        assert_eq!(exception.origin, exception::Origin::User, "{text}");
    }
    exceptions
}

fn texts(patterns: &pattern::Patterns<pattern::NamePattern>) -> Vec<&str> {
    patterns.iter().map(pattern::NamePattern::text).collect()
}
