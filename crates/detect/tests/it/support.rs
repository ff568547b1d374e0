//! Small logs in memory, and detections that examine them.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use podtrail_detect::{Finding, Pack, hunt};
use podtrail_event::{BatchBuilder, Parser};
use podtrail_query::{Limits, Scope, Session};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Returns a session over logs, one event per line, each with the name of its cluster.
pub(crate) fn session(logs: &[(String, String)]) -> Session {
    scoped(logs, Scope::default())
}

/// Returns a session over a part of the logs.
pub(crate) fn scoped(logs: &[(String, String)], scope: Scope) -> Session {
    limited(logs, scope, Limits::for_hunt(Limits::HUNT))
}

/// Returns a session over a part of the logs, with these limits.
pub(crate) fn limited(logs: &[(String, String)], scope: Scope, limits: Limits) -> Session {
    Session::in_memory(&[batch(logs)], scope, limits).unwrap()
}

fn batch(logs: &[(String, String)]) -> RecordBatch {
    let mut parser = Parser::default();
    let mut events = BatchBuilder::default();
    for (cluster, log) in logs {
        for (line, json) in (1..).zip(log.lines()) {
            let event = parser.parse(json.as_bytes(), None);
            let mut event = event.unwrap_or_else(|error| panic!("{cluster}:{line}: {error}"));
            event.cluster = Some(cluster.as_str().into());
            event.source_line = Some(line);
            events.append(&event);
        }
    }
    events.finish()
}

/// Returns a session over logs, each of a cluster of its own, named by its number.
pub(crate) fn session_of_clusters<'e>(logs: impl IntoIterator<Item = &'e [Value]>) -> Session {
    let logs = logs.into_iter().enumerate();
    let logs: Vec<_> = logs.map(|(number, events)| (number.to_string(), log(events))).collect();
    session(&logs)
}

/// Returns a session over one log, of the cluster `test`.
pub(crate) fn session_over(log: String) -> Session {
    session(&[("test".to_owned(), log)])
}

/// Returns the findings of the built-in detection `id` in a log.
pub(crate) async fn find_only(id: &str, log: String) -> Vec<Finding> {
    let pack = Pack::built_in().unwrap().only(id);
    let hunt = hunt(&session_over(log), &pack, None, chrono::Utc::now()).await.unwrap();
    let failures: Vec<_> = hunt.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{failures:?}");
    hunt.findings
}

/// Returns the folder of case files.
pub(crate) fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/cases")
}

/// Returns a folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Returns the text of a detection of low severity.
pub(crate) fn detection(id: &str, sql: &str) -> String {
    format!(
        "/*\nid: {id}\ntitle: Test\nseverity: low\nattack: [T1610]\ndescription: A test.\n*/\n{sql}\n"
    )
}

/// Returns a privileged pod that `user` creates at `time` (`HH:MM:SS`), as a line of a log.
pub(crate) fn privileged_pod(user: &str, name: &str, time: &str) -> Value {
    let at = format!("2026-11-24T{time}.250000Z");
    json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request",
        "auditID": format!("{user} {name} {time}"),
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/web/pods",
        "verb": "create",
        "user": {"username": user, "groups": ["developers", "system:authenticated"]},
        "sourceIPs": ["10.0.0.7"],
        "userAgent": "kubectl/v1.36.2",
        "objectRef": {"resource": "pods", "namespace": "web", "name": name, "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 201},
        "requestObject": {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": name},
            "spec": {"containers": [{
                "name": "app",
                "image": "registry.internal/web/app:1.0",
                "securityContext": {"privileged": true},
            }]},
        },
        "requestReceivedTimestamp": at,
        "stageTimestamp": at,
        "annotations": {"authorization.k8s.io/decision": "allow"},
    })
}

/// Returns a log of these events.
pub(crate) fn log(events: &[Value]) -> String {
    events.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}
