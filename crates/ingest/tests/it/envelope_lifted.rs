//! Events to whose object a shipper added its own members.
//!
//! A real sample was available only for Panther (renamed keys); the others follow the shippers' documentation.

use serde_json::{Map, Value, json};

use crate::support::{event, lines};
use crate::wrapped::{Case, bare_id, check, quoted, unwrap};

/// The event with additional members.
fn with(members: Value) -> String {
    let mut event: Map<String, Value> = serde_json::from_str(&event(1)).expect("an event");
    event.extend(serde_json::from_value::<Map<_, _>>(members).expect("an object"));
    Value::from(event).to_string()
}

#[test]
fn added_members_are_removed() {
    let time = "2026-11-23T22:00:00.374797Z";
    check(vec![
        Case::new(
            "Merge_Log",
            with(json!({
                "date": 1_795_471_200.5, "stream": "stdout", "_p": "F", "kubernetes": { "host": "n1" },
            })),
            &["fluent"],
        )
        .at("n1")
        .timed_at(1_795_471_200_500_000)
        .rebuilt(),
        Case::new(
            "Merge_Log and Keep_Log",
            with(json!({ "time": time, "log": format!("{}\n", event(1)) })),
            &["fluent"],
        )
        .timed(),
        Case::new(
            "Vector",
            with(json!({
                "source_type": "file", "file": "audit.log", "host": "n1", "timestamp": time,
            })),
            &["vector"],
        )
        .at("n1")
        .rebuilt(),
        Case::new(
            "Filebeat with keys under root",
            with(json!({
                "@timestamp": time, "@metadata": {}, "agent": {}, "ecs": {}, "input": {},
                "host": { "name": "n1" }, "log": { "offset": 1 },
            })),
            &["filebeat"],
        )
        .at("n1")
        .timed()
        .rebuilt(),
        Case::new(
            "Panther",
            with(json!({ "p_log_type": "Amazon.EKS.Audit", "p_event_time": time })),
            &["panther"],
        )
        .rebuilt(),
    ]);
}

/// Alibaba's log service gives each member of the event as text.
#[test]
fn objects_as_strings() {
    let mut row: Map<String, Value> = serde_json::from_str(&event(1)).expect("an event");
    for value in row.values_mut() {
        if value.is_object() || value.is_array() {
            *value = value.to_string().into();
        }
    }
    row.insert("annotations".into(), "".into());
    for extra in [json!({}), json!({ "__time__": "1795471200", "__topic__": "" })] {
        row.extend(serde_json::from_value::<Map<_, _>>(extra).expect("an object"));
        let log = Value::from(row.clone()).to_string();
        let (events, reasons, _) = unwrap(log.clone());
        assert!(reasons.is_empty());
        assert_eq!(events[0].event_id, bare_id(1));
        assert_eq!(events[0].original.as_deref(), Some(log.as_str()));
    }
}

/// Panther renames keys with dots and slashes; the names of known keys are restored.
#[test]
fn renamed_keys() {
    let annotations = json!({ "authorization.k8s.io/decision": "allow", "own/key": "x" });
    let extra = json!({ "authentication.kubernetes.io/pod-name": ["p"] });
    let user = |extra: Value| json!({ "username": "alice", "extra": extra });
    let bare = with(json!({ "annotations": annotations, "user": user(extra) }));
    let renamed = with(json!({
        "annotations": { "authorization_k8s_io_slash_decision": "allow", "own/key": "x" },
        "user": user(json!({ "authentication_kubernetes_io_slash_pod-name": ["p"] })),
        "p_log_type": "Amazon.EKS.Audit",
    }));
    let (bare, ..) = unwrap(bare);
    let (renamed, ..) = unwrap(renamed);
    assert_eq!(bare[0].event_id, renamed[0].event_id);
    assert!(bare[0].envelopes.is_empty());
}

/// An event of an old version has its own timestamp, which is not part of its identity if it has other times.
#[test]
fn members_of_any_version_stay() {
    let old = with(json!({
        "apiVersion": "audit.k8s.io/v1beta1", "timestamp": "2026-11-23T22:00:00Z", "metadata": {},
    }));
    let new = with(json!({ "authenticationMetadata": { "x": "y" } }));
    for (log, is_same) in [(new, false), (old, true)] {
        let (events, ..) = unwrap(lines([&log]));
        assert!(events[0].envelopes.is_empty());
        assert_eq!(events[0].original, None);
        assert_eq!(events[0].event_id == bare_id(1), is_same);
        assert!(events[0].extra.is_some());
    }
}

/// The original line takes precedence over the derived members.
#[test]
fn the_line_is_preferred() {
    let log =
        with(json!({ "verb": "LIST", "message": event(1), "@timestamp": "2026-11-23T22:00:00Z" }));
    let (events, ..) = unwrap(log);
    assert_eq!(events[0].event_id, bare_id(1));
    let log = with(json!({ "message": "list pods", "tag": quoted("x") }));
    let (events, ..) = unwrap(log);
    assert_eq!(events[0].event_id, bare_id(1));
}
