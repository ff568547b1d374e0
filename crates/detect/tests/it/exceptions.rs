//! Exceptions: what they hide, and what they must not hide.

use podtrail_detect::{Finding, Hunt, Pack, Severity, hunt, lint_exceptions};
use serde_json::{Value, json};

use crate::support::{folder, log, privileged_pod, session_of_clusters, session_over};

/// Returns privileged-container with only these exceptions.
fn pack_with(exceptions: &str) -> Pack {
    let dir = folder(&[("exceptions/mine.yaml", exceptions)]);
    let mut pack = Pack::built_in().unwrap().only("privileged-container");
    pack.add_folder(dir.path()).unwrap();
    pack
}

/// Returns the privileged pods of `alice` and `mallory`.
fn pods() -> [Value; 2] {
    [
        privileged_pod("alice", "scanner", "10:00:00"),
        privileged_pod("mallory", "scanner", "10:05:00"),
    ]
}

/// Returns the findings of [`pods`], with only these exceptions.
async fn hunt_with(exceptions: &str) -> Hunt {
    let (session, pack) = (session_over(log(&pods())), pack_with(exceptions));
    hunt(&session, &pack, None, chrono::Utc::now()).await.unwrap()
}

fn identities(hunt: &Hunt) -> Vec<&str> {
    hunt.findings.iter().filter_map(|finding| finding.identity.as_deref()).collect()
}

fn exception(scope: &str) -> String {
    format!("- id: x\n  reason: because\n  owner: me\n  detections: ['*']\n{scope}")
}

#[tokio::test]
async fn an_exception_hides_findings_that_match_all_its_fields() {
    let scopes = [
        ("identities: [alice]", true),
        ("identities: [al*]\n  namespaces: [web]", true),
        ("identities: [alice]\n  images: ['registry.internal/**']\n  commands: ['*']", true),
        ("identities: [alice]\n  resources: [pods]", true),
        ("identities: [alice]\n  names: [scan*]", true),
        ("identities: [alice]\n  namespaces: [kube-system]", false),
        ("identities: [alice]\n  images: ['registry.k8s.io/**']\n  commands: ['*']", false),
        ("identities: [alice]\n  resources: [pods/exec]", false),
        ("identities: [alice]\n  providers: [eks]", false),
        ("identities: [alice]\n  names: [other]", false),
        ("identities: [alic]", false),
    ];
    // Each exception covers a cluster of its own: one hunt shows the effect of all.
    let texts = scopes.iter().enumerate().map(|(number, (scope, _))| {
        exception(&format!("  clusters: ['{number}']\n  {scope}\n"))
            .replace("id: x", &format!("id: x{number}"))
    });
    let pack = pack_with(&texts.collect::<String>());
    let events = pods();
    let session = session_of_clusters(scopes.iter().map(|_| &events[..]));
    let hunt = hunt(&session, &pack, None, chrono::Utc::now()).await.unwrap();
    for (number, (scope, hidden)) in scopes.iter().enumerate() {
        let number = number.to_string();
        let is_here = |cluster: &Option<String>| cluster.as_deref() == Some(&number);
        let here = hunt.findings.iter().filter(|finding| is_here(&finding.cluster));
        let identities: Vec<_> = here.filter_map(|finding| finding.identity.as_deref()).collect();
        let stay: &[&str] = if *hidden { &["mallory"] } else { &["alice", "mallory"] };
        assert_eq!(identities, stay, "{scope}");
        let excepted = hunt.excepted.iter().filter(|excepted| is_here(&excepted.finding.cluster));
        let exceptions: Vec<_> = excepted.map(|excepted| excepted.exception.clone()).collect();
        let expected: Vec<_> = hidden.then(|| format!("x{number}")).into_iter().collect();
        assert_eq!(exceptions, expected, "{scope}");
    }
}

#[tokio::test]
async fn an_expired_exception_hides_nothing_and_is_reported() {
    let hunt = hunt_with(&exception("  identities: ['*']\n  expires: 2020-02-29\n")).await;
    assert_eq!(identities(&hunt), ["alice", "mallory"]);
    assert_eq!(hunt.expired.len(), 1);
    let hunt = hunt_with(&exception("  identities: ['*']\n  expires: 9999-01-01\n")).await;
    assert!(hunt.findings.is_empty() && hunt.expired.is_empty());
}

/// A change of an event.
type Change = fn(&mut Value);

/// Returns a privileged pod created by `alice`, with a change.
fn pod(change: impl Fn(&mut Value)) -> Value {
    let mut event = privileged_pod("alice", "scanner", "10:00:00");
    let spec = &mut event["requestObject"]["spec"];
    spec["containers"] = json!([{
        "name": "dind",
        "image": "registry.internal/ci/dind:1",
        "securityContext": {"privileged": true},
    }]);
    change(&mut event);
    event
}

