//! `podtrail detections`, and users' own detections.

use crate::{podtrail, privileged_pod, scratch};

#[test]
fn the_pack_is_listed() {
    let lines = podtrail(["detections", "list"]).expect(0).stdout;
    let pack = podtrail_detect::Pack::built_in().unwrap();
    let listed =
        |id: &str| lines.lines().filter(|line| line.split(' ').any(|word| word == id)).count();
    assert!(pack.detections().all(|detection| listed(&detection.head.id) == 1), "{lines}");
    let layer = podtrail(["detections", "coverage", "--navigator"]).expect(0).json();
    assert_eq!(layer["domain"], "enterprise-attack");
    assert!(layer["techniques"].as_array().unwrap().iter().any(|t| t["techniqueID"] == "T1610"));
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
    let findings = podtrail([
        "hunt",
        &log,
        "--queries",
        &folder,
        "--detection",
        "any-event",
        "--detection",
        "privileged-container",
        "--min-severity",
        "info",
        "--format",
        "jsonl",
    ])
    .expect(0)
    .jsonl();
    let seen: Vec<_> =
        findings.iter().map(|f| (f["detection"].as_str(), f["severity"].as_str())).collect();
    assert_eq!(
        seen,
        [(Some("any-event"), Some("critical")), (Some("privileged-container"), Some("info"))]
    );

    let misspelt = "SELECT e.event_id, workload['privilegd'] AS reason FROM events AS e";
    std::fs::write(dir.path().join("mine/any-event.sql"), head("any-event", "low") + misspelt)
        .unwrap();
    let only = ["--queries", &folder, "--detection", "any-event"];
    let hunt = podtrail(["hunt", &log].into_iter().chain(only));
    let lint = podtrail(["detections", "lint", "--queries", &folder]);
    for run in [hunt, lint] {
        assert_ne!(run.code, 0, "{run}");
        let output = format!("{}{}", run.stdout, run.stderr);
        assert!(output.contains("did you mean 'containers.privileged'"), "{output}");
    }

    std::fs::write(dir.path().join("mine/broken.sql"), "/* id: [ */ SELECT 1").unwrap();
    let run = podtrail(["hunt", &log, "--queries", &folder]).expect(4);
    assert!(run.stderr.contains("broken.sql"), "{run}");
}

/// The writes of a script that a person runs: one workload per second.
#[test]
fn parameters_of_detections_can_be_set() {
    let (dir, _) = scratch();
    let log = dir.path().join("a.log");
    let pod = |second| {
        privileged_pod(&format!("p{second}"), &format!("2026-11-24T10:00:{second:02}.000000Z"))
    };
    let pods: Vec<_> = (0..5).map(pod).collect();
    std::fs::write(&log, pods.join("\n")).unwrap();
    let log = log.display().to_string();
    let hunt = |parameter: &'static str| {
        let only = ["--detection", "workload-burst", "--format", "jsonl"];
        let arguments = ["hunt", &log, "--param", parameter].into_iter().chain(only);
        podtrail(arguments)
    };
    assert_eq!(hunt("workload-burst.objects=6").expect(0).jsonl().len(), 0);
    assert_eq!(hunt("workload-burst.objects=5").expect(0).jsonl().len(), 1);
    // A list: the image of the pod is of Docker Hub.
    let registries = |parameters: &[&str]| {
        let flags = parameters.iter().flat_map(|parameter| ["--param", parameter]);
        let only = ["--detection", "registry-not-approved", "--format", "jsonl"];
        podtrail(["hunt", &log, "--min-severity", "info"].into_iter().chain(only).chain(flags))
    };
    for (parameters, finds) in [
        (&["registry-not-approved.registries=a.example,b.example"] as &[&str], true),
        (&["registry-not-approved.registries=a.example, docker.io"], false),
        (
            &["registry-not-approved.registries=docker.io", "registry-not-approved.registries=a"],
            false,
        ),
        (&[r#"registry-not-approved.registries=["docker.io"]"#], false),
    ] {
        let run = registries(parameters).expect(0);
        assert_eq!(!run.jsonl().is_empty(), finds, "{parameters:?}");
    }

    let shown = podtrail(["detections", "show", "workload-burst"]).expect(0).stdout;
    assert!(
        shown.contains("objects (integer, 20): Minimum number of workloads within a minute"),
        "{shown}"
    );
}

#[test]
fn man_page_and_completions_are_generated() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(podtrail(["completions", shell]).expect(0).stdout.contains("podtrail"));
    }
    assert!(podtrail(["man"]).expect(0).stdout.starts_with(".ie"));
}
