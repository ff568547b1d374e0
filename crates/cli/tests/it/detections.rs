//! `podtrail detections`, and detections of one's own.

use crate::{podtrail, privileged_pod, scratch};

#[test]
fn the_pack_is_listed() {
    let run = podtrail(["detections"]).expect(0);
    assert_eq!(run.stdout.lines().count(), 15, "{run}");
    assert!(run.stdout.contains("privileged-container"), "{run}");
}

#[test]
fn a_folder_adds_detections_and_replaces_them() {
    let (dir, _) = scratch();
    let log = dir.path().join("a.log");
    std::fs::write(&log, privileged_pod("a", "2026-11-24T10:00:00.000000Z")).unwrap();
    let log = log.display().to_string();
    let folder = dir.path().join("mine");
    std::fs::create_dir(&folder).unwrap();
    let head = |id, severity| {
        format!(
            "/*\nid: {id}\ntitle: Mine\nseverity: {severity}\nattack: [T1610]\ndescription: x\n*/\n"
        )
    };
    let query = "SELECT event_id, 'because' AS reason FROM events";
    std::fs::write(folder.join("any-event.sql"), head("any-event", "critical") + query).unwrap();
    let replaced = head("privileged-container", "info") + query;
    std::fs::write(folder.join("privileged-container.sql"), replaced).unwrap();
    let folder = folder.display().to_string();
    let findings =
        podtrail(["hunt", &log, "--queries", &folder, "--format", "jsonl"]).expect(0).jsonl();
    let seen: Vec<_> =
        findings.iter().map(|f| (f["detection"].as_str(), f["severity"].as_str())).collect();
    assert_eq!(
        seen,
        [(Some("any-event"), Some("critical")), (Some("privileged-container"), Some("info"))]
    );

    std::fs::write(dir.path().join("mine/broken.sql"), "/* id: [ */ SELECT 1").unwrap();
    let run = podtrail(["hunt", &log, "--queries", &folder]).expect(4);
    assert!(run.stderr.contains("broken.sql"), "{run}");
}

#[test]
fn what_a_package_installs_is_generated() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(podtrail(["completions", shell]).expect(0).stdout.contains("podtrail"));
    }
    assert!(podtrail(["man"]).expect(0).stdout.starts_with(".ie"));
    let schema = podtrail(["schema"]).expect(0).stdout;
    assert!(schema.contains("| `workload.containers.privileged` | boolean |"), "{schema}");
}
