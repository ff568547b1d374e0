//! Patterns of exceptions, compared with a second matcher, and the delimiters that a `*` must not cross.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pack::pattern::{IdentityPattern, ImagePattern, NamePattern, Pattern};

/// The modules of the pack, without the crate around them, which needs a query engine.
#[allow(dead_code, unreachable_pub)]
#[path = "../../../detect/src/pack"]
mod pack {
    pub mod pattern;
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    let Some((pattern, text)) = text.split_once('\n') else { return };
    if let Ok(name) = NamePattern::try_from(pattern.to_owned()) {
        let expected = pattern == "**" || is_match(pattern.as_bytes(), text.as_bytes());
        assert_eq!(name.matches(text), expected, "{pattern} {text}");
    }
    if let Ok(identity) = IdentityPattern::try_from(pattern.to_owned()) {
        let (patterns, parts): (Vec<&str>, Vec<&str>) = (pattern.split(':').collect(), text.split(':').collect());
        assert_eq!(identity.matches(text), parts_match(&patterns, &parts), "{pattern} {text}");
    }
    if let Ok(image) = ImagePattern::try_from(pattern.to_owned())
        && image.matches(text)
        && pattern != "**"
    {
        assert!(!text.contains(char::is_whitespace));
        if !pattern.contains("**") {
            // What has a digest before the first slash has no host.
            let host = |image: &str| {
                let (host, _) = image.split_once('/').filter(|(host, _)| !host.contains('@'))?;
                Some(host.matches('.').count())
            };
            let (wanted, found) = (host(pattern), host(text));
            let are_hosts = wanted > Some(0) && found > Some(0) && !text.contains("docker.io");
            assert!(!are_hosts || wanted == found, "{pattern} {text}");
        }
    }
});

/// `*` matches any characters.
fn is_match(pattern: &[u8], text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for byte in pattern {
        if *byte == b'*' {
            for at in 1..reached.len() {
                reached[at] |= reached[at - 1];
            }
        } else {
            for at in (1..reached.len()).rev() {
                reached[at] = reached[at - 1] && text[at - 1] == *byte;
            }
            reached[0] = false;
        }
    }
    reached[text.len()]
}

/// The same for path parts, of which `**` matches any number.
fn parts_match(patterns: &[&str], parts: &[&str]) -> bool {
    let mut after = vec![false; parts.len() + 1];
    after[parts.len()] = true;
    for pattern in patterns.iter().rev() {
        let mut here = vec![false; parts.len() + 1];
        for at in (0..=parts.len()).rev() {
            let has_part = at < parts.len();
            here[at] = if *pattern == "**" {
                after[at] || (has_part && here[at + 1])
            } else {
                has_part && is_match(pattern.as_bytes(), parts[at].as_bytes()) && after[at + 1]
            };
        }
        after = here;
    }
    after[0]
}