#[tokio::test]
async fn an_exception_for_images_must_cover_all_images_and_programs() {
    let cases: [(&str, Change, bool); 12] = [
        ("as it is", |_| (), true),
        ("an option", |e| container(e)["args"] = json!(["--mtu=1400"]), true),
        ("its own program", |e| container(e)["command"] = json!(["dockerd"]), true),
        ("another program", |e| container(e)["command"] = json!(["/bin/sh"]), false),
        ("another program as argument", |e| container(e)["args"] = json!(["sh", "-c", "x"]), false),
        (
            "a hook",
            |e| container(e)["lifecycle"] = json!({"postStart": {"exec": {"command": ["sh"]}}}),
            false,
        ),
        (
            "another image",
            |e| container(e)["image"] = json!("evil.example/registry.internal/ci/dind:1"),
            false,
        ),
        (
            "a host that begins like it",
            |e| container(e)["image"] = json!("registry.internal.evil.example/ci/dind:1"),
            false,
        ),
        (
            "an init container",
            |e| spec(e)["initContainers"] = json!([{"name": "i", "image": "evil.example/x"}]),
            false,
        ),
        (
            "an image volume",
            |e| {
                spec(e)["volumes"] =
                    json!([{"name": "v", "image": {"reference": "evil.example/x"}}]);
            },
            false,
        ),
        ("another person", |e| e["impersonatedUser"] = json!({"username": "bob"}), false),
        ("no body", |e| e["annotations"] = json!({"audit.k8s.io/truncated": "true"}), false),
    ];
    let text = exception(
        "  identities: [alice]\n  images: [registry.internal/ci/dind]\n  commands: [dockerd]\n",
    );
    let logs = cases.map(|(_, change, _)| [pod(change)]);
    let session = session_of_clusters(logs.iter().map(|log| &log[..]));
    let hunt = hunt(&session, &pack_with(&text), None, chrono::Utc::now()).await.unwrap();
    for (number, (what, _, covered)) in cases.iter().enumerate() {
        let number = number.to_string();
        let is_here = |finding: &&Finding| finding.cluster.as_deref() == Some(&number);
        let found = hunt.findings.iter().filter(is_here).count();
        let excepted = hunt.excepted.iter().map(|excepted| &excepted.finding);
        let excepted = excepted.filter(is_here).count();
        assert_eq!((found, excepted), if *covered { (0, 1) } else { (1, 0) }, "{what}");
    }
}

fn spec(event: &mut Value) -> &mut Value {
    &mut event["requestObject"]["spec"]
}

fn container(event: &mut Value) -> &mut Value {
    &mut spec(event)["containers"][0]
}

#[tokio::test]
async fn a_lowering_exception_keeps_the_finding_and_adds_its_reason() {
    let hunt = hunt_with(&exception("  identities: [alice]\n  effect: lower\n")).await;
    assert_eq!(identities(&hunt), ["mallory", "alice"]);
    assert!(hunt.excepted.is_empty());
    let lowered = &hunt.findings[1];
    assert_eq!((lowered.severity, lowered.risk), (Severity::Low, 0));
    let why = lowered.lowered.as_ref().unwrap();
    assert_eq!((why.from, &*why.by, &*why.reason), (Severity::Medium, "x", "because"));
    assert!(lowered.reasons.iter().any(|reason| reason == "exception x: because"));
    assert!(hunt.findings[0].lowered.is_none());
}

#[tokio::test]
async fn a_pattern_does_not_match_never_excepted_detections() {
    let attack =
        pod(|event| container(event)["command"] = json!(["nsenter", "-t", "1", "-m", "sh"]));
    for (detections, hidden) in [("'*'", false), ("'host-*'", false), ("host-escape-command", true)]
    {
        let text = exception("  identities: [alice]\n").replace("'*'", detections);
        let dir = folder(&[("exceptions/mine.yaml", &text)]);
        let mut pack = Pack::built_in().unwrap().only("host-escape-command");
        pack.add_folder(dir.path()).unwrap();
        let hunt = hunt(
            &session_over(log(std::slice::from_ref(&attack))),
            &pack,
            None,
            chrono::Utc::now(),
        )
        .await
        .unwrap();
        assert_eq!(hunt.excepted.len(), usize::from(hidden), "{detections}");
    }
}

#[test]
fn the_built_in_exceptions_are_narrow() {
    let problems = lint_exceptions(&Pack::built_in().unwrap());
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_wide_exception_of_a_user_is_a_warning() {
    let mut pack = Pack::built_in().unwrap();
    let text = "- {id: wide, reason: because, owner: me, detections: ['*', host-escape-command, no-such], identities: ['*'],
        images: ['*.example/x', 'quay.io/a/*'], names: ['a*']}";
    let dir = folder(&[("exceptions/mine.yaml", text)]);
    pack.add_folder(dir.path()).unwrap();
    let problems = lint_exceptions(&pack);
    assert!(problems.iter().all(|problem| problem.exception == "wide" && !problem.is_refused));
    assert_eq!(problems.len(), 7, "{problems:?}");
}

#[test]
fn an_exception_with_a_known_id_replaces_it() {
    let mut pack = Pack::built_in().unwrap();
    let count = pack.exceptions().len();
    let text = exception("  identities: [alice]\n").replace("id: x", "id: argo-cd");
    let dir = folder(&[("exceptions/mine.yaml", &text)]);
    pack.add_folder(dir.path()).unwrap();
    assert_eq!(pack.exceptions().len(), count);
}

#[test]
fn an_empty_list_never_means_all() {
    for text in [
        "- {id: x, reason: r, owner: o, detections: [], identities: [a]}",
        "- {id: x, reason: r, owner: o, detections: [a], identities: []}",
        "- {id: x, reason: r, owner: o, detections: [a], identities: [a], images: []}",
        "- {id: x, reason: r, owner: o, detections: [a], identities: [a], namespaces: ['']}",
        "- {id: x, reason: r, owner: o, detections: [a], identities: [a], images: ['quay.io/a**']}",
    ] {
        let dir = folder(&[("exceptions/mine.yaml", text)]);
        assert!(Pack::default().add_folder(dir.path()).is_err(), "{text}");
    }
}

#[test]
fn a_file_with_unknown_keys_or_without_owner_is_rejected() {
    for text in ["- id: x\n", &exception("  identities: ['*']\n  nmae: x\n"), "id: x"] {
        let dir = folder(&[("exceptions/mine.yaml", text)]);
        let error = Pack::default().add_folder(dir.path()).unwrap_err().to_string();
        assert!(error.contains("mine.yaml"), "{error}");
    }
}
