//! Any text as a host path and as an image: spellings of one path are equal, and the parts of an image rebuild it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podtrail_event::path::{is_within, overlaps};
use podtrail_event::user_agent::UserAgent;
use podtrail_event::{ImageReference, normalize_host_path};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    let (path, other) = text.split_once('\n').unwrap_or((text, "/run/containerd"));
    let normal = normalize_host_path(path);
    assert_eq!(normalize_host_path(&normal), normal, "{path}");
    assert!(normal.starts_with('/'));
    assert!(!normal.split('/').skip(1).any(|part| matches!(part, "." | "..")), "{path}");
    assert_eq!(overlaps(path, other), overlaps(other, path));
    assert_eq!(overlaps(path, other), is_within(path, other) || is_within(other, path));
    assert!(is_within(path, "/") && is_within(path, path));
    assert!(is_within(&format!("{normal}/x"), other) || !is_within(path, other), "{path} {other}");

    check_image(text);
    check_user_agent(text);
});

/// The parts of an image are its whole text, and no part contains the delimiter of another.
fn check_image(text: &str) {
    let image = ImageReference::split(text);
    let repository = image.repository();
    let mut rest = text;
    if let Some(digest) = image.digest {
        rest = rest.strip_suffix(digest).and_then(|rest| rest.strip_suffix('@')).expect("a digest");
    }
    assert!(!rest.contains('@'), "{text}");
    if let Some(tag) = image.tag {
        assert!(!tag.contains(['/', ':', '@']), "{text}");
        rest = rest.strip_suffix(tag).and_then(|rest| rest.strip_suffix(':')).expect("a tag");
    }
    let written = ["", "docker.io/", "index.docker.io/"].map(str::to_owned);
    let written = if image.registry == "docker.io" { &written[..] } else { &[format!("{}/", image.registry)] };
    let is_whole = |host: &String| {
        rest.strip_prefix(&**host).is_some_and(|path| path == repository || format!("library/{path}") == repository)
    };
    assert!(written.iter().any(is_whole), "{text}: {image:?}");
    assert!(!image.registry.is_empty() && !image.registry.contains(['/', '@']), "{text}");
    // By its full name, it is the same image.
    let tag = image.tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = image.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
    let full = format!("{}/{repository}{tag}{digest}", image.registry);
    let again = ImageReference::split(&full);
    assert_eq!((again.registry, again.tag, again.digest), (image.registry, image.tag, image.digest), "{text}");
    assert_eq!(again.repository(), repository, "{text}");
}

/// The parts of a user agent occur in it in this order, and each is one word if it must be.
fn check_user_agent(text: &str) {
    let agent = UserAgent::of(text);
    let product = [agent.tool, agent.version];
    assert!(product.into_iter().flatten().all(|part| !part.is_empty() && part.trim_start() == part), "{text}: {agent:?}");
    if let Some(version) = agent.version {
        assert!(!version.contains(char::is_whitespace) && !version.contains('/'), "{text}: {agent:?}");
        let (before, behind) = text.split_once('/').expect("a slash before a version");
        assert!(behind.starts_with(version), "{text}: {agent:?}");
        assert_eq!(agent.tool.unwrap_or_default(), before.trim().strip_suffix(".exe").unwrap_or(before.trim()), "{text}");
    }
}
