//! Any text as a host path and as an image: one spelling is one path, and an image is put together again as it was.
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

    let image = ImageReference::split(text);
    image.repository();
    UserAgent::of(text);
});
