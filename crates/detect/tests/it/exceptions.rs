//! Exceptions: what they hide, and what they must not.

use podtrail_detect::{Hunt, Pack, hunt};
use serde_json::Value;

use crate::support::{folder, log, privileged_pod, session_over};

/// What the privileged pods of `alice` and `mallory` give, with these exceptions alone.
async fn hunt_with(exceptions: &str) -> Hunt {
    let dir = folder(&[("exceptions/mine.yaml", exceptions)]);
    let mut pack = Pack::built_in().unwrap().only("privileged-container");
    pack.add_folder(dir.path()).unwrap();
    let events: [Value; 2] = [
        privileged_pod("alice", "scanner", "10:00:00"),
        privileged_pod("mallory", "scanner", "10:05:00"),
    ];
    hunt(&session_over(log(&events)), &pack, None).await.unwrap()
}

fn identities(hunt: &Hunt) -> Vec<&str> {
    hunt.findings.iter().filter_map(|finding| finding.identity.as_deref()).collect()
}

fn exception(scope: &str) -> String {
    format!("- id: x\n  reason: because\n  owner: me\n  detections: ['*']\n{scope}")
}

#[tokio::test]
async fn an_exception_hides_what_it_names_in_every_part() {
    for (scope, hidden) in [
        ("  identities: [alice]\n", true),
        ("  identities: [al*]\n  namespaces: [web]\n", true),
        ("  identities: [alice]\n  images: ['registry.internal/*']\n", true),
        ("  identities: [alice]\n  names: [scan*]\n  clusters: [test]\n", true),
        ("  identities: [alice]\n  namespaces: [kube-system]\n", false),
        ("  identities: [alice]\n  images: ['registry.k8s.io/*']\n", false),
        ("  identities: [alice]\n  names: [other]\n", false),
        ("  identities: [alic]\n", false),
    ] {
        let hunt = hunt_with(&exception(scope)).await;
        let stay: &[&str] = if hidden { &["mallory"] } else { &["alice", "mallory"] };
        assert_eq!(identities(&hunt), stay, "{scope}");
        let exceptions: Vec<_> = hunt.excepted.iter().map(|e| e.exception.as_str()).collect();
        assert_eq!(exceptions, if hidden { vec!["x"] } else { vec![] }, "{scope}");
    }
}

#[tokio::test]
async fn an_expired_exception_hides_nothing_and_is_told() {
    let hunt = hunt_with(&exception("  identities: ['*']\n  expires: 2020-02-29\n")).await;
    assert_eq!(identities(&hunt), ["alice", "mallory"]);
    assert_eq!(hunt.expired.len(), 1);
    let hunt = hunt_with(&exception("  identities: ['*']\n  expires: 9999-01-01\n")).await;
    assert!(hunt.findings.is_empty() && hunt.expired.is_empty());
}

#[test]
fn a_file_with_unknown_keys_or_without_owner_is_refused() {
    for text in ["- id: x\n", &exception("  identities: ['*']\n  nmae: x\n"), "id: x"] {
        let dir = folder(&[("exceptions/mine.yaml", text)]);
        let error = Pack::default().add_folder(dir.path()).unwrap_err().to_string();
        assert!(error.contains("mine.yaml"), "{error}");
    }
}
